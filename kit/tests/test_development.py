"""React and Flask feel like one development server: page, crashes and restarts."""

import logging
import os
import re
import shutil
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from example_page import unix_time_shown
from playwright.sync_api import Locator, Page, expect
from projects import copy_project
from servers import (
    ROOT,
    Command,
    developing,
    edit,
    free_port,
    get,
    started,
    wait_for,
)

pytestmark = pytest.mark.usefixtures("example_page")


CRASHES = """

import neighbour


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

    def __init__(self, project: Path, command: Command, url: str, api_port: str):
        """Remember where it is."""
        self.project = project
        self.command = command
        self.url = url
        self.api_port = api_port
        self.api = project / "api/api.py"
        self.kit = project / "kit/python/src/react_flask_kit"

    @property
    def reloads(self) -> int:
        """How often pages were told to reload."""
        return self.command.output.count("page reload")


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Development]:
    project = copy_project(tmp_path_factory.mktemp("dev"))
    with (project / "api/api.py").open("a") as api:
        api.write(CRASHES)
    (project / "api/neighbour.py").write_text("import os\n")
    api_port = str(free_port())
    with developing(project, FLASK_RUN_PORT=api_port) as (command, url):
        yield Development(project, command, url, api_port)


@pytest.fixture
def overlay(page: Page) -> Locator:
    return page.locator("vite-error-overlay")


def part(overlay: Locator, name: str) -> str:
    return overlay.locator(f"[part={name}]").inner_text()


def fetch(page: Page, path: str, **options: object) -> tuple[int, dict]:
    """Fetch from inside the page; return the status and the JSON."""
    script = """async ([path, options]) => {
        const response = await fetch(path, options);
        return [response.status, await response.json()];
    }"""
    status, body = page.evaluate(script, [path, options])
    return status, body


def test_it_shows_the_time_of_the_api(page: Page, dev: Development) -> None:
    messages = []
    page.on("console", lambda message: messages.append(message.text))
    page.goto(dev.url)
    shown = unix_time_shown(page)
    assert abs(shown - time.time()) < 2
    instant = page.locator("time").get_attribute("datetime")
    assert page.evaluate("text => Date.parse(text)", instant) == int(shown * 1000)
    year = time.strftime("%Y", time.localtime(shown))
    expect(page.locator("time")).to_contain_text(year)
    assert [text for text in messages if "error" in text.lower()] == []


def test_it_has_a_title_a_description_and_icons(page: Page, dev: Development) -> None:
    html = (ROOT / "public/index.html").read_text(encoding="utf-8")
    page.goto(dev.url)
    expect(page).to_have_title(re.search("<title>(.+)</title>", html)[1])
    assert page.locator("meta[name=description]").get_attribute("content")
    for link in page.locator("link[rel*=icon], link[rel=manifest]").all():
        response = page.request.get(dev.url + link.get_attribute("href"))
        assert response.ok
        assert "text/html" not in response.headers["content-type"]


@pytest.mark.parametrize("path", ["/deep/link", "/users/jo.smith", "/?q=1"])
def test_a_deep_link_loads_the_page(page: Page, dev: Development, path: str) -> None:
    response = page.goto(dev.url + path)
    assert response.status == 200
    unix_time_shown(page)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_a_fetch_to_an_unknown_path_reaches_flask(
    page: Page, dev: Development, method: str
) -> None:
    page.goto(dev.url)
    status, problem = fetch(page, "/no/such/thing", method=method)
    assert (status, problem["instance"]) == (404, "/no/such/thing")


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
    ("name", "right", "wrong", "message"),
    [
        ("api.py", "def crash():", "def crash(:", "SyntaxError"),
        ("api.py", "import time\n", "import tiem\n", "ModuleNotFoundError: No module"),
        ("neighbour.py", "import os\n", "import so\n", "No module named 'so'"),
    ],
)
def test_an_api_that_cannot_be_imported_shows_why_and_heals(
    page: Page,
    overlay: Locator,
    dev: Development,
    name: str,
    right: str,
    wrong: str,
    message: str,
) -> None:
    file = dev.api.with_name(name)
    page.goto(dev.url)
    expect(page.locator("time")).to_be_visible()
    edit(file, right, wrong)
    expect(overlay).to_contain_text(message)
    assert f"{file}:" in part(overlay, "file")
    assert wrong.strip() in part(overlay, "frame")
    assert get(dev.url + "/time")[0] == 500
    page.reload()
    expect(overlay).to_contain_text(message)
    edit(file, wrong, right)
    expect(overlay).not_to_be_attached()
    expect(page.locator("time")).to_be_visible()


def test_a_mistake_in_what_joins_both_servers_heals_too(
    page: Page, overlay: Locator, dev: Development
) -> None:
    errors = dev.kit / "errors.py"
    page.goto(dev.url)
    expect(page.locator("time")).to_be_visible()
    edit(errors, "import traceback\n", "import tracebakc\n")
    expect(overlay).to_contain_text("The API's server ended (exit code 2).")
    assert "No module named 'tracebakc'" in part(overlay, "stack")
    edit(errors, "import tracebakc\n", "import traceback\n")
    expect(overlay).not_to_be_attached()
    expect(page.locator("time")).to_be_visible()


def test_a_crash_is_logged_once_a_second_however_often_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setenv("FLASK_APP", str(ROOT / "api/api.py"))
    from react_flask_kit.development import WithoutRepetition

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
        return dev.command.output.count("the API starts again")

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
            # Else the answers, and not the restarts, take the time.
            stop.wait(0.02)

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


def test_the_first_route_of_the_readme_is_reachable_without_any_configuration(
    page: Page, dev: Development
) -> None:
    readme = (dev.project / "README.md").read_text(encoding="utf-8")
    snippets = re.findall(r"^```(?:python|jsx)\n(.+?)^```", readme, re.M | re.S)
    route, *lines = snippets[:3]
    page.goto(dev.url)
    app = dev.project / "src/App.js"
    edit(dev.api, "\n\n\n@app", f"\n\n\n{route}\n\n@app")
    before, after = "App() {\n", "</main>"
    inside = app.read_text().split(before)[1].split(after)[0]
    new = f"{before}{lines[0]}{inside}{lines[1]}{after}"
    edit(app, f"{before}{inside}{after}", new)
    expect(page.get_by_text("Hello, you!")).to_be_visible()


def test_saving_app_js_changes_the_page_and_keeps_its_state(
    page: Page, dev: Development
) -> None:
    page.goto(dev.url)
    before = unix_time_shown(page)
    app = dev.project / "src/App.js"
    heading = page.get_by_role("heading")
    overlay = page.locator("vite-error-overlay")
    save(app, "<h1>React + Flask</h1>", "<h1>Mine</h1>", heading, "Mine")
    assert unix_time_shown(page) == before
    save(app, "<h1>Mine</h1>", "<h1>Mine</h2>", overlay, "App.js")
    save(app, "<h1>Mine</h2>", "<h1>React + Flask</h1>", heading, "React + Flask")
    expect(overlay).not_to_be_attached()


def save(file: Path, old: str, new: str, place: Locator, text: str) -> None:
    """Edit a file and see the effect; save it again if the watcher missed it.

    It may miss the second of two changes within some milliseconds.
    """
    edit(file, old, new)
    try:
        expect(place).to_contain_text(text, timeout=2_000)
    except AssertionError:
        file.touch()
        expect(place).to_contain_text(text)


def test_the_overlay_can_be_switched_off(
    page: Page, overlay: Locator, dev: Development
) -> None:
    config = dev.project / "quiet.config.mjs"
    shutil.copy(dev.project / "vite.config.mjs", config)
    edit(config, "plugins:", "server: { hmr: { overlay: false } }, plugins:")
    name = f"start --config {config.name}"
    with started(dev.project, name, FLASK_RUN_PORT=dev.api_port) as (_command, url):
        page.goto(url)
        with page.expect_console_message(lambda m: "KeyError" in m.text):
            get(url + "/crash")
        expect(overlay).not_to_be_attached()
        assert page.goto(url + "/crash").status == 500
        assert "KeyError" in page.locator("body").inner_text()
