"""A Flask app that behaves like production software.

What is listed here is what an app may import; everything else may change.
"""

from typing import TYPE_CHECKING, Any

from .errors import problem
from .extension import Kit
from .settings import SettingError

if TYPE_CHECKING:
    from .inputs import read_form, read_json, read_query

__all__ = ["Kit", "SettingError", "problem", "read_form", "read_json", "read_query"]


def __getattr__(name: str) -> Any:
    """Import what needs msgspec only for an app that uses it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from . import inputs
    except ModuleNotFoundError as error:
        if error.name != "msgspec":
            raise
        raise ImportError(
            f"{name} needs the package msgspec, which is not installed: "
            f"install it, or use Flask's request.get_json(), request.args or "
            f"request.form."
        ) from error
    return getattr(inputs, name)
