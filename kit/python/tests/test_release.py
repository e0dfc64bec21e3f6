"""The release step: RELEASE_COMMAND, before new code is asked.

The contract: it runs once however many processes start, it has ended before a request
is answered, and where it fails nothing new serves and everybody is told why.
"""

import http.client
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from processes import Process, clean_env, get, running, wait_for
from react_flask_kit import release as release_module
from react_flask_kit.release import ReleaseError, release
from react_flask_kit.testing import free_port, is_answering

MIGRATE = """
import os, sys, time
from pathlib import Path

with open("migrations.log", "a") as log:
    print("begun, debug", os.environ.get("FLASK_DEBUG"), file=log)
time.sleep(float(os.environ.get("SECONDS", "0.3")))
with open("migrations.log", "a") as log:
    print("ended", file=log)
if Path("broken").exists():
    sys.exit("no such column: shelf")
"""
APP_THAT_COUNTS = """
import os
from flask import Flask
from react_flask_kit import Kit

app = Flask(__name__)
Kit(app)
app.add_url_rule("/pid", "pid", lambda: {"pid": os.getpid()})
app.add_url_rule("/runs", "runs", lambda: {"runs": open("migrations.log").read()})
"""
COMMAND = "python migrate.py"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "migrate.py").write_text(MIGRATE)
    (tmp_path / "main.py").write_text(APP_THAT_COUNTS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLASK_APP", "main.py")
    monkeypatch.setenv("FLASK_INSTANCE_PATH", str(tmp_path / "data"))
    monkeypatch.setenv("RELEASE_COMMAND", COMMAND)
    return tmp_path


def runs(project: Path) -> int:
    log = project / "migrations.log"
    return log.read_text().count("begun") if log.exists() else 0


def test_without_a_command_nothing_happens(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELEASE_COMMAND", "")
    release()
    assert runs(project) == 0
    assert not (project / "data").exists()


def test_each_start_runs_it_again(project: Path) -> None:
    release()
    release()
    assert runs(project) == 2


def test_those_that_start_together_run_it_one_after_the_other(
    project: Path, capfd: pytest.CaptureFixture
) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: release(), range(4)))
    lines = (project / "migrations.log").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["begun", "ended"] * 4
    assert "Waiting for the release step of another process." in capfd.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="Unix's signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_who_is_told_to_stop_ends_the_step_too(project: Path, number: int) -> None:
    command, env, _ = serve(project, SECONDS="60")
    with running(project, *command, **env) as server:
        wait_for(lambda: runs(project), "the step")
        server.popen.send_signal(number)
        assert server.popen.wait(timeout=20) == 128 + number
    # It would wait for the lock, if the step were still running.
    release()
    assert runs(project) == 2


def test_restarts_of_one_development_server_run_it_once(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for starter in ("first", "first", "second"):
        monkeypatch.setenv(release_module.STARTED_BY, starter)
        release()
    assert runs(project) == 2


def test_another_command_is_another_step(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(release_module.STARTED_BY, "one")
    release()
    monkeypatch.setenv("RELEASE_COMMAND", f"{COMMAND} more")
    release()
    assert runs(project) == 2


def test_where_no_data_can_be_kept_it_runs_all_the_same(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "file").touch()
    monkeypatch.setenv("FLASK_INSTANCE_PATH", str(project / "file/data"))
    release()
    assert runs(project) == 1


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            "python migrate.py",
            r"migrate\.py ended with exit code 1\.\n.*no such column: shelf",
        ),
        ("no-such-program now", "no-such-program now: No such file"),
        ("echo it's", "No closing quotation"),
        ("python -c 'raise SystemExit(7)'", "exit code 7"),
        ('python -c "raise SystemExit(8)"', "exit code 8"),
        ("python -c \"print('failed:');print('  why');1/0\"", "ZeroDivisionError"),
        ("flask no-such-command", r"exit code 2\.\n(.|\n)*No such command"),
    ],
)
def test_a_failure_says_what_failed_and_why(
    project: Path, monkeypatch: pytest.MonkeyPatch, command: str, message: str
) -> None:
    (project / "broken").touch()
    monkeypatch.setenv("RELEASE_COMMAND", command)
    with pytest.raises(ReleaseError, match=message):
        release()


