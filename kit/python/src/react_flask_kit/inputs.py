"""What a client sends, checked and converted by msgspec: JSON, a query, a form.

What does not fit the wanted type is a 422, which names each field that is wrong.
"""

import ast
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from typing import Any, TypeVar, overload

import msgspec
from flask import current_app, request
from flask.json.provider import DefaultJSONProvider
from msgspec import inspect as shapes
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest, UnprocessableEntity, UnsupportedMediaType

from .errors import FORMS, problem
from .limits import StrictJSONProvider, finite_float
from .return_hints import function_of
from .source import definition_of, names_in, own_nodes, resolve
from .strictness import Test, strictness
from .validation import (
    NUMBER,
    Mismatch,
    Path,
    SearchLimitError,
    Shape,
    Validator,
    is_list,
    is_object,
    members_of,
    names_of,
    shape_of,
    types_of,
    values_of,
)

T = TypeVar("T")

MOST_ERRORS = 100
ONCE = "must be given once"
TOO_DEEP = "The JSON is nested too deeply."
# Of what is found last in much that is sent.
SOMEWHERE = "has a field or a number in it that is not allowed"
# As browsers send it of an <input type="datetime-local"> or "time".
WITHOUT_SECONDS = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T)?[0-9]{2}:[0-9]{2}")
# "on" is what browsers send of a checkbox.
BOOLEANS: dict[str, bool] = {
    **dict.fromkeys(("true", "on", "1"), True),
    **dict.fromkeys(("false", "off", "0"), False),
}
NUMBERS = (shapes.IntType, shapes.FloatType)


class InputError(UnprocessableEntity):
    """What a client has sent does not fit; `errors` says of each field why."""

    def __init__(self, mismatches: list[Mismatch]) -> None:
        """Make the answer, as problem details."""
        self.errors = [
            {"pointer": pointer(path), "detail": detail} for path, detail in mismatches
        ]
        path, detail = mismatches[0]
        name = ".".join(map(str, path)) or "What was sent"
        more = len(mismatches) - 1
        others = f", and {more} more {'do' if more > 1 else 'does'} not fit"
        super().__init__(f"{name} {detail}{others if more else ''}.")
        self.response = problem(self, errors=self.errors)


@overload
def read_json(type_: type[T], /, *, ignore_unknown: bool = False) -> T: ...
@overload
def read_json(type_: Any, /, *, ignore_unknown: bool = False) -> Any: ...
def read_json(type_: Any, /, *, ignore_unknown: bool = False) -> Any:
    """Return the JSON of the request as a value of a type.

    The type is what msgspec reads: a TypedDict, a dataclass, a msgspec.Struct,
    list[...], with limits by Annotated[..., msgspec.Meta(...)]. What does not fit is
    answered with a 422 whose `errors` name each field, and so is a field that the type
    does not have, unless `ignore_unknown`. Otherwise as `request.get_json()`: 415 for
    another content type, 400 for what is no JSON, 413 for too much.
    """
    return checked(json_of_request(), type_, ignore_unknown)


@overload
def read_query(type_: type[T], /, *, ignore_unknown: bool = True) -> T: ...
@overload
def read_query(type_: Any, /, *, ignore_unknown: bool = True) -> Any: ...
def read_query(type_: Any, /, *, ignore_unknown: bool = True) -> Any:
    """Return the query of the request's address as a value of a type.

    The type has fields: a TypedDict, a dataclass or a msgspec.Struct. Numbers, true and
    false are read from their text; of a list, each entry is sent under the same name.
    An empty value that is not text counts as none; where there is none and the type has
    no default, a bool is False, a list empty, and what may be None is None. What does
    not fit is a 422, as `read_json` answers it.
    """
    return checked_fields(request.args, type_, ignore_unknown)


@overload
def read_form(type_: type[T], /, *, ignore_unknown: bool = True) -> T: ...
@overload
def read_form(type_: Any, /, *, ignore_unknown: bool = True) -> Any: ...
def read_form(type_: Any, /, *, ignore_unknown: bool = True) -> Any:
    """Return the form in the request's body as a value of a type; see `read_query`.

    Uploaded files stay in `request.files`. Another content type is a 415.
    """
    if request.mimetype not in FORMS:
        raise UnsupportedMediaType(f"The Content-Type must be {' or '.join(FORMS)}.")
    return checked_fields(request.form, type_, ignore_unknown)


