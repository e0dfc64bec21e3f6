"""The site of production: a build and an app on one port, in this process.

The contract: files, the page and /health need nothing of the app; all else is the
app's, whatever app it is; and each request is a line of the log.
"""

import asyncio
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from asgi_client import Server, asking, parts_of, scope_of
from flask import Flask, Response, jsonify
from react_flask_kit import Kit, bodies
from react_flask_kit import site as module
from react_flask_kit.navigation import VARY
from react_flask_kit.site import Site
from react_flask_kit.streams import StreamError
from werkzeug.middleware.dispatcher import DispatcherMiddleware

NAVIGATES = {"Sec-Fetch-Dest": "document", "Accept": "text/html,*/*;q=0.8"}
PAGE = "<!doctype html><div id=root></div>"
LINE = re.compile(r"(\S+ \S+ \d{3}) \d+\.\d ms")


@pytest.fixture
def build(tmp_path: Path) -> Path:
    folder = tmp_path / "build"
    folder.mkdir()
    (tmp_path / "package.json").write_text("{}")
    (folder / "index.html").write_text(PAGE)
    (folder / "robots.txt").write_text("User-agent: *\n")
    return folder


def create_app(**config: object) -> Flask:
    app = Flask("site")
    app.config.update(config)
    Kit(app)
    return app


@pytest.fixture
def app() -> Flask:
    app = create_app()

    @app.get("/books")
    def books() -> Response:
        return jsonify([1]), {"Set-Cookie": "a=b", "X-Own": "1"}

    @app.get("/written")
    def written() -> str:
        return "<h1>Written by the API</h1>"

    @app.get("/crash")
    def crash() -> None:
        raise RuntimeError("the password is swordfish")

    return app


def serving(
    app: Flask, build: Path, threads: int = 4, grace: float = 0
) -> AbstractContextManager[Server]:
    return asking(Site(app, build, threads, grace))


@pytest.fixture
def server(app: Flask, build: Path) -> Iterator[Server]:
    with serving(app, build) as server:
        yield server


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "kind"),
    [
        ("GET", "/", {}, 200, "text/html; charset=utf-8"),
        ("GET", "/", NAVIGATES, 200, "text/html; charset=utf-8"),
        ("HEAD", "/", NAVIGATES, 200, "text/html; charset=utf-8"),
        ("GET", "/index.html", {}, 200, "text/html; charset=utf-8"),
        ("GET", "/robots.txt", {}, 200, "text/plain; charset=utf-8"),
        ("GET", "/robots.txt?x=1", NAVIGATES, 200, "text/plain; charset=utf-8"),
        ("POST", "/robots.txt", {}, 404, "application/problem+json"),
        ("POST", "/", {}, 404, "application/problem+json"),
        ("GET", "/books", {}, 200, "application/json"),
        ("POST", "/books", {}, 405, "application/problem+json"),
        ("GET", "/nowhere", {}, 404, "application/problem+json"),
        ("GET", "/static/js/gone.12345678.js", {}, 404, "application/problem+json"),
        ("GET", "/written", NAVIGATES, 200, "text/html; charset=utf-8"),
        ("GET", "/health", {}, 200, "application/json"),
        ("GET", "/health", NAVIGATES, 200, "application/json"),
        ("GET", "/ready", NAVIGATES, 200, "application/json"),
        ("GET", "/crash", {}, 500, "application/problem+json"),
        ("GET", "/crash", NAVIGATES, 500, "application/problem+json"),
        ("GET", "/.env", {}, 404, "application/problem+json"),
        ("GET", "/%2e%2e/secret.txt", {}, 404, "application/problem+json"),
        ("GET", "/../secret.txt", {}, 404, "application/problem+json"),
    ],
)
def test_each_address_is_answered_by_whom_it_is_for(
    server: Server,
    build: Path,
    method: str,
    path: str,
    headers: dict[str, str],
    status: int,
    kind: str,
) -> None:
    (build / ".env").write_text("SECRET=swordfish")
    (build.parent / "secret.txt").write_text("swordfish")
    answer = server.ask(method, path, headers)
    assert (answer.status, answer.get("Content-Type")) == (status, kind)
    assert b"swordfish" not in answer.body
    assert (answer.body == b"") == (method == "HEAD")
    assert answer.is_whole


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/books", "/nowhere", "/a/deep/link?x=1"])
def test_the_page_takes_the_place_of_data_on_a_navigation(
    server: Server, path: str, method: str
) -> None:
    answer = server.ask(method, path, NAVIGATES)
    assert answer.status == 200
    assert answer.body == (PAGE.encode() if method == "GET" else b"")
    assert answer.get("Content-Length") == str(len(PAGE))
    assert answer.get("Vary") == VARY
    assert answer.get("Content-Security-Policy")
    assert not {"set-cookie", "x-own"} & dict(answer.headers).keys()


