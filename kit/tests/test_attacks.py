"""Whatever another website or program asks of the two development servers, they keep.

No file of the project outside of src/ and public/ is told, no process is started,
nothing of their own is in an error, and neither of them ends.
"""

import http.client
import json
import os
import random
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pytest
from projects import copy_project
from servers import developing, edit, free_port, wait_for

SECRET = "told-to-nobody"
CODE = "def get_current_time"
PAGE, API = "page", "api"

EVIL = "evil.example"
CROSS_SITE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
FOREIGN = {"Origin": f"http://{EVIL}"} | CROSS_SITE
REBOUND = {
    "Host": EVIL,
    "Origin": f"http://{EVIL}",
    "Referer": f"http://{EVIL}/",
    "Sec-Fetch-Site": "same-origin",
    "X-Flask-Link": "vite",
    "X-Forwarded-Host": "localhost",
    "X-Forwarded-Proto": "https",
}
EDITOR = "/__open-in-editor?file=src/App.js"
SOCKET = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
VITES_SOCKET = SOCKET | {"Sec-WebSocket-Protocol": "vite-hmr"}
QUERIES = ("", "?raw", "?import&raw", "?url", "?inline", "?import", "?worker", "?.svg")


class Servers(NamedTuple):
    """The servers of `npm run dev`, and what was opened in the editor."""

    project: Path
    ports: dict[str, int]
    opened: Path


class Attack(NamedTuple):
    """A request to one of the servers, and the status that must answer it."""

    server: str
    path: str
    headers: dict[str, str]
    status: int
    method: str = "GET"


def name(attack: Attack) -> str:
    headers = ", ".join(f"{key}: {value}" for key, value in attack.headers.items())
    asked = f"{attack.method} {attack.path[:60]}"
    return f"{attack.server}: {asked} {headers[:80]} is {attack.status}"


