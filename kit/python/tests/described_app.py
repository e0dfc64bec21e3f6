"""An app with a route of each kind, which keeps what its hints say.

The tools of other people ask it; see test_openapi_tools.py.
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import uuid
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Annotated, Any, Literal, NamedTuple, NoReturn, TypedDict

from flask import Blueprint, Flask, Response, abort, jsonify
from flask.typing import ResponseReturnValue
from flask.views import MethodView
from msgspec import Meta
from react_flask_kit import Kit, read_form, read_json, read_query

Word = Annotated[str, Meta(min_length=1, max_length=20, description="A word.")]


class Color(str, enum.Enum):
    RED = "red"
    BLUE = "blue"


class Author(TypedDict):
    name: str
    friends: list[Author]


class Note(TypedDict):
    """A note, as it is kept."""

    id: int
    text: Word
    color: Color
    at: datetime.datetime
    price: decimal.Decimal
    key: uuid.UUID
    author: Author | None


class Tag(TypedDict):
    tag: Word


class NewNote(TypedDict):
    text: Word
    due: datetime.date | None
    tags: Annotated[list[Tag], Meta(max_length=3)]
    color: Color


class Search(TypedDict, total=False):
    words: str
    page: Annotated[int, Meta(ge=1)]
    is_deep: bool
    color: Color
    tag: list[str]


class Order(TypedDict):
    amount: Annotated[int, Meta(ge=1)]
    is_gift: bool
    text: Word


class Point(NamedTuple):
    x: float
    y: float = 0


@dataclasses.dataclass
class Day:
    date: datetime.date


NOTE: Note = {
    "id": 1,
    "text": "a",
    "color": Color.RED,
    "at": datetime.datetime(2026, 1, 31),
    "price": decimal.Decimal("1.5"),
    "key": uuid.UUID(int=1),
    "author": {"name": "b", "friends": [{"name": "c", "friends": []}]},
}

app = Flask("described_app")
Kit(app)


@app.get("/notes")
def find() -> list[Note]:
    """Find notes."""
    read_query(Search)
    return [NOTE]


@app.post("/notes")
def add() -> tuple[Note, Literal[HTTPStatus.CREATED]]:
    """Add a note."""
    read_json(NewNote)
    return NOTE, HTTPStatus.CREATED


@app.get("/notes/<int:id>")
def show(id: int) -> Note:
    """Return a note.

    There are only a few.
    """
    return NOTE if id < 1000 else abort(404)


@app.delete("/drafts/<int:id>")
def delete(id: int) -> tuple[str, Literal[204]]:
    return "", 204


@app.put("/tags")
def put_tag() -> Tag:
    return read_json(Tag)


@app.post("/orders")
def order() -> dict[str, int]:
    return {"amount": read_form(Order)["amount"]}


@app.get("/mixed/<int:id>")
def by_id(id: int) -> Tag:
    return {"tag": "number"}


@app.get("/mixed/<name>")
def by_name(name: str) -> list[Tag]:
    return [{"tag": "name"}]


@app.get("/any/<any(a, class, 'b,c'):a>/<float:b>/<uuid:c>/<string(length=2):d>")
def strange(**values: Any) -> dict[str, Any]:
    return values


@app.get("/files/<path:path>")
def file(path: str) -> dict[str, str]:
    return {"path": path}


@app.get("/points")
def points() -> list[Point]:
    return [Point(1), Point(1.5, 2)]


@app.get("/days")
def days() -> dict[str, Day]:
    return {"today": Day(datetime.date(2026, 1, 31))}


@app.get("/either")
def either() -> Tag | tuple[Author, Literal[409]]:
    return {"name": "a", "friends": []}, 409


@app.get("/accepted")
def accepted() -> tuple[Tag, int, dict[str, str]]:
    return {"tag": "a"}, 202, {"X-Other": "1"}


@app.get("/response")
def response() -> Tag | Response:
    return jsonify(tag="a")


@app.get("/page")
def page() -> str:
    return "<p>"


@app.get("/table")
def table() -> tuple[str, dict[str, str]]:
    return "a;b", {"Content-Type": "text/csv"}


@app.get("/stream")
def stream() -> Iterator[str]:
    yield "a"


@app.get("/never/<int(max=9):id>")
def never(id: int) -> NoReturn:
    abort(404)


@app.get("/flask")
def flask() -> ResponseReturnValue:
    return "a", {"Content-Type": "text/plain"}


@app.get("/wsgi")
def wsgi() -> Callable[..., Any]:
    return Response("a")


@app.get("/unknown")
def unknown():
    return {"a": 1}


@app.get("/refused")
def refused() -> dict[str, set[int]]:
    return {}


class Things(MethodView):
    def get(self, id: int) -> Tag:
        return {"tag": str(id)[:20]}

    def patch(self, id: int) -> Tag:
        return read_json(Tag)


app.add_url_rule("/things/<int:id>", view_func=Things.as_view("things"))
part = Blueprint("part", __name__, url_prefix="/part")


@part.route("/<lang>/", methods=["GET", "POST"])
def index(lang: str) -> list[Color]:
    return [Color.BLUE]


app.register_blueprint(part)
