"""One description of an API, in OpenAPI 3.1, from what its routes say already.

Rules say the addresses, return hints the answers, docstrings the words, and calls of
read_json, read_query and read_form what is read. Nothing is written for it alone.
"""

import inspect
import re
import typing
from collections import Counter, defaultdict
from collections.abc import (
    AsyncIterable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
    MutableSequence,
    Sequence,
)
from types import NoneType
from typing import Any, NamedTuple, NoReturn, TypedDict, Union, get_origin

from flask import Flask, Response
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.routing import Rule
from werkzeug.wrappers import Response as AnyResponse

from . import errors
from .extension import complete
from .input_schemas import JSON, Input, add_inputs, input_of
from .inputs import inputs_of
from .json_shapes import Shapes, renamed
from .return_hints import Answer, HintError, answers_of, function_of, plain_type
from .type_names import component_names, identifier, numbered
from .url_parameters import Parameter, parameters_in, path_of

METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH", "TRACE")
PROBLEM = "application/problem+json"
ANY = "*/*"
# What Flask makes JSON of, besides dict and list, as hints name it.
JSON_TYPES = (Mapping, MutableMapping, Sequence, MutableSequence)
# What may be sent as anything: responses, other WSGI apps, streams.
OPEN_TYPES = (AnyResponse, HTTPException, Iterator, AsyncIterable)
OPEN = (Any, object, Callable, Iterable)
NEVER = (NoReturn, getattr(typing, "Never", NoReturn))
WITHOUT_BODY = ("204", "205", "304")
UNKNOWN = Answer(None, Response)
# In an operation whose answers or input nobody can tell: why.
NO_SHAPE = "x-no-shape"


class FieldError(TypedDict):
    """What is wrong with one field of what was sent."""

    pointer: str
    detail: str


class ProblemMembers(TypedDict):
    """What every error tells."""

    type: str
    title: str
    status: int
    detail: str | None


class Problem(ProblemMembers, total=False):
    """An error, as problem details (RFC 9457)."""

    instance: str
    request_id: str | None
    errors: list[FieldError]


class Route(NamedTuple):
    """One method of one rule, and what answers it."""

    rule: Rule
    method: str
    handler: Callable
    # A decorator may make an answer of what Flask alone would refuse.
    is_decorated: bool


def describe(app: Flask) -> dict[str, Any]:
    """Return the description of an app's API, as an OpenAPI 3.1 document.

    It has each route but Flask's static files. An operation lacks what cannot be sent
    or read, or whose hint makes no sense: its "x-no-shape" says why. Each parameter of
    an address has "x-converter", the name of its converter.
    """
    complete(app)
    return Describer(app).document()


def missing_shapes(document: dict[str, Any]) -> list[str]:
    """Return a line for each operation that is not described in full, and why."""
    return [
        f"{method.upper()} {path}: {operation[NO_SHAPE]}"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if NO_SHAPE in operation
    ]


def routes_of(app: Flask) -> Iterator[Route]:
    """Yield the routes of an app that a client may ask for."""
    for rule in app.url_map.iter_rules():
        view = app.view_functions.get(rule.endpoint)
        is_answered = not (rule.build_only or rule.websocket or rule.redirect_to)
        if view is None or not is_answered or is_static(app, rule):
            continue
        for method in METHODS:
            # None stands for all of them.
            if rule.methods is None or method in rule.methods:
                handler = handler_of(view, method)
                yield Route(rule, method, handler, is_decorated(view, handler))


def is_static(app: Flask, rule: Rule) -> bool:
    """Tell whether a rule is that of static files, of the app or of a blueprint."""
    scope, _, name = rule.endpoint.rpartition(".")
    owner = app.blueprints.get(scope) if scope else app
    has_files = owner is not None and owner.has_static_folder
    return has_files and name == "static" and rule.arguments == {"filename"}


def handler_of(view: Callable, method: str) -> Callable:
    """Return what answers a method: that of a class, or the view itself."""
    cls = getattr(view, "view_class", None)
    if cls is None:
        return view
    return getattr(cls, method.lower(), cls.dispatch_request)


def is_decorated(view: Callable, handler: Callable) -> bool:
    """Tell whether a decorator (functools.wraps) stands around what answers."""
    return any(hasattr(function, "__wrapped__") for function in (view, handler))


