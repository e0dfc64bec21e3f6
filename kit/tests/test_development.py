"""React and Flask feel like one development server: crashes and restarts."""

import logging
import os
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsers import unix_time_shown
from conftest import add_example_routes, copy_project
from playwright.sync_api import Locator, Page, expect
from servers import Command, edit, free_port, get, running, wait_for

pytestmark = pytest.mark.usefixtures("example_page")


CRASHES = """

@app.route("/crash", methods=["GET", "POST"])
def crash():
    seconds = {}
    return {"time": seconds["now"]}


@app.get("/crash-in-library")
def crash_in_library():
    from json import loads
    return loads("{")


@app.get("/form")
def form():
    return '<form action="/crash" method="post"><button>Send</button></form>'
"""


class Development:
    """`npm run dev` on a copy of the project that the tests edit."""

    def __init__(self, project: Path, command: Command, port: int) -> None:
        """Remember where it is."""
        self.command = command
        self.url = f"http://localhost:{port}"
        self.api = project / "api/api.py"

    @property
    def reloads(self) -> int:
        """How often pages were told to reload."""
        return self.command.output.count("page reload")


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Development]:
    project = copy_project(tmp_path_factory.mktemp("dev"))
    with (project / "api/api.py").open("a") as api:
        api.write(CRASHES)
    port = free_port()
    ports = {"PORT": str(port), "FLASK_RUN_PORT": str(free_port())}
    with running(project, "dev", **ports) as command:
        command.prints("React and Flask are ready")
        yield Development(project, command, port)


@pytest.fixture
def overlay(page: Page) -> Locator:
    return page.locator("vite-error-overlay")


def part(overlay: Locator, name: str) -> str:
    return overlay.locator(f"[part={name}]").inner_text()


def test_an_exception_appears_in_the_overlay_and_goes_when_it_is_fixed(
    page: Page, overlay: Locator, dev: Development
) -> None:
    page.goto(dev.url)
    expect(page.locator("time")).to_be_visible()
    status, problem = get(dev.url + "/crash?n=1")
    expect(overlay).to_be_attached(timeout=1000)

    assert (status, problem["title"]) == (500, "Internal Server Error")
    assert "KeyError: 'now'" in part(overlay, "message")
    assert "GET /crash?n=1" in part(overlay, "message")
    assert 'return {"time": seconds["now"]}' in part(overlay, "frame")
    source = dev.api.read_text()
    line = source[: source.index('seconds["now"]')].count("\n") + 1
    assert part(overlay, "file") == f"{dev.api}:{line}:1"
    assert f"{dev.api}:{line}:1 in crash" in part(overlay, "stack")
    assert re.search(r"… \d in libraries", part(overlay, "stack"))
    assert "site-packages" not in part(overlay, "stack")
    dev.command.prints("KeyError: 'now'")
    assert dev.command.output.count("KeyError: 'now'") == 1

    page.route("**/__open-in-editor*", lambda route: route.fulfill())
    with page.expect_request("**/__open-in-editor*") as editor:
        overlay.locator(".file-link").first.click()
    assert editor.value.url.endswith(f"api.py%3A{line}%3A1")

    edit(dev.api, "seconds = {}", 'seconds = {"now": 1}')
    expect(overlay).not_to_be_attached()
    assert get(dev.url + "/crash") == (200, {"time": 1})
    reloads = dev.reloads
    edit(dev.api, 'seconds = {"now": 1}', "seconds = {}")
    wait_for(lambda: dev.reloads > reloads, "the page to be told")


def test_the_latest_of_two_exceptions_is_shown(
    page: Page, overlay: Locator, dev: Development
) -> None:
    page.goto(dev.url)
    get(dev.url + "/crash")
    expect(overlay).to_contain_text("KeyError")
    get(dev.url + "/crash-in-library")
    expect(overlay).to_contain_text("JSONDecodeError")
    expect(overlay).to_have_count(1)
    assert 'return loads("{")' in part(overlay, "frame")


def test_a_navigation_that_raises_shows_the_overlay(
    page: Page, overlay: Locator, dev: Development
) -> None:
    assert page.goto(dev.url + "/crash").status == 500
    expect(overlay).to_contain_text("GET /crash")


def test_no_script_of_an_address_runs_in_the_page_of_the_overlay(
    dev: Development,
) -> None:
    request = urllib.request.Request(
        f"{dev.url}/crash?</script><script>alert(1)</script>",
        headers={"Accept": "text/html"},
    )
    with pytest.raises(urllib.error.HTTPError) as crash:
        urllib.request.urlopen(request)
    with crash.value as response:
        assert b"<script>alert" not in response.read()


