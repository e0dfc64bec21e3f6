"""What webpack and Babel made of old code runs as it did: CommonJS, and more.

expected.json of the fixture says it for development, builds and tests alike.
"""

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from projects import copy_with_packages, put_packages, replace_page, show_build
from servers import (
    ROOT,
    Command,
    edit,
    free_port,
    get,
    running,
    started,
    succeed,
)

FIXTURE = ROOT / "kit/node/tests/webpack_app"
EXPECTED = json.loads((FIXTURE / "src/expected.json").read_text(encoding="utf-8"))
ENV = "REACT_APP_LANGUAGE=de\nIMAGE_INLINE_SIZE_LIMIT=0\n"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("webpack-app")
    return copy_with_packages(folder, "flow-remove-types", "express@^4", "whatwg-fetch")


@pytest.fixture
def app(installed: Path) -> Path:
    return put_fixture(installed)


def put_fixture(project: Path) -> Path:
    replace_page(project, FIXTURE)
    shutil.copy(FIXTURE / "jsconfig.json", project)
    (project / ".env").write_text(ENV, encoding="utf-8")
    put_packages(project, FIXTURE)
    return project


def expect_values(page: Page, values: dict = EXPECTED) -> None:
    shown = page.locator("#values")
    expect(shown).to_be_attached()
    assert json.loads(shown.text_content()) == values


class TestDevelopment:
    @pytest.fixture(scope="class")
    def app(self, installed: Path) -> Path:
        return put_fixture(installed)

    @pytest.fixture(scope="class")
    def server(self, app: Path) -> Iterator[tuple[Command, str]]:
        with started(app) as server:
            yield server

    def test_it_gives_the_code_what_webpack_gave(
        self, page: Page, server: tuple[Command, str]
    ) -> None:
        page.goto(server[1])
        expect_values(page)
        assert "warning" not in server[0].output

    def test_a_new_file_in_a_folder_is_there_at_once(
        self, page: Page, app: Path, server: tuple[Command, str]
    ) -> None:
        page.goto(server[1])
        expect_values(page)
        (app / "src/lang/fr.js").write_text("exports.code = 'fr';\n")
        expect(page.locator("#values")).to_contain_text('"./de.js","./en.js","./fr.js"')
        (app / "src/lang/fr.js").unlink()
        expect(page.locator("#values")).to_contain_text('["./de.js","./en.js"]')

    def test_a_module_may_change_from_commonjs_and_back(
        self, page: Page, app: Path, server: tuple[Command, str]
    ) -> None:
        page.goto(server[1])
        expect_values(page)
        file = app / "src/function.js"
        before = file.read_text()
        file.write_text("export default (number) => 3 * number;\n")
        expect(page.locator("#values")).to_contain_text(
            '"a function as module.exports":6'
        )
        file.write_text(before)
        expect(page.locator("#values")).to_contain_text(
            '"a function as module.exports":4'
        )

    def test_what_cannot_be_known_is_told_with_its_line(
        self, page: Page, app: Path, server: tuple[Command, str]
    ) -> None:
        command, url = server
        edit(app / "src/index.js", "\nvalues()", "window.find = require;\n\nvalues()")
        page.goto(url)
        expect_values(page)
        command.prints("src/index.js:2: require() is passed on; it will fail when it")
        edit(
            app / "src/index.js",
            "window.find = require;",
            "window.b = Buffer.from('');",
        )
        command.prints(
            "src/index.js:2: Buffer is Node.js's, and no browser has it: npm"
        )

    def test_flow_in_one_file_does_no_harm_to_the_others(
        self, page: Page, app: Path, server: tuple[Command, str]
    ) -> None:
        code = (
            "import type { Node } from 'react';\n"
            "type Props = { name: string, other?: ?number };\n"
            "export const flow = ({ name }: Props): string => (name: string);\n"
        )
        (app / "src/flow.js").write_text(code)
        with urllib.request.urlopen(f"{server[1]}/src/flow.js") as answer:
            assert b"export const flow = ({ name }) =>" in answer.read()


def test_the_build_gives_the_code_what_webpack_gave(page: Page, app: Path) -> None:
    output = succeed(app, "build", CI="true")
    assert "warning" not in output.lower()
    show_build(page, app / "build", "http://built.test/")
    page.goto("http://built.test/")
    expect_values(page)


def test_tests_give_the_code_what_webpack_gave(app: Path) -> None:
    assert "Tests  5 passed" in succeed(app, "test-frontend", NO_COLOR="1")


@pytest.mark.parametrize("name", ["start", "build"])
def test_an_import_of_a_package_that_needs_node_names_what_to_add(
    app: Path, name: str
) -> None:
    (app / "src/index.js").write_text("import os from 'os';\n\nos.cpus();\n")
    message = "src/index.js imports os, a module of Node.js that no browser has. Run: "
    if name == "build":
        with running(app, name) as command:
            assert command.popen.wait(timeout=60) == 1
            assert message in command.output
        return
    with started(app) as (command, url):
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(f"{url}/src/index.js")
        raised.value.close()
        command.prints(message)


def test_set_up_proxy_gets_a_server_of_express(app: Path) -> None:
    code = "module.exports = (app) => app.get('/a/:id', (q, r) => r.json(q.params));\n"
    (app / "src/setupProxy.js").write_text(code)
    with started(app) as (_command, url):
        assert get(f"{url}/a/7") == (200, {"id": "7"})
        with urllib.request.urlopen(f"{url}/src/values.js") as answer:
            assert answer.headers["X-Powered-By"] is None
    (app / "node_modules/express").rename(app / "node_modules/not-express")
    with running(app, "start", PORT=str(free_port())) as command:
        assert command.popen.wait(timeout=60) == 1
        assert command.output.count("Run: npm run add-frontend express") == 1
        assert "    at " not in command.output


@pytest.mark.skipif(os.name == "nt", reason="asks git")
def test_no_file_of_the_project_is_changed(app: Path) -> None:
    git = ["git", "-C", str(app)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "-A", "src", "public"], check=True)
    succeed(app, "build")
    with started(app) as (_command, url):
        urllib.request.urlopen(f"{url}/src/values.js").close()
    changed = subprocess.check_output([*git, "diff", "--name-only"], text=True)
    assert changed == ""
