"""The production server in a process of its own.

The contract: a request is whole or the app never sees it; an answer is whole or
visibly not; threads follow need, and what needs none of the app waits for none;
whatever ends the server ends all of it, soon, and cuts nothing that is in work.
"""

import errno
import http.client
import json
import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
from processes import Process, get, running, wait_for
from react_flask_kit.server import read_options, why_not
from react_flask_kit.testing import free_port, is_answering

ROUTES = Path(__file__).parent / "fixture_app/routes.py"
SERVE = [sys.executable, "-m", "react_flask_kit"]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Unix's signals and /proc")


class Server:
    """A running server, and its port."""

    def __init__(self, process: Process, port: int, folder: Path) -> None:
        self.process, self.port, self.folder = process, port, folder
        self.url = f"http://127.0.0.1:{port}"
        self.pid = process.popen.pid

    def raw(self, request: bytes, ends: bool = False) -> bytes:
        """Send bytes, perhaps as the last ones, and return all that is answered."""
        with self.connect(request) as sock:
            if ends:
                sock.shutdown(socket.SHUT_WR)
            return read_all(sock)

    def connect(self, request: bytes) -> socket.socket:
        """Send bytes, and keep the connection."""
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        sock.sendall(request)
        return sock


def read_all(sock: socket.socket) -> bytes:
    answer = b""
    with suppress(ConnectionResetError):
        while part := sock.recv(1 << 16):
            answer += part
    return answer


@contextmanager
def serving(folder: Path, **env: str) -> Iterator[Server]:
    """Serve the app with all routes, from a folder with a small build."""
    shutil.copy(ROUTES, folder / "routes.py")
    imported = "from routes import app\nimport os\nprint('imported by', os.getpid())"
    (folder / "once.py").write_text(imported)
    make_build(folder / "build")
    port = free_port()
    settings = {"PORT": str(port), "WEB_CONCURRENCY": "1", "FLASK_APP": "routes.py"}
    with running(folder, *SERVE, **(settings | env)) as process:
        url = f"http://127.0.0.1:{port}/health"
        wait_for(lambda: process.ended or is_answering(url), "the server")
        yield Server(process, port, folder)


def make_build(build: Path) -> None:
    build.mkdir(exist_ok=True)
    (build / "index.html").write_text("<!doctype html><div id=root></div>")
    (build / "robots.txt").write_text("User-agent: *\n")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("served"), FLASK_SECRET_KEY="k" * 32) as it:
        yield it


HOST = b"Host: localhost\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        pytest.param(b"GET /time HTTP/1.1\r\n" + HOST + b"\r\n", 200, id="a good one"),
        pytest.param(b"GET /time HTTP/1.1\r\n\r\n", 400, id="no Host"),
        pytest.param(b"GET /time HTTP/1.0\r\n\r\n", 200, id="no Host in HTTP/1.0"),
        pytest.param(
            b"GET /time HTTP/1.1\r\n" + HOST + b"Host: b\r\n\r\n", 400, id="two Hosts"
        ),
        pytest.param(b"GET /time HTTP/1.1\r\nHost: a@b\r\n\r\n", 400, id="a user"),
        pytest.param(b"GET /time HTTP/1.1\r\nHost: a b\r\n\r\n", 400, id="a space"),
        pytest.param(b"GET /time HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, id="a path"),
        pytest.param(b"GET /time HTTP/1.0\r\nHost: [::1]:80\r\n\r\n", 200, id="IPv6"),
        pytest.param(b"GET /time HTTP/2.5\r\n" + HOST + b"\r\n", 400, id="a version"),
        pytest.param(b"nonsense\r\n\r\n", 400, id="no HTTP"),
        pytest.param(
            b"GET /time HTTP/1.1\r\n" + HOST + b"X: " + b"x" * 500_000 + b"\r\n\r\n",
            431,
            id="huge headers",
        ),
        pytest.param(
            b"POST /limited HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
            400,
            id="a negative length",
        ),
        pytest.param(
            b"POST /limited HTTP/1.1\r\n"
            + HOST
            + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            400,
            id="two lengths",
        ),
        pytest.param(
            b"POST /limited HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\nabc",
            400,
            id="a body that is cut off",
        ),
        pytest.param(
            b"POST /limited HTTP/1.1\r\n"
            + HOST
            + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
            400,
            id="a chunk that is cut off",
        ),
        pytest.param(
            b"POST /limited HTTP/1.1\r\n"
            + HOST
            + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n",
            400,
            id="a chunk without a size",
        ),
        pytest.param(
            b"POST /limited HTTP/1.1\r\n"
            + HOST
            + b"Transfer-Encoding: chunked\r\n\r\n"
            + b"3\r\nabc\r\n0\r\n\r\n",
            200,
            id="a chunked body",
        ),
        pytest.param(
            b"POST /upload HTTP/1.1\r\n"
            + HOST
            + b"Content-Length: 20000000\r\n\r\n"
            + b"x" * 17_000_000,
            400,
            id="a large body that is cut off",
        ),
    ],
)
def test_a_request_that_is_not_whole_or_valid_is_refused(
    server: Server, request_: bytes, status: int
) -> None:
    answer = server.raw(request_, ends=status == 400)
    # A client that has gone need not be told.
    cut_off = status == 400 and answer == b""
    assert cut_off or answer.split(b" ", 2)[1] == str(status).encode(), answer[:300]
    assert not (server.folder / "uploaded").exists()


