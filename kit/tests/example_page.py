"""What the page that comes with the project shows."""

import re

from playwright.sync_api import Page, expect

TIME_SHOWN = re.compile(r"The current time is (\d{10}\.\d+)\.")


def unix_time_shown(page: Page) -> float:
    """Wait until the page shows the time; return it in seconds since the epoch."""
    expect(page.get_by_role("status")).to_contain_text(TIME_SHOWN)
    return float(TIME_SHOWN.search(page.get_by_role("status").inner_text())[1])
