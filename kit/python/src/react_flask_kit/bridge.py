"""Any WSGI application on an ASGI server, without a failure that looks like success.

- A body is read before the application runs: one that is cut or too slow never reaches
  it. Only what is larger than the limit is read while the application asks for it.
- The status is sent with the first chunk: an exception before that is a 500; a later
  one cuts the connection.
- An answer is closed once, after it was sent.
- A stream keeps its thread to its end, as on other WSGI servers, so that generators may
  use what belongs to a thread.
"""

import asyncio
import contextvars
import io
import logging
import sys
from collections import deque
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from typing import IO, Any, NamedTuple
from urllib.parse import unquote_to_bytes

import werkzeug.wsgi

from .bodies import LargeBody, Receive, Send, read_body
from .pool import Pool
from .streams import Stream, Streams, body_message

Headers = list[tuple[bytes, bytes]]

BLOCK = 1 << 18
# Later than needed, and a tenth of the work under load.
SECONDS_TO_CLOSE = 0.005
MOST_LOOKS_AT_THE_END = 1000
END = object()
logger = logging.getLogger("react_flask_kit")


class Answer(NamedTuple):
    """What an application answers: all of it, or its first chunk and the rest."""

    status: int
    headers: Headers
    chunk: bytes
    # To be called once, in a thread, after the answer was sent; a stream does it.
    close: Callable[[], None]
    stream: Stream | None = None


class Bridge:
    """Call a WSGI application in threads, for one event loop."""

    def __init__(
        self,
        wsgi: Callable[[dict, Callable], Iterable[bytes]],
        threads: int,
        largest_whole: int,
    ) -> None:
        """Use as many threads as there is need for, up to a number.

        A body of up to `largest_whole` bytes is read before the application runs.
        """
        self.wsgi = wsgi
        self.pool = Pool(threads, self.abandon)
        self.largest_whole = largest_whole
        self.streams = Streams()
        self.to_close: deque[Callable[[], None]] = deque()
        self.is_closing = False

    async def ask(
        self,
        environ: dict,
        receive: Receive,
        gives_way: Callable[[dict, str, list], bool] | None = None,
    ) -> Answer | None:
        """Return the application's answer; None if `gives_way` says so of its start.

        Raises BodyError for a body that is not whole, and what the application raises.
        """
        if has_body(environ):
            environ["wsgi.input"] = await read_body(
                environ, receive, self.largest_whole
            )
        future = asyncio.get_running_loop().create_future()
        self.pool.submit(self.call, environ, gives_way, future)
        return await future

    async def send(self, answer: Answer, receive: Receive, send: Send) -> None:
        """Send an answer, and close it.

        Raises StreamError where it cannot be sent whole: the server must then cut the
        connection.
        """
        start = {"type": "http.response.start", "status": answer.status}
        start["headers"] = answer.headers
        if answer.stream:
            return await self.streams.send(answer.stream, start, receive, send)
        try:
            await send(start)
            await send(body_message(answer.chunk))
        finally:
            self.close_later(answer)

    def abandon(self, answer: Answer | None) -> None:
        """Close an answer that nobody waits for any more; in the event loop."""
        if answer and answer.stream:
            answer.stream.abandon()
        elif answer:
            self.close_later(answer)

    def close_later(self, answer: Answer) -> None:
        """Close an answer that was sent; many that end together need one job."""
        self.to_close.append(answer.close)
        if not self.is_closing:
            self.is_closing = True
            loop = asyncio.get_running_loop()
            loop.call_later(SECONDS_TO_CLOSE, self.pool.submit, self.close_answers)

    async def end(self) -> None:
        """Wait, but not for ever, until all answers that were sent are closed."""
        self.streams.end()
        for _ in range(MOST_LOOKS_AT_THE_END):
            if not self.to_close and not self.pool.running:
                return
            await asyncio.sleep(SECONDS_TO_CLOSE)

    def call(
        self, environ: dict, gives_way: Callable | None, future: asyncio.Future
    ) -> None:
        """Run the application in a context of its own; in a thread of the pool."""
        context = contextvars.Context()
        try:
            answer = context.run(self.run, environ, gives_way, context)
        except BaseException as error:
            return self.pool.settle(future, None, for_the_loop(error))
        self.pool.settle(future, answer)
        if answer and answer.stream:
            context.run(answer.stream.send_all)
        return None

    def run(
        self,
        environ: dict,
        gives_way: Callable | None,
        context: contextvars.Context,
    ) -> Answer | None:
        """Run the application up to its first chunk, where it can still fail."""
        start = StartResponse()
        body: Iterable[bytes] = ()
        input_ = environ["wsgi.input"]
        try:
            body = self.wsgi(environ, start)
            chunks = iter(body)
            # Some say their status only with their first chunk.
            chunk = None if start.status else next(chunks, END)
            if not start.status:
                raise RuntimeError("The application did not call start_response.")
            if gives_way and gives_way(environ, start.status, start.headers):
                unread, body = body, ()
                close(unread, input_)
                return None
            if chunk is None:
                chunk = next(chunks, END)
            length = content_length(start.headers)
            is_empty = chunk is END and not start.written
            if is_empty and length and not is_without_body(environ, start.status):
                raise RuntimeError("The application's answer has no body.")
            first = b"".join(start.written) + (b"" if chunk is END else chunk)
            status, headers = int(start.status[:3]), encode(start.headers)
        except BaseException:
            close(body, input_)
            raise
        start.is_sent = True
        if chunk is END or (length is not None and length <= len(first)):
            close_it = partial(context.run, close, body, input_)
            # No more than it says: the rest would be read as the next answer.
            return Answer(status, headers, first[:length], close_it)
        close_it = partial(close, body, input_)
        is_read = not isinstance(input_, LargeBody) or input_.reader.is_complete
        stream = Stream(self.pool, chunks, first, length, close_it, is_read)
        return Answer(status, headers, first, close_it, stream)

    def close_answers(self) -> None:
        """Close the answers that were sent; in a thread of the pool."""
        # First: an answer that comes from now on needs a job of its own.
        self.is_closing = False
        while self.to_close:
            try:
                self.to_close.popleft()()
            except BaseException:
                logger.exception("An exception after an answer was sent")