def test_an_upload_beyond_the_limit_of_the_app_reaches_a_route_that_allows_it(
    server: Server,
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("POST", "/upload", body=bytes(20_000_000))
    assert json.load(connection.getresponse()) == {"size": 20_000_000}
    connection.close()
    (server.folder / "uploaded").unlink()


def test_an_answer_may_be_made_of_a_large_body_while_that_comes(
    server: Server,
) -> None:
    body = os.urandom(1 << 20) * 20
    head = b"POST /echo HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n"
    with server.connect(head % len(body)) as sock:
        sending = threading.Thread(target=sock.sendall, args=[body])
        sending.start()
        response = http.client.HTTPResponse(sock)
        response.begin()
        assert response.read() == body
        sending.join()


def test_a_body_beyond_the_limit_is_refused_without_being_read(server: Server) -> None:
    head = b"POST /limited HTTP/1.1\r\n" + HOST + b"Content-Length: 99000000\r\n\r\n"
    with server.connect(head) as sock:
        assert b" 413 " in sock.recv(1 << 16)


def test_a_form_has_as_many_fields_as_an_upload_may_have(server: Server) -> None:
    body = b"&".join(b"a=1" for _ in range(200_000))
    kind = b"Content-Type: application/x-www-form-urlencoded\r\n"
    length = b"Transfer-Encoding: chunked\r\n\r\n"
    chunk = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    answer = server.raw(b"POST /form HTTP/1.1\r\n" + HOST + kind + length + chunk)
    assert b" 413 " in answer.split(b"\r\n")[0]


def test_a_view_sees_the_request_and_nothing_of_the_machine(server: Server) -> None:
    answer = server.raw(b"GET /environ%2f%C3%A9?a=%20b HTTP/1.1\r\n" + HOST + b"\r\n")
    assert b" 404 " in answer.split(b"\r\n")[0]
    answer = server.raw(
        b"GET /environ?a=%20b HTTP/1.1\r\n"
        + HOST
        + b"X_Forwarded_For: 6.6.6.6\r\nX-Twice: 1\r\nX-Twice: 2\r\n"
        + b"\r\n"
    )
    seen = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert seen["url"] == "http://localhost/environ?a=%20b"
    assert seen["headers"]["X-Twice"] == "1,2"
    assert "X-Forwarded-For" not in seen["headers"]
    known = ("HTTP_", "wsgi.", "werkzeug.", "REQUEST_METHOD", "SCRIPT_NAME")
    known += ("PATH_INFO", "QUERY_STRING", "SERVER_", "REMOTE_", "CONTENT_")
    assert [key for key in seen["keys"] if not key.startswith(known)] == []


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_generator_that_fails_never_looks_complete(
    server: Server, after: int
) -> None:
    request = f"GET /fails/{after} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    answer = server.raw(request.encode())
    if after == 0:
        assert b" 500 " in answer.split(b"\r\n")[0]
        assert b"application/problem+json" in answer
        assert b"the generator is broken" not in answer
    else:
        assert b" 200 " in answer.split(b"\r\n")[0]
        assert not answer.endswith(b"0\r\n\r\n")
    server.process.prints("RuntimeError: the generator is broken")


def test_an_answer_that_is_shorter_than_it_says_is_cut(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", "/shorter")
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        connection.getresponse().read()
    connection.close()


def test_what_is_to_be_closed_is_closed_once_after_the_answer(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", "/closes")
    assert connection.getresponse().read() == b"closes"
    connection.close()
    wait_for(lambda: "closes" in get(f"{server.url}/closed")[1], "the closing")
    assert get(f"{server.url}/closed")[1].count("closes") == 1


def test_a_stream_ends_when_its_client_leaves(server: Server) -> None:
    ended = server.folder / "endless-closed"
    ended.unlink(missing_ok=True)
    with server.connect(b"GET /endless HTTP/1.1\r\n" + HOST + b"\r\n") as sock:
        assert b"200 OK" in sock.recv(1 << 16)
        assert not ended.exists()
    wait_for(ended.exists, "the end of the generator")


def test_a_websocket_is_refused_in_one_line(server: Server) -> None:
    request = (
        b"GET /socket HTTP/1.1\r\n"
        + b"Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        + b"Sec-WebSocket-Version: 13\r\n"
        + b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    with server.connect(request) as sock:
        assert b" 403 " in sock.recv(1 << 16).split(b"\r\n")[0]
    server.process.prints("/socket WebSockets are not served here")


def test_page_and_health_wait_for_no_thread_and_the_api_for_a_new_one(
    tmp_path: Path,
) -> None:
    with serving(tmp_path, WEB_THREADS="1000") as server, ExitStack() as stack:
        few = get(f"{server.url}/threads")[1]["threads"]
        for _ in range(50):
            stack.enter_context(
                server.connect(b"GET /endless HTTP/1.1\r\n" + HOST + b"\r\n")
            )
            # A body that does not come.
            stack.enter_context(
                server.connect(
                    b"POST /limited HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\na"
                )
            )
        assert get(f"{server.url}/health")[0] == 200
        many = wait_for(
            lambda: (n := get(f"{server.url}/threads")[1]["threads"]) > 50 and n,
            "threads for the streams",
        )
        assert few < 15
        assert many < 80


def test_with_all_threads_taken_the_page_and_health_still_answer(
    tmp_path: Path,
) -> None:
    with serving(tmp_path, WEB_THREADS="2") as server, ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(
                server.connect(b"GET /endless HTTP/1.1\r\n" + HOST + b"\r\n")
            )
        for path in ("/health", "/robots.txt", "/"):
            assert server.raw(
                b"GET %b HTTP/1.1\r\n" % path.encode() + HOST + b"\r\n"
            ).startswith(b"HTTP/1.1 200 ")


def workers_of(pid: int) -> set[int]:
    """Return the processes that a process has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    with suppress(FileNotFoundError, ProcessLookupError):
        return {int(child) for child in children.read_text().split()}
    return set()


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def end(server: Server, how: Callable[[], None], seconds: float) -> float:
    """End a server, and all that it started; return how long that took."""
    family = {server.pid, *workers_of(server.pid)}
    began = time.monotonic()
    how()
    wait_for(
        lambda: server.process.ended and not any(map(is_running, family)), "the end"
    )
    took = time.monotonic() - began
    assert took < seconds
    return took


def test_ctrl_c_ends_everything_at_once(tmp_path: Path) -> None:
    with serving(tmp_path, WEB_CONCURRENCY="2") as server, ExitStack() as stack:
        stack.enter_context(
            server.connect(b"GET /endless HTTP/1.1\r\n" + HOST + b"\r\n")
        )
        stack.enter_context(
            server.connect(b"GET /sleep/20.0 HTTP/1.1\r\n" + HOST + b"\r\n")
        )
        server.process.prints("sleeping")
        end(server, lambda: os.kill(server.pid, signal.SIGINT), seconds=5)


def test_ctrl_c_does_not_wait_for_workers_that_are_being_replaced(
    tmp_path: Path,
) -> None:
    with serving(tmp_path, WEB_CONCURRENCY="2") as server:
        before = workers_of(server.pid)
        os.kill(server.pid, signal.SIGHUP)
        wait_for(lambda: len(workers_of(server.pid) - before) >= 1, "new workers")
        end(server, lambda: os.kill(server.pid, signal.SIGINT), seconds=3)


def test_ctrl_c_at_any_moment_of_the_start_leaves_nothing(
    tmp_path: Path,
) -> None:
    shutil.copy(ROUTES, tmp_path / "routes.py")
    for moment in range(12):
        port = free_port()
        settings = {"PORT": str(port), "WEB_CONCURRENCY": "2", "FLASK_APP": "routes.py"}
        with running(tmp_path, *SERVE, **settings) as process:
            server = Server(process, port, tmp_path)
            # What is to be interrupted is the start itself, wherever it is by then.
            time.sleep(0.1 * moment)
            end(server, partial(os.kill, server.pid, signal.SIGINT), seconds=5)
        socket.create_server(("127.0.0.1", port)).close()


def test_an_app_is_imported_by_its_workers_alone(tmp_path: Path) -> None:
    with serving(tmp_path, WEB_CONCURRENCY="2", FLASK_APP="once.py") as server:
        server.process.prints("imported by")
        wait_for(lambda: server.process.output.count("imported by") == 2, "both")
        assert f"imported by {server.pid}" not in server.process.output


def test_sigterm_finishes_what_is_in_work_and_ends_streams(tmp_path: Path) -> None:
    answers: list[tuple[int, dict]] = []
    with serving(tmp_path, WEB_SECONDS_FOR_STREAMS="1") as server, ExitStack() as stack:
        stream = stack.enter_context(
            server.connect(b"GET /endless HTTP/1.1\r\n" + HOST + b"\r\n")
        )
        assert b"200 OK" in stream.recv(1 << 16)
        url = f"{server.url}/sleep/2.0"
        asking = threading.Thread(target=lambda: answers.append(get(url)))
        asking.start()
        server.process.prints("sleeping")
        end(server, lambda: os.kill(server.pid, signal.SIGTERM), seconds=10)
        asking.join()
        assert answers == [(200, {"slept": 2.0})]
        assert (tmp_path / "endless-closed").exists()
        assert server.process.popen.returncode == 0
        assert not read_all(stream).endswith(b"0\r\n\r\n")


def test_the_workers_end_with_a_first_process_that_is_killed(tmp_path: Path) -> None:
    with serving(tmp_path, WEB_CONCURRENCY="2") as server:
        end(server, lambda: os.kill(server.pid, signal.SIGKILL), seconds=8)


def test_they_end_with_it_also_while_a_request_is_in_work(tmp_path: Path) -> None:
    with serving(tmp_path, WEB_SECONDS_TO_FINISH="3") as server:
        kept = server.connect(b"GET /sleep/60.0 HTTP/1.1\r\n" + HOST + b"\r\n")
        server.process.prints("sleeping")
        end(server, lambda: os.kill(server.pid, signal.SIGKILL), seconds=12)
        kept.close()


def test_a_worker_that_cannot_start_again_leaves_the_others_alone(
    tmp_path: Path,
) -> None:
    def pid() -> int:
        return get(f"{server.url}/pid")[1]["pid"]

    with serving(tmp_path, WEB_CONCURRENCY="2") as server:
        workers: set[int] = set()
        wait_for(lambda: workers.add(pid()) or len(workers) == 2, "both workers")
        (tmp_path / "routes.py").write_text("1 / 0")
        os.kill(min(workers), signal.SIGKILL)
        server.process.prints("Error: the app could not be loaded: ZeroDivisionError")
        assert pid() == max(workers)
        shutil.copy(ROUTES, tmp_path / "routes.py")
        wait_for(lambda: workers.add(pid()) or len(workers) == 3, "another worker")


def test_connections_wait_for_another_worker_when_the_only_one_is_killed(
    tmp_path: Path,
) -> None:
    with serving(tmp_path) as server:
        before = get(f"{server.url}/pid")[1]["pid"]
        os.kill(before, signal.SIGKILL)
        # Refused by nobody: the first process still listens.
        after = get(f"{server.url}/pid")[1]["pid"]
        assert after != before


def test_new_code_is_taken_without_a_lost_request(tmp_path: Path) -> None:
    statuses: list[object] = []
    is_over = threading.Event()

    def ask(url: str) -> None:
        while not is_over.is_set():
            try:
                statuses.append(get(url)[0])
            except OSError as error:
                statuses.append(error)

    with serving(tmp_path) as server:
        asking = [
            threading.Thread(target=ask, args=[f"{server.url}/time"]) for _ in range(2)
        ]
        for thread in asking:
            thread.start()
        try:
            before = get(f"{server.url}/pid")[1]["pid"]
            (tmp_path / "routes.py").write_text("1 / 0")
            os.kill(server.pid, signal.SIGHUP)
            server.process.prints("The new code does not start; the old goes on.")
            assert get(f"{server.url}/pid")[1]["pid"] == before
            shutil.copy(ROUTES, tmp_path / "routes.py")
            os.kill(server.pid, signal.SIGHUP)
            wait_for(lambda: not is_running(before), "the end of the old worker")
        finally:
            is_over.set()
            for thread in asking:
                thread.join()
        assert set(statuses) == {200}


def test_new_code_waits_for_no_stream(tmp_path: Path) -> None:
    with serving(tmp_path, WEB_SECONDS_FOR_STREAMS="1") as server:
        before = get(f"{server.url}/pid")[1]["pid"]
        request = b"GET /endless HTTP/1.1\r\n" + HOST + b"\r\n"
        with server.connect(request) as stream:
            assert b"200 OK" in stream.recv(1 << 16)
            os.kill(server.pid, signal.SIGHUP)
            assert not read_all(stream).endswith(b"0\r\n\r\n")
        wait_for(lambda: not is_running(before), "the end of the old worker")
        assert get(f"{server.url}/pid")[1]["pid"] != before


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import nowhere", "Error: the app could not be loaded: ModuleNotFoundError"),
        (
            "import sys\nsys.exit('DB_URL is not set')",
            "ended itself: DB_URL is not set",
        ),
        ("app = 1", "Error: Failed to find Flask application"),
        (
            "from flask import Flask\nfrom react_flask_kit import Kit\n"
            "app = Flask(__name__)\nKit(app, required=['MAIL_SERVER'])",
            "Error: FLASK_MAIL_SERVER is not set.",
        ),
    ],
)
def test_an_app_that_cannot_be_loaded_ends_all_with_one_line(
    tmp_path: Path, source: str, message: str
) -> None:
    (tmp_path / "broken.py").write_text(source)
    settings = {"PORT": str(free_port()), "WEB_CONCURRENCY": "2"}
    with running(tmp_path, *SERVE, FLASK_APP="broken.py", **settings) as process:
        wait_for(lambda: process.ended, "the end")
        assert process.popen.returncode == 3
        lines = process.output.splitlines()
        assert sum(line.startswith("Error: ") for line in lines) == 1, process.output
        assert message in process.output


def test_a_port_in_use_and_an_invalid_setting_are_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with running(tmp_path, *SERVE, PORT=port) as process:
            assert process.popen.wait(20) == 1
            assert process.output.startswith(f"Cannot listen on port {port}")
    with running(tmp_path, *SERVE, WEB_CONCURRENCY="many") as process:
        assert process.popen.wait(20) == 1
        assert process.output.startswith("WEB_CONCURRENCY must be a whole number")


# The same table is in kit/node/tests/project.test.js.
PORTS = {"1": 1, "80": 80, "080": 80, "65535": 65535, "": 8000}
NO_PORTS = [
    *("0", "-1", "65536", "70000", "+80", "0x1F", "1e3", "3000.5", "1_000"),
    *(" ", " 80", "80 ", "8 0", "80\n", "abc", "3000 x", "\u0663\u0660\u0660\u0660"),
    "9" * 5000,
]


@pytest.mark.parametrize(("text", "port"), PORTS.items())
def test_a_port_is_read(text: str, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", text)
    assert read_options().port == port


@pytest.mark.parametrize("text", NO_PORTS)
def test_what_is_no_port_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", text)
    with pytest.raises(SystemExit, match="PORT must be a whole number from 1 to 65535"):
        read_options()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.EADDRINUSE, ""), "another program does. Choose another one"),
        (OSError(errno.EACCES, ""), "PORT=80 is a port that you may not use here"),
        (OSError(errno.EADDRNOTAVAIL, ""), "HOST=a is no address of this machine"),
        (socket.gaierror(-2, ""), "HOST=a is no address of this machine. Unset it"),
        (UnicodeError("label too long"), "HOST=a is no address of this machine"),
    ],
)
def test_where_it_cannot_listen_the_setting_is_named(
    error: OSError | UnicodeError, message: str
) -> None:
    assert message in why_not("a", 80, error)


@pytest.mark.parametrize("args", [["--port", "9000"], ["9000"], ["--help"]])
def test_an_argument_is_refused_by_name(tmp_path: Path, args: list[str]) -> None:
    with running(tmp_path, *SERVE, *args) as process:
        assert process.popen.wait(20) == 1
        assert f"was given: {' '.join(args)}. " in process.output
        assert "HOST and PORT" in process.output
