"""docs/background-jobs.md: what somebody has who follows it.

The contract: the project is green; a job that is queued is done, whatever ends in the
meantime: the server, or the worker in the middle of the job, which is then one of its
tries; SIGTERM lets the worker finish; an error is in the log, and the page learns of it
without its text; the files that run the worker on a server are valid.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import processes
import pytest
from guides.following import assert_all_green, follow, npm
from guides.tools import kustomize
from playwright.sync_api import Page, expect
from processes import Process
from projects import copy_project
from servers import (
    clean_env,
    free_port,
    get,
    is_listening,
    python_of,
    running,
    serving,
    succeed,
    wait_for,
)
from test_nginx import tool

# More jobs of the same app: each says that it has begun, and goes on when it may.
TRIALS = """
import time
from pathlib import Path

from api import app
from flask import current_app
from jobs import huey


def begin(name):
    folder = Path(current_app.instance_path)
    with (folder / name).open("a") as begun:
        begun.write("x")
    while not (folder / "go").exists():
        time.sleep(0.02)
    return "went"


@huey.task(retries=1)
def twice():
    return begin("twice")


@huey.task()
def once():
    return begin("once")


@huey.task(retries=1)
def nothing():
    pass


@huey.task(retries=2)
def fail():
    raise RuntimeError("It is broken inside.")


@huey.task(retries=1, retry_delay=3600)
def fail_and_wait():
    raise RuntimeError("It is broken inside.")


@huey.task(retries=1)
def recover():
    begun = Path(current_app.instance_path) / "recover"
    if not begun.exists():
        begun.touch()
        raise RuntimeError("Only the first time.")


@app.post("/trials/<name>")
def order(name):
    return {"job": f"/jobs/{globals()[name]().id}"}


@app.post("/closing/<name>")
def answer_first(name):
    response = app.make_response({})
    with_answer = Path(app.instance_path) / name
    response.call_on_close(with_answer.touch)
    return response
"""
FORGET = """
import jobs
from api import app

jobs.SECONDS_TO_REMEMBER = -1
with app.app_context():
    jobs.forget.call_local()
"""
# As if the server had ended before the job that it wrote down was queued.
FLUSH_QUEUE = """
from api import app
from jobs import huey

huey.storage.flush_queue()
"""
STARTED = "Huey consumer started"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = copy_project(tmp_path_factory.mktemp("jobs"))
    follow(project, "background-jobs.md")
    return project


def test_the_project_is_green(project: Path) -> None:
    assert_all_green(project)


@pytest.fixture
def site(project: Path, tmp_path: Path) -> Iterator[SimpleNamespace]:
    """Serve the project and some more jobs, without a worker."""
    with trial_site(project, tmp_path) as site:
        yield site


@contextmanager
def trial_site(project: Path, folder: Path, **more: str) -> Iterator[SimpleNamespace]:
    data = folder / "data"
    (folder / "trials.py").write_text(TRIALS, encoding="utf-8")
    env = {
        "FLASK_APP": str(folder / "trials.py"),
        "FLASK_DEBUG": "0",
        "FLASK_INSTANCE_PATH": str(data),
        "PYTHONPATH": str(project / "api"),
    } | more
    with serving(project, workers=2, **env) as server:
        yield SimpleNamespace(project=project, url=server.url, data=data, env=env)


@contextmanager
def working(site: SimpleNamespace, **more: str) -> Iterator[Process]:
    """Run a worker, which has begun to work."""
    command = [python_of(site.project), "-m", "flask", "worker"]
    env = site.env | more
    with processes.running(site.project, *command, **env) as worker:
        worker.prints(STARTED)
        yield worker


def order(site: SimpleNamespace, name: str) -> str:
    """Let a job be queued; return the address of its state."""
    return f"{site.url}{post(site, f'/trials/{name}')['job']}"


def post(site: SimpleNamespace, path: str, value: object = None) -> dict:
    headers = {"Content-Type": "application/json"}
    body = json.dumps(value).encode()
    request = urllib.request.Request(f"{site.url}{path}", body, headers)
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def wait_until(job: str, state: str) -> object:
    """Wait for a job's state; return its result."""
    wait_for(lambda: get(job)[1]["state"] == state, f"{state}: {get(job)}")
    return get(job)[1]["result"]


def wait_for_begin(site: SimpleNamespace, name: str, times: int) -> None:
    begun = site.data / name
    wait_for(lambda: begun.exists() and len(begun.read_text()) == times, name)


def run_python(site: SimpleNamespace, code: str) -> None:
    command = [python_of(site.project), "-c", code]
    env = clean_env(**site.env)
    subprocess.run(command, cwd=site.project, env=env, check=True)


