"""A factory with blueprints: pages of its own beside data, and each kind of answer."""

import json

from flask import Blueprint, Flask, Response, abort, redirect, render_template, request
from react_flask_kit import Kit

ANSWER = tuple[object, int, dict[str, str]]
pages = Blueprint("pages", __name__, url_prefix="/shop")
data = Blueprint("data", __name__)
errors = Blueprint("errors", __name__)


@pages.get("/")
def shop() -> str:
    return render_template("shop.html", title="The shop", items=[1])


@pages.get("/item/<int:number>")
def item(number: int) -> str:
    if number > 1:
        abort(404, f"There is no item {number}.")
    return render_template("shop.html", title=f"Item {number}", items=[])


@data.route("/books", methods=["GET", "POST"])
def books() -> ANSWER:
    status = 201 if request.method == "POST" else 200
    # Data that a browser keeps: without Vary, it would show it in place of the page.
    return ["Emma"], status, {"Cache-Control": "max-age=600"}


@data.get("/places")
def places() -> Response:
    return Response('{"type": "Point"}', mimetype="application/geo+json")


@data.get("/books.csv")
def books_as_csv() -> ANSWER:
    kind = {"Content-Type": "text/csv", "Content-Disposition": "attachment"}
    return "title\nEmma\n", 200, kind


@data.get("/books.json")
def books_to_keep() -> ANSWER:
    return ["Emma"], 200, {"Content-Disposition": 'attachment; filename="books.json"'}


@data.get("/text")
def text() -> Response:
    return Response("A text.", mimetype="text/plain")


@data.post("/order")
def order() -> ANSWER:
    return "", 204, {}


@data.get("/empty")
def empty() -> ANSWER:
    return "", 204, {}


@data.get("/moved")
def moved() -> Response:
    return redirect("/books")


@errors.get("/answers/<int:status>")
def answer(status: int) -> ANSWER:
    """Tell of an error as most JSON APIs do."""
    return {"error": status}, status, {}


@errors.get("/members")
def members() -> ANSWER:
    return "<h1>For members</h1>", 403, {}


@errors.get("/admin")
def admin() -> ANSWER:
    return {"error": "Who?"}, 401, {"WWW-Authenticate": 'Basic realm="admin"'}


@errors.get("/crash")
def crash() -> None:
    json.loads("{")


def create_app() -> Flask:
    app = Flask(__name__)
    Kit(app)
    for blueprint in (pages, data, errors):
        app.register_blueprint(blueprint)
    return app
