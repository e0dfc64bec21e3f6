"""What becomes of each type: one table for the tests of all that is made of it.

A row is a view's return hint, what the view returns, what Flask sends of it, the schema
and the TypeScript that say so, and JSON that they do not allow.
"""

import datetime
import decimal
import enum
import uuid
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Collection, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    Optional,
    TypedDict,
    TypeVar,
    Union,
)

from msgspec import Meta

T = TypeVar("T")
N = TypeVar("N", bound=int)
NoteId = NewType("NoteId", int)
Text = Annotated[str, Meta(min_length=1, max_length=9, description="Some words.")]

DAY = datetime.date(2026, 1, 31)
MOMENT = datetime.datetime(2026, 1, 31, 9, 30, tzinfo=datetime.timezone.utc)
KEY = uuid.UUID(int=7)


class Note(TypedDict):
    """What somebody has written."""

    id: int
    text: str


class _Draft(TypedDict):
    text: str


class Draft(_Draft, total=False):
    id: int


class Tree(TypedDict):
    name: str
    parts: "list[Tree]"


class Tag(TypedDict):
    tag: str


class Meeting(TypedDict):
    at: datetime.datetime
    note: Note


Headers = TypedDict("Headers", {"content-type": str, "class": int})


class Color(str, enum.Enum):
    RED = "red"
    BLUE = "blue"


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


class Access(enum.IntFlag):
    READ = 1
    WRITE = 2


class Rate(float, enum.Enum):
    HALF = 0.5


class Point(NamedTuple):
    x: float
    y: float = 0


@dataclass
class Book:
    """A book of the library."""

    title: str
    printed: datetime.date
    tags: list[str] = field(default_factory=list)


@dataclass
class Box(Generic[T]):
    content: T
    others: list[T]


class Slug(str):
    pass


@dataclass
class Shelf(Box[int]):
    name: str


@dataclass
class Count(Generic[N]):
    number: N