def test_a_job_waits_for_a_worker_also_over_a_restart_of_the_server(
    project: Path, tmp_path: Path
) -> None:
    with trial_site(project, tmp_path) as site:
        path = post(site, "/words", {"text": "one two three"})["job"]
        assert get(site.url + path) == (200, {"state": "waiting", "result": None})
    with trial_site(project, tmp_path) as site, working(site):
        assert wait_until(site.url + path, "done") == 3


def test_a_job_of_a_killed_worker_is_done_by_the_next_one(
    site: SimpleNamespace,
) -> None:
    with working(site) as worker:
        job = order(site, "twice")
        wait_for_begin(site, "twice", 1)
        assert get(job)[1]["state"] == "running"
        worker.popen.kill()
        worker.popen.wait()
    assert get(job)[1]["state"] == "running"
    with working(site):
        wait_for_begin(site, "twice", 2)
        (site.data / "go").touch()
        assert wait_until(job, "done") == "went"
    assert (site.data / "twice").read_text() == "xx"


def test_a_job_that_kills_each_worker_has_failed_after_its_tries(
    site: SimpleNamespace,
) -> None:
    job = order(site, "twice")
    for times in (1, 2):
        with working(site) as worker:
            wait_for_begin(site, "twice", times)
            worker.popen.kill()
            worker.popen.wait()
    with working(site) as worker:
        wait_until(job, "failed")
        assert "The worker was killed in trials.twice" in worker.output
        assert wait_until(order(site, "nothing"), "done") is None
    assert (site.data / "twice").read_text() == "xx"


def test_a_job_without_retries_is_never_run_twice(site: SimpleNamespace) -> None:
    job = order(site, "once")
    with working(site) as worker:
        wait_for_begin(site, "once", 1)
        worker.popen.kill()
        worker.popen.wait()
    with working(site):
        wait_until(job, "failed")
    assert (site.data / "once").read_text() == "x"


def test_a_job_that_did_not_reach_the_queue_is_done_by_the_next_worker(
    site: SimpleNamespace,
) -> None:
    (site.data / "go").touch()
    job = order(site, "once")
    run_python(site, FLUSH_QUEUE)
    with working(site):
        assert wait_until(job, "done") == "went"


def test_a_job_whose_retry_is_not_due_is_kept_and_not_begun_at_once(
    site: SimpleNamespace,
) -> None:
    job = order(site, "fail_and_wait")
    with working(site) as worker:
        worker.prints("to schedule")
        worker.popen.kill()
        worker.popen.wait()
    with working(site) as worker:
        assert wait_until(order(site, "nothing"), "done") is None
        assert get(job)[1]["state"] == "waiting"
        assert "broken inside" not in worker.output


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
def test_sigterm_lets_the_worker_finish_what_it_has_begun(
    site: SimpleNamespace,
) -> None:
    with working(site) as worker:
        job = order(site, "twice")
        wait_for_begin(site, "twice", 1)
        worker.popen.terminate()
        worker.prints("Shutting down gracefully")
        late = order(site, "once")
        (site.data / "go").touch()
        assert worker.popen.wait(timeout=30) == 0
    assert get(job)[1] == {"state": "done", "result": "went"}
    assert get(late)[1]["state"] == "waiting"
    with working(site):
        assert wait_until(late, "done") == "went"


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
def test_ctrl_c_ends_the_worker_at_once_and_the_next_takes_over(
    site: SimpleNamespace,
) -> None:
    with working(site) as worker:
        job = order(site, "twice")
        wait_for_begin(site, "twice", 1)
        worker.popen.send_signal(signal.SIGINT)
        worker.popen.wait(timeout=30)
    with working(site):
        wait_for_begin(site, "twice", 2)
        (site.data / "go").touch()
        assert wait_until(job, "done") == "went"


def test_an_error_is_in_the_log_after_each_try_and_not_on_the_page(
    site: SimpleNamespace,
) -> None:
    with working(site, FLASK_LOG_FORMAT="json") as worker:
        job = order(site, "fail")
        wait_until(job, "failed")
        wait_for(lambda: "0 retries" in worker.output, "the log")
    assert get(job)[1] == {"state": "failed", "result": None}
    lines = [json.loads(line) for line in worker.output.splitlines()]
    errors = [line for line in lines if "broken inside" in line.get("traceback", "")]
    assert len(errors) == 3


def test_a_job_that_succeeds_in_the_end_has_not_failed(site: SimpleNamespace) -> None:
    with working(site):
        assert wait_until(order(site, "recover"), "done") is None


def test_a_job_waits_whose_function_the_worker_does_not_have(
    site: SimpleNamespace,
) -> None:
    """An older worker meets a job of newer code."""
    (site.data / "go").touch()
    job = order(site, "once")
    with working(site, FLASK_APP="api/api.py") as worker:
        worker.prints("whose function is gone")
        path = post(site, "/words", {"text": "one"})["job"]
        assert wait_until(site.url + path, "done") == 1
    with working(site):
        assert wait_until(job, "done") == "went"


