"""The settings of the API: FLASK_* variables, refused if they make no sense.

The contract: a refusal names the variable and says what to write; no secret has a
default; and each setting that is read stands in README.md with its true default.
"""

import json
import re
import subprocess
import sys

import pytest
from apps import API, load_app
from configuration import SETTINGS, SettingError, configure
from flask import Flask
from servers import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = README.split("## Settings of the API")[1].split("\n## ")[0]
DOCUMENTED = dict(re.findall(r"^\| `(FLASK_\w+)` \| (.+?) \|", SECTION, re.MULTILINE))


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
        ("CORS_ORIGINS", "", []),
        ("DEBUG", "False", False),
        ("DEBUG", "1", True),
        ("MAX_CONTENT_LENGTH", "", 16_000_000),
        ("PROXIES", "2", 2),
        ("SECRET_KEY", "1" * 64, "1" * 64),
        ("SESSION_COOKIE_SECURE", "true", True),
        ("MAIL__PORT", "25", {"PORT": 25}),
        ("TRUSTED_HOSTS", "a.example,.b.example", ["a.example", ".b.example"]),
    ],
)
def test_a_setting_is_what_it_says(variable: str, value: str, expected: object) -> None:
    actual = load_app(**{variable: value}).config[variable.split("__")[0]]
    assert actual == expected
    assert type(actual) is type(expected)


def test_no_secret_has_a_default() -> None:
    config = load_app().config
    assert [n for n in config if "SECRET" in n and config[n]] == []


def test_a_required_setting_must_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLASK_JWT_SECRET_KEY", raising=False)
    with pytest.raises(SettingError, match="FLASK_JWT_SECRET_KEY is not set"):
        configure(Flask("api"), required=["JWT_SECRET_KEY"])


@pytest.mark.parametrize(
    "command",
    [["-m", "flask", "--app", str(API), "routes"], [str(API.with_name("server.py"))]],
    ids=["flask", "production"],
)
def test_a_refusal_is_shown_without_a_traceback(command: list[str]) -> None:
    env = {"FLASK_PROXIES": "one"}
    command = [sys.executable, *command]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    message = "Error: FLASK_PROXIES: write a number such as 1; not 'one'.\n"
    assert done.stderr == message


def test_each_setting_that_is_read_is_documented() -> None:
    sources = [file.read_text(encoding="utf-8") for file in API.parent.glob("*.py")]
    read = re.findall(r'config(?:\[|\.get\()"([A-Z_]+)"', "\n".join(sources))
    # The first is Flask's own, of its command line; the second is set and not read.
    ours = {*SETTINGS, *read} - {"DEBUG", "PROPAGATE_EXCEPTIONS"}
    assert {f"FLASK_{name}" for name in ours} == set(DOCUMENTED)
    for name, (default, *_) in SETTINGS.items():
        text = default if isinstance(default, str) else json.dumps(default)
        documented = DOCUMENTED[f"FLASK_{name}"].strip("`")
        assert documented == ("none" if default in (None, []) else text)
