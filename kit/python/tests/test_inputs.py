"""What a view reads by read_json, read_query and read_form.

The contract: it gets a value of the type that it names, or the client gets a 422 that
names each field that is wrong, in words for the person who has filled it in; whatever
is sent, it is no crash.
"""

import dataclasses
import functools
import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypedDict, TypeVar
from uuid import UUID

import msgspec
import pytest
import react_flask_kit
from apps import load_app
from flask import Flask, Response, request
from flask.json.provider import JSONProvider
from flask.views import MethodView
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta
from processes import clean_env
from react_flask_kit import read_form, read_json, read_query
from react_flask_kit.inputs import inputs_of
from react_flask_kit.validation import Validator
from test_properties import bounded

T = TypeVar("T")


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Only(Enum):
    A = "a"


class Tag(TypedDict):
    name: Annotated[str, Meta(min_length=1, max_length=5)]


class Required(TypedDict):
    text: str


class Note(Required, total=False):
    done: bool
    tags: list[Tag]
    replies: "list[Note]"
    due: date | None
    price: Decimal


class Cat(msgspec.Struct, tag="cat"):
    lives: int


class Dog(msgspec.Struct, tag="dog"):
    name: str


class Point(NamedTuple):
    x: int
    y: int


class Place(NamedTuple):
    x: Decimal
    y: Decimal = Decimal(0)


class Row(msgspec.Struct, array_like=True):
    name: str
    amount: int = 1


class Added(msgspec.Struct, array_like=True, tag="added"):
    at: int


class Taken(msgspec.Struct, array_like=True, tag="taken"):
    at: Decimal
    why: str = ""


class Tree(TypedDict):
    parts: "list[Tree]"


@dataclasses.dataclass
class Page(Generic[T]):
    items: list[T]


class Renamed(msgspec.Struct, rename="camel"):
    first_name: str


@dataclasses.dataclass
class Stay:
    begins: date
    ends: date
    guests: Annotated[int, Meta(ge=1)] = 1

    def __post_init__(self) -> None:
        if self.ends < self.begins:
            raise ValueError("must end after it begins")


@dataclasses.dataclass
class Filter:
    word: str = ""
    page: Annotated[int, Meta(ge=1)] = 1
    limit: int | Literal["all"] = 10
    price: float | None = None
    archived: bool = False
    tags: list[str] = dataclasses.field(default_factory=list)
    since: datetime | None = None
    at: time | None = None
    color: Color | None = None
    level: Literal[1, 2] = 1


class Signup(TypedDict):
    name: Annotated[str, Meta(min_length=1)]
    about: str
    age: int | None
    terms: bool
    languages: list[Literal["py", "js"]]


class Nan(msgspec.Struct):
    value: float


def ask(
    read: Callable[[], Any], app: Flask | None = None, /, **sent: Any
) -> tuple[Any, Response]:
    """Send something to a view that reads it; return what it got, and the answer."""
    app = app or load_app()
    got = []

    def view() -> str:
        got.append(read())
        return ""

    app.add_url_rule("/read", view_func=view, methods=["GET", "POST"])
    response = app.test_client().open("/read", **sent)
    assert (response.status_code == 200) == bool(got)
    return (got[0] if got else None), response


def errors_of(response: Response) -> dict[str, str]:
    """Return what is said of each field, as the frontend shows it."""
    assert (response.status_code, response.content_type) == (
        422,
        "application/problem+json",
    )
    assert response.json["status"] == 422
    return {error["pointer"]: error["detail"] for error in response.json["errors"]}


