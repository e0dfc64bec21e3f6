"""The development server passes requests on as if there were one server."""

import gzip
import hashlib
import http.client
import json
import os
import socket
import time
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from projects import add_example_routes
from request_table import TABLE, Row, check, name
from servers import developing, edit, wait_for


@pytest.fixture
def port(site: str) -> int:
    return urlsplit(site).port


def ask(
    port: int, path: str, method: str = "GET", body: object = None, **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("localhost", port, timeout=20)
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, fields)
    response = connection.getresponse()
    try:
        return response, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize("row", TABLE, ids=name)
def test_who_answers(port: int, row: Row) -> None:
    check("localhost", port, row)


@pytest.mark.parametrize("query", ["", "?raw", "?import&raw", "?url"])
@pytest.mark.parametrize(
    "name", ["api/api.py", ".flaskenv", "package.json", "kit/node/launcher.js"]
)
def test_files_outside_the_page_are_not_served(
    port: int, project: Path, name: str, query: str
) -> None:
    places = ["/", "/@id//", "/@id/", "/src/../", f"/@fs{quote(project.as_posix())}/"]
    for _ in range(2):
        for place in places:
            response, body = ask(port, place + name + query)
            assert response.status == 404, place
            assert json.loads(body)["title"] == "Not Found"


@pytest.mark.parametrize(
    "path", ["/package", "/kit/node", "/kit/node/launcher", "/docs"]
)
def test_a_route_may_be_named_like_a_file_of_the_project(port: int, path: str) -> None:
    assert ask(port, path)[1].startswith(b'{"detail"')


def test_flask_sees_the_address_that_the_browser_sees(port: int) -> None:
    seen = json.loads(ask(port, "/echo?a=%20b&a=c", X_Forwarded_For="9.9.9.9")[1])
    assert seen["url"] == f"http://localhost:{port}/echo?a=%20b&a=c"
    assert seen["headers"]["Host"] == f"localhost:{port}"
    assert seen["headers"]["X-Forwarded-Host"] == f"localhost:{port}"
    assert seen["headers"]["X-Forwarded-Proto"] == "http"
    assert seen["headers"]["X-Forwarded-Port"] == str(port)
    first, last = seen["headers"]["X-Forwarded-For"].split(", ")
    assert first == "9.9.9.9"
    assert last in ("127.0.0.1", "::1", "::ffff:127.0.0.1")


def test_cookies_and_redirects_are_those_of_one_server(port: int) -> None:
    response, _ = ask(port, "/login", "POST", Cookie="a=1; b=2")
    assert response.status == 302
    assert response.headers["Location"] == f"http://localhost:{port}/echo"
    session, theme = response.headers.get_all("Set-Cookie")
    assert session == "session=abc; HttpOnly; Path=/; SameSite=Lax"
    assert theme == "theme=dark; Path=/"
    assert json.loads(ask(port, "/echo", Cookie="a=1; b=2")[1])["cookies"] == {
        "a": "1",
        "b": "2",
    }


def test_a_doubled_slash_redirects_on_the_same_port(port: int) -> None:
    response, _ = ask(port, "/items//3")
    location = urlsplit(response.headers["Location"])
    assert (response.status, location.path) == (308, "/items/3")
    assert location.port in (None, port)


def test_head_has_the_headers_and_no_body(port: int) -> None:
    response, body = ask(port, "/report.csv", "HEAD")
    assert (response.status, body) == (200, b"")
    assert response.headers["Content-Length"] == "15"


def test_options_is_answered_by_flask(port: int) -> None:
    response, _ = ask(port, "/login", "OPTIONS", Origin="http://localhost:1")
    assert set(response.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}
    assert "Access-Control-Allow-Origin" not in response.headers


def test_a_conditional_request_is_answered_with_304(port: int) -> None:
    first, body = ask(port, "/file")
    assert body
    again, nothing = ask(port, "/file", If_None_Match=first.headers["ETag"])
    assert (again.status, nothing) == (304, b"")


def test_a_range_is_answered_with_206(port: int) -> None:
    response, body = ask(port, "/file", Range="bytes=3-9")
    assert (response.status, body) == (206, b"Routes ")
    assert response.headers["Content-Range"].startswith("bytes 3-9/")


def test_a_compressed_answer_stays_compressed(port: int) -> None:
    response, body = ask(port, "/compressed", Accept_Encoding="gzip")
    assert response.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(body) == b"hello " * 1000


def test_a_chunked_body_arrives(port: int) -> None:
    connection = http.client.HTTPConnection("localhost", port, timeout=20)
    connection.request("POST", "/echo", iter([b"hel", b"lo"]), encode_chunked=True)
    assert json.loads(connection.getresponse().read())["body"] == "hello"
    connection.close()


def test_100_megabytes_are_uploaded_in_constant_memory(
    port: int, project: Path
) -> None:
    block = os.urandom(1 << 20)
    before = memory_of_vite(project)
    digest = hashlib.sha256()
    peak = 0

    def blocks():
        nonlocal peak
        for _ in range(100):
            digest.update(block)
            yield block
            peak = max(peak, memory_of_vite(project))

    _, body = ask(port, "/upload", "POST", blocks(), Content_Length=str(100 << 20))
    assert json.loads(body) == {"size": 100 << 20, "sha256": digest.hexdigest()}
    assert peak - before < 50 << 20