TABLE = [
    # Another website's name that leads here, and what only looks like an own one.
    *(
        Attack(server, path, {"Host": host}, status)
        for server in (PAGE, API)
        for path in ("/time", "/crash", "/__flask__", "/health/../time")
        for host, status in (
            (EVIL, 403),
            (f"{EVIL}:3000", 403),
            (f"localhost.{EVIL}", 403),
            (f"127.0.0.1.{EVIL}", 403),
            (f"localhost@{EVIL}", 403),
        )
    ),
    *(
        Attack(server, path, REBOUND, 403)
        for server in (PAGE, API)
        for path in ("/time", "/crash", "/__flask__", "/src/App.js", EDITOR)
    ),
    *(
        Attack(PAGE, f"http://{EVIL}{path}", {}, status)
        for path, status in (("/time", 200), ("/package.json", 404), (EDITOR, 404))
    ),
    # The editor.
    *(
        Attack(PAGE, path, headers, 403)
        for path in (
            EDITOR,
            EDITOR.upper().replace("FILE", "file"),
            "/__open-in-editor",
        )
        for headers in (
            {},
            CROSS_SITE,
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "none"},
            {"Sec-Fetch-Site": "cross-site", "Referer": "http://localhost/"},
            {"Referer": f"http://{EVIL}/"},
            {"Referer": f"http://{EVIL}/http://localhost/"},
            {"Origin": f"http://{EVIL}"},
        )
    ),
    Attack(PAGE, EDITOR, {"Sec-Fetch-Site": "cross-site"}, 403, "POST"),
    Attack(PAGE, f"/{EDITOR}", CROSS_SITE, 404),
    Attack(PAGE, "/__open-in-editor/../__open-in-editor?file=a", CROSS_SITE, 403),
    Attack(PAGE, "/__open%2din-editor?file=src/App.js", CROSS_SITE, 404),
    # The link between the servers.
    *(
        Attack(PAGE, path, headers, 404)
        for path in ("/__flask__", "//__flask__", "/%5F_flask__", "/x/../__flask__")
        for headers in (
            {},
            {"X-Flask-Link": "vite"},
            {"x-flask-link": "vite"} | FOREIGN,
        )
    ),
    Attack(API, "/__flask__", {}, 404),
    Attack(API, "/__flask__", {"X-Flask-Link": "no"}, 404),
    Attack(API, "/__flask__", {"X-Flask-Link": "vite"} | FOREIGN, 404),
    # Sockets.
    *(
        Attack(PAGE, f"/{query}", VITES_SOCKET | headers, 400)
        for query in ("", "?token=", "?token=guess")
        for headers in ({"Origin": f"http://{EVIL}"}, {"Host": EVIL}, REBOUND)
    ),
    Attack(PAGE, "/", VITES_SOCKET | {"Sec-WebSocket-Protocol": "vite-x"}, 501),
    Attack(PAGE, "/time", VITES_SOCKET, 501),
    Attack(PAGE, "/time", SOCKET, 501),
    Attack(PAGE, "/time", SOCKET | {"Host": EVIL}, 403),
    Attack(PAGE, "/time", SOCKET | {"Host": f"{EVIL}@localhost"}, 403),
    Attack(PAGE, "/time", SOCKET | REBOUND, 403),
    # Files that are not the page's.
    *(
        Attack(PAGE, path + query, headers, 404)
        for path in (
            "/.env",
            "/.flaskenv",
            "/api/api.py",
            "/package.json",
            "/PACKAGE.JSON",
            "//package.json",
            "/src/../package.json",
            "/src/%2e%2e/package.json",
            "/src%2f..%2fpackage.json",
            "/src/..%5cpackage.json",
            "/src/..\\package.json",
            "/src/linked.py",
            "/src/linked/api.py",
            "/src/linked-env",
            "/@fs{root}/.env",
            "/@fs{root}/api/api.py",
            "/@fs{root}/src/../api/api.py",
            "/@fs{root}/src/%2e%2e/api/api.py",
            "/@fs{root}/src%2f..%2fapi/api.py",
            "/@fs{root}/src/linked.py",
            "/@fs//{root}/package.json",
            "/@fs/etc/passwd",
            "/@fs/../../etc/passwd",
            "/@id/{root}/api/api.py",
            "/@id/./api/api.py",
            "/@id/__x00__{root}/api/api.py",
            "/node_modules/../api/api.py",
            "/node_modules/.vite/../../api/api.py",
            "/src/.env",
        )
        for query, headers in (
            *((query, {}) for query in QUERIES),
            ("", {"Sec-Fetch-Dest": "script"}),
            ("?t=1&import&raw", FOREIGN),
        )
        # A module without content, that tells nothing but its name.
        if not (path.startswith("/@id/__x00__") and "worker" in query)
    ),
]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    project = copy_project(tmp_path_factory.mktemp("attacked"))
    (project / ".env").write_text(f"MAIL_PASSWORD={SECRET}\n")
    (project / "src/.env").write_text(f"MAIL_PASSWORD={SECRET}\n")
    crash = '\n\n@app.get("/crash")\ndef crash() -> None:\n    raise KeyError\n'
    with (project / "api/api.py").open("a") as api:
        api.write(crash)
    for link, target in (
        ("linked.py", "../api/api.py"),
        ("linked", "../api"),
        ("linked-env", "../.env"),
    ):
        (project / "src" / link).symlink_to(target)
    opened = project.parent / "opened"
    editor = project.parent / "editor.sh"
    editor.write_text(f'#!/bin/sh\necho "$@" >> "{opened}"\n')
    editor.chmod(0o755)
    port = free_port()
    settings = {"REACT_EDITOR": str(editor), "FLASK_RUN_PORT": str(port)}
    with developing(project, **settings) as (_command, url):
        ports = {PAGE: int(url.rpartition(":")[2]), API: port}
        yield Servers(project, ports, opened)


pytestmark = pytest.mark.skipif(os.name == "nt", reason="makes links and a script")


def ask(port: int, path: str, headers: dict[str, str], method: str = "GET"):
    """Send a request as it stands; return the status, the headers and the body."""
    connection = http.client.HTTPConnection("localhost", port, timeout=20)
    try:
        # Of an absolute address it would otherwise be the host.
        connection.request(
            method, path, headers={"Host": f"localhost:{port}"} | headers
        )
        response = connection.getresponse()
        # What is upgraded goes on, so only its head is read.
        body = b"" if response.status == 101 else response.read()
        return response.status, response.headers, body.decode(errors="replace")
    finally:
        connection.close()


def check_told(servers: Servers, told: str, *, knows_folder: bool = False) -> None:
    """Assert that an answer has nothing in it that its reader must not know."""
    for text in (SECRET, CODE, "Traceback", "root:x:"):
        assert text not in told
    assert knows_folder or str(servers.project) not in told
    assert "    at " not in told, "a stack of JavaScript"


