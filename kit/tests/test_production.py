"""The production server: API and page on one port, fast, closed, and hard to stop."""

import gzip
import hashlib
import http.client
import json
import mimetypes
import os
import re
import shutil
import signal
import socket
import threading
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect
from request_table import NAVIGATE, TABLE, Row, check, name
from servers import (
    PRODUCTION,
    edit,
    free_port,
    get,
    is_answering,
    is_listening,
    running,
    serving,
    succeed,
    under_load,
    wait_for,
)

FOREVER = "public, max-age=31536000, immutable"
POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")


@pytest.fixture(scope="module")
def port(built_project: Path) -> Iterator[int]:
    with serving(built_project) as server:
        yield server.port


def ask(
    port: int, path: str, method: str = "GET", **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Ask for exactly this path; return status, headers and body."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as client:
        client.putrequest(method, path, skip_accept_encoding=True)
        for field in fields.items():
            client.putheader(*field)
        client.endheaders()
        response = client.getresponse()
        return response.status, response.headers, response.read()


def script_of(port: int) -> str:
    """Return where the page's script is."""
    html = ask(port, "/")[2].decode()
    return re.search(r'src="(/static/js/main[^"]+)"', html)[1]


def test_the_build_is_whole_and_its_files_are_signed(built_project: Path) -> None:
    build = built_project / "build"
    html = (build / "index.html").read_text(encoding="utf-8")
    assert "%" not in html
    assert '<div id="root">' in html
    linked = re.findall(r'(?:src|href)="/([^"]+)"', html)
    # The example also asks the API, before its script does.
    assert {each for each in linked if not (build / each).is_file()} <= {"time"}
    names = [re.sub(r"\.[\w-]{8}\.", ".[hash].", each) for each in linked]
    assert "static/js/main.[hash].js" in names
    assert "static/css/main.[hash].css" in names
    assert (build / "robots.txt").is_file()
    signed = re.findall(r'="/(static/[^"]+)" integrity="sha384-([^"]+)"', html)
    assert {each for each, _ in signed} == {n for n in linked if "static/" in n}
    for each, digest in signed:
        content = (build / each).read_bytes()
        assert b64decode(digest) == hashlib.sha384(content).digest()
    assert not list(build.rglob("*.map"))


@pytest.mark.parametrize("row", TABLE, ids=name)
def test_who_answers(port: int, row: Row) -> None:
    check("127.0.0.1", port, row)


@pytest.mark.parametrize(
    "path",
    [
        "/../package.json",
        "/static/../../package.json",
        "/static/js/../../../package.json",
        "/%2e%2e/package.json",
        "/%2e%2e%2fpackage.json",
        "/..%2fpackage.json",
        "/..%5cpackage.json",
        "/..\\package.json",
        "/%252e%252e/package.json",
        "/....//package.json",
        "/;/../package.json",
        "//package.json",
        "/./../package.json",
        "/%c0%ae%c0%ae/package.json",
        "/index.html/../../package.json",
        "/package.json%00.png",
        "/build/index.html",
        "/NUL",
        "/static",
        "/static/",
        "/static/js/",
    ],
)
def test_nothing_outside_the_page_is_served(port: int, path: str) -> None:
    status, _, body = ask(port, path)
    assert status in (404, 308)
    assert b"scripts" not in body
    assert b"root" not in body


@pytest.mark.parametrize(
    ("path", "media_type", "cache"),
    [
        ("/", "text/html; charset=utf-8", "no-cache"),
        ("/deep/link", "text/html; charset=utf-8", "no-cache"),
        ("/robots.txt", "text/plain; charset=utf-8", "no-cache"),
        ("/favicon.ico", "image/x-icon", "no-cache"),
        ("/manifest.json", "application/json", "no-cache"),
        ("main.js", "text/javascript; charset=utf-8", FOREVER),
    ],
)
def test_files_have_their_type_and_are_kept_as_long_as_they_are_true(
    port: int, path: str, media_type: str, cache: str
) -> None:
    path = script_of(port) if path == "main.js" else path
    status, headers, _ = ask(port, path, **NAVIGATE)
    assert status == 200
    assert headers["Content-Type"] == media_type
    assert headers["Cache-Control"] == cache
    assert "Access-Control-Allow-Origin" not in headers


def test_a_missing_file_is_asked_for_again(port: int) -> None:
    status, headers, _ = ask(port, "/static/js/main.0ld4a5h.js")
    assert (status, headers["Cache-Control"]) == (404, "no-store")


def test_the_type_is_right_where_the_system_has_it_wrong(tmp_path: Path) -> None:
    from react_flask_kit.files import list_files

    (tmp_path / "index.html").touch()
    (tmp_path / "main.js").touch()
    mimetypes.add_type("text/plain", ".js")
    try:
        files = list_files(tmp_path, "", source_maps=False)
    finally:
        mimetypes.add_type("text/javascript", ".js")
    headers = dict(files["/main.js"].headers)
    assert headers[b"content-type"].startswith(b"text/javascript")


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("br;q=0.5, gzip;q=0.9", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0, gzip;q=0", None),
        ("br;q=0.1, identity;q=0.5", None),
        ("identity", None),
        ("zstd", None),
        ("*", None),
        ("", None),
        ("br;q=much", None),
    ],
)
def test_a_file_is_sent_in_the_encoding_that_is_wanted(
    port: int, accepted: str, encoding: str | None
) -> None:
    path = script_of(port)
    status, headers, body = ask(port, path, Accept_Encoding=accepted)
    assert status == 200
    assert headers["Content-Encoding"] == encoding
    assert headers["Vary"] == "Accept-Encoding"
    assert int(headers["Content-Length"]) == len(body)
    plain = ask(port, path)[2]
    if encoding == "gzip":
        assert gzip.decompress(body) == plain
    assert (len(body) < len(plain)) == bool(encoding)


