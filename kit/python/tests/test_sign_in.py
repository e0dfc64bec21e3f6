"""Sign-in with tokens (Flask-JWT-Extended), from a page of another origin in a browser.

The contract: the page of an origin that FLASK_CORS_ORIGINS lists sends its token in a
header, and reads each answer, errors and crashes included; a page of an origin that is
not listed reads nothing.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

import pytest
from apps import APP, load_app, served
from flask import Flask, request
from flask_jwt_extended import create_access_token, jwt_required
from playwright.sync_api import Page
from werkzeug.security import generate_password_hash

SIGN_IN = APP.with_name("sign_in.py")
PASSWORD = "correct horse battery staple"
FETCH = """async ([url, options]) => {
    try {
        const response = await fetch(url, options);
        const { status, headers } = response;
        const id = headers.get('X-Request-ID');
        return { status, id, body: await response.json() };
    } catch (error) {
        return { unreadable: error.name };
    }
}"""


def blank_page(environ: dict, start_response: Callable) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/html")])
    return [b"<!doctype html><title>A page of another origin</title>"]


@pytest.fixture(scope="module")
def page_origin() -> Iterator[str]:
    with served(blank_page) as address:
        yield f"http://{address}".replace("127.0.0.1", "localhost")


@pytest.fixture(scope="module")
def unlisted_origin() -> Iterator[str]:
    with served(blank_page) as address:
        yield f"http://{address}"


@pytest.fixture(scope="module")
def app(page_origin: str) -> Flask:
    app = load_app(
        SIGN_IN,
        CORS_ORIGINS=page_origin,
        JWT_SECRET_KEY="0123456789abcdef" * 4,
        USERS=json.dumps({"ada": generate_password_hash(PASSWORD)}),
    )

    @app.get("/crash")
    @jwt_required()
    def crash() -> None:
        raise RuntimeError("the password is swordfish")

    @app.post("/notes")
    @jwt_required()
    def add_note() -> dict:
        return {"added": request.get_json()}

    return app


@pytest.fixture(scope="module")
def api(app: Flask) -> Iterator[str]:
    with served(app) as address:
        yield f"http://{address}"


@pytest.fixture
def fetch(page: Page, page_origin: str, api: str) -> Callable[..., dict]:
    """Fetch from inside the page of the listed origin."""
    page.goto(page_origin)
    return lambda path, **options: page.evaluate(FETCH, [api + path, options])


def post(body: object, token: str | None = None) -> dict:
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return {"method": "POST", "headers": headers, "body": json.dumps(body)}


def bearer(token: str) -> dict:
    return {"headers": {"Authorization": f"Bearer {token}"}}


@pytest.fixture(scope="module")
def token(app: Flask) -> str:
    with app.app_context():
        return create_access_token("ada")


def test_a_page_that_signs_in_is_answered(fetch: Callable[..., dict]) -> None:
    answer = fetch("/sign-in", **post({"name": "ada", "password": PASSWORD}))
    assert answer["status"] == 200
    token = answer["body"]["token"]
    answer = fetch("/me", **bearer(token))
    assert (answer["status"], answer["body"]) == (200, {"name": "ada"})
    assert answer["id"]
    answer = fetch("/notes", **post("hello", token))
    assert (answer["status"], answer["body"]) == (200, {"added": "hello"})


def test_a_wrong_sign_in_says_so(fetch: Callable[..., dict]) -> None:
    for body, status in [
        ({"name": "ada", "password": "wrong"}, 401),
        ({"name": "nobody", "password": ""}, 401),
        ({"name": "ada"}, 400),
        ({"name": "ada", "password": 1}, 400),
        (["ada", PASSWORD], 400),
        (None, 400),
    ]:
        answer = fetch("/sign-in", **post(body))
        assert answer["status"] == answer["body"]["status"] == status
        assert "token" not in answer["body"]


def test_a_token_that_is_no_good_is_a_401_that_the_page_can_read(
    app: Flask, fetch: Callable[..., dict], token: str
) -> None:
    with app.app_context():
        expired = create_access_token("ada", expires_delta=timedelta(seconds=-1))
    header, payload, signature = token.split(".")
    for kind, options in {
        "missing": {},
        "malformed": bearer("not-a-token"),
        "forged": bearer(f"{header}.{payload}.{signature[::-1]}"),
        "expired": bearer(expired),
    }.items():
        problem = fetch("/me", **options)["body"]
        assert (problem["status"], problem["title"]) == (401, "Unauthorized"), kind
        assert ("expired" in problem["detail"]) == (kind == "expired")


def test_a_crash_behind_a_token_is_a_500_that_the_page_can_read(
    fetch: Callable[..., dict], token: str
) -> None:
    answer = fetch("/crash", **bearer(token))
    assert answer["status"] == answer["body"]["status"] == 500
    assert answer["body"]["request_id"] == answer["id"]
    assert "swordfish" not in json.dumps(answer)


def test_a_page_of_an_unlisted_origin_reads_nothing(
    page: Page, unlisted_origin: str, api: str, token: str
) -> None:
    page.goto(unlisted_origin)
    for path, options in [
        ("/time", {}),
        ("/me", bearer(token)),
        ("/crash", bearer(token)),
        ("/nowhere", {}),
        ("/sign-in", post({"name": "ada", "password": PASSWORD})),
    ]:
        answer = page.evaluate(FETCH, [api + path, options])
        assert answer == {"unreadable": "TypeError"}, path
