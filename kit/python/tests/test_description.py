"""The description of an API: what its routes say, as OpenAPI 3.1.

The contract: each route of any shape is in it, with what its rule, its hints and its
docstring say; what has no shape says why, and nothing of it makes the app fail.
"""

import dataclasses
import datetime
import enum
import functools
import json
import os
import subprocess
import sys
import types
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator
from http import HTTPStatus
from pathlib import PurePath
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NoReturn,
    Optional,
    TypedDict,
    TypeVar,
    Union,
)
from unittest.mock import patch

import msgspec
import pytest
from apps import load_app
from flask import Blueprint, Flask, Response, abort, request
from flask.json.provider import DefaultJSONProvider
from flask.typing import ResponseReturnValue, ResponseValue
from flask.views import MethodView, View
from processes import clean_env
from react_flask_kit import Kit, read_form, read_json, read_query
from react_flask_kit.description import describe, missing_shapes
from react_flask_kit.errors import FORMS
from react_flask_kit.return_hints import answers_of
from react_flask_kit.type_names import component_names
from type_table import Book, Color, Note, Size, Tag
from werkzeug.datastructures import Headers
from werkzeug.routing import BaseConverter, Rule
from werkzeug.wrappers import Response as WerkzeugResponse

NOTE = {"$ref": "#/components/schemas/Note"}
TAG = {"$ref": "#/components/schemas/Tag"}
PROBLEM = {"schema": {"$ref": "#/components/schemas/Problem"}}
ERROR = {
    "description": "An error",
    "content": {"application/problem+json": PROBLEM},
}


class Thing(TypedDict):
    at: datetime.time


class Outer(TypedDict):
    things: list[Thing]


class Plain(enum.Enum):
    A = "a"


class PlainAccess(enum.Flag):
    READ = 1


Json = Union[str, list["Json"]]  # noqa: UP007


class Aliased(TypedDict):
    json: Json


class Record(msgspec.Struct):
    id: int


@dataclasses.dataclass
class Model:
    id: int


class Secret(list):
    def __init__(self, key: str) -> None:
        raise NotImplementedError


class Pair(NamedTuple):
    a: int
    b: int


class NewMeeting(TypedDict):
    at: datetime.datetime
    tag: Tag


class Meeting(TypedDict):
    at: datetime.datetime
    tag: Tag


class Search(TypedDict, total=False):
    words: Annotated[str, msgspec.Meta(max_length=20, description="What to find.")]
    page: int


class Order(TypedDict):
    amount: int
    is_gift: bool
    extras: list[str]
    note: str | None


def new_app() -> Flask:
    """Return an app without routes."""
    app = Flask("app")
    with patch.dict(os.environ, clean_env(FLASK_TESTING="1"), clear=True):
        Kit(app)
    return app


def short(value: Any) -> str:
    return str(value)[:60]


def returning(hint: Any) -> Callable:
    """Return a view with this return hint."""

    def view(**_: Any) -> Any:
        raise NotImplementedError

    view.__annotations__["return"] = hint
    return view


def operation_of(view: Callable, rule: str = "/x", **options: Any) -> dict[str, Any]:
    """Return how the only route of an app is described."""
    app = new_app()
    app.add_url_rule(rule, "view", view, **options)
    (operations,) = described(app).values()
    (operation,) = operations.values()
    return operation


def described(app: Flask) -> dict[str, Any]:
    return describe(app)["paths"]


@pytest.fixture
def app() -> Flask:
    return new_app()


@pytest.mark.parametrize(
    ("rule", "path", "schemas"),
    [
        ("/x", "/x", []),
        ("/x/", "/x/", []),
        ("/<a>", "/{a}", [("string", {"type": "string", "pattern": "^(?:[^/]{1,})$"})]),
        (
            "/<string(length=2):a>",
            "/{a}",
            [("string", {"type": "string", "pattern": "^(?:[^/]{2})$"})],
        ),
        ("/<int:a>", "/{a}", [("int", {"type": "integer", "minimum": 0})]),
        ("/<int(signed=True):a>", "/{a}", [("int", {"type": "integer"})]),
        (
            "/<int(min=1, max=9):a>",
            "/{a}",
            [("int", {"type": "integer", "minimum": 1, "maximum": 9})],
        ),
        ("/<float:a>", "/{a}", [("float", {"type": "number", "minimum": 0})]),
        ("/<uuid:a>", "/{a}", [("uuid", {"type": "string", "format": "uuid"})]),
        (
            "/<path:a>/raw",
            "/{a}/raw",
            [("path", {"type": "string", "pattern": "^(?:[^/].*?)$"})],
        ),
        (
            "/<any(b, class, 'c,d'):a>",
            "/{a}",
            [("any", {"enum": ["b", "c,d", "class"]})],
        ),
        (
            "/<letters:a>-<int:b>.json",
            "/{a}-{b}.json",
            [
                ("letters", {"type": "string", "pattern": "^(?:[a-z]+)$"}),
                ("int", {"type": "integer", "minimum": 0}),
            ],
        ),
    ],
)
def test_a_rule_is_a_path_with_its_parameters(
    app: Flask, rule: str, path: str, schemas: list
) -> None:
    class Letters(BaseConverter):
        regex = "[a-z]+"

    app.url_map.converters["letters"] = Letters
    app.add_url_rule(rule, view_func=returning(dict))
    ((found, operations),) = described(app).items()
    assert found == path
    parameters = operations["get"]["parameters"]
    assert [(p["x-converter"], p["schema"]) for p in parameters] == schemas
    assert all(p["in"] == "path" and p["required"] for p in parameters)
    assert [p["name"] for p in parameters] == ["a", "b"][: len(schemas)]


