"""What does not fit a type, in words that can stand beside the field of a form.

msgspec decides fast whether a value fits, and names the first thing that does not. This
finds all of them, by msgspec's own description of the type, which is called a shape.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from msgspec import inspect as shapes

Shape = shapes.Type
Path = tuple[str | int, ...]

# Into what msgspec converts JSON, and what the JSON must be, in words.
KINDS: dict[type[Shape], tuple[Any, str]] = {
    shapes.NoneType: (None, "must be empty"),
    shapes.BoolType: (bool, "must be true or false"),
    shapes.IntType: (int, "must be a whole number"),
    shapes.FloatType: (float, "must be a number"),
    shapes.DecimalType: (Decimal, "must be a number"),
    shapes.StrType: (str, "must be text"),
    shapes.DateTimeType: (
        datetime,
        "must be a date and time, such as 2026-01-31T09:30:00Z",
    ),
    shapes.DateType: (date, "must be a date, such as 2026-01-31"),
    shapes.TimeType: (time, "must be a time, such as 09:30:00"),
    shapes.TimeDeltaType: (timedelta, "must be a duration, such as PT1H30M"),
    shapes.UUIDType: (UUID, "must be a UUID"),
    shapes.BytesType: (bytes, "must be base64"),
    shapes.ByteArrayType: (bytearray, "must be base64"),
    shapes.MemoryViewType: (memoryview, "must be base64"),
}
LIMITS: dict[str, tuple[Callable[[Any, Any], bool], str]] = {
    "ge": (lambda value, limit: value >= limit, "must be at least {}"),
    "gt": (lambda value, limit: value > limit, "must be more than {}"),
    "le": (lambda value, limit: value <= limit, "must be at most {}"),
    "lt": (lambda value, limit: value < limit, "must be less than {}"),
    "multiple_of": (lambda value, step: value % step == 0, "must be a multiple of {}"),
    "pattern": (lambda value, pattern: re.search(pattern, value), "must match {}"),
}
NUMBER = re.compile(r"[-+]?([0-9]+|[0-9]*\.[0-9]+)([eE][-+]?[0-9]+)?")
# As of the numbers of JSON in most languages; 1e999999999 has a gigabyte of digits.
MOST_DIGITS = 308
# A search must not cost much more than the conversion of all that is sent.
MOST_VALUES = 10_000
OBJECTS = (shapes.TypedDictType, shapes.DataclassType, shapes.StructType)


class Mismatch(NamedTuple):
    """A part of a value that does not fit, and what it must be."""

    path: Path
    detail: str


class SearchLimitError(Exception):
    """There is more to look at than MOST_VALUES."""


class Validator:
    """Finds all that does not fit a type in a value of JSON."""

    def __init__(self, ignore_unknown: bool = False) -> None:
        """Let objects have fields that their type does not know, or not."""
        self.ignore_unknown = ignore_unknown
        self.visited = 0

    def mismatches(
        self, value: Any, shape: Shape, path: Path = ()
    ) -> Iterator[Mismatch]:
        """Yield what does not fit, in the order of the value.

        Raises SearchLimitError where this takes too long.
        """
        self.visited += 1
        if self.visited > MOST_VALUES:
            raise SearchLimitError
        shape = plain(shape)
        if isinstance(shape, shapes.UnionType):
            yield from self.of_union(value, members_of(shape), path)
        elif is_object(shape):
            yield from self.of_object(value, shape, path)
        elif isinstance(shape, shapes.DictType):
            if not isinstance(value, dict):
                yield Mismatch(path, "must be an object")
                return
            yield from limited(value, shape, path)
            keys = members_of(shape.key_type)
            for name, part in value.items():
                if not any(is_key(name, key) for key in keys):
                    yield Mismatch((*path, name), "is not known here")
                yield from self.mismatches(part, shape.value_type, (*path, name))
        elif is_list(shape):
            yield from self.of_list(value, shape, path)
        elif detail := detail_of(value, shape):
            yield Mismatch(path, detail)

    def of_object(self, value: Any, shape: Any, path: Path) -> Iterator[Mismatch]:
        """Yield what does not fit in an object with fields of its own."""
        if not isinstance(value, dict):
            yield Mismatch(path, "must be an object")
            return
        tag = getattr(shape, "tag_field", None)
        if tag and value.get(tag, shape.tag) != shape.tag:
            yield Mismatch((*path, tag), one_of([shape.tag]))
        fields = {field.encode_name: field for field in shape.fields}
        for name, part in value.items():
            if name in fields:
                yield from self.mismatches(part, fields[name].type, (*path, name))
            elif name != tag and not self.ignore_unknown:
                yield Mismatch((*path, name), "is not known here")
        for name, field in fields.items():
            if field.required and name not in value:
                yield Mismatch((*path, name), "is required")

    def of_list(self, value: Any, shape: Any, path: Path) -> Iterator[Mismatch]:
        """Yield what does not fit in a list, of any length or of a certain one."""
        if not isinstance(value, list):
            yield Mismatch(path, "must be a list")
        elif isinstance(shape, shapes.CollectionType):
            yield from limited(value, shape, path)
            for number, part in enumerate(value):
                yield from self.mismatches(part, shape.item_type, (*path, number))
        else:
            types = types_of(shape)
            most, fields = len(types), getattr(shape, "fields", ())
            least = most - sum(not field.required for field in fields)
            may_be_more = is_array(shape) and self.ignore_unknown
            if len(value) < least or (len(value) > most and not may_be_more):
                number = counted(most, "entry", "entries")
                between = "" if least == most else f"{least} to "
                yield Mismatch(path, f"must have {between}{number}")
            for number, (part, its_type) in enumerate(zip(value, types, strict=False)):
                yield from self.mismatches(part, its_type, (*path, number))

    def of_union(
        self, value: Any, members: list[Shape], path: Path
    ) -> Iterator[Mismatch]:
        """Yield what does not fit in the member that was meant, else what all want."""
        is_dict = isinstance(value, dict)
        is_alike = is_object if is_dict else is_array
        alike: list[Any] = [member for member in members if is_alike(member)]
        if isinstance(value, dict | list) and len(alike) > 1:
            # msgspec takes several where each has a tag.
            place = alike[0].tag_field if is_dict else 0
            tag = value.get(place) if is_dict else next(iter(value), None)
            for member in alike:
                if tag == member.tag:
                    yield from self.mismatches(value, member, path)
                    return
            yield Mismatch((*path, place), one_of(member.tag for member in alike))
            return
        wanted = []
        for member in members:
            found = self.mismatches(value, member, path)
            first = next(found, None)
            if first is None:
                return
            if is_kind(value, member, first.detail):
                yield first
                yield from found
                return
            if not isinstance(member, shapes.NoneType):
                wanted.append(first.detail.removeprefix("must be "))
        yield Mismatch(path, f"must be {' or '.join(dict.fromkeys(wanted))}")


def shape_of(type_: Any) -> Any:
    """Return msgspec's description of a type; raises TypeError where it has none."""
    return plain(shapes.type_info(type_))


