"""The plugin for pytest, in the test runs of other apps.

The contract: where FLASK_APP names an app, its tests have the fixtures `app` and
`client` and an environment of their own; the project's own fixtures and settings win;
without FLASK_APP the plugin does nothing.
"""

import os
import re
from pathlib import Path

import pytest
from processes import clean_env

pytest_plugins = ["pytester"]

APP = """
import os
from flask import Flask
from react_flask_kit import Kit

app = Flask(__name__)
Kit(app)

@app.get("/config/<name>")
def tell(name):
    return {"value": app.config.get(name)}

@app.get("/environment")
def list_environment():
    return sorted(os.environ)
"""
FACTORY = """
from flask import Flask
from react_flask_kit import Kit

def create_app(name="factory"):
    app = Flask(name)
    Kit(app)
    return app
"""
USES_THE_FIXTURES = """
from flask import Flask
from flask.testing import FlaskClient

def test_fixtures(app, client):
    assert isinstance(app, Flask)
    assert app.testing
    assert isinstance(client, FlaskClient)
    assert client.application is app
    assert client.get("/health").json["status"] == "ok"
"""

READS_A_FILE = """
from pathlib import Path

def test_file(app):
    assert app.config["OF_TESTS"] == 1
    assert Path("data.txt").read_text() == "data"
"""