def json_content(schema: dict) -> dict:
    return {"application/json": {"schema": schema}}


TEXT = {"text/html": {"schema": {"type": "string"}}}
OTHER = {"*/*": {}}


@pytest.mark.parametrize(
    ("hint", "contents"),
    [
        (Note, {"200": json_content(NOTE)}),
        (tuple[Note], {"200": json_content(NOTE)}),
        (tuple[Note, Literal[201]], {"201": json_content(NOTE)}),
        (tuple[Note, Literal[HTTPStatus.CREATED]], {"201": json_content(NOTE)}),
        (tuple[Note, Literal["201 CREATED"]], {"201": json_content(NOTE)}),
        (
            tuple[Note, Literal[200, 201], dict[str, str]],
            {"200": json_content(NOTE), "201": json_content(NOTE)},
        ),
        (tuple[Note, int], {"default": json_content(NOTE)}),
        (tuple[Note, HTTPStatus, Headers], {"default": json_content(NOTE)}),
        (tuple[Note, dict[str, str]], {"200": json_content(NOTE)}),
        (tuple[Note, Headers], {"200": json_content(NOTE)}),
        (
            Note | tuple[Tag, Literal[404]],
            {"200": json_content(NOTE), "404": json_content(TAG)},
        ),
        (
            Note | tuple[Tag, Literal[200]],
            {"200": json_content({"anyOf": [NOTE, TAG]})},
        ),
        (
            tuple[Note | Tag, Literal[200]],
            {"200": json_content({"anyOf": [NOTE, TAG]})},
        ),
        (Annotated[Note, "of the day"], {"200": json_content(NOTE)}),
        (Note | str, {"200": json_content(NOTE) | TEXT}),
        (Note | Response, {"200": json_content(NOTE), "default": OTHER}),
        (tuple[str, Literal[204]], {"204": None}),
        (str, {"200": TEXT}),
        (bytes, {"200": TEXT}),
        (tuple[str, int, dict[str, str]], {"default": OTHER}),
        (tuple[str, dict[str, str]], {"default": OTHER}),
        (Response, {"default": OTHER}),
        (WerkzeugResponse, {"default": OTHER}),
        (tuple[Response, Literal[202]], {"202": OTHER}),
        (Iterator[str], {"default": OTHER}),
        (Generator[bytes, None, None], {"default": OTHER}),
        (Iterable[str], {"default": OTHER}),
        (AsyncIterator[str], {"default": OTHER}),
        (Callable[..., Any], {"default": OTHER}),
        (ResponseReturnValue, {"default": OTHER}),
        (ResponseReturnValue | None, {"default": OTHER}),
        (ResponseValue, {"default": OTHER}),
        (Any, {"default": OTHER}),
        (object, {"default": OTHER}),
        (NoReturn, {}),
    ],
    ids=short,
)
def test_a_return_hint_says_what_is_answered(hint: Any, contents: dict) -> None:
    operation = operation_of(returning(hint))
    assert "x-no-shape" not in operation
    found = {}
    for status, response in operation["responses"].items():
        assert response["description"]
        content = response.get("content")
        is_error = status == "default" or status >= "400"
        if is_error:
            assert content.pop("application/problem+json") == PROBLEM
        if content or not is_error:
            found[status] = content
    assert found == contents


def test_a_view_without_a_hint_may_answer_anything() -> None:
    responses = operation_of(lambda: "text")["responses"]
    assert responses["default"]["content"].keys() == {
        "*/*",
        "application/problem+json",
    }


@pytest.mark.parametrize(
    ("hint", "reason"),
    [
        (
            int,
            "Flask makes no answer of int: return a dict, a list, text or Response",
        ),
        (None, "Flask makes no answer of None:"),
        (Note | None, "Flask makes no answer of None:"),
        (Model, "Flask makes no answer of Model"),
        (tuple[int, int], "Flask makes no answer of int"),
        (dict[str, set[int]], "cannot send set (Object of type set is not JSON serial"),
        (list[frozenset[int]], "cannot send frozenset"),
        (list[bytes], "cannot send bytes (Object of type bytes is not JSON seri"),
        (Note | tuple[list[bytes], Literal[201]], "cannot send bytes"),
        (list[datetime.time], "cannot send time (Object of type time is not JSON"),
        (list[datetime.timedelta], "cannot send timedelta"),
        (list[complex], "cannot send complex"),
        (list[PurePath], "Path"),
        (list[range], "cannot send range"),
        (list[Plain], "let it inherit from str too, as `class Color(str, Enum)`"),
        (list[Literal[Plain.A]], "cannot send Plain"),
        (list[PlainAccess], "let it be an IntFlag, or send its value"),
        (dict[PlainAccess, int], "keys must be str, int, float, bool or None"),
        (list[Record], "cannot send Record"),
        (list[Flask], "cannot send Flask"),
        (list[deque[int]], "cannot send deque"),
        (list[Iterator[int]], "cannot send Iterator"),
        (list[Secret], "nobody can tell what is sent of list[Secret] (TypeError"),
        (dict[tuple[int, int], str], "keys must be str, int, float, bool or None"),
        (dict[Plain, str], "keys must be str, int, float, bool or None"),
        (list[Thing], "Thing.at: the app's JSON cannot send time"),
        (list[Outer], "Outer.things: Thing.at: the app's JSON cannot send time"),
        (list[Annotated[str, msgspec.Meta(gt=1)]], "Can only set `gt` on a numeric"),
        (list[NoReturn], "nobody can tell what is sent of typing.NoReturn"),
        (tuple[Note, Literal["OK"]], "'OK' is no status: write a number, such as"),
        (tuple[Note, Literal[201, None]], "None is no status"),
        (tuple[Note, Literal[2010]], "2010 is no status"),
        (Aliased, 'Aliased.json: nobody can tell what "Json" is inside'),
        ("Missing", "name 'Missing' is not defined"),
        ("list[Missing]", "and not only `if TYPE_CHECKING`"),
        ("list[", "the hint cannot be read"),
    ],
    ids=short,
)
def test_what_has_no_shape_says_why(app: Flask, hint: Any, reason: str) -> None:
    app.add_url_rule("/x", view_func=returning(hint))
    document = describe(app)
    (line,) = missing_shapes(document)
    assert line.startswith("GET /x: its answer is not described: ")
    assert reason in line
    responses = document["paths"]["/x"]["get"]["responses"]
    assert responses["default"]["content"]["*/*"] == {}
    # Of what was met on the way to it, nothing is left.
    assert document["components"]["schemas"].keys() == {"FieldError", "Problem"}


