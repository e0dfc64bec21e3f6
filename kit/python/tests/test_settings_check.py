"""What `react_flask_kit.settings_check` says of an environment, without the app."""

import os
from pathlib import Path

import pytest
from react_flask_kit.settings_check import known_names, problems

REQUIRED = 'Kit(app, required=["MAIL_SERVER"])'
MISSING = ["FLASK_MAIL_SERVER is not set, but required. Write it into .env."]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, whose app.py is the app."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(("FLASK_", "WEB_")) or name in ("HOST", "PORT"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("FLASK_APP", "app.py")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("FLASK_PROXIES", "one", "FLASK_PROXIES: write a number such as 1; not 'one'."),
        ("FLASK_STRICT_JSON", "maybe", "FLASK_STRICT_JSON: write true or false"),
        ("FLASK_TRUSTED_HOST", "a", "did you mean FLASK_TRUSTED_HOSTS?"),
        ("FLASK_CORS_RESOURCES", "/", "FLASK_CORS_RESOURCES is not a setting"),
        ("FLASK_SECRET_KEY", "hunter2", "FLASK_SECRET_KEY is shorter than 32 bytes."),
        ("WEB_THREADS", "many", "WEB_THREADS must be a whole number from 1 to 100000"),
    ],
)
def test_what_is_wrong_is_said_without_secrets(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    (problem,) = problems()
    assert says in problem
    assert "hunter2" not in problem


@pytest.mark.parametrize(
    ("name", "value"),
    [("FLASK_PROXIES", ""), ("FLASK_MYTHING", "1"), ("FLASK_SECRET_KEY", "a" * 32)],
)
def test_what_an_app_may_have_is_right(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert list(problems()) == []


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (REQUIRED, MISSING),
        ('react_flask_kit.Kit(app, ("MAIL_SERVER",))', MISSING),
        ('kit = Kit(required={"MAIL_SERVER"})', MISSING),
        (f'app.config["MAIL_SERVER"] = "a"\n{REQUIRED}', []),
        (f'app.config.update(MAIL_SERVER="a")\n{REQUIRED}', []),
        (f'app.config |= {{"MAIL_SERVER": "a"}}\n{REQUIRED}', []),
        (f'class Config:\n    MAIL_SERVER = "a"\n{REQUIRED}', []),
        (f'print(app.config["MAIL_SERVER"])\n{REQUIRED}', MISSING),
        ('Kit(app, required=["SECRET_KEY", "JWT_SECRET_KEY"])', []),
        ("Kit(app, required=NAMES)", []),
        ("Kit(app)", []),
        (f"{REQUIRED}\nthis is no Python", []),
        ("\0", []),
    ],
)
def test_what_the_app_requires_is_read_from_its_code(
    folder: Path, code: str, says: list[str]
) -> None:
    (folder / "app.py").write_text(code, encoding="utf-8")
    assert list(problems()) == says


def test_a_required_setting_that_is_set_is_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "app.py").write_text(REQUIRED, encoding="utf-8")
    monkeypatch.setenv("FLASK_MAIL_SERVER", "a")
    assert list(problems()) == []


@pytest.mark.parametrize(
    "place", ["venv", ".venv", "env", "node_modules", "kit/python"]
)
def test_the_code_of_others_requires_nothing(folder: Path, place: str) -> None:
    (folder / place).mkdir(parents=True)
    (folder / place / "theirs.py").write_text(REQUIRED, encoding="utf-8")
    if place == "env":
        (folder / place / "pyvenv.cfg").write_text("")
    assert list(problems()) == []


def test_the_names_of_flask_are_known() -> None:
    names = {"FLASK_SECRET_KEY", "FLASK_RUN_PORT", "FLASK_DEBUG", "FLASK_PROXIES"}
    assert names <= set(known_names())
