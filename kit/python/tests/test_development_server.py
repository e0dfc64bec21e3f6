"""What `start-api` runs: the app, joined to the development server of the frontend.

The contract: each request is said once; what is wrong with the app is said in the
terminal and in each answer, until it is mended; and the app is imported once.
"""

import http.client
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from apps import APP
from development_servers import development
from processes import clean_env, get, wait_for

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


def test_development_says_each_request_once(tmp_path: Path) -> None:
    with development(tmp_path, FLASK_APP=str(APP)) as (server, url):
        assert get(f"{url}/time?once")[0] == 200
        server.prints("GET /time")
        assert get(f"{url}/last")[0] == 404
        server.prints("GET /last")
        assert server.output.count("/time") == server.output.count("/last") == 1


def test_development_says_in_one_line_and_in_each_answer_that_a_setting_is_refused(
    tmp_path: Path,
) -> None:
    message = "FLASK_LOG_FORMAT: write text or json; not 'xml'."
    settings = {"FLASK_APP": str(APP), "FLASK_LOG_FORMAT": "xml"}
    with development(tmp_path, **settings) as (server, url):
        server.prints(f"Error: {message}")
        status, problem = get(f"{url}/time")
        assert status == 500
        assert problem["exception"] == f"SettingError: {message}"
        assert server.output.count(message) == 1
        assert "Traceback" not in server.output


def test_an_app_is_imported_once_by_the_process_that_answers(tmp_path: Path) -> None:
    """What an app starts when it is imported, it started twice."""
    (tmp_path / "main.py").write_text(GOOD)
    with development(tmp_path) as (server, url):
        assert get(f"{url}/time") == (200, {"time": 1})
        (pid,) = (tmp_path / "imported").read_text().split()
        assert int(pid) != server.popen.pid


def test_a_crash_is_answered_with_where_it_happened(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(GOOD)
    with development(tmp_path) as (server, url):
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
    with development(tmp_path) as (server, url):
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


TIED = """
import os, subprocess, sys, time
from pathlib import Path
from flask import Flask

child = "import os, sys; print([sys.stdin.read(), 'END_WITH_STDIN' in os.environ])"
said = subprocess.check_output([sys.executable, "-c", child], text=True)
Path("child").write_text(said)
Path("imported").touch()
while Path("hang").exists():
    time.sleep(0.05)
app = Flask(__name__)
"""


@pytest.mark.parametrize("hangs", [False, True])
def test_it_ends_with_the_program_that_holds_its_standard_input(
    tmp_path: Path, hangs: bool
) -> None:
    (tmp_path / "main.py").write_text(TIED)
    if hangs:
        (tmp_path / "hang").touch()
    flask = ["flask", "--app", "react_flask_kit.development", "run", "--no-reload"]
    env = {"FLASK_APP": "main.py", "FLASK_DEBUG": "1", "END_WITH_STDIN": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", *flask, "--port", "0"],
        cwd=tmp_path,
        env=clean_env(**env),
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            wait_for((tmp_path / "imported").exists, "the import")
            assert server.poll() is None
            server.stdin.close()
            assert server.wait(20) != 0
        finally:
            server.kill()
    assert (tmp_path / "child").read_text().strip() == "['', False]"


@pytest.mark.parametrize("restarts", ["", "1"])
def test_it_says_where_it_runs_at_the_first_start_only(
    tmp_path: Path, restarts: str
) -> None:
    (tmp_path / "main.py").write_text(GOOD)
    with development(tmp_path, "--no-reload", API_RESTARTS=restarts) as (server, url):
        assert get(f"{url}/time")[0] == 200
        server.prints("GET /time 200")
        said = ("development server", f"Running on {url}")
        assert [text in server.output for text in said] == [not restarts] * 2
        assert "Serving Flask app" not in server.output
        assert "CTRL+C" not in server.output


def test_what_starts_only_where_requests_are_answered_starts_without_reloader_too(
    tmp_path: Path,
) -> None:
    """Many apps start a scheduler in Werkzeug's child, and not in its first process."""
    route = 'app.add_url_rule("/main", "main", lambda: {"is": is_child()})'
    child = "from werkzeug.serving import is_running_from_reloader as is_child"
    (tmp_path / "main.py").write_text(f"{child}\n{GOOD}\n{route}\n")
    for options in ([], ["--no-reload"]):
        with development(tmp_path, *options) as (_, url):
            assert get(f"{url}/main") == (200, {"is": True})


def test_a_port_that_is_taken_is_named_before_the_app_is_imported(
    tmp_path: Path,
) -> None:
    (tmp_path / "main.py").write_text(GOOD)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        options = ["--no-reload", "--port", str(port)]
        with development(tmp_path, *options, waits=False) as (server, _):
            server.prints(f"Port {port} is in use by another program.")
            assert server.popen.wait(20) == 1
    assert not (tmp_path / "imported").exists()


def test_the_releases_starter_is_that_of_the_launcher(tmp_path: Path) -> None:
    source = 'import os\nstarter = lambda: {"is": os.environ["RELEASE_STARTED_BY"]}'
    route = 'app.add_url_rule("/starter", "starter", starter)'
    (tmp_path / "main.py").write_text(f"{source}\n{GOOD}\n{route}\n")
    env = {"RELEASE_STARTED_BY": "this dev"}
    with development(tmp_path, "--no-reload", **env) as (_, url):
        assert get(f"{url}/starter") == (200, {"is": "this dev"})
