"""What to do about an exception is told with it, in debug.

The contract: the text names what to write where, or the command to run; where nothing
is known, nothing is said.
"""

import os
import socket
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from apps import answer_crashes, load_app_with_routes
from flask import Flask
from react_flask_kit import Kit
from react_flask_kit.errors import describe_exception


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a project with a file of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path / "api")
    monkeypatch.setenv("FLASK_APP", "api/api.py")
    monkeypatch.delenv("RELEASE_COMMAND", raising=False)
    (tmp_path / "api/shop").mkdir(parents=True)
    (tmp_path / "api/shop/__init__.py").touch()
    return tmp_path


def cure_of_running(project: Path, source: str) -> str | None:
    """Run a file of the project that raises; return the cure."""
    file = project / "api/api.py"
    file.write_text(source)
    try:
        exec(compile(source, file, "exec"), {"app": Flask("api")})
    except (Exception, SystemExit) as error:
        return describe_exception(error).get("cure")
    finally:
        for name in [name for name in sys.modules if name.startswith("shop")]:
            del sys.modules[name]
    raise AssertionError("nothing was raised")


ENV = "Write this line into .env, with the value: "


@pytest.mark.parametrize(
    ("source", "cure"),
    [
        ("import os; os.environ['DB_URL']", f"{ENV}DB_URL=…"),
        ("import os; os.environ.pop('DB_URL')", f"{ENV}DB_URL=…"),
        ("app.config['STRIPE_KEY']", f"{ENV}FLASK_STRIPE_KEY=…"),
        ('app.config["PRICE"]', f"{ENV}FLASK_PRICE=…"),
        ("{}['DB_URL']", None),
        ("import os; del {}[os.environ.get('HOME')]", None),
        ("import sys; sys.exit('no')", "The app ended itself by sys.exit(). Mend"),
        ("raise SystemExit", "The app ended itself by sys.exit(). Mend"),
        ("1 / 0", None),
        ("raise RuntimeError('no such table: book')", None),
        ("import flask.nothing", "flask is installed, but has no flask.nothing"),
        ("import shop.cart", "Create api/shop/cart.py, or mend the name."),
        ("import shop.cart.prices", "Create api/shop/cart.py, or mend the name."),
        ("import email.nothing", "email is installed, but has no email.nothing"),
        ("raise ModuleNotFoundError('by hand')", None),
        (
            "raise RuntimeError(\"Install Flask with the 'async' extra in order to\")",
            'npm run add-api "flask[async]"',
        ),
    ],
)
def test_an_exception_comes_with_its_cure(
    project: Path, source: str, cure: str | None
) -> None:
    told = cure_of_running(project, source)
    assert told is None if cure is None else told.startswith(cure)


@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("yaml", "PyYAML"),
        ("PIL", "Pillow"),
        ("cv2", "opencv-python"),
        ("sklearn.svm", "scikit-learn"),
        ("bs4", "beautifulsoup4"),
        ("flask_nothing", "flask-nothing"),
        ("greetings", "greetings"),
    ],
)
def test_a_module_that_is_not_there_is_a_package_or_a_file_to_create(
    project: Path, module: str, package: str
) -> None:
    name = module.partition(".")[0]
    assert cure_of_running(project, f"import {module}") == (
        f"If it is a package: npm run add-api {package}\n"
        f"If it is to be a file of your own: create api/{name}.py"
    )


