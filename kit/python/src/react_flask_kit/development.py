"""What `start-api` runs: the app of FLASK_APP, joined to Vite's development server.

    flask --app react_flask_kit.development run

The Vite plugin reads the link below: it tells when Flask has restarted with other code,
and what is wrong when the app cannot be imported. Nothing else imports this module.
"""

import hashlib
import json
import logging
import os
import secrets
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from click import ClickException
from flask import Flask, Response
from flask.helpers import get_debug_flag
from flask.logging import has_level_handler
from werkzeug.exceptions import InternalServerError
from werkzeug.serving import is_running_from_reloader

from .errors import describe_exception, is_own_code, problem
from .extension import NAME, complete
from .layer import LOGS_HERE, NO_ROUTE, answer_crash
from .loading import load_app
from .release import STARTED_BY, release

LINK = "/__flask__"
SECONDS_BETWEEN_SIGNS_OF_LIFE = 10


def app_that_reports(error: BaseException) -> Flask:
    """Stand in for an app that cannot be imported: answer all requests with why."""
    app = Flask("react_flask_kit.development")
    reason = describe_exception(error)

    @app.before_request
    def report() -> Response:
        return problem(InternalServerError("The app could not be imported."), **reason)

    return app


def add_link(wsgi_app: Callable, import_error: BaseException | None) -> Callable:
    """Add to a WSGI app one path that sends a line of JSON and stays open.

    The line has `kit` (the version of this package), `project`, `inode` and `host` (who
    answers: the folder's number on its file system says it in whatever spelling of the
    path), `code` (a digest of the project's loaded modules) and `error` (why the app
    could not be imported, or null). The answer ends when the process does, and that is
    how the other side notices.
    """
    project = Path.cwd()
    greeting = {
        "kit": version("react-flask-kit"),
        "project": str(project),
        "inode": str(project.stat().st_ino),
        "host": socket.gethostname(),
        "code": digest_of_code(),
        "error": import_error and describe_exception(import_error),
    }

    def stay_open() -> Iterator[bytes]:
        yield json.dumps(greeting).encode() + b"\n"
        while True:
            time.sleep(SECONDS_BETWEEN_SIGNS_OF_LIFE)
            yield b"\n"

    def linked_app(environ: dict, start_response: Callable) -> Iterable[bytes]:
        # Only Vite sends the header; it passes on no one else's.
        if environ["PATH_INFO"] != LINK or "HTTP_X_FLASK_LINK" not in environ:
            return wsgi_app(environ, start_response)
        start_response("200 OK", [("Content-Type", "application/x-ndjson")])
        return stay_open()

    return linked_app


def digest_of_code() -> str:
    """Return a digest of the project's modules as they were loaded."""
    digest = hashlib.sha256()
    files = {file_of(module) for module in list(sys.modules.values())}
    for file in sorted(filter(is_own_code, files)):
        digest.update(Path(file).read_bytes())
    return digest.hexdigest()


def file_of(module: ModuleType) -> str:
    """Return where a module was loaded from, or nothing for one that has no file."""
    return getattr(module, "__file__", None) or ""


class WithoutRepetition(logging.Filter):
    """Drops a crash just logged: React's StrictMode asks everything twice."""

    last_crash = ""
    last_time = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Let pass what is no crash, another crash, or one a second later."""
        if not record.exc_info:
            return True
        crash = "".join(traceback.format_exception(*record.exc_info))
        if crash == self.last_crash and record.created < self.last_time + 1:
            return False
        self.last_crash, self.last_time = crash, record.created
        return True


def own_part(trace: TracebackType) -> TracebackType:
    """Leave out how the app came to be imported, unless that is all there is."""
    part: TracebackType | None = trace
    while part and not is_own_code(part.tb_frame.f_code.co_filename):
        part = part.tb_next
    return part or trace


def develop(app: Flask, import_error: BaseException | None) -> None:
    """Let an app answer as the frontend's development server wants it.

    It learns which addresses no route has, and a crash becomes an answer that tells it.
    """
    wsgi_app = app.wsgi_app
    logs_here = take_request_lines()
    # Of a plain app nobody knows the routes.
    has_kit = NAME in app.extensions

    def developed_app(environ: dict, start_response: Callable) -> Iterable[bytes]:
        if logs_here:
            environ[LOGS_HERE] = True

        def start(status: str, headers: list, *exc_info: Any) -> Callable:
            is_missing = not has_kit and status[:3] in ("404", "405")
            if NO_ROUTE in environ or is_missing:
                headers = [*headers, ("X-Flask-Route", "none")]
            return start_response(status, headers, *exc_info)

        try:
            return wsgi_app(environ, start)
        except Exception as error:
            return answer_crash(app, environ, start, error)

    app.wsgi_app = add_link(developed_app, import_error)
    app.logger.addFilter(WithoutRepetition())


def take_request_lines() -> bool:
    """Leave out what Werkzeug says of each request, which the kit says; tell if so.

    Who has configured the log of Werkzeug keeps it as it is.
    """
    logger = logging.getLogger("werkzeug")
    if has_level_handler(logger):
        return False
    handler = logging.StreamHandler()
    handler.addFilter(lambda record: '"%s" %s %s' not in str(record.msg))
    logger.addHandler(handler)
    return True


def is_only_watching() -> bool:
    """Tell whether this is the reloader's first process, which never answers."""
    is_off = "--no-reload" in sys.argv or os.environ.get("FLASK_RUN_RELOAD") in (
        "0",
        "false",
    )
    return get_debug_flag() and not is_off and not is_running_from_reloader()


def load() -> Flask:
    """Return the app of FLASK_APP, or what stands in for it."""
    if is_only_watching():
        # The processes to come need the release step once.
        os.environ[STARTED_BY] = secrets.token_hex(8)
        # What an app starts when it is imported, it would start twice.
        return Flask("react_flask_kit.development")
    if not get_debug_flag():
        release()
        return load_app()
    import_error = None
    try:
        release()
        app = load_app()
        complete(app)
    except (Exception, SystemExit) as error:
        import_error = error
        if import_error.__traceback__:
            import_error.__traceback__ = own_part(import_error.__traceback__)
        if isinstance(import_error, ClickException):
            import_error.show()
        else:
            traceback.print_exception(import_error)
        app = app_that_reports(import_error)
    develop(app, import_error)
    return app


app = load()
