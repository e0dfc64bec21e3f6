"""The settings: FLASK_* variables, refused if they make no sense.

The contract: a refusal names the variable and says what to write; no secret has a
default; and each setting that is read stands in README.md with its true default.
"""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import react_flask_kit
from apps import APP, load_app
from flask import Flask
from processes import clean_env
from react_flask_kit import Kit, SettingError
from react_flask_kit.settings import CORS_SETTINGS, SETTINGS, own_key
from react_flask_kit.testing import free_port

README = Path(__file__).parents[1] / "README.md"
# Flask's own: of its command, of tests, and one that is set and not read.
FLASKS_OWN = {"DEBUG", "TESTING", "PROPAGATE_EXCEPTIONS"}


@pytest.mark.parametrize(
    ("variable", "value", "advice"),
    [
        ("CORS_ORIGINS", "https://app.example.com/", "without a path, a slash"),
        ("CORS_ORIGINS", "https://app.example.com/path", "without a path"),
        ("CORS_ORIGINS", "https://app.example.com:443", "https://app.example.com"),
        ("CORS_ORIGINS", "http://app.example.com:80", "https://app.example.com"),
        ("CORS_ORIGINS", "https://user@app.example.com", "https://app.example.com"),
        ("CORS_ORIGINS", "HTTPS://App.Example.Com", "https://app.example.com"),
        ("CORS_ORIGINS", "app.example.com", "https://app.example.com"),
        ("CORS_ORIGINS", '["https://a.example", "null"]', "not 'null'"),
        ("CORS_ORIGINS", "file:///page.html", "https://app.example.com"),
        ("CORS_ORIGINS", "https://*.example.com", "a pattern"),
        ("CORS_ORIGINS", r"https://.*\.example\.com", "a pattern"),
        ("CORS_ORIGINS", r"https://(a|b)\.example\.com$", "a pattern"),
        ("CORS_ORIGINS", "https://a[.]example[.]com", "a pattern"),
        ("CORS_ORIGINS", '["*", "https://a.example"]', "Write * alone"),
        ("CORS_SUPPORTS_CREDENTIALS", "yes", "true or false"),
        ("CORS_ALLOW_PRIVATE_NETWORK", "2", "true or false"),
        ("CORS_ORIGIN", "https://a.example", "FLASK_CORS_ORIGINS"),
        ("CORS_RESOURCES", '{"/api/*": {}}', "FLASK_CORS_ORIGINS"),
        ("CSP_CONNECT_SRC", "maps.example.com", "https://maps.example.com"),
        ("LOG_FORMAT", "xml", "text or json"),
        ("MAX_CONTENT_LENGTH", "16MB", "16000000"),
        ("MAX_CONTENT_LENGTH", "-1", "16000000"),
        ("PROXIES", "true", "a number such as 1"),
        ("PROXIES", "10.0.0.0/8", "a number such as 1"),
        ("TRUSTED_HOSTS", "https://app.example.com", "such as app.example.com"),
        ("TRUSTED_HOSTS", "app.example.com:8000", "without scheme, port"),
        ("TRUSTED_HOSTS", "*", "such as app.example.com"),
        ("SECRET_KEY", "dev", "secrets.token_hex"),
        ("JWT_SECRET_KEY", "0123456789", "secrets.token_hex"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(
    variable: str, value: str, advice: str
) -> None:
    with pytest.raises(SettingError) as refusal:
        load_app(**{variable: value})
    message = refusal.value.format_message()
    assert message.startswith(f"FLASK_{variable}")
    assert advice in message
    if "SECRET" in variable:
        assert value not in message


def test_everyone_together_with_cookies_is_refused() -> None:
    with pytest.raises(SettingError, match="each could act as your users"):
        load_app(CORS_ORIGINS="*", CORS_SUPPORTS_CREDENTIALS="true")


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("APP_VERSION", "1234567", "1234567"),
        ("APP_VERSION", "12e4567", "12e4567"),
        (
            "CORS_ORIGINS",
            " https://a.b , http://c:8443,",
            ["https://a.b", "http://c:8443"],
        ),
        ("CORS_ORIGINS", '["http://localhost:3000"]', ["http://localhost:3000"]),
        ("CORS_ORIGINS", "", None),
        ("DEBUG", "False", False),
        ("DEBUG", "1", True),
        ("MAX_CONTENT_LENGTH", "", 16_000_000),
        ("PROXIES", "2", 2),
        ("SECRET_KEY", "1" * 64, "1" * 64),
        ("WEATHER_KEY", "12345678e9", "12345678e9"),
        ("MAIL_PASSWORD", "true", "true"),
        ("SESSION_COOKIE_SECURE", "true", True),
        ("MAIL__PORT", "25", {"PORT": 25}),
        ("TRUSTED_HOSTS", "a.example,.b.example", ["a.example", ".b.example"]),
    ],
)
def test_a_setting_is_what_it_says(variable: str, value: str, expected: object) -> None:
    actual = load_app(**{variable: value}).config.get(variable.split("__")[0])
    assert actual == expected
    assert type(actual) is type(expected)


def test_no_secret_has_a_default() -> None:
    config = load_app().config
    assert [n for n in config if "SECRET" in n and config[n]] == []


@pytest.mark.parametrize("value", [None, ""])
def test_a_required_setting_must_be_set(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("FLASK_JWT_SECRET_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("FLASK_JWT_SECRET_KEY", value)
    with pytest.raises(SettingError, match="FLASK_JWT_SECRET_KEY is not set"):
        Kit(Flask("api"), required=["JWT_SECRET_KEY"])


def test_a_required_setting_may_come_from_the_author() -> None:
    app = Flask("api")
    app.config["MAIL_SERVER"] = "mail.example.com"
    Kit(app, required=["MAIL_SERVER"])
    assert app.config["MAIL_SERVER"] == "mail.example.com"


@pytest.mark.parametrize(("text", "value"), [("false", False), ("0", 0)])
def test_a_required_setting_may_be_false(
    monkeypatch: pytest.MonkeyPatch, text: str, value: object
) -> None:
    monkeypatch.setenv("FLASK_SEND_MAILS", text)
    app = Flask("api")
    Kit(app, required=["SEND_MAILS"])
    assert app.config["SEND_MAILS"] is value


@pytest.mark.parametrize("switch", ["DEBUG", "TESTING"])
def test_a_required_key_is_made_in_development_and_tests_and_kept_for_its_owner(
    switch: str, tmp_path: Path
) -> None:
    folder = tmp_path / "data"

    def key(name: str = "SECRET_KEY") -> str:
        app = Flask("api", instance_path=str(folder))
        app.config[switch] = True
        Kit(app, required=[name])
        return app.config[name]

    assert len(key().encode()) >= 32
    assert key() == key() == (folder / "SECRET_KEY").read_text()
    assert key("JWT_SECRET_KEY") != key()
    assert {file.name for file in folder.iterdir()} == {"SECRET_KEY", "JWT_SECRET_KEY"}
    if os.name != "nt":
        assert (folder / "SECRET_KEY").stat().st_mode & 0o777 == 0o600


def test_a_key_of_another_service_is_asked_for(tmp_path: Path) -> None:
    app = Flask("api", instance_path=str(tmp_path / "data"))
    app.debug = True
    with pytest.raises(SettingError, match="FLASK_STRIPE_SECRET_KEY is not set"):
        Kit(app, required=["STRIPE_SECRET_KEY"])
    app.testing = True
    Kit(app, required=["STRIPE_SECRET_KEY"])
    assert app.config["STRIPE_SECRET_KEY"]
    assert not (tmp_path / "data").exists()


def test_a_key_of_another_service_may_be_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_WEATHER_KEY", "123")
    app = Flask("api")
    Kit(app, required=["WEATHER_KEY"])
    assert app.config["WEATHER_KEY"] == "123"


def test_processes_that_start_together_make_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(own_key, [tmp_path] * 64, ["SECRET_KEY"] * 64))
    assert len(keys) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_a_key_that_is_set_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLASK_SECRET_KEY", "k" * 32)
    app = Flask("api", instance_path=str(tmp_path / "data"))
    app.debug = True
    Kit(app, required=["SECRET_KEY"])
    assert app.config["SECRET_KEY"] == "k" * 32
    assert not (tmp_path / "data").exists()


def test_a_key_that_cannot_be_kept_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    app = Flask("api", instance_path=str(tmp_path / "file"))
    app.debug = True
    with pytest.raises(SettingError, match=r"none can be kept in .* \.env"):
        Kit(app, required=["SECRET_KEY"])


def test_nothing_but_keys_is_made_up_for_tests() -> None:
    app = Flask("api")
    app.testing = True
    with pytest.raises(SettingError, match=r"FLASK_MAIL_SERVER .+ \.env\.test"):
        Kit(app, required=["MAIL_SERVER"])


@pytest.mark.parametrize(
    ("command", "code"),
    [("flask routes", 1), ("react_flask_kit", 3)],
    ids=["flask", "production"],
)
def test_a_refusal_is_shown_without_a_traceback(
    command: str, code: int, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command.split()],
        cwd=tmp_path,
        env=clean_env(FLASK_APP=str(APP), FLASK_PROXIES="one", PORT=str(free_port())),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    message = "Error: FLASK_PROXIES: write a number such as 1; not 'one'.\n"
    assert done.stderr == message


def test_each_setting_that_is_read_is_documented() -> None:
    section = README.read_text(encoding="utf-8").split("\n## Settings\n")[1]
    rows = re.findall(
        r"^\| `(FLASK_\w+)` \| (.+?) \|", section.split("\n## ")[0], re.MULTILINE
    )
    documented_defaults = dict(rows)
    files = Path(react_flask_kit.__file__).parent.glob("*.py")
    sources = "\n".join(file.read_text(encoding="utf-8") for file in files)
    read = re.findall(r'config(?:\[|\.get\()"([A-Z_]+)"', sources)
    ours = {*SETTINGS, *CORS_SETTINGS, *read} - FLASKS_OWN
    assert {f"FLASK_{name}" for name in ours} == set(documented_defaults)
    for name, (default, *_) in SETTINGS.items():
        text = default if isinstance(default, str) else json.dumps(default)
        documented = documented_defaults[f"FLASK_{name}"].strip("`")
        if name == "PERMISSIONS_POLICY":
            text = "that of `FLASK_CSP"
        elif default is None:
            text = "none"
        assert documented == text


def test_each_variable_of_the_server_is_documented() -> None:
    text = README.read_text(encoding="utf-8")
    section = text.split("\n## Variables of the server\n")[1].split("\n## ")[0]
    first_cells = "".join(re.findall(r"^\|(.+?)\|", section, re.MULTILINE))
    documented = set(re.findall(r"`([A-Z_]+)`", first_cells))
    sources = "".join(
        (Path(react_flask_kit.__file__).parent / name).read_text(encoding="utf-8")
        for name in ("release.py", "server.py", "site.py")
    )
    read = re.findall(r'(?:read_number|os\.environ\.get)\("([A-Z_]+)"', sources)
    own = {name for name in read if not name.startswith(("FLASK_", "PYTHON"))}
    assert documented == {*own, "FLASK_APP"}
