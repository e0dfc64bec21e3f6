"""The commands do what they say in a project of any shape.

Modules beside api.py, stray files that people and editors make, mistakes on both sides,
no tests at all.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from servers import (
    ROOT,
    clean_env,
    edit,
    free_port,
    get,
    is_answering,
    running,
    serving,
    succeed,
    wait_for,
)

BOOKS = """
from flask import Blueprint

TITLES = ["Emma"]
books = Blueprint("books", __name__)


@books.get("/books")
def list_books() -> list[str]:
    return TITLES
"""
TEST_BOOKS = """
from books import TITLES


def test_books(client):
    assert client.get("/books").json == TITLES
"""


@pytest.fixture
def grown_project(own_project: Path) -> Path:
    """Add to a copy of the project a blueprint and its test, each in its own module."""
    with (own_project / "api/api.py").open("a", encoding="utf-8") as api:
        api.write("\n\nfrom books import books\n\napp.register_blueprint(books)\n")
    (own_project / "api/books.py").write_text(BOOKS)
    for test in (own_project / "tests").glob("*.py"):
        test.unlink()
    (own_project / "tests/test_books.py").write_text(TEST_BOOKS)
    return own_project


@pytest.fixture
def strewn_project(grown_project: Path) -> Path:
    """Add what Flask and pytest would take for the sign of a package."""
    for folder in ("api", "tests"):
        (grown_project / folder / "__init__.py").touch()
    return grown_project


# test_fork.py tests and serves an app of two modules without them.
@pytest.mark.parametrize("shape", ["grown_project", "strewn_project"])
def test_start_api_runs_an_app_of_two_modules(
    request: pytest.FixtureRequest, shape: str
) -> None:
    project, port = request.getfixturevalue(shape), free_port()
    with running(project, "start-api", FLASK_RUN_PORT=str(port)) as api:
        wait_for(lambda: api.ended or is_answering(port), "the API")
        assert get(f"http://localhost:{port}/books") == (200, ["Emma"]), api.output


def test_production_serves_it_beside_a_stray_init_py(strewn_project: Path) -> None:
    with serving(strewn_project) as server:
        assert get(f"{server.url}/books") == (200, ["Emma"]), server.command.output


def test_test_api_tests_it_beside_stray_init_pys(strewn_project: Path) -> None:
    assert "1 passed" in succeed(strewn_project, "test-api")


def test_options_for_tests_must_be_given_to_one_side(project: Path) -> None:
    with running(project, "test --watch") as tests:
        assert tests.popen.wait(timeout=30) == 1
    assert "npm run test-frontend -- …   or   npm run test-api -- …" in tests.output


def test_flask_s_own_command_finds_the_app(project: Path) -> None:
    output = succeed(project, "flask routes")
    assert "get_current_time" in output
    assert "/items/<int:number>" in output


def test_a_project_without_any_tests_is_no_failure(own_project: Path) -> None:
    for folder in ("tests", "bench"):
        shutil.rmtree(own_project / folder, ignore_errors=True)
    for test in (own_project / "src").glob("*.test.js"):
        test.unlink()
    output = succeed(own_project, "test")
    assert "No test files found" in output
    # pytest also warns that there is no folder tests/.
    assert re.search(r"^=+ (no tests ran|1 warning) in ", output, re.M)


def test_lint_reports_both_sides_even_if_the_first_one_fails(own_project: Path) -> None:
    edit(own_project / "src/App.js", "import ", "import  ")
    edit(own_project / "api/api.py", "import time\n", "import os\nimport time\n")
    edit(own_project / "api/api.py", "app = Flask", "app=Flask")
    with running(own_project, "lint") as lint:
        assert lint.popen.wait(timeout=60) != 0
    assert "src/App.js" in lint.output
    assert "`os` imported but unused" in lint.output
    assert "1 file would be reformatted" in lint.output
    assert "npm run format" in lint.output


def test_format_rewrites_both_sides_and_bears_a_line_that_only_a_person_can_mend(
    own_project: Path,
) -> None:
    words = "word " * 30
    page, api = own_project / "src/App.js", own_project / "api/api.py"
    as_written = page.read_text(encoding="utf-8")
    edit(page, "import ", "import  ")
    with api.open("a", encoding="utf-8") as file:
        file.write(f"\n# {words}\nTEXT='{words}'\n")
    succeed(own_project, "format")
    assert page.read_text(encoding="utf-8") == as_written
    assert f'# {words.strip()}\nTEXT = "{words}"\n' in api.read_text(encoding="utf-8")


def test_an_install_by_npm_leaves_the_lockfile_alone(tmp_path: Path) -> None:
    for name in (".npmrc", "yarn.lock", "package.json"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "kit/node", tmp_path / "kit/node", symlinks=True)
    # Without the packages of the project, so that it takes a moment and no network.
    package = json.loads((tmp_path / "package.json").read_text())
    for key in ("dependencies", "devDependencies", "workspaces"):
        del package[key]
    (tmp_path / "package.json").write_text(json.dumps(package))
    (tmp_path / "added").mkdir()
    added = {"name": "added", "version": "1.0.0"}
    (tmp_path / "added/package.json").write_text(json.dumps(added))
    before = (tmp_path / "yarn.lock").read_bytes()
    npm = [shutil.which("npm"), "install", "--offline", "--no-audit", "./added"]
    subprocess.run(npm, cwd=tmp_path, env=clean_env(), check=True, timeout=60)
    assert (tmp_path / "node_modules/added").exists()
    assert (tmp_path / "yarn.lock").read_bytes() == before
    assert not (tmp_path / "package-lock.json").exists()
