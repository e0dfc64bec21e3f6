"""The fields of a TypedDict, dataclass, NamedTuple, Struct or attrs class."""

import dataclasses
from collections.abc import Collection
from typing import Any, Generic, NamedTuple, TypeVar, get_args, get_origin

from .return_hints import HintError, resolved_hints


class Field(NamedTuple):
    """One field, with its type as it is after all type variables."""

    name: str
    type: Any
    is_required: bool


def has_fields(cls: Any) -> bool:
    """Tell whether a class is one of these."""
    return isinstance(cls, type) and field_names(cls) is not None


def is_typed_dict(cls: Any) -> bool:
    """Tell whether a class is a TypedDict, of typing or of typing_extensions."""
    return isinstance(cls, type) and hasattr(cls, "__required_keys__")


def field_names(cls: type) -> Collection[str] | None:
    """Return the names of the fields, in order; None for a class without fields."""
    if is_typed_dict(cls):
        return sorted(cls.__required_keys__ | cls.__optional_keys__)
    if dataclasses.is_dataclass(cls):
        return [field.name for field in dataclasses.fields(cls)]
    if issubclass(cls, tuple):
        return getattr(cls, "_fields", None)
    if hasattr(cls, "__attrs_attrs__"):
        return [field.name for field in cls.__attrs_attrs__]
    return getattr(cls, "__struct_fields__", None)


def fields_of(hint: Any) -> list[Field]:
    """Return the fields of a class, or of a generic one with its arguments.

    Raises HintError where a name in one of the hints is not known.
    """
    cls = get_origin(hint) or hint
    try:
        hints = resolved_hints(cls)
    except HintError as error:
        raise HintError(f"{cls.__name__}: {error}") from error
    arguments = arguments_of(hint)
    required = getattr(cls, "__required_keys__", hints)
    return [
        field_of(name, replaced(hints.get(name, Any), arguments), name in required)
        for name in field_names(cls) or ()
    ]


def field_of(name: str, hint: Any, is_required: bool) -> Field:
    """Return a field without Required, NotRequired and ReadOnly around its type."""
    while True:
        # Those of typing_extensions are others.
        form = str(get_origin(hint)).rpartition(".")[2]
        if form not in ("Required", "NotRequired", "ReadOnly"):
            return Field(name, hint, is_required)
        if form != "ReadOnly":
            # __required_keys__ has not read them where they are text.
            is_required = form == "Required"
        (hint,) = get_args(hint)


def arguments_of(hint: Any) -> dict[Any, Any]:
    """Return what each type variable stands for, in the class and its bases."""
    cls = get_origin(hint) or hint
    arguments = dict(zip(parameters_of(cls), get_args(hint), strict=False))
    for base in getattr(cls, "__orig_bases__", ()):
        if get_origin(base) not in (None, Generic):
            inherited = arguments_of(base)
            arguments = {
                name: replaced(value, arguments) for name, value in inherited.items()
            } | arguments
    return arguments


def replaced(hint: Any, arguments: dict[Any, Any]) -> Any:
    """Return a hint with its type variables replaced."""
    if isinstance(hint, TypeVar):
        return arguments.get(hint, hint)
    # Those of a class alone stand for anything.
    parameters = parameters_of(hint) if get_origin(hint) else ()
    if not parameters:
        return hint
    return hint[tuple(arguments.get(name, name) for name in parameters)]


def parameters_of(hint: Any) -> tuple:
    """Return the type variables of a hint or a generic class."""
    return getattr(hint, "__parameters__", ())
