"""Every error is problem details, and tells the inside in debug only.

The contract: whatever goes wrong has one shape, application/problem+json; what the
error itself brings stays, its headers or a response of its own.
"""

import time

import pytest
from apps import answer_crashes, load_app
from flask import Blueprint, Flask, abort, request
from flask.testing import FlaskClient
from react_flask_kit import Kit
from werkzeug.exceptions import BadRequestKeyError, Gone, HTTPException


def test_time_is_now_in_seconds_since_the_epoch(client: FlaskClient) -> None:
    before = time.time()
    response = client.get("/time")
    assert response.status_code == 200
    assert response.content_type == "application/json"
    assert before <= response.json["time"] <= time.time()
    assert list(response.json) == ["time"]


@pytest.mark.parametrize(
    ("method", "path", "status", "title"),
    [
        ("GET", "/nowhere", 404, "Not Found"),
        ("POST", "/nowhere", 404, "Not Found"),
        ("POST", "/time", 405, "Method Not Allowed"),
    ],
)
def test_an_error_is_described_in_json(
    client: FlaskClient, method: str, path: str, status: int, title: str
) -> None:
    response = client.open(path, method=method)
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    problem = response.json
    assert (problem["title"], problem["status"]) == (title, status)
    assert problem["type"] == "about:blank"
    assert problem["instance"] == path
    assert problem["detail"]


def test_a_wrong_method_is_told_the_right_ones(client: FlaskClient) -> None:
    allowed = client.post("/time").headers["Allow"]
    assert set(allowed.split(", ")) == {"GET", "HEAD", "OPTIONS"}


def crashing_app(**settings: str) -> Flask:
    app = load_app(**settings)

    def crash() -> None:
        raise RuntimeError("the password is swordfish")

    app.view_functions["get_current_time"] = crash
    return app


def test_a_crash_tells_nothing_of_the_inside(
    caplog: pytest.LogCaptureFixture,
) -> None:
    response = crashing_app().test_client().get("/time")
    assert response.status_code == 500
    members = {"type", "title", "status", "detail", "instance", "request_id"}
    assert set(response.json) == members
    assert "swordfish" not in response.text
    assert "swordfish" in caplog.text
    assert "GET" in caplog.text
    assert "/time" in caplog.text


@pytest.mark.parametrize("setting", ["TESTING", "DEBUG", "PROPAGATE_EXCEPTIONS"])
def test_a_crash_leaves_the_app_where_it_would_in_flask(setting: str) -> None:
    client = crashing_app(**{setting: "1"}).test_client()
    with pytest.raises(RuntimeError, match="swordfish"):
        client.get("/time")


