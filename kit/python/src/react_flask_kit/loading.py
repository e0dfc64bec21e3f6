"""Find the app that FLASK_APP names, for development, tests and production alike."""

import os
import re
import sys
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values, find_dotenv
from flask import Flask
from flask.cli import NoAppException, ScriptInfo
from flask.helpers import get_load_dotenv

from .settings import SettingError


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
    """Set what .env says and the environment does not, and which app it is.

    Raises SettingError where a file cannot be read.
    """
    if get_load_dotenv():
        _, values = read_env_file(".env")
        for name, value in values.items():
            if value is not None:
                os.environ.setdefault(name, value)
    name_app()


def read_env_file(name: str) -> tuple[Path, dict[str, str | None]]:
    """Return the folder of a file such as .env, and what the file says.

    It is looked for and read as Flask does: here, then in the folders above. Raises
    SettingError where it is a folder, may not be read, or is not UTF-8.
    """
    if Path(name).is_dir():
        raise SettingError(
            f"{name} is a folder, but settings are read from a file of this name. "
            "Rename the folder."
        )
    file = find_dotenv(name, usecwd=True)
    if not file:
        return Path.cwd(), {}
    try:
        text = Path(file).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    except OSError as error:
        raise SettingError(f"{file} cannot be read: {error.strerror}.") from None
    # UTF-16 without a mark at its start is UTF-8 that has zeros.
    if "\0" in text:
        raise SettingError(
            f"{file} is not UTF-8, which settings are read as. Save it as UTF-8; in "
            'PowerShell, ">" writes another encoding, and Set-Content -Encoding utf8 '
            "this one."
        )
    return Path(file).parent, dotenv_values(stream=StringIO(text))


def name_app() -> None:
    """Set FLASK_APP and RELEASE_COMMAND as .env or .flaskenv say, and nothing else.

    A path in them starts at their own folder, also where a test starts below it. Raises
    SettingError where a file cannot be read.
    """
    for name in (".env", ".flaskenv"):
        folder, values = read_env_file(name)
        is_here = folder == Path.cwd()
        command = values.get("RELEASE_COMMAND")
        is_read = name == ".flaskenv" or get_load_dotenv()
        # Not what a folder above would have done for another project.
        if command is not None and is_read and is_here:
            os.environ.setdefault("RELEASE_COMMAND", command)
        value = values.get("FLASK_APP")
        if value and "FLASK_APP" not in os.environ:
            path = folder / value
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