def test_data_says_that_the_page_has_the_same_address(server: Server) -> None:
    answer = server.ask(target="/books")
    assert (answer.json, answer.get("Vary")) == ([1], VARY)
    assert answer.get("Content-Security-Policy") is None
    assert answer.get("X-Content-Type-Options") == "nosniff"
    assert server.ask("POST", "/books").get("Vary") is None


def test_who_makes_the_preview_of_a_link_gets_the_page(server: Server) -> None:
    headers = {"Accept": "*/*", "User-Agent": "facebookexternalhit/1.1"}
    assert server.ask(target="/deep/link", headers=headers).body == PAGE.encode()


def test_the_body_of_an_answer_that_gives_way_is_closed_unread(build: Path) -> None:
    app, events = create_app(), []

    @app.get("/data")
    def data() -> Response:
        def generate() -> Iterator[str]:
            events.append("read")
            yield "[]"

        response = Response(generate(), mimetype="application/json")
        response.call_on_close(lambda: events.append("closed"))
        return response

    with serving(app, build) as server:
        assert server.ask(target="/data", headers=NAVIGATES).body == PAGE.encode()
    assert events == ["closed"]


def test_page_and_health_need_no_thread_of_the_app(app: Flask, build: Path) -> None:
    has_begun, may_end = threading.Event(), threading.Event()

    @app.get("/held")
    def held() -> str:
        has_begun.set()
        return str(may_end.wait(20))

    with serving(app, build, threads=1) as server:
        task = server.loop.create_task(
            server.request(scope_of(target="/held"), parts_of(b""))
        )
        server.until(has_begun.is_set)
        for path in ("/health", "/", "/robots.txt"):
            assert server.ask(target=path).status == 200
        assert not task.done()
        may_end.set()
        server.run(task)


def test_a_body_that_does_not_come_holds_no_thread(app: Flask, build: Path) -> None:
    headers = {"Content-Length": "9"}
    with serving(app, build, threads=1) as server:
        waiting = server.request(scope_of("POST", "/books", headers), [])
        task = server.loop.create_task(waiting)
        server.run(asyncio.sleep(0))
        assert server.ask(target="/books").json == [1]
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            server.run(task)


def test_health_is_not_kept_and_says_the_version(build: Path) -> None:
    with serving(create_app(APP_VERSION="1234567"), build) as server:
        answer = server.ask(target="/health")
    assert answer.json == {"status": "ok", "version": "1234567"}
    assert answer.get("Cache-Control") == "no-store"


def test_a_health_of_the_author_is_asked(build: Path) -> None:
    app = create_app()
    app.add_url_rule("/health", view_func=lambda: {"own": True})
    with serving(app, build) as server:
        assert server.ask(target="/health").json == {"own": True}


def test_a_ready_check_that_fails_takes_health_not_along(build: Path) -> None:
    app = Flask("site")
    kit = Kit(app)
    kit.ready_check(lambda: 1 / 0)
    with serving(app, build) as server:
        assert server.ask(target="/ready").status == 503
        assert server.ask(target="/health").status == 200


