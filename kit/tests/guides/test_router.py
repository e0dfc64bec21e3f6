"""docs/router.md: a page of one's own for each address, beside routes of the API.

The contract: a page and a route share an address, in development and in production; a
build below a path has its links there.
"""

from pathlib import Path

import pytest
from guides.following import assert_all_green, follow, npm
from playwright.sync_api import Page, expect
from projects import copy_project
from servers import developing, get, serving


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = copy_project(tmp_path_factory.mktemp("router"))
    follow(project, "router.md")
    return project


def test_the_project_is_green(project: Path) -> None:
    assert_all_green(project)


def test_in_development_too_the_page_and_the_route_share_an_address(
    project: Path, page: Page
) -> None:
    with developing(project) as (_, url):
        page.goto(f"{url}/books")
        expect(page.get_by_role("listitem")).to_have_text(["Emma", "Ulysses"])
        assert get(f"{url}/books")[1] == ["Emma", "Ulysses"]


def test_a_build_below_a_path_has_its_pages_there(
    project: Path, page: Page, tmp_path: Path
) -> None:
    build = str(tmp_path / "shop")
    npm(project, "run", "build", PUBLIC_URL="/shop", BUILD_PATH=build)
    with serving(project, BUILD_PATH=build) as server:
        page.goto(f"{server.url}/shop/")
        page.get_by_role("link", name="Books").click()
        expect(page).to_have_url(f"{server.url}/shop/books")
        page.reload()
        expect(page).to_have_title("Books")
