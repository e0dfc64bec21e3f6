"""Kit(app), as one of Flask's extensions.

The contract: an app is set up once, by either way of Flask's extensions, and apps in
one process have nothing in common; what the author has set stays unless the environment
says otherwise.
"""

import gc
import logging
import os
import re
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, request
from react_flask_kit import Kit, SettingError
from react_flask_kit.settings import SETTINGS

NAME = "react_flask_kit"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("FLASK_"):
            monkeypatch.delenv(name)


def create_app(kit: Kit | None = None, **config: object) -> Flask:
    """Make an app as factories do."""
    app = Flask("factory")
    app.config.from_mapping(config)
    (kit or Kit()).init_app(app)

    @app.get("/config/<name>")
    def tell(name: str) -> dict:
        return {"value": app.config[name]}

    return app


def test_the_state_of_an_app_is_in_its_extensions() -> None:
    app = Flask("app")
    kit = Kit(app)
    assert app.extensions == {NAME: kit}


def test_init_app_is_kit_of_an_app() -> None:
    at_once, later = Flask("app"), Flask("app")
    Kit(at_once)
    kit = Kit()
    kit.init_app(later)
    assert later.extensions == {NAME: kit}
    assert later.config == at_once.config
    assert type(later.wsgi_app) is type(at_once.wsgi_app)


def test_a_second_time_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Flask("twice")
    kit = Kit(app)
    wsgi_app, handlers = app.wsgi_app, list(app.logger.handlers)
    monkeypatch.setenv("FLASK_APP_VERSION", "another")
    other = Kit(app, required=["NOT_SET"])
    kit.init_app(app)
    other.init_app(app)
    assert app.extensions == {NAME: kit}
    assert app.wsgi_app is wsgi_app
    assert app.logger.handlers == handlers
    assert app.config["APP_VERSION"] is None
    response = app.test_client().get("/nowhere")
    assert len(response.headers.getlist("X-Request-ID")) == 1


@pytest.mark.xfail(reason="a refused app counts as set up", strict=True)
def test_an_app_that_was_refused_is_not_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Flask("refused")
    monkeypatch.setenv("FLASK_PROXIES", "one")
    for _ in range(2):
        with pytest.raises(SettingError):
            Kit(app)
    monkeypatch.delenv("FLASK_PROXIES")
    Kit(app)
    assert app.test_client().get("/health").status_code == 200


def test_each_app_of_a_factory_has_settings_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    apps = []
    for version in ("1", "2", "3"):
        monkeypatch.setenv("FLASK_APP_VERSION", version)
        apps.append(create_app())
    for app, version in zip(apps, ("1", "2", "3"), strict=True):
        client = app.test_client()
        assert client.get("/health").json["version"] == version
        assert client.get("/config/APP_VERSION").json == {"value": version}
        assert client.get("/nowhere").content_type == "application/problem+json"


def test_one_kit_sets_up_each_app_of_a_factory() -> None:
    kit = Kit()
    calls = []
    kit.ready_check(lambda: calls.append("checked"))
    apps = [create_app(kit) for _ in range(3)]
    for app in apps:
        assert app.extensions[NAME] is kit
        assert app.test_client().get("/ready").status_code == 200
        assert app.test_client().get("/nowhere").status_code == 404
    assert calls == ["checked"] * 3


@pytest.fixture
def no_handlers() -> Iterator[None]:
    """Give the factory's logger back as it was."""
    logger = logging.getLogger("factory")
    before, logger.handlers = logger.handlers, []
    yield
    logger.handlers = before


@pytest.mark.usefixtures("no_handlers")
@pytest.mark.xfail(reason="each app of a name adds a handler", strict=True)
def test_three_apps_of_a_factory_log_a_message_once(
    capfd: pytest.CaptureFixture,
) -> None:
    apps = [create_app() for _ in range(3)]
    apps[0].logger.error("only once")
    assert len(re.findall("only once", capfd.readouterr().err)) == 1


def test_an_app_that_is_no_longer_needed_goes() -> None:
    app = create_app()
    assert app.test_client().get("/health").status_code == 200
    assert app.test_client().get("/nowhere").status_code == 404
    gone = weakref.ref(app)
    del app
    gc.collect()
    assert gone() is None


# Of each setting: what the author sets, the variable, and what that is read as.
SET = [
    ("APP_VERSION", "of-author", "of-shell", "of-shell"),
    ("CORS_ALLOW_PRIVATE_NETWORK", True, "false", False),
    ("CORS_ORIGINS", ["https://a.example"], "https://b.example", ["https://b.example"]),
    ("CORS_SUPPORTS_CREDENTIALS", True, "false", False),
    ("CSP_CONNECT_SRC", ["https://a.example"], "wss://b.example", ["wss://b.example"]),
    ("LOG_FORMAT", "json", "text", "text"),
    ("MAX_CONTENT_LENGTH", 10, "20", 20),
    ("PROXIES", 1, "2", 2),
    ("SECRET_KEY", "a" * 32, "b" * 32, "b" * 32),
    ("SESSION_COOKIE_NAME", "of_author", "of_shell", "of_shell"),
    ("SOURCE_MAPS", True, "false", False),
    ("TRUSTED_HOSTS", ["a.example"], "b.example", ["b.example"]),
    ("UPLOADS", "of-author", "of-shell", "of-shell"),
]


@pytest.mark.parametrize(("name", "of_author", "text", "read"), SET)
def test_the_environment_comes_before_the_author_and_the_author_before_a_default(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    of_author: object,
    text: str,
    read: object,
) -> None:
    if name in SETTINGS:
        assert create_app().config[name] == SETTINGS[name][0]
    assert create_app(**{name: of_author}).config[name] == of_author
    monkeypatch.setenv(f"FLASK_{name}", text)
    assert create_app(**{name: of_author}).config[name] == read
    assert create_app().config[name] == read


@pytest.mark.xfail(reason="an empty variable hides the author's value", strict=True)
@pytest.mark.parametrize(("name", "of_author", "_text", "_read"), SET[:8])
def test_an_empty_variable_leaves_what_the_author_has_set(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    of_author: object,
    _text: str,
    _read: object,
) -> None:
    monkeypatch.setenv(f"FLASK_{name}", "")
    assert create_app(**{name: of_author}).config[name] == of_author


@pytest.mark.xfail(reason="DEBUG is read from the environment alone", strict=True)
def test_debug_as_the_author_has_set_it_stays() -> None:
    assert create_app(DEBUG=True).debug


def test_testing_as_the_author_has_set_it_stays() -> None:
    assert create_app(TESTING=True).testing
    assert not create_app().testing


def test_what_the_author_has_set_is_what_limits_a_request() -> None:
    app = create_app(TRUSTED_HOSTS=["good.example"], MAX_CONTENT_LENGTH=10)

    @app.post("/upload")
    def upload() -> dict:
        return {"bytes": len(request.get_data())}

    for host, size, status in [
        ("good.example", 10, 200),
        ("good.example", 11, 413),
        ("evil.example", 10, 400),
    ]:
        body, headers = b"x" * size, {"Host": host}
        response = app.test_client().post("/upload", data=body, headers=headers)
        assert response.status_code == status


def test_the_folder_of_the_instance_is_the_one_that_is_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert create_app().instance_path == Flask("factory").instance_path
    of_author, of_shell = str(tmp_path / "author"), str(tmp_path / "shell")
    assert create_app(INSTANCE_PATH=of_author).instance_path == of_author
    monkeypatch.setenv("FLASK_INSTANCE_PATH", of_shell)
    assert create_app(INSTANCE_PATH=of_author).instance_path == of_shell