@pytest.mark.parametrize(
    ("type_", "sent", "value"),
    [
        (Note, {"text": "a"}, {"text": "a"}),
        (Note, {"text": "a", "due": None}, {"text": "a", "due": None}),
        (
            Note,
            {"text": "a", "due": "2026-01-31"},
            {"text": "a", "due": date(2026, 1, 31)},
        ),
        (
            Note,
            {"text": "", "replies": [{"text": "b"}]},
            {"text": "", "replies": [{"text": "b"}]},
        ),
        (list[Tag], [{"name": "a"}], [{"name": "a"}]),
        (dict[str, int], {"a": 1}, {"a": 1}),
        (dict[int, int], {"1": 1}, {1: 1}),
        (Page[Tag], {"items": [{"name": "a"}]}, Page([{"name": "a"}])),
        (Cat | Dog, {"type": "dog", "name": "Rex"}, Dog("Rex")),
        (Renamed, {"firstName": "Ann"}, Renamed("Ann")),
        (
            Stay,
            {"begins": "2026-01-01", "ends": "2026-01-02"},
            Stay(date(2026, 1, 1), date(2026, 1, 2)),
        ),
        (Point, [1, 2], Point(1, 2)),
        (Place, ["1.5"], Place(Decimal("1.5"))),
        (Row, ["a"], Row("a")),
        (
            list[Added | Taken],
            [["taken", "1", "b"], ["added", 1]],
            [Taken(Decimal(1), "b"), Added(1)],
        ),
        (tuple[int, str], [1, "a"], (1, "a")),
        (set[int], [1, 1], {1}),
        (Color, "red", Color.RED),
        (
            datetime,
            "2026-01-31T09:30:00Z",
            datetime(2026, 1, 31, 9, 30, tzinfo=timezone.utc),
        ),
        (timedelta, "PT90M", timedelta(minutes=90)),
        (UUID, "00000000-0000-0000-0000-000000000001", UUID(int=1)),
        (Decimal, "0.10", Decimal("0.10")),
        (Decimal, 0.1, Decimal("0.1")),
        (int, 10**30, 10**30),
        (float, 1, 1.0),
        (bytes, "aGk=", b"hi"),
        (Any, {"a": [None]}, {"a": [None]}),
    ],
)
def test_json_becomes_a_value_of_the_type(type_: Any, sent: Any, value: Any) -> None:
    got, _ = ask(lambda: read_json(type_), method="POST", json=sent)
    assert got == value
    assert type(got) is type(value)


TEXT = {"text": "a"}