@pytest.fixture(autouse=True)
def project(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> pytest.Pytester:
    """Stand in an empty folder, with the environment of nobody."""
    for name in os.environ.keys() - clean_env().keys() - {"PYTEST_CURRENT_TEST"}:
        monkeypatch.delenv(name)
    return pytester


def write(files: dict[str, str]) -> None:
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")


def run(pytester: pytest.Pytester, *args: str) -> pytest.RunResult:
    """Run the tests of the folder in another process, without slow plugins."""
    without = ("-p", "no:playwright", "-p", "no:hypothesispytest")
    return pytester.runpytest_subprocess(*without, *args)


@pytest.mark.parametrize(
    ("flask_app", "files"),
    [
        ("app.py", {"app.py": APP}),
        ("api/api.py", {"api/api.py": APP, "api/__init__.py": ""}),
        ("api/api.py:create_app()", {"api/api.py": FACTORY}),
        ("shop", {"shop/__init__.py": FACTORY}),
        ("shop.web:create_app('other')", {"shop/web.py": FACTORY}),
    ],
)
def test_the_fixtures_are_those_of_the_app_that_flask_app_names(
    project: pytest.Pytester, flask_app: str, files: dict[str, str]
) -> None:
    write(files | {".flaskenv": f"FLASK_APP={flask_app}"})
    write({"tests/test_app.py": USES_THE_FIXTURES})
    run(project).assert_outcomes(passed=1)


@pytest.mark.parametrize("place", [".", "tests", "tests/deep", "../elsewhere"])
@pytest.mark.parametrize(
    ("flask_app", "file"), [("api/api.py", "api/api.py"), ("shop", "shop/__init__.py")]
)
def test_an_editor_may_start_a_test_in_any_folder(
    project: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    flask_app: str,
    file: str,
) -> None:
    write({".flaskenv": f"FLASK_APP={flask_app}", file: FACTORY, "data.txt": "data"})
    write({".env.test": "FLASK_OF_TESTS=1", "pyproject.toml": "[tool.pytest]\n"})
    write({"tests/test_app.py": USES_THE_FIXTURES + READS_A_FILE})
    (project.path / place).mkdir(exist_ok=True)
    monkeypatch.chdir(project.path / place)
    test = os.path.relpath(project.path / "tests/test_app.py")
    run(project, test).assert_outcomes(passed=2)


def test_a_factory_makes_a_new_app_for_each_test(project: pytest.Pytester) -> None:
    write({".flaskenv": "FLASK_APP=app.py:create_app()", "app.py": FACTORY})
    project.makepyfile(
        """
        seen = []

        def test_one(app):
            seen.append(app)

        def test_other(app):
            assert app is not seen[0]
        """
    )
    run(project).assert_outcomes(passed=2)


def test_the_tests_have_settings_and_an_instance_folder_of_their_own(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://production")
    monkeypatch.setenv("FLASK_OF_SHELL", "1")
    monkeypatch.setenv("FLASK_TESTING", "0")
    monkeypatch.setenv("OTHER", "of shell")
    write(
        {
            "app.py": APP,
            ".flaskenv": "FLASK_APP=app.py\nFLASK_OF_FLASKENV=1\n",
            ".env": "FLASK_OF_ENV=1\nDATABASE_URL=postgresql://development\n",
            ".env.test": "FLASK_OF_TESTS=1\nFLASK_EMPTY=\nPLAIN=2\n",
        }
    )
    project.makepyfile(
        """
        import os
        import tempfile
        from pathlib import Path

        at_import = dict(os.environ)

        def test_settings(app):
            assert app.config["OF_TESTS"] == 1
            assert app.config["EMPTY"] == ""
            assert at_import["PLAIN"] == "2"
            assert at_import["OTHER"] == "of shell"
            assert app.testing
            assert "DATABASE_URL" not in at_import
            assert not {"OF_SHELL", "OF_ENV", "OF_FLASKENV"} & app.config.keys()

        def test_instance_folder(app):
            folder = Path(app.instance_path)
            assert folder.parent == Path(tempfile.gettempdir())
            assert list(folder.iterdir()) == []
            (folder / "app.db").write_text("data")
            Path("instance_path").write_text(app.instance_path)

        def test_other_instance_folder_is_the_same(app):
            (file,) = Path(app.instance_path).iterdir()
            assert file.name == "app.db"
        """
    )
    run(project).assert_outcomes(passed=3)
    assert not Path("instance").exists()
    assert not Path(Path("instance_path").read_text()).exists()


def test_an_instance_folder_and_an_app_may_be_named_for_tests(
    project: pytest.Pytester,
) -> None:
    write({"app.py": APP, ".env": "FLASK_APP=app.py"})
    write({".env.test": f"FLASK_INSTANCE_PATH={project.path / 'kept'}\nDATABASE_URL=x"})
    project.makepyfile(
        """
        import os

        def test_instance_folder(app):
            assert app.instance_path.endswith("kept")
            os.mkdir(app.instance_path)

        def test_database():
            assert os.environ["DATABASE_URL"] == "x"
        """
    )
    run(project).assert_outcomes(passed=2)
    assert Path("kept").is_dir()


def test_a_required_key_is_made_for_tests_and_another_setting_is_asked_for(
    project: pytest.Pytester,
) -> None:
    write({".flaskenv": "FLASK_APP=app.py"})
    write({"app.py": APP.replace("Kit(app)", 'Kit(app, required=["SECRET_KEY"])')})
    project.makepyfile(
        """
        def test_key(app):
            assert len(app.config["SECRET_KEY"]) >= 32
        """
    )
    run(project).assert_outcomes(passed=1)
    write({"app.py": APP.replace("Kit(app)", 'Kit(app, required=["MAIL_SERVER"])')})
    result = run(project)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("*FLASK_MAIL_SERVER is not set.*.env.test.*")
    write({".env.test": "FLASK_MAIL_SERVER=localhost\nFLASK_SECRET_KEY=" + "k" * 32})
    run(project).assert_outcomes(passed=1)


WARNS = """
import warnings

def warn():
    warnings.warn("old", DeprecationWarning)
"""
CALLS_WHAT_WARNS = """
import warnings

import helpers
import library
import shop

def test_module():
    helpers.warn()

def test_package():
    shop.warn()

def test_module_in_package():
    from shop import cart
    cart.warn()

def test_library():
    library.warn()

def test_own():
    warnings.warn("old", DeprecationWarning)
"""


@pytest.fixture
def warning_project(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> pytest.Pytester:
    monkeypatch.setenv("PYTHONPATH", str(Path("packages").resolve()))
    write(
        {
            ".flaskenv": "FLASK_APP=api/api.py",
            "api/api.py": APP,
            "api/helpers.py": WARNS,
            "api/shop/__init__.py": WARNS,
            "api/shop/cart.py": WARNS,
            "api/not_shop.py": "",
            "packages/library.py": WARNS,
            "tests/test_warnings.py": CALLS_WHAT_WARNS,
        }
    )
    return project


def test_a_warning_of_the_apps_own_modules_is_an_error(
    warning_project: pytest.Pytester,
) -> None:
    result = run(warning_project)
    result.assert_outcomes(failed=3, passed=2, warnings=2)
    result.stdout.fnmatch_lines(
        [f"FAILED *::test_{name} - *" for name in ("module", "package")]
    )


def test_a_stray_init_file_does_not_hide_the_warnings_of_the_app(
    project: pytest.Pytester,
) -> None:
    write({".flaskenv": "FLASK_APP=api/main.py", "api/__init__.py": ""})
    write({"api/main.py": APP + WARNS})
    project.makepyfile(
        """
        import sys

        def test_warning(app):
            sys.modules[app.import_name].warn()
        """
    )
    result = run(project)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines("E * DeprecationWarning: old")


@pytest.mark.parametrize(
    ("ini", "failed"), [("ignore::DeprecationWarning", 0), ("error", 5)]
)
def test_what_the_author_says_of_warnings_wins(
    warning_project: pytest.Pytester, ini: str, failed: int
) -> None:
    warning_project.makeini(f"[pytest]\nfilterwarnings = {ini}\n")
    run(warning_project).assert_outcomes(failed=failed, passed=5 - failed)


def test_without_flask_app_nothing_is_done(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "of shell")
    monkeypatch.setenv("FLASK_OF_SHELL", "1")
    write({"app.py": APP + WARNS, ".env.test": "OF_TESTS=1", ".env": "OF_ENV=1"})
    project.makepyfile(
        """
        import os

        def test_environment():
            of_flask = {name for name in os.environ if name.startswith("FLASK_")}
            assert of_flask == {"FLASK_OF_SHELL"}
            assert os.environ["DATABASE_URL"] == "of shell"
            assert not {"OF_TESTS", "OF_ENV"} & os.environ.keys()

        def test_warning():
            from app import warn
            warn()
        """
    )
    run(project).assert_outcomes(passed=2, warnings=1)


def test_without_flask_app_the_browser_is_playwrights(project: pytest.Pytester) -> None:
    pytest.importorskip("pytest_playwright")
    project.makepyfile(
        """
        def test_browser(browser_type_launch_args):
            assert "args" not in browser_type_launch_args
        """
    )
    own_warnings = "ignore::pytest.PytestRemovedIn10Warning"
    result = project.runpytest_subprocess("-W", own_warnings)
    result.assert_outcomes(passed=1)


def test_own_fixtures_come_before_ours(project: pytest.Pytester) -> None:
    write({".flaskenv": "FLASK_APP=app.py", "app.py": APP})
    project.makeconftest(
        """
        import pytest

        @pytest.fixture
        def app():
            return "own app"

        @pytest.fixture
        def client(app):
            return f"client of {app}"
        """
    )
    project.makepyfile(
        """
        def test_own(app, client):
            assert app == "own app"
            assert client == "client of own app"
        """
    )
    run(project).assert_outcomes(passed=1)


def test_an_own_app_is_what_our_client_asks(project: pytest.Pytester) -> None:
    write({".flaskenv": "FLASK_APP=app.py", "app.py": APP})
    project.makeconftest(
        """
        import pytest

        @pytest.fixture
        def app(app):
            app.config["ADDED"] = "by conftest"
            return app
        """
    )
    project.makepyfile(
        """
        def test_own(client):
            assert client.get("/config/ADDED").json == {"value": "by conftest"}
        """
    )
    run(project).assert_outcomes(passed=1)


def test_each_worker_of_xdist_has_a_folder_of_its_own(
    project: pytest.Pytester,
) -> None:
    pytest.importorskip("xdist")
    write({".flaskenv": "FLASK_APP=app.py", "app.py": APP})
    project.makepyfile(
        """
        from pathlib import Path
        import pytest

        @pytest.mark.parametrize("n", range(4))
        def test_folder(app, n, worker_id):
            Path(f"folder-{worker_id}").write_text(app.instance_path)
            assert Path(app.instance_path).is_dir()
        """
    )
    run(project, "-n2").assert_outcomes(passed=4)
    folders = [Path(path.read_text()) for path in Path().glob("folder-*")]
    assert len(set(folders)) == 2
    assert not any(folder.exists() for folder in folders)


def test_the_server_of_the_site_has_the_settings_of_the_tests_too(
    project: pytest.Pytester,
) -> None:
    write(
        {
            ".flaskenv": "FLASK_APP=app.py",
            "app.py": APP,
            ".env": "DATABASE_URL=postgresql://development\nFLASK_OF_ENV=1\n",
            ".env.test": "FLASK_OF_TESTS=1\n",
        }
    )
    project.makepyfile(
        """
        import json
        import urllib.request
        from pathlib import Path

        from react_flask_kit.testing import production_server

        def test_environment():
            with production_server(Path.cwd()) as address:
                with urllib.request.urlopen(f"{address}/environment") as response:
                    names = json.load(response)
            assert "FLASK_OF_TESTS" in names
            assert "FLASK_OF_ENV" not in names
            assert "DATABASE_URL" not in names
        """
    )
    run(project).assert_outcomes(passed=1)


def test_an_app_that_is_not_there_is_told_without_a_crash_of_pytest(
    project: pytest.Pytester,
) -> None:
    write({".flaskenv": "FLASK_APP=api/api.py", "test_app.py": USES_THE_FIXTURES})
    result = run(project)
    printed = f"{result.stdout}{result.stderr}"
    assert result.ret not in (pytest.ExitCode.OK, pytest.ExitCode.INTERNAL_ERROR)
    assert "INTERNALERROR" not in printed
    assert re.search(r"api[./]api", printed)
