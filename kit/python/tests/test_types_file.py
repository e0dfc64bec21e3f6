"""The file of types for the frontend.

The contract: without the file nothing is done. With it, a development server that
starts brings it up to date before it tells Vite that it is there; an app that fails to
start leaves it alone; the tests of the app fail where it is out of date; and one that
cannot be written is a line in the log.
"""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from development_servers import development, linked
from flask import Flask
from processes import clean_env, get
from react_flask_kit import types_file

pytest_plugins = ["pytester"]

APP = """
from typing import TypedDict
from flask import Flask
from react_flask_kit import Kit

print("The app is imported.")
app = Flask(__name__)
Kit(app)

class Note(TypedDict):
    text: str

@app.get("/notes/<int:id>")
def get_note(id: int) -> Note:
    return {"text": "é"}
"""
OLD = "// Not yet.\n"


def make_app() -> Flask:
    app = Flask(__name__)
    app.add_url_rule("/time", "time", lambda: {})
    return app


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder that is a project; return where its types are to be."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "main.py").write_text(APP, encoding="utf-8")
    return tmp_path / "src/api-types.d.ts"


def put(file: Path, text: str = OLD) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")


def test_it_is_written_with_the_line_ends_of_unix_and_nothing_is_left_beside_it(
    file: Path,
) -> None:
    assert types_file.write(make_app())
    text = file.read_bytes()
    assert b"'/time': {\n" in text
    assert b"\r" not in text
    assert os.listdir(file.parent) == [file.name]


def test_it_is_written_only_where_it_says_something_else(file: Path) -> None:
    app = make_app()
    types_file.write(app)
    os.utime(file, ns=(1, 1))
    assert not types_file.write(app)
    # As Git may have checked it out on Windows.
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert types_file.is_current(app)
    assert not types_file.write(app)
    app.add_url_rule("/other", "other", lambda: {})
    assert types_file.write(app)
    assert b"'/other'" in file.read_bytes()


def test_a_link_to_it_stays_one(file: Path, tmp_path: Path) -> None:
    put(tmp_path / "elsewhere" / file.name)
    file.parent.mkdir()
    try:
        file.symlink_to(tmp_path / "elsewhere" / file.name)
    except OSError:
        pytest.skip("links need a right that this user has not")
    types_file.write(make_app())
    assert file.is_symlink()
    assert "'/time'" in file.read_text(encoding="utf-8")


def test_who_may_read_it_stays(file: Path) -> None:
    put(file)
    file.chmod(0o600)
    before = file.stat().st_mode
    types_file.write(make_app())
    assert file.stat().st_mode == before


def test_without_the_file_nothing_is_written(file: Path) -> None:
    types_file.refresh(make_app())
    assert not file.exists()


def block_draft(file: Path, _: pytest.MonkeyPatch) -> None:
    (file.parent / f".{file.name}.{os.getpid()}").mkdir()


def block_replacement(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Path) -> None:
        raise PermissionError("another program has it open")

    monkeypatch.setattr(Path, "replace", fail)


def block_description(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Flask) -> str:
        raise RuntimeError("unheard of")

    monkeypatch.setattr(types_file, "text_of", fail)


@pytest.mark.parametrize("block", [block_draft, block_replacement, block_description])
def test_one_that_cannot_be_written_is_one_line_in_the_log(
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    block: Callable,
) -> None:
    put(file)
    block(file, monkeypatch)
    types_file.refresh(make_app())
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    message = record.getMessage()
    assert message.startswith("src/api-types.d.ts stays as it is: ")
    assert "\n" not in message
    assert file.read_text(encoding="utf-8") == OLD
    assert [it for it in file.parent.iterdir() if it.is_file()] == [file]


SLOW = """
import time
from react_flask_kit import typescript

declare = typescript.declare

def declare_slowly(document):
    time.sleep(1)
    return declare(document)

typescript.declare = declare_slowly
"""