@pytest.mark.parametrize(
    ("type_", "sent", "errors"),
    [
        (Note, {}, {"#/text": "is required"}),
        (Note, {"txt": "a"}, {"#/text": "is required", "#/txt": "is not known here"}),
        (Note, TEXT | {"dnoe": True}, {"#/dnoe": "is not known here"}),
        (Note, [], {"#": "must be an object"}),
        (Note, None, {"#": "must be an object"}),
        (Note, {"text": None}, {"#/text": "must be text"}),
        (Note, TEXT | {"done": 1}, {"#/done": "must be true or false"}),
        (Note, TEXT | {"tags": {}}, {"#/tags": "must be a list"}),
        (
            Note,
            TEXT | {"tags": [{"name": ""}, {"name": "a"}, {"name": "abcdef"}, 5]},
            {
                "#/tags/0/name": "must not be empty",
                "#/tags/2/name": "must be at most 5 characters",
                "#/tags/3": "must be an object",
            },
        ),
        (
            Note,
            TEXT | {"replies": [TEXT, {"text": 1, "replies": [{"text": "", "x": 1}]}]},
            {
                "#/replies/1/text": "must be text",
                "#/replies/1/replies/0/x": "is not known here",
            },
        ),
        (
            Note,
            TEXT | {"due": "31.1.2026"},
            {"#/due": "must be a date, such as 2026-01-31"},
        ),
        (Note, TEXT | {"price": "NaN"}, {"#/price": "must be a number"}),
        (
            Note,
            TEXT | {"price": "-inf", "done": 0},
            {"#/price": "must be a number", "#/done": "must be true or false"},
        ),
        (Note, TEXT | {"a/b~c": 1}, {"#/a~1b~0c": "is not known here"}),
        (list[Decimal], ["1", "nan"], {"#/1": "must be a number"}),
        (Decimal, "1e999999999", {"#": "must be a number"}),
        (Decimal, "1e-999999999", {"#": "must be a number"}),
        (Decimal, "\uff11", {"#": "must be a number"}),
        (Decimal, "1_000", {"#": "must be a number"}),
        (
            dict[str, Tag],
            {"a": {"nam": 1}},
            {"#/a/name": "is required", "#/a/nam": "is not known here"},
        ),
        (dict[str, Tag], {"a": {"name": "b", "c": 1}}, {"#/a/c": "is not known here"}),
        (dict[str, int], [], {"#": "must be an object"}),
        (tuple[int, Tag], [1, {"name": "a", "c": 1}], {"#/1/c": "is not known here"}),
        (tuple[int, Tag], [1], {"#": "must have 2 entries"}),
        (Point, ["a", 2], {"#/0": "must be a whole number"}),
        (Place, ["a"], {"#/0": "must be a number"}),
        (Place, [], {"#": "must have 1 to 2 entries"}),
        (Row, ["a", 1, "b"], {"#": "must have 1 to 2 entries"}),
        (Row, [5], {"#/0": "must be text"}),
        (Row, {}, {"#": "must be a list"}),
        (Added | Taken, ["taken", "nan"], {"#/1": "must be a number"}),
        (Added | Taken, ["added", 1, 2], {"#": "must have 2 entries"}),
        (Added | Taken, ["moved", 1], {"#/0": "must be one of: added, taken"}),
        (Added | Taken, [], {"#/0": "must be one of: added, taken"}),
        (Added, ["taken", 1], {"#/0": 'must be "added"'}),
        (
            Page[Tag],
            {"items": [{"name": "a", "b": 1}]},
            {"#/items/0/b": "is not known here"},
        ),
        (Cat | Dog, {"type": "dog", "name": 1}, {"#/name": "must be text"}),
        (
            Cat | Dog,
            {"type": "dog", "name": "Rex", "lives": 9},
            {"#/lives": "is not known here"},
        ),
        (
            list[Cat | Dog],
            [{"type": "cat", "lives": 9}, {"type": "dog", "name": "Rex", "x": 1}],
            {"#/1/x": "is not known here"},
        ),
        (Cat | Dog, {"type": "cow"}, {"#/type": "must be one of: cat, dog"}),
        (Cat, {"type": "dog", "lives": 1}, {"#/type": 'must be "cat"'}),
        (
            Renamed,
            {"first_name": "Ann"},
            {"#/firstName": "is required", "#/first_name": "is not known here"},
        ),
        (Note | list[Note], {"text": 1}, {"#/text": "must be text"}),
        (Note | list[Note], [{"text": 1}], {"#/0/text": "must be text"}),
        (Note | list[Note], [TEXT | {"x": 1}], {"#/0/x": "is not known here"}),
        (Note | None, 1, {"#": "must be an object"}),
        (Cat | Dog, 1, {"#": "must be an object"}),
        (Cat | Dog | list[int], 1, {"#": "must be an object or a list"}),
        (int | str, 1.5, {"#": "must be a whole number or text"}),
        (Annotated[int, Meta(le=5)] | str, 6, {"#": "must be at most 5"}),
        (
            Stay,
            {"begins": "2026-01-02", "ends": "2026-01-01"},
            {"#": "must end after it begins"},
        ),
        (
            list[Stay],
            [{"begins": "2026-01-02", "ends": "2026-01-01"}],
            {"#/0": "must end after it begins"},
        ),
        (dict[int, int], {"1": 1, "a": 1}, {"#/a": "is not known here"}),
        (Literal["draft", "published"], "x", {"#": "must be one of: draft, published"}),
        (Literal["draft"], "x", {"#": 'must be "draft"'}),
        (Only, "x", {"#": 'must be "a"'}),
        (Literal[1, 2], True, {"#": "must be one of: 1, 2"}),
        (Color, "green", {"#": "must be one of: red, blue"}),
        (int, "1", {"#": "must be a whole number"}),
        (int, 1.5, {"#": "must be a whole number"}),
        (int, True, {"#": "must be a whole number"}),
        (float, "1", {"#": "must be a number"}),
        (
            datetime,
            "31.1.",
            {"#": "must be a date and time, such as 2026-01-31T09:30:00Z"},
        ),
        (time, "9", {"#": "must be a time, such as 09:30:00"}),
        (timedelta, "9", {"#": "must be a duration, such as PT1H30M"}),
        (UUID, "1", {"#": "must be a UUID"}),
        (bytes, "?", {"#": "must be base64"}),
        (Annotated[int, Meta(ge=1)], 0, {"#": "must be at least 1"}),
        (Annotated[int, Meta(gt=0)], 0, {"#": "must be more than 0"}),
        (Annotated[float, Meta(lt=1)], 1, {"#": "must be less than 1"}),
        (Annotated[int, Meta(multiple_of=5)], 7, {"#": "must be a multiple of 5"}),
        (Annotated[str, Meta(pattern="^[a-z]+$")], "A", {"#": "must match ^[a-z]+$"}),
        (
            Annotated[str, Meta(min_length=2)],
            "a",
            {"#": "must be at least 2 characters"},
        ),
        (
            Annotated[str, Meta(max_length=1)],
            "ab",
            {"#": "must be at most 1 character"},
        ),
        (Annotated[bytes, Meta(max_length=1)], "aGk=", {"#": "must be at most 1 byte"}),
        (
            Annotated[list[int], Meta(min_length=2)],
            [1],
            {"#": "must have at least 2 entries"},
        ),
        (
            Annotated[dict[str, int], Meta(max_length=1)],
            {"a": 1, "b": 2},
            {"#": "must have at most 1 entry"},
        ),
        (
            Annotated[datetime, Meta(tz=True)],
            "2026-01-31T09:30:00",
            {"#": "must have a time zone: 2026-01-31T09:30:00Z"},
        ),
        (
            Annotated[datetime, Meta(tz=False)],
            "2026-01-31T09:30:00Z",
            {"#": "must have no time zone: 2026-01-31T09:30:00"},
        ),
        (Annotated[str, Meta(title="A", examples=["b"])], 1, {"#": "must be text"}),
    ],
)
def test_all_that_does_not_fit_is_said_beside_its_field(
    type_: Any, sent: Any, errors: dict[str, str]
) -> None:
    body = {"data": json.dumps(sent), "content_type": "application/json"}
    _, response = ask(lambda: read_json(type_), method="POST", **body)
    assert errors_of(response) == errors


