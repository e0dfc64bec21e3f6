"""Our server and its peers: install them in a throw-away folder, run them, end them."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path

from react_flask_kit.testing import free_port

ROOT = Path(__file__).resolve().parent.parent
OURS = "this starter"
TUTORIAL = "gunicorn + Flask"
FASTAPI = "uvicorn + FastAPI, async def"
FASTAPI_DEF = "uvicorn + FastAPI, def"
BARE = "a bare WSGI function"
REACT_SCRIPTS = "react-scripts"

PEERS = ROOT / "bench/peers"
WORKERS = "2"
SECONDS_TO_START = 60
SECONDS_TO_INSTALL = 300
# What somebody has set for the project is not for its peers, and the other way round.
SETTINGS = ("FLASK_", "GRANIAN_", "GUNICORN_", "UVICORN_", "REACT_APP_", "NODE_ENV")


class CannotMeasureError(Exception):
    """What is missing for a measurement, to be told in the results."""


class Program:
    """A running program, in a process group of its own."""

    def __init__(self, command: list[str], folder: Path, **env: str) -> None:
        """Start it in a folder; env is added to the environment."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith(SETTINGS)}
        self.port = free_port()
        own = {"HOST": "127.0.0.1", "PORT": str(self.port), "BROWSER": "none", "CI": ""}
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the program)
        self.process = subprocess.Popen(
            [part.replace("$PORT", str(self.port)) for part in command],
            cwd=folder,
            env=clean | own | env,
            # react-scripts ends as soon as its input does.
            stdin=subprocess.PIPE,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        """What it has printed."""
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    @property
    def memory(self) -> float:
        """The resident memory of all its processes, in MB."""
        ps = [program_path("ps"), "-axo", "pgid=,rss="]
        listing = subprocess.check_output(ps, text=True)
        processes = [map(int, line.split()) for line in listing.splitlines()]
        return sum(rss for group, rss in processes if group == self.process.pid) / 1000

    def wait_for_answer(self, path: str) -> None:
        """Wait until it answers a request, whatever it says."""
        deadline = time.monotonic() + SECONDS_TO_START
        while self.process.poll() is None and time.monotonic() < deadline:
            with suppress(OSError):
                try:
                    urllib.request.urlopen(self.url + path, timeout=60).close()
                except urllib.error.HTTPError as error:
                    error.close()
                return
            time.sleep(0.01)
        raise self.failure()

    def failure(self) -> CannotMeasureError:
        """Return an error that says what the program said last."""
        lines = self.output.strip().splitlines() or ["it says nothing"]
        return CannotMeasureError(f"{Path(self.process.args[0]).name}: {lines[-1]}")

    def kill(self) -> None:
        """End it, and all that it started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdin.close()
        self.log.close()


@contextmanager
def running(command: list[str], folder: Path, **env: str) -> Iterator[Program]:
    """Run a program for the length of a `with` block."""
    program = Program(command, folder, **env)
    try:
        yield program
    finally:
        program.kill()


def run(command: list[str], folder: Path, seconds: float, **env: str) -> str:
    """Run a program to its end; return what it has printed."""
    with running(command, folder, **env) as program:
        try:
            code = program.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise CannotMeasureError(f"{command[0]} took over {seconds} s") from None
        if code:
            raise program.failure()
        return program.output


def program_path(name: str) -> str:
    """Return where a program is."""
    if path := shutil.which(name):
        return path
    raise CannotMeasureError(f"{name} is not installed")


class Servers:
    """All that is compared, each installed or built when it is first needed."""

    def __init__(self, folder: Path) -> None:
        """Lay out the sources in a folder that is thrown away later."""
        self.build = folder / "build"
        self.api = folder / "api"
        self.peers = folder / "peers"
        self.tutorial = self.peers / "tutorial"
        shutil.copytree(
            ROOT / "api", self.api, ignore=shutil.ignore_patterns("venv", "__pycache__")
        )
        shutil.copytree(PEERS, self.peers)
        for part in ("src", "public"):
            shutil.copytree(ROOT / part, self.tutorial / part)
        for api in (self.api, self.tutorial / "api"):
            with (api / "api.py").open("a") as file:
                file.write((PEERS / "slow_route.py").read_text())

    @cached_property
    def python(self) -> str:
        """A Python that has the peers' packages."""
        uv = [sys.executable, "-m", "uv"]
        venv = self.peers / "venv"
        python = str(venv / "bin/python")
        run([*uv, "venv", "--python", sys.executable, str(venv)], self.peers, 60)
        install = [*uv, "pip", "install", "--python", python, "-r", "requirements.txt"]
        run(install, self.peers, SECONDS_TO_INSTALL)
        return python

    @cached_property
    def react_scripts(self) -> Path:
        """The folder of react-scripts' programs."""
        install = [program_path("npm"), "install", "--no-audit", "--no-fund"]
        run(install, self.tutorial, SECONDS_TO_INSTALL)
        return self.tutorial / "node_modules/react-scripts/scripts"

    def script(self, name: str, ours: str, theirs: str) -> tuple[list[str], Path]:
        """Return the command of a script for the page, and the folder to run it in."""
        node = program_path("node")
        if name == OURS:
            return [node, "kit/node", ours], ROOT
        return [node, str(self.react_scripts / theirs)], self.tutorial

    def start_page(self, name: str) -> tuple[list[str], Path]:
        """Return the command of the development server, and its folder."""
        return self.script(name, "start", "start.js")

    def build_page(self, name: str) -> None:
        """Build the page for production."""
        command = self.script(name, "build", "build.js")
        run(*command, seconds=120, BUILD_PATH=str(self.build_folder(name)))

    def build_folder(self, name: str) -> Path:
        """Return where the page is that a server answers with."""
        theirs = name in (TUTORIAL, REACT_SCRIPTS)
        return self.tutorial / "build" if theirs else self.build

    def page(self, name: str) -> Path:
        """Return the folder of the page that a server answers with, built."""
        folder = self.build_folder(name)
        if not (folder / "index.html").exists():
            self.build_page(OURS if folder == self.build else REACT_SCRIPTS)
        return folder

    def command(self, name: str) -> tuple[list[str], Path]:
        """Return the command of a production server, and its folder."""
        if name == OURS:
            return [sys.executable, "-m", "react_flask_kit"], self.api
        if name == TUTORIAL:
            server = "-m gunicorn --bind=127.0.0.1:$PORT api:app"
            return [self.python, *server.split()], self.tutorial / "api"
        if name in (FASTAPI, FASTAPI_DEF):
            server = "-m uvicorn --port=$PORT --log-level=warning fast:app"
            return [self.python, *server.split()], self.peers
        server = (
            "-m granian --interface=wsgi --host=127.0.0.1 --port=$PORT "
            f"--workers={WORKERS} --blocking-threads=16 bare:app"
        )
        return [sys.executable, *server.split()], self.peers

    @contextmanager
    def serving(self, name: str) -> Iterator[Program]:
        """Run a production server, with two workers, for the length of a `with`."""
        self.build.mkdir(exist_ok=True)
        settings = {"WEB_CONCURRENCY": WORKERS, "BUILD_PATH": str(self.build)}
        settings["FLASK_APP"] = "api.py"
        settings["VIEWS"] = "def" if name == FASTAPI_DEF else "async def"
        with running(*self.command(name), **settings) as program:
            program.wait_for_answer("/time")
            yield program

    @contextmanager
    def developing(self) -> Iterator[Program]:
        """Run our development server of the API for the length of a `with`."""
        flask = "-m flask --app=react_flask_kit.development run --port=$PORT"
        settings = {"FLASK_APP": "api.py", "FLASK_DEBUG": "1"}
        command = [sys.executable, *flask.split()]
        with running(command, self.api, **settings) as program:
            program.wait_for_answer("/time")
            yield program
