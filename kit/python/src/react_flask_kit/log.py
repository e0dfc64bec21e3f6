"""The log: a line on stderr for each request and message, whatever is in it.

By the rules of Python's logging: who configures it, before or after, has the say, and
then gets a record for each request like any other.
"""

import atexit
import json
import logging
import os
import threading
from collections import deque
from contextlib import suppress
from functools import lru_cache, partial
from time import localtime, monotonic, sleep, strftime, time
from urllib.parse import quote

from flask import Flask, request
from flask.logging import default_handler

from .errors import REQUEST_ID

STDERR = 2
# INFO and above: a number that no author sets, so that it is known for ours.
LEVEL = logging.INFO - 1
# A pipe that several processes share keeps so many bytes together (POSIX's PIPE_BUF).
BLOCK = 4096
SECONDS_BETWEEN_WRITES = 0.05
# Who does not read stderr loses lines, and not requests or memory.
MOST_LINES = 10_000
MOST_REMEMBERED = 256
SECONDS_TO_END = 1.0
# A path as it was asked for; most are asked for again.
quote_path = partial(quote, encoding="latin-1", errors="replace")
quote_again = lru_cache(maxsize=256)(quote_path)


def log_to_stderr(app: Flask) -> None:
    """Take the place of Flask's default handler where nobody has configured logging."""
    handler.as_json = app.config["LOG_FORMAT"] == "json"
    logger = app.logger
    if default_handler in logger.handlers:
        logger.removeHandler(default_handler)
        logger.addHandler(handler)
    elif handler in logger.handlers and logger.propagate and logging.root.handlers:
        # Somebody has configured logging since: each message would be there twice.
        logger.removeHandler(handler)
    if logger.level in (logging.NOTSET, LEVEL):
        # Flask looks at DEBUG when the logger is first used, which we do too soon.
        level = LEVEL if handler in logger.handlers else logging.NOTSET
        logger.setLevel(logging.DEBUG if app.debug else level)


def quoted(path: str) -> str:
    """Write a path as it was asked for; a long one is not worth remembering."""
    return quote_again(path) if len(path) < MOST_REMEMBERED else quote_path(path)


def write_request(
    logger: logging.Logger,
    method: str,
    path: str,
    status: int,
    ms: float,
    request_id: str,
) -> None:
    """Log a request: in our own way where the log is ours, else as a record."""
    if handler in logger.handlers:
        handler.write_request(method, path, status, ms, request_id)
    else:
        logger.info(
            "%s %s %d %.1f ms",
            method,
            quoted(path),
            status,
            ms,
            extra={"request_id": request_id},
        )


class LogHandler(logging.Handler):
    """Queues lines that a thread writes together a moment later.

    A write for each request would cost it a fifth of its time, and one to a pipe that
    nobody reads would never end.
    """

    def __init__(self) -> None:
        """Write text, until told otherwise."""
        super().__init__()
        self.as_json = False
        self.start_anew()
        atexit.register(self.flush)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.start_anew)

    def start_anew(self) -> None:
        """Begin without lines and without a writer, which is not there after a fork."""
        self.lines: deque[bytes] = deque()
        self.dropped = 0
        self.is_waiting = False
        self.has_lines = threading.Event()
        self.is_idle = threading.Event()
        self.is_idle.set()
        self.writer: threading.Thread | None = None

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
        self.add(line)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a log record."""
        try:
            self.add(self.format(record))
        except Exception:
            self.handleError(record)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and in text the lines of the traceback."""
        request_id = getattr(record, "request_id", "")
        if request:
            request_id = request.headers.get(REQUEST_ID, "")
        formatter = self.formatter or logging.Formatter()
        trace = formatter.formatException(record.exc_info) if record.exc_info else ""
        level, message = record.levelname, record.getMessage()
        if self.as_json:
            parts = {"traceback": trace} if trace else {}
            return json_line(level, message, request_id, **parts)
        lines = [f"{moment(int(time()))} {level} {message} {request_id}".rstrip()]
        lines += [f"    {line}" for line in trace.splitlines()]
        return "\n".join(map(printable, lines))

    def add(self, line: str) -> None:
        """Queue a line, or count it where too many wait."""
        if len(self.lines) >= MOST_LINES:
            self.dropped += 1
            return
        self.lines.append(f"{line}\n".encode())
        if not self.is_waiting:
            self.is_waiting = True
            self.has_lines.set()
            self.is_idle.clear()
            if self.writer is None:
                # Where the system allows no more threads, the next line tries again.
                with suppress(RuntimeError):
                    self.start_writer()

    def start_writer(self) -> None:
        """Start the thread that writes."""
        with self.lock:
            if self.writer is None:
                writer = threading.Thread(target=self.write_on, daemon=True)
                writer.start()
                self.writer = writer

    def write_on(self) -> None:
        """Write what comes, for ever."""
        while True:
            self.has_lines.wait()
            sleep(SECONDS_BETWEEN_WRITES)
            self.has_lines.clear()
            # First: a line that comes from now on sets the event again.
            self.is_waiting = False
            self.write_lines()
            if not self.has_lines.is_set():
                self.is_idle.set()

    def write_lines(self) -> None:
        """Write what waits, in blocks, and how much was lost meanwhile."""
        block = b""
        while self.lines:
            line = self.lines.popleft()
            if block and len(block) + len(line) > BLOCK:
                write(block)
                block = b""
            block += line
        if self.dropped:
            dropped, self.dropped = self.dropped, 0
            message = f"{dropped} lines of the log were dropped: nobody read them."
            when = moment(int(time()))
            lost = (
                json_line("WARNING", message, "")
                if self.as_json
                else f"{when} WARNING {message}"
            )
            block += f"{lost}\n".encode()
        write(block)

    def flush(self) -> None:
        """Wait until everything is written, but not for somebody who does not read."""
        deadline = monotonic() + SECONDS_TO_END
        while self.lines or not self.is_idle.is_set():
            if monotonic() > deadline:
                return
            self.is_idle.wait(SECONDS_BETWEEN_WRITES)


def write(block: bytes) -> None:
    """Write to stderr; a closed one must not become the error of a request."""
    while block:
        try:
            block = block[os.write(STDERR, block) :]
        except BlockingIOError:
            sleep(SECONDS_BETWEEN_WRITES)
        except OSError:
            return


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


# One for the process, however many apps it makes.
handler = LogHandler()