def test_a_development_server_brings_it_up_to_date_before_it_says_that_it_is_there(
    file: Path, tmp_path: Path
) -> None:
    put(file)
    (tmp_path / "main.py").write_text(SLOW + APP, encoding="utf-8")
    with development(tmp_path, "--no-reload") as (_server, url), linked(url) as link:
        assert link.greeting["error"] is None
        text = file.read_text(encoding="utf-8")
        assert "export interface Note {\n  text: string;\n}\n" in text


def test_an_app_that_cannot_be_imported_leaves_it_as_it_is(
    file: Path, tmp_path: Path
) -> None:
    put(file)
    (tmp_path / "main.py").write_text(f"{APP}\n1 / 0", encoding="utf-8")
    with development(tmp_path, "--no-reload") as (_server, url), linked(url) as link:
        assert link.greeting["error"]
    assert file.read_text(encoding="utf-8") == OLD


TELLS_MODULES = """
import sys

@app.get("/modules")
def list_modules():
    return sorted(sys.modules)
"""


@pytest.mark.parametrize("is_there", [True, False])
def test_without_it_a_development_server_does_not_even_import_what_makes_it(
    file: Path, tmp_path: Path, is_there: bool
) -> None:
    if is_there:
        put(file)
    (tmp_path / "main.py").write_text(APP + TELLS_MODULES, encoding="utf-8")

    with development(tmp_path, "--no-reload") as (_server, url):
        modules = get(f"{url}/modules")[1]
    assert ("msgspec" in modules) == is_there


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run what `npm run kit -- types` and `-- openapi` do, in their own process."""
    return subprocess.run(
        [sys.executable, "-m", "react_flask_kit.describing", *arguments],
        cwd=folder,
        env=clean_env(PYTHONIOENCODING="ascii"),
        capture_output=True,
    )


def test_the_command_writes_it_for_the_app_that_flask_app_names(
    file: Path, tmp_path: Path
) -> None:
    (tmp_path / ".flaskenv").write_text("FLASK_APP=main.py", encoding="utf-8")
    for said in ("is written", "is up to date"):
        done = run(tmp_path, "types")
        assert done.stdout.decode().strip() == f"src/api-types.d.ts {said}."
        assert done.returncode == 0
    assert "export interface Note {" in file.read_text(encoding="utf-8")


def test_the_command_names_the_routes_whose_answer_nobody_knows(
    file: Path, tmp_path: Path
) -> None:
    route = "@app.get('/odd')\ndef odd() -> 'Absent': ..."
    (tmp_path / "main.py").write_text(f"{APP}\n{route}", encoding="utf-8")
    (tmp_path / ".flaskenv").write_text("FLASK_APP=main.py", encoding="utf-8")
    done = run(tmp_path, "types")
    assert (
        "GET /odd: its answer is not described: name 'Absent'" in done.stdout.decode()
    )
    assert done.returncode == 0


def test_the_description_is_all_that_is_printed_even_where_the_app_prints(
    file: Path, tmp_path: Path
) -> None:
    source = APP.replace("-> Note:\n", '-> Note:\n    """Get the café\'s note."""\n')
    (tmp_path / "main.py").write_text(source, encoding="utf-8")
    (tmp_path / ".flaskenv").write_text("FLASK_APP=main.py", encoding="utf-8")
    printed = run(tmp_path, "openapi").stdout
    assert b"caf\xc3\xa9" in printed
    assert json.loads(printed)["openapi"] == "3.1.0"
    assert run(tmp_path, "openapi", "openapi.json").stdout == b""
    assert (tmp_path / "openapi.json").read_bytes() == printed


@pytest.mark.parametrize(
    ("command", "env", "message"),
    [
        (["types"], "FLASK_APP=absent.py", "Could not import 'absent'"),
        (["types"], "FLASK_APP=main.py\nFLASK_LOG_FORMAT=x", "FLASK_LOG_FORMAT: write"),
        (
            ["openapi", "no/x.json"],
            "FLASK_APP=main.py",
            "no/x.json cannot be written: ",
        ),
    ],
)
def test_what_is_wrong_is_said_without_a_traceback(
    file: Path, tmp_path: Path, command: list[str], env: str, message: str
) -> None:
    (tmp_path / ".env").write_text(env, encoding="utf-8")
    done = run(tmp_path, *command)
    said = done.stderr.decode()
    assert done.returncode != 0
    assert message in said
    assert "Traceback" not in said


