"""The parameters in the address of a route, as its converters say what they may be."""

import ast
import re
from typing import Any, NamedTuple

from werkzeug.routing import (
    AnyConverter,
    BaseConverter,
    FloatConverter,
    IntegerConverter,
    Map,
    UUIDConverter,
)

# As Werkzeug documents it: <converter(arguments):name>.
PARAMETER = re.compile(
    r"<(?:(?P<converter>[a-zA-Z_]\w*)(?:\((?P<arguments>.*?)\))?:)?"
    r"(?P<name>[a-zA-Z_]\w*)>"
)
ARGUMENT = re.compile(r"""(?:(\w+)\s*=\s*)?("[^"]*"|'[^']*'|[^\s,]+)""")


class Parameter(NamedTuple):
    """A parameter of a route."""

    name: str
    # "string", "int", "path", … or the name that the app has given its own.
    converter: str
    schema: dict[str, Any]


def parameters_in(rule: str, url_map: Map) -> list[Parameter]:
    """Return the parameters in a rule such as "/notes/<int:id>", in their order."""
    parameters = []
    for match in PARAMETER.finditer(rule):
        name = match["converter"] or "default"
        arguments = ARGUMENT.findall(match["arguments"] or "")
        converter = url_map.converters[name](
            url_map,
            *(value_of(text) for key, text in arguments if not key),
            **{key: value_of(text) for key, text in arguments if key},
        )
        name = "string" if name == "default" else name
        parameters.append(Parameter(match["name"], name, schema_of(converter)))
    return parameters


def path_of(rule: str) -> str:
    """Return a rule as OpenAPI writes it: "/notes/{id}"."""
    return PARAMETER.sub(r"{\g<name>}", rule)


def value_of(text: str) -> Any:
    """Return what a literal says; another word stands for itself, as in `any(a, b)`."""
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text


def schema_of(converter: BaseConverter) -> dict[str, Any]:
    """Return the schema of the text that a converter takes."""
    if isinstance(converter, IntegerConverter | FloatConverter):
        is_whole = isinstance(converter, IntegerConverter)
        least = converter.min if converter.signed else max(converter.min or 0, 0)
        limits = {"minimum": least, "maximum": converter.max}
        return {"type": "integer" if is_whole else "number"} | {
            name: limit for name, limit in limits.items() if limit is not None
        }
    if isinstance(converter, AnyConverter):
        return {"enum": sorted(converter.items)}
    if isinstance(converter, UUIDConverter):
        return {"type": "string", "format": "uuid"}
    return {"type": "string", "pattern": f"^(?:{converter.regex})$"}
