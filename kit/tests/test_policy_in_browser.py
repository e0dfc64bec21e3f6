"""One policy of headers: what a browser allows in development, it allows in production.

The standard policy bears what common libraries do; what it forbids is told by the
development server, with the setting that allows it. A page below PUBLIC_URL is served
there.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from projects import copy_with_packages, replace_page
from servers import ROOT, Command, developing, serving, started, succeed

PAGES = Path(__file__).with_name("policy_pages")
APP = {"FLASK_APP": "kit/tests/policy_pages/app.py"}
PACKAGES = ("styled-components", "@emotion/react")
SERVERS = ["development", "production"]
FONT = "#of-font-service { color: rgb(13, 14, 15); }"
COLORS = {
    "by-styled-components": "rgb(1, 2, 3)",
    "by-emotion": "rgb(4, 5, 6)",
    "by-hand": "rgb(7, 8, 9)",
    "by-rule": "rgb(10, 11, 12)",
}
ADD_STYLESHEET = """(href) => {
  const link = document.head.appendChild(document.createElement('link'));
  return new Promise((resolve) => {
    link.onload = () => resolve('loaded');
    link.onerror = () => resolve('blocked');
    Object.assign(link, { rel: 'stylesheet', href });
  });
}"""
OVER_HTTP = "http://fonts.example"


@pytest.fixture(scope="module")
def styled_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = copy_with_packages(tmp_path_factory.mktemp("policy"), *PACKAGES)
    replace_page(project, PAGES)
    return project


@pytest.fixture(scope="module")
def built(styled_project: Path) -> Path:
    succeed(styled_project, "build")
    return styled_project


@pytest.fixture(scope="module")
def development(styled_project: Path) -> Iterator[tuple[Command, str]]:
    with developing(styled_project, **APP) as server:
        yield server


@pytest.fixture(scope="module")
def production(built: Path) -> Iterator[tuple[Command, str]]:
    with serving(built, **APP) as server:
        yield server.command, server.url


@pytest.fixture(params=SERVERS)
def url(request: pytest.FixtureRequest) -> str:
    """Return where the page is, under the standard policy."""
    return request.getfixturevalue(request.param)[1]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Open a window whose user has allowed to be located, in a world of few hosts."""
    place = {"latitude": 52.5, "longitude": 13.4}
    context = browser.new_context(permissions=["geolocation"], geolocation=place)
    context.route("https://fonts.example/**", answer_as_font_service)
    context.route(f"{OVER_HTTP}/**", answer_as_font_service)
    context.route("https://sign-in.example/**", answer_as_sign_in)
    yield context.new_page()
    context.close()


def answer_as_font_service(route: Route) -> None:
    route.fulfill(content_type="text/css", body=FONT)


def answer_as_sign_in(route: Route) -> None:
    back = "location.href = new URLSearchParams(location.search).get('back')"
    route.fulfill(content_type="text/html", body=f"<script>{back}</script>")


def policy_of(page: Page, url: str) -> str | None:
    return page.request.get(url).headers.get("content-security-policy")


@contextmanager
def one_of(server: str, project: Path, **env: str) -> Iterator[str]:
    """Run one of the servers with settings of its own; return where the page is."""
    if server == "development":
        with developing(project, **env) as (_, url):
            yield url
    else:
        with serving(project, **env) as running:
            yield running.url


def test_what_libraries_put_into_the_page_is_styled(page: Page, url: str) -> None:
    page.goto(url)
    for id, color in COLORS.items():
        expect(page.locator(f"#{id}")).to_have_css("color", color)


def test_a_script_in_index_html_runs_and_eval_does_not(page: Page, url: str) -> None:
    page.goto(f"{url}/some/where")
    expect(page.locator("html")).to_have_attribute("data-inline", "ran")
    expect(page.locator("#eval")).to_have_text("blocked")


def test_a_picture_is_shown_before_it_is_uploaded(page: Page, url: str) -> None:
    page.goto(url)
    page.locator("input").set_input_files(ROOT / "public/logo192.png")
    picture = page.get_by_alt_text("preview")
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)")
    assert picture.get_attribute("src").startswith("blob:")


def test_a_stylesheet_of_a_font_service_is_loaded(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.locator("#of-font-service")).to_be_visible()
    assert page.evaluate(ADD_STYLESHEET, "https://fonts.example/a.css") == "loaded"
    expect(page.locator("#of-font-service")).to_have_css("color", "rgb(13, 14, 15)")
    # Whoever is in between could change it.
    assert page.evaluate(ADD_STYLESHEET, f"{OVER_HTTP}/a.css") == "blocked"


def test_a_popup_that_signs_in_elsewhere_comes_back_to_its_opener(
    page: Page, url: str
) -> None:
    page.goto(url)
    with page.expect_popup() as popup:
        page.get_by_role("button", name="Sign in").click()
    expect(popup.value).to_have_url(f"{url}/signed-in")
    expect(page.locator("#user")).to_have_text("Jo")