def memory_of_vite(project: Path) -> int:
    """Return the resident bytes of the development server of a project."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(project / "node_modules/vite") in (process / "cmdline").read_text():
                return int((process / "statm").read_text().split()[1]) * 4096
        except OSError:
            continue
    pytest.skip("memory is only measured where there is /proc")


def test_events_come_at_once_and_end_with_their_reader(
    port: int, project: Path
) -> None:
    ended = project / "api/events-ended"
    ended.unlink(missing_ok=True)
    start = time.monotonic()
    connection = http.client.HTTPConnection("localhost", port, timeout=20)
    connection.request("GET", "/events", headers={"Accept": "text/event-stream"})
    response = connection.getresponse()
    assert response.readline() == b"data: 0\n"
    assert time.monotonic() - start < 1
    assert response.readline() + response.readline() == b"\ndata: 1\n"
    assert not ended.exists()
    response.close()
    connection.close()
    wait_for(ended.exists, "the generator to end", seconds=2)


def test_an_upgraded_connection_carries_both_directions_where_that_is_wanted(
    own_project: Path,
) -> None:
    add_example_routes(own_project)
    option = "reactFlask({ webSockets: true })"
    edit(own_project / "vite.config.mjs", "reactFlask()", option)
    with developing(own_project) as (_command, url):
        shout_back(urlsplit(url).port)


def shout_back(port: int) -> None:
    with socket.create_connection(("localhost", port), timeout=20) as client:
        client.sendall(
            f"GET /socket HTTP/1.1\r\nHost: localhost:{port}\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n".encode()
        )
        with client.makefile("rb") as received:
            assert received.readline() == b"HTTP/1.1 101 Switching Protocols\r\n"
            headers = iter(received.readline, b"\r\n")
            assert b"Upgrade: websocket\r\n" in list(headers)
            client.sendall(b"hello\n")
            assert received.readline() == b"HELLO\n"


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/socket", {"Upgrade": "websocket"}, 501),
        ("/socket", {"Upgrade": "websocket", "Host": "evil.example"}, 403),
    ],
)
def test_an_upgrade_may_be_refused(
    port: int, path: str, headers: dict[str, str], status: int
) -> None:
    assert ask(port, path, Connection="Upgrade", **headers)[0].status == status
    assert ask(port, "/time")[0].status == 200


@pytest.mark.parametrize(
    "wish", [{"Upgrade": "h2c", "HTTP2-Settings": "AAMAAABk"}, {"Upgrade": "TLS/1.2"}]
)
def test_a_wish_for_another_protocol_is_ignored(
    port: int, wish: dict[str, str]
) -> None:
    fields = {"Connection": f"{', '.join(wish)}, X-Secret", "X_Secret": "1"} | wish
    response, body = ask(port, "/echo?a=b", "POST", b"hello", **fields)
    seen = json.loads(body)
    assert (response.status, seen["query"], seen["body"]) == (200, "a=b", "hello")
    assert not {"Upgrade", "Http2-Settings", "X-Secret"} & seen["headers"].keys()
    assert ask(port, "/logo192.png", **fields)[0].status == 200


def test_cookies_of_20_kilobytes_pass_as_in_production(port: int) -> None:
    cookies = "; ".join(f"c{number}={'x' * 2000}" for number in range(10))
    response, body = ask(port, "/echo", Cookie=cookies)
    assert response.status == 200
    assert len(json.loads(body)["cookies"]) == 10


def test_a_report_that_is_cut_off_does_not_end_the_server(port: int) -> None:
    with socket.create_connection(("localhost", port), timeout=20) as client:
        head = f"POST /__csp__ HTTP/1.1\r\nHost: localhost:{port}\r\n"
        client.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
    assert ask(port, "/time")[0].status == 200


def test_no_malformed_request_ends_the_server(port: int) -> None:
    for upgrade in (b"", b"Connection: Upgrade\r\nUpgrade: websocket\r\n"):
        with socket.create_connection(("localhost", port), timeout=20) as client:
            client.sendall(b"GET /time HTTP/1.0\r\n" + upgrade + b"\r\n")
            assert client.recv(9) == b"HTTP/1.1 "
    assert ask(port, "/time")[0].status == 200


def test_long_headers_of_an_answer_pass(port: int) -> None:
    response, _ = ask(port, "/long-header")
    assert len(response.headers["X-Long"]) == 30_000


def test_a_get_that_a_restart_cuts_is_asked_once_more(port: int) -> None:
    response, body = ask(port, "/restart-once")
    assert (response.status, json.loads(body)) == (200, {"asked": "xx"})


def test_a_post_that_a_restart_cuts_is_not_sent_twice(port: int, project: Path) -> None:
    response, body = ask(port, "/restart-once", "POST", b"order")
    assert response.status == 502
    assert response.headers["Content-Type"] == "application/problem+json"
    assert "POST /restart-once" in json.loads(body)["detail"]
    assert ask(port, "/time")[0].status == 200
    assert (project / "api/asked-POST").read_text() == "x"
