"""The log on stderr: one line a request, and nothing that a client sends can forge one.

The tests read what a process of its own has written.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

from apps import API, load_app
from playwright.sync_api import Page, expect
from servers import free_port, get, is_answering, running, wait_for

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}"
LINE = re.compile(
    TIME + r" INFO (?P<method>\S+) (?P<path>\S+) (?P<status>\d{3}) \d+\.\d ms "
    r"(?P<id>[\w.-]{1,64})"
)
IN_ANOTHER_PROCESS = """
import sys
sys.path.insert(0, {api!r})
from api import app

@app.get("/crash/<path:_>")
def crash(_):
    raise RuntimeError("broken\\nFAKE LINE\\r\\x1b[2J")

client = app.test_client()
{code}
"""


def stderr_of(code: str, **env: str) -> str:
    script = IN_ANOTHER_PROCESS.format(api=str(API.parent), code=code)
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
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


def test_development_says_each_request_once(project: Path) -> None:
    port = free_port()
    with running(project, "start-api", FLASK_RUN_PORT=str(port)) as api:
        wait_for(lambda: is_answering(port), "the API")
        assert get(f"http://127.0.0.1:{port}/time?once")[0] == 200
        api.prints("GET /time")
        assert get(f"http://127.0.0.1:{port}/last")[0] == 404
        api.prints("GET /last")
    assert api.output.count("/time") == api.output.count("/last") == 1


def test_development_says_in_one_line_and_over_the_page_that_a_setting_is_refused(
    page: Page, project: Path
) -> None:
    port = str(free_port())
    ports = {"PORT": port, "FLASK_RUN_PORT": str(free_port())}
    message = "FLASK_LOG_FORMAT: write text or json; not 'xml'."
    with running(project, "dev", FLASK_LOG_FORMAT="xml", **ports) as dev:
        dev.prints(f"Error: {message}")
        wait_for(lambda: is_answering(int(port)), "the page")
        page.goto(f"http://localhost:{port}")
        overlay = page.locator("vite-error-overlay")
        expect(overlay).to_contain_text(f"SettingError: {message}")
        assert "Traceback" not in dev.output