@pytest.mark.parametrize("setting", ["TESTING", "PROPAGATE_EXCEPTIONS"])
def test_a_server_answers_a_crash_that_leaves_the_app(
    setting: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = answer_crashes(crashing_app(**{setting: "1"})).test_client()
    response = client.get("/time", headers={"X-Request-ID": "abc"})
    assert response.status_code == response.json["status"] == 500
    assert response.content_type == "application/problem+json"
    members = {"type", "title", "status", "detail", "request_id"}
    assert set(response.json) >= members
    assert response.json["request_id"] == response.headers["X-Request-ID"] == "abc"
    assert "swordfish" not in response.text
    assert "swordfish" in caplog.text
    assert "Exception on /time [GET]" in caplog.text


def test_a_crash_in_debug_tells_where_it_happened() -> None:
    client = answer_crashes(crashing_app(DEBUG="1")).test_client()
    problem = client.get("/time").json
    assert problem["exception"] == "RuntimeError: the password is swordfish"
    assert problem["traceback"].startswith("Traceback (most recent call last):")
    assert problem["file"] == __file__
    line = problem["line"]
    with open(__file__, encoding="utf-8") as source:
        assert "raise RuntimeError" in source.readlines()[line - 1]


def test_a_response_that_a_view_aborts_with_is_kept(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def abort_with_response() -> None:
        abort(app.response_class("teapot", 418))

    monkeypatch.setitem(app.view_functions, "get_current_time", abort_with_response)
    response = client.get("/time")
    assert (response.status_code, response.text) == (418, "teapot")


class NotEnoughError(Exception):
    """What an author's app raises, and handles itself."""


HANDLERS = {
    "HTTPException": (HTTPException, 404, "HTTPException: NotFound"),
    "Exception": (Exception, 404, "Exception: NotFound"),
    "404": (404, 404, "404: NotFound"),
}


@pytest.mark.parametrize("is_before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("name", HANDLERS)
def test_a_handler_of_the_author_answers_what_it_does_in_flask(
    name: str, is_before: bool
) -> None:
    kind, status, text = HANDLERS[name]

    def handle(error: Exception) -> tuple[str, int]:
        return f"{name}: {type(error).__name__}", getattr(error, "code", 500)

    app = Flask("app")
    if is_before:
        app.register_error_handler(kind, handle)
    Kit(app)
    if not is_before:
        app.register_error_handler(kind, handle)
    response = app.test_client().get("/nowhere")
    assert (response.status_code, response.text) == (status, text)


def test_what_the_author_does_not_handle_is_still_problem_details() -> None:
    app = Flask("app")
    Kit(app)
    app.register_error_handler(NotEnoughError, lambda error: ({"short": 7}, 409))
    app.register_error_handler(404, lambda error: ("not here", 404))

    @app.get("/buy")
    def buy() -> None:
        raise NotEnoughError

    client = app.test_client()
    assert client.get("/buy").json == {"short": 7}
    assert client.get("/nowhere").text == "not here"
    assert client.post("/buy").content_type == "application/problem+json"


def test_a_handler_of_a_blueprint_answers_for_its_routes_alone() -> None:
    app, shop = Flask("app"), Blueprint("shop", "shop", url_prefix="/shop")
    Kit(app)
    shop.register_error_handler(HTTPException, lambda error: ("shop", error.code))
    shop.add_url_rule("/sold", view_func=lambda: abort(410))
    app.add_url_rule("/sold", view_func=lambda: abort(410), endpoint="sold")
    app.register_blueprint(shop)
    client = app.test_client()
    assert client.get("/shop/sold").text == "shop"
    assert client.get("/sold").content_type == "application/problem+json"


def test_an_exception_handler_of_the_author_sees_a_crash_itself() -> None:
    app = Flask("app")
    Kit(app)
    seen: list[Exception] = []

    @app.errorhandler(Exception)
    def handle(error: Exception) -> tuple[str, int]:
        seen.append(error)
        return "handled", 500

    app.add_url_rule("/crash", view_func=lambda: 1 / 0)
    assert app.test_client().get("/crash").text == "handled"
    assert [type(error) for error in seen] == [ZeroDivisionError]


@pytest.mark.parametrize(
    ("setting", "path", "raised"),
    [
        ("TRAP_HTTP_EXCEPTIONS", "/sold", Gone),
        ("TRAP_BAD_REQUEST_ERRORS", "/field", BadRequestKeyError),
    ],
)
def test_trapped_errors_leave_the_app_as_in_flask(
    setting: str, path: str, raised: type[Exception]
) -> None:
    app = Flask("app")
    app.config.update({setting: True, "TESTING": True})
    Kit(app)
    app.add_url_rule("/sold", "sold", lambda: abort(410))
    app.add_url_rule("/field", "field", lambda: request.args["absent"])
    with pytest.raises(raised):
        app.test_client().get(path)


@pytest.mark.parametrize("path", ["/shop", "/shop?page=2"])
def test_an_address_without_its_slash_is_redirected_as_in_flask(path: str) -> None:
    app = Flask("app")
    Kit(app)
    app.add_url_rule("/shop/", view_func=lambda: '<a href="item/1">')
    response = app.test_client().get(path)
    assert response.status_code == 308
    where = "http://localhost" + path.replace("/shop", "/shop/")
    assert response.headers["Location"] == where
