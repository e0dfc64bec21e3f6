"""Names for components: the same with each Python and in each order of routes."""

import re
import unicodedata
from collections import Counter
from collections.abc import Hashable, Iterable
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin


def type_name(hint: Any, context: int = 0) -> str:
    """Return the name of a type as it is written: "Page[Note | None]".

    The members of a union are in order, since Page[A | B] is Page[B | A]. With a
    context of 1, each class has the names of those around it, with more of it as many
    parts of its module.
    """
    origin, args = get_origin(hint) or hint, get_args(hint)
    if origin is Annotated:
        return type_name(args[0], context)
    if origin is Literal:
        return " | ".join(map(literal_name, args))
    names = [type_name(arg, context) for arg in args]
    if origin in (Union, UnionType):
        return " | ".join(sorted(names, key=lambda name: (name == "None", name)))
    name = "None" if origin is NoneType else qualified_name(origin, context)
    return f"{name}[{', '.join(names)}]" if names else name


def literal_name(value: Any) -> str:
    """Return a value in a Literal, the same in each version of Python."""
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    return str(value)


def qualified_name(cls: Any, context: int) -> str:
    """Return the name of a class, with as much around it as `type_name` says."""
    name = getattr(cls, "__name__", str(cls))
    module = module_of(cls)
    if not context or module in (["builtins"], ["typing"]):
        return name
    name = getattr(cls, "__qualname__", name).replace("<locals>.", "")
    return ".".join([*module[max(0, len(module) + 1 - context) :], name])


def identifier(text: str) -> str:
    """Return what may name a component, and a type in other languages too.

    OpenAPI allows letters of ASCII alone.
    """
    letters = "".join(map(in_ascii, text.replace(" | ", "_or_")))
    return re.sub(r"[^A-Za-z0-9]+", "_", letters).strip("_")


def in_ascii(letter: str) -> str:
    """Return a letter in ASCII: without its accent, or as Unicode calls it."""
    if letter.isascii():
        return letter
    plain = unicodedata.normalize("NFKD", letter)
    if plain[0].isascii():
        return "".join(filter(str.isascii, plain))
    if not letter.isalnum():
        return "" if unicodedata.category(letter).startswith("M") else "_"
    # "LATIN SMALL LETTER O WITH STROKE", "CJK UNIFIED IDEOGRAPH-7B14"
    name = unicodedata.name(letter, f"{ord(letter):x}").partition(" WITH ")[0]
    word = re.split("[ -]", name)[-1]
    return word.lower() if letter.islower() else word.capitalize()


def component_names(hints: Iterable[Hashable]) -> dict[Hashable, str]:
    """Return a name for each type, in whatever order they are.

    Those of the same name get what is around their classes, as far as that tells them
    apart: Outer_Note, then models_Note.
    """
    contexts = dict.fromkeys(hints, 0)
    deepest = max((1 + len(module_of(hint)) for hint in contexts), default=0)
    while True:
        names = {h: identifier(type_name(h, contexts[h])) or "Type" for h in contexts}
        counts = Counter(names.values())
        alike = [
            hint
            for hint, name in names.items()
            if counts[name] > 1 and contexts[hint] < deepest
        ]
        if not alike:
            break
        for hint in alike:
            contexts[hint] += 1
    taken: set[str] = set()
    return {hint: numbered(name, taken) for hint, name in names.items()}


def numbered(name: str, taken: set[str]) -> str:
    """Return a name, with a number where it is taken already; then it is, too."""
    number, own = 1, name
    while own in taken:
        number += 1
        own = f"{name}_{number}"
    taken.add(own)
    return own


def module_of(hint: Any) -> list[str]:
    """Return the parts of the name of the module that has a type."""
    return str(getattr(get_origin(hint) or hint, "__module__", "")).split(".")
