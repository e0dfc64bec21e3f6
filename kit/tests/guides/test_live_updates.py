"""docs/live-updates.md: what happens is told at once, to who still listens.

The contract: events arrive while the answer goes on, in development and in production;
through nginx; who leaves is forgotten; a server that is told to stop does not wait for
them; a page that met an error in place of the stream listens again.
"""

import http.client
import json
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from guides.following import assert_all_green, follow, npm
from playwright.sync_api import Page, Route, expect
from projects import copy_project
from servers import developing, serving, wait_for
from test_nginx import nginx


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = copy_project(tmp_path_factory.mktemp("events"))
    follow(project, "live-updates.md")
    return project


def test_the_project_is_green(project: Path) -> None:
    assert_all_green(project)


@contextmanager
def listening(url: str) -> Iterator[http.client.HTTPResponse]:
    """Listen to what happens, once it is sure to be told."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
    with closing(connection):
        connection.request("GET", "/events")
        events = connection.getresponse()
        assert events.readline() == b"retry: 2000\n"
        yield events


def say(url: str, message: str) -> int:
    """Tell a message; return how many were told."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
    with closing(connection):
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/messages", json.dumps(message), headers)
        return json.loads(connection.getresponse().read())["told"]


def next_event(events: http.client.HTTPResponse) -> bytes:
    while not (line := events.readline()).startswith(b"data: "):
        assert line
    return line


@pytest.mark.parametrize("how", ["development", "production"])
def test_events_come_at_once_and_who_leaves_is_forgotten(
    project: Path, how: str
) -> None:
    with developing(project) if how == "development" else serving(project) as it:
        url = it[1] if how == "development" else it.url
        with listening(url) as one:
            with listening(url) as other:
                assert say(url, "Hello") == 2
                assert next_event(one) == next_event(other) == b'data: "Hello"\n'
            # A generator notices when it yields next: by a message, or after 10 s.
            wait_for(lambda: say(url, "Anybody?") == 1, "the other one to be forgotten")


def test_a_server_that_stops_waits_for_no_stream(project: Path) -> None:
    with serving(project, WEB_SECONDS_FOR_STREAMS="1") as server:
        with listening(server.url) as events:
            server.command.popen.terminate()
            with pytest.raises((http.client.IncompleteRead, ConnectionError)):
                events.read()
        assert server.command.popen.wait(timeout=30) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="nginx as Debian has it")
def test_nginx_collects_no_events(project: Path, tmp_path: Path) -> None:
    with (
        serving(project, FLASK_PROXIES="1") as api,
        nginx(tmp_path, project, api.port) as site,
        closing(site.connect()) as connection,
    ):
        connection.request("GET", "/events")
        events = connection.getresponse()
        assert events.readline() == b"retry: 2000\n"
        assert say(api.url, "Hello") == 1
        assert next_event(events) == b'data: "Hello"\n'


def test_a_page_listens_again_after_an_error_in_place_of_the_stream(
    project: Path, page: Page
) -> None:
    """As a proxy answers while the API restarts."""
    npm(project, "run", "build")
    errors = iter([502, 503])

    def answer(route: Route) -> None:
        if status := next(errors, None):
            route.fulfill(status=status, json={})
        else:
            route.continue_()

    with serving(project) as server:
        page.route("**/events", answer)
        with page.expect_response(
            lambda answer: answer.url.endswith("/events") and answer.ok
        ):
            page.goto(server.url)
        assert say(server.url, "Hello") == 1
        expect(page.get_by_role("listitem")).to_have_text("Hello")
