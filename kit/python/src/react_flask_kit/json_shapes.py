"""What an app's JSON sends of each type: as JSON Schema, which msgspec makes.

msgspec describes what msgspec would send. So each type is first replaced by one that is
sent by msgspec as the original is by the app, which is asked with a sample: a datetime
is text to Flask, a time an error.
"""

import json
from collections.abc import Collection, Hashable, Iterable, Mapping, Set
from contextlib import suppress
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, Flag
from inspect import isabstract
from pathlib import PurePath
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    ForwardRef,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
)
from uuid import UUID

import msgspec
from flask.json.provider import JSONProvider
from msgspec import UNSET
from werkzeug.http import http_date

from .return_hints import HintError, members_of, plain_type
from .type_fields import Field, fields_of, has_fields, is_typed_dict
from .type_names import type_name

COMPONENT = "#/components/schemas/"
MOMENT = datetime(2001, 2, 3, 4, 5, 6, tzinfo=timezone.utc)
SAMPLES: dict[type, Any] = {
    bytearray: bytearray(b"a"),
    bytes: b"a",
    complex: 1j,
    datetime: MOMENT,
    date: MOMENT.date(),
    Decimal: Decimal("1.5"),
    PurePath: PurePath("a"),
    time: MOMENT.time(),
    timedelta: timedelta(1),
    UUID: UUID(int=1),
    memoryview: memoryview(b"a"),
    range: range(1),
}
# What the text that is sent of a sample means; other text is just text.
FORMATS = {
    http_date(MOMENT): "http-date",
    http_date(MOMENT.date()): "http-date",
    MOMENT.date().isoformat(): "date",
    str(SAMPLES[Decimal]): "decimal",
    str(SAMPLES[UUID]): "uuid",
}
NATIVE = (bool, int, float, str)
# What a hint is likely to stand for that names no class, such as Sequence.
LIKELY: dict[type, Any] = {Mapping: {}, Set: set(), Collection: []}
CURES: dict[type, str] = {
    Flag: "let it be an IntFlag, or send its value",
    Enum: "let it inherit from str too, as `class Color(str, Enum)`",
    **dict.fromkeys((bytes, bytearray, memoryview), "send text, in base64 for example"),
    Mapping: "write its keys as text",
    Iterable: "send a list",
    object: "send a str, a number or a TypedDict, or let app.json know it",
}


