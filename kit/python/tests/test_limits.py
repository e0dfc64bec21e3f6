"""What an app refuses to do.

The contract: it answers for no other host, believes no more proxies than there are,
and reads no body that is too large and no JSON that is none.
"""

import io

import pytest
from apps import load_app, load_app_with_routes
from flask import json, request
from flask.testing import FlaskClient

FORGED = {
    "X-Forwarded-For": "6.6.6.6, 10.0.0.1",
    "X-Forwarded-Proto": "gopher, https",
    "X-Forwarded-Host": "evil.example, app.example.com",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Port": "666",
}


@pytest.fixture
def client() -> FlaskClient:
    return load_app_with_routes(MAX_CONTENT_LENGTH="1000").test_client()


@pytest.mark.parametrize("is_chunked", [False, True], ids=["", "chunked"])
@pytest.mark.parametrize(("size", "status"), [(1000, 200), (1001, 413), (9999, 413)])
def test_a_body_is_read_whole_or_refused(
    client: FlaskClient, size: int, status: int, is_chunked: bool
) -> None:
    body = b"x" * size
    chunks = {
        "input_stream": io.BytesIO(body),
        "headers": {"Transfer-Encoding": "chunked"},
        "environ_overrides": {"wsgi.input_terminated": True},
    }
    response = client.post("/upload", **chunks if is_chunked else {"data": body})
    assert response.status_code == status
    assert response.json.get("bytes") == (size if status == 200 else None)
    assert response.json.get("status") == (413 if status == 413 else None)
    if status == 413:
        told = "The body of the request may have at most 1,000 bytes."
        assert response.json["detail"] == told


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b'{"a": 1}', 200),
        ("application/vnd.api+json", b"{}", 200),
        ("application/json", b"", 400),
        ("application/json", b"{", 400),
        ("application/json", b"NaN", 400),
        ("application/json", b'{"a": -Infinity}', 400),
        ("application/json", b"1e999", 400),
        ("application/json", b'{"a": [-1e999]}', 400),
        ("application/json", b"1e308", 200),
        ("application/json", b"\xff\xfe\xfa", 400),
        ("text/plain", b"{}", 415),
        ("application/x-www-form-urlencoded", b"{}", 415),
        (None, b"{}", 415),
    ],
)
def test_only_json_is_taken_for_json(
    client: FlaskClient, content_type: str | None, body: bytes, status: int
) -> None:
    response = client.post("/echo", data=body, content_type=content_type)
    assert response.status_code == status
    if status != 200:
        assert response.content_type == "application/problem+json"
        assert response.json["status"] == status


def test_bottomless_json_is_a_bad_request() -> None:
    client = load_app_with_routes().test_client()
    body = b"[" * 1_000_000
    response = client.post("/echo", data=body, content_type="application/json")
    assert response.status_code == 400


def test_an_answer_that_no_browser_could_read_is_a_crash() -> None:
    app = load_app()
    app.add_url_rule("/nan", view_func=lambda: {"value": float("nan")})
    assert app.test_client().get("/nan").status_code == 500


def test_json_may_be_as_loose_as_pythons() -> None:
    client = load_app_with_routes(STRICT_JSON="false").test_client()
    for body in (b"NaN", b"1e999"):
        response = client.post("/echo", data=body, content_type="application/json")
        assert response.status_code == 200


def test_who_writes_json_may_say_how() -> None:
    app = load_app()
    app.add_url_rule(
        "/nan", view_func=lambda: json.dumps([float("nan"), "é"], allow_nan=True)
    )
    assert app.test_client().get("/nan").text == '[NaN, "\\u00e9"]'


@pytest.mark.parametrize("is_chunked", [False, True], ids=["", "chunked"])
@pytest.mark.parametrize(("fields", "status"), [(1000, 200), (1001, 413)])
def test_a_form_has_as_many_fields_as_an_upload_may_have(
    fields: int, status: int, is_chunked: bool
) -> None:
    """A million fields cost seconds of the processor."""
    app = load_app()

    @app.post("/form")
    def form() -> dict:
        return {"fields": len(request.form.getlist("a"))}

    body = b"&".join([b"a=1"] * fields)
    kind = {"content_type": "application/x-www-form-urlencoded"}
    chunks = {
        "input_stream": io.BytesIO(body),
        "environ_overrides": {"wsgi.input_terminated": True},
    }
    client = app.test_client()
    response = client.post("/form", **kind, **chunks if is_chunked else {"data": body})
    assert response.status_code == status
    if status == 413 and not is_chunked:
        assert response.json["detail"].startswith("A form may have at most 1000 fields")
    assert response.json.get("fields") == (fields if status == 200 else None)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("app.example.com", 200),
        ("app.example.com:8000", 200),
        ("deep.example.org", 200),
        ("evil.example", 400),
        ("app.example.com.evil.example", 400),
        ("10.1.2.3:8000", 400),
        ("", 400),
    ],
)
def test_only_trusted_hosts_are_answered(host: str, status: int) -> None:
    app = load_app(TRUSTED_HOSTS="app.example.com,.example.org")
    response = app.test_client().get("/time", headers={"Host": host})
    assert response.status_code == status
    assert app.test_client().get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("proxies", "address", "url"),
    [
        ("0", "127.0.0.1", "http://localhost/who"),
        ("1", "10.0.0.1", "https://app.example.com/who"),
        ("2", "6.6.6.6", "https://app.example.com/who"),
    ],
)
def test_only_as_many_proxies_are_believed_as_there_are(
    proxies: str, address: str, url: str
) -> None:
    app = load_app(PROXIES=proxies)
    app.add_url_rule("/who", view_func=lambda: [request.remote_addr, request.url])
    assert app.test_client().get("/who", headers=FORGED).json == [address, url]


def test_hosts_are_checked_as_the_proxy_tells_them() -> None:
    client = load_app(PROXIES="1", TRUSTED_HOSTS="app.example.com").test_client()
    assert client.get("/time", headers=FORGED).status_code == 200
    forged = {"X-Forwarded-Host": "evil.example"}
    assert client.get("/time", headers=forged).status_code == 400
    assert client.get("/health", headers=forged).status_code == 200


def test_head_and_options_answer_like_get_without_a_body(client: FlaskClient) -> None:
    get, head = client.get("/health"), client.head("/health")
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
    missing = client.head("/nowhere")
    assert (missing.status_code, missing.data) == (404, b"")
    options = client.options("/time")
    assert (options.status_code, options.data) == (200, b"")
    assert set(options.allow) == {"GET", "HEAD", "OPTIONS"}