def test_many_jobs_at_once_are_all_done(site: SimpleNamespace) -> None:
    with working(site), ThreadPoolExecutor(16) as pool:
        texts = [{"text": "one " * number} for number in range(1, 101)]
        ordered = list(pool.map(lambda text: post(site, "/words", text), texts))
        results = [wait_until(f"{site.url}{job['job']}", "done") for job in ordered]
    assert results == list(range(1, 101))


def test_what_is_over_is_forgotten_and_what_waits_is_not(
    site: SimpleNamespace,
) -> None:
    with working(site):
        over = order(site, "nothing")
        wait_until(over, "done")
    waiting = order(site, "once")
    run_python(site, FORGET)
    assert get(over)[0] == 404
    assert get(waiting)[1]["state"] == "waiting"


def test_the_command_of_the_page_runs_the_worker_and_ends_it(project: Path) -> None:
    with running(project, "flask worker") as worker:
        worker.prints(STARTED)
        worker.stop()
    assert "Traceback" not in worker.output


def test_what_follows_the_answer_is_done(site: SimpleNamespace) -> None:
    post(site, "/closing/counted")
    wait_for((site.data / "counted").exists, "what follows")


def test_a_command_does_what_is_due(project: Path) -> None:
    said = npm(project, "run", "flask", "--", "remind")
    assert "Nobody asked to be reminded." in said


def test_the_page_shows_how_far_a_job_is(
    project: Path, tmp_path: Path, page: Page
) -> None:
    succeed(project, "build")
    with trial_site(project, tmp_path) as site:
        page.goto(site.url)
        page.get_by_role("button", name="Count").click()
        expect(page.get_by_text("Write a text.")).to_be_visible()
        page.get_by_label("Text").fill("one two three")
        page.get_by_role("button", name="Count").click()
        expect(page.get_by_text("Waiting…")).to_be_visible()
        expect(page.get_by_text("Write a text.")).to_be_hidden()
        # As while the server is replaced.
        page.route("**/jobs/*", lambda route: route.fulfill(status=502))
        expect(page.get_by_text("502")).to_be_visible()
        page.unroute_all()
        with working(site):
            expect(page.get_by_text("3 words")).to_be_visible()
            expect(page.get_by_text("502")).to_be_hidden()


@pytest.mark.skipif(sys.platform != "linux", reason="systemd is of Linux")
def test_the_unit_is_what_systemd_understands_and_calls_safe(
    project: Path, tmp_path: Path
) -> None:
    place = tmp_path / "react-flask-app"
    place.symlink_to(project)
    text = (project / "deploy/systemd/worker.service").read_text(encoding="utf-8")
    file = tmp_path / "worker@react-flask-app.service"
    file.write_text(text.replace("/srv/%i", str(place)), encoding="utf-8")
    for check in (["verify"], ["security", "--offline=true", "--threshold=20"]):
        command = [tool("systemd-analyze"), *check, file]
        run = subprocess.run(command, check=False, capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr
        assert file.name not in run.stderr


def test_the_manifests_are_valid(project: Path) -> None:
    rendered = kustomize(project, "production")
    (worker,) = [
        part
        for part in rendered.split("\n---\n")
        if "kind: Deployment" in part and "name: worker" in part
    ]
    assert "registry.example.com/react-flask-app:" in worker
    assert re.search(r"name: settings-\w+", worker)
    # Else the Service would send it requests.
    assert "app.kubernetes.io/name: react-flask-app" not in worker


@pytest.fixture
def redis() -> Iterator[str]:
    """Run a Redis of the test's own; give its address."""
    program, port = shutil.which("redis-server"), free_port()
    if not program:
        pytest.skip("needs Redis: apt install redis-server")
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        options = ["--port", port, "--bind", "127.0.0.1", "--dir", folder]
        # It keeps what it has in a file of its own.
        with processes.running(Path(folder), program, *options, "--appendonly", "yes"):
            wait_for(lambda: is_listening(port), "Redis")
            yield f"redis://127.0.0.1:{port}/0"


def test_machines_share_a_queue_in_redis(
    project: Path, tmp_path: Path, redis: str
) -> None:
    """The worker has a folder of its own, as on another machine."""
    of_worker = SimpleNamespace(data=tmp_path / "worker")
    elsewhere = {"FLASK_INSTANCE_PATH": str(of_worker.data)}
    of_worker.data.mkdir()
    with trial_site(project, tmp_path, REDIS_URL=redis) as site:
        job = order(site, "twice")
        with working(site, **elsewhere) as worker:
            wait_for_begin(of_worker, "twice", 1)
            worker.popen.kill()
            worker.popen.wait()
        with working(site, **elsewhere):
            wait_for_begin(of_worker, "twice", 2)
            (of_worker.data / "go").touch()
            assert wait_until(job, "done") == "went"
        assert not (site.data / "jobs.db").exists()
