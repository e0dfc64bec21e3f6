"""GET /health and GET /ready, which tell a supervisor how the app is.

The contract: /health is 200 as long as the process answers, whatever the app thinks of
who asks; /ready is 200 while all the app's own checks pass, else a 503 whose cause is
in the log. An app's own route for one of them answers instead.
"""

import logging
from functools import partial

import pytest
from apps import load_app
from flask import Flask, current_app
from flask.testing import FlaskClient
from react_flask_kit.extension import State

BOTH = pytest.mark.parametrize("path", ["/health", "/ready"])


@pytest.fixture
def kit(app: Flask) -> State:
    return app.extensions["react_flask_kit"]


def fail() -> None:
    raise ConnectionError("the password is swordfish")


def test_health_tells_the_version() -> None:
    response = load_app(APP_VERSION="1234567").test_client().get("/health")
    assert response.status_code == 200
    assert response.content_type == "application/json"
    assert response.json == {"status": "ok", "version": "1234567"}
    assert load_app().test_client().get("/health").json["version"] is None


def test_an_app_without_checks_is_ready(client: FlaskClient) -> None:
    response = client.get("/ready")
    assert response.status_code == 200
    assert response.json == {"status": "ready"}


@BOTH
def test_neither_is_kept_by_a_cache(client: FlaskClient, kit: State, path: str) -> None:
    assert client.get(path).headers["Cache-Control"] == "no-store"
    kit.ready_check(fail)
    assert client.get(path).headers["Cache-Control"] == "no-store"


@BOTH
def test_head_answers_like_get_without_a_body(client: FlaskClient, path: str) -> None:
    get, head = client.get(path), client.head(path)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]


@BOTH
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_any_other_method_is_the_apps(
    client: FlaskClient, path: str, method: str
) -> None:
    response = client.open(path, method=method)
    assert response.status_code == 404
    assert response.content_type == "application/problem+json"


@BOTH
@pytest.mark.parametrize("host", ["evil.example", "10.1.2.3:8000", ""])
def test_both_answer_by_any_host_name(path: str, host: str) -> None:
    client = load_app(TRUSTED_HOSTS="app.example.com").test_client()
    assert client.get("/time", headers={"Host": host}).status_code == 400
    assert client.get(path, headers={"Host": host}).status_code == 200


@BOTH
def test_no_guard_of_the_app_is_in_the_way(
    app: Flask, client: FlaskClient, path: str
) -> None:
    @app.before_request
    def demand_sign_in() -> tuple[str, int]:
        return "Sign in.", 401

    @app.after_request
    def crash(_: object) -> None:
        raise RuntimeError("never called")

    assert client.get(path).status_code == 200


@BOTH
def test_both_have_the_id_of_their_request(client: FlaskClient, path: str) -> None:
    response = client.get(path, headers={"X-Request-ID": "abc"})
    assert response.headers.getlist("X-Request-ID") == ["abc"]


@BOTH
def test_an_own_route_answers_instead_behind_the_apps_guards(path: str) -> None:
    app = load_app(TRUSTED_HOSTS="app.example.com")
    app.add_url_rule(path, view_func=lambda: {"own": True})
    client = app.test_client()
    assert client.get(path, headers={"Host": "evil.example"}).status_code == 400
    response = client.get(path, headers={"Host": "app.example.com"})
    assert response.json == {"own": True}
    assert "Cache-Control" not in response.headers


def test_an_own_route_for_one_leaves_the_other(app: Flask, client: FlaskClient) -> None:
    app.add_url_rule("/ready", view_func=lambda: {"own": True})
    assert client.get("/ready").json == {"own": True}
    assert client.get("/health").json["status"] == "ok"


@BOTH
def test_a_route_for_every_path_is_no_route_for_these(
    app: Flask, client: FlaskClient, path: str
) -> None:
    app.add_url_rule("/<path:_>", view_func=lambda _: {"own": True})
    assert client.get("/anything").json == {"own": True}
    assert "status" in client.get(path).json


def test_a_check_that_passes_runs_for_each_answer_in_the_apps_context(
    app: Flask, client: FlaskClient, kit: State
) -> None:
    seen = []

    @kit.ready_check
    def database() -> None:
        seen.append(current_app.name)

    assert client.get("/ready").json == {"status": "ready"}
    assert client.get("/ready").status_code == 200
    assert seen == [app.name, app.name]
    assert client.get("/health").status_code == 200
    assert seen == [app.name, app.name]


def test_a_check_stays_the_function_that_it_is(kit: State) -> None:
    assert kit.ready_check(fail) is fail


def test_a_check_that_fails_is_a_503_that_tells_nothing_of_the_inside(
    client: FlaskClient, kit: State, caplog: pytest.LogCaptureFixture
) -> None:
    kit.ready_check(fail)
    response = client.get("/ready")
    assert response.status_code == response.json["status"] == 503
    assert response.content_type == "application/problem+json"
    assert response.json["title"] == "Service Unavailable"
    assert "fail" in response.json["detail"]
    assert "exception" not in response.json
    assert "swordfish" not in response.text
    assert "swordfish" in caplog.text


def test_a_check_that_fails_tells_in_debug_what_it_raised(
    app: Flask, client: FlaskClient, kit: State
) -> None:
    app.debug = True
    kit.ready_check(fail)
    problem = client.get("/ready").json
    assert problem["exception"] == "ConnectionError: the password is swordfish"
    assert problem["file"] == __file__


def test_the_first_check_that_fails_is_logged_once(
    client: FlaskClient, kit: State, caplog: pytest.LogCaptureFixture
) -> None:
    called = []
    kit.ready_check(lambda: called.append("first"))
    kit.ready_check(fail)
    kit.ready_check(lambda: called.append("never"))
    assert client.get("/ready").status_code == 503
    assert called == ["first"]
    (record,) = [r for r in caplog.records if r.levelno > logging.INFO]
    assert record.levelno == logging.ERROR
    assert record.getMessage() == "Not ready: fail"
    assert record.exc_info[0] is ConnectionError


def test_an_app_is_ready_again_once_its_check_passes(
    client: FlaskClient, kit: State
) -> None:
    broken = [True]

    @kit.ready_check
    def database() -> None:
        if broken:
            raise ConnectionError

    assert client.get("/ready").status_code == 503
    assert client.get("/health").status_code == 200
    broken.clear()
    assert client.get("/ready").status_code == 200


def test_a_check_may_be_registered_after_the_first_answer(
    client: FlaskClient, kit: State
) -> None:
    assert client.get("/ready").status_code == 200
    kit.ready_check(fail)
    assert client.get("/ready").status_code == 503


def test_a_check_need_not_have_a_name(client: FlaskClient, kit: State) -> None:
    kit.ready_check(partial(fail))
    assert client.get("/ready").status_code == 503


@BOTH
def test_an_own_route_with_a_slash_at_its_end_answers_too(path: str) -> None:
    app = load_app()
    app.add_url_rule(f"{path}/", view_func=lambda: {"own": True})
    client = app.test_client()
    assert client.get(path).status_code == 308
    assert client.get(path, follow_redirects=True).json == {"own": True}


@BOTH
def test_a_listed_origin_may_read_both(path: str) -> None:
    client = load_app(CORS_ORIGINS="https://app.example.com").test_client()
    response = client.get(path, headers={"Origin": "https://app.example.com"})
    granted = response.headers["Access-Control-Allow-Origin"]
    assert granted == "https://app.example.com"
