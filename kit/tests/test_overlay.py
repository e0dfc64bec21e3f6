"""The error overlay leads to the cure, on any screen, and shows what is true now."""

import http.server
import json
import queue
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from projects import copy_project
from servers import Command, edit, get, started, wait_for

pytestmark = pytest.mark.usefixtures("example_page")

COUNT_OVERLAYS = """() => {
    window.overlays = 0;
    new MutationObserver((changes) => {
        for (const { addedNodes } of changes) window.overlays += addedNodes.length;
    }).observe(document.body, { childList: true });
}"""
# What is wider than its box (but for code), too small to be read, or to be tapped.
HARD_TO_USE = """(overlay) => {
    const all = [...overlay.shadowRoot.querySelectorAll('*:not(style)')];
    const seen = all.filter((each) => each.getClientRects().length > 0);
    const isCode = (each) => each.getAttribute('part') === 'frame';
    const { innerWidth } = window;
    const isWide = (each) => each.getBoundingClientRect().right > innerWidth
        || (each.clientWidth > 0 && each.scrollWidth > each.clientWidth);
    const isSmall = (each) => parseFloat(getComputedStyle(each).fontSize) < 12;
    const isForFingers = (each) => each.matches('a, button');
    const isThin = (each) => each.getClientRects()[0].height < 24;
    return [
        ...seen.filter((each) => !isCode(each) && isWide(each)),
        ...seen.filter(isSmall),
        ...seen.filter((each) => isForFingers(each) && isThin(each)),
    ].map((each) => each.outerHTML);
}"""


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers as react_flask_kit.development does."""

    def do_GET(self) -> None:
        api: FakeApi = self.server
        if self.path == "/__flask__":
            return self.keep_link_open(api)
        crash = api.error or api.crashes.get(self.path)
        status, kind = (500, "problem+json") if crash else (200, "json")
        body = {"title": "Internal Server Error", **crash} if crash else {"time": 1}
        self.begin(status, f"application/{kind}")
        self.wfile.write(json.dumps(body).encode())

    def keep_link_open(self, api: "FakeApi") -> None:
        lines = queue.Queue()
        api.links.append(lines)
        self.begin(200, "application/x-ndjson")
        self.send_lines(api.greeting(), *api.told_early)
        while line := lines.get():
            self.send_lines(line)

    def send_lines(self, *lines: dict) -> None:
        self.wfile.write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))

    def begin(self, status: int, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Be quiet."""


class FakeApi(http.server.ThreadingHTTPServer):
    """An API that is well or ill as a test wants it, at once."""

    daemon_threads = True

    def __init__(self) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), Handler)
        self.links: list[queue.Queue] = []
        self.process = 0
        self.recover()

    def handle_error(self, *_: object) -> None:
        """Let a browser leave before it has the answer."""

    def greeting(self) -> dict:
        return {
            "kit": "0.2.0",
            "project": "/app",
            "inode": "0",
            "host": self.host,
            "process": str(self.process),
            "files": [],
            "code": "1",
            "error": self.error,
        }

    def recover(self) -> None:
        """Be well."""
        self.crashes: dict[str, dict] = {}
        self.told_early: list[dict] = []
        self.host = "a container"
        self.restart()

    def restart(self, error: dict | None = None) -> None:
        """Be another process, which cannot import the app if an error is given."""
        self.error = error
        self.process += 1
        links, self.links = self.links, []
        for link in links:
            link.put(None)

    def tell(self, crash: dict, request: str) -> None:
        """Tell an exception that is part of no answer."""
        for link in self.links:
            link.put({"crash": crash, "request": request})


class Frontend:
    """`npm start` beside an API that a test makes ill."""

    def __init__(self, project: Path, command: Command, url: str, api: FakeApi):
        """Remember where it is."""
        self.project = project
        self.command = command
        self.url = url
        self.api = api

    def crash(self, message: str = "KeyError: 'now'", **more: object) -> dict:
        """Return what the API tells of an exception in its line 9."""
        file = str(self.project / "api/api.py")
        frame = f'  File "{file}", line 9, in get_time\n    raise it\n'
        trace = f"Traceback (most recent call last):\n{frame}{message}\n"
        return {"exception": message, "traceback": trace, "file": file, "line": 9} | {
            **more
        }


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Frontend]:
    project = copy_project(tmp_path_factory.mktemp("overlay"))
    with FakeApi() as api:
        thread = threading.Thread(target=api.serve_forever)
        thread.start()
        try:
            port = str(api.server_port)
            with started(project, FLASK_RUN_PORT=port) as (command, url):
                yield Frontend(project, command, url, api)
        finally:
            api.restart()
            api.shutdown()
            thread.join()


