"""Every error is problem details, and tells the inside in debug only.

The contract: whatever goes wrong has one shape, application/problem+json; what the
error itself brings stays, its headers or a response of its own.
"""

import time

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient


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


@pytest.fixture
def crashing_client(app: Flask, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    def crash() -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setitem(app.view_functions, "get_current_time", crash)
    return app.test_client()


def test_a_crash_tells_nothing_of_the_inside(
    crashing_client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    response = crashing_client.get("/time")
    assert response.status_code == 500
    members = {"type", "title", "status", "detail", "instance", "request_id"}
    assert set(response.json) == members
    assert "swordfish" not in response.text
    assert "swordfish" in caplog.text
    assert "GET" in caplog.text
    assert "/time" in caplog.text


def test_a_crash_in_debug_tells_where_it_happened(
    app: Flask, crashing_client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "DEBUG", True)
    problem = crashing_client.get("/time").json
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
