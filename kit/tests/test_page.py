"""The page in a real browser, with both servers behind it."""

import re
import time
from pathlib import Path

import pytest
from browsers import unix_time_shown
from playwright.sync_api import Locator, Page, expect
from servers import ROOT, edit, free_port, running

pytestmark = pytest.mark.usefixtures("example_page")


def fetch(page: Page, path: str, **options: object) -> tuple[int, dict]:
    """Fetch from inside the page; return the status and the JSON."""
    script = """async ([path, options]) => {
        const response = await fetch(path, options);
        return [response.status, await response.json()];
    }"""
    status, body = page.evaluate(script, [path, options])
    return status, body


def test_it_shows_the_time_of_the_api(page: Page, site: str) -> None:
    messages = []
    page.on("console", lambda message: messages.append(message.text))
    page.goto(site)
    shown = unix_time_shown(page)
    assert abs(shown - time.time()) < 2
    instant = page.locator("time").get_attribute("datetime")
    assert page.evaluate("text => Date.parse(text)", instant) == int(shown * 1000)
    year = time.strftime("%Y", time.localtime(shown))
    expect(page.locator("time")).to_contain_text(year)
    assert [text for text in messages if "error" in text.lower()] == []


def test_it_has_a_title_a_description_and_icons(page: Page, site: str) -> None:
    html = (ROOT / "public/index.html").read_text(encoding="utf-8")
    page.goto(site)
    expect(page).to_have_title(re.search("<title>(.+)</title>", html)[1])
    assert page.locator("meta[name=description]").get_attribute("content")
    for link in page.locator("link[rel*=icon], link[rel=manifest]").all():
        response = page.request.get(site + link.get_attribute("href"))
        assert response.ok
        assert "text/html" not in response.headers["content-type"]


@pytest.mark.parametrize("path", ["/deep/link", "/users/jo.smith", "/?q=1"])
def test_a_deep_link_loads_the_page(page: Page, site: str, path: str) -> None:
    response = page.goto(site + path)
    assert response.status == 200
    unix_time_shown(page)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_a_fetch_to_an_unknown_path_reaches_flask(
    page: Page, site: str, method: str
) -> None:
    page.goto(site)
    status, problem = fetch(page, "/no/such/thing", method=method)
    assert (status, problem["instance"]) == (404, "/no/such/thing")


def test_the_first_route_of_the_readme_is_reachable_without_any_configuration(
    page: Page, own_project: Path
) -> None:
    readme = (own_project / "README.md").read_text(encoding="utf-8")
    route, *lines = re.findall(r"^```(?:python|jsx)\n(.+?)^```", readme, re.M | re.S)[
        :3
    ]
    port = free_port()
    ports = {"PORT": str(port), "FLASK_RUN_PORT": str(free_port())}
    with running(own_project, "dev", **ports) as dev:
        dev.prints("React and Flask are ready")
        page.goto(f"http://localhost:{port}")
        api, app = own_project / "api/api.py", own_project / "src/App.js"
        edit(api, "\n\n\n@app", f"\n\n\n{route}\n\n@app")
        before, after = "App() {\n", "</main>"
        inside = app.read_text().split(before)[1].split(after)[0]
        new = f"{before}{lines[0]}{inside}{lines[1]}{after}"
        edit(app, f"{before}{inside}{after}", new)
        expect(page.get_by_text("Hello, you!")).to_be_visible()


def test_saving_app_js_changes_the_page_and_keeps_its_state(
    page: Page, own_project: Path
) -> None:
    port = free_port()
    ports = {"PORT": str(port), "FLASK_RUN_PORT": str(free_port())}
    with running(own_project, "dev", **ports) as dev:
        dev.prints("React and Flask are ready")
        page.goto(f"http://localhost:{port}")
        before = unix_time_shown(page)
        app = own_project / "src/App.js"
        heading, overlay = (
            page.get_by_role("heading"),
            page.locator("vite-error-overlay"),
        )
        save(app, "<h1>React + Flask</h1>", "<h1>Mine</h1>", heading, "Mine")
        assert unix_time_shown(page) == before
        save(app, "<h1>Mine</h1>", "<h1>Mine</h2>", overlay, "App.js")
        save(app, "<h1>Mine</h2>", "<h1>Ours</h1>", heading, "Ours")
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
