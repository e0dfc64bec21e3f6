"""The log on stderr: one line a request, and nothing that a client sends can forge one.

The tests read what a process of its own has written.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from apps import APP, load_app
from processes import Process, clean_env, get, running, wait_for
from react_flask_kit.testing import free_port, is_answering

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}"
LINE = re.compile(
    TIME + r" INFO (?P<method>\S+) (?P<path>\S+) (?P<status>\d{3}) \d+\.\d ms "
    r"(?P<id>[\w.-]{1,64})"
)
IN_ANOTHER_PROCESS = """
import sys
sys.path.insert(0, {folder!r})
from app import app

@app.get("/crash/<path:_>")
def crash(_):
    raise RuntimeError("broken\\nFAKE LINE\\r\\x1b[2J")

client = app.test_client()
{code}
"""


def stderr_of(code: str, **env: str) -> str:
    script = IN_ANOTHER_PROCESS.format(folder=str(APP.parent), code=code)
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=clean_env(**env),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr


def test_each_request_is_one_line() -> None:
    code = """
client.get("/time?secret=1", headers={"X-Request-ID": "abc-1"})
client.head("/health")
client.post("/time")
client.get("/caf%C3%A9/a b%25")
"""
    matches = [LINE.fullmatch(line) for line in stderr_of(code).splitlines()]
    assert [match.groups()[:3] for match in matches] == [
        ("GET", "/time", "200"),
        ("HEAD", "/health", "200"),
        ("POST", "/time", "405"),
        ("GET", "/caf%C3%A9/a%20b%25", "404"),
    ]
    ids = [match["id"] for match in matches]
    assert ids[0] == "abc-1"
    assert len(set(ids)) == 4


def test_each_line_is_a_json_object_where_the_setting_says_so() -> None:
    code = 'client.get("/time", headers={"X-Request-ID": "1"}); client.get("/crash/x")'
    lines = stderr_of(code, FLASK_LOG_FORMAT="json").splitlines()
    first, crash, last = map(json.loads, lines)
    assert re.fullmatch(TIME, first.pop("time"))
    assert isinstance(first.pop("ms"), float)
    assert first.pop("message").startswith("GET /time 200 ")
    request = {"method": "GET", "path": "/time", "status": 200, "request_id": "1"}
    assert first == {"level": "INFO"} | request
    assert (crash["level"], last["status"]) == ("ERROR", 500)
    assert crash["request_id"] == last["request_id"]
    assert "RuntimeError: broken\nFAKE LINE" in crash["traceback"]
    assert crash["message"] == "Exception on /crash/x [GET]"


def test_a_request_cannot_forge_a_line() -> None:
    code = """
client.get("/x%0d%0aFAKE%20LINE")
client.get("/crash/a%0dFAKE%20LINE")
client.get("/crash/%c2%85FAKE%e2%80%a8FAKE")
client.get("/x%1b%5b2J")
client.open("/time", method="GET\\x0bFAKE")
"""
    log = stderr_of(code)
    assert all(re.match(f"    |{TIME} ", line) for line in log.split("\n")[:-1])
    assert not re.search(r"[^\n -~]", log)
    assert len(re.findall(" ms ", log)) == 5


def test_a_crash_is_logged_with_its_request_and_traceback() -> None:
    log = stderr_of('client.get("/crash/x", headers={"X-Request-ID": "abc"})')
    first, *traceback, last = log.splitlines()
    assert first.endswith("ERROR Exception on /crash/x [GET] abc")
    assert traceback[0] == "    Traceback (most recent call last):"
    assert "    RuntimeError: broken" in traceback
    assert LINE.fullmatch(last)["id"] == "abc"


def test_what_a_view_logs_is_a_line_with_the_id_of_its_request() -> None:
    code = """
app.add_url_rule("/log", view_func=lambda: app.logger.info("bought %s", 2) or "")
client.get("/log", headers={"X-Request-ID": "abc"})
"""
    first, _ = stderr_of(code).splitlines()
    assert re.fullmatch(TIME + " INFO bought 2 abc", first)


def test_an_id_that_is_not_sane_is_replaced() -> None:
    client = load_app().test_client()
    for sent in ["", "a b", "a" * 65, "a\tb", "<script>", "é", "a,b", "a\0", "..%0a"]:
        response = client.get("/time", headers={"X-Request-ID": sent})
        assert re.fullmatch(r"[0-9a-f]{16}", response.headers["X-Request-ID"]), sent


def test_the_log_is_whole_under_load() -> None:
    code = """
from threading import Thread
def ask(n):
    for i in range(100):
        app.test_client().get("/time", headers={"X-Request-ID": f"{n}-{i}"})
threads = [Thread(target=ask, args=(n,)) for n in range(4)]
for t in threads: t.start()
for t in threads: t.join()
"""
    ids = [LINE.fullmatch(line)["id"] for line in stderr_of(code).splitlines()]
    assert len(ids) == len(set(ids)) == 400


@contextmanager
def development(folder: Path, **env: str) -> Iterator[tuple[Process, str]]:
    """Run the server of development; yield it and the address of the app."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    flask = ["flask", "--app", "react_flask_kit.development", "run", "--no-debugger"]
    settings = {"FLASK_APP": str(APP), "FLASK_DEBUG": "1", "FLASK_RUN_PORT": str(port)}
    command = [sys.executable, "-m", *flask]
    with running(folder, *command, **settings, **env) as server:
        wait_for(lambda: server.ended or is_answering(url), "the server")
        yield server, url


def test_development_says_each_request_once(tmp_path: Path) -> None:
    with development(tmp_path) as (server, url):
        assert get(f"{url}/time?once")[0] == 200
        server.prints("GET /time")
        assert get(f"{url}/last")[0] == 404
        server.prints("GET /last")
        assert server.output.count("/time") == server.output.count("/last") == 1


def test_development_says_in_one_line_and_in_each_answer_that_a_setting_is_refused(
    tmp_path: Path,
) -> None:
    message = "FLASK_LOG_FORMAT: write text or json; not 'xml'."
    with development(tmp_path, FLASK_LOG_FORMAT="xml") as (server, url):
        server.prints(f"Error: {message}")
        status, problem = get(f"{url}/time")
        assert status == 500
        assert problem["exception"] == f"SettingError: {message}"
        assert server.output.count(message) == 1
        assert "Traceback" not in server.output
