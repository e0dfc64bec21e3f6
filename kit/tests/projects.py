"""Copies of this project, to be run and edited."""

import compileall
import os
import shutil
import subprocess
from pathlib import Path

from playwright.sync_api import Page, Route
from servers import ROOT, clean_env

NOT_COPIED = (
    ".git",
    ".hypothesis",
    "build",
    "node_modules",
    "venv",
    "__pycache__",
    ".*_cache",
)
INSTALLED = ("node_modules", "kit/node/node_modules", "api/venv")
# What a command writes in place, it would write into the original too.
WRITTEN_IN_PLACE = (
    "installed.json",
    ".installed",
    ".package-map.json",
    ".yarn-state.yml",
    "results.json",
    "react_flask_kit.pth",
)


def copy_project(
    folder: Path, installed: tuple[str, ...] = INSTALLED, without: tuple[str, ...] = ()
) -> Path:
    """Copy the project with what it has installed; the copy runs on its own kit."""
    copy = folder / "react-flask-app"
    ignored = shutil.ignore_patterns(*NOT_COPIED, *without)
    shutil.copytree(ROOT, copy, ignore=ignored)
    bring_packages(copy, installed)
    return copy


def bring_packages(copy: Path, installed: tuple[str, ...] = INSTALLED) -> None:
    """Give a copy of the project what this one has installed."""
    for part in installed:
        if (ROOT / part).is_dir():
            shutil.copytree(
                ROOT / part, copy / part, symlinks=True, copy_function=link_or_copy
            )
    for place in ("lib/*/site-packages", "Lib/site-packages"):
        for link in (copy / "api/venv").glob(f"{place}/react_flask_kit.pth"):
            link.write_text(f"{copy / 'kit/python/src'}\n", encoding="utf-8")
    if "api/venv" in installed:
        # Once, and not in each process: see servers.py of bytecode.
        compileall.compile_dir(copy / "kit/python/src", quiet=1)


def link_or_copy(source: str, target: str) -> None:
    if Path(source).name not in WRITTEN_IN_PLACE:
        try:
            os.link(source, target)
            return
        except OSError:
            pass
    shutil.copy2(source, target)


def add_example_routes(project: Path) -> None:
    shutil.copy(Path(__file__).with_name("example_routes.py"), project / "api")
    with (project / "api/api.py").open("a", encoding="utf-8") as api:
        api.write("\n\nimport example_routes\n")


def copy_with_packages(folder: Path, *packages: str) -> Path:
    """Copy the project without its tests, and add packages to the frontend."""
    copy = copy_project(folder)
    shutil.rmtree(copy / "tests")
    command = ["node", "kit/node", "add-frontend", *packages]
    subprocess.run(command, cwd=copy, env=clean_env(), check=True, timeout=100)
    return copy


def replace_page(project: Path, folder: Path) -> None:
    for part in ("src", "public"):
        shutil.rmtree(project / part)
        shutil.copytree(folder / part, project / part)


def put_packages(project: Path, fixture: Path) -> None:
    """Install the packages that a fixture has made up."""
    for package in (fixture / "packages").iterdir():
        place = project / "node_modules" / package.name
        shutil.copytree(package, place, dirs_exist_ok=True)


def show_build(page: Page, build: Path, place: str) -> None:
    """Let an address show a build, and its page wherever there is no file."""

    def answer(route: Route) -> None:
        file = build / route.request.url.removeprefix(place).partition("?")[0]
        route.fulfill(path=file if file.is_file() else build / "index.html")

    page.route(f"{place}**", answer)
