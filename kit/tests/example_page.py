"""What the page that comes with the project shows."""

import re

from playwright.sync_api import Page
from servers import wait_for

TIME_SHOWN = re.compile(r"The current time is (\d{10}\.\d+)\.")


def unix_time_shown(page: Page) -> float:
    """Wait until the page shows the time; return it in seconds since the epoch."""
    status = page.get_by_role("status")
    # Each time at once: a reload may empty it again.
    shown = wait_for(lambda: TIME_SHOWN.search(status.inner_text()), "the time")
    return float(shown[1])
