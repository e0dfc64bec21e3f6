"""Which app runs: FLASK_APP, as the `flask` command reads it, wherever it is said.

The contract: a file, a package and a factory are found alike in development, tests and
production, and can import what is beside them; production takes the settings of .env,
and of .flaskenv the name of the app alone.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from click import UsageError
from processes import clean_env
from react_flask_kit.loading import (
    app_folder,
    load_app,
    load_production_app,
    name_app,
    read_environment,
)
from react_flask_kit.settings import SettingError

ONE_FILE = "from flask import Flask\nfrom greetings import HELLO\napp = Flask(HELLO)\n"
FACTORY = """
from flask import Flask
from greetings import HELLO
def create_app(name=HELLO):
    return Flask(name)
"""
# Nothing of it is called when it is imported.
OTHER_FACTORY = FACTORY.replace("create_app", "build")
NEIGHBOUR = "HELLO = 'hello'\n"
PACKAGE = FACTORY.replace("from greetings", "from .greetings")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Stand in an empty folder, with a Python that takes nothing of it along."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    with patch.dict(sys.modules), patch.dict(os.environ, clean_env(), clear=True):
        yield tmp_path


def write(files: dict[str, str]) -> None:
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("flask_app", "files", "name"),
    [
        (None, {"app.py": ONE_FILE}, "hello"),
        (None, {"wsgi.py": ONE_FILE}, "hello"),
        (None, {"app.py": FACTORY}, "hello"),
        ("main.py", {"main.py": ONE_FILE}, "hello"),
        ("main", {"main.py": ONE_FILE}, "hello"),
        ("main:app", {"main.py": ONE_FILE}, "hello"),
        ("main.py:app", {"main.py": ONE_FILE}, "hello"),
        ("main.py", {"main.py": FACTORY}, "hello"),
        ("main.py:create_app", {"main.py": FACTORY}, "hello"),
        ("main.py:create_app()", {"main.py": FACTORY}, "hello"),
        ("main.py:create_app('a:b/c.py')", {"main.py": FACTORY}, "a:b/c.py"),
        ("main:build()", {"main.py": OTHER_FACTORY}, "hello"),
        ("main:build(name='other')", {"main.py": OTHER_FACTORY}, "other"),
        ("api/main.py", {"api/main.py": ONE_FILE}, "hello"),
        ("./api/main.py", {"api/main.py": ONE_FILE}, "hello"),
        ("api/main.py:create_app()", {"api/main.py": FACTORY}, "hello"),
        ("a folder/main.py", {"a folder/main.py": ONE_FILE}, "hello"),
        ("shop", {"shop/__init__.py": PACKAGE}, "hello"),
        ("shop:create_app()", {"shop/__init__.py": PACKAGE}, "hello"),
        (
            "shop.web:build()",
            {"shop/__init__.py": "", "shop/web.py": OTHER_FACTORY},
            "hello",
        ),
        ("shop.web", {"shop/web.py": FACTORY}, "hello"),
    ],
)
def test_the_app_that_flask_app_names_is_loaded(
    flask_app: str | None, files: dict[str, str], name: str
) -> None:
    write(files)
    for file in files:
        folder = Path() if file.startswith("shop/web") else Path(file).parent
        write({str(folder / "greetings.py"): NEIGHBOUR})
    if flask_app:
        os.environ["FLASK_APP"] = flask_app
    assert load_app().name == name


def test_a_file_is_found_from_any_folder_by_its_whole_path(project: Path) -> None:
    write({"api/main.py": ONE_FILE, "api/greetings.py": NEIGHBOUR, "else/where": ""})
    os.chdir("else")
    os.environ["FLASK_APP"] = str(project / "api/main.py")
    assert load_app().name == "hello"


@pytest.mark.parametrize("flask_app", ["api/main.py", "api/main.py:create_app()"])
def test_a_stray_init_file_beside_the_app_does_no_harm(flask_app: str) -> None:
    source = FACTORY if ":" in flask_app else ONE_FILE
    write({"api/__init__.py": "", "api/main.py": source, "api/greetings.py": NEIGHBOUR})
    os.environ["FLASK_APP"] = flask_app
    assert load_app().name == "hello"


def test_loading_twice_looks_in_the_same_folders() -> None:
    write({"api/main.py": ONE_FILE, "api/greetings.py": NEIGHBOUR})
    os.environ["FLASK_APP"] = "api/main.py"
    load_app()
    folders = [folder for folder in sys.path if Path(folder).name == "api"]
    load_app()
    assert [f for f in sys.path if Path(f).name == "api"] == folders


@pytest.mark.parametrize(
    ("flask_app", "source", "message"),
    [
        ("absent.py", ONE_FILE, "Could not import 'absent'"),
        ("main.py:other", ONE_FILE, "Failed to find attribute 'other'"),
        ("main.py", "", "Failed to find Flask application or factory"),
        ("main.py:create_app(1, 2)", FACTORY, "could not be called"),
        ("main.py:create_app(", FACTORY, "Failed to parse"),
    ],
)
def test_a_name_that_is_none_of_an_app_is_told(
    flask_app: str, source: str, message: str
) -> None:
    write({"main.py": source, "greetings.py": NEIGHBOUR})
    os.environ["FLASK_APP"] = flask_app
    with pytest.raises(UsageError) as error:
        load_app()
    assert message in error.value.format_message()


def test_what_the_app_raises_is_raised() -> None:
    write({"main.py": "raise LookupError('no table')"})
    os.environ["FLASK_APP"] = "main.py"
    with pytest.raises(LookupError, match="no table"):
        load_app()


@pytest.mark.parametrize(
    ("files", "shell", "expected"),
    [
        ({}, None, None),
        ({".flaskenv": "FLASK_APP=of_flaskenv.py"}, None, "of_flaskenv.py"),
        ({".env": "FLASK_APP=of_env.py"}, None, "of_env.py"),
        (
            {".env": "FLASK_APP=of_env.py", ".flaskenv": "FLASK_APP=of_flaskenv.py"},
            None,
            "of_env.py",
        ),
        ({".env": "FLASK_APP=", ".flaskenv": "FLASK_APP=a.py"}, None, "a.py"),
        ({".flaskenv": "FLASK_APP=of_flaskenv.py"}, "of_shell.py", "of_shell.py"),
        ({".env": "FLASK_APP=of_env.py"}, "of_shell.py", "of_shell.py"),
    ],
)
def test_the_shell_names_the_app_before_env_and_that_before_flaskenv(
    files: dict[str, str], shell: str | None, expected: str | None
) -> None:
    write(files)
    if shell:
        os.environ["FLASK_APP"] = shell
    name_app()
    assert os.environ.get("FLASK_APP") == expected


def test_nothing_but_the_app_is_taken_from_the_files_of_development() -> None:
    write(
        {
            ".flaskenv": "FLASK_APP=a.py\nFLASK_DEBUG=1\nFLASK_APP_VERSION=1\nX=1\n",
            ".env": "FLASK_SECRET_KEY=swordfish\n",
        }
    )
    before = dict(os.environ)
    name_app()
    assert dict(os.environ) == before | {"FLASK_APP": "a.py"}


@pytest.mark.parametrize(
    ("flask_app", "folder"),
    [
        (None, "."),
        ("main", "."),
        ("shop.web:create_app()", "."),
        ("main.py", "."),
        ("api/main.py", "api"),
        ("api/main.py:create_app('x.py')", "api"),
        ("shop:create_app('x.py')", "."),
    ],
)
def test_the_folder_of_the_app_is_that_of_its_file(
    project: Path, flask_app: str | None, folder: str
) -> None:
    if flask_app:
        os.environ["FLASK_APP"] = flask_app
    assert app_folder() == project.resolve() / folder


def test_a_drive_of_windows_is_a_part_of_the_path() -> None:
    os.environ["FLASK_APP"] = "C:/project/api/main.py:create_app()"
    assert app_folder().parts[-2:] == ("project", "api")


@pytest.mark.parametrize("flask_app", ["api/main.py", "api/main.py:create_app()"])
@pytest.mark.parametrize("has_init", [False, True], ids=["", "stray __init__"])
def test_production_runs_the_same_app_with_the_settings_of_env_and_no_debug(
    flask_app: str, has_init: bool
) -> None:
    source = FACTORY if ":" in flask_app else ONE_FILE
    write({"api/main.py": source, "api/greetings.py": NEIGHBOUR, ".env": "OF_ENV=1"})
    write({".flaskenv": f"FLASK_APP={flask_app}\nFLASK_DEBUG=1\nOF_FLASKENV=1"})
    if has_init:
        write({"api/__init__.py": ""})
    os.environ.update(FLASK_DEBUG="1", FLASK_ENV="development")
    app = load_production_app()
    assert (app.name, app.debug) == ("hello", False)
    assert os.environ["OF_ENV"] == "1"
    assert "OF_FLASKENV" not in os.environ


def test_production_reads_no_env_where_it_is_told_not_to() -> None:
    write({"app.py": ONE_FILE, "greetings.py": NEIGHBOUR, ".env": "OF_ENV=1"})
    os.environ["FLASK_SKIP_DOTENV"] = "1"
    load_production_app()
    assert "OF_ENV" not in os.environ


@pytest.mark.parametrize("name", [".env", ".flaskenv"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("FLASK_APP=größe".encode("utf-16"), " is not UTF-8, "),
        ("FLASK_APP=a".encode("utf-16-le"), " is not UTF-8, "),
        ("FLASK_APP=größe".encode("latin-1"), " is not UTF-8, "),
        (None, "is a folder, but settings are read from a file of this name."),
    ],
)
def test_a_file_of_settings_that_cannot_be_read_is_named(
    name: str, content: bytes | None, message: str
) -> None:
    if content is None:
        Path(name).mkdir()
    else:
        Path(name).write_bytes(content)
    with pytest.raises(SettingError) as error:
        read_environment()
    assert name in error.value.message
    assert message in error.value.message


def test_a_folder_above_of_the_name_of_a_file_is_passed_over(project: Path) -> None:
    write({"above/.env/pyvenv.cfg": "", "above/here/a": "", ".env": "A=1"})
    os.chdir("above/here")
    read_environment()
    assert os.environ["A"] == "1"


def test_production_reads_references_in_env_as_flask_does() -> None:
    write({".env": "\ufeffA=file\nB=${A}\nC=${D:-default}\nE\n"})
    os.environ["A"] = "shell"
    read_environment()
    assert (os.environ["A"], os.environ["B"]) == ("shell", "file")
    assert (os.environ["C"], os.environ.get("E")) == ("default", None)