def test_a_field_of_an_unknown_type_says_so(app: Flask) -> None:
    class Local(TypedDict):
        other: "Missing"  # noqa: F821

    app.add_url_rule("/x", view_func=returning(Local))
    (line,) = missing_shapes(describe(app))
    assert "Local: name 'Missing' is not defined" in line


@pytest.mark.skipif(sys.version_info < (3, 11), reason="syntax of Python 3.11")
def test_a_tuple_that_goes_on_says_so(app: Flask) -> None:
    later = module("later", "def view() -> list[tuple[int, *tuple[str, ...]]]: ...")
    app.add_url_rule("/x", view_func=later.view)
    (line,) = missing_shapes(describe(app))
    assert "a tuple with some places and then any number of others" in line


def test_a_route_that_cannot_be_described_leaves_the_others(app: Flask) -> None:
    class Meta(type):
        @property
        def __value__(cls) -> Any:
            raise ZeroDivisionError("by nobody")

    class Broken(metaclass=Meta):
        pass

    app.add_url_rule("/x", view_func=returning(Broken))
    app.add_url_rule("/y", "y", returning(Note))
    document = describe(app)
    (line,) = missing_shapes(document)
    assert line == "GET /x: its answer is not described: ZeroDivisionError: by nobody"
    content = document["paths"]["/y"]["get"]["responses"]["200"]["content"]
    assert content == json_content(NOTE)


def test_a_type_without_end_says_so(app: Flask) -> None:
    app.add_url_rule("/x", view_func=returning(list[endless_type()]))
    (line,) = missing_shapes(describe(app))
    assert "nobody can tell what is sent of list[Nest[int]] (RecursionError" in line


def endless_type() -> Any:
    """Return a generic type that needs itself of another type, and so on."""
    source = """
        from dataclasses import dataclass
        from typing import Generic, TypeVar
        T = TypeVar("T")
        @dataclass
        class Nest(Generic[T]):
            inner: "Nest[list[T]] | None"
    """
    return module("nest", source).Nest[int]


def module(name: str, source: str) -> types.ModuleType:
    """Make a module of source that is indented; hints find it by its name."""
    made = types.ModuleType(name)
    sys.modules[name] = made
    lines = source.strip("\n").splitlines()
    indent = len(lines[0]) - len(lines[0].lstrip())
    exec("\n".join(line[indent:] for line in lines), made.__dict__)
    return made


@pytest.fixture(autouse=True)
def _modules() -> Iterator[None]:
    before = dict(sys.modules)
    yield
    for name in sys.modules.keys() - before.keys():
        if name in ("nest", "shop", "shop.models", "blog.models", "later", "new"):
            del sys.modules[name]


def test_hints_that_are_text_are_read_in_their_module(app: Flask) -> None:
    later = module(
        "later",
        """
        from __future__ import annotations
        from typing import TYPE_CHECKING, TypedDict
        if TYPE_CHECKING:
            from flask import Response
            from flask.typing import ResponseReturnValue, ResponseValue
            from nowhere import User
        class Part(TypedDict):
            whole: Whole | None
        class Whole(TypedDict):
            parts: list[Part]
        def whole(user: User | None = None) -> Whole | Response: ...
        def anything() -> ResponseReturnValue: ...
        """,
    )
    app.add_url_rule("/whole", view_func=later.whole)
    app.add_url_rule("/anything", view_func=later.anything)
    document = describe(app)
    assert missing_shapes(document) == []
    whole = document["paths"]["/whole"]["get"]["responses"]["200"]
    assert whole["content"] == json_content({"$ref": "#/components/schemas/Whole"})
    part = document["components"]["schemas"]["Part"]["properties"]["whole"]
    assert part["anyOf"][0] == {"$ref": "#/components/schemas/Whole"}


@pytest.mark.skipif(sys.version_info < (3, 11), reason="typing of Python 3.11")
def test_a_field_says_whether_it_is_required(app: Flask) -> None:
    later = module(
        "later",
        """
        from __future__ import annotations
        from typing import NotRequired, Required, TypedDict
        class First(TypedDict):
            a: int
            b: NotRequired[int]
        class Second(First, total=False):
            c: Required[Note]
            d: int
        class Note(TypedDict):
            e: int
        def view() -> Second: ...
        """,
    )
    app.add_url_rule("/x", view_func=later.view)
    second = describe(app)["components"]["schemas"]["Second"]
    assert second["required"] == ["a", "c"]
    assert second["properties"]["c"] == NOTE
    assert second["properties"]["b"] == {"type": "integer"}


