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
from example_page import unix_time_shown
from playwright.sync_api import Page, expect
from servers import (
    Command,
    edit,
    free_port,
    get,
    is_answering,
    is_listening,
    running,
    started,
    wait_for,
)

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


class Frontend:
    """`npm start` alone, and the port on which it looks for the API."""

    def __init__(self, project: Path, command: Command, url: str, api_port: int):
        """Remember where it is."""
        self.project = project
        self.command = command
        self.url = url
        self.api_port = api_port

    @contextmanager
    def with_api(self) -> Iterator[None]:
        """Run the API for the length of a `with` block."""
        port = str(self.api_port)
        with running(self.project, "start-api", FLASK_RUN_PORT=port):
            yield
        # npm itself ends first.
        wait_for(lambda: not is_listening(self.api_port), "the API to end")

    @contextmanager
    def with_stranger(self, handler: type["AirPlay"], name: str) -> Iterator[None]:
        """Let something else answer in place of the API, and the frontend notice it."""
        address = ("127.0.0.1", self.api_port)
        with http.server.ThreadingHTTPServer(address, handler) as server:
            server.stopped = threading.Event()
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                self.command.prints(name)
                yield
            finally:
                server.stopped.set()
                server.shutdown()
                thread.join()


@pytest.fixture(scope="module")
def frontend(project: Path) -> Iterator[Frontend]:
    """Start the frontend; the tests bring an API, or a stranger, and take it away."""
    api_port = free_port()
    with started(project, FLASK_RUN_PORT=str(api_port)) as (command, url):
        yield Frontend(project, command, url, api_port)


def test_an_absent_api_is_named_once_and_the_page_recovers_by_itself(
    page: Page, frontend: Frontend
) -> None:
    before = frontend.command.output.count("yarn start-api")
    page.goto(f"{frontend.url}/deep/link")
    expect(page.get_by_role("alert")).to_contain_text(
        "503 Service Unavailable:\nStart the API with: yarn start-api"
    )
    status, problem = get(f"{frontend.url}/time")
    assert (status, problem["instance"]) == (503, "/time")
    assert frontend.command.output.count("yarn start-api") == before + 1
    with frontend.with_api():
        expect(page.locator("time")).to_be_visible()
        expect(page.get_by_role("alert")).to_be_empty()


def test_the_api_can_be_stopped_and_started_again(
    page: Page, frontend: Frontend
) -> None:
    with frontend.with_api():
        wait_for(lambda: is_answering(frontend.api_port), "the API")
        page.goto(frontend.url)
        before = unix_time_shown(page)
    page.get_by_role("button").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("yarn start-api")
    page.get_by_role("button", name="Try again").click()
    expect(alert).to_contain_text("yarn start-api")
    with frontend.with_api():
        wait_for(lambda: is_answering(frontend.api_port), "the API")
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
        greeting = {
            "kit": "0.2.0",
            "project": "/home/me/other",
            "host": socket.gethostname(),
        }
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


@pytest.mark.parametrize(
    ("handler", "name"),
    [(AirPlay, "AirPlay Receiver"), (OtherProject, "/home/me/other")],
)
def test_who_answers_in_place_of_the_api_is_named(
    page: Page, frontend: Frontend, handler: type[AirPlay], name: str
) -> None:
    with frontend.with_stranger(handler, name):
        page.goto(frontend.url)
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text(name)
        expect(alert).to_contain_text(f"127.0.0.1:{frontend.api_port}")
        expect(alert).to_contain_text("FLASK_RUN_PORT")


def test_an_api_in_another_language_is_passed_on_to(frontend: Frontend) -> None:
    with frontend.with_stranger(OtherLanguage, "(Express)"):
        assert get(f"{frontend.url}/time") == (200, {"time": 1})
        headers = {"Accept": "text/html"}
        page = urllib.request.Request(f"{frontend.url}/deep", headers=headers)
        with urllib.request.urlopen(page) as response:
            assert b'<div id="root">' in response.read()
