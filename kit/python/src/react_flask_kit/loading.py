"""Find the app that FLASK_APP names, for development, tests and production alike."""

import os
import re
import sys
from pathlib import Path

from dotenv import dotenv_values, find_dotenv, load_dotenv
from flask import Flask
from flask.cli import NoAppException, ScriptInfo
from flask.helpers import get_load_dotenv


def load_app() -> Flask:
    """Load the app as the `flask` command does; its neighbours can be imported too.

    Raises what the app raises, and click's UsageError where FLASK_APP names none.
    """
    folder = str(app_folder())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        return ScriptInfo(os.environ.get("FLASK_APP")).load_app()
    except NoAppException as error:
        # Flask's command tells an ImportError of the app in words of its own.
        cause = error.__context__
        if not isinstance(cause, ImportError):
            raise
        if cause.__traceback__.tb_next:
            raise cause from None
        # It is the app that is not there.
        name = os.environ.get("FLASK_APP")
        message = f"{error.message} FLASK_APP is {name!r}."
        raise NoAppException(message) from None


def load_production_app() -> Flask:
    """Load the app with the settings of .env, its own checked, and never in debug."""
    from .extension import complete

    read_environment()
    # Whatever the environment says: visitors learn nothing of the inside.
    os.environ["FLASK_DEBUG"] = "0"
    app = load_app()
    complete(app)
    return app


def read_environment() -> None:
    """Set what .env says and the environment does not, and which app it is."""
    if get_load_dotenv():
        load_dotenv(find_dotenv(usecwd=True))
    name_app()


def name_app() -> None:
    """Set FLASK_APP and RELEASE_COMMAND as .env or .flaskenv say, and nothing else.

    A path in them starts at their own folder, also where a test starts below it.
    """
    for name in (".env", ".flaskenv"):
        file = find_dotenv(name, usecwd=True)
        values = dotenv_values(file) if file else {}
        command = values.get("RELEASE_COMMAND")
        is_read = name == ".flaskenv" or get_load_dotenv()
        # Not what a folder above would have done for another project.
        if command is not None and is_read and Path(file).parent == Path.cwd():
            os.environ.setdefault("RELEASE_COMMAND", command)
        value = values.get("FLASK_APP")
        if value and "FLASK_APP" not in os.environ:
            path = Path(file).parent / value
            is_here = Path(file).parent == Path.cwd()
            is_file = path_of(str(path)).is_file()
            os.environ["FLASK_APP"] = value if is_here or not is_file else str(path)


def path_of(flask_app: str) -> Path:
    """Return the path in a FLASK_APP such as api/api.py or api/api.py:create_app()."""
    return Path(re.split(r":(?![\\/])", flask_app, maxsplit=1)[0])


def app_folder() -> Path:
    """Return the folder of the file that FLASK_APP names, else the current one.

    A stray __init__.py there makes Flask import the file as a part of a package:
    without this folder in sys.path, its neighbours would be out of reach.
    """
    path = path_of(os.environ.get("FLASK_APP", ""))
    return path.resolve().parent if path.suffix == ".py" else Path.cwd()
