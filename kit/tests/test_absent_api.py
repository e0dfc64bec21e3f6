"""The API is not there, not yet, not any more, or something else is in its place."""

import http.server
import json
import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from browsers import unix_time_shown
from playwright.sync_api import Page, expect
from servers import edit, free_port, get, is_answering, is_listening, running, wait_for

pytestmark = pytest.mark.usefixtures("example_page")


def test_a_slow_start_of_flask_is_never_an_error(page: Page, own_project: Path) -> None:
    edit(own_project / "api/api.py", "import time\n", "import time\ntime.sleep(1)\n")
    port = free_port()
    ports = {"PORT": str(port), "FLASK_RUN_PORT": str(free_port())}
    with running(own_project, "dev", **ports) as dev:
        dev.prints("VITE")
        with socket.create_connection(("localhost", port)) as impatient:
            impatient.sendall(b"DELETE /time HTTP/1.1\r\nHost: localhost\r\n\r\n")
        failures = []
        page.on("response", lambda r: r.ok or failures.append(r.url))
        page.goto(f"http://localhost:{port}/deep/link")
        expect(page.locator("time")).to_be_visible(timeout=15_000)
        expect(page.get_by_role("alert")).to_be_empty()
        assert failures == []
        # Who left before Flask was there has asked it for nothing.
        assert "DELETE" not in dev.output


def test_an_absent_api_is_named_once_and_the_page_recovers_by_itself(
    page: Page, project: Path
) -> None:
    port = free_port()
    ports = {"PORT": str(port), "FLASK_RUN_PORT": str(free_port())}
    with running(project, "start", **ports) as start:
        start.prints("Local:")
        page.goto(f"http://localhost:{port}/deep/link")
        expect(page.get_by_role("alert")).to_contain_text(
            "503 Service Unavailable:\nStart the API with: yarn start-api"
        )
        status, problem = get(f"http://localhost:{port}/time")
        assert (status, problem["instance"]) == (503, "/time")
        assert start.output.count("yarn start-api") == 1
        with running(project, "start-api", **ports):
            expect(page.locator("time")).to_be_visible()
            expect(page.get_by_role("alert")).to_be_empty()


def test_the_api_can_be_stopped_and_started_again(page: Page, project: Path) -> None:
    port, api_port = free_port(), free_port()
    ports = {"PORT": str(port), "FLASK_RUN_PORT": str(api_port)}
    with running(project, "start", **ports) as start:
        with running(project, "start-api", **ports):
            wait_for(lambda: is_answering(api_port), "the API")
            start.prints("Local:")
            page.goto(f"http://localhost:{port}")
            before = unix_time_shown(page)
        # npm itself ends first.
        wait_for(lambda: not is_listening(api_port), "the API to end")
        page.get_by_role("button").click()
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("yarn start-api")
        page.get_by_role("button", name="Try again").click()
        expect(alert).to_contain_text("yarn start-api")
        with running(project, "start-api", **ports):
            wait_for(lambda: is_answering(api_port), "the API")
            page.get_by_role("button").click()
            expect(alert).to_be_empty()
            assert unix_time_shown(page) > before


class AirPlay(http.server.BaseHTTPRequestHandler):
    """What macOS answers on its port 5000."""

    server_version = "AirTunes/775.3.1"
    sys_version = ""

    def do_GET(self) -> None:
        self.send_error(403)

    def log_message(self, *_: object) -> None:
        """Be quiet."""


class OtherProject(AirPlay):
    """The API of another copy of this project."""

    def do_GET(self) -> None:
        greeting = {"project": "/home/me/other", "host": socket.gethostname()}
        greeting |= {"inode": "0", "code": "", "error": None}
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.end_headers()
        self.wfile.write(json.dumps(greeting).encode() + b"\n")
        self.server.stopped.wait(30)


class OtherLanguage(AirPlay):
    """An API that is not written in Flask, and knows nothing of the link."""

    server_version = "Express"

    def do_GET(self) -> None:
        if self.path != "/time":
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"time": 1}')


@contextmanager
def answering(handler: type[AirPlay]) -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.stopped = threading.Event()
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.stopped.set()
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("handler", "name"),
    [(AirPlay, "AirPlay Receiver"), (OtherProject, "/home/me/other")],
)
def test_who_answers_in_place_of_the_api_is_named(
    page: Page, project: Path, handler: type[AirPlay], name: str
) -> None:
    port = free_port()
    with (
        answering(handler) as api_port,
        running(
            project, "start", PORT=str(port), FLASK_RUN_PORT=str(api_port)
        ) as start,
    ):
        start.prints("Local:")
        page.goto(f"http://localhost:{port}")
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text(name)
        expect(alert).to_contain_text(f"127.0.0.1:{api_port}")
        expect(alert).to_contain_text("FLASK_RUN_PORT")
        assert name in start.output


def test_an_api_in_another_language_is_passed_on_to(project: Path) -> None:
    port = free_port()
    with (
        answering(OtherLanguage) as api_port,
        running(
            project, "start", PORT=str(port), FLASK_RUN_PORT=str(api_port)
        ) as start,
    ):
        start.prints("Local:")
        assert get(f"http://localhost:{port}/time") == (200, {"time": 1})
        page = urllib.request.Request(
            f"http://localhost:{port}/deep", headers={"Accept": "text/html"}
        )
        with urllib.request.urlopen(page) as response:
            assert b'<div id="root">' in response.read()
        assert "(Express)" in start.output