@pytest.mark.skipif(sys.version_info < (3, 12), reason="syntax of Python 3.12")
def test_types_of_the_new_syntax_are_described(app: Flask) -> None:
    new = module(
        "new",
        """
        from typing import TypedDict
        type Json = None | bool | float | str | list[Json] | dict[str, Json]
        type Pair[T] = tuple[T, T]
        class Page[T](TypedDict):
            items: list[T]
            json: Json
        class Notes(Page[int]):
            pair: Pair[str]
        type Answer = Page[int] | tuple[Notes, int]
        def view() -> Answer: ...
        """,
    )
    app.add_url_rule("/x", view_func=new.view)
    document = describe(app)
    assert missing_shapes(document) == []
    responses = document["paths"]["/x"]["get"]["responses"]
    page = {"$ref": "#/components/schemas/Page_int"}
    notes = {"$ref": "#/components/schemas/Notes"}
    assert responses["200"]["content"] == json_content(page)
    assert responses["default"]["content"]["application/json"] == {"schema": notes}
    schemas = document["components"]["schemas"]
    assert schemas["Page_int"]["properties"]["items"]["items"] == {"type": "integer"}
    assert schemas["Notes"]["properties"].keys() == {"items", "json", "pair"}
    of_list = schemas["Json"]["anyOf"][3]
    assert of_list["items"] == {"$ref": "#/components/schemas/Json"}
    assert schemas["Pair_str"]["prefixItems"] == [{"type": "string"}] * 2


def test_types_of_one_name_have_different_ones(app: Flask) -> None:
    source = """
        from typing import TypedDict
        class Item(TypedDict):
            {}: int
    """
    shop, blog = (
        module(name, source.format(name[0])) for name in ("shop.models", "blog.models")
    )
    app.add_url_rule("/shop", view_func=returning(shop.Item), endpoint="shop")
    app.add_url_rule("/blog", view_func=returning(list[blog.Item]), endpoint="blog")
    schemas = describe(app)["components"]["schemas"]
    assert schemas["shop_models_Item"]["properties"].keys() == {"s"}
    assert schemas["blog_models_Item"]["properties"].keys() == {"b"}
    assert "Item" not in schemas


class Library:
    class Note(TypedDict):
        page: int


T = TypeVar("T")


@dataclasses.dataclass
class Chapter(Generic[T]):
    items: list[T]


class Größe(TypedDict):
    a: int


class Книга(TypedDict):
    a: int


class 笔记(TypedDict):  # noqa: N801
    a: int


@pytest.mark.parametrize(
    ("hints", "names"),
    [
        ([Chapter[Optional[Note]]], ["Chapter_Note_or_None"]),  # noqa: UP045
        ([Chapter[None | Note]], ["Chapter_Note_or_None"]),
        ([Chapter[Tag | Note]], ["Chapter_Note_or_Tag"]),
        ([Chapter[Literal["s", "m"]]], ["Chapter_s_or_m"]),
        ([Chapter[Literal[Size.SMALL] | str]], ["Chapter_Size_SMALL_or_str"]),
        ([Chapter[Annotated[int, "a"]]], ["Chapter_int"]),
        ([Note, Library.Note, Tag], ["Note", "Library_Note", "Tag"]),
        (
            [Chapter[Note], Chapter[Library.Note]],
            ["Chapter_Note", "Chapter_Library_Note"],
        ),
        ([Größe, Книга, 笔记], ["Grose", "Kaenighea", "7b148bb0"]),
    ],
    ids=short,
)
def test_a_type_has_the_same_name_in_any_order(hints: list, names: list) -> None:
    assert list(component_names(hints).values()) == names
    assert list(component_names(hints[::-1]).values()) == names[::-1]


def view() -> Note:
    """Return a note.

    It is the newest one,
    of all.
    """
    return {"id": 1, "text": "a"}


async def async_view() -> Note:
    """Return a note."""
    return view()


class CallableView:
    """Not the words of the view."""

    def __call__(self) -> Note:
        """Return a note."""
        return view()


def partial_view(_: int) -> Note:
    """Return a note."""
    return view()


