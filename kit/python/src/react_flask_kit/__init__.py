"""A Flask app that behaves like production software.

What is listed here is what an app may import; everything else may change.
"""

from .errors import problem
from .extension import Kit
from .settings import SettingError

__all__ = ["Kit", "SettingError", "problem"]