def test_the_readme_shows_what_is_answered() -> None:
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    section = text.split("\n## What a client sends\n")[1].split("\n## ")[0]
    code, answer = re.findall(r"^```\w+\n(.+?)^```", section, re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {"__name__": "app"}
    exec(code, names)
    client = names["app"].test_client()
    note = {"text": "Buy milk", "tags": ["shop"], "status": "draft"}
    response = client.post("/notes", json=note)
    assert (response.status_code, response.json) == (201, note)
    # Not by the client's JSON, which sorts the fields.
    wrong = json.dumps(note | {"text": "a" * 101, "tags": [5]})
    response = client.post("/notes", data=wrong, content_type="application/json")
    shown = json.loads(answer)
    assert {name: response.json[name] for name in shown} == shown


@pytest.mark.parametrize(
    ("sent", "detail"),
    [
        ([], "What was sent must be an object."),
        ({}, "text is required."),
        ({"tags": [{}]}, "tags.0.name is required, and 1 more does not fit."),
        ({"tags": [{}, {}]}, "tags.0.name is required, and 2 more do not fit."),
    ],
)
def test_who_shows_one_message_has_the_first_one(sent: Any, detail: str) -> None:
    _, response = ask(lambda: read_json(Note), method="POST", json=sent)
    assert response.json["detail"] == detail
    assert response.json["instance"] == "/read"


def test_unknown_fields_pass_where_a_view_says_so() -> None:
    sent = {"text": "a", "sender": "a webhook", "tags": [{"name": "b", "url": "/"}]}
    got, _ = ask(lambda: read_json(Note, ignore_unknown=True), method="POST", json=sent)
    assert got == {"text": "a", "tags": [{"name": "b"}]}


def test_rows_may_be_longer_where_a_view_says_so() -> None:
    sent = [["a", 1, "b"]]
    read = functools.partial(read_json, list[Row], ignore_unknown=True)
    got, _ = ask(read, method="POST", json=sent)
    assert got == [Row("a")]
    _, response = ask(read, method="POST", json=[*sent, [5, 1, "b"]])
    assert errors_of(response) == {"#/1/0": "must be text"}


@pytest.mark.parametrize(
    ("type_", "values", "errors"),
    [
        (list[int], [*[1] * 100_000, "a"], {"#/100000": "Expected `int`, got `str`"}),
        (list[int], ["a", *[1] * 100_000, "a"], {"#/0": "must be a whole number"}),
        (
            list[Tag],
            [*[{"name": "a"}] * 100_000, {"name": "a", "b": 1}],
            {"#": "has a field or a number in it that is not allowed"},
        ),
    ],
)
def test_a_search_for_what_does_not_fit_ends(
    monkeypatch: pytest.MonkeyPatch, type_: Any, values: list, errors: dict
) -> None:
    visited = []
    mismatches = Validator.mismatches

    def visit(*args: Any) -> Any:
        visited.append(args)
        return mismatches(*args)

    monkeypatch.setattr(Validator, "mismatches", visit)
    app = load_app(MAX_CONTENT_LENGTH="10000000")
    _, response = ask(lambda: read_json(type_), app, method="POST", json=values)
    assert errors_of(response) == errors
    assert len(visited) < 20_000


def test_an_answer_names_a_hundred_fields_at_most() -> None:
    sent = dict.fromkeys(map(str, range(10_000)))
    _, response = ask(lambda: read_json(Note), method="POST", json=sent)
    assert len(errors_of(response)) == 100


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b'{"text": "a"}', 200),
        ("application/vnd.api+json", b'{"text": "a"}', 200),
        ("application/json", b'\xef\xbb\xbf{"text": "a"}', 200),
        ("application/json", '{"text": "a"}'.encode("utf-16"), 200),
        ("application/json", b'{"text": "a", "text": 1}', 422),
        ("application/json", b"", 400),
        ("application/json", b"{", 400),
        ("application/json", b"NaN", 400),
        ("application/json", b'{"text": 1e999}', 400),
        ("application/json", b'{"text": "\\ud800"}', 400),
        ("application/json", b'{"text": "\xff"}', 400),
        ("application/json", b'{"text": ' + b"9" * 5000 + b"}", 400),
        ("application/json", b"[" * 100_000, 400),
        ("application/json", b'{"text": "' + b"a" * 2000 + b'"}', 413),
        ("text/plain", b"{}", 415),
        (None, b"{}", 415),
    ],
)
def test_what_is_no_json_is_refused_as_by_flask(
    content_type: str | None, body: bytes, status: int
) -> None:
    limit = str(1000 if status == 413 else 1_000_000)
    app = load_app(MAX_CONTENT_LENGTH=limit)
    sent = {"method": "POST", "data": body, "content_type": content_type}
    _, response = ask(lambda: read_json(Note), app, **sent)
    assert response.status_code == status
    if status not in (200, 422):
        _, flasks = ask(
            lambda: request.get_json(), load_app(MAX_CONTENT_LENGTH=limit), **sent
        )
        assert response.json == flasks.json


