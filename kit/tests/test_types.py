"""What a route says is what the editor knows: from a saved api.py to the file of types.

The contract: `npm run kit -- types` makes src/api-types.d.ts. From then on it is right
before the page reloads, the page reloads once, and the build is the same as without.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from processes import wait_for
from projects import copy_project
from servers import ROOT, Command, clean_env, developing, edit, running, succeed

NOTES = '''

from typing import TypedDict  # noqa: E402


class Note(TypedDict):
    """A note."""

    text: str


@app.get("/notes/<int:id>")
def get_note(id: int) -> Note:
    return {"text": str(id)}
'''
COMMAND = "kit types"


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with notes and their types."""
    return make_typed(tmp_path_factory.mktemp("typed"))


def make_typed(folder: Path) -> Path:
    project = copy_project(folder)
    with (project / "api/api.py").open("a", encoding="utf-8") as api:
        api.write(NOTES)
    succeed(project, COMMAND)
    return project


def types_of(project: Path) -> str:
    return (project / "src/api-types.d.ts").read_text(encoding="utf-8")


def test_the_command_writes_what_the_routes_say(typed: Path) -> None:
    types = types_of(typed)
    assert "/** A note. */\nexport interface Note {\n  text: string;\n}\n" in types
    assert "'/notes/<int:id>': {\n      GET: { answer: Note };\n" in types
    assert "'/time': {\n      GET: { answer: Record<string, number> };\n" in types


def test_the_project_s_linter_accepts_what_it_writes(typed: Path) -> None:
    assert json.loads((typed / "jsconfig.json").read_text())["compilerOptions"][
        "checkJs"
    ]
    succeed(typed, "lint")


@pytest.mark.parametrize("name", ["jsconfig.json", "tsconfig.json"])
def test_a_configuration_that_is_there_stays_as_it_is(typed: Path, name: str) -> None:
    before = (typed / "jsconfig.json").read_text()
    (typed / "jsconfig.json").unlink()
    (typed / name).write_text("{}")
    try:
        assert "jsconfig.json is written" not in succeed(typed, COMMAND)
        assert (typed / name).read_text() == "{}"
    finally:
        (typed / name).unlink()
        (typed / "jsconfig.json").write_text(before)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            "kit types src",
            "npm run kit -- types takes no arguments, but was given: src",
        ),
        (
            "kit openapi a b",
            "npm run kit -- openapi takes one file, but was given: a b",
        ),
        (
            "kit openapi --out",
            "npm run kit -- openapi takes one file, but was given: --",
        ),
    ],
)
def test_arguments_without_a_use_are_refused(
    typed: Path, command: str, message: str
) -> None:
    with running(typed, command) as process:
        assert process.popen.wait(timeout=60) == 1
    assert message in process.output


def test_the_description_can_be_written_into_a_file(typed: Path) -> None:
    succeed(typed, "kit openapi openapi.json")
    document = json.loads((typed / "openapi.json").read_text(encoding="utf-8"))
    assert list(document["paths"]) == ["/notes/{id}", "/time"]


def test_what_is_built_is_the_same_without_the_file(typed: Path) -> None:
    succeed(typed, "build", BUILD_PATH="with")
    file = typed / "src/api-types.d.ts"
    aside = file.rename(typed / "aside")
    try:
        succeed(typed, "build", BUILD_PATH="without")
    finally:
        aside.rename(file)
    assert contents(typed / "with") == contents(typed / "without")


def contents(folder: Path) -> dict[str, bytes]:
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert files
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def test_the_frontend_is_built_and_tested_without_python(typed: Path) -> None:
    """The image's stage for the frontend has none; and what is committed is enough."""
    npm = ["node", "kit/node"]
    env = clean_env(PYTHON="absent", BUILD_PATH="alone")
    aside = (typed / "api").rename(typed / "aside")
    try:
        for command in ("build", "test-frontend"):
            done = subprocess.run([*npm, command], cwd=typed, env=env, timeout=100)
            assert done.returncode == 0
    finally:
        aside.rename(typed / "api")


def test_typescript_as_the_guide_has_it_finds_a_wrong_field_and_nothing_else(
    typed: Path,
) -> None:
    guide = (ROOT / "docs/types.md").read_text(encoding="utf-8")
    packages, options = re.search(
        r"add-frontend -- (.+)\nnpx tsc (.+)\n", guide
    ).groups()
    add = ["node", "kit/node", "add-frontend", *packages.split()]
    subprocess.run(add, cwd=typed, env=clean_env(), check=True, timeout=100)
    tsc = ["node", "node_modules/typescript/bin/tsc", *options.split()]
    app = typed / "src/App.js"
    before = app.read_text(encoding="utf-8")
    try:
        edit(app, "getJson('/time', {", "getJson('/notes/5', {")
        done = subprocess.run(tsc, cwd=typed, capture_output=True, text=True)
        app.write_text(before, encoding="utf-8")
        good = subprocess.run(tsc, cwd=typed, capture_output=True, text=True)
    finally:
        app.write_text(before, encoding="utf-8")
    errors = re.findall(r"^(\S+)\(\d+,\d+\): error TS\d+: (.+)", done.stdout, re.M)
    assert errors == [
        ("src/App.js", "Property 'time' does not exist on type 'Note'."),
        ("src/App.js", "Property 'time' does not exist on type 'Note'."),
    ]
    assert (good.stdout, good.returncode) == ("", 0)


@pytest.fixture(scope="module")
def dev(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Path, Command, str]]:
    # Another one than that of the tests before: these change what it says.
    project = make_typed(tmp_path_factory.mktemp("developed"))
    with developing(project) as (command, url):
        yield project, command, url


def test_a_saved_field_is_in_the_file_before_the_page_reloads_and_that_once(
    page: Page, dev: tuple[Path, Command, str]
) -> None:
    project, command, url = dev
    page.goto(url)
    expect(page.get_by_role("status")).to_contain_text("The current time is")
    with page.expect_event("framenavigated"):
        edit(project / "api/api.py", "    text: str", "    body: str")
    assert "  body: string;\n" in types_of(project)
    # What Vite has to do for the file, it has done by then.
    edit(project / "src/App.js", "React + Flask</h1>", "Types</h1>")
    command.prints("hmr update /src/App.js")
    assert command.output.count("page reload") == 1


def test_a_broken_api_leaves_the_file_and_its_fix_brings_it_up_to_date(
    page: Page, dev: tuple[Path, Command, str]
) -> None:
    project, _, url = dev
    page.goto(url)
    before = types_of(project)
    api = project / "api/api.py"
    edit(api, "class Note(TypedDict):", "class Note(TypedDict:")
    expect(page.locator("vite-error-overlay")).to_contain_text("SyntaxError")
    assert types_of(project) == before
    edit(api, "class Note(TypedDict:", "class Memo(TypedDict):")
    edit(api, "-> Note", "-> Memo")
    wait_for(lambda: "export interface Memo {" in types_of(project), "the fix")
    expect(page.locator("vite-error-overlay")).not_to_be_attached()
