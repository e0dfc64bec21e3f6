"""What the routes read, in the description: msgspec reads it, and describes it."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from .errors import FORMS
from .json_shapes import COMPONENT, identifier, renamed
from .return_hints import HintError

JSON = "application/json"
Schema = dict[str, Any]
# What else is read as a bool out of text.
CHECKS = {"enum": ["on", "off", 1, 0]}
# Where it is written, how it is read, and as which type.
Input = tuple[Schema, str, Any]


def assert_readable(kind: str, type_: Any) -> None:
    """Raise HintError for a type that cannot be read so, or not be described."""
    try:
        (schema,), named = schema_components([type_])
    except Exception as error:
        raise HintError(f"what it reads has no shape: {error}") from error
    reference = schema.get("$ref", "").removeprefix(COMPONENT)
    if kind != "json" and "properties" not in named.get(reference, {}):
        raise HintError(f"a {kind} is read as a TypedDict, a dataclass or a Struct")


def add_inputs(inputs: Iterable[Input], components: dict[str, Schema]) -> None:
    """Write what operations read into them, and named types into `components`."""
    bodies = [(operation, type_) for operation, kind, type_ in inputs if kind == "json"]
    schemas, named = schema_components([type_ for _, type_ in bodies])
    schemas = included(schemas, named, components)
    for (operation, _), schema in zip(bodies, schemas, strict=True):
        operation["requestBody"] = body({JSON: {"schema": schema}})
    for operation, kind, type_ in inputs:
        if kind == "json":
            continue
        (reference,), named = schema_components([type_])
        fields = named.pop(reference["$ref"].removeprefix(COMPONENT))
        (fields,) = included([as_fields(fields)], named, components)
        if kind == "query":
            operation["parameters"] += query_parameters(fields)
        else:
            content = {form: {"schema": fields} for form in FORMS}
            operation["requestBody"] = body(content)


def schema_components(
    types: Iterable[Any],
) -> tuple[Sequence[Schema], dict[str, Schema]]:
    """Return the schemas of types, and of the named types in them."""
    return msgspec.json.schema_components(types, ref_template=f"{COMPONENT}{{name}}")


def included(
    schemas: Iterable[Schema], named: dict[str, Schema], components: dict[str, Schema]
) -> list[Schema]:
    """Add named types to the components; return schemas that refer to them there.

    One that is sent and read gets no other field, since read_json refuses those; if it
    is not the same otherwise, as with a datetime, what is read is called NoteInput.
    """
    names = {name: identifier(name) for name in named}
    while True:
        read = {names[name]: closed(renamed(named[name], names)) for name in named}
        others = {n for n in read if closed(components.get(n, read[n])) != read[n]}
        if not others:
            components |= read
            return [renamed(schema, names) for schema in schemas]
        # What refers to such a one is another one, too.
        names = {
            n: f"{name}Input" if name in others else name for n, name in names.items()
        }


def closed(schema: Schema) -> Schema:
    """Return the schema of an object without other fields than its own."""
    return schema | ({"additionalProperties": False} if "properties" in schema else {})


def body(content: Schema) -> Schema:
    """Return the body of a request."""
    return {"required": True, "content": content}


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
