"""Find a browser that is already installed."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

LINUX = (
    "google-chrome",
    "google-chrome-stable",
    "chromium",
    "chromium-browser",
    "microsoft-edge",
    "microsoft-edge-stable",
)
MACOS = ("Google Chrome", "Chromium", "Microsoft Edge")
WINDOWS = (
    "Google/Chrome/Application/chrome.exe",
    "Microsoft/Edge/Application/msedge.exe",
)
WINDOWS_FOLDERS = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")


def places(
    platform: str = sys.platform, env: Mapping[str, str] = os.environ
) -> list[str]:
    """List where Chrome, Chromium and Edge install themselves, Chrome first."""
    if platform == "win32":
        folders = [env[name] for name in WINDOWS_FOLDERS if name in env]
        return [f"{folder}/{program}" for program in WINDOWS for folder in folders]
    if platform == "darwin":
        return [f"/Applications/{app}.app/Contents/MacOS/{app}" for app in MACOS]
    return [path for name in LINUX if (path := shutil.which(name))]


def find_browser() -> str | None:
    """Return the path of an installed browser that Playwright can drive."""
    return next((path for path in places() if Path(path).is_file()), None)