def grouped(routes: Iterable[Route]) -> dict[tuple[str, str], list[Route]]:
    """Return routes by the path and the method of their operation, in order.

    To OpenAPI /x/{id} and /x/{name} are the same path, so both are under the first one.
    """
    paths: dict[str, str] = {}
    groups: dict[tuple[str, str], dict[tuple, Route]] = defaultdict(dict)
    for route in sorted(routes, key=lambda route: route.rule.rule):
        rule = route.rule
        path = path_of(rule.rule)
        path = paths.setdefault(re.sub("{.*?}", "{}", path), path)
        # Of two that are the same, the first one answers.
        key = (rule.rule, rule.host, rule.subdomain)
        groups[path, route.method].setdefault(key, route)
    return {key: [*groups[key].values()] for key in sorted(groups)}


class Describer:
    """The description of one app, while it is made."""

    def __init__(self, app: Flask) -> None:
        """Take the app with all its routes."""
        self.app, self.shapes = app, Shapes(app.json)
        self.problem = self.shapes.schema(Problem) if answers_problems(app) else None
        self.inputs: list[tuple[dict[str, Any], Input]] = []

    def document(self) -> dict[str, Any]:
        """Return the whole description."""
        paths: dict[str, dict[str, Any]] = {}
        ids: set[str] = set()
        groups = grouped(routes_of(self.app))
        endpoints = Counter(routes[0].rule.endpoint for routes in groups.values())
        for (path, method), routes in groups.items():
            name = identifier(routes[0].rule.endpoint) or identifier(path) or "root"
            if endpoints[routes[0].rule.endpoint] > 1:
                name = f"{name}_{method.lower()}"
            operation = self.operation(re.findall("{(.*?)}", path), routes)
            operation["operationId"] = numbered(name, ids)
            paths.setdefault(path, {})[method.lower()] = operation
        hints = [hint for _, input_ in self.inputs for hint in input_.hints.values()]
        of_hints = component_names([*self.shapes.named, *hints])
        names = {str(i): of_hints[hint] for i, hint in enumerate(self.shapes.named)}
        components = {
            names[str(index)]: renamed(schema, names)
            for index, schema in enumerate(self.shapes.named.values())
        }
        add_inputs(self.inputs, components, of_hints)
        version = self.app.config.get("APP_VERSION") or "0"
        return {
            "openapi": "3.1.0",
            "info": {"title": self.app.name, "version": str(version)},
            "paths": renamed(paths, names),
            "components": {"schemas": dict(sorted(components.items()))},
        }

    def operation(self, names: Sequence[str], routes: Sequence[Route]) -> dict:
        """Return an operation; of several routes for it, what any of them does.

        `names` are those of the parameters in the path.
        """
        scope, _, _ = routes[0].rule.endpoint.rpartition(".")
        operation: dict[str, Any] = {"tags": [scope]} if scope else {}
        servers = [server_of(route.rule, self.app) for route in routes]
        if all(servers):
            operation["servers"] = servers
        for route in reversed(routes):
            operation |= words_of(route.handler)
        in_rules = [parameters_in(r.rule.rule, self.app.url_map) for r in routes]
        operation["parameters"] = [
            path_parameter(name, alike)
            for name, *alike in zip(names, *in_rules, strict=True)
        ]
        reasons = []
        before = dict(self.shapes.named)
        try:
            operation["responses"] = self.responses(routes)
        except Exception as error:
            self.shapes.named = before
            operation["responses"] = {"default": self.response("default", {ANY: []})}
            reasons.append(f"its answer is not described: {reason_of(error)}")
        try:
            for kind, type_ in inputs_of(routes[0].handler).items():
                self.inputs.append((operation, input_of(kind, type_)))
        except Exception as error:
            reasons.append(f"what it reads is not described: {reason_of(error)}")
        if reasons:
            operation[NO_SHAPE] = "; ".join(reasons)
        return operation

    def responses(self, routes: Sequence[Route]) -> dict[str, Any]:
        """Return what these routes answer, by status.

        "default" is an error, or an answer whose status the hints do not say.
        """
        found: dict[str, dict[str, list]] = {"default": {}}
        for route in routes:
            for status, type_ in answers_of(route.handler) or [UNKNOWN]:
                if plain_type(type_) in NEVER:
                    continue
                kind = self.media_type(type_, route)
                # A Response brings its own.
                is_known = status and (kind != ANY or status != 200)
                of_status = found.setdefault(str(status) if is_known else "default", {})
                of_status.setdefault(kind, []).append(type_)
        return {
            status: self.response(status, found[status]) for status in sorted(found)
        }

    def response(self, status: str, kinds: dict[str, list]) -> dict[str, Any]:
        """Return what is answered with a status: types by the kind of content."""
        if status == "default":
            words = "An answer that is not listed" if kinds else "An error"
        else:
            words = HTTP_STATUS_CODES.get(int(status), f"Status {status}")
        content: dict[str, Any] = {}
        if status not in WITHOUT_BODY:
            content = {kind: self.media(kind, types) for kind, types in kinds.items()}
            if self.problem and status >= "400":
                content[PROBLEM] = {"schema": self.problem}
        return {"description": words} | ({"content": content} if content else {})

    def media(self, kind: str, types: Sequence[Any]) -> dict[str, Any]:
        """Return the shape of a body of some kind, or of another type in its place."""
        if kind != JSON:
            return {} if kind == ANY else {"schema": {"type": "string"}}
        return {"schema": self.shapes.schema(Union[tuple(types)])}  # noqa: UP007

    def media_type(self, hint: Any, route: Route) -> str:
        """Return as what Flask sends a value of a type; "*/*" where that is open.

        Raises HintError where it makes no answer of one.
        """
        plain = plain_type(hint)
        cls = get_origin(plain) or plain
        if not isinstance(cls, type) or cls in OPEN or issubclass(cls, OPEN_TYPES):
            return ANY
        if issubclass(cls, (str, bytes, bytearray)):
            return self.app.response_class.default_mimetype or ANY
        is_replaced = type(self.app).make_response is not Flask.make_response
        if issubclass(cls, (dict, list)) or cls in JSON_TYPES:
            return JSON
        if cls is not NoneType and (route.is_decorated or is_replaced):
            return JSON
        name = "None" if cls is NoneType else cls.__name__
        raise HintError(
            f"Flask makes no answer of {name}: return a dict, a list, text or Response"
        )


