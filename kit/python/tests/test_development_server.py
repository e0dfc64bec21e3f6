"""What `start-api` runs: the app, joined to the development server of the frontend.

The contract: each request is said once; what is wrong with the app is said in the
terminal and in each answer, until it is mended; and the app is imported once.
"""

import http.client
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from apps import APP
from processes import Process, get, running, wait_for
from react_flask_kit.testing import free_port, is_answering

GOOD = """
import os
from flask import Flask
from react_flask_kit import Kit

with open("imported", "a") as file:
    print(os.getpid(), file=file)
app = Flask(__name__)
Kit(app)
app.add_url_rule("/time", "time", lambda: {"time": 1})
app.add_url_rule("/crash", "crash", lambda: {}["absent"])
"""


@contextmanager
def development(folder: Path, **env: str) -> Iterator[tuple[Process, str]]:
    """Run the server of development; yield it and the address of the app."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    flask = ["flask", "--app", "react_flask_kit.development", "run"]
    settings = {"FLASK_APP": str(APP), "FLASK_DEBUG": "1", "FLASK_RUN_PORT": str(port)}
    command = [sys.executable, "-m", *flask, "--no-debugger"]
    with running(folder, *command, **(settings | env)) as server:
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


def test_an_app_is_imported_once_by_the_process_that_answers(tmp_path: Path) -> None:
    """What an app starts when it is imported, it started twice."""
    (tmp_path / "main.py").write_text(GOOD)
    with development(tmp_path, FLASK_APP="main.py") as (server, url):
        assert get(f"{url}/time") == (200, {"time": 1})
        (pid,) = (tmp_path / "imported").read_text().split()
        assert int(pid) != server.popen.pid


def test_a_crash_is_answered_with_where_it_happened(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(GOOD)
    with development(tmp_path, FLASK_APP="main.py") as (server, url):
        status, problem = get(f"{url}/crash")
        assert (status, problem["status"]) == (500, 500)
        assert problem["exception"] == "KeyError: 'absent'"
        assert problem["file"] == str(tmp_path / "main.py")
        server.prints("Exception on /crash [GET]")
        server.prints("GET /crash 500")


@pytest.mark.parametrize(
    ("source", "exception"),
    [
        ("import sys\nsys.exit('DB_URL is not set')", "SystemExit: DB_URL is not set"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
        ("if", "SyntaxError: invalid syntax (main.py, line 1)"),
    ],
)
def test_an_app_that_cannot_be_imported_says_so_and_saving_the_fix_heals_it(
    tmp_path: Path, source: str, exception: str
) -> None:
    main = tmp_path / "main.py"
    main.write_text(source)
    with development(tmp_path, FLASK_APP="main.py") as (server, url):
        status, problem = get(f"{url}/time")
        assert (status, problem["exception"]) == (500, exception)
        main.write_text(GOOD)
        wait_for(lambda: answers_now(f"{url}/time", main), "the app that is mended")
        assert not server.ended


def answers_now(url: str, file: Path) -> bool:
    """Tell whether the app answers; it may have to be saved again.

    Werkzeug's reloader may have its first look at a file after the first answer.
    """
    if time.time() > file.stat().st_mtime + 4:
        file.touch()
    try:
        return get(url)[0] == 200
    except (OSError, http.client.HTTPException, ValueError):
        return False