def json_of_request() -> Any:
    """Return what `request.get_json()` does, faster where it is plain JSON."""
    is_plain = type(current_app.json) in (DefaultJSONProvider, StrictJSONProvider)
    try:
        if is_plain and request.is_json:
            try:
                return msgspec.json.decode(request.get_data())
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                # Flask may be able to read it, as UTF-16, and knows what to say if not.
                pass
        return request.get_json()
    except RecursionError:
        raise BadRequest(TOO_DEEP) from None


def checked(
    value: Any, type_: Any, ignore_unknown: bool, repeated: Collection[Path] = ()
) -> Any:
    """Convert a value of JSON, or raise InputError.

    `repeated` are the paths of what was sent several times and must not.
    """
    shape, test = prepared(type_, ignore_unknown)
    try:
        result = msgspec.convert(value, type_, str_keys=True)
        if test is None or test(value):
            return result
        otherwise = Mismatch((), SOMEWHERE)
    except msgspec.ValidationError as error:
        otherwise = mismatch_of(str(error))
    except RecursionError:
        raise BadRequest(TOO_DEEP) from None
    found = Validator(ignore_unknown).mismatches(value, shape)
    raise InputError(
        [
            mismatch._replace(detail=ONCE) if mismatch.path in repeated else mismatch
            for mismatch in first_of(found) or [otherwise]
        ]
    )


def first_of(found: Iterator[Mismatch]) -> list[Mismatch]:
    """Return the first mismatches; fewer where the search is long or deep."""
    mismatches = []
    with suppress(SearchLimitError, RecursionError):
        for mismatch in islice(found, MOST_ERRORS):
            mismatches.append(mismatch)
    return mismatches


def checked_fields(
    source: MultiDict[str, str], type_: Any, ignore_unknown: bool
) -> Any:
    """Convert the fields of a query or a form, or raise InputError."""
    shape = shape_of_fields(type_)
    value = dict(fields_of(source, shape))
    if not ignore_unknown:
        value |= {name: source[name] for name in source.keys() - names_of(shape)}
    repeated = {
        (field.encode_name,)
        for field in shape.fields
        if isinstance(value.get(field.encode_name), list)
        and not any(map(is_list, members_of(field.type)))
    }
    return checked(value, type_, ignore_unknown, repeated)


@lru_cache(maxsize=1000)
def shape_of_fields(type_: Any) -> Any:
    """Return the shape of a type whose fields are read from text.

    Raises TypeError for one that has none, and where a field has parts of its own.
    """
    shape = shape_of(type_)
    if not is_object(shape):
        raise TypeError(
            f"A query and a form are read as a TypedDict, a dataclass or a "
            f"msgspec.Struct, and not as {type_}."
        )
    for field in shape.fields:
        members = members_of(field.type)
        lists = [member for member in members if is_list(member)]
        entries = [kind for each in lists for kind in kinds_in(each)]
        others = [member for member in members if not is_list(member)]
        if any(
            is_list(kind) or is_object(kind) or isinstance(kind, shapes.DictType)
            for kind in [*others, *entries]
        ):
            name = getattr(type_, "__name__", type_)
            raise TypeError(
                f'"{field.encode_name}" of {name} cannot be read from a query or a '
                f"form: each field there is one value, or a list of values."
            )
    return shape


@lru_cache(maxsize=1000)
def prepared(type_: Any, ignore_unknown: bool) -> tuple[Any, Test | None]:
    """Return the shape of a type, and the test of what msgspec lets pass."""
    shape = shape_of(type_)
    return shape, strictness(shape, ignore_unknown)


