"""What the routes read, in the description: msgspec reads it, and describes it."""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import inspect as types

from .errors import FORMS
from .json_shapes import COMPONENT, renamed
from .return_hints import HintError
from .type_names import numbered, type_name

JSON = "application/json"
Schema = dict[str, Any]
# What else is read as a bool out of text.
CHECKS = {"enum": ["on", "off", 1, 0]}


class Input(NamedTuple):
    """What an operation reads, as msgspec describes it."""

    # "json", "query" or "form".
    kind: str
    # Its references have the names in `hints`.
    schema: Schema
    named: dict[str, Schema]
    hints: dict[str, Hashable]


def input_of(kind: str, type_: Any) -> Input:
    """Return how a type is read, or raise HintError where it cannot be read so."""
    try:
        (schema,), named = msgspec.json.schema_components(
            [type_], ref_template=f"{COMPONENT}{{name}}"
        )
        hints = dict(zip(named, hints_in(type_), strict=True))
    except Exception as error:
        raise HintError(str(error)) from error
    # msgspec's own differ with the version of Python.
    for name, part in named.items():
        if "title" in part:
            part["title"] = type_name(hints[name])
    if kind == "json":
        return Input(kind, schema, named, hints)
    fields = named.get(schema.get("$ref", "").removeprefix(COMPONENT), {})
    if "properties" not in fields:
        raise HintError(f"a {kind} is read as a TypedDict, a dataclass or a Struct")
    for name, field in fields["properties"].items():
        if not any(is_sent_as_texts(part, named) for part in options_of(field, named)):
            raise HintError(
                f"{type_name(type_)}.{name}: a {kind} cannot have an object or a list "
                f"of lists in it: read text, numbers, or a list of these"
            )
    return Input(kind, fields, named, hints)


def hints_in(type_: Any) -> list[Hashable]:
    """Return the types that msgspec names, in the order of its components."""
    found: dict[Hashable, None] = {}

    def search(part: Any) -> None:
        if isinstance(part, tuple):
            for each in part:
                search(each)
        elif isinstance(part, types.Type | types.Field):
            cls = getattr(part, "cls", None)
            if cls in found:
                return
            if cls:
                found[cls] = None
            for name in part.__struct_fields__:
                search(getattr(part, name))

    search(types.type_info(type_))
    return list(found)


def options_of(schema: Schema, named: dict[str, Schema]) -> list[Schema]:
    """Return the schemas that one of a field is a union of, but for null."""
    parts = schema.get("anyOf", [schema])
    parts = [named.get(p.get("$ref", "").removeprefix(COMPONENT), p) for p in parts]
    return [part for part in parts if part.get("type") != "null"]


def is_sent_as_texts(schema: Schema, named: dict[str, Schema]) -> bool:
    """Tell whether a text, or several of one name, may be what a schema describes."""
    if schema.get("type") != "array":
        return schema.get("type") != "object"
    return all(
        part.get("type") not in ("array", "object")
        for items in (schema.get("items"), *schema.get("prefixItems", ()))
        for part in options_of(items or {}, named)
    )


def add_inputs(
    inputs: Iterable[tuple[Schema, Input]],
    components: dict[str, Schema],
    names: Mapping[Hashable, str],
) -> None:
    """Write what operations read into them, and named types into `components`.

    `names` has a component's name for each type. One that is sent and read gets no
    other field, since read_json refuses those; if it is not the same otherwise, as
    with a datetime, what is read is called NoteInput.
    """
    read: dict[str, Schema] = {}
    wanted: list[tuple[Schema, str, Schema]] = []
    for operation, (kind, schema, named, hints) in inputs:
        own = {name: names[hint] for name, hint in hints.items()}
        # The fields of a query or a form stand in the operation itself.
        read |= {
            own[name]: closed(renamed(part, own))
            for name, part in named.items()
            if part is not schema
        }
        wanted.append((operation, kind, renamed(schema, own)))
    final, taken = {name: name for name in read}, {*components, *read}
    while True:
        parts = {name: renamed(part, final) for name, part in read.items()}
        others = {
            name
            for name, part in parts.items()
            if final[name] == name and closed(components.get(name, part)) != part
        }
        if not others:
            break
        # What refers to such a one is another one, too.
        final |= {name: numbered(f"{name}Input", taken) for name in sorted(others)}
    components |= {final[name]: part for name, part in parts.items()}
    for operation, kind, schema in wanted:
        add_input(operation, kind, renamed(schema, final))


def add_input(operation: Schema, kind: str, schema: Schema) -> None:
    """Write into an operation what it reads."""
    if kind == "query":
        operation["parameters"] += query_parameters(as_fields(schema))
        return
    media = {"schema": schema if kind == "json" else as_fields(schema)}
    content = dict.fromkeys([JSON] if kind == "json" else FORMS, media)
    body = operation.setdefault("requestBody", {"required": True, "content": {}})
    body["content"] |= content


def closed(schema: Schema) -> Schema:
    """Return the schema of an object without other fields than its own."""
    return schema | ({"additionalProperties": False} if "properties" in schema else {})


def as_fields(schema: Schema) -> Schema:
    """Return the schema of an object as that of a form or a query.

    There nothing may stand for False, an empty list and None.
    """
    fields = schema["properties"].items()
    required = [
        name
        for name, field in fields
        if name in schema["required"] and not may_be_absent(field)
    ]
    properties = {name: with_checks(field) for name, field in fields}
    return schema | {"properties": properties, "required": required}


def with_checks(schema: Schema) -> Schema:
    """Return the schema of a field; a bool may also be as browsers send a checkbox."""
    if options := schema.get("anyOf"):
        return schema | {"anyOf": [with_checks(option) for option in options]}
    return {"anyOf": [schema, CHECKS]} if schema.get("type") == "boolean" else schema


def may_be_absent(schema: Schema) -> bool:
    """Tell whether nothing may stand for a value in a form."""
    return schema.get("type") in ("array", "boolean", "null") or any(
        map(may_be_absent, schema.get("anyOf", ()))
    )


def query_parameters(schema: Schema) -> list[Schema]:
    """Return the fields of an object as parameters of a query.

    Where one may be absent, it may be there without a value too.
    """
    return [
        {"name": name, "in": "query", "schema": field}
        | {"required" if name in schema["required"] else "allowEmptyValue": True}
        for name, field in schema["properties"].items()
    ]
