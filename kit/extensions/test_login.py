"""Flask-Login: who signs in with a form or JSON is known by the session's cookie.

The contract: a view that needs a user is a 401 without one, the cookie is HttpOnly and
SameSite=Lax, "remember me" outlives the session, and signing out ends it.
"""

from flask import Flask, request
from flask_login import (
    LoginManager,
    UserMixin,
    current_user,
    login_required,
    login_user,
    logout_user,
)
from react_flask_kit import Kit

from servers import Server


class User(UserMixin):
    def __init__(self, name: str) -> None:
        self.id = name


def create_app() -> Flask:
    app = Flask(__name__)
    Kit(app, required=["SECRET_KEY"])
    manager = LoginManager(app)
    manager.user_loader(User)

    @app.post("/sign-in")
    def sign_in() -> dict[str, bool]:
        who = request.get_json()
        return {"ok": login_user(User(who["name"]), remember=who["remember"])}

    @app.get("/me")
    @login_required
    def me() -> dict[str, str]:
        return {"name": current_user.id}

    @app.post("/sign-out")
    @login_required
    def sign_out() -> tuple[str, int]:
        logout_user()
        return "", 204

    return app


def test_a_user_signs_in_is_known_and_signs_out(server: Server) -> None:
    refused = server.get("/me")
    assert (refused.status, refused.json["title"]) == (401, "Unauthorized")
    signed_in = server.post("/sign-in", {"name": "ada", "remember": False})
    assert signed_in.json == {"ok": True}
    cookie = signed_in.headers["Set-Cookie"]
    assert cookie.startswith("session=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert server.get("/me").json == {"name": "ada"}
    assert server.browser().get("/me").status == 401
    assert server.post("/sign-out").status == 204
    assert server.get("/me").status == 401


def test_who_is_remembered_needs_no_session(server: Server) -> None:
    server.post("/sign-in", {"name": "ada", "remember": True})
    server.cookies.clear("127.0.0.1", "/", "session")
    assert server.get("/me").json == {"name": "ada"}
