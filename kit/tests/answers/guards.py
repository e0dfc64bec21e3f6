"""Guards before each view: one refuses with JSON, the other shows where to sign in."""

from flask import Flask, Response, redirect, request
from react_flask_kit import Kit

app = Flask(__name__)
Kit(app)


@app.before_request
def guard() -> Response | tuple[dict[str, str], int] | None:
    if request.path.startswith("/private"):
        return {"error": "Sign in."}, 401
    if request.path.startswith("/account"):
        return redirect("/login")
    return None


@app.get("/private/books")
def books() -> list[str]:
    return ["Emma"]


@app.get("/open/books")
def open_books() -> list[str]:
    return ["Emma"]


@app.get("/login")
def login() -> str:
    return "<form method=post><input name=user></form>"
