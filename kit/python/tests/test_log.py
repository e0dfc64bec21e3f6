"""The log on stderr: one line a request, and nothing that a client sends can forge one.

The tests read what a process of its own has written.
"""

import json
import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest
from apps import APP, load_app
from processes import clean_env, wait_for

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}"
LINE = re.compile(
    TIME + r" INFO (?P<method>\S+) (?P<path>\S+) (?P<status>\d{3}) \d+\.\d ms "
    r"(?P<id>[\w.-]{1,64})"
)
FACTORY = """
import logging
from flask import Flask
from react_flask_kit import Kit

def create_app():
    app = Flask("factory")
    Kit(app)
    app.add_url_rule("/", view_func=lambda: app.logger.info("a message") or "")
    return app
"""
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
    return stderr_of_script(script, **env)


def stderr_of_script(script: str, **env: str) -> str:
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


def test_three_apps_of_a_factory_log_a_message_once() -> None:
    code = "apps = [create_app() for _ in range(3)]\napps[0].test_client().get('/')"
    log = stderr_of_script(FACTORY + code).splitlines()
    assert [line.split()[1:3] for line in log] == [["INFO", "a"], ["INFO", "GET"]]


CONFIGURES = {
    "basicConfig": "logging.basicConfig(level='INFO', format='own %(message)s')",
    "dictConfig": """
import logging.config
logging.config.dictConfig({
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"own": {"format": "own %(message)s"}},
    "handlers": {"own": {"class": "logging.StreamHandler", "formatter": "own"}},
    "root": {"level": "INFO", "handlers": ["own"]},
})
""",
    "a handler of app.logger": """
own = logging.StreamHandler()
own.setFormatter(logging.Formatter("own %(message)s"))
logging.getLogger("factory").addHandler(own)
logging.getLogger("factory").setLevel("INFO")
""",
}


@pytest.mark.parametrize("name", CONFIGURES)
def test_who_has_configured_logging_has_each_line_once_and_in_its_own_way(
    name: str,
) -> None:
    code = f"{CONFIGURES[name]}\ncreate_app().test_client().get('/')"
    first, last = stderr_of_script(FACTORY + code).splitlines()
    assert first == "own a message"
    assert re.fullmatch(r"own GET / 200 \d+\.\d ms", last)


@pytest.mark.parametrize("name", ["basicConfig", "dictConfig"])
def test_logging_that_is_configured_after_the_kit_has_each_line_once_too(
    name: str,
) -> None:
    code = f"app = create_app()\n{CONFIGURES[name]}\napp.test_client().get('/')"
    first, last = stderr_of_script(FACTORY + code).splitlines()
    assert first == "own a message"
    assert re.fullmatch(r"own GET / 200 \d+\.\d ms", last)


def test_the_log_of_a_test_is_pytests(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    client = load_app().test_client()
    client.get("/time", headers={"X-Request-ID": "abc"})
    (record,) = caplog.records
    assert re.fullmatch(r"GET /time 200 \d+\.\d ms", record.getMessage())
    assert record.request_id == "abc"
    assert capfd.readouterr().err == ""


def test_another_app_of_the_process_keeps_its_log() -> None:
    code = """
from werkzeug.serving import WSGIRequestHandler, make_server
import threading, urllib.request
app, plain = create_app(), Flask("plain")
plain.add_url_rule("/plain", view_func=lambda: plain.logger.error("plain") or "")
logging.getLogger("werkzeug").setLevel("INFO")
server = make_server("127.0.0.1", 0, plain)
threading.Thread(target=server.handle_request).start()
urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/plain").close()
server.server_close()
assert not logging.getLogger("werkzeug").filters
"""
    log = stderr_of_script(FACTORY + code)
    assert re.search(r"ERROR in .+: plain$", log, re.MULTILINE)
    assert "GET /plain HTTP/1.1" in log


def test_nobody_who_reads_stderr_costs_lines_and_not_requests(tmp_path: Path) -> None:
    """A pipe that is full held up each request, and each one had a thread."""
    code = """
import sys
import threading
from pathlib import Path
from react_flask_kit import log
client = create_app().test_client()
for _ in range(log.MOST_LINES):
    client.get("/")
Path(sys.argv[1]).write_text(f"{log.handler.dropped > 0} {threading.active_count()}")
sys.stdin.read()
client.get("/")
"""
    told = tmp_path / "told"
    process = subprocess.Popen(
        [sys.executable, "-c", FACTORY + code, told],
        env=clean_env(),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        wait_for(lambda: told.exists() and told.read_text(), "the requests")
        assert told.read_text() == "True 2"
        _, log = process.communicate()
    dropped = re.findall(r"WARNING (\d+) lines of the log were dropped", log)
    assert sum(map(int, dropped)) > 0
    assert all(re.match(f"{TIME} (INFO|WARNING) ", line) for line in log.splitlines())
    lines = [line for line in log.splitlines() if " INFO " in line]
    assert len(lines) + sum(map(int, dropped)) == 2 * 10_001
    assert process.returncode == 0


def test_a_process_that_is_forked_writes_its_own_lines() -> None:
    code = """
import os
app = create_app()
app.logger.info("of the parent")
if child := os.fork():
    os.waitpid(child, 0)
else:
    app.logger.info("of the child")
    logging.shutdown()
    import atexit
    atexit._run_exitfuncs()
    os._exit(0)
"""
    log = stderr_of_script(FACTORY + code)
    assert log.count("of the parent") == log.count("of the child") == 1