@pytest.fixture
def frontend(everything: Frontend, page: Page) -> Iterator[Frontend]:
    """Leave the API well for the next test, and no page that this reloads."""
    api = everything.api
    yield everything
    page.goto("about:blank")
    api.recover()
    wait_for(lambda: api.links, "the frontend to find the API")


@pytest.fixture
def overlay(page: Page) -> Locator:
    return page.locator("vite-error-overlay")


@pytest.fixture(params=[390, 1280])
def width(page: Page, request: pytest.FixtureRequest) -> Iterator[int]:
    """Let the page be as wide as a phone, or a laptop."""
    size = page.viewport_size
    page.set_viewport_size({"width": request.param, "height": 800})
    yield request.param
    page.set_viewport_size(size)


def part(overlay: Locator, name: str) -> Locator:
    return overlay.locator(f"[part={name}]")


LONG = "no_space_in_" * 20
SETTING = "Write this line into .env, with the value: FLASK_STRIPE_KEY=…"
PACKAGE = "If it is a package: npm run add-api requests\nElse create api/requests.py"


@pytest.mark.usefixtures("width")
@pytest.mark.parametrize(
    ("message", "cure", "command"),
    [
        ("SettingError: STRIPE_KEY is not set", SETTING, "FLASK_STRIPE_KEY=…"),
        ("ModuleNotFoundError: requests", PACKAGE, "npm run add-api requests"),
        (f"OSError: {LONG}", f"npm run {LONG}.", f"npm run {LONG}"),
        ("ValueError: 1 | not | a frame\n2 | at | all", "Run: npm run dev", None),
    ],
)
def test_the_cure_stands_below_the_message_and_can_be_read_on_any_screen(
    page: Page,
    overlay: Locator,
    frontend: Frontend,
    message: str,
    cure: str,
    command: str | None,
) -> None:
    crash = frontend.crash(message, cure=cure)
    frame = f'  File "/{LONG}/{LONG}.py", line 5, in {LONG}\n    {LONG}\n'
    crash["traceback"] = crash["traceback"].replace("\n", f"\n{frame}", 1)
    frontend.api.restart(crash)
    page.goto(frontend.url)

    expect(part(overlay, "message-body")).to_have_text(message)
    expect(part(overlay, "message")).to_contain_text("while the app was imported")
    expect(part(overlay, "cure")).to_have_text(f"What to do{cure}")
    expect(overlay.locator("[part=message] + [part=cure]")).to_be_visible()
    if command:
        expect(part(overlay, "command")).to_have_text(command)
    expect(part(overlay, "file")).to_have_text(f"{crash['file']}:9:1")
    expect(part(overlay, "frame")).to_contain_text("9  | ")
    assert overlay.evaluate(HARD_TO_USE) == []


@pytest.mark.usefixtures("width")
def test_a_port_that_another_project_has_is_told_with_the_way_out(
    page: Page, overlay: Locator, frontend: Frontend
) -> None:
    frontend.api.host = socket.gethostname()
    frontend.api.restart()
    frontend.command.prints("the API of another project, /app")
    page.goto(frontend.url)
    expect(part(overlay, "message-body")).to_contain_text("another project, /app.")
    expect(part(overlay, "cure")).to_contain_text("set FLASK_RUN_PORT")
    for name in ("file", "frame", "stack"):
        expect(part(overlay, name)).to_be_hidden()
    assert overlay.evaluate(HARD_TO_USE) == []

    frontend.api.recover()
    expect(overlay).not_to_be_attached()
    expect(page.get_by_role("alert")).to_be_empty()