def test_what_a_package_imports_is_no_file_of_ones_own(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = project / "venv/site-packages"
    packages.mkdir(parents=True)
    (packages / "some_database.py").write_text("import psycopg2")
    monkeypatch.syspath_prepend(packages)
    cure = cure_of_running(project, "import some_database")
    assert cure == "If it is a package: npm run add-api psycopg2-binary"


def test_a_part_of_python_that_was_left_out_is_no_package() -> None:
    error = ModuleNotFoundError("No module named '_lzma'", name="_lzma")
    assert "built without _lzma" in describe_exception(error)["cure"]


class UndefinedTable(sqlite3.ProgrammingError):
    """As psycopg's, whatever the language of its message."""

    sqlstate = "42P01"


def missing_table() -> Exception:
    return sqlite3.OperationalError("no such table: book")


def missing_column() -> Exception:
    return sqlite3.OperationalError("table book has no column named title")


def missing_for_mysql() -> Exception:
    return sqlite3.ProgrammingError(1146, "Tabelle 'shop.book' existiert nicht")


def missing_for_postgres() -> Exception:
    return UndefinedTable('Relation "book" existiert nicht')


def missing_for_an_orm() -> Exception:
    """As SQLAlchemy raises it: from that of the driver."""
    error = sqlite3.DatabaseError("(psycopg.errors.UndefinedTable) …")
    error.__cause__ = missing_for_postgres()
    return error


@pytest.mark.parametrize(
    "error",
    [
        missing_table,
        missing_column,
        missing_for_mysql,
        missing_for_postgres,
        missing_for_an_orm,
    ],
)
@pytest.mark.parametrize(
    ("command", "folder", "cure"),
    [
        ("", None, "Make it by a migration, as docs/database.md says."),
        ("", "migrations", "Run the migrations: npm run flask -- db upgrade\nIf none"),
        ("", "api/migrations", "Run the migrations: npm run flask -- db upgrade\nIf"),
        ("flask db upgrade head", None, "Run the migrations: npm run flask -- db up"),
        ("alembic upgrade head", None, "Run the migrations: alembic upgrade head"),
    ],
)
def test_a_missing_table_or_column_comes_with_the_command_for_migrations(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Callable[[], Exception],
    command: str,
    folder: str | None,
    cure: str,
) -> None:
    monkeypatch.setenv("RELEASE_COMMAND", command)
    if folder:
        (project / folder).mkdir()
    assert describe_exception(error())["cure"].startswith(cure)


def test_another_error_of_a_database_has_no_cure() -> None:
    assert "cure" not in describe_exception(sqlite3.OperationalError("disk I/O error"))


def test_a_port_that_is_taken_is_said_to_be() -> None:
    with socket.create_server(("127.0.0.1", 0)) as first, socket.socket() as second:
        with pytest.raises(OSError, match=r"(?i)address") as raised:
            second.bind(first.getsockname())
        cure = describe_exception(raised.value)["cure"]
    assert cure == "Another program listens there: stop it, or choose another port."


@pytest.mark.parametrize(
    ("file", "setting", "required", "cure"),
    [
        (None, None, ["STRIPE_PRICE"], f"{ENV}FLASK_STRIPE_PRICE=…"),
        (None, None, ["STRIPE_SECRET_KEY"], f"{ENV}FLASK_STRIPE_SECRET_KEY=… Make one"),
        (".env", "LOG_FORMAT=xml", [], "Change FLASK_LOG_FORMAT in .env."),
        (".flaskenv", "LOG_FORMAT=xml", [], "Change FLASK_LOG_FORMAT in .flaskenv."),
        (None, "LOG_FORMATS=text", [], "Change FLASK_LOG_FORMATS in the environment"),
        (None, "CORS_ORIGN=*", [], "Change FLASK_CORS_ORIGN in the environment of"),
    ],
)
def test_a_setting_error_comes_with_the_line_or_the_place(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    file: str | None,
    setting: str | None,
    required: list[str],
    cure: str,
) -> None:
    if setting:
        monkeypatch.setenv(*f"FLASK_{setting}".split("="))
    if file:
        (project / file).write_text(f"FLASK_{setting}\n", encoding="utf-8")
    with pytest.raises(Exception, match="FLASK_") as raised:
        Kit(Flask("api"), required=required)
    assert describe_exception(raised.value)["cure"].startswith(cure)


def test_what_was_only_tried_before_has_no_say(project: Path) -> None:
    source = "try:\n    import yaml\nexcept ImportError:\n    1 / 0"
    assert cure_of_running(project, source) is None


@pytest.mark.parametrize("debug", ["1", "0"])
def test_a_cure_is_told_in_debug_only(debug: str) -> None:
    app = load_app_with_routes(DEBUG=debug)
    app.add_url_rule("/env", view_func=lambda: os.environ["DB_URL"], endpoint="env")
    problem = answer_crashes(app).test_client().get("/env").get_json()
    assert problem["status"] == 500
    assert ("cure" in problem) == (debug == "1")


def test_what_was_never_raised_can_be_told() -> None:
    described = describe_exception(ValueError("of a future"))
    assert described["exception"] == "ValueError: of a future"
    assert described["file"] is described["line"] is None
