"""Let pytest-playwright use a browser that is installed, or download its own once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from .browsers import find_browser

INSTALL = [sys.executable, "-m", "playwright", "install", "--only-shell", "chromium"]
GET_A_BROWSER = (
    "No browser. Install Chrome, Chromium or Edge, or download Playwright's own: "
    f"{' '.join(INSTALL)}"
)
# Else Chromium forgets to close a page that is just being reloaded:
# https://github.com/microsoft/playwright/issues/42068
ARGS = ["--enable-features=RenderDocument:level/crashed-frame"]


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict, browser_name: str, playwright: Playwright
) -> dict:
    """Prefer an installed browser; without any, skip, or where CI=true fail."""
    if browser_name != "chromium":
        return browser_type_launch_args
    chosen = {"args": ARGS} | browser_type_launch_args
    if "executable_path" in chosen or "channel" in chosen:
        return chosen
    if path := find_browser():
        return chosen | {"executable_path": path}
    if not Path(playwright.chromium.executable_path).exists() and not download():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(GET_A_BROWSER)
    return chosen


def download() -> bool:
    """Download Playwright's browser; tell whether that went well."""
    try:
        done = subprocess.run(INSTALL, check=False, timeout=300, capture_output=True)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
