"""An import or a release step that takes long says so, and heals when it is mended.

The contract: after 5 s the terminal and each answer tell what takes so long and where;
the link is answered; and no request is lost when the app answers after all.
"""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from development_servers import development, linked
from processes import get, wait_for
from react_flask_kit import slow_start
from react_flask_kit.slow_start import told_if_slow
from werkzeug.exceptions import InternalServerError
from werkzeug.serving import BaseWSGIServer, make_server

APP = """
from flask import Flask
from neighbour import wait

wait()
app = Flask(__name__)
app.add_url_rule("/time", view_func=lambda: {"time": 1}, endpoint="time")
"""
WAITS = """
import time
from pathlib import Path

def wait():
    while not Path("go").exists():
        time.sleep(0.05)
"""
MENDED = """
def wait():
    pass  # no longer
"""
TOLD = "The app has been importing for 5 s. It is at neighbour.py:7: time.sleep(0.05)"


def write_app(folder: Path) -> None:
    (folder / "main.py").write_text(APP)
    (folder / "neighbour.py").write_text(WAITS)


@pytest.mark.parametrize("options", [["--no-reload"], []])
def test_an_import_that_hangs_is_told_until_it_ends(
    tmp_path: Path, options: list[str]
) -> None:
    write_app(tmp_path)
    with development(tmp_path, *options, waits=False) as (server, url):
        server.prints(TOLD)
        status, problem = get(f"{url}/time")
        assert status == 500
        assert problem["exception"].startswith("SlowStartError: The app has been impo")
        assert (problem["file"], problem["line"]) == (str(tmp_path / "neighbour.py"), 7)
        assert "in wait\n    time.sleep(0.05)" in problem["traceback"]
        assert "start" in problem["cure"]
        with linked(url) as link:
            error = link.greeting["error"]
            assert error["file"] == problem["file"]
            (tmp_path / "go").touch()
            assert link.next_line() is None
        assert get(f"{url}/time") == (200, {"time": 1})
        with linked(url) as link:
            assert link.greeting["error"] is None


def test_saving_the_fix_starts_an_import_again_that_hangs(tmp_path: Path) -> None:
    write_app(tmp_path)
    with development(tmp_path, waits=False) as (server, url):
        server.prints(TOLD)
        (tmp_path / "neighbour.py").write_text(MENDED)
        server.prints("neighbour.py has changed: starting again")
        assert get(f"{url}/time") == (200, {"time": 1})


def test_a_release_step_that_takes_long_is_told(tmp_path: Path) -> None:
    write_app(tmp_path)
    (tmp_path / "neighbour.py").write_text(MENDED)
    (tmp_path / "migrate.py").write_text(f"{WAITS}\nwait()\n")
    release = "python migrate.py"
    env = {"RELEASE_COMMAND": release, "PYTHONUNBUFFERED": "1"}
    with development(tmp_path, "--no-reload", waits=False, **env) as (server, url):
        server.prints("RELEASE_COMMAND has been running for 5 s.")
        assert "RELEASE_COMMAND has been" in get(f"{url}/time")[1]["exception"]
        (tmp_path / "go").touch()
        wait_for(lambda: get(f"{url}/time")[0] == 200, "the app")


def test_requests_during_the_import_wait_for_the_app(tmp_path: Path) -> None:
    """They were refused, or with a reloader they waited."""
    write_app(tmp_path)
    with (
        development(tmp_path, "--no-reload", waits=False) as (_, url),
        ThreadPoolExecutor() as pool,
    ):
        port = int(url.rpartition(":")[2])
        wait_for(lambda: is_listening(port), "the port")
        answers = [pool.submit(get, f"{url}/time") for _ in range(8)]
        (tmp_path / "go").touch()
        assert [answer.result() for answer in answers] == [(200, {"time": 1})] * 8


def is_listening(port: int) -> bool:
    """Tell whether connections are accepted, answered or not."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


def test_a_step_that_ends_while_its_server_starts_leaves_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(slow_start, "SECONDS_BEFORE_IT_IS_TOLD", 0)
    is_starting = threading.Event()
    servers = []

    def serve(_error: object) -> BaseWSGIServer:
        is_starting.set()
        servers.append(make_server("127.0.0.1", 0, InternalServerError()))
        return servers[0]

    with told_if_slow("It has been waiting", "Wait.", serve):
        assert is_starting.wait(30)
    assert [server.fileno() for server in servers] == [-1]


def test_a_step_that_ends_soon_says_nothing(capsys: pytest.CaptureFixture) -> None:
    with told_if_slow("It has been waiting", "Wait.", pytest.fail):
        pass
    assert capsys.readouterr().err == ""
