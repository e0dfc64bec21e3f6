"""README.md and docs/ say what is true."""

import json
import re
from pathlib import Path

import pytest
from servers import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PACKAGE = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# Of the package managers, and of create-react-app, which docs/ compares with.
NO_SCRIPTS = {"install", "eject"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"\b(?:npm run|yarn) ([a-z][\w-]*)", text))
    assert named - NO_SCRIPTS <= set(PACKAGE["scripts"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_links_to_exists(page: Path) -> None:
    prose = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)", prose)
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_readme_lists_every_command_and_no_other() -> None:
    commands = README.split("## Commands")[1].split("## ")[0]
    rows = re.findall(r"^\| (`[^|]+`) \|", commands, re.M)
    named = {name.split()[0] for row in rows[1:] for name in re.findall("`(.+?)`", row)}
    # Those that make-it-yours would take away are for this repository only.
    ours = {"preinstall", "bench", "test-kit", "test-extensions"}
    assert named - ours == set(PACKAGE["scripts"]) - ours


def test_the_readme_names_files_that_a_newcomer_meets() -> None:
    layout = README.split("```\napi/api.py")[1].split("```")[0]
    for place in re.findall(r"^(\S+)", "api/api.py" + layout, re.M):
        assert list(ROOT.glob(place)), place


def test_the_versions_of_the_readme_are_those_that_the_project_checks() -> None:
    python = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    oldest_node = re.search(r"(\d+\.\d+) or newer and", README)[1]
    oldest_python = re.search(r"/\) (\d+\.\d+) or newer", README)[1]
    assert PACKAGE["engines"]["node"].startswith(f"^{oldest_node}.0 ")
    assert f'requires-python = ">={oldest_python}"' in python
