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

from flask import Flask, Response, has_request_context, request

from .description import handler_of, is_decorated
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
# Set in the environ of a request: what its view has returned.
RETURNED = "react_flask_kit.returned"


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
    check = AnswerCheck(app)
    app.dispatch_request = check.dispatch_request
    app.make_response = check.make_response


class AnswerCheck:
    """Stands in for two methods of an app, which return the same as before."""

    def __init__(self, app: Flask) -> None:
        """Take the app as it is before its first answer."""
        self.app = app
        self.dispatch, self.respond = app.dispatch_request, app.make_response
        self.shapes = Shapes(app.json)
        self.promises: dict[Callable, list[Promise]] = {}
        self.lock = Lock()

    def dispatch_request(self, *args: Any) -> Any:
        """Return what a view returns."""
        answer = self.dispatch(*args)
        request.environ[RETURNED] = answer
        return answer

    def make_response(self, answer: Any) -> Any:
        """Return the response, or raise AnswerError for what a view has returned."""
        response = self.respond(answer)
        # Error handlers and views let Flask make responses, too.
        if has_request_context() and request.environ.pop(RETURNED, None) is answer:
            error = None
            # An answer is never lost because it cannot be checked.
            with suppress(Exception):
                error = self.error_in(answer, response)
            if error:
                raise error
        return response

    def error_in(self, answer: Any, response: Response) -> AnswerError | None:
        """Return the error for an answer that is not what the hint promises."""
        body = answer[0] if isinstance(answer, tuple) else answer
        function = self.function_in_charge()
        # All else is no JSON, or not known before it is sent.
        if not function or not isinstance(body, dict | list | str):
            return None
        value = body
        if not isinstance(body, str):
            if not response.is_json or response.is_streamed:
                return None
            value = json.loads(response.get_data())
        promises, status = self.promises_of(function), response.status_code
        wanted = [p for p in promises if p.status in (None, status)]
        if not wanted and status < 300:
            # Which of the successes it is does not change what the frontend reads.
            wanted = [p for p in promises if (p.status or 200) < 300]
        comparison = Comparison(self.shapes)
        misfit = comparison.with_any(value, [p.schema for p in wanted])
        return error_of(function, misfit) if misfit else None

    def function_in_charge(self) -> Callable | None:
        """Return the function that answers the request; None for a decorated one.

        A decorator may make another answer of what the function has promised.
        """
        view = self.app.view_functions.get(request.endpoint or "")
        if not view:
            return None
        method = "GET" if request.method == "HEAD" else request.method
        handler = handler_of(view, method)
        return None if is_decorated(view, handler) else function_of(handler)

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


class Comparison:
    """Compares one value of JSON with schemas."""

    def __init__(self, shapes: Shapes) -> None:
        """Take the named types that the schemas refer to."""
        self.named = list(shapes.named.values())
        # Without this, types that contain unions of each other take exponential time.
        self.known: dict[tuple[int, str], Misfit | None] = {}

    def misfit(self, value: Any, schema: dict, path: Path = ()) -> Misfit | None:
        """Return the first part of a value that its schema does not allow."""
        if reference := schema.get("$ref"):
            return self.misfit_of_named(value, reference, path)
        if options := schema.get("anyOf"):
            return self.with_any(value, options, path)
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

    def with_any(
        self, value: Any, schemas: list[dict], path: Path = ()
    ) -> Misfit | None:
        """Return what does not fit the schema that is meant; None where one allows it.

        None also where there is no schema.
        """
        misfits = []
        for schema in schemas:
            misfit = self.misfit(value, schema, path)
            if misfit is None:
                return None
            misfits.append(misfit)
        return meant(misfits) if misfits else None

    def misfit_of_named(self, value: Any, reference: str, path: Path) -> Misfit | None:
        """Return what `misfit` does, for a named type."""
        schema = self.named[int(reference[len(COMPONENT) :])]
        if not isinstance(value, dict | list):
            # The same number, say, may be in several places.
            return self.misfit(value, schema, path)
        key = (id(value), reference)
        if key not in self.known:
            self.known[key] = self.misfit(value, schema, path)
        return self.known[key]


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
        for name in value:
            if name not in schema["properties"]:
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


def meant(misfits: list[Misfit]) -> Misfit:
    """Return, of what does not fit the types of a union, that of the type meant.

    This is the one that fits the farthest; where all are equal, it is all of them.
    """
    best = max(misfits, key=lambda misfit: (len(misfit.path), bool(misfit.wanted)))
    same = [misfit.wanted for misfit in misfits if misfit.path == best.path]
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
