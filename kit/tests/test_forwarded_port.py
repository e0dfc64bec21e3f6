"""`npm run dev` behind a forwarded port, as of Codespaces or a tunnel, and by HTTPS."""

import select
import shutil
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from projects import copy_project
from servers import certificate, developing, edit, free_port

pytestmark = pytest.mark.skipif(
    not shutil.which("openssl"), reason="makes the certificate"
)

NAME = "app.example.test"
ROUTE = """

@app.get("/external")
def external() -> dict[str, str]:
    from flask import url_for

    return {"url": url_for("external", _external=True), "version": "one"}
"""
FETCH = "fetch('/external').then(r => r.json())"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = copy_project(tmp_path_factory.mktemp("forwarded"))
    with (copy / "api/api.py").open("a", encoding="utf-8") as api:
        api.write(ROUTE)
    return copy


@pytest.fixture(scope="module")
def files_of_tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("certificate")
    files = folder / "cert.pem", folder / "key.pem"
    certificate(*files)
    return str(files[0]), str(files[1])


@pytest.fixture(scope="module")
def foreign_page(browser: Browser) -> Iterator[Page]:
    with closing(browser.new_context(ignore_https_errors=True)) as context:
        yield context.new_page()


class Forwarder(socketserver.ThreadingTCPServer):
    """Takes TLS off what comes, says so in headers, and sends it to a port.

    `host` is written into Host; without one the browser's stays. Each connection
    carries one request, or one socket.
    """

    def __init__(self, port: int, files: tuple[str, str], host: str | None) -> None:
        """Listen on a free port."""
        self.port, self.host = port, host
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*files)
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)

    def finish_request(self, request: socket.socket, _client: object) -> None:
        """Serve one connection."""
        behind = socket.create_connection(("localhost", self.port))
        with suppress(OSError), behind:
            client = self.context.wrap_socket(request, server_side=True)
            with client:
                self.open |= {client, behind}
                head = b""
                while b"\r\n\r\n" not in head and (data := client.recv(65536)):
                    head += data
                first, end, rest = head.partition(b"\r\n\r\n")
                behind.sendall(forwarded(first, self.host) + end + rest)
                copy_both_ways(client, behind)

    def server_close(self) -> None:
        """End what is still open, and wait for it."""
        for connection in self.open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        super().server_close()


def copy_both_ways(client: ssl.SSLSocket, behind: socket.socket) -> None:
    others = {client: behind, behind: client}
    while True:
        ready = [client] if client.pending() else select.select(others, [], [])[0]
        for source in ready:
            if not (data := source.recv(65536)):
                return
            others[source].sendall(data)


@contextmanager
def forwarding(port: int, files: tuple[str, str], host: str | None) -> Iterator[int]:
    """Run a forwarder for the length of a `with` block; yield its port."""
    with Forwarder(port, files, host) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def forwarded(head: bytes, host: str | None) -> bytes:
    """Write the head of a request as such a proxy does."""
    first, *lines = head.split(b"\r\n")
    kept = []
    for line in lines:
        name, _, value = line.partition(b": ")
        if name.lower() == b"host":
            kept += [b"X-Forwarded-Host: " + value, b"X-Forwarded-Proto: https"]
            kept.append(b"Host: " + (host.encode() if host else value))
        elif name.lower() == b"connection" and b"pgrade" not in value:
            kept.append(b"Connection: close")
        else:
            kept.append(line)
    return b"\r\n".join([first, *kept])


def check(page: Page, project: Path, address: str) -> None:
    """Assert that a page works at an address as it does on localhost."""
    sockets = []
    page.on("websocket", lambda opened: sockets.append(opened.url))
    app, api = project / "src/App.js", project / "api/api.py"
    originals = app.read_text(encoding="utf-8"), api.read_text(encoding="utf-8")
    try:
        page.goto(f"{address}/")
        page.evaluate("window.same = true")
        expect(page.locator("main")).to_be_visible()
        told = {"url": f"{address}/external", "version": "one"}
        assert page.evaluate(FETCH) == told
        assert sockets
        assert all(url.startswith(address.replace("https", "wss")) for url in sockets)

        edit(app, "</main>", "<p>hot</p></main>")
        expect(page.get_by_text("hot", exact=True)).to_be_visible()
        assert page.evaluate("window.same")

        with page.expect_navigation():
            edit(api, '"one"', '"two"')
        assert page.evaluate(FETCH) == told | {"version": "two"}
    finally:
        app.write_text(originals[0], encoding="utf-8")
        api.write_text(originals[1], encoding="utf-8")
        page.goto("about:blank")


def test_the_host_is_rewritten_to_localhost(
    foreign_page: Page, project: Path, files_of_tls: tuple[str, str]
) -> None:
    with developing(project) as (_command, url):
        port = int(url.rpartition(":")[2])
        with forwarding(port, files_of_tls, "localhost") as public:
            check(foreign_page, project, f"https://127.0.0.1:{public}")


def test_a_foreign_name_is_kept(
    browser_type_launch_args: dict,
    browser_type,
    project: Path,
    files_of_tls: tuple[str, str],
) -> None:
    rules = f"--host-resolver-rules=MAP {NAME} 127.0.0.1"
    args = [*browser_type_launch_args.get("args", []), rules]
    launched = browser_type.launch(**browser_type_launch_args | {"args": args})
    with (
        closing(launched) as browser,
        closing(browser.new_context(ignore_https_errors=True)) as context,
        developing(project, ALLOWED_HOSTS=NAME) as (_command, url),
    ):
        port = int(url.rpartition(":")[2])
        with forwarding(port, files_of_tls, None) as public:
            check(context.new_page(), project, f"https://{NAME}:{public}")


def test_https_of_its_own(
    foreign_page: Page, project: Path, files_of_tls: tuple[str, str]
) -> None:
    cert, key = files_of_tls
    port = free_port()
    files = {"SSL_CRT_FILE": cert, "SSL_KEY_FILE": key}
    with developing(project, HTTPS="true", PORT=str(port), **files):
        check(foreign_page, project, f"https://localhost:{port}")
