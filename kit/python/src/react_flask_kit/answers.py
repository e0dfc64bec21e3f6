"""Answers, checked against the return hints of their views: in development and tests.

The JSON that is sent is compared with the schema that the frontend's types are made of.
The answer itself stays as it is.
"""

import ast
import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Lock
from typing import Any, NamedTuple

from flask import Flask, request
from werkzeug.datastructures import Headers

from .description import handler_of
from .json_shapes import COMPONENT, Shapes
from .own_code import path_in_project
from .return_hints import HintError, answers_of, function_of
from .source import definition_of, own_nodes

Path = tuple[str | int, ...]

# The types of JSON Schema: what is one in Python, and in words.
TYPES: dict[str, tuple[Any, str]] = {
    "string": (str, "a string"),
    "integer": (int, "a whole number"),
    "number": (int | float, "a number"),
    "boolean": (bool, "true or false"),
    "null": (type(None), "null"),
    "array": (list, "a list"),
    "object": (dict, "an object"),
}
# Its limits: what keeps one, and in words.
LIMITS: dict[str, tuple[Callable[[Any, Any], object], str]] = {
    "minimum": (lambda value, limit: value >= limit, "at least {}"),
    "exclusiveMinimum": (lambda value, limit: value > limit, "more than {}"),
    "maximum": (lambda value, limit: value <= limit, "at most {}"),
    "exclusiveMaximum": (lambda value, limit: value < limit, "less than {}"),
    "multipleOf": (lambda value, step: value % step == 0, "a multiple of {}"),
    "minLength": (lambda value, limit: len(value) >= limit, "at least {} long"),
    "maxLength": (lambda value, limit: len(value) <= limit, "at most {} long"),
    "minItems": (lambda value, limit: len(value) >= limit, "at least {} long"),
    "maxItems": (lambda value, limit: len(value) <= limit, "at most {} long"),
    "pattern": (lambda value, pattern: re.search(pattern, value), "like {}"),
}
LONGEST_VALUE = 60


class AnswerError(TypeError):
    """What a view has returned is not what its hint promises."""

    cure = (
        "Mend the view, or its hint. FLASK_CHECK_ANSWERS=false in .env switches the "
        "check off."
    )

    def __init__(self, message: str, filename: str, lineno: int) -> None:
        """Name the view's file and line, as SyntaxError does."""
        super().__init__(message)
        self.filename, self.lineno = filename, lineno


class Promise(NamedTuple):
    """One answer that a hint allows."""

    # None where the hint does not say it.
    status: int | None
    schema: dict[str, Any]


class Misfit(NamedTuple):
    """A part of an answer that its schema does not allow."""

    path: Path
    words: str
    # What it should be, where it is something else.
    wanted: str = ""


def check_answers(app: Flask) -> None:
    """Let an app raise AnswerError where a view returns what it did not promise."""
    app.dispatch_request = AnswerCheck(app)


class AnswerCheck:
    """Stands in for the `dispatch_request` of an app, and returns the same."""

    def __init__(self, app: Flask) -> None:
        """Take the app as it is before its first answer."""
        self.app, self.dispatch_request = app, app.dispatch_request
        self.shapes = Shapes(app.json)
        self.promises: dict[Callable, list[Promise]] = {}
        self.lock = Lock()

    def __call__(self, *args: Any) -> Any:
        """Return what a view returns, or raise AnswerError."""
        answer = self.dispatch_request(*args)
        body, status = parts_of(answer)
        view = self.app.view_functions.get(request.endpoint or "")
        # All else is no JSON, or not known before it is sent.
        if view and isinstance(body, dict | list | str):
            method = "GET" if request.method == "HEAD" else request.method
            self.check(body, status, function_of(handler_of(view, method)))
        return answer

    def check(self, body: Any, status: int, function: Callable) -> None:
        """Raise AnswerError for a body that is not what the hint promises."""
        promises = self.promises_of(function)
        wanted = [p for p in promises if p.status in (None, status)]
        if not wanted and status < 300:
            # Which of the successes it is does not change what the frontend reads.
            wanted = [p for p in promises if (p.status or 200) < 300]
        if not wanted:
            return
        value = body
        if not isinstance(body, str):
            try:
                value = json.loads(self.app.json.dumps(body))
            except Exception:
                # Flask raises it as well, where it belongs.
                return
        misfits = [self.misfit(value, promise.schema) for promise in wanted]
        if None not in misfits:
            raise error_of(function, meant(misfits))

    def promises_of(self, function: Callable) -> list[Promise]:
        """Return the answers that a hint allows, but for those without a shape."""
        with self.lock:
            if function not in self.promises:
                self.promises[function] = list(self.new_promises(function))
            return self.promises[function]

    def new_promises(self, function: Callable) -> Iterator[Promise]:
        """Yield these."""
        with suppress(HintError):
            for status, type_ in answers_of(function):
                with suppress(HintError):
                    yield Promise(status, self.shapes.schema(type_))

    def misfit(self, value: Any, schema: dict, path: Path = ()) -> Misfit | None:
        """Return the first part of a value that its schema does not allow."""
        if reference := schema.get("$ref"):
            named = list(self.shapes.named.values())
            return self.misfit(value, named[int(reference[len(COMPONENT) :])], path)
        if options := schema.get("anyOf"):
            misfits = [self.misfit(value, option, path) for option in options]
            return None if None in misfits else meant(misfits)
        if values := schema.get("enum"):
            is_one = any(value == v and type(value) is type(v) for v in values)
            wanted = " or ".join(map(shown, values))
            return None if is_one else wrong(path, value, wanted)
        type_ = schema.get("type")
        if type_ and not is_a(value, type_):
            return wrong(path, value, TYPES[type_][1])
        for name, (keeps, words) in LIMITS.items():
            if name in schema and not keeps(value, schema[name]):
                return wrong(path, value, words.format(schema[name]))
        parts = parts_in(value, schema, path)
        misfits = (self.misfit(part, inner, where) for where, part, inner in parts)
        return misfit_of_names(value, schema, path) or next(filter(None, misfits), None)