def test_where_nothing_is_built_a_navigation_says_so(
    app: Flask, tmp_path: Path
) -> None:
    (tmp_path / "package.json").write_text("{}")
    with serving(app, tmp_path / "absent") as server:
        for path in ("/", "/nowhere", "/books"):
            answer = server.ask(target=path, headers=NAVIGATES)
            assert (answer.status, answer.get("Cache-Control")) == (503, "no-store")
            assert b"npm run build" in answer.body
        assert server.ask(target="/books").json == [1]
        assert server.ask(target="/").status == 404
        assert server.ask(target="/written", headers=NAVIGATES).status == 200


def test_where_there_is_no_frontend_at_all_the_app_answers_everything(
    app: Flask, tmp_path: Path
) -> None:
    with serving(app, tmp_path / "absent") as server:
        assert server.ask(target="/books", headers=NAVIGATES).json == [1]
        for path in ("/", "/nowhere"):
            answer = server.ask(target=path, headers=NAVIGATES)
            assert (answer.status, answer.json["status"]) == (404, 404)


def test_a_build_that_comes_later_is_served_with_its_own_policy(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("react_flask_kit.frontend.SECONDS_BETWEEN_LOOKS", 0)
    with serving(app, tmp_path) as server:
        assert server.ask(target="/", headers=NAVIGATES).status == 404
        (tmp_path / "index.html").write_text("<script>a</script>")
        answer = server.ask(target="/", headers=NAVIGATES)
    assert answer.body == b"<script>a</script>"
    assert "'sha256-" in answer.get("Content-Security-Policy")


def test_a_file_that_a_build_takes_away_is_asked_of_the_app(
    server: Server, build: Path
) -> None:
    (build / "robots.txt").unlink()
    assert server.ask(target="/robots.txt").status == 404
    assert server.ask(target="/").status == 200


def test_a_build_for_another_base_is_served_there(app: Flask, build: Path) -> None:
    """With PUBLIC_URL=/app, / and /app/ were blank pages."""
    manifest = '{"files": {"main.js": "/app/static/js/main.js"}}'
    (build / "asset-manifest.json").write_text(manifest)
    with serving(app, build) as server:
        answer = server.ask(target="/", headers=NAVIGATES)
        assert (answer.status, answer.get("Location")) == (302, "/app/")
        assert server.ask(target="/app/").body == PAGE.encode()
        assert server.ask(target="/app/robots.txt").status == 200
        deep = server.ask(target="/app/deep/link", headers=NAVIGATES)
        assert deep.body == PAGE.encode()
        outside = server.ask(target="/deep%20a?b=c", headers=NAVIGATES)
        assert outside.get("Location") == "/app/deep%20a?b=c"
        assert server.ask(target="/books").json == [1]
        assert server.ask(target="/").status == 404


HOSTS = [
    ([], "1.1", 400),
    ([b"a", b"b"], "1.1", 400),
    ([b"a@b"], "1.1", 400),
    ([b"a b"], "1.1", 400),
    ([b"a/b"], "1.1", 400),
    ([b""], "1.1", 400),
    ([b"a:port"], "1.1", 400),
    ([], "1.0", 200),
    ([b"localhost"], "1.1", 200),
    ([b"LOCALHOST:8000"], "1.1", 200),
    ([b"[::1]:8000"], "1.1", 200),
    ([b"xn--caf-dma.example"], "1.1", 200),
]


@pytest.mark.parametrize(("hosts", "version", "status"), HOSTS)
def test_a_request_names_one_host(
    server: Server,
    caplog: pytest.LogCaptureFixture,
    hosts: list[bytes],
    version: str,
    status: int,
) -> None:
    caplog.set_level(logging.INFO)
    headers = [(b"host", host) for host in hosts]
    server.run(
        server.request(
            scope_of(target="/written", http_version=version) | {"headers": headers},
            parts_of(b""),
        )
    )
    answer = server.answer()
    assert answer.status == status
    assert lines_of(caplog) == [f"GET /written {status}"]
    if status == 400:
        assert answer.get("Content-Type") == "application/problem+json"
        assert answer.get("Connection") == "close"
        assert (answer.json["status"], answer.json["instance"]) == (400, "/written")


@pytest.mark.parametrize(
    ("headers", "messages", "status"),
    [
        ({"Content-Length": "50"}, parts_of(b"x", is_cut=True), 400),
        ({"Transfer-Encoding": "chunked"}, parts_of(b"x", is_cut=True), 400),
        ({"Content-Length": "50"}, parts_of(b"begun", b"never")[:1], 408),
    ],
)
def test_a_body_that_is_not_whole_is_refused_and_logged(
    server: Server,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    headers: dict[str, str],
    messages: list[dict],
    status: int,
) -> None:
    monkeypatch.setattr(bodies, "SECONDS_WITHOUT_PROGRESS", 0.05)
    monkeypatch.setattr(bodies, "BYTES_A_SECOND", 1_000_000)
    caplog.set_level(logging.INFO)
    answer = server.ask("POST", "/caf%C3%A9", headers, messages)
    assert (answer.status, answer.json["status"]) == (status, status)
    assert answer.json["instance"] == "/caf%C3%A9"
    assert lines_of(caplog) == [f"POST /caf%C3%A9 {status}"]


def lines_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the lines of requests."""
    matches = [LINE.fullmatch(record.getMessage()) for record in caplog.records]
    return [match[1] for match in matches if match]


def test_each_request_is_one_line_of_the_log(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for path, headers in [
        ("/", NAVIGATES),
        ("/books", NAVIGATES),
        ("/nowhere", NAVIGATES),
        ("/written", NAVIGATES),
        ("/crash", NAVIGATES),
        ("/robots.txt", {}),
        ("/health", {}),
        ("/ready", {}),
        ("/written?secret=1", {}),
        ("/nowhere", {}),
        ("/crash", {}),
    ]:
        server.ask(target=path, headers=headers)
    assert lines_of(caplog) == [
        "GET / 200",
        "GET /books 200",
        "GET /nowhere 200",
        "GET /written 200",
        "GET /crash 500",
        "GET /robots.txt 200",
        "GET /health 200",
        "GET /ready 200",
        "GET /written 200",
        "GET /nowhere 404",
        "GET /crash 500",
    ]


def test_a_websocket_is_refused_and_told_in_the_log(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    scope = scope_of(target="/socket") | {"type": "websocket", "scheme": "ws"}
    server.run(server.request(scope, [{"type": "websocket.connect"}]))
    (message,) = server.sent
    assert message["type"] == "websocket.close"
    assert [record.getMessage() for record in caplog.records] == [
        f"/socket {module.NO_WEBSOCKETS}"
    ]


def test_starting_and_stopping_is_no_work(server: Server) -> None:
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    server.run(server.request({"type": "lifespan"}, messages))
    assert [message["type"] for message in server.sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


def test_what_is_to_be_done_after_an_answer_is_done_before_the_server_stops(
    build: Path,
) -> None:
    app, done = create_app(), []

    @app.get("/mail")
    def mail() -> Response:
        response = Response("sent")
        response.call_on_close(lambda: done.append("mail"))
        return response

    with serving(app, build) as server:
        server.ask(target="/mail")
        messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
        server.run(server.request({"type": "lifespan"}, messages))
        assert done == ["mail"]


def test_open_streams_are_cut_when_the_server_stops(
    build: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app, closed, may_go_on = create_app(), threading.Event(), threading.Event()

    @app.get("/endless")
    def endless() -> Response:
        def generate() -> Iterator[str]:
            try:
                while True:
                    yield "data"
                    may_go_on.wait(20)
            finally:
                closed.set()

        return Response(generate())

    site = Site(app, build, 4, 0)
    with asking(site) as server:
        task = server.loop.create_task(
            server.request(scope_of(target="/endless"), parts_of(b""))
        )
        server.until(lambda: len(server.sent) == 2)
        site.stop()
        with pytest.raises(StreamError, match="The server stops"):
            server.run(task)
        may_go_on.set()
        server.until(closed.is_set)
        assert not server.answer().is_whole
    assert "Answer to GET /endless was cut" in caplog.text


def test_a_stream_that_fails_is_cut_and_logged(
    build: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app()

    @app.get("/fails")
    def fails() -> Response:
        def generate() -> Iterator[str]:
            yield "chunk"
            raise RuntimeError("the generator is broken")

        return Response(generate())

    with serving(app, build) as server:
        with pytest.raises(StreamError):
            server.ask(target="/fails")
        assert not server.answer().is_whole
    assert "Answer to GET /fails was cut" in caplog.text
    assert "RuntimeError: the generator is broken" in caplog.text


@pytest.mark.parametrize(
    "config",
    [{}, {"TESTING": True}, {"PROPAGATE_EXCEPTIONS": True}, {"DEBUG": True}],
    ids=["", "testing", "propagate", "debug"],
)
def test_a_crash_is_an_answer_whatever_leaves_the_app(
    build: Path, caplog: pytest.LogCaptureFixture, config: dict[str, object]
) -> None:
    origin = "https://app.example.com"
    app = create_app(CORS_ORIGINS=[origin], **config)
    app.add_url_rule("/crash", view_func=lambda: 1 / 0)
    with serving(app, build) as server:
        headers = {"Origin": origin, "X-Request-ID": "abc"}
        answer = server.ask(target="/crash", headers=headers)
    assert (answer.status, answer.json["status"]) == (500, 500)
    assert answer.get("Content-Type") == "application/problem+json"
    assert answer.get("X-Request-ID") == answer.json["request_id"] == "abc"
    assert answer.get("Access-Control-Allow-Origin") == origin
    assert ("traceback" in answer.json) == app.debug
    assert caplog.text.count("Exception on /crash [GET]") == 1


def test_an_app_that_ends_itself_ends_its_request_alone(build: Path) -> None:
    app = create_app()
    app.add_url_rule("/exit", view_func=lambda: sys.exit("stop"))
    with serving(app, build) as server:
        assert server.ask(target="/exit").status == 500
        assert server.ask(target="/ready").status == 200


def test_an_app_without_the_kit_is_served_too(build: Path) -> None:
    app = Flask("plain")
    app.add_url_rule("/books", "books", lambda: [1])
    app.add_url_rule("/crash", "crash", lambda: 1 / 0)
    app.testing = True
    with serving(app, build) as server:
        assert server.ask(target="/books").json == [1]
        assert server.ask(target="/nowhere").status == 404
        for path in ("/nowhere", "/books", "/"):
            answer = server.ask(target=path, headers=NAVIGATES)
            assert (answer.status, answer.body) == (200, PAGE.encode())
        assert server.ask(target="/health").json == {"status": "ok", "version": None}
        assert server.ask(target="/crash").status == 500


def test_a_mounted_app_is_asked(build: Path) -> None:
    app, mounted = create_app(), Flask("mounted")
    mounted.add_url_rule("/", view_func=lambda: "<h1>mounted</h1>")
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/sub": mounted})
    with serving(app, build) as server:
        answer = server.ask(target="/sub/", headers=NAVIGATES)
        assert answer.body == b"<h1>mounted</h1>"
        assert server.ask(target="/deep", headers=NAVIGATES).body == PAGE.encode()


@pytest.mark.parametrize("path", ["/private/x", "/books"])
def test_a_guard_that_answers_with_data_gives_way_to_the_page(
    app: Flask, build: Path, path: str
) -> None:
    @app.before_request
    def demand_sign_in() -> tuple[dict, int]:
        return {"detail": "Sign in."}, 401

    with serving(app, build) as server:
        assert server.ask(target=path, headers=NAVIGATES).body == PAGE.encode()
        assert server.ask(target=path).status == 401


def test_who_wraps_the_call_of_an_app_is_asked(build: Path) -> None:
    """Sentry's integration replaces Flask.__call__."""
    calls: list[str] = []

    class Watched(Flask):
        """A Flask whose calls somebody counts."""

        def __call__(self, environ: dict, start_response: Callable) -> object:
            calls.append(environ["PATH_INFO"])
            return super().__call__(environ, start_response)

    app = Watched("watched")
    Kit(app)
    with serving(app, build) as server:
        server.ask(target="/nowhere")
        server.ask(target="/robots.txt")
    assert calls == ["/nowhere"]


@pytest.mark.parametrize(
    ("proxies", "scheme", "forwarded", "is_tls"),
    [
        (0, "http", None, False),
        (0, "http", "https", False),
        (0, "https", None, True),
        (1, "http", "https", True),
        (1, "http", "http, https", True),
        (1, "http", "https, http", False),
        (1, "https", None, True),
    ],
)
def test_only_a_connection_by_tls_promises_tls(
    build: Path, proxies: int, scheme: str, forwarded: str | None, is_tls: bool
) -> None:
    app = create_app(PROXIES=proxies)
    headers = {"X-Forwarded-Proto": forwarded} if forwarded else {}
    with serving(app, build) as server:
        for path in ("/", "/robots.txt", "/health", "/nowhere"):
            answer = server.ask(target=path, headers=headers, scheme=scheme)
            assert bool(answer.get("Strict-Transport-Security")) == is_tls, path


def test_a_header_of_the_app_itself_wins(build: Path) -> None:
    app = create_app()
    own = {"Content-Security-Policy": "sandbox", "X-Content-Type-Options": "own"}
    app.add_url_rule("/own", view_func=lambda: ("<p>own", own))
    with serving(app, build) as server:
        answer = server.ask(target="/own")
    assert answer.get("Content-Security-Policy") == "sandbox"
    assert answer.get("X-Content-Type-Options") == "own"
    assert answer.get("Permissions-Policy")


@pytest.mark.parametrize("is_on", [False, True], ids=["off", "on"])
def test_source_maps_are_served_where_the_setting_says_so(
    build: Path, is_on: bool
) -> None:
    (build / "main.js.map").write_text("{}")
    with serving(create_app(SOURCE_MAPS=is_on), build) as server:
        assert server.ask(target="/main.js.map").status == (200 if is_on else 404)


@pytest.mark.parametrize("size", [0, 1, 100_000, 300_000])
def test_a_file_of_any_size_is_whole(app: Flask, build: Path, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    (build / "file.bin").write_bytes(content)
    with serving(app, build) as server:
        answer = server.ask(target="/file.bin")
        assert (answer.body, answer.is_whole) == (content, True)
        part = server.ask(target="/file.bin", headers={"Range": "bytes=70000-"})
        assert part.body == (content[70_000:] if size > 70_000 else b"")
        assert server.ask("HEAD", "/file.bin").body == b""


def test_a_file_that_becomes_shorter_while_it_is_sent_has_no_end(
    server: Server, build: Path
) -> None:
    (build / "video.mp4").write_bytes(bytes(1 << 20))
    frontend = server.application.frontend
    frontend.built = frontend.next_look = 0
    frontend.look()
    found = frontend.find("/video.mp4")
    answer = found.answer

    def cut(environ: dict) -> object:
        it = answer(environ)
        (build / "video.mp4").write_bytes(b"short")
        return it

    found.answer = cut
    with pytest.raises(StreamError, match="shorter"):
        server.ask(target="/video.mp4")
    assert not server.answer().is_whole


def test_a_file_has_the_id_of_no_request_that_it_did_not_bring(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server.ask(target="/robots.txt", headers={"X-Request-ID": "abc"})
    (record,) = caplog.records
    assert record.request_id == "abc"


def test_a_request_cannot_forge_a_line_of_the_log(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server.ask(target="/x%0d%0aFAKE%20LINE", headers=NAVIGATES)
    server.ask(target="/x%0d%0aFAKE%20LINE")
    assert lines_of(caplog) == [
        "GET /x%0D%0AFAKE%20LINE 200",
        "GET /x%0D%0AFAKE%20LINE 404",
    ]
