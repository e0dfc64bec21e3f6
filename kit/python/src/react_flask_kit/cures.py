"""What to do about an exception, where that can be known: one or two sentences.

Others' exceptions are known by name and message, so that nothing is imported for it.
"""

import errno
import os
import re
import sys
import traceback
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from .loading import app_folder, read_env_file
from .own_code import is_own_code, path_in_project
from .settings import MAKE_ONE, SettingError

# Where the name on the package index is another one than that of the module.
DISTRIBUTIONS = {
    "attr": "attrs",
    "azure": "azure-…",
    "bs4": "beautifulsoup4",
    "Crypto": "pycryptodome",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "distutils": "setuptools",
    "dns": "dnspython",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "fitz": "PyMuPDF",
    "git": "GitPython",
    "google": "google-cloud-…",
    "jose": "python-jose",
    "jwt": "PyJWT",
    "ldap": "python-ldap",
    "magic": "python-magic",
    "MySQLdb": "mysqlclient",
    "nacl": "PyNaCl",
    "OpenSSL": "pyOpenSSL",
    "PIL": "Pillow",
    "pkg_resources": "setuptools",
    "psycopg": '"psycopg[binary]"',
    "psycopg2": "psycopg2-binary",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slugify": "python-slugify",
    "socketio": "python-socketio",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
}
# Of PEP 249's classes, and asyncpg's own.
DATABASE_ERRORS = {"DatabaseError", "PostgresError"}
# A table or column that is not there: PostgreSQL's SQLSTATE, MySQL's numbers.
MISSING_CODES = ("42P01", "42703", 1146, 1054)
MISSING_WORDS = re.compile(
    r"no such (table|column)|has no column named|(relation|column) \S+ does not exist"
    r"|Table '.+' doesn't exist|Unknown column '"
)
MIGRATE = "flask db upgrade"
ASYNC_VIEW = "Install Flask with the 'async' extra"
LONGEST_CHAIN = 20


def cure_of(error: BaseException) -> str | None:
    """Return what to do about an exception, or about that which it was raised from."""
    cause: BaseException | None = error
    for _ in range(LONGEST_CHAIN):
        if cause is None:
            return None
        for find_cure in CURES:
            if cure := find_cure(cause):
                return cure
        cause = cause.__cause__
    return None


def cure_of_its_own(error: BaseException) -> str | None:
    """Return what an exception of this package brings."""
    is_ours = type(error).__module__.startswith(f"{__package__}.")
    return getattr(error, "cure", None) if is_ours else None


def cure_of_setting(error: BaseException) -> str | None:
    """Say where to write or change a setting."""
    match = re.match(r"FLASK_\w+", str(error))
    if not isinstance(error, SettingError) or not match:
        return None
    variable = match[0]
    if " is not set" not in str(error):
        return f"Change {variable} in {place_of(variable)}."
    key = f" {MAKE_ONE}" if variable.endswith("SECRET_KEY") else ""
    return line_to_write(variable) + key


def cure_of_variable(error: BaseException) -> str | None:
    """Say where to write a variable that the app's code reads and that is not set."""
    trace = error.__traceback__
    if not isinstance(error, KeyError) or not trace or not error.args:
        return None
    name = error.args[0]
    *_, (frame, _) = traceback.walk_tb(trace)
    if frame.f_code is type(os.environ).__getitem__.__code__:
        return line_to_write(name) if isinstance(name, str) else None
    source = traceback.extract_tb(trace)[-1].line or ""
    is_setting = re.search(rf"\bconfig\[(['\"]){re.escape(str(name))}\1\]", source)
    return line_to_write(f"FLASK_{name}") if is_setting else None


def line_to_write(variable: str) -> str:
    """Say which line is missing in `.env`."""
    return f"Write this line into .env, with the value: {variable}=…"


def place_of(variable: str) -> str:
    """Name the file that has set a variable, as far as that can be known."""
    for name in (".env", ".flaskenv"):
        with suppress(SettingError):
            _, values = read_env_file(name)
            if variable in values and values[variable] == os.environ.get(variable):
                return name
    return "the environment of this command"


def cure_of_import(error: BaseException) -> str | None:
    """Say how to get a module that is not there."""
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return None
    top, *inner = error.name.split(".")
    if top in sys.stdlib_module_names and not inner:
        return f"This Python was built without {top}: install another, see python.org."
    spec = find_spec(top) if inner and top not in sys.builtin_module_names else None
    if spec:
        for folder in spec.submodule_search_locations or ():
            file = Path(folder, *inner).with_suffix(".py")
            if is_own_code(str(file)):
                return f"Create {path_in_project(file)}, or mend the name."
        return f"{top} is installed, but has no {error.name}: mend the name."
    package = DISTRIBUTIONS.get(top) or error.name.replace("_", "-").replace(".", "-")
    cure = f"If it is a package: npm run add-api {package}"
    frames = traceback.extract_tb(error.__traceback__)
    if frames and is_own_code(frames[-1].filename):
        file = app_folder().joinpath(top, *inner).with_suffix(".py")
        cure += f"\nIf it is to be a file of your own: create {path_in_project(file)}"
    return cure


def cure_of_table(error: BaseException) -> str | None:
    """Say how to make a table or column that the database does not have."""
    classes = {base.__name__ for base in type(error).__mro__}
    if not classes & DATABASE_ERRORS:
        return None
    states = [getattr(error, name, None) for name in ("sqlstate", "pgcode")]
    is_missing = any(code in MISSING_CODES for code in [*states, *error.args[:1]])
    if not is_missing and not MISSING_WORDS.search(str(error)):
        return None
    folders = (Path.cwd(), app_folder())
    has_migrations = any((folder / "migrations").is_dir() for folder in folders)
    command = os.environ.get("RELEASE_COMMAND", "").strip()
    command = command or (MIGRATE if has_migrations else "")
    if not command:
        return "Make it by a migration, as docs/database.md says."
    name, _, arguments = command.partition(" ")
    if name == "flask":
        command = f"npm run flask -- {arguments}"
    cure = f"Run the migrations: {command}"
    if arguments.startswith("db "):
        cure += "\nIf none makes it yet, first: npm run flask -- db migrate"
    return cure


def cure_of_port(error: BaseException) -> str | None:
    """Say what to do about a port that another program has."""
    if not isinstance(error, OSError) or error.errno != errno.EADDRINUSE:
        return None
    return "Another program listens there: stop it, or choose another port."


def cure_of_async_view(error: BaseException) -> str | None:
    """Say what `async def` views need."""
    if not isinstance(error, RuntimeError) or not str(error).startswith(ASYNC_VIEW):
        return None
    return 'npm run add-api "flask[async]"'


def cure_of_exit(error: BaseException) -> str | None:
    """Say what to do about an app that ends itself."""
    if not isinstance(error, SystemExit):
        return None
    return "The app ended itself by sys.exit(). Mend the reason and save the file."


CURES = (
    cure_of_its_own,
    cure_of_setting,
    cure_of_variable,
    cure_of_import,
    cure_of_table,
    cure_of_port,
    cure_of_async_view,
    cure_of_exit,
)