def logged(function: Callable) -> Callable:
    @functools.wraps(function)
    def logging(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return logging


class OneView(View):
    def dispatch_request(self) -> Note:
        """Return a note."""
        return view()


class Methods(MethodView):
    def get(self) -> Note:
        """Return a note."""
        return view()


VIEWS = {
    "function": view,
    "async function": async_view,
    "object": CallableView(),
    "method": CallableView().__call__,
    "partial": functools.partial(partial_view, 1),
    "partial of a partial": functools.partial(functools.partial(partial_view), 1),
    "decorated": logged(view),
    "decorated twice": logged(logged(async_view)),
    "partial of a decorated one": functools.partial(logged(partial_view), 1),
    "class": OneView.as_view("one"),
    "decorated class": logged(Methods.as_view("methods")),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_a_view_of_any_kind_is_described(view: Callable) -> None:
    operation = operation_of(view)
    assert operation["summary"] == "Return a note."
    assert operation["responses"]["200"]["content"] == json_content(NOTE)


def test_a_docstring_is_the_summary_and_the_description() -> None:
    operation = operation_of(view)
    assert operation["summary"] == "Return a note."
    assert operation["description"] == "It is the newest one,\nof all."
    assert operation_of(returning(Note)).keys().isdisjoint({"summary", "description"})


def test_what_other_tools_read_in_a_docstring_is_left_out() -> None:
    def view() -> Note:
        """Return a note.

        It is new.
        ---
        tags: [notes]
        """
        raise NotImplementedError

    operation = operation_of(view)
    assert operation["summary"] == "Return a note."
    assert operation["description"] == "It is new."


def test_a_type_has_its_own_words_alone(app: Flask) -> None:
    app.add_url_rule("/a", "a", returning(dict[str, Book]))
    app.add_url_rule("/b", "b", returning(dict[str, Model]))
    schemas = describe(app)["components"]["schemas"]
    assert schemas["Book"]["description"] == "A book of the library."
    assert "description" not in schemas["Model"]


def test_each_method_of_a_class_has_its_own_hints(app: Flask) -> None:
    class Notes(MethodView):
        def get(self) -> list[Note]:
            raise NotImplementedError

        def post(self) -> tuple[Note, Literal[201]]:
            """Add one."""
            raise NotImplementedError

    app.add_url_rule("/notes", view_func=Notes.as_view("notes"))
    operations = described(app)["/notes"]
    assert operations.keys() == {"get", "post"}
    assert operations["get"]["operationId"] == "notes_get"
    assert operations["post"]["summary"] == "Add one."
    assert operations["post"]["responses"].keys() == {"201", "default"}


def test_only_what_a_client_asks_for_is_described(app: Flask) -> None:
    app.add_url_rule("/x", view_func=view, methods=["GET", "POST", "PURGE", "OPTIONS"])
    app.add_url_rule("/built", "built", view, build_only=True)
    app.url_map.add(Rule("/old", endpoint="view", redirect_to="/x"))
    app.url_map.add(Rule("/socket", endpoint="view", websocket=True))
    app.url_map.add(Rule("/absent", endpoint="absent"))
    part = Blueprint("part", __name__, static_folder="files", url_prefix="/part")
    app.register_blueprint(part)
    assert described(app).keys() == {"/x"}
    assert described(app)["/x"].keys() == {"get", "post"}


def test_a_rule_that_an_author_calls_static_is_described() -> None:
    app = Flask("app", static_folder=None)
    app.add_url_rule("/<filename>", "static", view)
    assert described(app).keys() == {"/{filename}"}


def test_blueprints_are_described_with_their_prefixes(app: Flask) -> None:
    outer = Blueprint("outer", __name__, url_prefix="/outer/<lang>")
    inner = Blueprint("inner", __name__, url_prefix="/inner")
    inner.add_url_rule("/", view_func=view)
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    operation = described(app)["/outer/{lang}/inner/"]["get"]
    assert operation["tags"] == ["outer.inner"]
    assert operation["operationId"] == "outer_inner_view"


def test_a_rule_of_another_host_says_which() -> None:
    app = Flask("app", host_matching=True, static_folder=None)
    app.add_url_rule("/x", "x", view, host="api.example.com")
    assert described(app)["/x"]["get"]["servers"] == [{"url": "//api.example.com"}]
    app = Flask("app", subdomain_matching=True)
    app.config["SERVER_NAME"] = "example.com"
    app.add_url_rule("/x", "x", view)
    app.add_url_rule("/y", "y", view, subdomain="<user>.admin")
    assert "servers" not in described(app)["/x"]["get"]
    assert described(app)["/y"]["get"]["servers"] == [
        {
            "url": "//{user}.admin.example.com",
            "variables": {"user": {"default": "user"}},
        }
    ]


def test_rules_of_one_view_have_ids_of_their_own(app: Flask) -> None:
    app.add_url_rule("/pages/", "pages", view, defaults={"page": 1})
    app.add_url_rule("/pages/<int:page>", "pages", view)
    app.add_url_rule("/pages", "pages", view, methods=["GET", "POST"])
    app.add_url_rule("/pages_get", "pages_get", view)
    paths = described(app)
    assert paths.keys() == {"/pages", "/pages/", "/pages/{page}", "/pages_get"}
    ids = [o["operationId"] for path in paths.values() for o in path.values()]
    assert len(set(ids)) == len(ids) == 5


def test_ids_that_would_be_the_same_are_numbered(app: Flask) -> None:
    for number, endpoint in enumerate(("x", "-x", "x_2")):
        app.add_url_rule(f"/{number}", endpoint, view)
    ids = [o["operationId"] for path in described(app).values() for o in path.values()]
    assert ids == ["x", "x_2", "x_2_2"]


@pytest.mark.parametrize(
    ("rule", "endpoint", "id_"),
    [
        ("/books/<id>", "книги", "kaenighei"),
        ("/books/<id>", "_", "books_id"),
        ("/", "_", "root"),
    ],
)
def test_an_id_is_made_of_letters(
    app: Flask, rule: str, endpoint: str, id_: str
) -> None:
    app.add_url_rule(rule, endpoint, view)
    (operations,) = described(app).values()
    assert operations["get"]["operationId"] == id_


def test_of_two_rules_that_are_the_same_the_first_one_answers(app: Flask) -> None:
    app.add_url_rule("/x", "first", returning(Note))
    app.add_url_rule("/x", "second", returning(Tag))
    content = described(app)["/x"]["get"]["responses"]["200"]["content"]
    assert content == json_content(NOTE)


def test_rules_that_are_one_path_to_openapi_are_one_operation(app: Flask) -> None:
    app.add_url_rule("/x/<int:id>", "by_id", returning(Note))
    app.add_url_rule("/x/<name>", "by_name", returning(Tag))
    app.add_url_rule("/x/<name>", "drop", returning(Tag), methods=["DELETE"])
    app.add_url_rule("/x/<path:all>", "rest", returning(Tag), methods=["DELETE"])
    paths = described(app)
    assert paths.keys() == {"/x/{id}"}
    get, delete = paths["/x/{id}"]["get"], paths["/x/{id}"]["delete"]
    (parameter,) = get["parameters"]
    assert parameter["name"] == delete["parameters"][0]["name"] == "id"
    assert [s["type"] for s in parameter["schema"]["anyOf"]] == ["integer", "string"]
    assert parameter["x-converter"] == "string"
    assert delete["parameters"][0]["x-converter"] == "path"
    answer = get["responses"]["200"]["content"]
    assert answer == json_content({"anyOf": [NOTE, TAG]})


def test_the_order_of_routes_does_not_matter() -> None:
    routes = [("/a", "GET", Tag), ("/a", "POST", Note), ("/b", "GET", list[Tag])]
    texts = []
    for order in (routes, routes[::-1]):
        app = new_app()
        for rule, method, hint in order:
            name = f"{method}{rule[1:]}"
            app.add_url_rule(rule, name, returning(hint), methods=[method])
        texts.append(json.dumps(describe(app)))
    assert texts[0] == texts[1]
    schemas = json.loads(texts[0])["components"]["schemas"]
    assert list(schemas) == ["FieldError", "Note", "Problem", "Tag"]


class OwnProvider(DefaultJSONProvider):
    """Sends dates as ISO 8601, and much that Flask refuses."""

    @staticmethod
    def default(value: Any) -> Any:
        if isinstance(value, datetime.date | datetime.time):
            return value.isoformat()
        if isinstance(value, set):
            return sorted(value)
        if isinstance(value, enum.Enum):
            return value.name
        if isinstance(value, msgspec.Struct):
            return msgspec.structs.asdict(value)
        if isinstance(value, datetime.timedelta):
            return value.total_seconds()
        if isinstance(value, PurePath):
            return {"path": str(value)}
        if dataclasses.is_dataclass(value):
            return {"other": 1}
        raise TypeError


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (list[datetime.date], {"type": "string", "format": "date"}),
        (list[datetime.datetime], {"type": "string"}),
        (list[set[int]], {"type": "array", "items": {"type": "integer"}}),
        (list[datetime.timedelta], {"type": "number"}),
        (list[PurePath], None),
        (list[Plain], {"title": "Plain", "enum": ["A"]}),
        (list[Literal[Plain.A]], {"enum": ["A"]}),
        (
            list[Record],
            {
                "title": "Record",
                "type": "object",
                "properties": {"id": {"type": "integer"}},
                "required": ["id"],
            },
        ),
        (list[Pair], {"type": "array"}),
    ],
    ids=short,
)
def test_an_app_with_json_of_its_own_is_asked(
    app: Flask, hint: Any, schema: dict | None
) -> None:
    app.json = OwnProvider(app)
    app.add_url_rule("/x", view_func=returning(hint))
    document = describe(app)
    assert missing_shapes(document) == []
    content = document["paths"]["/x"]["get"]["responses"]["200"]["content"]
    items = content["application/json"]["schema"].get("items")
    if items and "$ref" in items:
        items = document["components"]["schemas"][items["$ref"].rpartition("/")[2]]
    assert items == schema or schema.items() <= items.items()


