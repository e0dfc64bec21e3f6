"""Run an app under either server for the length of a `with` block, and ask it.

The app is a test module itself: it is copied into an empty folder as app.py, so that
what it writes (a database, an instance folder) is gone with the test.
"""

import http.cookiejar
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from email.message import Message
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlencode

HERE = Path(__file__).parent
SECONDS = 30
FLASK = [sys.executable, "-m", "flask"]
DEVELOPMENT = ["--app", "react_flask_kit.development", "run", "--debug"]
DEVELOPMENT += ["--no-debugger", "--no-reload"]
COMMANDS = {
    "development": [*FLASK, *DEVELOPMENT],
    "production": [sys.executable, "-m", "react_flask_kit"],
}
# What sets up this test run, or an app of whoever runs it.
NOT_INHERITED = ("FLASK_", "PYTEST_", "OTEL_", "SENTRY_", "DATABASE_URL", "PYTHONPATH")

Result = TypeVar("Result")


class Answer(NamedTuple):
    """What a server has answered."""

    status: int
    headers: Message
    text: str

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.text)


class AsItIs(urllib.request.HTTPRedirectHandler):
    """Leaves a redirect to the test."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow none."""


class Browser:
    """Asks a server, and keeps its cookies."""

    def __init__(self, url: str) -> None:
        """Begin without cookies."""
        self.url = url
        self.cookies = http.cookiejar.CookieJar()
        jar = urllib.request.HTTPCookieProcessor(self.cookies)
        # Not by a proxy of this machine.
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), jar, AsItIs
        )

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        form: dict | None = None,
        **headers: str,
    ) -> Answer:
        """Send a request, with a body as JSON or a form; an error is an answer too."""
        data = None
        if form is not None:
            data = urlencode(form).encode()
        elif body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url + path, data, named, method=method)
        try:
            response = self.opener.open(request, timeout=SECONDS)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            text = response.read().decode()
            return Answer(response.status, response.headers, text)

    def get(self, path: str, **headers: str) -> Answer:
        """Ask for something."""
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any = None, **more: Any) -> Answer:
        """Send something."""
        return self.ask("POST", path, body, **more)


class Server(Browser):
    """A running server, where it runs, and what it writes."""

    def __init__(self, url: str, folder: Path, command: list[str]) -> None:
        """Be one of its browsers, too."""
        super().__init__(url)
        self.folder, self.command = folder, command

    def browser(self) -> Browser:
        """Return another browser, without cookies."""
        return Browser(self.url)

    @property
    def output(self) -> str:
        """What the server has printed."""
        return (self.folder / "printed.log").read_text(errors="replace")

    def recorded(self) -> list[dict]:
        """Return what the app has appended to record.jsonl."""
        file = self.folder / "record.jsonl"
        if not file.exists():
            return []
        return [json.loads(line) for line in file.read_text().splitlines()]

    def get_together(self, paths: list[str]) -> list[Answer]:
        """Ask for several at the same time, each in a browser of its own."""
        answers: dict[str, Answer] = {}

        def ask(path: str) -> None:
            answers[path] = self.browser().get(path)

        threads = [threading.Thread(target=ask, args=[path]) for path in paths]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [answers[path] for path in paths]


def wait_for(condition: Callable[[], Result], what: Callable[[], object]) -> Result:
    """Return the first true result of a condition, or fail after a while."""
    deadline = time.monotonic() + SECONDS
    while not (result := condition()):
        assert time.monotonic() < deadline, what()
        time.sleep(0.02)
    return result


def put_app(module: str, folder: Path) -> None:
    """Copy a test module into a folder, as the app there."""
    shutil.copy(module, folder / "app.py")


def environment(env: dict[str, str]) -> dict[str, str]:
    """Return the environment of somebody who has set nothing but this."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(NOT_INHERITED)}
    return inherited | {"FLASK_APP": "app.py", "PYTHONPATH": str(HERE)} | env


def run_flask(folder: Path, *arguments: str, **env: str) -> str:
    """Run a command of the app to its end; return what it prints."""
    done = subprocess.run(
        [*FLASK, *arguments],
        cwd=folder,
        env=environment(env),
        capture_output=True,
        check=False,
        text=True,
        timeout=2 * SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@contextmanager
def serving(kind: str, folder: Path, **env: str) -> Iterator[Server]:
    """Serve the app of a folder, and end all that was started whatever happens."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    settings = {"PORT": port, "FLASK_RUN_PORT": port, "WEB_CONCURRENCY": "1"}
    server = Server(f"http://127.0.0.1:{port}", folder, COMMANDS[kind])
    with (folder / "printed.log").open("wb") as log:
        process = subprocess.Popen(
            server.command,
            cwd=folder,
            env=environment(settings | env),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:

        def answers() -> bool:
            assert process.poll() is None, server.output
            with suppress(OSError):
                return server.get("/health").status == 200
            return False

        wait_for(answers, lambda: f"no answer: {server.output}")
        yield server
    finally:
        process.terminate()
        try:
            process.wait(timeout=SECONDS)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
