"""Start this project's commands, and stop them whatever happens."""

import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace

import processes
from processes import Process, wait_for

ROOT = Path(__file__).resolve().parents[2]
# In place of a script of package.json: what `npm run serve` runs after the build.
PRODUCTION = "python -m react_flask_kit"
SETTINGS = {
    "BROWSER": "none",
    "CI": "",
    "NO_COLOR": "1",
    # Python takes a file for unchanged that is saved again within the same second.
    "PYTHONDONTWRITEBYTECODE": "1",
}


def free_port() -> int:
    """Return a port of this machine that nothing listens on."""
    with closing(socket.socket()) as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


def is_listening(port: int) -> bool:
    """Tell whether something accepts connections on a port of this machine."""
    try:
        socket.create_connection(("localhost", port), timeout=2).close()
    except OSError:
        return False
    return True


def is_answering(port: int) -> bool:
    """Tell whether a server answers, and not only tries whether it may listen."""
    try:
        urllib.request.urlopen(f"http://localhost:{port}/", timeout=20).close()
    except urllib.error.HTTPError as error:
        error.close()
    except (OSError, http.client.HTTPException):
        return False
    return True


def edit(file: Path, old: str, new: str) -> None:
    """Replace a text in a file, which must contain it."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    # At once: who watches the file must not find it empty, or changed twice.
    with file.open("r+", encoding="utf-8", newline="") as saved:
        saved.write(text.replace(old, new, 1))
        if len(new) < len(old):
            saved.truncate()


def get(
    url: str, context: ssl.SSLContext | None = None, **headers: str
) -> tuple[int, dict]:
    """Ask for JSON; return the status and what it says."""
    return ask(urllib.request.Request(url, headers=headers), context)


def ask(
    request: urllib.request.Request, context: ssl.SSLContext | None = None
) -> tuple[int, dict]:
    """Send a request that is answered with JSON; return the status and what it says."""
    try:
        with urllib.request.urlopen(request, context=context) as r:
            return r.status, json.loads(r.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def certificate(crt: Path, key: Path) -> None:
    """Make a certificate for localhost, which nobody has signed."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days=2"]
    names = ["-subj=/CN=localhost", "-addext=subjectAltName=DNS:localhost"]
    files = ["-out", crt, "-keyout", key]
    subprocess.run([*command, *names, *files], check=True, capture_output=True)


def clean_env(**env: str) -> dict[str, str]:
    """Return the environment of somebody who runs a command, with some more in it."""
    return processes.clean_env(**(SETTINGS | env))


def python_of(project: Path) -> Path:
    """Return the Python that has the packages of a project."""
    name = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    return project / "api/venv" / name


def command_line(project: Path, name: str) -> list[str]:
    """Return what a script of package.json runs, without npm, or how to serve."""
    if name == PRODUCTION:
        _, *args = PRODUCTION.split()
        return [str(python_of(project)), *args]
    script, *more = name.split()
    scripts = json.loads((project / "package.json").read_text())["scripts"]
    program, *args = scripts[script].split()
    return [shutil.which(program), *args, *more]


class Command(Process):
    """A running script of package.json, or production, and what it has printed."""

    def __init__(self, project: Path, name: str, **env: str) -> None:
        """Start it as `npm run` does; env is added to the environment.

        It is our own child, not npm's, so that it notices if even the tests are killed.
        """
        log = project / f"{Path(name.split()[-1]).name}-{free_port()}.log"
        super().__init__(project, command_line(project, name), clean_env(**env), log)

    def stop(self) -> int:
        """Tell it to end, as a supervisor does; return its exit code."""
        if os.name == "nt":
            tree = ["taskkill", "/pid", str(self.popen.pid), "/t", "/f"]
            subprocess.run(tree, check=False, capture_output=True)
        else:
            self.popen.terminate()
        return self.popen.wait(timeout=40)


@contextmanager
def running(project: Path, name: str, **env: str) -> Iterator[Command]:
    """Run a script of package.json, or production, for the length of a `with`."""
    command = Command(project, name, **env)
    try:
        yield command
    finally:
        if not command.ended:
            command.stop()


def succeed(project: Path, name: str, **env: str) -> str:
    """Run a script of package.json to its good end; return what it printed."""
    with running(project, name, **env) as command:
        assert command.popen.wait(timeout=100) == 0, command.output
        return command.output


@contextmanager
def started(
    project: Path, name: str = "start", **env: str
) -> Iterator[tuple[Command, str]]:
    """Start the frontend alone; return the command and the address to open."""
    port = str(free_port())
    with running(project, name, PORT=port, **env) as command:
        command.prints("Local:")
        yield command, f"http://localhost:{port}"


@contextmanager
def developing(project: Path, **env: str) -> Iterator[tuple[Command, str]]:
    """Start both servers with `npm run dev`; return the command and the address."""
    port = str(free_port())
    ports = {"PORT": port, "FLASK_RUN_PORT": str(free_port())}
    with running(project, "dev", **ports | env) as command:
        command.prints("React and Flask are ready")
        yield command, f"http://localhost:{port}"


@contextmanager
def serving(project: Path, workers: int = 1, **env: str) -> Iterator[SimpleNamespace]:
    """Run the production server for the length of a `with` block."""
    port = free_port()
    settings = {"PORT": str(port), "WEB_CONCURRENCY": str(workers)} | env
    with running(project, PRODUCTION, **settings) as command:
        wait_for(lambda: command.ended or is_answering(port), "the server")
        yield SimpleNamespace(
            command=command, port=port, url=f"http://localhost:{port}"
        )


@contextmanager
def under_load(
    url: str, context: ssl.SSLContext | None = None
) -> Iterator[list[int | Exception]]:
    """Let four clients ask again and again; give the statuses of the answers."""
    stop = threading.Event()
    answers: list[int | Exception] = []

    def ask_on() -> None:
        while not stop.is_set():
            try:
                answers.append(get(url, context)[0])
            except (OSError, http.client.HTTPException) as error:
                answers.append(error)
            # Else the clients take the time that the server needs.
            stop.wait(0.005)

    threads = [threading.Thread(target=ask_on) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: len(answers) > 20, "the load")
        yield answers
        before = len(answers)
        wait_for(lambda: len(answers) > before + 20, "more load")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
