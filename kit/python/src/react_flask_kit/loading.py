"""Find the app that FLASK_APP names, for development, tests and production alike."""

import os
import re
import sys
from pathlib import Path

from dotenv import dotenv_values, find_dotenv
from flask import Flask
from flask.cli import ScriptInfo


def load_app() -> Flask:
    """Load the app as the `flask` command does; its neighbours can be imported too.

    Raises what the app raises, and click's UsageError where FLASK_APP names none.
    """
    folder = str(app_folder())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return ScriptInfo(os.environ.get("FLASK_APP")).load_app()


def name_app() -> None:
    """Set FLASK_APP as .env or .flaskenv says; nothing else of these files is set."""
    for file in (".env", ".flaskenv"):
        value = dotenv_values(find_dotenv(file, usecwd=True)).get("FLASK_APP")
        if value:
            os.environ.setdefault("FLASK_APP", value)


def app_folder() -> Path:
    """Return the folder of the file that FLASK_APP names, else the current one.

    A stray __init__.py there makes Flask import the file as a part of a package:
    without this folder in sys.path, its neighbours would be out of reach.
    """
    file = re.split(r":(?![\\/])", os.environ.get("FLASK_APP", ""), maxsplit=1)[0]
    return Path(file).resolve().parent if file.endswith(".py") else Path.cwd()
