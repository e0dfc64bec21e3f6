"""Which pages of other origins may use the API.

The contract: none, unless FLASK_CORS_ORIGINS names them; then one policy for every
path, and every answer to a listed origin is readable to its page, a crash too.
The tests that name a CVE repeat its trigger against flask-cors as this API uses it.
"""

import logging
import re

import pytest
from apps import answer_crashes, load_app, load_app_with_routes
from flask import Flask
from flask.testing import FlaskClient
from flask_cors import CORS, cross_origin
from react_flask_kit import Kit
from werkzeug.test import TestResponse

LISTED = "https://app.example.com"
SETTINGS = {"CORS_ORIGINS": f"{LISTED}, http://localhost:3000"}
GRANT = "Access-Control-Allow-Origin"

# Each way to answer: what is asked, and the status.
ANSWERS = [
    ("GET", "/time", {}, 200),
    ("HEAD", "/time", {}, 200),
    ("OPTIONS", "/time", {}, 200),
    ("GET", "/nowhere", {}, 404),
    ("POST", "/time", {}, 405),
    ("GET", "/crash//b", {}, 308),
    ("GET", "/crash", {}, 500),
    ("POST", "/echo", {"data": "{", "content_type": "application/json"}, 400),
    ("POST", "/upload", {"data": b"x" * 1001}, 413),
    ("GET", "/time", {"headers": {"Host": "evil.example"}}, 400),
]
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}
UNLISTED = [
    "https://evil.example",
    "https://app.example.com.evil.example",
    "https://evilapp.example.com",
    "https://app.example.com:8443",
    "http://app.example.com",
    "https://app.example.com/",
    "https://appxexample.com",
    "HTTPS://APP.EXAMPLE.COM",
    "https://app.example.com, https://evil.example",
    "null",
    "*",
]
# Where flask-cors's rules for paths took the wrong one.
PATHS_OF_CVES = [
    ("CVE-2020-25032", "/private%252Fsecret", "/private/secret"),
    ("CVE-2024-6839", "/api/admin", "/api/public"),
    ("CVE-2024-6844", "/service+path", "/service%20path"),
    ("CVE-2024-6866", "/Public/secret", "/public/secret"),
]


@pytest.fixture(params=["0", "1"], ids=["", "debug"])
def app(request: pytest.FixtureRequest) -> Flask:
    limits = {"MAX_CONTENT_LENGTH": "1000", "TRUSTED_HOSTS": "localhost"}
    app = load_app_with_routes(**SETTINGS, **limits, DEBUG=request.param)
    return answer_crashes(app) if app.debug else app


def cors_headers(response: TestResponse) -> dict[str, str]:
    headers = dict(response.headers)
    return {n: v for n, v in headers.items() if n.startswith("Access-Control-")}


def ask(client: FlaskClient, origin: str, method: str, path: str, options: dict):
    headers = {"Origin": origin} | options.get("headers", {})
    return client.open(path, method=method, **options | {"headers": headers})


def test_every_answer_to_a_listed_origin_is_readable(client: FlaskClient) -> None:
    for method, path, options, status in ANSWERS:
        response = ask(client, LISTED, method, path, options)
        assert response.status_code == status, path
        assert cors_headers(response) == {
            GRANT: LISTED,
            "Access-Control-Expose-Headers": "X-Request-ID",
        }
        assert "Origin" in response.vary


@pytest.mark.parametrize(
    "hook", ["before_request", "after_request", "teardown_request"]
)
def test_a_crash_outside_of_a_view_is_readable_too(app: Flask, hook: str) -> None:
    @getattr(app, hook)
    def crash(*_: object) -> None:
        raise RuntimeError("the password is swordfish")

    response = ask(answer_crashes(app).test_client(), LISTED, "GET", "/time", {})
    assert response.status_code == 500
    assert response.headers.getlist(GRANT) == [LISTED]
    assert response.content_type == "application/problem+json"
    assert response.json["request_id"] == response.headers["X-Request-ID"]
    assert ("swordfish" in response.text) == app.debug


def test_no_other_origin_reads_an_answer(client: FlaskClient) -> None:
    for origin in UNLISTED:
        for method, path, options, status in ANSWERS:
            response = ask(client, origin, method, path, options)
            assert response.status_code == status
            assert cors_headers(response) == {}, origin
            assert "Origin" in response.vary
        preflight = client.options("/time", headers={"Origin": origin} | PREFLIGHT)
        assert cors_headers(preflight) == {}, origin


def test_an_answer_without_an_origin_is_not_cached_for_a_page_of_another(
    client: FlaskClient,
) -> None:
    response = client.get("/time")
    assert cors_headers(response) == {}
    assert "Origin" in response.vary