def test_a_form_that_raises_shows_the_overlay_and_is_not_posted_again(
    page: Page, overlay: Locator, dev: Development
) -> None:
    page.goto(dev.url + "/form")
    page.get_by_role("button").click()
    expect(overlay).to_contain_text("POST /crash")
    page.reload()
    expect(page.get_by_role("button")).to_have_text("Send")


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("def crash():", "def crash(:", "SyntaxError"),
        ("import time\n", "import tiem\n", "ModuleNotFoundError: No module named"),
    ],
)
def test_an_api_that_cannot_be_imported_shows_why_and_heals(
    page: Page, overlay: Locator, dev: Development, right: str, wrong: str, message: str
) -> None:
    page.goto(dev.url)
    expect(page.locator("time")).to_be_visible()
    edit(dev.api, right, wrong)
    expect(overlay).to_contain_text(message)
    assert f"{dev.api}:" in part(overlay, "file")
    assert wrong.strip() in part(overlay, "frame")
    assert get(dev.url + "/time")[0] == 500
    page.reload()
    expect(overlay).to_contain_text(message)
    edit(dev.api, wrong, right)
    expect(overlay).not_to_be_attached()
    expect(page.locator("time")).to_be_visible()


def test_a_mistake_beside_api_py_heals_too(page: Page, dev: Development) -> None:
    errors = dev.api.with_name("errors.py")
    page.goto(dev.url)
    expect(page.locator("time")).to_be_visible()
    edit(errors, "import traceback\n", "import tracebakc\n")
    wait_for(lambda: "No module named 'tracebakc'" in dev.command.output, "the mistake")
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_contain_text("500")
    edit(errors, "import tracebakc\n", "import traceback\n")
    expect(page.locator("time")).to_be_visible()


def test_a_crash_is_logged_once_a_second_however_often_it_is_asked_for() -> None:
    from development import WithoutRepetition

    def crash(message: str, second: float) -> logging.LogRecord:
        error = RuntimeError(message)
        info = (RuntimeError, error, None)
        record = logging.LogRecord("api", logging.ERROR, "", 1, "", (), info)
        record.created = second
        return record

    log = WithoutRepetition()
    crashes = [("a", 0.0), ("a", 0.5), ("a", 0.9), ("a", 1.1), ("b", 1.2), ("a", 1.3)]
    logged = [log.filter(crash(*each)) for each in crashes]
    assert logged == [True, False, False, True, True, True]


def test_the_page_follows_api_py_and_reloads_for_nothing_else(
    page: Page, dev: Development
) -> None:
    loads = []
    page.on("load", lambda: loads.append(time.monotonic()))
    page.goto(dev.url)
    expect(page.locator("time")).to_be_visible()
    assert len(loads) == 1

    def restarts() -> int:
        return dev.command.output.count("Restarting with stat")

    count = restarts()
    os.utime(dev.api)
    wait_for(lambda: restarts() == count + 1, "a restart after saving nothing new")
    edit(dev.api, '"time": time.time()', '"time": 86400')
    expect(page.get_by_role("status")).to_contain_text("The current time is 86400.")
    edit(dev.api, '"time": 86400', '"time": time.time()')
    expect(page.get_by_role("status")).not_to_contain_text("86400")
    expect(page.locator("time")).to_be_visible()
    assert len(loads) == 3


def test_no_request_is_lost_while_flask_restarts(page: Page, dev: Development) -> None:
    page.goto(dev.url)
    answers: list[tuple[int, dict]] = []
    stop = threading.Event()

    def poll() -> None:
        while not stop.is_set():
            answers.append(get(dev.url + "/time"))

    pollers = [threading.Thread(target=poll) for _ in range(4)]
    for poller in pollers:
        poller.start()
    try:
        for number in range(1, 5):
            reloads = dev.reloads
            edit(
                dev.api,
                re.search(r'"time": .+}', dev.api.read_text())[0],
                f'"time": {number}}}',
            )
            # Of each poller: a request may be cut by one restart, and not by two.
            new = (200, {"time": number})
            wait_for(lambda new=new: answers.count(new) > 20, "the new answer")
            wait_for(lambda n=reloads: dev.reloads > n, "the page to be told")
        reloads = dev.reloads
        edit(dev.api, '"time": 4}', '"time": time.time()}')
        wait_for(lambda: dev.reloads > reloads, "the page to be told")
        unix_time_shown(page)
    finally:
        stop.set()
        for poller in pollers:
            poller.join()
    assert len(answers) > 100
    assert [answer for answer in answers if answer[0] != 200] == []


def test_the_overlay_can_be_switched_off(
    page: Page, overlay: Locator, own_project: Path
) -> None:
    add_example_routes(own_project)
    edit(
        own_project / "vite.config.js",
        "plugins:",
        "server: { hmr: { overlay: false } },\n  plugins:",
    )
    port = free_port()
    ports = {"PORT": str(port), "FLASK_RUN_PORT": str(free_port())}
    with running(own_project, "dev", **ports) as dev:
        dev.prints("React and Flask are ready")
        page.goto(f"http://localhost:{port}")
        with page.expect_console_message(lambda m: "KeyError" in m.text):
            get(f"http://localhost:{port}" + "/crash")
        expect(overlay).not_to_be_attached()
        assert page.goto(f"http://localhost:{port}/crash").status == 500
        assert "KeyError" in page.locator("body").inner_text()
