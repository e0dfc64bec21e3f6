"""What create-react-app makes today runs here unchanged."""

import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import copy_with_packages, replace_page
from playwright.sync_api import Page, expect
from servers import edit, started, succeed

# Of what the templates list, the rest is here already, or types that only editors read.
PACKAGES = ("@testing-library/user-event@^13.2.1", "web-vitals@^2.1.0")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_with_packages(tmp_path_factory.mktemp("template"), *PACKAGES)


@pytest.mark.parametrize("name", ["cra-template", "cra-template-typescript"])
def test_the_newest_template_runs(page: Page, installed: Path, name: str) -> None:
    template = fetch_template(installed, name)
    replace_page(installed, template)
    assert "1 passed" in succeed(installed, "test-page")
    for setting in ("true", ""):
        succeed(installed, "build", CI="true", GENERATE_SOURCEMAP=setting)
        assert any((installed / "build").rglob("*.map*")) == (setting == "true")
    entry = next((installed / "src").glob("App.[jt]s*"))
    with started(installed) as (_command, url):
        messages = []
        page.on("console", lambda message: messages.append(message.text))
        page.goto(url)
        expect(page).to_have_title("React App")
        expect(page.get_by_text("Learn React")).to_be_visible()
        assert page.locator("img").evaluate("image => image.decode()") is None
        edit(entry, "Learn React", "Learn it")
        expect(page.get_by_text("Learn it")).to_be_visible()
        assert [text for text in messages if "rror" in text] == []


def fetch_template(project: Path, name: str) -> Path:
    """Download a template as npm gives it to create-react-app."""
    folder = project / name
    folder.mkdir()
    pack = [shutil.which("npm"), "pack", "--silent", name]
    subprocess.run(pack, cwd=folder, check=True, timeout=60)
    shutil.unpack_archive(next(folder.glob("*.tgz")), folder, filter="data")
    return folder / "package/template"