def test_a_dataclass_that_is_sent_otherwise_has_no_shape(app: Flask) -> None:
    app.json = OwnProvider(app)
    app.add_url_rule("/x", view_func=returning(list[Model]))
    assert "is sent as something else than its fields" in str(
        missing_shapes(describe(app))
    )


def test_a_text_that_looks_like_a_reference_stays_as_it_is(app: Flask) -> None:
    text = "#/components/schemas/0"
    app.add_url_rule("/x", view_func=returning(list[Literal[text]]))
    content = described(app)["/x"]["get"]["responses"]["200"]["content"]
    assert content["application/json"]["schema"]["items"] == {"enum": [text]}


def test_a_decorator_may_make_an_answer_of_anything(app: Flask) -> None:
    app.add_url_rule("/x", view_func=logged(returning(Model)))
    content = described(app)["/x"]["get"]["responses"]["200"]["content"]
    assert content == json_content({"$ref": "#/components/schemas/Model"})


def test_so_may_an_app_with_make_response_of_its_own() -> None:
    class App(Flask):
        def make_response(self, rv: Any) -> Response:
            raise NotImplementedError

    app = App("app")
    app.add_url_rule("/x", view_func=returning(Model))
    assert described(app)["/x"]["get"]["responses"].keys() == {"200", "default"}


def test_errors_are_problems_only_where_the_kit_answers_all(app: Flask) -> None:
    plain = Flask("plain")
    plain.add_url_rule("/x", view_func=view)
    assert described(plain)["/x"]["get"]["responses"]["default"] == {
        "description": "An error"
    }
    app.add_url_rule("/x", view_func=view)
    assert described(app)["/x"]["get"]["responses"]["default"] == ERROR
    app.register_error_handler(404, lambda error: ("Nothing here.", 404))
    document = describe(app)
    assert "content" not in document["paths"]["/x"]["get"]["responses"]["default"]
    assert "Problem" not in document["components"]["schemas"]


