"""The link: one request of Vite's development server that stays open.

Each line of the answer is JSON, or empty as a sign of life. The first one says who
answers; the others tell crashes. The answer ends with the process, or when the first
line would be another one, and then Vite asks again.
"""

import hashlib
import json
import os
import secrets
import socket
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from flask import Flask, Response
from werkzeug.exceptions import Forbidden
from werkzeug.middleware.proxy_fix import ProxyFix

from .errors import describe_exception, problem
from .hosts import is_host_allowed
from .own_code import is_installed, is_own_code, loaded_files
from .settings import names

PATH = "/__flask__"
PROCESS = secrets.token_hex(8)
SECONDS_BETWEEN_SIGNS_OF_LIFE = 10
MOST_WAITING = 10
# In place of a line, for the end of the answer.
END = None


class Link:
    """What is told to everyone who keeps such a request open."""

    def __init__(self, data_files: Collection[str] = ()) -> None:
        """Begin without a listener; the app depends on `data_files` too."""
        self.data_files = [os.path.abspath(file) for file in data_files]
        self.listeners: set[SimpleQueue] = set()
        self.untold: deque[dict] = deque(maxlen=MOST_WAITING)
        self.lock = threading.Lock()
        self.greeting: dict[str, Any] = {}
        self.error: Callable[[], BaseException | None] = lambda: None

    def change(self, error: Callable[[], BaseException | None]) -> None:
        """Say from now on why the app cannot answer, or that it can; end what is open.

        `error` is asked at each greeting.
        """
        told = greeting(self.data_files)
        with self.lock:
            self.greeting, self.error = told, error
            for lines in self.listeners:
                lines.put(END)
            self.listeners.clear()

    def tell(self, error: BaseException, request: str) -> None:
        """Tell a crash, and during what it happened; if nobody listens, the next one.

        Of a hundred in a row only the first ones are told.
        """
        line = {"crash": describe_exception(error), "request": request}
        with self.lock:
            if not self.listeners:
                self.untold.append(line)
            for lines in self.listeners:
                if lines.qsize() < MOST_WAITING:
                    lines.put(line)

    def answer(self, start_response: Callable) -> Iterable[bytes]:
        """Answer a request for the link."""
        start_response("200 OK", [("Content-Type", "application/x-ndjson")])
        return self.lines()

    def lines(self) -> Iterator[bytes]:
        """Return the lines as they come."""
        lines: SimpleQueue = SimpleQueue()
        with self.lock:
            error = self.error()
            lines.put(self.greeting | {"error": error and describe_exception(error)})
            for line in self.untold:
                lines.put(line)
            self.untold.clear()
            self.listeners.add(lines)
        try:
            while (line := next_of(lines)) is not END:
                yield json.dumps(line).encode() + b"\n" if line else b"\n"
        finally:
            with self.lock:
                self.listeners.discard(lines)


def next_of(lines: SimpleQueue) -> dict | None:
    """Return the next line, or an empty one where none has come for a while."""
    try:
        return lines.get(timeout=SECONDS_BETWEEN_SIGNS_OF_LIFE)
    except Empty:
        return {}


def greeting(data_files: Collection[str]) -> dict[str, Any]:
    """Return what the first line says of this process, but for `error`.

    It has `kit` (the version of this package), `project`, `inode` and `host` (who
    answers: the folder's number on its file system says it in whatever spelling of the
    path), `process` (another text for each process), `code` (a digest of what the app
    was loaded from) and `files` (what it depends on outside of the project, as
    absolute paths). `error` is why the app cannot answer, or null.
    """
    project = Path.cwd()
    return {
        "kit": version("react-flask-kit"),
        "project": str(project),
        "inode": str(project.stat().st_ino),
        "host": socket.gethostname(),
        "process": PROCESS,
        "code": digest_of_code(data_files),
        "files": files_elsewhere(data_files),
    }


def digest_of_code(data_files: Collection[str]) -> str:
    """Return a digest of the project's modules as they were loaded, and of its data."""
    digest = hashlib.sha256()
    code = {file for file in loaded_files() if is_own_code(file)}
    for file in sorted(code.union(data_files)):
        # One that is absent may come; of a folder nothing is said.
        if os.path.isfile(file):
            digest.update(Path(file).read_bytes())
    return digest.hexdigest()


def files_elsewhere(data_files: Collection[str]) -> list[str]:
    """Return the data files, and the modules that lie outside of the project's folder.

    Those of packages and of Python itself are left out.
    """
    project = Path.cwd()
    modules = {
        file
        for file in loaded_files()
        if not Path(file).is_relative_to(project) and not is_installed(Path(file))
    }
    return sorted(modules.union(data_files))


def join(app: Flask, link: Link, own_host: str) -> None:
    """Let an app answer behind Vite, and on its own port nobody's pages but its own.

    Vite passes on what its client has asked, and is trusted as a proxy; so is nobody
    else. `own_host` is where the server listens.
    """
    alone = app.wsgi_app
    # Without the port: X-Forwarded-Host has it, where it is not the scheme's own.
    behind_vite = ProxyFix(alone, x_for=1, x_proto=1, x_host=1)

    def joined_app(environ: dict, start_response: Callable) -> Iterable[bytes]:
        host = environ.get("HTTP_HOST", "")
        if not is_host_allowed(host, [own_host, *trusted_hosts(app)]):
            return refusal_of(host)(environ, start_response)
        if environ.pop("HTTP_X_FLASK_LINK", None) != "vite":
            return alone(environ, start_response)
        # What Vite passes on has the second header, and what a page posts the first.
        is_passed_on = {"HTTP_ORIGIN", "HTTP_X_FORWARDED_FOR"} & environ.keys()
        if environ["PATH_INFO"] == PATH and not is_passed_on:
            return link.answer(start_response)
        return behind_vite(environ, start_response)

    app.wsgi_app = joined_app


def trusted_hosts(app: Flask) -> list[str]:
    """Return the hosts that an app trusts, or that the environment says it shall."""
    said = names(os.environ.get("FLASK_TRUSTED_HOSTS", ""))
    trusted = app.config.get("TRUSTED_HOSTS") or []
    return said + ([trusted] if isinstance(trusted, str) else list(trusted))


def refusal_of(host: str) -> Response:
    """Return the answer to a request for another host."""
    detail = (
        f"The API's development server does not answer for the host {host!r}. If it "
        f"is yours, add its name to FLASK_TRUSTED_HOSTS, in .env for example."
    )
    return problem(Forbidden(detail))