def test_the_page_learns_where_it_is(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_role("button", name="Locate").click()
    expect(page.locator("#place")).to_have_text("52.5 13.4")


def test_a_script_in_a_page_of_the_app_needs_a_policy_that_allows_it(
    page: Page, url: str
) -> None:
    heading = page.get_by_role("heading")
    page.goto(f"{url}/written")
    expect(heading).to_have_text("Written by the app")
    page.goto(f"{url}/written-with-policy")
    expect(heading).to_have_text("Changed by a script")


def test_development_names_the_setting_that_allows_what_was_blocked(
    page: Page, development: tuple[Command, str]
) -> None:
    command, url = development
    page.goto(f"{url}/written")
    command.prints("set FLASK_CSP_SCRIPT_SRC=unsafe-inline")
    page.goto(url)
    expect(page.locator("#eval")).to_be_visible()
    page.evaluate(ADD_STYLESHEET, f"{OVER_HTTP}/a.css")
    command.prints(f"set FLASK_CSP_STYLE_SRC={OVER_HTTP}")


@pytest.mark.parametrize("server", SERVERS)
def test_the_settings_that_it_names_allow_it(
    page: Page, built: Path, server: str
) -> None:
    settings = {
        "FLASK_CSP_SCRIPT_SRC": "unsafe-inline",
        "FLASK_CSP_STYLE_SRC": OVER_HTTP,
    }
    with one_of(server, built, **APP, **settings) as url:
        page.goto(f"{url}/written")
        expect(page.get_by_role("heading")).to_have_text("Changed by a script")
        page.goto(url)
        expect(page.locator("html")).to_have_attribute("data-inline", "ran")
        expect(page.locator("#eval")).to_have_text("blocked")
        assert page.evaluate(ADD_STYLESHEET, f"{OVER_HTTP}/a.css") == "loaded"


def test_the_strict_policy_blocks_what_the_author_has_not_written(
    page: Page, built: Path
) -> None:
    with serving(built, **APP, FLASK_CSP="strict") as server:
        page.goto(server.url)
        # index.html is the author's own.
        expect(page.locator("html")).to_have_attribute("data-inline", "ran")
        for id, color in COLORS.items():
            expect(page.locator(f"#{id}")).not_to_have_css("color", color)
        expect(page.locator("#eval")).to_have_text("blocked")
        page.get_by_role("button", name="Locate").click()
        expect(page.locator("#place")).to_contain_text("permissions policy")


def test_development_has_the_strict_policy_but_for_vite_s_own_styles(
    page: Page, styled_project: Path
) -> None:
    with started(styled_project, FLASK_CSP="strict") as (_, url):
        policy = policy_of(page, url).split("; ")
        assert "style-src 'self' 'unsafe-inline'" in policy
        assert "img-src 'self' data:" in policy


def test_no_policy_is_sent_where_it_is_off(page: Page, built: Path) -> None:
    with serving(built, **APP, FLASK_CSP="off") as server:
        assert policy_of(page, f"{server.url}/written") is None
        page.goto(server.url)
        expect(page.locator("#eval")).to_have_text("ran")
        assert policy_of(page, server.url) is None
    with started(built, FLASK_CSP="off") as (_, url):
        page.goto(url)
        expect(page.locator("#eval")).to_have_text("ran")
        assert policy_of(page, url) is None


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("PUBLIC_URL", "/app", "/app"),
        ("homepage", "https://x.example/sub/", "/sub"),
    ],
)
def test_a_page_for_a_place_below_the_root_is_served_there(
    page: Page, styled_project: Path, name: str, value: str, place: str
) -> None:
    folder = {"BUILD_PATH": f"built{place}"}
    file = styled_project / "package.json"
    before = file.read_text()
    try:
        if name == "homepage":
            file.write_text(json.dumps(json.loads(before) | {name: value}))
            succeed(styled_project, "build", **folder)
        else:
            succeed(styled_project, "build", **folder, **{name: value})
    finally:
        file.write_text(before)
    with serving(styled_project, **APP, **folder) as server:
        for path, address in (
            ("/", f"{place}/"),
            (f"{place}/", f"{place}/"),
            (f"{place}/deep/link?x=1", f"{place}/deep/link?x=1"),
            ("/deep/link?x=1", f"{place}/deep/link?x=1"),
        ):
            page.goto(server.url + path)
            expect(page).to_have_url(server.url + address)
            expect(page.locator("#by-hand")).to_have_css("color", COLORS["by-hand"])
            expect(page.locator("html")).to_have_attribute("data-inline", "ran")
        # The API stays where it is.
        page.goto(f"{server.url}/written")
        expect(page.get_by_role("heading")).to_have_text("Written by the app")
