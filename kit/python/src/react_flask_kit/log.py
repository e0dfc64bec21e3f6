"""The log: a line on stderr for each request and message, whatever is in it."""

import atexit
import json
import logging
import os
from collections import deque
from contextlib import suppress
from functools import lru_cache, partial
from threading import Timer
from time import localtime, strftime, time
from urllib.parse import quote

from flask import Flask, request
from flask.logging import default_handler

from .errors import REQUEST_ID

STDERR = 2
# A pipe that several processes share keeps so many bytes together (POSIX's PIPE_BUF).
BLOCK = 4096
SECONDS_BETWEEN_WRITES = 0.05
# A path as it was asked for; most are asked for again.
quoted = lru_cache(maxsize=256)(partial(quote, encoding="latin-1", errors="replace"))


def log_to_stderr(app: Flask) -> "LogHandler":
    """Let the app log, in its LOG_FORMAT; return what its requests are written to."""
    handler = LogHandler(app.config["LOG_FORMAT"] == "json")
    app.logger.removeHandler(default_handler)
    app.logger.addHandler(handler)
    app.logger.setLevel(app.logger.level or logging.INFO)
    logging.getLogger("werkzeug").addFilter(is_not_request_line)
    return handler


class LogHandler(logging.Handler):
    """Writes log records at once, and the lines of requests together a moment later.

    A write for each request would cost it a fifth of its time.
    """

    def __init__(self, as_json: bool) -> None:
        """Write JSON, or text."""
        super().__init__()
        self.as_json = as_json
        self.setFormatter(LineFormatter(as_json))
        self.lines: deque[bytes] = deque()
        self.is_waiting = False
        atexit.register(self.flush)

    def write_request(
        self, method: str, path: str, status: int, ms: float, request_id: str
    ) -> None:
        """Write the line of a request."""
        path = quoted(path)
        message = f"{method} {path} {status} {ms:.1f} ms"
        if self.as_json:
            parts = {"method": method, "path": path, "status": status}
            line = json_line("INFO", message, request_id, ms=round(ms, 1), **parts)
        else:
            line = printable(f"{moment(int(time()))} INFO {message} {request_id}")
        self.lines.append(f"{line}\n".encode())
        if not self.is_waiting:
            self.is_waiting = True
            timer = Timer(SECONDS_BETWEEN_WRITES, self.flush)
            timer.daemon = True
            timer.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a log record, after the requests before it."""
        self.lines.append(f"{self.format(record)}\n".encode())
        self.flush()

    def flush(self) -> None:
        """Write what waits."""
        # First: a line that comes from now on needs a timer of its own.
        self.is_waiting = False
        with self.lock:
            block = b""
            while self.lines:
                line = self.lines.popleft()
                if block and len(block) + len(line) > BLOCK:
                    write(block)
                    block = b""
                block += line
            write(block)


def write(block: bytes) -> None:
    """Write to stderr; a closed one must not become the error of a request."""
    with suppress(OSError):
        os.write(STDERR, block)


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