def test_a_file_that_is_known_is_not_sent_again(port: int) -> None:
    _, headers, body = ask(port, "/")
    assert body
    known = {"If-None-Match": headers["ETag"]}
    since = {"If-Modified-Since": headers["Last-Modified"]}
    for condition in (known, since):
        status, again, nothing = ask(port, "/", **condition)
        assert (status, nothing) == (304, b"")
        assert again["Cache-Control"] == "no-cache"
    assert ask(port, "/", If_None_Match='"another"')[0] == 200


def test_head_has_the_headers_of_get_and_no_body(port: int) -> None:
    _, headers, body = ask(port, "/logo192.png")
    status, head, nothing = ask(port, "/logo192.png", "HEAD")
    assert (status, nothing) == (200, b"")
    assert int(head["Content-Length"]) == len(body)
    assert head["ETag"] == headers["ETag"]


@pytest.mark.parametrize(
    ("wanted", "status", "part"),
    [
        ({"Range": "bytes=0-0"}, 206, slice(0, 1)),
        ({"Range": "bytes=2-9"}, 206, slice(2, 10)),
        ({"Range": "bytes=1000-"}, 206, slice(1000, None)),
        ({"Range": "bytes=-5"}, 206, slice(-5, None)),
        ({"Range": "bytes=0-99999999"}, 206, slice(None)),
        ({"Range": "bytes=99999999-"}, 416, slice(0)),
        ({"Range": "bytes=0-1,4-5"}, 200, slice(None)),
        ({"Range": "bites=0-1"}, 200, slice(None)),
        ({"Range": "bytes=junk"}, 200, slice(None)),
        ({"Range": "bytes=0-0", "If-Range": '"another"'}, 200, slice(None)),
    ],
)
def test_a_part_of_a_file_can_be_asked_for(
    port: int, wanted: dict, status: int, part: slice
) -> None:
    whole = ask(port, "/logo512.png")[2]
    found, headers, body = ask(port, "/logo512.png", **wanted)
    assert (found, body) == (status, whole[part])
    assert int(headers["Content-Length"]) == len(body)
    if status == 206:
        start = whole.index(body)
        expected = f"bytes {start}-{start + len(body) - 1}/{len(whole)}"
        assert headers["Content-Range"] == expected


SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PERMISSIONS = "camera=(self), geolocation=(self), microphone=(self)"


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 200), ("/robots.txt", 200), ("/time", 200), ("/no", 404), ("/crash", 500)],
)
def test_every_answer_says_how_little_the_page_needs(
    port: int, path: str, status: int
) -> None:
    found, headers, _ = ask(port, path)
    assert found == status
    assert {name: headers[name] for name in SECURITY} == SECURITY
    assert "Strict-Transport-Security" not in headers
    # What is no document needs no policy of documents.
    is_document = headers["Content-Type"].startswith("text/html")
    assert ("Content-Security-Policy" in headers) == is_document
    if path == "/":
        policy = headers["Content-Security-Policy"].split("; ")
        assert "default-src 'self'" in policy
        assert "script-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["Permissions-Policy"] == PERMISSIONS


def test_a_route_can_have_a_policy_of_its_own(port: int) -> None:
    _, headers, _ = ask(port, "/framed")
    assert headers.get_all("Content-Security-Policy") == [
        "frame-ancestors https://example.com"
    ]


def test_a_crash_tells_nothing_of_the_inside(built_project: Path) -> None:
    with serving(built_project, FLASK_DEBUG="1") as server:
        _, _, body = ask(server.port, "/crash")
    problem = json.loads(body)
    assert (problem["status"], problem["title"]) == (500, "Internal Server Error")
    assert "exception" not in problem
    assert b"KeyError" not in body


