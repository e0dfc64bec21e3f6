"""Kit(app), as one of Flask's extensions.

The contract: an app is set up once, by either way of Flask's extensions, and apps in
one process have nothing in common; what the author has set stays unless the environment
says otherwise.
"""

import gc
import os
import weakref
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from flask import Flask, Request, Response, request
from flask.json.provider import DefaultJSONProvider
from flask.sessions import SecureCookieSessionInterface
from react_flask_kit import Kit, SettingError
from react_flask_kit.extension import complete
from react_flask_kit.layer import RequestLayer
from react_flask_kit.settings import SETTINGS
from werkzeug.test import create_environ

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
    state = app.extensions[NAME]
    assert list(app.extensions) == [NAME]
    assert state.ready_check == kit.ready_check
    assert state.complete


def test_init_app_is_kit_of_an_app() -> None:
    at_once, later = Flask("app"), Flask("app")
    Kit(at_once)
    kit = Kit()
    kit.init_app(later)
    assert list(later.extensions) == [NAME]
    assert later.extensions[NAME].ready_check == kit.ready_check
    assert later.config == at_once.config
    assert type(later.wsgi_app) is type(at_once.wsgi_app)


def test_a_second_time_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Flask("twice")
    kit = Kit(app)
    state, wsgi_app = app.extensions[NAME], app.wsgi_app
    handlers = list(app.logger.handlers)
    monkeypatch.setenv("FLASK_APP_VERSION", "another")
    other = Kit(app, required=["NOT_SET"])
    kit.init_app(app)
    other.init_app(app)
    assert app.extensions == {NAME: state}
    assert app.wsgi_app is wsgi_app
    assert app.logger.handlers == handlers
    assert app.config["APP_VERSION"] is None
    response = app.test_client().get("/nowhere")
    assert len(response.headers.getlist("X-Request-ID")) == 1


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
        complete(apps[-1])
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
        assert app.extensions[NAME].ready_check == kit.ready_check
        assert app.test_client().get("/ready").status_code == 200
        assert app.test_client().get("/nowhere").status_code == 404
    assert calls == ["checked"] * 3


def test_who_wraps_the_app_learns_of_the_status_while_the_request_lives() -> None:
    """OpenTelemetry's spans had no status."""
    app, seen = create_app(), []
    wsgi_app = app.wsgi_app

    def watched_app(environ: dict, start_response: Callable) -> Iterable[bytes]:
        def start(status: str, headers: list, *exc_info: object) -> Callable:
            names = [name for name, _ in headers if name == "X-Request-ID"]
            seen.append((status, request.path, names))
            return start_response(status, headers, *exc_info)

        return wsgi_app(environ, start)

    app.wsgi_app = watched_app
    assert app.test_client().get("/config/PROXIES").status_code == 200
    assert seen == [("200 OK", "/config/PROXIES", ["X-Request-ID"])]


def test_status_headers_and_error_are_handed_on_as_they_come() -> None:
    app, calls = create_app(), []

    def inner(_environ: dict, start_response: Callable) -> Iterable[bytes]:
        write = start_response("200 OK", [("x-request-id", "own")])
        write(b"written")
        error = ValueError("late")
        start_response("500 Sorry", [], (ValueError, error, None))
        return body

    def start(status: str, headers: list, *exc_info: tuple) -> Callable:
        calls.append((status, dict(headers), exc_info))
        return written.append

    body, written = [b"returned"], []
    app.wsgi_app = inner
    layer = RequestLayer(app)
    environ = create_environ(headers={"X-Request-ID": "abc"})
    assert layer(environ, start) is body
    assert written == [b"written"]
    (first, headers, none), (second, _, (exc_info,)) = calls
    assert (first, headers, none) == ("200 OK", {"X-Request-ID": "abc"}, ())
    assert (second, exc_info[0]) == ("500 Sorry", ValueError)


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
    ("CSP", "strict", "off", "off"),
    ("CSP_CONNECT_SRC", ["https://a.example"], "wss://b.example", ["wss://b.example"]),
    ("LOG_FORMAT", "json", "text", "text"),
    ("MAX_CONTENT_LENGTH", 10, "20", 20),
    ("PERMISSIONS_POLICY", "usb=()", "camera=()", "camera=()"),
    ("PROXIES", 1, "2", 2),
    ("SECRET_KEY", "a" * 32, "b" * 32, "b" * 32),
    ("SESSION_COOKIE_NAME", "of_author", "of_shell", "of_shell"),
    ("SOURCE_MAPS", True, "false", False),
    ("STRICT_JSON", False, "true", True),
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
    if name.startswith("CORS_"):
        # flask-cors takes even a default for a wish of the author's.
        assert name not in create_app().config
    elif name in SETTINGS:
        assert create_app().config[name] == SETTINGS[name][0]
    assert create_app(**{name: of_author}).config[name] == of_author
    monkeypatch.setenv(f"FLASK_{name}", text)
    assert create_app(**{name: of_author}).config[name] == read
    assert create_app().config[name] == read


