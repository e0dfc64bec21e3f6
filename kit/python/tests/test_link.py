"""What Vite's development server is told by the request that it keeps open.

The contract: who answers and on what it depends, in the first line; later lines tell
each crash that no answer can; and the answer ends when the first line would be another.
"""

import http.client
import json
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from development_servers import development, linked
from processes import get
from react_flask_kit import development_link
from react_flask_kit.development_link import Link

CRASHES = """
import asyncio, threading, time
from flask import Flask
from react_flask_kit import Kit

app = Flask(__name__)
Kit(app)

def fail():
    raise ValueError("in the background")

async def fail_later():
    fail()

@app.get("/streamed")
def streamed():
    def parts():
        yield "begun"
        fail()
    return parts()

@app.get("/before-the-stream")
def before_the_stream():
    def parts():
        fail()
        yield "never"
    return parts()

@app.get("/closed")
def closed():
    response = app.make_response("whole")
    response.call_on_close(fail)
    return response

@app.get("/thread")
def thread():
    threading.Thread(target=fail, name="worker").start()
    return {}

@app.get("/exit")
def leave_thread():
    threading.Thread(target=lambda: exit(), name="leaver").start()
    return {}

@app.get("/task")
def task():
    async def start():
        asyncio.get_running_loop().create_task(fail_later())
        await asyncio.sleep(0.01)
    asyncio.run(start())
    return {}

@app.get("/streams-well")
def streams_well():
    return (part for part in ("begun", "ended"))
"""


@pytest.fixture(scope="module")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("app")
    (folder / "main.py").write_text(CRASHES)
    with development(folder, "--no-reload") as (_, url):
        yield url


@pytest.mark.parametrize(
    ("path", "request_told"),
    [
        ("/streamed", "GET /streamed, while it was answered"),
        ("/closed", "GET /closed, while it was answered"),
        ("/thread", "in the thread worker"),
        ("/task", "in a task of asyncio"),
    ],
)
def test_a_crash_that_no_answer_can_tell_is_a_line(
    app_url: str, path: str, request_told: str
) -> None:
    with linked(app_url) as link:
        ask(f"{app_url}{path}")
        line = link.next_line()
    assert line["request"] == request_told
    assert line["crash"]["exception"] == "ValueError: in the background"
    assert Path(line["crash"]["file"]).name == "main.py"
    assert CRASHES.splitlines()[line["crash"]["line"] - 1].strip().startswith("raise")


def ask(url: str) -> bytes:
    """Ask, and read what comes before the answer is cut."""
    try:
        with urllib.request.urlopen(url, timeout=30) as response:
            return response.read()
    except http.client.IncompleteRead as error:
        return error.partial


def test_a_stream_that_fails_before_it_begins_is_answered_like_any_crash(
    app_url: str,
) -> None:
    status, problem = get(f"{app_url}/before-the-stream")
    assert (status, problem["exception"]) == (500, "ValueError: in the background")


def test_what_ends_well_is_not_told(app_url: str) -> None:
    with linked(app_url) as link:
        assert ask(f"{app_url}/streams-well") == b"begunended"
        ask(f"{app_url}/exit")
        ask(f"{app_url}/thread")
        assert link.next_line()["request"] == "in the thread worker"


def test_a_crash_while_nobody_listens_is_told_to_the_first_who_does(
    tmp_path: Path,
) -> None:
    early = 'threading.Thread(target=fail, name="early").start()'
    (tmp_path / "main.py").write_text(f"{CRASHES}\n{early}\n")
    with development(tmp_path, "--no-reload") as (_, url):
        with linked(url) as first:
            assert first.next_line()["request"] == "in the thread early"
        with linked(url) as second:
            ask(f"{url}/thread")
            assert second.next_line()["request"] == "in the thread worker"


def test_each_process_has_another_name(tmp_path: Path, app_url: str) -> None:
    (tmp_path / "main.py").write_text(CRASHES)
    with (
        development(tmp_path, "--no-reload") as (_, url),
        linked(url) as link,
        linked(url) as again,
        linked(app_url) as other,
    ):
        names = [reader.greeting["process"] for reader in (link, again, other)]
    assert names[0] == names[1] != names[2]


def read(link: Link) -> tuple[dict, Iterator[bytes]]:
    """Return the greeting of a link, and the lines that follow."""
    lines = iter(link.answer(lambda *_: None))
    return json.loads(next(lines)), lines


def test_the_answer_ends_when_the_first_line_would_be_another_one() -> None:
    link = Link()
    error = RuntimeError("It takes long.")
    link.change(lambda: error)
    greeting, lines = read(link)
    assert greeting["error"]["exception"] == "RuntimeError: It takes long."
    link.change(lambda: None)
    assert list(lines) == []
    assert read(link)[0]["error"] is None


def test_of_many_crashes_the_first_ones_are_told() -> None:
    link = Link()
    link.change(lambda: None)
    _, lines = read(link)
    for number in range(1000):
        link.tell(ValueError(number), "in the thread worker")
    link.change(lambda: None)
    told = [json.loads(line)["crash"]["exception"] for line in lines]
    assert told == [f"ValueError: {number}" for number in range(10)]


def test_the_digest_follows_data_files_that_the_app_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def code() -> str:
        link = Link(["rates.json", "absent.json", "folder"])
        link.change(lambda: None)
        return read(link)[0]["code"]

    (tmp_path / "folder").mkdir()
    absent = code()
    (tmp_path / "rates.json").write_text("1")
    first = code()
    assert first == code()
    (tmp_path / "rates.json").write_text("2")
    assert len({absent, first, code()}) == 3


def test_the_greeting_names_what_the_app_depends_on_elsewhere(tmp_path: Path) -> None:
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    project.mkdir()
    elsewhere.mkdir()
    (elsewhere / "shared.py").touch()
    (project / "main.py").write_text(f"import shared, sqlite3\n{CRASHES}")
    extra = os.pathsep.join(["rates.json", str(tmp_path / "prices.json")])
    settings = {"FLASK_RUN_EXTRA_FILES": extra, "PYTHONPATH": str(elsewhere)}
    with (
        development(project, "--no-reload", **settings) as (_, url),
        linked(url) as link,
    ):
        files = [Path(file) for file in link.greeting["files"]]
    kit = Path(development_link.__file__).parent
    assert {file for file in files if not file.is_relative_to(kit)} == {
        elsewhere / "shared.py",
        project / "rates.json",
        tmp_path / "prices.json",
    }