def test_a_problem_is_as_described(app: Flask) -> None:
    @app.get("/gone")
    def gone() -> NoReturn:
        abort(410)

    problem = describe(app)["components"]["schemas"]["Problem"]
    answer = app.test_client().get("/gone").json
    assert answer.keys() <= problem["properties"].keys()
    assert set(problem["required"]) <= answer.keys()


def test_what_is_read_is_described(app: Flask) -> None:
    @app.post("/notes")
    def add() -> Note:
        return read_json(Note)

    @app.get("/notes")
    def find() -> list[Note]:
        read_query(Search)
        return []

    @app.post("/orders")
    def order() -> dict[str, int]:
        return {"amount": read_form(Order)["amount"]}

    document = describe(app)
    body = document["paths"]["/notes"]["post"]["requestBody"]
    assert body == {"required": True, "content": json_content(NOTE)}
    # Another field is refused; what is only sent may have one.
    assert document["components"]["schemas"]["Note"]["additionalProperties"] is False
    words, page = document["paths"]["/notes"]["get"]["parameters"][::-1]
    assert (words["name"], words["in"], page["name"]) == ("words", "query", "page")
    assert words["schema"] == {
        "type": "string",
        "maxLength": 20,
        "description": "What to find.",
    }
    assert "required" not in words
    assert words["allowEmptyValue"]
    form = document["paths"]["/orders"]["post"]["requestBody"]["content"]
    assert form.keys() == {"application/x-www-form-urlencoded", "multipart/form-data"}
    for media in form.values():
        assert media["schema"]["required"] == ["amount"]
        is_gift = media["schema"]["properties"]["is_gift"]
        assert is_gift["anyOf"] == [{"type": "boolean"}, {"enum": ["on", "off", 1, 0]}]


def test_what_is_read_otherwise_than_sent_has_a_name_of_its_own(app: Flask) -> None:
    @app.post("/meetings")
    def add() -> Meeting:
        return read_json(Meeting)

    @app.post("/new")
    def new() -> list[Tag]:
        return [read_json(NewMeeting)["tag"]]

    document = describe(app)
    operation = document["paths"]["/meetings"]["post"]
    assert operation["responses"]["200"]["content"] == json_content(
        {"$ref": "#/components/schemas/Meeting"}
    )
    assert operation["requestBody"]["content"] == json_content(
        {"$ref": "#/components/schemas/MeetingInput"}
    )
    schemas = document["components"]["schemas"]
    assert schemas["Meeting"]["properties"]["at"]["format"] == "http-date"
    assert schemas["MeetingInput"]["properties"]["tag"] == TAG
    assert "NewMeeting" in schemas
    assert schemas.keys().isdisjoint({"TagInput", "NewMeetingInput"})


def test_that_name_is_not_taken_from_another_type(app: Flask) -> None:
    class MeetingInput(TypedDict):
        words: str

    @app.post("/meetings")
    def add() -> Meeting:
        read_json(MeetingInput)
        raise NotImplementedError

    @app.put("/meetings")
    def put() -> Meeting:
        return read_json(Meeting)

    schemas = describe(app)["components"]["schemas"]
    assert schemas["MeetingInput"]["properties"].keys() == {"words"}
    assert schemas["MeetingInput_2"]["properties"].keys() == {"at", "tag"}


def test_what_refers_to_such_a_type_is_one_too(app: Flask) -> None:
    class Week(TypedDict):
        meetings: list[Meeting]

    @app.put("/week")
    def put() -> Week:
        return read_json(Week)

    schemas = describe(app)["components"]["schemas"]
    assert schemas["WeekInput"]["properties"]["meetings"]["items"] == {
        "$ref": "#/components/schemas/MeetingInput"
    }


def test_a_view_may_read_json_or_a_form(app: Flask) -> None:
    @app.post("/notes")
    def add() -> Note:
        return read_json(Note) if request.is_json else read_form(Note)

    content = described(app)["/notes"]["post"]["requestBody"]["content"]
    assert list(content) == ["application/json", *FORMS]
    assert content["application/json"] == {"schema": NOTE}


def test_types_of_one_name_that_are_read_have_different_ones(app: Flask) -> None:
    @app.post("/notes")
    def add() -> dict[str, Chapter[Note]]:
        return {"chapter": read_json(Chapter[Note])}

    @app.post("/library")
    def add_other() -> dict[str, int]:
        return {"pages": len(read_json(Chapter[Library.Note]).items)}

    schemas = describe(app)["components"]["schemas"]
    assert schemas["Note"]["properties"].keys() == {"id", "text"}
    assert schemas["Library_Note"]["properties"].keys() == {"page"}
    items = schemas["Chapter_Library_Note"]["properties"]["items"]["items"]
    assert items == {"$ref": "#/components/schemas/Library_Note"}
    assert schemas.keys() >= {"Chapter_Note"}
    assert schemas.keys().isdisjoint({"Chapter_NoteInput", "NoteInput"})


def test_a_union_in_a_type_that_is_sent_and_read_is_one_type(app: Flask) -> None:
    @app.post("/notes")
    def add() -> dict[str, Chapter[Optional[Note]]]:  # noqa: UP045
        return {"chapter": read_json(Chapter[Note | None])}

    schemas = describe(app)["components"]["schemas"]
    assert schemas["Chapter_Note_or_None"]["title"] == "Chapter[Note | None]"
    assert len(schemas) == len({"FieldError", "Problem", "Note", "Chapter"})


