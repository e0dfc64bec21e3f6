"""README.md, "Your first route": what a newcomer does first leaves all green."""

import re
from pathlib import Path

import pytest
from guides.following import assert_all_green
from playwright.sync_api import Page, expect
from projects import copy_project
from servers import ROOT, edit, serving


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = copy_project(tmp_path_factory.mktemp("first-route"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.split("## Your first route")[1].split("\n## ")[0]
    route, hook, element = re.findall(r"```\w+\n(.*?)```", section, re.DOTALL)
    api = project / "api/api.py"
    api.write_text(f"{api.read_text(encoding='utf-8')}\n\n{route}", encoding="utf-8")
    start = "export default function App() {\n"
    edit(project / "src/App.js", start, start + hook)
    edit(project / "src/App.js", "    </main>", f"{element}    </main>")
    return project


def test_the_project_is_green(project: Path) -> None:
    assert_all_green(project)


def test_the_page_greets(project: Path, page: Page) -> None:
    with serving(project) as server:
        page.goto(server.url)
        expect(page.get_by_text("Hello, you!")).to_be_visible()
