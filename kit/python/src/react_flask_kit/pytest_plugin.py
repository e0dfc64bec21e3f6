"""Fixtures for the tests of an app: `app`, `client`, `site`, and a browser's `page`.

Where FLASK_APP names an app, the tests have an environment of their own: `.env.test`
instead of `.env` and of the shell's FLASK_* and DATABASE_URL, and an instance folder
that is made for the run. Where there are types for the frontend, one more test is that
they are up to date. Without FLASK_APP this plugin does nothing.
"""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from . import types_file
from .loading import app_folder, load_app, name_app, read_env_file
from .settings import SettingError

SETTINGS_OF_TESTS = ".env.test"
# pytest-playwright's own fixtures; the project cannot mend them.
NOT_OURS = "ignore:.*fixtures defined as instance methods"


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Before any module of the tests is imported, set up what the app will read."""
    try:
        enter_project(early_config.rootpath)
        name_app()
        settings = settings_of_tests()
    except SettingError as error:
        raise pytest.UsageError(error.message) from None
    if "FLASK_APP" not in os.environ:
        return
    for name in list(os.environ):
        is_setting = name.startswith("FLASK_") and name != "FLASK_APP"
        if is_setting or name == "DATABASE_URL":
            del os.environ[name]
    os.environ.update(settings)
    os.environ["FLASK_TESTING"] = "1"
    # Else a server that a test starts would read .env by itself.
    os.environ["FLASK_SKIP_DOTENV"] = "1"
    if "FLASK_INSTANCE_PATH" not in settings:
        folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        early_config.add_cleanup(folder.cleanup)
        os.environ["FLASK_INSTANCE_PATH"] = folder.name
    sys.path.insert(0, str(app_folder()))


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Make warnings of the app's own modules errors; add the browser's fixtures."""
    if "FLASK_APP" in os.environ:
        # First, so that what the project itself says of warnings wins.
        errors = [f"error:::{module}" for module in own_modules()]
        config.getini("filterwarnings")[:0] = [NOT_OURS, *errors]
    if "FLASK_APP" in os.environ and config.pluginmanager.hasplugin("playwright"):
        # The last one to be registered is the one whose fixtures count.
        from . import pytest_browser

        config.pluginmanager.register(pytest_browser, "react_flask_kit_browser")
    if tests_types(config):
        config.args.append(str(types_file.path()))


def enter_project(root: Path) -> None:
    """Go to the folder whose .env or .flaskenv names the app, as its commands do.

    It is this folder, one above, or pytest's root folder: an editor may start a test in
    the folder of its file, or anywhere.
    """
    if "FLASK_APP" in os.environ:
        return
    here = Path.cwd()
    for start in (here, root):
        os.chdir(start)
        for name in (".env", ".flaskenv"):
            folder, values = read_env_file(name)
            if values.get("FLASK_APP"):
                os.chdir(folder)
                return
    os.chdir(here)


def settings_of_tests() -> dict[str, str]:
    """Return what .env.test says."""
    _, settings = read_env_file(SETTINGS_OF_TESTS)
    return {name: text or "" for name, text in settings.items()}


def own_modules() -> list[str]:
    """Return patterns for the names of the modules beside the app.

    With a stray __init__.py beside them, they are parts of a package.
    """
    folder = app_folder()
    packages = [init.parent for init in folder.glob("*/__init__.py")]
    modules = [*folder.glob("*.py"), *packages]
    names = sorted({re.escape(module.stem) for module in modules})
    return [rf"(.+\.)?{name}(\.|$)" for name in names]


def tests_types(config: pytest.Config) -> bool:
    """Tell whether the types for the frontend are tested too.

    They are with all tests, and with a folder of them; not where single ones are named.
    """
    if "FLASK_APP" not in os.environ or not types_file.path().is_file():
        return False
    here = config.invocation_params.dir
    return any((here / argument).is_dir() for argument in config.args)


def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> pytest.Collector | None:
    """Find the test of the types for the frontend in their file."""
    if "FLASK_APP" not in os.environ or file_path != types_file.path():
        return None
    return TypesFile.from_parent(parent, path=file_path)


class TypesFile(pytest.File):
    """The types for the frontend, as a file of one test."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield the test."""
        yield TypesItem.from_parent(self, name="is_up_to_date")


class TypesItem(pytest.Item):
    """The test that the frontend's types say what the routes say."""

    def runtest(self) -> None:
        """Fail where they do not."""
        app = load_app()
        if not types_file.is_current(app):
            pytest.fail(types_file.difference(app), pytrace=False)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Let pytest call it by the name of the file."""
        return self.path, None, types_file.FILE


@pytest.fixture
def app() -> Flask:
    """Return the app that FLASK_APP names."""
    return load_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Return a client of the app: `client.get("/time").json`."""
    return app.test_client()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Build the frontend, serve it with the app as in production; yield the address.

    Its data is its own, so that a test of the app may drop all tables.
    """
    from .testing import built_frontend, production_server

    build = tmp_path_factory.mktemp("build")
    built_frontend(Path.cwd(), build)
    data = {"FLASK_INSTANCE_PATH": str(tmp_path_factory.mktemp("data"))}
    env = {"BUILD_PATH": str(build)} | data | settings_of_tests()
    with production_server(Path.cwd(), **env) as address:
        yield address