def plain(shape: Shape) -> Shape:
    """Take off what only the description of an API tells."""
    while isinstance(shape, shapes.Metadata):
        shape = shape.type
    return shape


def members_of(shape: Shape) -> list[Shape]:
    """Return what a union consists of, or the shape alone."""
    shape = plain(shape)
    is_union = isinstance(shape, shapes.UnionType)
    return [plain(member) for member in (shape.types if is_union else [shape])]


def is_object(shape: Shape) -> bool:
    """Tell whether a shape is an object with fields of its own."""
    return isinstance(shape, OBJECTS) and not is_array(shape)


def is_array(shape: Shape) -> bool:
    """Tell whether a shape is that of a Struct which is a list in JSON."""
    return getattr(shape, "array_like", False)


def is_list(shape: Shape) -> bool:
    """Tell whether a shape is a list in JSON."""
    lists = (shapes.CollectionType, shapes.TupleType, shapes.NamedTupleType)
    return isinstance(shape, lists) or is_array(shape)


def types_of(shape: Any) -> list[Shape]:
    """Return the shapes in a tuple, each for one place."""
    if isinstance(shape, shapes.TupleType):
        return list(shape.item_types)
    tag = getattr(shape, "tag", None)
    first = [] if tag is None else [shapes.LiteralType((tag,))]
    return [*first, *(field.type for field in shape.fields)]


