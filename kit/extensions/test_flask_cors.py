"""flask-cors in its author's own hands, beside the kit's setting.

The contract: CORS(app) after or before Kit(app), @cross_origin and resources= do what
they do in plain Flask: each header is there once, for the origins named there and for
no other, on errors and preflights too.
"""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from flask_cors import CORS, cross_origin
from react_flask_kit import Kit

from servers import Server

FRIEND, STRANGER = "https://friend.example", "https://stranger.example"


def create_app() -> Flask:
    app = Flask(__name__)
    way = os.environ["WAY"]
    if way == "before":
        CORS(app, origins=FRIEND, supports_credentials=True)
    Kit(app)
    if way == "after":
        CORS(app, origins=FRIEND, supports_credentials=True)
    if way == "for everyone":
        CORS(app)
    if way == "resources":
        rules = {"/api/*": {"origins": FRIEND, "supports_credentials": True}}
        CORS(app, resources=rules)

    def books() -> list[str]:
        return ["Emma"]

    if way == "decorator":
        books = cross_origin(origins=FRIEND, supports_credentials=True)(books)
    app.add_url_rule("/api/books", view_func=books, methods=["GET", "PUT"])
    app.add_url_rule("/private", "private", lambda: [])
    return app


def allowed(server: Server, method: str, path: str, origin: str) -> list[str]:
    """Return what an answer says of who may read it."""
    headers = {"Origin": origin}
    if method == "OPTIONS":
        headers |= {"Access_Control_Request_Method": "PUT"}
    answer = server.ask(method, path, **headers)
    assert answer.status < 500, answer.text
    return answer.headers.get_all("Access-Control-Allow-Origin") or []


@pytest.mark.parametrize(
    ("way", "elsewhere"),
    [("after", [FRIEND]), ("before", [FRIEND]), ("resources", []), ("decorator", [])],
)
def test_the_origins_that_the_author_names_are_allowed_once_and_no_others(
    serve: Callable[..., AbstractContextManager[Server]],
    way: str,
    elsewhere: list[str],
) -> None:
    with serve(WAY=way) as server:
        for method in ("GET", "OPTIONS", "PUT"):
            assert allowed(server, method, "/api/books", FRIEND) == [FRIEND]
            assert allowed(server, method, "/api/books", STRANGER) == []
        assert allowed(server, "GET", "/private", FRIEND) == elsewhere
        no_route = [] if way == "decorator" else [FRIEND]
        assert allowed(server, "GET", "/api/typo", FRIEND) == no_route
        preflight = server.ask(
            "OPTIONS", "/api/books", Origin=FRIEND, Access_Control_Request_Method="PUT"
        )
        assert preflight.headers["Access-Control-Allow-Credentials"] == "true"
        assert "PUT" in preflight.headers["Access-Control-Allow-Methods"]


def test_without_arguments_everyone_is_allowed(
    serve: Callable[..., AbstractContextManager[Server]],
) -> None:
    with serve(WAY="for everyone") as server:
        # As flask-cors has it: the origin that asks, and not *.
        assert allowed(server, "GET", "/api/books", STRANGER) == [STRANGER]


def test_an_answer_that_has_its_header_gets_none_by_the_setting(
    serve: Callable[..., AbstractContextManager[Server]],
) -> None:
    other = "https://other.example"
    with serve(WAY="decorator", FLASK_CORS_ORIGINS=f"{other},{FRIEND}") as server:
        assert allowed(server, "GET", "/api/books", FRIEND) == [FRIEND]
        assert allowed(server, "GET", "/private", other) == [other]
