"""The whole site in a browser: the built frontend and the API, as in production."""

from playwright.sync_api import Page, expect


def test_the_page_shows_what_the_api_answers(page: Page, site: str) -> None:
    page.goto(site)
    expect(page.get_by_role("status")).to_have_text("Hello from Flask!")


def test_an_address_of_the_page_can_be_opened_directly(page: Page, site: str) -> None:
    assert page.goto(f"{site}/some/page").status == 200
    expect(page.get_by_role("heading", level=1)).to_be_visible()