@pytest.mark.usefixtures("example_page")
def test_the_page_works_under_its_policy(page: Page, port: int) -> None:
    messages: list[ConsoleMessage] = []
    page.on("console", lambda message: messages.append(message))
    page.goto(f"http://localhost:{port}")
    expect(page.get_by_text("The current time is")).to_be_visible()
    assert [message.text for message in messages] == []
    page.evaluate(
        "Object.assign(document.body.appendChild(document.createElement('script')),"
        " {text: 'window.broken = true'})"
    )
    assert page.evaluate("window.broken") is None


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"PORT": "http"}, "PORT must be a whole number from 1 to 65535"),
        ({"PORT": "70000"}, "PORT must be a whole number from 1 to 65535"),
        ({"WEB_CONCURRENCY": "0"}, "WEB_CONCURRENCY must be a whole number from 1"),
        ({"HOST": "no.such.host.invalid"}, "of no.such.host.invalid: "),
        ({"HOST": "192.0.2.1"}, "of 192.0.2.1: "),
        ({"PORT": "TAKEN"}, "Choose another one with PORT"),
    ],
)
def test_it_says_why_it_cannot_start(
    built_project: Path, port: int, env: dict, message: str
) -> None:
    ports = {"PORT": str(free_port())} | env
    ports["PORT"] = ports["PORT"].replace("TAKEN", str(port))
    with running(built_project, PRODUCTION, **ports) as server:
        assert server.popen.wait(timeout=20) == 1
        assert message in server.output
        assert "Traceback" not in server.output


def test_serve_builds_and_serves_on_this_machine_only(own_project: Path) -> None:
    port = str(free_port())
    with running(own_project, "serve", PORT=port) as serve:
        serve.prints(f"The frontend and the API are on http://localhost:{port}")
        wait_for(lambda: is_answering(int(port)), "the server")
        assert get(f"http://localhost:{port}/time")[0] == 200
        assert ask(int(port), "/")[0] == 200
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.2", int(port)))
    assert not is_listening(int(port))


def test_it_reads_env_where_the_environment_says_nothing(own_project: Path) -> None:
    (own_project / ".env").write_text("FLASK_APP_VERSION=1.2\nFLASK_LOG_FORMAT=json\n")
    with serving(own_project, FLASK_LOG_FORMAT="text") as server:
        assert get(server.url + "/health")[1] == {"status": "ok", "version": "1.2"}
        server.command.prints("INFO GET /health 200")


def test_without_a_build_the_api_works_and_the_page_says_what_to_do(
    own_project: Path, built_project: Path
) -> None:
    with serving(own_project) as server:
        status, headers, body = ask(server.port, "/", **NAVIGATE)
        assert (status, headers["Content-Type"]) == (503, "text/html; charset=utf-8")
        assert b"npm run build" in body
        assert get(server.url + "/time")[0] == 200
        assert ask(server.port, "/logo192.png")[0] == 404
        shutil.copytree(built_project / "build", own_project / "built")
        (own_project / "built").rename(own_project / "build")
        assert ask(server.port, "/", **NAVIGATE)[0] == 200
        assert ask(server.port, "/logo192.png")[0] == 200


LAZY_APP = """
import { useState } from 'react';
export default function App() {
  const [text, setText] = useState('first');
  const load = async () => {
    try {
      const part = await import('./Part');
      setText(part.text);
    } catch {
      setText('failed');
    }
  };
  return <button type="button" onClick={load}>{text}</button>;
}
"""


def test_a_new_release_reaches_pages_that_are_open(
    page: Page, own_project: Path
) -> None:
    (own_project / "src/App.js").write_text(LAZY_APP)
    (own_project / "src/Part.js").write_text("export const text = 'part 1';")
    succeed(own_project, "build")
    scripts = own_project / "build/static/js"
    of_first = set(scripts.iterdir())
    with serving(own_project) as server:
        page.goto(server.url)
        button = page.get_by_role("button")
        expect(button).to_have_text("first")
        edit(own_project / "src/App.js", "'first'", "'second'")
        edit(own_project / "src/Part.js", "part 1", "part 2")
        succeed(own_project, "build")

        # The open page still has its part.
        button.click()
        expect(button).to_have_text("part 1")
        page.reload()
        expect(button).to_have_text("second")

        # A part that is gone is asked for in the new page, once.
        loads: list[Page] = []
        page.on("load", lambda loaded: loads.append(loaded))
        of_second = set(scripts.iterdir()) - of_first
        two_weeks_ago = time.time() - 14 * 24 * 60 * 60
        for file in of_first | of_second:
            os.utime(file, (two_weeks_ago, two_weeks_ago))
        edit(own_project / "src/App.js", "'second'", "'third'")
        edit(own_project / "src/Part.js", "part 2", "part 3")
        succeed(own_project, "build")
        assert of_first.isdisjoint(scripts.iterdir())
        assert of_second.issubset(scripts.iterdir())
        for file in scripts.glob("Part.*"):
            file.unlink()
        button.click()
        expect(button).to_have_text("third")
        button.click()
        wait_for(lambda: len(loads) == 2 or page.wait_for_timeout(20), "the reload")
        expect(button).to_have_text("third")
        button.click()
        expect(button).to_have_text("failed")
        assert len(loads) == 2