@pytest.mark.parametrize("path", ["/time", "/slash", "/crash//b", "/nowhere?a=b"])
def test_every_preflight_is_answered_without_a_redirect(app: Flask, path: str) -> None:
    @app.before_request
    def demand_sign_in() -> tuple[str, int]:
        return "Sign in.", 401

    headers = {"Origin": LISTED, "Host": "evil.example"} | PREFLIGHT
    response = app.test_client().options(path, headers=headers)
    assert response.status_code == 204
    assert response.headers[GRANT] == LISTED
    allowed = response.headers["Access-Control-Allow-Headers"]
    assert set(allowed.split(", ")) == {"authorization", "content-type"}
    assert "POST" in response.headers["Access-Control-Allow-Methods"].split(", ")
    assert response.headers["Access-Control-Max-Age"] == "7200"
    assert "Origin" in response.vary


def test_nothing_is_said_of_origins_by_default() -> None:
    limits = {"MAX_CONTENT_LENGTH": "1000", "TRUSTED_HOSTS": "localhost"}
    client = load_app_with_routes(**limits).test_client()
    for method, path, options, status in ANSWERS:
        response = ask(client, LISTED, method, path, options)
        assert response.status_code == status
        assert cors_headers(response) == {}
        assert "Origin" not in response.vary
    preflight = client.options("/time", headers={"Origin": LISTED} | PREFLIGHT)
    assert cors_headers(preflight) == {}


def test_everyone_may_read_where_the_setting_says_so() -> None:
    client = load_app(CORS_ORIGINS="*").test_client()
    response = ask(client, "https://any.example", "GET", "/time", {})
    assert response.headers[GRANT] == "*"
    assert "Access-Control-Allow-Credentials" not in response.headers
    assert "Vary" not in response.headers


def test_cookies_are_for_listed_origins_where_the_setting_says_so() -> None:
    client = load_app(CORS_SUPPORTS_CREDENTIALS="true", **SETTINGS).test_client()
    response = ask(client, LISTED, "GET", "/time", {})
    assert response.headers["Access-Control-Allow-Credentials"] == "true"
    assert cors_headers(ask(client, "https://evil.example", "GET", "/time", {})) == {}


@pytest.mark.parametrize(("cve", "path", "other_path"), PATHS_OF_CVES)
def test_the_policy_does_not_depend_on_the_path(
    client: FlaskClient, cve: str, path: str, other_path: str
) -> None:
    for origin, granted in [(LISTED, LISTED), ("https://evil.example", None)]:
        headers = {"Origin": origin}
        for asked in (path, other_path):
            assert client.get(asked, headers=headers).headers.get(GRANT) == granted, cve
            preflight = client.options(asked, headers=headers | PREFLIGHT)
            assert preflight.headers.get(GRANT) == granted, cve


@pytest.mark.parametrize("asked", ["true", "false"])
def test_private_networks_stay_closed(client: FlaskClient, asked: str) -> None:
    """CVE-2024-6221: flask-cors opened them to whoever asked."""
    private = {"Access-Control-Request-Private-Network": asked}
    headers = {"Origin": LISTED} | PREFLIGHT | private
    for ask_with in (client.options, client.get):
        response = ask_with("/time", headers=headers)
        assert response.headers[GRANT] == LISTED
        assert "Access-Control-Allow-Private-Network" not in response.headers


def test_private_networks_open_where_the_setting_says_so() -> None:
    client = load_app(CORS_ALLOW_PRIVATE_NETWORK="true", **SETTINGS).test_client()
    private = {"Access-Control-Request-Private-Network": "true"}
    headers = {"Origin": LISTED} | PREFLIGHT | private
    response = client.options("/time", headers=headers)
    assert response.headers["Access-Control-Allow-Private-Network"] == "true"


@pytest.mark.parametrize("path", ["/x%0d%0aFAKE%20LINE", "/crash/a%0dFAKE%20LINE"])
def test_a_path_cannot_forge_a_line_of_the_log(
    app: Flask, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """CVE-2024-1681: flask-cors wrote the path as it came when it logged all."""
    caplog.set_level(logging.DEBUG, logger="flask_cors")
    ask(app.test_client(), LISTED, "GET", path, {})
    of_cors = [r.getMessage() for r in caplog.records if r.name != app.name]
    assert of_cors
    assert not [m for m in of_cors if "\r" in m or "\n" in m or "FAKE" in m]


METHODS_OF_FLASK_CORS = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}


def cors_app(set_up: str, **config: object) -> Flask:
    """Return an app that uses flask-cors itself, before the kit or after it."""
    app = Flask("cors")
    app.config.update(config)
    if set_up == "before":
        CORS(app, origins=[LISTED])
    Kit(app)
    if set_up == "after":
        CORS(app, origins=[LISTED])
    decorate = cross_origin(origins=[LISTED]) if set_up == "decorator" else lambda f: f

    @app.route("/data", methods=["GET", "POST"])
    @decorate
    def data() -> dict:
        return {"data": 1}

    return app


