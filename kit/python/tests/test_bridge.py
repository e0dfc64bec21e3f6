"""A WSGI application behind ASGI.

The contract: an application sees a request that is whole, by WSGI's rules; what it
answers is whole or visibly not; and it is closed once, after it was sent.
"""

import contextvars
import io
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager

import pytest
from asgi_client import Server, asking, parts_of, scope_of
from flask import Flask, Response, request, stream_with_context
from react_flask_kit import bodies, streams
from react_flask_kit.bodies import BodyError
from react_flask_kit.bridge import Bridge, environ_of
from react_flask_kit.streams import StreamError
from werkzeug.exceptions import ClientDisconnected

LARGEST_WHOLE = 100
TEXT = [("Content-Type", "text/plain")]


def bridged(wsgi: Callable, threads: int = 4) -> AbstractContextManager[Server]:
    bridge = Bridge(wsgi, threads, LARGEST_WHOLE)

    async def application(scope: dict, receive: Callable, send: Callable) -> None:
        answer = await bridge.ask(environ_of(scope), receive)
        await bridge.send(answer, receive, send)

    return asking(application)


def test_an_answer_in_one_piece_is_sent_in_one_message() -> None:
    with bridged(Response("whole", headers={"X-A": "é"})) as server:
        answer = server.ask()
    assert (answer.status, answer.body, answer.is_whole) == (200, b"whole", True)
    assert ("x-a", "é") in answer.headers
    assert [message["type"] for message in server.sent] == [
        "http.response.start",
        "http.response.body",
    ]


def test_each_chunk_of_a_stream_is_sent_as_it_comes() -> None:
    with bridged(Response(iter(["a", "", "b", "c"]))) as server:
        answer = server.ask()
    bodies = [message["body"] for message in server.sent[1:]]
    assert bodies == [b"a", b"b", b"c", b""]
    assert answer.is_whole


def test_an_answer_without_a_chunk_is_whole() -> None:
    with bridged(Response(iter([]))) as server:
        answer = server.ask()
    assert (answer.status, answer.body, answer.is_whole) == (200, b"", True)


def failing(after: int, closed: list[str]) -> Iterator[bytes]:
    try:
        for _ in range(after):
            yield b"chunk"
        raise ZeroDivisionError("broken")
    finally:
        closed.append("closed")


def test_a_failure_before_the_first_chunk_is_raised_with_nothing_sent() -> None:
    closed: list[str] = []
    with bridged(lambda *wsgi: Response(failing(0, closed))(*wsgi)) as server:
        with pytest.raises(ZeroDivisionError):
            server.ask()
        assert server.sent == []
    assert closed == ["closed"]


@pytest.mark.parametrize("after", [1, 3])
def test_a_later_failure_is_a_stream_that_has_no_end(after: int) -> None:
    closed: list[str] = []
    with bridged(lambda *wsgi: Response(failing(after, closed))(*wsgi)) as server:
        with pytest.raises(StreamError, match="broken") as error:
            server.ask()
        assert isinstance(error.value.__cause__, ZeroDivisionError)
        answer = server.answer()
    assert (answer.body, answer.is_whole) == (b"chunk" * after, False)
    assert closed == ["closed"]


@pytest.mark.parametrize(
    "error", [SystemExit, KeyboardInterrupt, GeneratorExit, StopIteration]
)
def test_what_would_end_the_event_loop_is_an_error_of_the_request_alone(
    error: type[BaseException],
) -> None:
    def wsgi(environ: dict, start: Callable) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/":
            raise error("stop")
        return Response("ok")(environ, start)

    with bridged(wsgi) as server:
        with pytest.raises(RuntimeError, match=f"{error.__name__}: stop") as raised:
            server.ask()
        assert type(raised.value.__cause__) is error
        assert server.ask(target="/other").body == b"ok"


class Body:
    """An answer that tells when it was closed."""

    def __init__(self, chunks: list[bytes], events: list[str]) -> None:
        self.chunks, self.events = chunks, events

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.chunks)

    def close(self) -> None:
        self.events.append("closed")