class StartResponse:
    """What WSGI calls start_response, for one request."""

    def __init__(self) -> None:
        """Begin with nothing said."""
        self.status = ""
        self.headers: list[tuple[str, str]] = []
        self.written: list[bytes] = []
        self.is_sent = False

    def __call__(self, status: str, headers: list, exc_info: Any = None) -> Callable:
        """Take status and headers; an error may replace them until they are sent."""
        if exc_info and self.is_sent:
            raise exc_info[1].with_traceback(exc_info[2])
        if self.status and not exc_info:
            raise AssertionError("start_response was called twice.")
        self.status, self.headers = status, headers
        return self.written.append


class FileWrapper(werkzeug.wsgi.FileWrapper):
    """Gives a file to the server in large blocks, whatever the application thinks."""

    def __init__(self, file: IO[bytes], _buffer_size: int = 0) -> None:
        """Wrap a file."""
        super().__init__(file, BLOCK)


# "1" is what Granian calls the oldest one.
PROTOCOLS = {"1": "HTTP/1.0", "1.0": "HTTP/1.0", "1.1": "HTTP/1.1", "2": "HTTP/2"}
CONSTANT = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.input_terminated": True,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
    "wsgi.file_wrapper": FileWrapper,
}


def environ_of(scope: dict) -> dict[str, Any]:
    """Return the environ of a request: WSGI's keys and the headers, and nothing else.

    Headers with an underscore in their name are left out, as nginx and gunicorn do: in
    an environ they are the same as those with a hyphen. PEP 3333 has the rest.
    """
    server, client = scope.get("server") or ("", 0), scope.get("client") or ("", 0)
    environ = {
        **CONSTANT,
        "REQUEST_METHOD": scope["method"],
        "PATH_INFO": path_of(scope),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": PROTOCOLS.get(scope["http_version"], "HTTP/3"),
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
    }
    for name, value in scope["headers"]:
        key = key_of(name)
        if key:
            text = value.decode("latin-1")
            environ[key] = f"{environ[key]},{text}" if key in environ else text
    return environ


def path_of(scope: dict) -> str:
    """Return the path as WSGI wants it: each byte that was asked for a character."""
    raw = scope.get("raw_path")
    if raw is None:
        return scope["path"].encode().decode("latin-1")
    return (unquote_to_bytes(raw) if b"%" in raw else raw).decode("latin-1")


@lru_cache(maxsize=256)
def key_of(name: bytes) -> str | None:
    """Return the key of a header in an environ; None for one with an underscore."""
    if b"_" in name:
        return None
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


def encode(headers: list[tuple[str, str]]) -> Headers:
    """Write an application's headers as ASGI wants them."""
    return [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in headers
    ]


def content_length(headers: list[tuple[str, str]]) -> int | None:
    """Return how long an application says that its answer is."""
    for name, value in headers:
        if len(name) == 14 and name.lower() == "content-length":
            return int(value)
    return None


def for_the_loop(error: BaseException) -> Exception:
    """Return an error that does no harm there: SystemExit would end the event loop."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    harmless = RuntimeError(f"The application raised {type(error).__name__}: {error}")
    harmless.__cause__ = error
    return harmless.with_traceback(error.__traceback__)


def has_body(environ: dict) -> bool:
    """Tell whether a request may have one; HTTP/2 need not say so."""
    return (
        "CONTENT_LENGTH" in environ
        or "HTTP_TRANSFER_ENCODING" in environ
        or not environ["SERVER_PROTOCOL"].startswith("HTTP/1")
    )


def is_without_body(environ: dict, status: str) -> bool:
    """Tell whether an answer has none, though its headers may speak of one."""
    return environ["REQUEST_METHOD"] == "HEAD" or status.startswith(("204", "304"))


def close(body: Iterable[bytes], input_: IO[bytes]) -> None:
    """Close what an application has answered, as PEP 3333 asks for, and been asked."""
    try:
        if hasattr(body, "close"):
            body.close()
    finally:
        input_.close()
