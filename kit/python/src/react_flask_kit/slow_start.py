"""What is told while an app takes long to start, and perhaps for ever."""

import linecache
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from types import FrameType, TracebackType

from werkzeug.serving import BaseWSGIServer

from .errors import describe_exception
from .own_code import is_own_code, loaded_files, own_part, path_in_project

SECONDS_BEFORE_IT_IS_TOLD = 5
SECONDS_BETWEEN_LOOKS = 0.2
# After this exit code Werkzeug's reloader starts its process again.
RELOAD = 3


class SlowStartError(Exception):
    """A step of the start that has not ended yet; its traceback says where it is."""

    def __init__(self, message: str, cure: str) -> None:
        """Keep what to do about it."""
        super().__init__(message)
        self.cure = cure


Serve = Callable[[Callable[[], SlowStartError]], BaseWSGIServer]


@contextmanager
def told_if_slow(
    what: str, cure: str, serve: Serve | None = None, reloads: bool = False
) -> Iterator[None]:
    """Say after some seconds that what is done here has not ended.

    `what` is like "The app has been importing". `serve` makes the server that says it
    to whoever asks; it gets the function that returns the error of the moment. With
    `reloads`, a save of the app's code ends the process, so that it is started again.
    """
    step = SlowStart(what, cure, serve, reloads)
    watcher = threading.Thread(target=step.watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        step.has_ended.set()
        # Its server must not take a request that the app could answer.
        watcher.join()


class SlowStart:
    """A step of the start in this thread, to be watched from another one."""

    def __init__(
        self, what: str, cure: str, serve: Serve | None, reloads: bool
    ) -> None:
        """Begin to count."""
        self.what, self.cure, self.serve, self.reloads = what, cure, serve, reloads
        self.thread = threading.get_ident()
        self.began = monotonic()
        self.has_ended = threading.Event()

    def watch(self) -> None:
        """Watch it to its end."""
        server, is_told = None, False
        times: dict[str, int] = {}
        while not self.has_ended.is_set():
            if server:
                server.handle_request()
            else:
                self.has_ended.wait(SECONDS_BETWEEN_LOOKS)
            if self.reloads and (file := changed_file(times)):
                print(
                    f"{path_in_project(file)} has changed: starting again",
                    file=sys.stderr,
                )
                os._exit(RELOAD)
            is_late = monotonic() >= self.began + SECONDS_BEFORE_IT_IS_TOLD
            if is_late and not is_told and not self.has_ended.is_set():
                is_told = True
                self.say()
                server = self.serve and self.serve(self.error)
                if server:
                    server.timeout = SECONDS_BETWEEN_LOOKS
        if server:
            server.server_close()

    def say(self) -> None:
        """Say in the terminal what takes so long, and where it is in the app's code."""
        error = self.error()
        where = describe_exception(error)
        file, line = where["file"], where["line"]
        place = ""
        if is_own_code(file):
            source = linecache.getline(file, line).strip()
            place = f" It is at {path_in_project(file)}:{line}: {source}"
        print(f"{error}{place} ({self.cure})", file=sys.stderr, flush=True)

    def error(self) -> SlowStartError:
        """Return how long it has taken and where it is, as an exception."""
        seconds = int(monotonic() - self.began)
        error = SlowStartError(f"{self.what} for {seconds} s.", self.cure)
        frame = sys._current_frames()[self.thread]
        return error.with_traceback(own_part(trace_of(frame)))


def trace_of(frame: FrameType) -> TracebackType:
    """Return the traceback of what would be raised where a thread is."""
    trace = None
    for outer, line in traceback.walk_stack(frame):
        first_line = outer.f_code.co_firstlineno
        trace = TracebackType(trace, outer, outer.f_lasti, line or first_line)
    return trace


def changed_file(times: dict[str, int]) -> str | None:
    """Return a file of the app's code that is not as old as at the first look."""
    for file in filter(is_own_code, loaded_files()):
        try:
            time = os.stat(file).st_mtime_ns
        except OSError:
            # It is being replaced.
            continue
        if times.setdefault(file, time) != time:
            return file
    return None
