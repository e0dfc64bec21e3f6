"""The whole site in a browser: the built frontend and the API, as in production."""

import re

from playwright.sync_api import Page, expect


def test_the_page_shows_the_time_that_the_api_tells(page: Page, site: str) -> None:
    page.goto(site)
    expect(page.get_by_role("status")).to_contain_text(
        re.compile(r"The current time is \d{10}\.\d+\.")
    )
    expect(page.get_by_role("alert")).to_be_empty()


def test_an_address_of_the_page_can_be_opened_directly(page: Page, site: str) -> None:
    assert page.goto(f"{site}/some/page").status == 200
    expect(page.get_by_role("heading", level=1)).to_be_visible()
