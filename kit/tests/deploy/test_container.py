"""The image builds, runs locked down, and stops without losing a request.

Needs Docker or podman, and some minutes the first time:

    npm run test-kit -- -n0 -rP tests/deploy

BUILD_OPTIONS are more options of the build, such as --network=host.
"""

import http.client
import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from projects import add_example_routes, copy_project
from request_table import TABLE, Row, check, name
from servers import edit, free_port, get, wait_for

IMAGE = "react-flask-kit-trial"
LOCKED_DOWN = [
    "--read-only",
    "--cap-drop=all",
    "--security-opt=no-new-privileges",
    "--memory=256m",
]
A_SECOND = """

@app.get("/second")
def second() -> dict[str, str]:
    app.logger.info("began")
    time.sleep(1)
    return {"waited": "a second"}
"""
LIST_PACKAGES = """
from importlib.metadata import distributions
print(*(distribution.name for distribution in distributions()))
"""
# What a project may have besides, and what must stay on this machine.
OF_A_GROWN_PROJECT = {
    ".env": "FLASK_SECRET_KEY=of-this-machine-only\n",
    ".env.production": "REACT_APP_ASK=Ask again\n",
    "api/instance/shelf.db": "",
    "jsconfig.json": '{"compilerOptions": {"baseUrl": "src"}}\n',
    "migrations/env.py": "",
    "tests/test_more.py": "",
}


def find_engine() -> str | None:
    """Return the command of an engine that runs; Docker's may lack its daemon."""
    for engine in filter(None, map(shutil.which, ("docker", "podman"))):
        if not subprocess.run([engine, "info"], capture_output=True).returncode:
            return engine
    return None


ENGINE = find_engine()
pytestmark = [
    pytest.mark.skipif(not ENGINE, reason="needs Docker or podman, running"),
    pytest.mark.timeout(1200),
]