@pytest.mark.parametrize(("name", "of_author", "_text", "_read"), SET[:10])
def test_an_empty_variable_leaves_what_the_author_has_set(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    of_author: object,
    _text: str,
    _read: object,
) -> None:
    monkeypatch.setenv(f"FLASK_{name}", "")
    assert create_app(**{name: of_author}).config[name] == of_author


def test_debug_as_the_author_has_set_it_stays() -> None:
    assert create_app(DEBUG=True).debug


def test_what_the_author_sets_after_the_kit_counts_up_to_the_first_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FLASK_APP_VERSION", "of-shell")
    app = create_app()
    app.config.update(APP_VERSION="of-author", TRUSTED_HOSTS=["good.example"])
    good, evil = {"Host": "good.example"}, {"Host": "evil.example"}
    client = app.test_client()
    assert client.get("/health", headers=good).json["version"] == "of-shell"
    assert client.get("/config/PROXIES", headers=good).json == {"value": 0}
    assert client.get("/config/PROXIES", headers=evil).status_code == 400


def test_a_server_learns_of_an_invalid_value_of_the_author_before_it_listens() -> None:
    app = create_app()
    app.config["LOG_FORMAT"] = "xml"
    with pytest.raises(SettingError, match="LOG_FORMAT: write text or json; not 'xml'"):
        complete(app)


def test_an_app_without_the_kit_is_left_alone_when_it_is_completed() -> None:
    app = Flask("plain")
    config = dict(app.config)
    complete(app)
    assert dict(app.config) == config
    assert app.extensions == {}


class OwnRequest(Request):
    """An author's own class of requests."""


class OwnJSON(DefaultJSONProvider):
    """An author's own JSON."""


class OwnSessions(SecureCookieSessionInterface):
    """An author's own sessions."""


class OwnFlask(Flask):
    """A Flask of an author, who has chosen all of it."""

    request_class = OwnRequest
    json_provider_class = OwnJSON
    session_interface = OwnSessions()


@pytest.mark.parametrize("is_before", [True, False], ids=["before", "after"])
def test_what_an_author_has_put_in_the_place_of_flasks_own_stays(
    is_before: bool,
) -> None:
    app = OwnFlask("own") if is_before else Flask("own")
    Kit(app)
    if not is_before:
        app.request_class = OwnRequest
        app.json = OwnJSON(app)
        app.session_interface = OwnSessions()
    assert app.test_client().get("/nowhere").status_code == 404
    assert app.request_class is OwnRequest
    assert type(app.json) is OwnJSON
    assert type(app.session_interface) is OwnSessions


def test_what_flask_has_itself_is_replaced_by_what_derives_from_it() -> None:
    app = create_app()
    complete(app)
    assert issubclass(app.request_class, Request)
    assert isinstance(app.json, DefaultJSONProvider)
    assert isinstance(app.session_interface, SecureCookieSessionInterface)
    assert app.response_class is Response
    assert app.url_map.strict_slashes


def test_options_of_json_count_whenever_they_are_set() -> None:
    app = create_app()
    app.json.sort_keys = False
    app.add_url_rule("/data", view_func=lambda: {"b": 1, "a": "é"})
    client = app.test_client()
    assert client.get("/data").text == '{"b":1,"a":"\\u00e9"}\n'
    app.json.sort_keys, app.json.ensure_ascii = True, False
    assert client.get("/data").text == '{"a":"é","b":1}\n'
    app.json.compact = False
    assert client.get("/data").text == '{\n  "a": "é",\n  "b": 1\n}\n'


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