def is_a(value: Any, type_: str) -> bool:
    """Tell whether a value of JSON is of a type, as JSON Schema defines it."""
    if isinstance(value, bool):
        return type_ == "boolean"
    if isinstance(value, float) and type_ == "integer":
        return value.is_integer()
    return isinstance(value, TYPES[type_][0])


def misfit_of_names(value: Any, schema: dict, path: Path) -> Misfit | None:
    """Return the first field of an object that is missing, or that no type has."""
    for name in schema.get("required", ()):
        if name not in value:
            return Misfit((*path, name), "is missing")
    if "properties" in schema:
        for name in value.keys() - schema["properties"].keys():
            return Misfit((*path, name), "is not one of its fields")
    return None


def parts_in(
    value: Any, schema: dict, path: Path
) -> Iterator[tuple[Path, Any, dict[str, Any]]]:
    """Yield the parts of an object or a list: the path, the part and its schema."""
    if isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        for name, part in value.items():
            yield (*path, name), part, known.get(name, others) or {}
    elif isinstance(value, list):
        places = schema.get("prefixItems", ())
        for number, part in enumerate(value):
            inner = places[number] if number < len(places) else schema.get("items")
            yield (*path, number), part, inner or {}


def wrong(path: Path, value: Any, wanted: str) -> Misfit:
    """Return the misfit of what is something else."""
    return Misfit(path, f"is {shown(value)} and not {wanted}", wanted)


def meant(misfits: list[Misfit | None]) -> Misfit:
    """Return, of what does not fit the types of a union, that of the type meant.

    This is the one that fits the farthest; where all are equal, it is all of them.
    """
    found = [misfit for misfit in misfits if misfit]
    best = max(found, key=lambda misfit: (len(misfit.path), bool(misfit.wanted)))
    same = [misfit.wanted for misfit in found if misfit.path == best.path]
    if not all(same):
        return best
    wanted = " or ".join(dict.fromkeys(same))
    return Misfit(best.path, best.words.removesuffix(best.wanted) + wanted, wanted)


def shown(value: Any) -> str:
    """Write a value of JSON, or what it is where that would be long."""
    if isinstance(value, dict | list):
        return TYPES["object" if isinstance(value, dict) else "array"][1]
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def parts_of(answer: Any) -> tuple[Any, int]:
    """Return the body and the status of what a view returns, as Flask reads it."""
    if not isinstance(answer, tuple):
        return answer, 200
    body, *rest = answer or (None,)
    status = rest[0] if rest else None
    if status is None or isinstance(status, (Headers, dict, tuple, list)):
        return body, 200
    digits = str(int(status) if isinstance(status, int) else status)[:3]
    # Werkzeug says what is wrong with another one.
    return (body, int(digits)) if digits.isdecimal() else (None, 200)


def error_of(function: Any, misfit: Misfit) -> AnswerError:
    """Return the error of a view, at the line of its only return, or of its `def`."""
    definition = definition_of(function)
    line, file = function.__code__.co_firstlineno, function.__code__.co_filename
    promised = "something else"
    if definition:
        returns = [n for n in own_nodes(definition) if isinstance(n, ast.Return)]
        line = (returns[0] if len(returns) == 1 else definition).lineno
    if definition and definition.returns:
        promised = ast.unparse(definition.returns).strip("'")
    steps = [f"[{s}]" if isinstance(s, int) else f".{s}" for s in misfit.path]
    where = f'"{"".join(steps).removeprefix(".")}"' if steps else "it"
    name = function.__qualname__.rpartition("<locals>.")[2]
    return AnswerError(
        f"{name}() in {path_in_project(file)} promised {promised}, but {where} "
        f"{misfit.words}.",
        file,
        line,
    )