def engine(*args: str) -> str:
    """Run the engine's command; return what it prints."""
    done = subprocess.run([ENGINE, *args], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def build(project: Path) -> list[str]:
    """Build the image; return its layers."""
    build_log(project)
    return json.loads(engine("inspect", "-f", "{{json .RootFS.Layers}}", IMAGE))


def build_log(project: Path) -> str:
    """Build the image; return what the build prints."""
    # Else podman leaves out the health check.
    docker_format = ["--format=docker"] if "podman" in ENGINE else []
    options = [*docker_format, *os.environ.get("BUILD_OPTIONS", "").split()]
    dockerfile = str(project / "deploy/Dockerfile")
    version = ["--build-arg", "VERSION=1.2.3"]
    command = ["build", *options, *version, "-f", dockerfile, "-t", IMAGE, project]
    # The steps are on stdout or on stderr, as the engine likes.
    done = subprocess.run(
        [ENGINE, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@contextmanager
def container(port: int) -> Iterator[str]:
    """Run the image locked down, on a port of this machine; give the container's id."""
    publish = f"127.0.0.1:{port}:8000"
    running = engine("run", "--detach", "--publish", publish, *LOCKED_DOWN, IMAGE)
    try:
        yield running
    finally:
        engine("rm", "--force", running)


def is_healthy(port: int) -> bool:
    try:
        return get(f"http://127.0.0.1:{port}/health")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the image of a project with more routes; return the project."""
    project = copy_project(tmp_path_factory.mktemp("image"), installed=())
    add_example_routes(project)
    with (project / "api/api.py").open("a", encoding="utf-8") as api:
        api.write(A_SECOND)
    for file, text in OF_A_GROWN_PROJECT.items():
        (project / file).parent.mkdir(exist_ok=True)
        (project / file).write_text(text)
    edit(project / "src/App.js", "Ask again", "{process.env.REACT_APP_ASK}")
    build(project)
    return project


@pytest.fixture(scope="module")
def port(image: Path) -> Iterator[int]:
    port = free_port()
    with container(port):
        wait_for(lambda: is_healthy(port), "the container")
        yield port


@pytest.mark.parametrize("row", TABLE, ids=name)
def test_who_answers(port: int, row: Row) -> None:
    check("127.0.0.1", port, row)


def test_it_is_healthy_within_three_seconds_and_tells_its_version(image: Path) -> None:
    port = free_port()
    began = time.monotonic()
    with container(port) as running:
        wait_for(lambda: is_healthy(port), "health", seconds=3)
        print(f"healthy after {time.monotonic() - began:.2f} s")
        assert get(f"http://127.0.0.1:{port}/health")[1]["version"] == "1.2.3"
        check = json.loads(engine("inspect", "-f", "{{json .Config}}", running))
        engine("exec", running, *check["Healthcheck"]["Test"][1:])


def test_it_finishes_what_it_began_and_stops_within_three_seconds(image: Path) -> None:
    port, answers = free_port(), []
    with container(port) as running:
        wait_for(lambda: is_healthy(port), "the container")
        ask = f"http://127.0.0.1:{port}/second"
        asked = threading.Thread(target=lambda: answers.append(get(ask)[0]))
        asked.start()
        wait_for(lambda: "began" in logs(running), "the request")
        began = time.monotonic()
        engine("stop", "--time", "40", running)
        seconds = time.monotonic() - began
        asked.join()
        exit_code = engine("inspect", "-f", "{{.State.ExitCode}}", running)
    print(f"stopped after {seconds:.2f} s")
    assert (answers, exit_code) == ([200], "0")
    assert seconds < 3


def test_an_open_stream_does_not_keep_it_from_stopping(image: Path) -> None:
    port = free_port()
    with container(port) as running:
        wait_for(lambda: is_healthy(port), "the container")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        with closing(connection):
            connection.request("GET", "/events")
            events = connection.getresponse()
            assert events.readline() == b"data: 0\n"
            began = time.monotonic()
            engine("stop", "--time", "40", running)
            seconds = time.monotonic() - began
        exit_code = engine("inspect", "-f", "{{.State.ExitCode}}", running)
    print(f"stopped with an open stream after {seconds:.2f} s")
    assert exit_code == "0"
    assert seconds < 10


def logs(running: str) -> str:
    command = [ENGINE, "logs", running]
    return subprocess.run(command, capture_output=True, text=True, check=True).stderr


def test_it_is_nobody_and_has_nothing_but_what_runs(image: Path) -> None:
    with container(free_port()) as running:
        assert engine("exec", running, "id", "-u") == "10001"
        files = engine("exec", running, "find", "/app", "/usr/local", "-xdev")
        own = engine("exec", running, "ls", "-A", "/app").split()
        packages = engine("exec", running, "python", "-c", LIST_PACKAGES).split()
    assert own == [".flaskenv", "api", "build", "migrations", "venv"]
    names = {Path(file).name for file in files.splitlines()}
    assert {"api.py", "index.html", "server.py"} <= names
    assert not names & {"node", "npm", "node_modules", "pip", "App.js", "tests"}
    assert not names & {".env", "shelf.db", "requirements-dev.txt"}
    assert "react-flask-kit" in packages
    assert not {"flit_core", "pip", "pytest"} & set(packages)
    print(engine("image", "inspect", "-f", "{{.Size}}", IMAGE), "bytes")


def test_a_volume_keeps_what_its_user_writes(image: Path) -> None:
    mount = f"{IMAGE}-data:/data"
    run = ["run", "--rm", *LOCKED_DOWN, "--volume", mount, IMAGE, "sh", "-c"]
    try:
        engine(*run, "echo kept > $FLASK_INSTANCE_PATH/file")
        assert engine(*run, "cat /data/file") == "kept"
    finally:
        engine("volume", "rm", mount.split(":")[0])


def test_the_flask_command_runs_in_it_without_the_debugger(image: Path) -> None:
    with container(free_port()) as running:
        routes = engine("exec", running, "flask", "routes")
        debug = "from flask import current_app; print(current_app.debug)"
        shell = engine("exec", running, "sh", "-c", f"echo '{debug}' | flask shell")
    assert "/time" in routes
    assert "False" in shell


def test_a_change_makes_only_its_own_layer_anew(image: Path) -> None:
    *below, page, api = build(image)
    began = time.monotonic()
    edit(image / "api/api.py", "a second", "one second")
    *below_2, page_2, api_2 = build(image)
    print(f"rebuilt api/ in {time.monotonic() - began:.1f} s")
    assert (below, page) == (below_2, page_2)
    assert api != api_2
    began = time.monotonic()
    edit(image / "src/App.js", "<h1>", "<h1>More of ")
    # The layer of api/ lies above, and so is copied again.
    *below_3, page_3, _ = build(image)
    print(f"rebuilt src/ in {time.monotonic() - began:.1f} s")
    assert below == below_3
    assert page_2 != page_3


def test_a_change_of_the_kit_installs_no_other_package_anew(image: Path) -> None:
    edit(image / "kit/python/src/react_flask_kit/__init__.py", '"""', '"""Trial: ')
    said = build_log(image)
    assert "react-flask-kit" in said
    assert "Downloading" not in said


def test_what_need_not_exist_may_be_absent(image: Path) -> None:
    for file in OF_A_GROWN_PROJECT:
        (image / file).unlink()
    (image / "migrations").rmdir()
    (image / "vite.config.mjs").rename(image / "vite.config.ts")
    build(image)
    with container(free_port()) as running:
        own = engine("exec", running, "ls", "-A", "/app").split()
    assert own == [".flaskenv", "api", "build", "venv"]
