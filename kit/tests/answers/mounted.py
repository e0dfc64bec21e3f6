"""An app with two others below it: one of Flask without the kit, and one of neither."""

from collections.abc import Callable, Iterable

from flask import Flask
from react_flask_kit import Kit
from werkzeug.middleware.dispatcher import DispatcherMiddleware

app = Flask(__name__)
Kit(app)
sub = Flask("sub")


@app.get("/books")
def books() -> list[str]:
    return ["Emma"]


@sub.get("/")
def start() -> str:
    return "<h1>Below</h1>"


@sub.get("/books")
def more_books() -> list[str]:
    return ["Persuasion"]


@sub.get("/health")
def health() -> dict[str, str]:
    return {"sub": "ok"}


def raw(environ: dict, start_response: Callable) -> Iterable[bytes]:
    is_data = environ["PATH_INFO"] == "/data"
    kind = "application/json" if is_data else "text/plain"
    start_response("200 OK", [("Content-Type", kind), ("Content-Length", "4")])
    return [b"1234"]


app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/sub": sub, "/raw": raw})
