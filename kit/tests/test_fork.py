"""Be the forker: a renamed project with a page, an API and tests of one's own.

Nothing is left of the demo, nor of what only the starter needs; every command works.
"""

import json
import re
import shutil
import urllib.request
from pathlib import Path

import pytest
from projects import copy_project
from servers import get, serving, succeed

NOT_OF_A_FORK = ("bench", "docs", "kit/tests", "src", "tests")
FILES = {
    ".env": f"FLASK_SECRET_KEY={'5ec2e7' * 11}\n",
    "api/api.py": '''"""The API of a library."""

from books import books
from flask import Flask
from react_flask_kit import Kit

app = Flask(__name__)
Kit(app, required=["SECRET_KEY"])
app.register_blueprint(books)
''',
    "api/books.py": '''"""The books."""

from flask import Blueprint

books = Blueprint("books", __name__)


@books.get("/titles")
def get_titles() -> list[str]:
    """Return the titles of all books."""
    return ["Emma", "Persuasion"]
''',
    "tests/test_books.py": """from flask.testing import FlaskClient


def test_titles(client: FlaskClient) -> None:
    assert client.get("/titles").json == ["Emma", "Persuasion"]
""",
    "tests/test_library.py": """from playwright.sync_api import Page, expect


def test_library(page: Page, site: str) -> None:
    page.goto(site)
    expect(page.get_by_role("listitem")).to_have_text(["Emma", "Persuasion"])
""",
    "src/index.js": """import { createRoot } from 'react-dom/client';
import Library from './Library';

createRoot(document.getElementById('root')).render(<Library />);
""",
    "src/Library.js": """import { useEffect, useState } from 'react';

export default function Library() {
  const [titles, setTitles] = useState(['Asking']);
  useEffect(() => {
    fetch('/titles')
      .then((response) => response.json())
      .then(setTitles, () => setTitles(['Unknown']));
  }, []);
  return (
    <ul>
      {titles.map((title) => (
        <li key={title}>{title}</li>
      ))}
    </ul>
  );
}
""",
    "src/Library.test.js": """import { render, screen } from '@testing-library/react';
import Library from './Library';

test('lists what the API answers', async () => {
  globalThis.fetch = async () => ({ json: async () => ['Sanditon'] });
  render(<Library />);
  expect(await screen.findByText('Sanditon')).toBeInTheDocument();
});
""",
    "src/setupTests.js": "import '@testing-library/jest-dom';\n",
}
# What Vitest and pytest print of tests that pass, a line each.
OF_THE_RUNNERS = """
 RUN  v[\\d.]+ .+
 ✓ src/Library.test.js \\(1 test\\) \\d+ms
( +✓ lists what the API answers +\\d+ms)?
 Test Files  1 passed \\(1\\)
      Tests  1 passed \\(1\\)
   Start at  .+
   Duration  .+
=+ test session starts =+
platform .+
rootdir: .+
configfile: pyproject.toml
testpaths: tests
plugins: .+
collected 2 items
tests/test_books.py \\. +\\[ 50%\\]
tests/test_library.py \\. +\\[100%\\]
=+ 2 passed in .+ =+
"""


@pytest.fixture(scope="module")
def fork(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a fresh clone somebody's own, and let the first command install it."""
    project = copy_project(tmp_path_factory.mktemp("fork"), installed=("api/venv",))
    for folder in NOT_OF_A_FORK:
        shutil.rmtree(project / folder, ignore_errors=True)
    for name, text in FILES.items():
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(text, encoding="utf-8")
    package = json.loads((project / "package.json").read_text())
    package["name"] = "@jane/library"
    (project / "package.json").write_text(json.dumps(package, indent=2) + "\n")
    pyproject = (project / "pyproject.toml").read_text()
    pyproject = re.sub(
        r'^name = ".+"', 'name = "library"', pyproject, count=1, flags=re.M
    )
    (project / "pyproject.toml").write_text(pyproject)
    assert "Installing the frontend's packages" in succeed(project, "build")
    return project


def test_the_lockfile_of_a_renamed_project_is_installed_as_it_is(fork: Path) -> None:
    assert (fork / "node_modules/react-flask-kit/package.json").is_file()
    assert (fork / "yarn.lock").read_text().count('"@jane/library@workspace:."') == 2


def test_its_tests_pass_and_print_nothing_but_the_runners_own_lines(fork: Path) -> None:
    output = succeed(fork, "test")
    known = [re.compile(line) for line in OF_THE_RUNNERS.splitlines()]
    lines = [line.rstrip() for line in output.splitlines()]
    unknown = [line for line in lines if not any(k.fullmatch(line) for k in known)]
    assert unknown == [], output
    assert "1 passed" in output
    assert "2 passed" in output


def test_its_style_is_right(fork: Path) -> None:
    succeed(fork, "lint")


def test_its_page_and_its_api_are_served_in_production(fork: Path) -> None:
    with serving(fork) as server:
        assert get(f"{server.url}/titles") == (200, ["Emma", "Persuasion"])
        assert get(f"{server.url}/health")[1]["status"] == "ok"
        with urllib.request.urlopen(server.url) as page:
            assert b'<div id="root">' in page.read()