@pytest.mark.parametrize("attack", TABLE, ids=name)
def test_an_attack_gets_nothing(servers: Servers, attack: Attack) -> None:
    path = attack.path.replace("{root}", quote(str(servers.project)))
    port = servers.ports[attack.server]
    status, headers, body = ask(port, path, attack.headers, attack.method)
    check_told(servers, f"{headers}{body}", knows_folder="{root}" in attack.path)
    assert status == attack.status, body[:300]
    assert "Access-Control-Allow-Origin" not in headers
    assert not servers.opened.exists()


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("server", [PAGE, API])
def test_another_website_may_not_read_an_answer(
    servers: Servers, server: str, method: str
) -> None:
    _, headers, _ = ask(servers.ports[server], "/time", FOREIGN, method)
    assert not [key for key in headers if key.lower().startswith("access-control")]


def test_what_is_forwarded_is_believed_of_vite_alone(servers: Servers) -> None:
    forged = {"X-Forwarded-Host": EVIL, "X-Forwarded-Proto": "https"}
    status, headers, _ = ask(servers.ports[API], "/health//", forged)
    assert EVIL not in str(headers)
    assert status == 404


@pytest.mark.parametrize(
    "of_page", [{"Sec-Fetch-Site": "same-origin"}, {"Referer": "http://{host}/a"}]
)
def test_the_page_itself_opens_the_editor(
    servers: Servers, of_page: dict[str, str]
) -> None:
    host = f"localhost:{servers.ports[PAGE]}"
    headers = {key: value.format(host=host) for key, value in of_page.items()}
    try:
        assert ask(servers.ports[PAGE], EDITOR, headers)[0] == 200
        wait_for(servers.opened.exists, "the editor")
        wait_for(lambda: "src/App.js" in servers.opened.read_text(), "the file")
    finally:
        servers.opened.unlink(missing_ok=True)


def test_a_module_that_the_page_imports_is_served_from_anywhere(
    servers: Servers,
) -> None:
    shared = servers.project / "shared.js"
    shared.write_text("export const shared = 'for the page';\n")
    page = servers.project / "src/index.js"
    port = servers.ports[PAGE]
    assert ask(port, "/shared.js", {})[0] == 404
    edit(page, "import", "import '../shared.js';\nimport")
    script = {"Sec-Fetch-Dest": "script"}
    wait_for(
        lambda: "/shared.js" in ask(port, "/src/index.js", script)[2], "the import"
    )
    status, _, body = ask(port, "/shared.js", script)
    assert (status, "for the page" in body) == (200, True)


def test_a_module_of_the_page_that_fails_is_told(servers: Servers) -> None:
    app = servers.project / "src/App.js"
    port = servers.ports[PAGE]
    before = app.read_text()
    assert ask(port, "/src/index.js", {})[0] == 200
    try:
        app.write_text("const (")
        wait_for(lambda: ask(port, "/src/App.js", {})[0] == 500, "the error")
    finally:
        app.write_text(before)


BEGINNINGS = (
    "/",
    "//",
    "/src/",
    "/src/App.js",
    "/public/",
    "/node_modules/",
    "/node_modules/.vite/deps/",
    "/@fs/",
    "/@fs{root}/",
    "/@fs{root}/src/App.js",
    "/@id/",
    "/@id/__x00__",
    "/@vite/client",
    "/@vite/env",
    "/@react-refresh",
    "/__",
    "/api/",
    "/logo192.png",
    "/index.html",
)
PARTS = (
    *(
        "%00",
        "%",
        "%zz",
        "%c3%28",
        "%ff",
        "..",
        "%2e%2e",
        "/",
        "%2f",
        "%5c",
        "\\",
        "//",
    ),
    *("a" * 300, "a" * 4201, "%E2%82%AC" * 90, "/x" * 2100, "/App.js", "/package.json"),
    *(".js", ".css", ".map", ".html", ".json", ".svg", ".ts", ".wasm", ".module.css"),
    *(";", ":", "~1", "*", "|", "!", "$", "%23", "%3f", "%25", "%2500", "__x00__"),
    *(".worker.js", "/macro", "C:", "%0a", "%0d%0a", "file:", "data:text/javascript,"),
)
ENDS = (
    *("", "", "?import", "?raw", "?url", "?inline", "?worker", "?direct", "?svg"),
    *("?html-proxy&index=0.js", "?import&raw", "?v=12345678", "?t=1&import"),
    *("?worker_file&type=module", "?init", "?commonjs-proxy", "?%", "?%00", "??"),
    "?" + "q" * 5000,
)
KINDS = (
    {},
    {"Sec-Fetch-Dest": "script"},
    {"Sec-Fetch-Dest": "style", "Accept": "text/css"},
    {"Sec-Fetch-Dest": "document", "Accept": "text/html"},
    {"Accept": "text/html"},
    {"If-None-Match": 'W/"1"'},
)