class Page:
    """Something that a template could show."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __html__(self) -> str:
        return f"<p>{self.text}"


class Row(NamedTuple):
    """One type, and what becomes of it."""

    hint: Any
    returned: Any
    sent: Any
    schema: dict[str, Any]
    refused: Any
    typescript: str


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def array(items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


def values(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": schema, **more}


def optional(*schemas: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [*schemas, NULL]}


def record(required: list[str], **properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


INT = {"type": "integer"}
NUMBER = {"type": "number"}
STR = {"type": "string"}
BOOL = {"type": "boolean"}
NULL = {"type": "null"}
HTTP_DATE = {"type": "string", "format": "http-date"}
A_NOTE = {"id": 1, "text": "a"}
A_BOOK = Book("a", DAY)
PAIR = {"type": "array", "minItems": 2, "maxItems": 2, "items": False}
SENT_MOMENT = "Sat, 31 Jan 2026 09:30:00 GMT"
SENT_DAY = "Sat, 31 Jan 2026 00:00:00 GMT"
BOOK = record(
    ["printed", "tags", "title"], printed=HTTP_DATE, tags=array(STR), title=STR
)

# The schemas of the named types, without title and description.
COMPONENTS = {
    "Book": record(
        ["title", "printed", "tags"], title=STR, printed=HTTP_DATE, tags=array(STR)
    ),
    "Box": record(["content", "others"], content={}, others={"type": "array"}),
    "Box_int": record(["content", "others"], content=INT, others=array(INT)),
    "Color": {"enum": ["blue", "red"]},
    "Count": record(["number"], number=INT),
    "Draft": record(["text"], id=INT, text=STR),
    "Headers": record(["class", "content-type"], **{"class": INT, "content-type": STR}),
    "Meeting": record(["at", "note"], at=HTTP_DATE, note=ref("Note")),
    "Note": record(["id", "text"], id=INT, text=STR),
    "Point": PAIR | {"prefixItems": [NUMBER, NUMBER]},
    "Rate": {"enum": [0.5]},
    "Shelf": record(
        ["content", "others", "name"], content=INT, others=array(INT), name=STR
    ),
    "Size": {"enum": [1, 2]},
    "Tag": record(["tag"], tag=STR),
    "Tree": record(["name", "parts"], name=STR, parts=array(ref("Tree"))),
}

TABLE = [
    # Whole answers.
    Row(dict, {"a": 1}, {"a": 1}, {"type": "object"}, [], "Record<string, any>"),
    Row(list, [1, "a"], [1, "a"], {"type": "array"}, {}, "any[]"),
    Row(Note, A_NOTE, A_NOTE, ref("Note"), {"id": 1}, "Note"),
    Row(
        list[Note],
        [A_NOTE],
        [A_NOTE],
        array(ref("Note")),
        A_NOTE,
        "Note[]",
    ),
    Row(Sequence[int], [1], [1], array(INT), ["a"], "number[]"),
    Row(
        Mapping[str, int],
        {"a": 1},
        {"a": 1},
        values(INT),
        {"a": "b"},
        "Record<string, number>",
    ),
    Row(
        OrderedDict[str, bool],
        OrderedDict(a=True),
        {"a": True},
        values(BOOL),
        {"a": 1},
        "Record<string, boolean>",
    ),
    Row(
        Counter[str],
        Counter("aab"),
        {"a": 2, "b": 1},
        values(INT),
        {"a": "b"},
        "Record<string, number>",
    ),
    Row(
        defaultdict[str, list[str]],
        defaultdict(list, a=["b"]),
        {"a": ["b"]},
        values(array(STR)),
        {"a": "b"},
        "Record<string, string[]>",
    ),
    Row(
        MutableMapping[str, int],
        {"a": 1},
        {"a": 1},
        values(INT),
        {"a": "b"},
        "Record<string, number>",
    ),
    Row(
        dict[Any, Collection[int]],
        {"a": [1]},
        {"a": [1]},
        values(array(INT)),
        {"a": 1},
        "Record<string, number[]>",
    ),
    # Plain values.
    Row(list[int], [2**53], [2**53], array(INT), [1.5], "number[]"),
    Row(list[float], [1, 1.5], [1, 1.5], array(NUMBER), ["1"], "number[]"),
    Row(list[str], ["ä"], ["ä"], array(STR), [1], "string[]"),
    Row(list[bool], [True], [True], array(BOOL), [1], "boolean[]"),
    Row(list[None], [None], [None], array(NULL), [0], "null[]"),
    Row(list[Any], [1, {}], [1, {}], {"type": "array"}, "a", "any[]"),
    Row(
        dict[str, object],
        {"a": []},
        {"a": []},
        {"type": "object"},
        "a",
        "Record<string, any>",
    ),
    Row(list[Slug], [Slug("a")], ["a"], array(STR), [1], "string[]"),
    Row(list[NoteId], [NoteId(1)], [1], array(INT), ["1"], "number[]"),
    # As Flask's JSON has them.
    Row(
        list[datetime.datetime],
        [MOMENT],
        [SENT_MOMENT],
        array(HTTP_DATE),
        [0],
        "string[]",
    ),
    Row(list[datetime.date], [DAY], [SENT_DAY], array(HTTP_DATE), [0], "string[]"),
    Row(
        list[decimal.Decimal],
        [decimal.Decimal("1.50")],
        ["1.50"],
        array({"type": "string", "format": "decimal"}),
        [1.5],
        "string[]",
    ),
    Row(
        list[uuid.UUID],
        [KEY],
        [str(KEY)],
        array({"type": "string", "format": "uuid"}),
        [7],
        "string[]",
    ),
    Row(list[Page], [Page("a")], ["<p>a"], array(STR), [{}], "string[]"),
    # Unions.
    Row(
        list[int | str],
        [1, "a"],
        [1, "a"],
        array({"anyOf": [INT, STR]}),
        [None],
        "(number | string)[]",
    ),
    Row(
        list[Optional[int]],  # noqa: UP045
        [1, None],
        [1, None],
        array(optional(INT)),
        ["a"],
        "(number | null)[]",
    ),
    Row(
        list[Union[str, None]],  # noqa: UP007
        [None],
        [None],
        array(optional(STR)),
        [1],
        "(string | null)[]",
    ),
    Row(
        list[Note | Tag],
        [A_NOTE, {"tag": "b"}],
        [A_NOTE, {"tag": "b"}],
        array({"anyOf": [ref("Note"), ref("Tag")]}),
        [{"id": 1}],
        "(Note | Tag)[]",
    ),
    Row(
        dict[str, list[int] | list[str]],
        {"a": ["b"]},
        {"a": ["b"]},
        values({"anyOf": [array(INT), array(STR)]}),
        {"a": [None]},
        "Record<string, number[] | string[]>",
    ),
    Row(
        list[Literal["a", 1, None]],
        ["a", 1],
        ["a", 1],
        array({"enum": ["a", 1, None]}),
        ["b"],
        "('a' | 1 | null)[]",
    ),
    Row(
        list[Literal[True]], [True], [True], array({"enum": [True]}), [False], "true[]"
    ),
    Row(
        list[Literal[Color.RED]],
        [Color.RED],
        ["red"],
        array({"enum": ["red"]}),
        ["blue"],
        "'red'[]",
    ),
    # Several in one.
    Row(
        dict[str, tuple[int, ...]],
        {"a": (1, 2)},
        {"a": [1, 2]},
        values(array(INT)),
        {"a": 1},
        "Record<string, number[]>",
    ),
    Row(
        list[tuple[int, str]],
        [(1, "a")],
        [[1, "a"]],
        array(PAIR | {"prefixItems": [INT, STR]}),
        [[1]],
        "[number, string][]",
    ),
    Row(
        dict[int, str],
        {1: "a"},
        {"1": "a"},
        values(STR),
        {"1": 1},
        "Record<string, string>",
    ),
    Row(
        dict[Color, int],
        {Color.RED: 1},
        {"red": 1},
        values(INT),
        {"red": "a"},
        "Record<string, number>",
    ),
    Row(
        dict[str, dict[str, list[float]]],
        {"a": {"b": [1.5]}},
        {"a": {"b": [1.5]}},
        values(values(array(NUMBER))),
        {"a": [1]},
        "Record<string, Record<string, number[]>>",
    ),
    # With limits.
    Row(
        list[Annotated[int, Meta(ge=1, lt=9)]],
        [1],
        [1],
        array({"type": "integer", "minimum": 1, "exclusiveMaximum": 9}),
        [9],
        "number[]",
    ),
    Row(
        list[Text],
        ["a"],
        ["a"],
        array(
            {
                "type": "string",
                "minLength": 1,
                "maxLength": 9,
                "description": "Some words.",
            }
        ),
        [""],
        "string[]",
    ),
    Row(
        Annotated[list[int], Meta(min_length=1)],
        [1],
        [1],
        array(INT, minItems=1),
        [],
        "number[]",
    ),
    Row(
        list[Annotated[datetime.datetime, Meta(tz=True)]],
        [MOMENT],
        [SENT_MOMENT],
        array(HTTP_DATE),
        [0],
        "string[]",
    ),
    # Named.
    Row(
        Draft,
        {"text": "a"},
        {"text": "a"},
        ref("Draft"),
        {"text": "a", "id": "b"},
        "Draft",
    ),
    Row(
        Tree,
        {"name": "a", "parts": [{"name": "b", "parts": []}]},
        {"name": "a", "parts": [{"name": "b", "parts": []}]},
        ref("Tree"),
        {"name": "a", "parts": [{"name": "b"}]},
        "Tree",
    ),
    Row(
        Headers,
        {"content-type": "a", "class": 1},
        {"content-type": "a", "class": 1},
        ref("Headers"),
        {"class": 1},
        "Headers",
    ),
    Row(
        list[Meeting],
        [{"at": MOMENT, "note": A_NOTE}],
        [{"at": SENT_MOMENT, "note": A_NOTE}],
        array(ref("Meeting")),
        [{"at": "a"}],
        "Meeting[]",
    ),
    Row(list[Color], [Color.RED], ["red"], array(ref("Color")), ["green"], "Color[]"),
    Row(list[Size], [Size.LARGE], [2], array(ref("Size")), [3], "Size[]"),
    Row(
        list[Access],
        [Access.READ | Access.WRITE],
        [3],
        array(INT),
        ["READ"],
        "number[]",
    ),
    Row(list[Rate], [Rate.HALF], [0.5], array(ref("Rate")), [1], "Rate[]"),
    Row(list[Point], [Point(1)], [[1, 0]], array(ref("Point")), [[1]], "Point[]"),
    Row(
        dict[str, Book],
        {"a": A_BOOK},
        {"a": {"title": "a", "printed": SENT_DAY, "tags": []}},
        values(ref("Book")),
        {"a": {"title": "a", "printed": SENT_DAY}},
        "Record<string, Book>",
    ),
    Row(
        list[Box[int]],
        [Box(1, [2])],
        [{"content": 1, "others": [2]}],
        array(ref("Box_int")),
        [{"content": "a"}],
        "Box_int[]",
    ),
    Row(
        list[Box],
        [Box("a", [])],
        [{"content": "a", "others": []}],
        array(ref("Box")),
        [{}],
        "Box[]",
    ),
    Row(
        list[Shelf],
        [Shelf(1, [], "a")],
        [{"content": 1, "others": [], "name": "a"}],
        array(ref("Shelf")),
        [{"content": "a", "others": [], "name": "a"}],
        "Shelf[]",
    ),
    Row(
        list[Count],
        [Count(1)],
        [{"number": 1}],
        array(ref("Count")),
        [{"number": "a"}],
        "Count[]",
    ),
]
