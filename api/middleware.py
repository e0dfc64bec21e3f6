"""What every request passes on its way in and out: its id, CORS, and its log line.

This is WSGI middleware and not Flask's hooks, so that no answer can miss it: not one
that Flask gives before routing, and not a crash after the last hook.
"""

import json
import logging
import os
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache, partial
from random import getrandbits
from time import localtime, perf_counter, strftime, time
from urllib.parse import quote

from errors import REQUEST_ID, describe_exception, problem
from flask import Flask, Response, request
from flask.logging import default_handler
from flask_cors.core import get_cors_headers, get_cors_options
from werkzeug.datastructures import EnvironHeaders
from werkzeug.exceptions import InternalServerError

# A path as it was asked for; most are asked for again.
quoted = lru_cache(maxsize=256)(partial(quote, encoding="latin-1", errors="replace"))
is_sane_id = re.compile(r"[A-Za-z0-9._-]{1,64}").fullmatch
STDERR = 2
# The longest that Chromium remembers the answer to a preflight.
PREFLIGHT_LASTS = timedelta(hours=2)


class Entrance:
    """Wrap an app's wsgi_app; the app must have its settings.

    Each answer tells the id of its request, and a view reads the same id as
    `request.headers["X-Request-ID"]`.
    """

    def __init__(self, app: Flask) -> None:
        """Take from the settings what each request needs."""
        self.app, self.wsgi_app = app, app.wsgi_app
        self.trusted_hosts = app.config["TRUSTED_HOSTS"]
        self.origins = app.config["CORS_ORIGINS"]
        self.is_for_all = "*" in self.origins
        own = {"expose_headers": REQUEST_ID, "max_age": PREFLIGHT_LASTS}
        own |= {"send_wildcard": self.is_for_all, "vary_header": False}
        self.cors = get_cors_options(app, own)
        self.logs_json = app.config["LOG_FORMAT"] == "json"
        default_handler.setFormatter(LineFormatter(self.logs_json))
        app.logger.setLevel(app.logger.level or logging.INFO)
        logging.getLogger("werkzeug").addFilter(is_not_request_line)

    def __call__(self, environ: dict, start_response: Callable) -> Iterable[bytes]:
        """Answer as the app does, with headers added, and log the request.

        The line is written when the answer starts, so that an endless one has it too.
        """
        began = perf_counter()
        request_id = environ.get("HTTP_X_REQUEST_ID", "")
        if not is_sane_id(request_id):
            request_id = environ["HTTP_X_REQUEST_ID"] = f"{getrandbits(64):016x}"
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if self.trusted_hosts and path == "/health":
            # A probe asks by the address of a machine, which is on no list.
            environ["HTTP_HOST"] = self.trusted_hosts[0].lstrip(".")
        # Kept until the app is done, because a crash after it would answer instead.
        answer: list = ["204 No Content", []]

        def keep(status: str, headers: list, exc_info: object = None) -> None:
            answer[:] = status, headers

        body: Iterable[bytes] = []
        asks_first = "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
        if not (self.origins and method == "OPTIONS" and asks_first):
            try:
                body = self.wsgi_app(environ, keep)
            except Exception as crash:
                body = self.problem_of(crash, request_id)(environ, keep)
        status, headers = answer
        headers.append((REQUEST_ID, request_id))
        headers += self.cors_headers(environ) if self.origins else []
        start_response(status, headers)
        if self.app.logger.isEnabledFor(logging.INFO):
            ms = (perf_counter() - began) * 1000
            self.log(method, path, int(status[:3]), ms, request_id)
        return body

    def problem_of(self, crash: Exception, request_id: str) -> Response:
        """Return the answer to what Flask hands on, such as a crash in a teardown."""
        self.app.logger.exception("Exception after request %s", request_id)
        inside = describe_exception(crash) if self.app.debug else {}
        return problem(InternalServerError(), request_id=request_id, **inside)

    def cors_headers(self, environ: dict) -> list[tuple[str, str]]:
        """Return what lets a page of another origin read the answer, if it may.

        One policy is for all paths: flask-cors's rules for paths had four of its six
        CVEs. It also compares origins without case, and is asked for listed ones only.
        """
        headers = [] if self.is_for_all else [("Vary", "Origin")]
        origin = environ.get("HTTP_ORIGIN")
        if origin and (self.is_for_all or origin in self.origins):
            asked, method = EnvironHeaders(environ), environ["REQUEST_METHOD"]
            granted = get_cors_headers(self.cors, asked, method).items()
            # Where flask-cors says "false" to a private network, we say nothing.
            headers += [(name, value) for name, value in granted if value != "false"]
        return headers

    def log(
        self, method: str, path: str, status: int, ms: float, request_id: str
    ) -> None:
        """Write the line of a request, in a third of the time of a log record."""
        path = quoted(path)
        message = f"{method} {path} {status} {ms:.1f} ms"
        if self.logs_json:
            parts = {"method": method, "path": path, "status": status}
            line = json_line("INFO", message, request_id, ms=round(ms, 1), **parts)
        else:
            line = printable(f"{moment(int(time()))} INFO {message} {request_id}")
        # A closed stderr must not become the error of a request.
        with default_handler.lock, suppress(OSError):
            os.write(STDERR, f"{line}\n".encode())


class LineFormatter(logging.Formatter):
    """Format a log record as one line, with the request's id when there is one."""

    def __init__(self, as_json: bool) -> None:
        """Write JSON, or text with the traceback indented below."""
        super().__init__()
        self.as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and in text the lines of the traceback."""
        request_id = request.headers.get(REQUEST_ID, "") if request else ""
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        level, message = record.levelname, record.getMessage()
        if self.as_json:
            parts = {"traceback": trace} if trace else {}
            return json_line(level, message, request_id, **parts)
        lines = [f"{moment(int(time()))} {level} {message} {request_id}".rstrip()]
        lines += [f"    {line}" for line in trace.splitlines()]
        return "\n".join(map(printable, lines))


def json_line(level: str, message: str, request_id: str, **parts: object) -> str:
    """Return a line of the log as a JSON object."""
    line = {"time": moment(int(time())), "level": level, "message": message}
    return json.dumps(line | {"request_id": request_id} | parts)


@lru_cache(maxsize=1)
def moment(second: int) -> str:
    """Return a time as ISO 8601; most lines have the second of the line before."""
    return strftime("%Y-%m-%dT%H:%M:%S%z", localtime(second))


def printable(text: str) -> str:
    """Write control characters as Python does, so that they control nothing."""
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def is_not_request_line(record: logging.LogRecord) -> bool:
    """Leave out what Werkzeug's server says of each request: it would be twice."""
    return '"%s" %s %s' not in str(record.msg)