class Shapes:
    """The schemas of what one app sends, and of the named types in them."""

    def __init__(self, provider: JSONProvider) -> None:
        """Begin without a named type; `provider` is the app's."""
        self.provider = provider
        self.named: dict[Hashable, dict[str, Any]] = {}

    def schema(self, hint: Any) -> dict[str, Any]:
        """Return the schema of what is sent of a type.

        A reference to a named type is "#/components/schemas/N", where N counts those in
        `named`. Raises HintError for what cannot be sent, or where nobody can tell.
        """
        before = dict(self.named)
        try:
            return render(self.sent(hint))
        except Exception as error:
            self.named = before
            if isinstance(error, HintError):
                raise
            raise HintError(
                f"nobody can tell what is sent of {type_name(hint)} "
                f"({type(error).__name__}: {error})"
            ) from error

    def sent(self, hint: Any) -> Any:
        """Return a type that msgspec sends as the app sends this one."""
        cls, args = get_origin(hint) or hint, get_args(hint)
        if hasattr(cls, "__value__") or has_fields(cls) or is_enum(cls):
            return self.reference(hint)
        if isinstance(hint, TypeVar):
            return self.sent(hint.__bound__ or Any)
        if cls is Annotated:
            sent = self.sent(args[0])
            # What msgspec checks of a datetime, say, it cannot check of text.
            is_other = get_origin(sent) is Annotated
            return sent if is_other else Annotated[(sent, *args[1:])]
        if hint is not (plain := plain_type(hint)):
            return self.sent(plain)
        if cls in (Union, UnionType):
            # As schemas, since msgspec allows a union only one list and one object.
            sent = [a if a is NoneType else as_is(render(self.sent(a))) for a in args]
            return Union[tuple(sent)]  # noqa: UP007
        if cls is Literal:
            return as_is({"enum": [self.measured(value) for value in args]})
        if hint in (Any, object, None, NoneType):
            return Any if hint is object else hint
        if isinstance(hint, ForwardRef | str):
            name = getattr(hint, "__forward_arg__", hint)
            raise HintError(
                f'nobody can tell what "{name}" is inside another hint: write all of '
                f"that as text; where an alias contains itself, write Any there, or "
                f"`type {name} = …` from Python 3.12 on"
            )
        if is_unpacked(hint):
            raise HintError(
                "a tuple with some places and then any number of others has no shape: "
                "write a list, or a tuple of one kind, as tuple[str, ...]"
            )
        if isinstance(cls, type):
            return self.sent_class(cls, args)
        raise HintError(f"nobody can tell what is sent of {hint}")

    def sent_class(self, cls: type, args: tuple) -> Any:
        """Return what `sent` does, for a class without fields and its arguments."""
        if native := next((n for n in NATIVE if issubclass(cls, n)), None):
            return native
        if known := next((k for k in SAMPLES if issubclass(cls, k)), None):
            return self.sent_sample(SAMPLES[known])
        if issubclass(cls, Flag):
            return self.sent_sample(next(iter(cls), cls(0)))
        if issubclass(cls, tuple) and args and args[-1] is not ...:
            return tuple[tuple(map(self.sent, args))]
        if not issubclass(cls, Collection):
            return str if hasattr(cls, "__html__") else self.sent_sample(blank(cls))
        likely = next(LIKELY[base] for base in LIKELY if issubclass(cls, base))
        self.measured(likely if isabstract(cls) else cls())
        if not issubclass(cls, Mapping):
            return list[self.sent(args[0])] if args else list
        if not args:
            return dict
        self.check_key(args[0])
        # A Counter has numbers.
        return dict[str, self.sent(args[1] if len(args) > 1 else int)]

    def sent_sample(self, sample: Any) -> Any:
        """Return a type that msgspec sends as the app sends a sample."""
        value = self.measured(sample)
        if not isinstance(value, str):
            return type(value) if isinstance(value, NATIVE) else Any
        meaning = {"format": FORMATS[value]} if value in FORMATS else {}
        return as_is({"type": "string"} | meaning)

    def measured(self, value: Any) -> Any:
        """Return a value as whoever reads the app's JSON has it, or raise HintError."""
        try:
            return json.loads(self.provider.dumps(value))
        except Exception as error:
            raise unsendable(type(value), str(error)) from error

    def check_key(self, hint: Any) -> None:
        """Raise HintError where a type cannot be the key of an object in JSON."""
        for member in members_of(hint):
            plain = plain_type(member)
            cls = get_origin(plain) or plain
            keys = get_args(plain) if cls is Literal else ()
            if isinstance(cls, type) and issubclass(cls, Enum):
                keys = tuple(cls)
            elif cls in SAMPLES or cls is tuple:
                keys = (SAMPLES.get(cls, ()),)
            for key in keys:
                self.measured({key: None})

    def reference(self, hint: Any) -> Any:
        """Return what refers to a named type; it is described when it is met first."""
        if hint not in self.named:
            # What refers to itself finds itself there.
            self.named[hint] = {}
            self.named[hint] = self.described(hint)
        return as_is({"$ref": f"{COMPONENT}{list(self.named).index(hint)}"})

    def described(self, hint: Any) -> dict[str, Any]:
        """Return the schema of a named type."""
        cls = get_origin(hint) or hint
        if hasattr(cls, "__value__"):
            return render(self.sent(plain_type(hint)))
        if is_enum(cls):
            values = [self.measured(member) for member in cls]
            if values == [member.value for member in cls]:
                # msgspec knows those of text and of whole numbers.
                with suppress(HintError):
                    return render(cls)
            return {"title": cls.__name__, "enum": values}
        fields = fields_of(hint)
        if is_typed_dict(cls) or self.is_sent_as_object(cls, fields):
            return render(self.object_type(hint, fields))
        return render(tuple[tuple(self.field_type(hint, field) for field in fields)])

    def is_sent_as_object(self, cls: type, fields: Collection[Field]) -> bool:
        """Tell whether an instance is sent as an object of its fields, or as a list."""
        names = {field.name for field in fields}
        value = self.measured(filled(cls, names))
        if isinstance(value, list) and len(value) == len(names):
            return False
        if isinstance(value, dict) and value.keys() == names:
            return True
        raise HintError(
            f"{cls.__name__} is sent as something else than its fields: {CURES[object]}"
        )

    def object_type(self, hint: Any, fields: Collection[Field]) -> type:
        """Return a class that msgspec sends as these fields."""
        cls = get_origin(hint) or hint
        doc = cls.__doc__ or ""
        # The keys of a TypedDict need not be names to Python.
        keys = {f"f{index}": field.name for index, field in enumerate(fields)}
        members = [
            (key, self.field_type(hint, field), *([] if field.is_required else [UNSET]))
            for key, field in zip(keys, fields, strict=True)
        ]
        # What dataclass has made is no docstring.
        namespace = {} if doc.startswith(f"{cls.__name__}(") else {"__doc__": doc}
        return msgspec.defstruct(
            type_name(hint), members, rename=keys, namespace=namespace, kw_only=True
        )

    def field_type(self, hint: Any, field: Field) -> Any:
        """Return what `sent` does for a field, or raise HintError with its name."""
        try:
            return self.sent(field.type)
        except HintError as error:
            raise HintError(f"{type_name(hint)}.{field.name}: {error}") from error


