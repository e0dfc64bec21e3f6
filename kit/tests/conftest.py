"""Fixtures: the API's test client, a copy of the project, and a real browser."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsers import find_browser
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import expect
from servers import ROOT, free_port, running, succeed

NOT_COPIED = (".git", "build", "node_modules", "venv", "__pycache__", ".*_cache")
WRITTEN_IN_PLACE = (
    "installed.json",
    ".installed",
    ".package-map.json",
    ".yarn-state.yml",
)
GET_A_BROWSER = (
    "No browser. Install Chrome, Chromium or Edge, or download Playwright's own: "
    f"{sys.executable} -m playwright install --only-shell chromium"
)

# A machine that runs three tests at once may be slow; none waits longer than it must.
expect.set_options(timeout=20_000)


@pytest.fixture
def example_page() -> None:
    """Skip a test of the page that came with the project, once it is another."""
    page = ROOT / "src/App.js"
    if not page.exists() or "'/time'" not in page.read_text(encoding="utf-8"):
        pytest.skip("src/App.js is no longer the example")


@pytest.fixture
def app() -> Flask:
    from api import app

    app.testing = True
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


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
    for part in ("api", "public", "src", "."):
        for file in (editable_project / part).iterdir():
            if file.is_file() and not (ROOT / part / file.name).exists():
                file.unlink()
        for original in (ROOT / part).iterdir():
            if original.is_file():
                shutil.copy(original, editable_project / part)
    shutil.rmtree(editable_project / "build", ignore_errors=True)


@pytest.fixture
def fresh_clone(tmp_path: Path) -> Path:
    """Copy the project without what it has installed."""
    return copy_project(tmp_path / "a path with spaces", installed=())


@pytest.fixture(scope="session")
def site(project: Path) -> Iterator[str]:
    """Start both servers with `npm run dev`; return the address to open."""
    port = str(free_port())
    with running(project, "dev", PORT=port, FLASK_RUN_PORT=str(free_port())) as dev:
        dev.prints("React and Flask are ready")
        yield f"http://localhost:{port}"


def add_example_routes(project: Path) -> None:
    shutil.copy(Path(__file__).with_name("example_routes.py"), project / "api")
    with (project / "api/api.py").open("a", encoding="utf-8") as api:
        api.write("\n\nimport example_routes\n")


def copy_project(
    folder: Path, installed: tuple[str, ...] = ("node_modules", "api/venv")
) -> Path:
    copy = folder / "react-flask-app"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*NOT_COPIED))
    for part in installed:
        shutil.copytree(
            ROOT / part,
            copy / part,
            symlinks=True,
            copy_function=link_or_copy,
        )
    return copy


def copy_with_packages(folder: Path, *packages: str) -> Path:
    """Copy the project without its tests, and add packages to the page."""
    copy = copy_project(folder)
    shutil.rmtree(copy / "tests")
    command = ["node", "scripts/add-page.mjs", *packages]
    subprocess.run(command, cwd=copy, check=True, timeout=100)
    return copy


def replace_page(project: Path, folder: Path) -> None:
    for part in ("src", "public"):
        shutil.rmtree(project / part)
        shutil.copytree(folder / part, project / part)


def link_or_copy(source: str, target: str) -> None:
    # What scripts/ writes in place, it would write into the original too.
    if Path(source).name not in WRITTEN_IN_PLACE:
        try:
            os.link(source, target)
            return
        except OSError:
            pass
    shutil.copy2(source, target)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict, playwright) -> dict:
    """Prefer an installed browser; download Playwright's own where there is none."""
    # Else Chromium forgets to close a page that is just being reloaded:
    # https://github.com/microsoft/playwright/issues/42068
    browser_type_launch_args |= {
        "args": ["--enable-features=RenderDocument:level/crashed-frame"]
    }
    if path := find_browser():
        return browser_type_launch_args | {"executable_path": path}
    if (
        not Path(playwright.chromium.executable_path).exists()
        and not download_browser()
    ):
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(GET_A_BROWSER)
    return browser_type_launch_args


def download_browser() -> bool:
    command = [
        sys.executable,
        "-m",
        "playwright",
        "install",
        "--only-shell",
        "chromium",
    ]
    return subprocess.run(command, check=False, timeout=300).returncode == 0