def test_a_page_opened_while_the_api_is_ill_recovers_with_it(
    page: Page, overlay: Locator, frontend: Frontend
) -> None:
    frontend.api.restart(frontend.crash("NameError: first"))
    page.goto(f"{frontend.url}/deep/link")
    expect(overlay).to_contain_text("NameError: first")
    frontend.api.restart(frontend.crash("NameError: second"))
    expect(overlay).to_contain_text("NameError: second")
    expect(overlay).to_have_count(1)
    frontend.api.restart()
    expect(overlay).not_to_be_attached()
    expect(page.get_by_role("alert")).to_be_empty()


def test_it_can_be_closed_by_a_key_and_by_a_tap(
    page: Page, overlay: Locator, frontend: Frontend
) -> None:
    frontend.api.restart(frontend.crash())
    page.goto(frontend.url)
    expect(overlay).to_be_attached()
    page.keyboard.press("Escape")
    expect(overlay).not_to_be_attached()
    page.reload()
    overlay.get_by_role("button", name="Close").click()
    expect(overlay).not_to_be_attached()


def test_a_crash_that_no_answer_tells_appears_once_and_goes_on_the_next_restart(
    page: Page, overlay: Locator, frontend: Frontend
) -> None:
    loads = []
    page.on("load", lambda: loads.append(page.url))
    page.goto(frontend.url)
    expect(page.get_by_role("status")).to_contain_text("The current time")
    page.evaluate(COUNT_OVERLAYS)
    crash, during = frontend.crash(), "GET /events, while it was answered"
    # React's StrictMode has asked twice.
    frontend.api.tell(crash, during)
    frontend.api.tell(crash, during)
    expect(part(overlay, "request")).to_have_text(during)
    frontend.api.tell(frontend.crash("OSError: other"), "in the thread Thread-1")
    expect(overlay).to_contain_text("OSError: other")
    assert page.evaluate("window.overlays") == 2

    frontend.api.restart()
    expect(overlay).not_to_be_attached()
    assert len(loads) == 1


def test_a_crash_told_together_with_the_greeting_is_shown(
    page: Page, overlay: Locator, frontend: Frontend
) -> None:
    page.goto(frontend.url)
    expect(page.get_by_role("status")).to_contain_text("The current time")
    early = {"crash": frontend.crash(), "request": "in the thread Thread-1"}
    frontend.api.told_early = [early]
    frontend.api.restart()
    expect(part(overlay, "request")).to_have_text("in the thread Thread-1")


def test_an_update_of_the_frontend_does_not_hide_that_the_api_is_ill(
    page: Page, overlay: Locator, frontend: Frontend
) -> None:
    app = frontend.project / "src/App.js"
    heading = page.get_by_role("heading")
    page.goto(frontend.url)
    edit(app, "React + Flask", "Updated once")
    expect(heading).to_have_text("Updated once")
    frontend.api.restart(frontend.crash(cure="Mend it."))
    expect(overlay).to_be_attached()
    edit(app, "Updated once", "Updated twice")
    expect(heading).to_have_text("Updated twice")
    expect(part(overlay, "cure")).to_have_text("What to doMend it.")

    page.keyboard.press("Escape")
    edit(app, "Updated twice", "React + Flask")
    expect(heading).to_have_text("React + Flask")
    expect(overlay).not_to_be_attached()


def test_an_error_of_the_page_gives_way_to_one_of_the_api_and_not_the_reverse(
    page: Page, overlay: Locator, frontend: Frontend
) -> None:
    def throw() -> None:
        with page.expect_event("pageerror"):
            page.evaluate("setTimeout(() => { throw new Error('of the page') })")

    page.goto(frontend.url)
    expect(page.get_by_role("status")).to_contain_text("The current time")
    throw()
    expect(overlay).to_contain_text("of the page")
    page.evaluate(COUNT_OVERLAYS)
    frontend.api.crashes["/x"] = frontend.crash(cure="Mend it.")
    assert get(f"{frontend.url}/x")[0] == 500
    expect(overlay).to_contain_text("KeyError: 'now'")
    throw()
    page.evaluate("fetch('/time')")
    expect(overlay).to_have_count(1)
    expect(part(overlay, "cure")).to_be_visible()
    assert page.evaluate("window.overlays") == 1
