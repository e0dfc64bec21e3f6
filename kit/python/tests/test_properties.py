"""Whatever a client sends: no crash, no grant to other origins, one error shape."""

import json
import string
from urllib.parse import urlsplit

import pytest
from apps import load_app, load_app_with_routes
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from react_flask_kit import SettingError

LISTED = "https://app.example.com"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]

bounded = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
# What a server lets through as the value of a header.
values = st.text(
    st.characters(min_codepoint=32, max_codepoint=255, blacklist_characters="\x7f")
)
parts = st.sampled_from(
    [
        "https://",
        "http://",
        "app",
        ".",
        "example",
        ".com",
        ":443",
        "/",
        "null",
        "*",
        " ",
    ]
)
origins = st.one_of(values, st.lists(parts, max_size=8).map("".join), st.just(LISTED))
methods = st.one_of(
    st.sampled_from(METHODS), st.text(string.ascii_uppercase, min_size=1, max_size=9)
)
known = st.sampled_from(
    ["/time", "/health", "/ready", "/echo", "/upload", "/slash", "/time/"]
)
segments = st.sampled_from(
    [
        "/",
        "//",
        "..",
        "%2e%2e",
        "%2f",
        "%00",
        "%0d%0a",
        "%ff",
        "%c3",
        "+",
        "%25",
        "a",
        "é",
    ]
)
paths = st.one_of(
    known,
    st.lists(segments, max_size=8).map(lambda p: "/" + "".join(p)),
    st.text().map(lambda p: "/" + p.replace("?", "").replace("#", "")),
)
names = st.sampled_from(
    [
        "Accept",
        "Access-Control-Request-Headers",
        "Access-Control-Request-Method",
        "Access-Control-Request-Private-Network",
        "Authorization",
        "Content-Type",
        "Cookie",
        "Forwarded",
        "Host",
        "If-None-Match",
        "Range",
        "X-Forwarded-Host",
        "X-HTTP-Method-Override",
        "X-Request-ID",
    ]
)
bodies = st.one_of(
    st.binary(max_size=300),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        ),
        max_leaves=6,
    ).map(lambda value: json.dumps(value).encode()),
)


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    app = load_app_with_routes(CORS_ORIGINS=LISTED, MAX_CONTENT_LENGTH="200")
    return app.test_client()


@bounded
@given(methods, paths, origins, st.dictionaries(names, values, max_size=4), bodies)
def test_any_request_gets_a_proper_answer(
    client: FlaskClient, method: str, path: str, origin: str, headers: dict, body: bytes
) -> None:
    sent = {"Origin": origin} | headers
    response = client.open(path, method=method, headers=sent, data=body)
    assert response.status_code < 500
    grants = response.headers.getlist("Access-Control-Allow-Origin")
    assert grants == ([LISTED] if origin == LISTED else [])
    assert "Access-Control-Allow-Private-Network" not in response.headers
    assert "Origin" in response.vary
    assert len(response.headers.getlist("X-Request-ID")) == 1
    assert all("\r" not in v and "\n" not in v for v in response.headers.values())
    if response.status_code >= 400:
        assert response.content_type == "application/problem+json"
        if method != "HEAD":
            members = ["detail", "instance", "status", "title", "type"]
            assert sorted(response.json) == members
            assert response.json["status"] == response.status_code
            assert response.json["instance"].isascii()


@bounded
@given(
    bodies, st.sampled_from(["application/json", "text/plain", "application/x+json"])
)
def test_any_json_body_is_echoed_or_refused(
    client: FlaskClient, body: bytes, content_type: str
) -> None:
    response = client.post("/echo", data=body, content_type=content_type)
    assert response.status_code in (200, 400, 413, 415)
    assert (response.status_code == 415) == (content_type == "text/plain")
    assert "NaN" not in response.text or b'"NaN' in body


@bounded
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_any_setting_is_origins_that_a_browser_sends_or_refused(text: str) -> None:
    try:
        taken = load_app(CORS_ORIGINS=text).config.get("CORS_ORIGINS") or []
    except SettingError:
        taken = []
    for origin in taken:
        url = urlsplit(origin)
        assert origin in ("*", f"{url.scheme}://{url.netloc}")