@pytest.mark.parametrize("chunks", [[b"ab"], [b"a", b"b"]], ids=["whole", "stream"])
def test_an_answer_is_closed_once_after_it_was_sent(chunks: list[bytes]) -> None:
    def wsgi(_environ: dict, start: Callable) -> Iterable[bytes]:
        length = [("Content-Length", "2")] if len(chunks) == 1 else []
        start("200 OK", TEXT + length)
        return Body(chunks, server.events)

    with bridged(wsgi) as server:
        assert server.ask().body == b"ab"
        server.until(lambda: "closed" in server.events)
    assert server.events.count("closed") == 1
    assert server.events[-1] == "closed"


def test_each_of_many_answers_is_closed_once() -> None:
    closed: list[str] = []
    app = Flask("app")

    @app.get("/<name>")
    def closes(name: str) -> Response:
        response = Response(name)
        response.call_on_close(lambda: closed.append(f"{name} 1"))
        response.call_on_close(lambda: closed.append(f"{name} 2"))
        return response

    with bridged(app) as server:
        for name in "abc":
            server.ask(target=f"/{name}")
        server.until(lambda: len(closed) == 6)
    assert closed == ["a 1", "a 2", "b 1", "b 2", "c 1", "c 2"]


def test_a_failure_to_close_is_logged_and_harms_no_other_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    closed: list[int] = []

    def wsgi(environ: dict, start: Callable) -> Iterable[bytes]:
        response = Response("ok")
        response.call_on_close(lambda: closed.append(1 // int(environ["PATH_INFO"][1])))
        return response(environ, start)

    with bridged(wsgi) as server:
        assert server.ask(target="/0").body == b"ok"
        assert server.ask(target="/1").body == b"ok"
        server.until(lambda: closed)
    assert "ZeroDivisionError" in caplog.text


def test_what_is_written_comes_before_what_is_returned() -> None:
    def wsgi(_environ: dict, start: Callable) -> Iterable[bytes]:
        write = start("200 OK", TEXT)
        write(b"a")
        write(b"b")
        return [b"c"]

    with bridged(wsgi) as server:
        assert server.ask().body == b"abc"


def test_what_is_written_alone_is_an_answer() -> None:
    def wsgi(_environ: dict, start: Callable) -> Iterable[bytes]:
        start("200 OK", [*TEXT, ("Content-Length", "2")])(b"ab")
        return []

    with bridged(wsgi) as server:
        assert server.ask().body == b"ab"


def test_a_status_may_be_said_with_the_first_chunk() -> None:
    def wsgi(_environ: dict, start: Callable) -> Iterable[bytes]:
        start("201 Created", TEXT)
        yield b"late"

    with bridged(wsgi) as server:
        answer = server.ask()
    assert (answer.status, answer.body) == (201, b"late")


def never_starts(_environ: dict, _start: Callable) -> Iterable[bytes]:
    return [b"chunk"]


def starts_twice(_environ: dict, start: Callable) -> Iterable[bytes]:
    start("200 OK", TEXT)
    start("200 OK", TEXT)
    return [b"chunk"]


def says_a_length_and_has_nothing(_environ: dict, start: Callable) -> list[bytes]:
    start("200 OK", [("Content-Length", "5")])
    return []


@pytest.mark.parametrize(
    ("wsgi", "error"),
    [
        (never_starts, RuntimeError),
        (starts_twice, AssertionError),
        (says_a_length_and_has_nothing, RuntimeError),
    ],
)
def test_an_application_that_breaks_wsgi_is_told(
    wsgi: Callable, error: type[Exception]
) -> None:
    with bridged(wsgi) as server:
        with pytest.raises(error):
            server.ask()
        assert server.sent == []


def exc_info() -> tuple:
    try:
        raise ZeroDivisionError("broken")
    except ZeroDivisionError as error:
        return type(error), error, error.__traceback__


def test_an_error_replaces_a_status_that_was_not_sent() -> None:
    def wsgi(_environ: dict, start: Callable) -> Iterable[bytes]:
        start("200 OK", TEXT)
        start("500 Internal Server Error", [("X-Error", "1")], exc_info())
        return [b"sorry"]

    with bridged(wsgi) as server:
        answer = server.ask()
    assert (answer.status, answer.headers) == (500, [("x-error", "1")])
    assert answer.body == b"sorry"


def test_an_error_after_the_first_chunk_is_raised_to_the_application() -> None:
    def wsgi(_environ: dict, start: Callable) -> Iterable[bytes]:
        start("200 OK", TEXT)
        yield b"chunk"
        start("500 Internal Server Error", [], exc_info())
        yield b"never"

    with bridged(wsgi) as server:
        with pytest.raises(StreamError, match="broken"):
            server.ask()
        answer = server.answer()
    assert (answer.status, answer.body, answer.is_whole) == (200, b"chunk", False)


@pytest.mark.parametrize(
    ("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)]
)
def test_an_answer_without_a_body_may_have_the_length_of_another(
    method: str, status: int
) -> None:
    def wsgi(_environ: dict, start: Callable) -> Iterable[bytes]:
        start(f"{status} Status", [("Content-Length", "5")])
        return []

    with bridged(wsgi) as server:
        answer = server.ask(method)
    assert (answer.status, answer.body, answer.is_whole) == (status, b"", True)
    assert answer.get("Content-Length") == "5"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_response_of_flask_answers_each_method(method: str) -> None:
    app = Flask("app")
    app.add_url_rule("/", view_func=lambda: "text", methods=["GET", "POST"])
    with bridged(app) as server:
        answer = server.ask(method)
    assert answer.get("Content-Length") == "4"
    assert answer.body == (b"" if method == "HEAD" else b"text")


@pytest.mark.parametrize(
    ("length", "chunks"),
    [(10, [b"short"]), (10, [b"sho", b"rt"]), (3, [b"a", b"bcdef"])],
    ids=["one", "several", "too long"],
)
def test_a_stream_that_is_not_as_long_as_it_says_has_no_end(
    length: int, chunks: list[bytes]
) -> None:
    headers = {"Content-Length": str(length)}
    with bridged(Response(iter(chunks), headers=headers)) as server:
        with pytest.raises(StreamError, match="not as long as it says"):
            server.ask()
        assert not server.answer().is_whole


def test_no_more_is_sent_than_the_length_says() -> None:
    headers = {"Content-Length": "3"}
    with bridged(Response([b"abcdef"], headers=headers)) as server:
        assert server.ask().body == b"abc"


def test_a_stream_has_the_context_and_the_thread_of_its_request() -> None:
    """sqlite3 refuses to be used in another thread than its own."""
    app = Flask("app")

    @app.get("/<int:rows>")
    def stream(rows: int) -> Response:
        database = sqlite3.connect(":memory:")

        @stream_with_context
        def generate() -> Iterator[str]:
            try:
                for n in range(rows):
                    (value,) = database.execute("SELECT ?", [n]).fetchone()
                    yield f"{request.path} {value}\n"
            finally:
                database.close()

        return Response(generate())

    with bridged(app) as server:
        assert server.ask(target="/3").body == b"/3 0\n/3 1\n/3 2\n"


def test_the_context_variables_of_two_requests_do_not_mix() -> None:
    name = contextvars.ContextVar("name", default="nobody")

    def wsgi(environ: dict, start: Callable) -> Iterable[bytes]:
        def generate() -> Iterator[bytes]:
            for _ in range(2):
                yield name.get().encode()

        before = name.get()
        name.set(environ["PATH_INFO"])
        start("200 OK", [("X-Before", before)])
        return generate()

    with bridged(wsgi, threads=1) as server:
        for path in ("/a", "/b"):
            answer = server.ask(target=path)
            assert answer.get("X-Before") == "nobody"
            assert answer.body == path.encode() * 2


def environ_for(**scope: object) -> dict:
    return environ_of(scope_of() | scope)


def test_an_environ_has_the_keys_of_wsgi_and_nothing_else() -> None:
    scope = scope_of(
        "POST", "/a%20b?c=%20d", {"Content-Type": "text/plain", "X-One": "1"}
    )
    environ = environ_of(scope)
    (wsgi_input,) = [environ.pop("wsgi.input")]
    assert wsgi_input.read() == b""
    for key in ("wsgi.errors", "wsgi.file_wrapper"):
        assert environ.pop(key)
    assert environ == {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/a b",
        "QUERY_STRING": "c=%20d",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "50000",
        "CONTENT_TYPE": "text/plain",
        "HTTP_HOST": "localhost",
        "HTTP_X_ONE": "1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input_terminated": True,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def test_a_header_that_comes_twice_has_both_values() -> None:
    environ = environ_for(headers=[(b"x-a", b"1"), (b"x-a", b"2")])
    assert environ["HTTP_X_A"] == "1,2"


@pytest.mark.parametrize("name", [b"x_forwarded_for", b"x-forwarded_for", b"proxy_"])
def test_a_header_with_an_underscore_passes_for_no_other(name: bytes) -> None:
    headers = [(b"x-forwarded-for", b"1.1.1.1"), (name, b"6.6.6.6")]
    environ = environ_for(headers=headers)
    assert environ["HTTP_X_FORWARDED_FOR"] == "1.1.1.1"
    assert "6.6.6.6" not in environ.values()


@pytest.mark.parametrize(
    ("raw_path", "path_info"),
    [
        (b"/plain", "/plain"),
        (b"/caf%C3%A9", "/caf\xc3\xa9"),
        (b"/caf\xc3\xa9", "/caf\xc3\xa9"),
        (b"/%ff%00%0d", "/\xff\x00\r"),
        (b"/a%2fb%252f", "/a/b%2f"),
        (b"/a//b/../c", "/a//b/../c"),
        (b"/100%", "/100%"),
    ],
)
def test_a_path_is_the_bytes_that_were_asked_for(
    raw_path: bytes, path_info: str
) -> None:
    assert environ_for(raw_path=raw_path)["PATH_INFO"] == path_info


def test_a_server_without_raw_paths_gives_the_path_that_it_has() -> None:
    environ = environ_for(raw_path=None, path="/café", server=None, client=None)
    assert environ["PATH_INFO"] == "/caf\xc3\xa9"
    assert (environ["SERVER_NAME"], environ["REMOTE_ADDR"]) == ("", "")


def echo(environ: dict, start: Callable) -> Iterable[bytes]:
    body = environ["wsgi.input"].read()
    return Response(body)(environ, start)


CHUNKED = {"Transfer-Encoding": "chunked"}


@pytest.mark.parametrize("sizes", [(0,), (5,), (3, 0, 4), (100,), (70, 70, 70)])
@pytest.mark.parametrize("has_length", [True, False], ids=["", "chunked"])
def test_a_body_is_read_whole(sizes: tuple[int, ...], has_length: bool) -> None:
    parts = [b"x" * size for size in sizes]
    length = {"Content-Length": str(sum(sizes))}
    headers = length if has_length else CHUNKED
    with bridged(echo) as server:
        answer = server.ask("POST", "/", headers, parts_of(*parts))
    assert answer.body == b"".join(parts)


def test_a_body_that_fills_memory_is_kept_on_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "IN_MEMORY", 10)
    inputs: list[io.IOBase] = []

    def wsgi(environ: dict, start: Callable) -> Iterable[bytes]:
        inputs.append(environ["wsgi.input"])
        return echo(environ, start)

    with bridged(wsgi) as server:
        for parts in ((b"x" * 10,), (b"a" * 8, b"b" * 8)):
            messages = parts_of(*parts)
            assert server.ask("POST", "/", CHUNKED, messages).body == b"".join(parts)
        server.until(lambda: inputs[1].closed)
    assert [isinstance(it, io.BytesIO) for it in inputs] == [True, False]


@pytest.mark.parametrize("has_length", [True, False], ids=["", "chunked"])
def test_a_body_beyond_the_limit_is_read_while_the_application_asks(
    has_length: bool,
) -> None:
    parts = [b"a" * 101, b"b" * 50, b"c" * 50]
    headers = {"Content-Length": "201"} if has_length else CHUNKED
    read: list[bytes] = []

    def wsgi(environ: dict, start: Callable) -> Iterable[bytes]:
        assert not environ["wsgi.input"].seekable()
        while part := environ["wsgi.input"].read(60):
            read.append(part)
        return Response("done")(environ, start)

    with bridged(wsgi) as server:
        answer = server.ask("POST", "/", headers, parts_of(*parts))
        assert answer.body == b"done"
    assert b"".join(read) == b"".join(parts)


def test_an_application_that_does_not_want_a_large_body_answers_at_once() -> None:
    with bridged(Response("no", 413)) as server:
        answer = server.ask("POST", "/", {"Content-Length": "1000"}, parts_of(b""))
    assert answer.status == 413


CUT = [
    pytest.param({"Content-Length": "50"}, parts_of(b"x" * 20, is_cut=True), id="cut"),
    pytest.param(CHUNKED, parts_of(b"x" * 20, is_cut=True), id="chunked cut"),
    pytest.param({"Content-Length": "50"}, parts_of(b"x" * 20), id="shorter"),
    pytest.param({"Content-Length": "5"}, parts_of(b"x" * 20), id="longer"),
]


@pytest.mark.parametrize(("headers", "messages"), CUT)
def test_a_body_that_is_not_whole_never_reaches_the_application(
    headers: dict[str, str], messages: list[dict]
) -> None:
    calls: list[str] = []
    with bridged(lambda *_: calls.append("called")) as server:
        with pytest.raises(BodyError) as error:
            server.ask("POST", "/", headers, messages)
        assert server.sent == []
    assert error.value.status == 400
    assert calls == []


def test_a_body_that_does_not_come_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "SECONDS_WITHOUT_PROGRESS", 0.01)
    monkeypatch.setattr(bodies, "BYTES_A_SECOND", 1_000_000)
    waiting = parts_of(b"begun", b"never")[:1]
    with bridged(echo) as server, pytest.raises(BodyError) as error:
        server.ask("POST", "/", {"Content-Length": "50"}, waiting)
    assert error.value.status == 408


@pytest.mark.parametrize("is_slow", [True, False], ids=["slow", "cut"])
def test_a_large_body_that_does_not_come_whole_is_no_end_of_it(
    monkeypatch: pytest.MonkeyPatch, is_slow: bool
) -> None:
    raised: list[BaseException] = []

    def wsgi(environ: dict, start: Callable) -> Iterable[bytes]:
        with pytest.raises(ClientDisconnected) as error:
            environ["wsgi.input"].read()
        raised.append(error.value)
        return Response("refused", 400)(environ, start)

    monkeypatch.setattr(bodies, "SECONDS_WITHOUT_PROGRESS", 0.01 if is_slow else 30)
    monkeypatch.setattr(bodies, "BYTES_A_SECOND", 1_000_000)
    messages = parts_of(b"x" * 20, is_cut=True)[: 1 if is_slow else 2]
    with bridged(wsgi) as server:
        answer = server.ask("POST", "/", {"Content-Length": "1000"}, messages)
    assert answer.status == 400
    assert raised[0].code == 400


def test_what_an_application_did_not_close_of_a_request_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "IN_MEMORY", 10)
    inputs: list[io.IOBase] = []

    def wsgi(environ: dict, start: Callable) -> Iterable[bytes]:
        inputs.append(environ["wsgi.input"])
        return Response("ignored")(environ, start)

    with bridged(wsgi) as server:
        server.ask("POST", "/", CHUNKED, parts_of(b"a" * 8, b"b" * 8))
        server.until(lambda: inputs[0].closed)


def test_a_stream_ends_when_its_client_leaves() -> None:
    closed = threading.Event()
    may_go_on = threading.Event()

    def generate() -> Iterator[str]:
        try:
            while True:
                yield "data"
                may_go_on.wait(20)
        finally:
            closed.set()

    with bridged(Response(generate())) as server:
        task = server.loop.create_task(server.request(scope_of(), parts_of(b"")))
        server.until(lambda: len(server.sent) == 2)
        server.has_left.set()
        server.run(task)
        may_go_on.set()
        server.until(closed.is_set)
        assert not server.answer().is_whole


def test_a_file_is_given_in_large_blocks() -> None:
    content = bytes(1 << 19)

    def wsgi(environ: dict, start: Callable) -> Iterable[bytes]:
        start("200 OK", TEXT)
        return environ["wsgi.file_wrapper"](io.BytesIO(content), 8192)

    with bridged(wsgi) as server:
        assert server.ask().body == content
    assert len(server.sent) == 4


def test_a_client_that_does_not_read_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "SECONDS_WITHOUT_PROGRESS", 0.05)
    closed: list[str] = []
    response = Response(iter(["a", "b", "c"]))
    response.call_on_close(lambda: closed.append("closed"))
    bridge = Bridge(response, 4, LARGEST_WHOLE)

    async def application(scope: dict, receive: Callable, send: Callable) -> None:
        async def send_once(message: dict) -> None:
            if server.sent:
                await server.has_left.wait()
            await send(message)

        answer = await bridge.ask(environ_of(scope), receive)
        await bridge.send(answer, receive, send_once)

    with (
        asking(application) as server,
        pytest.raises(StreamError, match="does not read"),
    ):
        server.ask()
    assert [message["type"] for message in server.sent] == ["http.response.start"]
    assert closed == ["closed"]