def test_types_that_cannot_be_written_are_an_error_of_the_command(
    file: Path, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("FLASK_APP=main.py", encoding="utf-8")
    (tmp_path / "src").write_text("no folder", encoding="utf-8")
    done = run(tmp_path, "types")
    said = done.stderr.decode()
    assert done.returncode == 1
    assert "src/api-types.d.ts cannot be written: " in said
    assert "Traceback" not in said


@pytest.fixture
def tested(
    pytester: pytest.Pytester, file: Path, monkeypatch: pytest.MonkeyPatch
) -> pytest.Pytester:
    """Stand in a project with a test that passes, and with its types."""
    for name in os.environ.keys() - clean_env().keys() - {"PYTEST_CURRENT_TEST"}:
        monkeypatch.delenv(name)
    monkeypatch.chdir(pytester.path)
    for name, text in {
        ".flaskenv": "FLASK_APP=main.py",
        "main.py": APP,
        "tests/test_app.py": "def test_it(client): client.get('/notes/1').json",
    }.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    assert run(pytester.path, "types").returncode == 0
    return pytester


def run_tests(pytester: pytest.Pytester, *args: str) -> pytest.RunResult:
    without = ("-p", "no:playwright", "-p", "no:hypothesispytest")
    return pytester.runpytest_subprocess(*without, *args)


def rename_field() -> None:
    main = Path("main.py")
    text = main.read_text(encoding="utf-8").replace("text", "body")
    main.write_text(text, encoding="utf-8")


def test_the_tests_of_an_app_pass_while_it_is_up_to_date(
    tested: pytest.Pytester,
) -> None:
    run_tests(tested).assert_outcomes(passed=2)


def test_the_tests_of_an_app_fail_when_it_is_not_and_say_what_mends_it(
    tested: pytest.Pytester,
) -> None:
    rename_field()
    done = run_tests(tested)
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(
        [
            "src/api-types.d.ts is not what the API's routes and their hints say.",
            "Write it again, and commit it: npm run kit -- types",
            "  -  text: string;",
            "  +  body: string;",
            "FAILED src/api-types.d.ts::is_up_to_date - *",
        ]
    )
    done.stdout.no_fnmatch_line("*pytest_plugin.py*")


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["."],
        ["tests"],
        ["tests/"],
        ["tests", "src"],
        ["tests/test_app.py", "src/api-types.d.ts"],
        ["tests/test_app.py", "src/api-types.d.ts::is_up_to_date"],
    ],
)
def test_it_is_tested_once_and_counted_with_all_tests_and_by_its_name(
    tested: pytest.Pytester, args: list[str]
) -> None:
    done = run_tests(tested, *args)
    done.assert_outcomes(passed=2)
    done.stdout.fnmatch_lines(["collected 2 items"])


def test_an_editor_finds_it_in_a_file_and_a_folder(tested: pytest.Pytester) -> None:
    """VS Code goes up from a test to its file, and from there to the project."""
    run_tests(tested, "--collect-only").stdout.fnmatch_lines(
        ["  <Dir src>", "    <TypesFile api-types.d.ts>", "      <TypesItem *>"]
    )


@pytest.mark.parametrize("args", [["tests/test_app.py"], ["-k", "test_it"]])
def test_it_is_not_tested_where_single_tests_are_run(
    tested: pytest.Pytester, args: list[str]
) -> None:
    rename_field()
    done = run_tests(tested, *args)
    assert done.parseoutcomes()["passed"] == 1
    assert "failed" not in done.parseoutcomes()


def test_the_tests_of_an_app_without_it_have_nothing_to_do_with_it(
    tested: pytest.Pytester,
) -> None:
    Path(types_file.FILE).unlink()
    run_tests(tested).assert_outcomes(passed=1)
