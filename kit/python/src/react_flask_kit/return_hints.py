"""What a view answers, as its return hint says it: statuses, and a type for each."""

import functools
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from flask import Response
from flask.typing import ResponseReturnValue, ResponseValue
from werkzeug.datastructures import Headers

if sys.version_info >= (3, 14):
    from annotationlib import Format

    # A name that is not known would else be an error at once, whichever hint has it.
    AS_WRITTEN = {"format": Format.FORWARDREF}
else:
    AS_WRITTEN = {}

# Of Flask's own hints, which the module of a view need not have imported.
NAMES = {
    "Headers": Headers,
    "Response": Response,
    "ResponseReturnValue": ResponseReturnValue,
    "ResponseValue": ResponseValue,
    "WSGIApplication": Callable[..., Any],
}

NO_HINT = inspect.Signature.empty


class HintError(Exception):
    """Why nobody can tell what a hint says, in words for whoever wrote it."""


class Answer(NamedTuple):
    """One way in which a view answers: `tuple[Note, Literal[201]]`, for example."""

    # None where the hint does not say it, as `tuple[Note, int]`.
    status: int | None
    # Of the body alone, with what Annotated says of it.
    type: Any


def answers_of(view: Callable) -> list[Answer]:
    """Return how a view answers; nothing for one without a return hint.

    A union is an answer for each member; all that Flask takes, as ResponseReturnValue
    names it, says nothing. Raises HintError where a name in the hint is not known.
    """
    function = function_of(view)
    hint = return_hint(function)
    if hint is NO_HINT:
        return []
    members = list(members_of(hint))
    if all(member in members for member in what_flask_takes()):
        return []
    return [answer for member in members for answer in answers_in(member)]


@functools.cache
def what_flask_takes() -> list[Any]:
    """Return the members of ResponseValue, as they are in the hint of a view."""

    def view() -> ResponseValue:
        raise NotImplementedError

    return list(members_of(return_hint(view)))


def function_of(view: Callable) -> Callable:
    """Return the function with the hints and the docstring of a view.

    Decorators by functools.wraps are taken off; of an object it is `__call__`.
    """
    while True:
        inner = inspect.unwrap(view)
        if isinstance(inner, functools.partial):
            inner = inner.func
        elif not inspect.isroutine(inner):
            inner = type(inner).__call__
        if inner is view:
            return view
        view = inner


def return_hint(function: Callable) -> Any:
    """Return the return hint of a function with its names resolved, or NO_HINT.

    Raises HintError for a name that is not known when Flask runs.
    """
    written = inspect.get_annotations(function, **AS_WRITTEN)
    if "return" not in written:
        return NO_HINT
    # The hints of the arguments may name what is not there.
    alone = SimpleNamespace(
        __annotations__={"return": written["return"]},
        __type_params__=getattr(function, "__type_params__", ()),
    )
    return resolved_hints(alone, getattr(function, "__globals__", {}))["return"]


def resolved_hints(owner: Any, names: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the hints of a class, or of what has `__annotations__` and these names.

    Raises HintError where one cannot be read.
    """
    namespace = names and NAMES | names
    try:
        return get_type_hints(owner, namespace, include_extras=True)
    except NameError as error:
        raise HintError(
            f"{error}, where its hint is read: define or import it at the top of the "
            f"module, and not only `if TYPE_CHECKING`"
        ) from error
    except Exception as error:
        raise HintError(f"the hint cannot be read: {error}") from error


def members_of(hint: Any) -> Iterator[Any]:
    """Yield what a hint is a union of, or the hint alone."""
    plain = plain_type(hint)
    if get_origin(plain) in (Union, UnionType):
        for member in get_args(plain):
            yield from members_of(member)
    else:
        yield hint


def plain_type(hint: Any) -> Any:
    """Take off Annotated, NewType and the names that `type X = …` gives."""
    while True:
        origin = get_origin(hint)
        if origin is Annotated:
            hint = get_args(hint)[0]
        elif hasattr(hint, "__supertype__"):
            hint = hint.__supertype__
        elif hasattr(origin, "__value__"):
            hint = origin.__value__[get_args(hint)]
        elif hasattr(hint, "__value__") and origin is None:
            hint = hint.__value__
        else:
            return hint


def answers_in(member: Any) -> Iterator[Answer]:
    """Yield the answers of one member: a body, or a tuple that begins with one."""
    plain = plain_type(member)
    if get_origin(plain) is not tuple or not get_args(plain):
        yield Answer(200, member)
        return
    body, *rest = get_args(plain)
    statuses = list(statuses_in(rest[0])) if rest else []
    has_headers = len(rest) > len(statuses[:1])
    for part in members_of(body):
        # Headers may say that text is anything.
        is_other = has_headers and plain_type(part) in (str, bytes)
        for status in statuses or [200]:
            yield Answer(status, Response if is_other else part)


def statuses_in(hint: Any) -> Iterator[int | None]:
    """Yield the statuses that the second place of such a tuple may have.

    There are none if it is for headers. Raises HintError for what is no status.
    """
    for member in members_of(hint):
        plain = plain_type(member)
        cls = get_origin(plain) or plain
        if cls is Literal:
            for value in get_args(plain):
                yield status_of(value)
        elif isinstance(cls, type) and issubclass(cls, int | str):
            yield None


def status_of(value: Any) -> int:
    """Return a status that is written as 201 or as "201 CREATED"."""
    text = str(int(value)) if isinstance(value, int) else str(value)
    if not re.match("[1-5][0-9]{2}( |$)", text):
        raise HintError(
            f"{value!r} is no status: write a number, such as Literal[201], or int"
        )
    return int(text[:3])
