"""Fixtures: copies of the project, and what runs in them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, expect
from projects import add_example_routes, copy_project
from servers import ROOT, developing, succeed

# Those that take longest: no worker should begin one when the others have done theirs.
LONGEST = (
    "sign_in",
    "database",
    "make_it_yours",
    "answers",
    "create_react_app",
    "development",
    "absent_api",
    "production",
    "fork",
)

# What a browser says of a navigation that meets another one.
RELOADING = ("interrupted by another navigation", "net::ERR_ABORTED")

# A machine that runs three tests at once may be slow; none waits longer than it must.
expect.set_options(timeout=20_000)


def pytest_configure(config: pytest.Config) -> None:
    """Let the modules begin in the order of the next function."""
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    names = {f"test_{name}": place for place, name in enumerate(LONGEST)}
    # A guide is green as it was followed, before other tests use its project.
    items.sort(
        key=lambda item: (
            names.get(item.path.stem, len(names)),
            item.name != "test_the_project_is_green",
        )
    )


@pytest.fixture
def example_page() -> None:
    """Skip a test of the page that came with the project, once it is another."""
    page = ROOT / "src/App.js"
    if not page.exists() or "'/time'" not in page.read_text(encoding="utf-8"):
        pytest.skip("src/App.js is no longer the example")


@pytest.fixture(scope="session")
def one_page(browser: Browser, browser_context_args: dict) -> Page:
    return browser.new_context(**browser_context_args).new_page()


@pytest.fixture
def page(one_page: Page) -> Iterator[Page]:
    """Let each test begin with an empty page: a new one would take thrice as long."""
    yield one_page
    one_page.unroute_all()
    leave(one_page)


def leave(page: Page) -> None:
    """Open an empty page, even while the one before is reloading itself."""
    while True:
        try:
            page.goto("about:blank")
            return
        except Error as error:
            if not any(reason in str(error) for reason in RELOADING):
                raise


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the project, installed and with more routes, for tests that only run it."""
    copy = copy_project(tmp_path_factory.mktemp("a path with spaces"))
    add_example_routes(copy)
    return copy


@pytest.fixture(scope="session")
def built_project(project: Path) -> Path:
    succeed(project, "build")
    return project


@pytest.fixture(scope="session")
def editable_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(tmp_path_factory.mktemp("editable"))


@pytest.fixture
def own_project(editable_project: Path) -> Iterator[Path]:
    """Copy the project for a test that edits it; its end takes the edits back."""
    yield editable_project
    for part in ("api", "public", "src", "tests", "."):
        (editable_project / part).mkdir(exist_ok=True)
        for file in (editable_project / part).iterdir():
            if file.is_file() and not (ROOT / part / file.name).exists():
                file.unlink()
        for original in (ROOT / part).iterdir():
            if original.is_file():
                shutil.copy(original, editable_project / part)
    shutil.rmtree(editable_project / "build", ignore_errors=True)


@pytest.fixture(scope="session")
def site(project: Path) -> Iterator[str]:
    """Start both servers with `npm run dev`; return the address to open."""
    with developing(project) as (_command, url):
        yield url