def test_no_address_makes_a_server_fail(servers: Servers) -> None:
    generate = random.Random(4201)
    for _ in range(600):
        parts = generate.choices(PARTS, k=generate.randint(0, 4))
        path = "".join([generate.choice(BEGINNINGS), *parts, generate.choice(ENDS)])
        path = path.replace("{root}", quote(str(servers.project)))
        headers = generate.choice(KINDS)
        asked = f"{path!r} {headers}"
        status, _, body = ask(servers.ports[PAGE], path, headers)
        # 504: an older version of a package's module, which a page loads anew.
        assert status < 500 or status == 504, asked
        for text in (SECRET, CODE, "Traceback", "    at file:"):
            assert text not in body, asked


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/{'a' * 4200}", 404),
        (f"/src/{'a' * 256}.js", 404),
        ("/src/App.js/x", 404),
        ("/logo192.png/x", 404),
        ("/%00", 404),
        ("/src/%00.js", 404),
        ("/%zz", 404),
        ("/src/App.js?html-proxy&index=0.js", 404),
        ("/src/missing!./a.js", 404),
        (f"/time?{'q' * 20_000}", 200),
        (f"/{'a' * 70_000}", 431),
    ],
)
def test_an_address_that_can_be_no_file_is_the_apis(
    servers: Servers, path: str, status: int
) -> None:
    for headers in ({}, {"Sec-Fetch-Dest": "script"}):
        got, _, body = ask(servers.ports[PAGE], path, headers)
        assert got == status, body[:300]
        if status == 404:
            assert json.loads(body)["title"] == "Not Found"


MESSAGES = [
    b"",
    b"{",
    b"[]",
    b"null",
    *(
        json.dumps({"type": "custom", "event": event} | data).encode()
        for event in (
            "cra:error",
            "vite:invalidate",
            "vite:invoke",
            "vite:client:connect",
        )
        for data in (
            {},
            {"data": None},
            {"data": "text"},
            {"data": {"id": 1, "message": 1, "stack": []}},
            {"data": {"message": "a", "stack": "at a (http://[:1:1)"}},
            {"data": {"message": "a", "stack": "at a (http://a/src/a!b:1:1)"}},
            {"data": {"message": "a", "stack": "at a (http://a/@fs{root}/.env:1:1)"}},
        )
    ),
]


def test_no_message_to_vite_ends_it_or_makes_it_tell(servers: Servers) -> None:
    port = servers.ports[PAGE]
    fields = VITES_SOCKET | {"Host": f"localhost:{port}"}
    lines = [f"{key}: {value}\r\n" for key, value in fields.items()]
    head = f"GET / HTTP/1.1\r\n{''.join(lines)}\r\n".encode()
    for message in MESSAGES:
        message = message.replace(b"{root}", str(servers.project).encode())
        with socket.create_connection(("localhost", port), timeout=20) as client:
            client.sendall(head + frame(0x1, message) + frame(0x9, b"still there?"))
            with client.makefile("rb") as answers:
                told = b""
                while b"still there?" not in told:
                    more = answers.read1()
                    assert more, message
                    told += more
        # Vite keeps the failure of a module, with a stack, for the next that connects.
        assert SECRET.encode() not in told
        assert CODE.encode() not in told
    assert ask(port, "/time", {})[0] == 200


def frame(kind: int, text: bytes) -> bytes:
    """Write a frame of a WebSocket's client, with a mask of zeros (RFC 6455, 5.2)."""
    size = len(text)
    length = (
        bytes([0x80 | size])
        if size < 126
        else bytes([0x80 | 126]) + size.to_bytes(2, "big")
    )
    return bytes([0x80 | kind]) + length + bytes(4) + text