def test_what_it_reads_leaves_what_it_answers(app: Flask) -> None:
    app.add_url_rule("/x", view_func=read_union, methods=["POST"])
    operation = described(app)["/x"]["post"]
    assert operation["responses"]["200"]["content"] == json_content(NOTE)
    assert "requestBody" not in operation


def read_nothing() -> "Missing":  # noqa: F821
    return read_json(Tag)


def test_what_it_answers_leaves_what_it_reads(app: Flask) -> None:
    app.add_url_rule("/x", view_func=read_nothing, methods=["POST"])
    operation = described(app)["/x"]["post"]
    assert operation["requestBody"]["content"] == json_content(TAG)
    assert operation["x-no-shape"].startswith("its answer is not described: ")


class Deep(TypedDict):
    note: Note | None


class Table(TypedDict):
    rows: list[list[int]]


class Free(TypedDict):
    words: dict[str, str]


class Flat(TypedDict):
    words: list[str | int] | None
    color: Color
    other: Any
    note: Note | str


def read_deep() -> Note:
    return read_query(Deep)


def read_table() -> Note:
    return read_form(Table)


def read_free() -> Note:
    return read_query(Free)


def test_a_query_may_have_texts_and_lists_of_them(app: Flask) -> None:
    @app.get("/x")
    def find() -> Note:
        return read_query(Flat)

    document = describe(app)
    assert missing_shapes(document) == []
    names = {p["name"] for p in document["paths"]["/x"]["get"]["parameters"]}
    assert names == {"words", "color", "other", "note"}


def read_union() -> Note:
    return read_json(list[Note | Tag])


def read_list() -> Note:
    return read_query(list[Note])


def read_pair() -> Note:
    return read_form(Pair)


@pytest.mark.parametrize(
    ("view", "reason"),
    [
        (read_union, "what it reads is not described: Type unions may not contain"),
        (read_list, "a query is read as a TypedDict, a dataclass or a Struct"),
        (read_pair, "a form is read as a TypedDict, a dataclass or a Struct"),
        (read_deep, "Deep.note: a query cannot have an object or a list of lists"),
        (read_table, "Table.rows: a form cannot have an object or a list of lists"),
        (read_free, "Free.words: a query cannot have an object"),
    ],
)
def test_what_cannot_be_read_says_why(app: Flask, view: Callable, reason: str) -> None:
    app.add_url_rule("/x", view_func=view, methods=["POST"])
    (line,) = missing_shapes(describe(app))
    assert line.startswith("POST /x: what it reads is not described: ")
    assert reason in line


def test_the_version_is_that_of_the_app() -> None:
    app = load_app(APP_VERSION="1.2")
    assert describe(app)["info"] == {"title": app.name, "version": "1.2"}
    assert describe(Flask("plain"))["info"] == {"title": "plain", "version": "0"}


def test_answers_have_a_status_and_a_type() -> None:
    assert answers_of(returning(tuple[Note, Literal[201]] | Tag)) == [
        (201, Note),
        (200, Tag),
    ]
    assert answers_of(lambda: "") == []


@pytest.mark.parametrize(
    ("settings", "is_answered"),
    [
        ({}, False),
        ({"DEBUG": "1"}, True),
        ({"OPENAPI": "true"}, True),
        ({"OPENAPI": "false"}, False),
        ({"TESTING": "true"}, False),
    ],
)
def test_the_description_is_answered_in_debug_or_by_a_setting(
    settings: dict[str, str], is_answered: bool
) -> None:
    app = load_app(**settings)
    app.add_url_rule("/x", view_func=view)
    response = app.test_client().get("/openapi.json")
    assert response.status_code == (200 if is_answered else 404)
    if is_answered:
        assert response.content_type == "application/json"
        assert response.json == describe(app)
        assert response.headers["X-Request-ID"]
        assert app.test_client().head("/openapi.json").status_code == 200
        assert app.test_client().post("/openapi.json").status_code == 404


def test_the_description_is_made_once_for_the_same_routes() -> None:
    app = load_app(DEBUG="1")
    client = app.test_client()
    with patch("react_flask_kit.description.describe", wraps=describe) as describing:
        first = client.get("/openapi.json")
        assert client.get("/openapi.json").data == first.data
        assert describing.call_count == 1
        app.url_map.add(Rule("/later", endpoint=next(iter(app.view_functions))))
        assert "/later" in client.get("/openapi.json").json["paths"]


def test_a_route_of_the_app_for_it_wins() -> None:
    app = load_app(DEBUG="1")
    app.add_url_rule("/openapi.json", view_func=view)
    assert app.test_client().get("/openapi.json").json == view()


def test_an_app_that_does_not_use_it_does_not_import_it() -> None:
    code = """
import sys
from flask import Flask
from react_flask_kit import Kit
app = Flask("app")
Kit(app)
@app.get("/x")
def view() -> dict[str, int]:
    return {"a": 1}
assert app.test_client().get("/x").json == {"a": 1}
assert app.test_client().get("/openapi.json").status_code == 404
print(*sys.modules)
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, env=clean_env(), capture_output=True, text=True, check=True
    )
    kit = {name for name in done.stdout.split() if name.startswith("react_flask_kit.")}
    unused = ("description", "json_shapes", "return_hints", "inputs", "answers")
    assert "msgspec" not in done.stdout.split()
    assert kit.isdisjoint(f"react_flask_kit.{name}" for name in unused)