def names_of(shape: Any) -> set[str]:
    """Return the names that an object may have."""
    tag = getattr(shape, "tag_field", None)
    return {field.encode_name for field in shape.fields} | ({tag} if tag else set())


def is_kind(value: Any, shape: Shape, detail: str) -> bool:
    """Tell whether a value that does not fit is still of the right kind."""
    if is_object(shape) or isinstance(shape, shapes.DictType):
        return isinstance(value, dict)
    if is_list(shape):
        return isinstance(value, list)
    return type(shape) in KINDS and detail != KINDS[type(shape)][1]


def values_of(shape: Any) -> list[Any]:
    """Return the values of a Literal or an Enum; nothing for another shape."""
    if isinstance(shape, shapes.EnumType):
        return [member.value for member in shape.cls]
    return list(getattr(shape, "values", ()))


def one_of(values: Iterable[Any]) -> str:
    """Say that a value must be one of some."""
    values = list(values)
    if len(values) == 1:
        return f"must be {json.dumps(values[0], ensure_ascii=False)}"
    words = [v if isinstance(v, str) else json.dumps(v) for v in values]
    return f"must be one of: {', '.join(words)}"


def detail_of(value: Any, shape: Shape) -> str | None:
    """Return in words what a value without parts must be, or None if it is that."""
    if values := values_of(shape):
        is_one = any(value == v and type(value) is type(v) for v in values)
        return None if is_one else one_of(values)
    kind, words = KINDS.get(type(shape), (Any, ""))
    try:
        converted = msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return words
    if kind is Decimal and not is_number(value):
        return words
    return limit_of(converted, shape)


def is_number(value: Any) -> bool:
    """Tell whether what msgspec takes for a Decimal is a number, as in JSON."""
    text = str(value)
    is_written_so = NUMBER.fullmatch(text) is not None
    return is_written_so and abs(Decimal(text).adjusted()) <= MOST_DIGITS


def is_key(name: str, shape: Shape) -> bool:
    """Tell whether a name fits a type that keys have."""
    kind, _ = KINDS.get(type(shape), (Any, ""))
    with suppress(msgspec.ValidationError):
        return detail_of(msgspec.convert(name, kind, strict=False), shape) is None
    return False


def limited(value: Any, shape: Shape, path: Path) -> Iterator[Mismatch]:
    """Yield a mismatch where a value is beyond a limit of its own."""
    if detail := limit_of(value, shape):
        yield Mismatch(path, detail)


def limit_of(value: Any, shape: Any) -> str | None:
    """Return in words the first limit of msgspec.Meta that a value does not keep."""
    for name, (keeps, words) in LIMITS.items():
        limit = getattr(shape, name, None)
        if limit is not None and not keeps(value, limit):
            return words.format(limit)
    zone = getattr(shape, "tz", None)
    if zone is not None and zone != (value.tzinfo is not None):
        example = "2026-01-31T09:30:00"
        return f"must have {'a' if zone else 'no'} time zone: {example}{'Z' * zone}"
    least = getattr(shape, "min_length", None) or 0
    most = getattr(shape, "max_length", None)
    if least and len(value) < least:
        return "must not be empty" if least == 1 else length(shape, "least", least)
    if most is not None and len(value) > most:
        return length(shape, "most", most)
    return None


def length(shape: Shape, bound: str, number: int) -> str:
    """Say how long a value must be."""
    if isinstance(shape, shapes.StrType):
        return f"must be at {bound} {counted(number, 'character', 'characters')}"
    if type(shape) in KINDS:
        return f"must be at {bound} {counted(number, 'byte', 'bytes')}"
    return f"must have at {bound} {counted(number, 'entry', 'entries')}"


def counted(number: int, one: str, more: str) -> str:
    """Write a number with its noun."""
    return f"{number} {one if number == 1 else more}"
