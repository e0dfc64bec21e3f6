"""A view that returns what it did not promise shows in the overlay."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from servers import developing, edit

pytestmark = pytest.mark.usefixtures("example_page")

RETURN = 'return {"time": time.time()}'
WRONG = 'return {"time": time.ctime()}'


def test_a_broken_promise_is_shown_with_its_field_and_line_until_it_is_kept(
    page: Page, own_project: Path
) -> None:
    api, types = own_project / "api/api.py", own_project / "src/api-types.d.ts"
    types.touch()
    with developing(own_project) as (_command, url):
        page.goto(url)
        expect(page.locator("time")).to_be_visible()
        edit(api, RETURN, WRONG)

        overlay = page.locator("vite-error-overlay")
        expect(overlay.locator("[part=message]")).to_contain_text(
            "get_current_time() in api/api.py promised dict[str, float], but "
            '"time" is "'
        )
        line = api.read_text().split(WRONG)[0].count("\n") + 1
        expect(overlay.locator("[part=file]")).to_have_text(f"{api}:{line}:1")
        expect(overlay.locator("[part=frame]")).to_contain_text(WRONG)

        edit(api, WRONG, RETURN)
        expect(overlay).not_to_be_attached()
        expect(page.locator("time")).to_be_visible()