@pytest.mark.parametrize("has_setting", [False, True], ids=["", "with the setting"])
@pytest.mark.parametrize("set_up", ["before", "after", "decorator"])
def test_flask_cors_of_the_author_works_and_no_header_stands_twice(
    set_up: str, has_setting: bool
) -> None:
    config = {"CORS_ORIGINS": [LISTED]} if has_setting else {}
    client = cors_app(set_up, **config).test_client()
    for method in ("get", "post"):
        response = getattr(client, method)("/data", headers={"Origin": LISTED})
        assert response.headers.getlist(GRANT) == [LISTED]
    preflight = client.options("/data", headers={"Origin": LISTED} | PREFLIGHT)
    assert preflight.status_code == 200
    names = [name for name, _ in preflight.headers if name.startswith("Access-")]
    assert len(names) == len(set(names))
    assert preflight.headers[GRANT] == LISTED
    allowed = preflight.headers["Access-Control-Allow-Methods"].split(", ")
    assert "POST" in allowed
    response = client.get("/data", headers={"Origin": "https://evil.example"})
    assert GRANT not in response.headers


def test_an_origin_of_the_authors_alone_is_the_authors_to_grant() -> None:
    app = Flask("cors")
    app.config["CORS_ORIGINS"] = [LISTED]
    Kit(app)
    other = "https://other.example"
    app.add_url_rule("/", view_func=cross_origin(origins=[other])(lambda: "own"))
    response = app.test_client().get("/", headers={"Origin": other})
    assert response.headers.getlist(GRANT) == [other]


def test_the_setting_of_an_author_is_not_written_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A default of ours under flask-cors's name switched the author's CORS off."""
    app = cors_app("after")
    assert app.test_client().get("/data").status_code == 200
    assert [name for name in app.config if name.startswith("CORS_")] == []


def test_a_route_of_the_author_answers_a_preflight() -> None:
    app = load_app(**SETTINGS)

    @app.route("/own", methods=["OPTIONS"], provide_automatic_options=False)
    def own() -> tuple[str, int, dict]:
        return "", 200, {"X-Own": "1"}

    headers = {"Origin": LISTED} | PREFLIGHT
    response = app.test_client().options("/own", headers=headers)
    assert (response.status_code, response.headers["X-Own"]) == (200, "1")
    assert response.headers.getlist(GRANT) == [LISTED]
    assert response.headers["Access-Control-Max-Age"] == "7200"


def test_a_refusal_of_the_author_that_grants_stands() -> None:
    app = load_app(**SETTINGS)

    @app.before_request
    def refuse() -> tuple[str, int, dict]:
        return "no", 403, {GRANT: LISTED}

    headers = {"Origin": LISTED} | PREFLIGHT
    response = app.test_client().options("/time", headers=headers)
    assert (response.status_code, response.text) == (403, "no")
    assert response.headers.getlist(GRANT) == [LISTED]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": LISTED}, 401),
        ({"Origin": "https://evil.example"} | PREFLIGHT, 401),
        (PREFLIGHT, 401),
        ({"Origin": LISTED} | PREFLIGHT, 204),
    ],
    ids=["no preflight", "unlisted", "no origin", "listed"],
)
def test_only_a_listed_origins_preflight_passes_a_guard(
    app: Flask, headers: dict[str, str], status: int
) -> None:
    @app.before_request
    def demand_sign_in() -> tuple[str, int]:
        return "Sign in.", 401

    response = app.test_client().options("/time", headers=headers)
    assert (response.status_code, response.text == "") == (status, status == 204)


@pytest.mark.parametrize(
    ("settings", "name", "value"),
    [
        ({"CORS_METHODS": "GET,POST"}, "Allow-Methods", {"GET", "POST"}),
        ({}, "Allow-Methods", METHODS_OF_FLASK_CORS),
        ({"CORS_ALLOW_HEADERS": "Authorization"}, "Allow-Headers", {"authorization"}),
        ({}, "Allow-Headers", {"authorization", "content-type"}),
        ({"CORS_EXPOSE_HEADERS": "ETag"}, "Expose-Headers", {"ETag"}),
        ({}, "Expose-Headers", {"X-Request-ID"}),
        ({"CORS_MAX_AGE": "600"}, "Max-Age", {"600"}),
        ({}, "Max-Age", {"7200"}),
    ],
)
def test_the_settings_of_flask_cors_mean_what_they_mean_there(
    settings: dict[str, str], name: str, value: set[str]
) -> None:
    client = load_app(**SETTINGS, **settings).test_client()
    headers = {"Origin": LISTED} | PREFLIGHT
    response = client.options("/time", headers=headers)
    told = response.headers[f"Access-Control-{name}"]
    assert set(re.split(r",\s*", told)) == value