def test_a_build_deletes_nothing_that_no_build_has_made(own_project: Path) -> None:
    (own_project / "src/App.js").write_text("export default () => 'first';")
    theirs = own_project / "site/static/js/theirs.12345678.js"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("// Somebody else's.")
    (own_project / "site/notes.txt").write_text("Keep me.")
    (own_project / "public/gone.txt").write_text("Part of the first build alone.")
    succeed(own_project, "build", BUILD_PATH="site", GENERATE_SOURCEMAP="true")
    assert list((own_project / "site").rglob("*.map"))
    (own_project / "public/gone.txt").unlink()
    succeed(own_project, "build", BUILD_PATH="site")
    assert theirs.exists()
    assert (own_project / "site/notes.txt").exists()
    assert not (own_project / "site/gone.txt").exists()
    # One of an earlier build would still publish the source.
    assert not list((own_project / "site").rglob("*.map"))
    shutil.rmtree(own_project / "site")


@POSIX
def test_it_finishes_what_it_began_when_it_is_told_to_stop(built_project: Path) -> None:
    answers: list[int] = []
    begun = built_project / "api/slow-began"
    begun.unlink(missing_ok=True)
    with serving(built_project) as server:
        asked = [
            threading.Thread(
                target=lambda: answers.append(get(server.url + "/slow")[0])
            )
            for _ in range(3)
        ]
        for thread in asked:
            thread.start()
        wait_for(lambda: begun.exists() and begun.stat().st_size == 3, "the requests")
        server.command.popen.send_signal(signal.SIGTERM)
        wait_for(lambda: not is_listening(server.port), "new requests to be refused")
        for thread in asked:
            thread.join()
        assert server.command.popen.wait(timeout=20) == 0
        assert server.command.output.count("GET /slow 200") == 3
    assert answers == [200, 200, 200]


@POSIX
def test_a_worker_that_is_killed_is_replaced(built_project: Path) -> None:
    with serving(built_project, workers=2) as server:
        pids: set[int] = set()

        def new_pid(expected: int) -> bool:
            with suppress(OSError, http.client.HTTPException):
                pids.add(get(server.url + "/pid")[1]["pid"])
            return len(pids) == expected

        wait_for(lambda: new_pid(2), "two workers")
        with under_load(server.url + "/time") as answers:
            os.kill(min(pids), signal.SIGKILL)
            wait_for(lambda: new_pid(3), "another worker")
    # Of each of the four who ask, the kill may cut what it was just asking.
    assert len([answer for answer in answers if answer != 200]) <= 4


@POSIX
def test_a_reload_loses_no_request_and_runs_the_new_code(own_project: Path) -> None:
    with serving(own_project) as server, under_load(server.url + "/time") as answers:
        edit(own_project / "api/api.py", '"time": time.time()', '"time": 1')
        server.command.popen.send_signal(signal.SIGHUP)
        wait_for(lambda: get(server.url + "/time")[1] == {"time": 1}, "the new code")
    assert set(answers) == {200}


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 500_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
        b"POST /time HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /time HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"POST /time HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n",
    ],
    ids=lambda request: request[:40].decode("latin-1"),
)
def test_what_is_not_http_harms_nobody(port: int, request_: bytes) -> None:
    with closing(socket.create_connection(("127.0.0.1", port), timeout=20)) as client:
        said = b""
        # The server may hang up at any time.
        with suppress(OSError):
            client.sendall(request_)
            client.shutdown(socket.SHUT_WR)
            while data := client.recv(65536):
                said += data
    assert said == b"" or re.match(rb"HTTP/1\.[01] (200|4\d\d|501|505) ", said)
    assert b"Traceback" not in said
    assert ask(port, "/time")[0] == 200


def test_silent_clients_and_some_slow_ones_keep_nobody_waiting(port: int) -> None:
    clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(300)]
    try:
        for client in clients[:100]:
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
        for client in clients[100:110]:
            client.sendall(b"POST /upload HTTP/1.1\r\nHost: a\r\n")
            client.sendall(b"Content-Length: 1000\r\n\r\nx")
        assert ask(port, "/time")[0] == 200
        assert ask(port, "/")[0] == 200
    finally:
        for client in clients:
            client.close()