def is_enum(cls: Any) -> bool:
    """Tell whether a class is an Enum with but the values that it lists."""
    is_class = isinstance(cls, type)
    return is_class and issubclass(cls, Enum) and not issubclass(cls, Flag)


def is_unpacked(hint: Any) -> bool:
    """Tell whether a hint is one in the place of several: `*tuple[str, ...]`."""
    # That of typing_extensions is another.
    is_named = str(get_origin(hint)).endswith("Unpack")
    return is_named or getattr(hint, "__unpacked__", False)


def as_is(schema: dict[str, Any]) -> Any:
    """Return a type that msgspec describes by this schema."""
    return Annotated[Any, msgspec.Meta(extra_json_schema=schema)]


def render(sent: Any) -> dict[str, Any]:
    """Return the schema that msgspec makes of one type, or raise HintError."""
    try:
        (schema,), components = msgspec.json.schema_components([sent])
    except (TypeError, ValueError) as error:
        raise HintError(str(error)) from error
    return next(iter(components.values()), schema)


def unsendable(cls: type, why: str) -> HintError:
    """Return the error for a type that the app's JSON does not take."""
    cure = next(CURES[base] for base in CURES if issubclass(cls, base))
    return HintError(f"the app's JSON cannot send {cls.__name__} ({why}): {cure}")


def blank(cls: type) -> Any:
    """Return an instance whose constructor has not run, or raise HintError."""
    try:
        return object.__new__(cls)
    except TypeError as error:
        raise unsendable(cls, str(error)) from error


def filled(cls: type, names: Collection[str]) -> Any:
    """Return an instance whose fields are empty text, or raise HintError."""
    values = dict.fromkeys(names, "")
    if issubclass(cls, tuple):
        return tuple.__new__(cls, values.values())
    try:
        if issubclass(cls, msgspec.Struct):
            return cls(**values)
        instance = blank(cls)
        for name, value in values.items():
            object.__setattr__(instance, name, value)
    except Exception as error:
        raise unsendable(cls, str(error)) from error
    return instance


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Return a part of a document whose references to components have other names."""
    if isinstance(value, list):
        return [renamed(inner, names) for inner in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("$ref"), str):
        name = value["$ref"].removeprefix(COMPONENT)
        return value | {"$ref": COMPONENT + names.get(name, name)}
    return {key: renamed(inner, names) for key, inner in value.items()}