@pytest.mark.parametrize("command", ["", "  "])
def test_a_blank_command_is_none(
    project: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("RELEASE_COMMAND", command)
    release()
    assert not (project / "data").exists()


@pytest.mark.parametrize("path", [os.defpath, None], ids=["PATH", "no PATH"])
def test_programs_beside_this_python_are_found(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture,
    path: str | None,
) -> None:
    monkeypatch.delenv("PATH")
    if path is not None:
        monkeypatch.setenv("PATH", path)
    monkeypatch.setenv("RELEASE_COMMAND", "dotenv --version")
    release()
    assert "version" in capfd.readouterr().err


def test_a_module_of_the_app_does_not_stand_in_for_one_of_python(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "api").mkdir()
    shutil.copy(project / "main.py", project / "api")
    (project / "api/email.py").write_text("")
    monkeypatch.setenv("FLASK_APP", "api/main.py")
    monkeypatch.setenv("RELEASE_COMMAND", "flask routes")
    release()


def test_a_lock_that_is_no_lock_keeps_nobody_from_running_it(project: Path) -> None:
    (project / "data").mkdir()
    (project / "data/release.lock").write_text("no database" * 100)
    release()
    assert runs(project) == 1


def test_a_step_that_has_failed_is_tried_again(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(release_module.STARTED_BY, "one")
    (project / "broken").touch()
    with pytest.raises(ReleaseError):
        release()
    (project / "broken").unlink()
    release()
    release()
    assert runs(project) == 2


def serve(project: Path, **env: str) -> tuple[list[str], dict[str, str], str]:
    """Return what starts a production server, and its address."""
    port = free_port()
    settings = {
        "FLASK_APP": "main.py",
        "FLASK_INSTANCE_PATH": str(project / "data"),
        "PORT": str(port),
        "RELEASE_COMMAND": COMMAND,
        "WEB_CONCURRENCY": "2",
    }
    command = [sys.executable, "-m", "react_flask_kit"]
    return command, settings | env, f"http://127.0.0.1:{port}"


def test_production_answers_only_after_it_and_never_debugs_in_it(project: Path) -> None:
    command, env, url = serve(project, FLASK_DEBUG="1")
    with running(project, *command, **env) as server:
        wait_for(lambda: server.ended or is_answering(f"{url}/health"), "the server")
        assert get(f"{url}/runs")[1]["runs"] == "begun, debug 0\nended\n"


def test_flaskenv_may_name_it(project: Path) -> None:
    (project / ".flaskenv").write_text(f"RELEASE_COMMAND={COMMAND}\n")
    command, env, url = serve(project)
    del env["RELEASE_COMMAND"]
    with running(project, *command, **env) as server:
        wait_for(lambda: server.ended or is_answering(f"{url}/health"), "the server")
        assert runs(project) == 1


def test_production_does_not_start_where_it_fails(project: Path) -> None:
    (project / "broken").touch()
    command, env, _ = serve(project)
    with running(project, *command, **env) as server:
        wait_for(lambda: server.ended, "the end")
        assert server.popen.returncode == 3
        *_, last = server.output.splitlines()
        assert (
            last == f"Error: RELEASE_COMMAND failed: {COMMAND} ended with exit code 1."
        )
        assert "no such column: shelf" in server.output


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGHUP")
def test_new_code_whose_step_fails_leaves_the_old_serving(project: Path) -> None:
    command, env, url = serve(project, WEB_CONCURRENCY="1")
    with running(project, *command, **env) as server:
        wait_for(lambda: server.ended or is_answering(f"{url}/health"), "the server")
        before = get(f"{url}/pid")
        (project / "broken").touch()
        os.kill(server.popen.pid, signal.SIGHUP)
        server.prints("The new code does not start; the old goes on.")
        assert get(f"{url}/pid") == before
        (project / "broken").unlink()
        os.kill(server.popen.pid, signal.SIGHUP)
        wait_for(lambda: get(f"{url}/pid") != before, "the new code")
        assert runs(project) == 3


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGHUP")
def test_new_code_may_bring_another_step(project: Path) -> None:
    (project / ".flaskenv").write_text("RELEASE_COMMAND=python -c 'print(1)'\n")
    command, env, url = serve(project, WEB_CONCURRENCY="1")
    del env["RELEASE_COMMAND"]
    with running(project, *command, **env) as server:
        wait_for(lambda: server.ended or is_answering(f"{url}/health"), "the server")
        assert runs(project) == 0
        (project / ".flaskenv").write_text(f"RELEASE_COMMAND={COMMAND}\n")
        os.kill(server.popen.pid, signal.SIGHUP)
        wait_for(lambda: runs(project), "the other step")


def test_it_can_be_run_by_itself(project: Path) -> None:
    def run_it() -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "react_flask_kit.release"],
            env=clean_env(FLASK_APP="main.py", RELEASE_COMMAND=COMMAND),
            capture_output=True,
            text=True,
            check=False,
        )

    assert run_it().returncode == 0
    (project / "broken").touch()
    done = run_it()
    assert done.returncode == 1
    assert done.stderr.endswith(f"{COMMAND} ended with exit code 1.\n")


def developing(project: Path, port: int) -> AbstractContextManager[Process]:
    flask = ["flask", "--app", "react_flask_kit.development", "run", "--no-debugger"]
    env = {
        "FLASK_APP": "main.py",
        "FLASK_DEBUG": "1",
        "FLASK_INSTANCE_PATH": str(project / "data"),
        "FLASK_RUN_PORT": str(port),
        "RELEASE_COMMAND": COMMAND,
    }
    return running(project, sys.executable, "-m", *flask, **env)


def try_to_get(url: str) -> tuple[int, dict]:
    """Ask a server that may be starting again right now."""
    try:
        return get(url)
    except (OSError, http.client.HTTPException):
        return 0, {}


def test_development_tells_of_a_failure_in_each_answer_until_it_is_mended(
    project: Path,
) -> None:
    (project / "broken").touch()
    port = free_port()
    url = f"http://127.0.0.1:{port}/pid"
    with developing(project, port) as server:
        wait_for(lambda: server.ended or is_answering(url), "the server")
        status, problem = get(url)
        assert status == 500
        assert problem["exception"].startswith("ReleaseError: RELEASE_COMMAND failed")
        assert "no such column: shelf" in problem["exception"]
        (project / "broken").unlink()
        shutil.copy(project / "main.py", project / "copy.py")
        os.replace(project / "copy.py", project / "main.py")
        wait_for(lambda: try_to_get(url)[0] == 200, "the mended app")
        (pid,) = get(url)[1].values()
        with (project / "main.py").open("a") as file:
            file.write("more = 1\n")
        others = ({"pid": pid}, {})
        wait_for(lambda: try_to_get(url)[1] not in others, "a restart")
        assert runs(project) == 2