@pytest.mark.parametrize("ignore_unknown", [True, False])
def test_json_may_be_as_deep_as_flask_reads_it(ignore_unknown: bool) -> None:
    body = '{"parts":[' * 400 + "]}" * 400
    sent = {"method": "POST", "data": body, "content_type": "application/json"}
    _, response = ask(lambda: request.get_json(), load_app(), **sent)
    assert response.status_code == 200
    _, response = ask(lambda: read_json(Tree, ignore_unknown=ignore_unknown), **sent)
    assert response.status_code == 200


@pytest.mark.parametrize("depth", [100, 300, 500, 700, 900, 5000])
@pytest.mark.parametrize("last", ["{}", '{"text": "a"}', '{"text": "a", "x": 1}'])
def test_no_depth_is_a_crash(depth: int, last: str) -> None:
    body = '{"text":"","replies":[' * depth + last + "]}" * depth
    sent = {"method": "POST", "data": body, "content_type": "application/json"}
    _, response = ask(lambda: read_json(Note), **sent)
    status = 200 if last == '{"text": "a"}' else 422
    allowed = {100: {status}, 5000: {400}}
    assert response.status_code in allowed.get(depth, {400, status})


def test_json_may_be_as_loose_as_the_app_says() -> None:
    app = load_app(STRICT_JSON="false")
    sent = {"method": "POST", "content_type": "application/json"}
    got, _ = ask(lambda: read_json(Nan), app, data=b'{"value": Infinity}', **sent)
    assert got == Nan(float("inf"))
    app = load_app(STRICT_JSON="false")
    _, response = ask(lambda: read_json(Note), app, data=b"[" * 100_000, **sent)
    assert response.status_code == 400


