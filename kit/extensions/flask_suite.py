"""A pytest plugin for Flask's own suite: `KIT=1 pytest -p flask_suite`.

Each Flask gets the kit as soon as it is made, as by `Kit(app)` below `app = Flask(…)`.
Without KIT the plugin only lets the suite run under the pytest of today.
"""

import functools
import os

import _pytest.monkeypatch
from _pytest.compat import NOTSET
from flask import Flask
from react_flask_kit import Kit

# The suite of Flask 3.1 imports it by the name of before.
if not hasattr(_pytest.monkeypatch, "notset"):
    _pytest.monkeypatch.notset = NOTSET

plain_init = Flask.__init__


@functools.wraps(plain_init)
def init_with_kit(self: Flask, *args: object, **kwargs: object) -> None:
    """Make a Flask, and give it the kit."""
    plain_init(self, *args, **kwargs)
    Kit(self)


if os.environ.get("KIT"):
    Flask.__init__ = init_with_kit
