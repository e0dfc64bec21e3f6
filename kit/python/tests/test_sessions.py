"""The session cookie.

The contract: it is not for other sites, and only encrypted where the request was,
unless the author or the environment says otherwise.
"""

import pytest
from apps import load_app
from flask import Flask, Response, session
from flask.sessions import SecureCookieSessionInterface
from react_flask_kit import Kit

HTTPS = "https://localhost"


def create_app(**config: object) -> Flask:
    app = Flask("app")
    app.config.update(SECRET_KEY="k" * 32, **config)
    Kit(app)
    add_sign_in(app)
    return app


def add_sign_in(app: Flask) -> None:
    @app.get("/sign-in")
    def sign_in() -> str:
        session["name"] = "ada"
        return ""

    @app.get("/me")
    def me() -> dict:
        return {"name": session.get("name")}


def cookie_of(app: Flask, **options: object) -> set[str]:
    response: Response = app.test_client().get("/sign-in", **options)
    (cookie,) = response.headers.getlist("Set-Cookie")
    return set(cookie.split("; ")[1:])


@pytest.mark.parametrize(
    ("config", "base_url", "attributes"),
    [
        ({}, None, {"SameSite=Lax"}),
        ({}, HTTPS, {"SameSite=Lax", "Secure"}),
        ({"SESSION_COOKIE_SECURE": True}, None, {"SameSite=Lax", "Secure"}),
        ({"SESSION_COOKIE_SAMESITE": "Strict"}, None, {"SameSite=Strict"}),
        (
            {"SESSION_COOKIE_SAMESITE": "None", "SESSION_COOKIE_SECURE": True},
            None,
            {"SameSite=None", "Secure"},
        ),
    ],
)
def test_a_cookie_says_what_its_author_has_left_to_flask(
    config: dict, base_url: str | None, attributes: set[str]
) -> None:
    cookie = cookie_of(create_app(**config), base_url=base_url)
    assert cookie == {"HttpOnly", "Path=/"} | attributes


@pytest.mark.parametrize(
    ("proxies", "is_secure"), [("0", False), ("1", True)], ids=["alone", "behind"]
)
def test_a_proxy_that_is_believed_tells_that_the_request_came_by_tls(
    proxies: str, is_secure: bool
) -> None:
    app = load_app(PROXIES=proxies, SECRET_KEY="k" * 32)
    add_sign_in(app)
    cookie = cookie_of(app, headers={"X-Forwarded-Proto": "https"})
    assert ("Secure" in cookie) == is_secure


def test_a_session_is_kept_from_one_request_to_the_next() -> None:
    for base_url in (None, HTTPS):
        client = create_app().test_client()
        assert client.get("/me", base_url=base_url).json == {"name": None}
        client.get("/sign-in", base_url=base_url)
        assert client.get("/me", base_url=base_url).json == {"name": "ada"}


def test_sessions_of_an_author_are_left_alone() -> None:
    class Own(SecureCookieSessionInterface):
        """An author's own."""

    app = Flask("app")
    app.session_interface = Own()
    app.config["SECRET_KEY"] = "k" * 32
    Kit(app)
    add_sign_in(app)
    assert cookie_of(app, base_url=HTTPS) == {"HttpOnly", "Path=/"}
    assert type(app.session_interface) is Own