class Shouting(JSONProvider):
    """An author's own way to read JSON."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return json.dumps(obj)

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return json.loads(s.upper())


def test_an_authors_own_json_is_read_by_it() -> None:
    app = load_app()
    app.json = Shouting(app)
    sent = {"method": "POST", "json": {"text": "a"}}
    got, _ = ask(lambda: read_json(dict[str, str]), app, **sent)
    assert got == {"TEXT": "A"}


def test_an_author_may_answer_in_another_way() -> None:
    app = load_app()

    @app.errorhandler(422)
    def handle(error: Any) -> tuple[dict, int]:
        return {error["pointer"]: error["detail"] for error in error.errors}, 400

    _, response = ask(lambda: read_json(Note), app, method="POST", json={})
    assert (response.status_code, response.json) == (400, {"#/text": "is required"})


def test_an_app_without_the_kit_says_the_same() -> None:
    _, response = ask(lambda: read_json(Note), Flask("app"), method="POST", json={})
    assert errors_of(response) == {"#/text": "is required"}


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("", Filter()),
        ("utm_source=mail", Filter()),
        ("word=&page=&price=&since=&color=&tags=&archived=", Filter(tags=[""])),
        ("word=a%20b&page=2&limit=20&price=1.5", Filter("a b", 2, 20, 1.5)),
        ("page=%2007%20&price=-1e3", Filter(page=7, price=-1000.0)),
        ("limit=all&price=.5&level=2", Filter(limit="all", price=0.5, level=2)),
        ("archived=true", Filter(archived=True)),
        ("archived=on", Filter(archived=True)),
        ("archived=0", Filter(archived=False)),
        ("tags=a", Filter(tags=["a"])),
        ("tags=a&tags=b", Filter(tags=["a", "b"])),
        ("since=2026-01-31T09:30", Filter(since=datetime(2026, 1, 31, 9, 30))),
        ("since=2026-01-31T09:30:15", Filter(since=datetime(2026, 1, 31, 9, 30, 15))),
        ("at=09:30&color=red", Filter(at=time(9, 30), color=Color.RED)),
        ("word=null&word2=1", Filter(word="null")),
    ],
)
def test_a_query_becomes_a_value_of_the_type(query: str, value: Any) -> None:
    got, _ = ask(lambda: read_query(Filter), query_string=query)
    assert got == value


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        ("page=0", {"#/page": "must be at least 1"}),
        ("page=1.5", {"#/page": "must be a whole number"}),
        ("page=1&page=2", {"#/page": "must be given once"}),
        (
            "color=red&color=red&page=x",
            dict.fromkeys(["#/color"], "must be given once")
            | {"#/page": "must be a whole number"},
        ),
        ("page=" + "9" * 5000, {"#/page": "must be a whole number"}),
        (
            "page=%D9%A3&level=3",
            {"#/page": "must be a whole number", "#/level": "must be one of: 1, 2"},
        ),
        ("limit=some", {"#/limit": 'must be a whole number or "all"'}),
        ("price=nan", {"#/price": "must be a number"}),
        ("price=1e999", {"#/price": "must be a number"}),
        ("price=null", {"#/price": "must be a number"}),
        ("archived=maybe", {"#/archived": "must be true or false"}),
        (
            "since=5",
            {"#/since": "must be a date and time, such as 2026-01-31T09:30:00Z"},
        ),
        ("color=green", {"#/color": "must be one of: red, blue"}),
    ],
)
def test_a_query_that_does_not_fit_is_refused(
    query: str, errors: dict[str, str]
) -> None:
    _, response = ask(lambda: read_query(Filter), query_string=query)
    assert errors_of(response) == errors


def test_a_query_may_be_held_to_its_type() -> None:
    _, response = ask(
        lambda: read_query(Filter, ignore_unknown=False), query_string="pgae=2"
    )
    assert errors_of(response) == {"#/pgae": "is not known here"}


@pytest.mark.parametrize("multipart", [False, True])
def test_a_form_is_read_as_browsers_send_it(multipart: bool) -> None:
    kind = "multipart/form-data" if multipart else "application/x-www-form-urlencoded"
    empty = {"name": "Ann", "about": "", "age": "", "csrf_token": "a"}
    sent = {"method": "POST", "content_type": kind}
    got, _ = ask(lambda: read_form(Signup), data=empty, **sent)
    none = {"about": "", "age": None, "terms": False, "languages": []}
    assert got == {"name": "Ann"} | none
    full = empty | {"age": "41", "terms": "on", "languages": ["py", "js"]}
    got, _ = ask(lambda: read_form(Signup), data=full, **sent)
    some = {"about": "", "age": 41, "terms": True, "languages": ["py", "js"]}
    assert got == {"name": "Ann"} | some


def test_a_form_that_does_not_fit_is_refused() -> None:
    form = {"name": "", "age": "old", "languages": ["py", "c"]}
    _, response = ask(lambda: read_form(Signup), method="POST", data=form)
    assert errors_of(response) == {
        "#/name": "is required",
        "#/about": "is required",
        "#/age": "must be a whole number",
        "#/languages/1": "must be one of: js, py",
    }


def test_what_is_no_form_is_refused() -> None:
    _, response = ask(lambda: read_form(Signup), method="POST", json={"name": "Ann"})
    assert response.status_code == 415
    assert "multipart/form-data" in response.json["detail"]


def test_a_query_has_fields() -> None:
    with pytest.raises(TypeError, match="read as a TypedDict"):
        ask(lambda: read_query(list[int]), load_app(TESTING="true"))


@pytest.mark.parametrize(
    "type_", [Tag, Tag | None, list[Tag], dict[str, int], list[list[int]]]
)
def test_a_field_of_a_query_is_text_or_a_list(type_: Any) -> None:
    nested = msgspec.defstruct("Nested", [("tag", type_)])
    with pytest.raises(TypeError, match='"tag" of Nested cannot be read from a query'):
        ask(lambda: read_query(nested), load_app(TESTING="true"))


numbers = st.integers() | st.floats() | st.decimals().map(str)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5) | st.sampled_from(
    ["2026-01-31", "red", "nan", "\0", "cat"]
)
names = st.sampled_from(
    ["text", "done", "tags", "replies", "due", "price", "name", "type", "lives"]
)
anything = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4)
    ),
    max_leaves=12,
)
fields = st.sampled_from([*Filter.__annotations__, "unknown"])
TYPES = (Note, list[Note], dict[str, Note], Cat | Dog, Note | list[int | str], Stay)


@bounded
@given(anything, st.sampled_from(TYPES))
def test_any_json_is_what_msgspec_takes_or_a_422(value: Any, type_: Any) -> None:
    body = json.dumps(value)
    got, response = ask(
        lambda: read_json(type_, ignore_unknown=True),
        method="POST",
        data=body,
        content_type="application/json",
    )
    try:
        wanted = msgspec.json.decode(body, type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError):
        assert response.status_code in (400, 422)
        if response.status_code == 422:
            assert errors_of(response)
        return
    is_odd = response.status_code == 422 and "must be a number" in response.text
    is_refused = "NaN" in body or "nan" in body.lower() or "Infinity" in body or is_odd
    assert got == wanted or is_refused


@bounded
@given(st.binary(max_size=100))
def test_any_bytes_are_refused_or_read_as_by_flask(body: bytes) -> None:
    sent = {"method": "POST", "data": body, "content_type": "application/json"}
    app = load_app()
    _, response = ask(lambda: read_json(Any), app, **sent)
    assert response.status_code in (200, 400)


@bounded
@given(
    st.dictionaries(
        st.sampled_from([*Filter.__annotations__, "x"]), texts | numbers.map(str)
    )
)
def test_any_query_and_any_form_fits_or_is_a_422(sent: dict[str, str]) -> None:
    sent = {
        name: text.encode("utf-8", "replace").decode() for name, text in sent.items()
    }
    for read, part in ((read_query, "query_string"), (read_form, "data")):
        _, response = ask(lambda read=read: read(Filter), method="POST", **{part: sent})
        assert response.status_code in (200, 415, 422)
        if response.status_code == 422:
            assert errors_of(response)


def add_note() -> None:
    read_json(Note)


async def add_notes() -> None:
    notes = react_flask_kit.read_json(list[Note], ignore_unknown=True)
    assert notes


def search() -> None:
    if read_query(Filter).word:
        read_form(Annotated[dict[str, int], Meta(max_length=3)])


def read_either(is_list: bool) -> Any:
    return read_json(list[Note]) if is_list else read_json(Note)


def read_nothing() -> Any:
    def inner() -> None:
        read_json(Note)

    types = [Note]
    read_json(types[0])
    read_json()
    return inner, lambda: read_json(Note)


def read_own() -> Any:
    Filter = dict[str, int]  # noqa: N806
    return read_query(Filter)


class Database:
    """What an author's module may have."""

    @property
    def session(self) -> Any:
        pytest.fail("a query was made")