def server_of(rule: Rule, app: Flask) -> dict[str, Any] | None:
    """Return where a rule is answered, if that is on a host of its own."""
    host = rule.host
    if rule.subdomain:
        host = f"{rule.subdomain}.{app.config['SERVER_NAME']}"
    if not host:
        return None
    url = f"//{path_of(host)}"
    names = re.findall("{(.*?)}", url)
    # OpenAPI wants a default for each.
    variables = {name: {"default": name} for name in names}
    return {"url": url} | ({"variables": variables} if variables else {})


def reason_of(error: Exception) -> str:
    """Return why an operation has no shape."""
    is_ours = isinstance(error, HintError)
    return str(error) if is_ours else f"{type(error).__name__}: {error}"


def words_of(function: Callable) -> dict[str, str]:
    """Return the docstring of a view as OpenAPI divides it."""
    doc = inspect.getdoc(function_of(function)) or ""
    # Below such a line, other tools read YAML.
    doc = re.split("^---$", doc, maxsplit=1, flags=re.MULTILINE)[0]
    summary, _, description = doc.partition("\n\n")
    words = {
        "summary": " ".join(summary.split()),
        "description": description.strip(),
    }
    return {name: text for name, text in words.items() if text}


def path_parameter(name: str, alike: Sequence[Parameter]) -> dict[str, Any]:
    """Return a parameter of a path, as several rules may have it in the same place."""
    schemas = [parameter.schema for parameter in alike]
    schemas = [s for index, s in enumerate(schemas) if s not in schemas[:index]]
    converters = {parameter.converter for parameter in alike}
    widest = converters & {"path"} or {"string"}
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas},
        "x-converter": (converters if len(converters) == 1 else widest).pop(),
    }


def answers_problems(app: Flask) -> bool:
    """Tell whether all errors of an app are problem details, by the kit's handler."""
    handlers = [
        handler
        for scope in app.error_handler_spec.values()
        for of_code in scope.values()
        for handler in of_code.values()
    ]
    return [handler.__module__ for handler in handlers] == [errors.__name__]