def fields_of(source: MultiDict[str, str], shape: Any) -> Iterator[tuple[str, Any]]:
    """Yield the fields of an object out of texts, as they would be in JSON."""
    for field in shape.fields:
        name, members = field.encode_name, members_of(field.type)
        lists = [member for member in members if is_list(member)]
        kinds = [kind for each in lists for kind in kinds_in(each)] or members
        texts = source.getlist(name)
        if not takes_empty_text(kinds):
            texts = [text for text in texts if text]
        parts = [value_of(text, kinds) for text in texts]
        if lists and (parts or field.required):
            yield name, parts
        elif parts:
            yield name, parts[0] if len(parts) == 1 else parts
        elif field.required and has_kind(members, shapes.NoneType):
            yield name, None
        elif field.required and has_kind(members, shapes.BoolType):
            # Browsers send nothing of a checkbox that is not checked.
            yield name, False


def kinds_in(shape: Any) -> list[Shape]:
    """Return what the entries of a list may be."""
    is_alike = isinstance(shape, shapes.CollectionType)
    types = [shape.item_type] if is_alike else types_of(shape)
    return [member for type_ in types for member in members_of(type_)]


def takes_empty_text(kinds: list[Shape]) -> bool:
    """Tell whether an empty text is a value, and not how a browser says "none"."""
    texts = [kind for kind in kinds if isinstance(kind, shapes.StrType)]
    is_any = has_kind(kinds, shapes.AnyType)
    is_named = any("" in values_of(kind) for kind in kinds)
    return is_any or is_named or any(not text.min_length for text in texts)


def value_of(text: str, kinds: list[Shape]) -> Any:
    """Return what a text is in JSON: a number, true or false, or still a text."""
    named = [value for kind in kinds for value in values_of(kind)]
    if has_kind(kinds, shapes.StrType, shapes.AnyType) or text in named:
        return text
    is_number = NUMBER.fullmatch(text.strip())
    if is_number and (has_kind(kinds, *NUMBERS) or any(type(v) is int for v in named)):
        with suppress(ValueError):
            return finite_float(text) if set(text) & set(".eE") else int(text)
    if has_kind(kinds, shapes.BoolType) or any(isinstance(v, bool) for v in named):
        return BOOLEANS.get(text.lower(), text)
    if has_kind(kinds, shapes.DecimalType):
        return text.strip()
    has_time = has_kind(kinds, shapes.DateTimeType, shapes.TimeType)
    return f"{text}:00" if has_time and WITHOUT_SECONDS.fullmatch(text) else text


def has_kind(kinds: list[Shape], *wanted: type[Shape]) -> bool:
    """Tell whether one of some shapes is of a wanted kind."""
    return any(isinstance(kind, wanted) for kind in kinds)


def mismatch_of(message: str) -> Mismatch:
    """Return what msgspec says of a value, as `must not be 7 - at `$.days[0]`."""
    detail, _, place = message.partition(" - at `$")
    # What follows an entry of a dict, which it does not name, is not known either.
    known, _, _ = place.rstrip("`").partition("[...]")
    steps = re.findall(r"\.([^.\[]+)|\[([0-9]+)\]", known)
    return Mismatch(tuple(name or int(number) for name, number in steps), detail)


def pointer(path: Iterable[str | int]) -> str:
    """Write a path as a JSON Pointer (RFC 6901): "#/tags/0/name"."""
    steps = [str(step).replace("~", "~0").replace("/", "~1") for step in path]
    return "/".join(["#", *steps])


READERS = {read_json: "json", read_query: "query", read_form: "form"}


def inputs_of(view: Callable) -> dict[str, Any]:
    """Return the types of what a view reads, by "json", "query" and "form".

    They are found in its source, by calls such as `read_json(NewNote)` that stand in
    the function itself, with names that its module knows. Of several types for the same
    input, none is returned.
    """
    function: Any = function_of(view)
    function = getattr(function, "__func__", function)
    definition = definition_of(function)
    if not definition:
        return {}
    names = names_in(function)
    found: dict[str, list[Any]] = {}
    for node in own_nodes(definition):
        # Most calls are others, and name what is not known here.
        with suppress(Exception):
            if isinstance(node, ast.Call):
                reader = READERS[resolve(node.func, names)]
                type_ = resolve(node.args[0], names)
                found.setdefault(reader, []).append(type_)
    return {
        reader: types[0]
        for reader, types in found.items()
        if all(type_ == types[0] for type_ in types)
    }