database = Database()


def look_up() -> Any:
    return database.session.get(Note), request.args.get("a"), read_json(Note)


class Notes(MethodView):
    def post(self) -> None:
        note = """
This text begins at the left.
"""
        assert note
        read_json(Note | None)


def made(type_: Any) -> Callable:
    def view() -> None:
        read_json(type_)

    return view


def wrapped() -> Callable:
    import functools

    @functools.wraps(add_note)
    def view() -> None:
        return add_note()

    return view


@pytest.mark.parametrize(
    ("view", "inputs"),
    [
        (add_note, {"json": Note}),
        (add_notes, {"json": list[Note]}),
        (
            search,
            {"query": Filter, "form": Annotated[dict[str, int], Meta(max_length=3)]},
        ),
        (read_either, {}),
        (read_nothing, {}),
        (read_own, {}),
        (look_up, {"json": Note}),
        (Notes.post, {"json": Note | None}),
        (Notes().post, {"json": Note | None}),
        (made(Note), {"json": Note}),
        (wrapped(), {"json": Note}),
        (lambda: read_json(Note), {}),
        (len, {}),
    ],
)
def test_what_a_view_reads_is_found_in_its_source(view: Any, inputs: dict) -> None:
    assert inputs_of(view) == inputs


def test_who_reads_nothing_by_them_does_without_msgspec() -> None:
    code = """
import sys
from flask import Flask
from react_flask_kit import Kit
app = Flask("app")
Kit(app)
app.add_url_rule("/", view_func=lambda: {"a": 1})
assert app.test_client().get("/").json == {"a": 1}
assert "msgspec" not in sys.modules
from react_flask_kit import read_json
assert "msgspec" in sys.modules
"""
    command = [sys.executable, "-c", code]
    subprocess.run(command, env=clean_env(), check=True)


def test_without_msgspec_the_import_says_what_is_missing() -> None:
    code = """
import sys
sys.modules["msgspec"] = None
try:
    from react_flask_kit import read_json
except ImportError as error:
    assert str(error).startswith("read_json needs the package msgspec, which is not")
else:
    raise AssertionError("it was imported")
"""
    command = [sys.executable, "-c", code]
    subprocess.run(command, env=clean_env(), check=True)
