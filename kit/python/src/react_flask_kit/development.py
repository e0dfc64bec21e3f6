"""What `yarn start-api` runs: api.py, joined to the page's development server.

vite/flask.js reads the link below: it tells when Flask has restarted with other code,
and what is wrong when api.py cannot be imported. Production uses nothing of this file.
"""

import hashlib
import json
import logging
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType

from click import ClickException
from errors import PROJECT, describe_exception, is_own_code, problem
from flask import Flask, Response, request
from flask.helpers import get_debug_flag
from werkzeug.exceptions import InternalServerError
from werkzeug.serving import is_running_from_reloader

LINK = "/__flask__"
SECONDS_BETWEEN_SIGNS_OF_LIFE = 10


def app_that_reports(error: Exception) -> Flask:
    """Stand in for an api.py that cannot be imported: answer all requests with why."""
    app = Flask("api")
    reason = describe_exception(error)

    @app.before_request
    def report() -> Response:
        return problem(InternalServerError("api.py could not be imported."), **reason)

    return app


def add_link(wsgi_app: Callable, import_error: Exception | None) -> Callable:
    """Add to a WSGI app one path that sends a line of JSON and stays open.

    The line has `project`, `inode` and `host` (who answers: the folder's number on
    its file system says it in whatever spelling of the path), `code` (a digest of the
    project's loaded modules) and `error` (why api.py could not be imported, or null).
    The answer ends when the process does, and that is how the other side notices.
    """
    greeting = {
        "project": str(PROJECT),
        "inode": str(PROJECT.stat().st_ino),
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


def mark_missing_route(response: Response) -> Response:
    """Tell the development server that a navigation here is for the page to answer."""
    if request.url_rule is None and response.status_code in (404, 405):
        response.headers["X-Flask-Route"] = "none"
    return response


import_error = None
try:
    from api import app
except Exception as error:
    if not get_debug_flag():
        raise
    # The reloader's first process imports too, but never answers.
    if is_running_from_reloader():
        error.show() if isinstance(error, ClickException) else traceback.print_exc()
    # The first place is the import above; the others, if any, say more.
    error.__traceback__ = error.__traceback__.tb_next or error.__traceback__
    import_error = error
    app = app_that_reports(error)

if get_debug_flag():
    app.after_request(mark_missing_route)
    app.wsgi_app = add_link(app.wsgi_app, import_error)
    app.logger.addFilter(WithoutRepetition())
    logging.getLogger("werkzeug").addFilter(lambda line: LINK not in line.getMessage())
