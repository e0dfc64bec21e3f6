"""The contract of create-react-app 5: its users' src/ and public/ work unchanged."""

import json
import os
import re
import shutil
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from projects import copy_with_packages, put_packages, replace_page, show_build
from servers import ROOT, Command, certificate, edit, started, succeed, wait_for

FIXTURE = ROOT / "kit/node/tests/cra_app"
PACKAGES = (
    "browserslist",
    "browserslist-to-esbuild",
    "sass",
    "vite-plugin-svgr",
    # Of what the templates list, the rest is here already, or types for editors only.
    "@testing-library/user-event@^13.2.1",
    "web-vitals@^2.1.0",
)
TEMPLATES = ("cra-template", "cra-template-typescript")
SECRET = "must-not-leave-this-machine"
FILES = {
    ".env": f"""
# Comments and blank lines are allowed.
REACT_APP_TITLE=wrong, as the next files say
SECRET_TOKEN={SECRET}
PROXIED_BY='src/setupProxy.js'
REACT_APP_LOCAL="not in tests"
REACT_APP_GREETING=Hello from ${{REACT_APP_TITLE}}
REACT_APP_PRICE=\\$5
REACT_APP_COLOR=#010203
SASS_PATH=src/sass
""",
    ".env.local": "REACT_APP_LOCAL=local\n",
    ".env.development": "REACT_APP_TITLE=The fixture\nREACT_APP_LOCAL=wrong\n",
    ".env.production": "REACT_APP_TITLE=The fixture\n",
    ".env.test": "REACT_APP_TITLE=The fixture\n",
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_with_packages(tmp_path_factory.mktemp("create-react-app"), *PACKAGES)


@pytest.fixture
def app(installed: Path) -> Path:
    """Put the fixture's src/ and public/ in the place of ours."""
    return put_fixture(installed)


def put_fixture(project: Path) -> Path:
    replace_page(project, FIXTURE)
    shutil.copy(FIXTURE / "tsconfig.json", project)
    put_packages(project, FIXTURE)
    png = (project / "src/small.png").read_bytes()
    (project / "src/big.png").write_bytes(png + bytes(10_000))
    for name, text in FILES.items():
        (project / name).write_text(text, encoding="utf-8")
    return project


@pytest.fixture(scope="module")
def built(installed: Path) -> Path:
    """Build the fixture for browsers without `?.`, and for a place below the root."""
    put_fixture(installed)
    file = installed / "package.json"
    before = file.read_text()
    place = {"homepage": "https://example.com/below"}
    browsers = {"browserslist": {"production": ["chrome 60"]}}
    file.write_text(json.dumps(json.loads(before) | place | browsers))
    output = succeed(installed, "build", CI="true", BUILD_PATH="built/fixture")
    file.write_text(before)
    assert "gzip: " in output
    return installed / "built/fixture"


def test_the_build_has_create_react_apps_layout(built: Path) -> None:
    manifest = json.loads((built / "asset-manifest.json").read_text())
    found = [file for file in built.rglob("*") if file.is_file()]
    files = {file.relative_to(built).as_posix() for file in found}
    # What a server compresses by itself there, and what the next build may delete.
    ours = (".br", ".gz", ".made-by-builds.json")
    files = {file for file in files if not file.endswith(ours)}
    assert set(manifest["files"].values()) == {
        f"/below/{file}" for file in files - {"asset-manifest.json", "icon.svg"}
    }
    assert set(manifest["entrypoints"]) < files
    assert {"main.js", "main.css", "named-part.js", "index.html"} < set(
        manifest["files"]
    )
    names = {re.sub(r"\.[\w-]{8}\.(?=\w)", ".[hash].", file) for file in files}
    assert names == {
        "asset-manifest.json",
        "icon.svg",
        "index.html",
        "service-worker.js",
        "static/css/main.[hash].css",
        "static/js/main.[hash].js",
        "static/js/named-part.[hash].chunk.js",
        "static/js/worker.[hash].chunk.js",
        "static/media/big.[hash].png",
        "static/media/fixture.[hash].woff2",
        "static/media/logo.[hash].svg",
        "static/media/table.[hash].csv",
    }


def test_the_build_shows_what_development_shows(page: Page, built: Path) -> None:
    show_build(page, built, "http://built.test/below/")
    page.goto("http://built.test/below/some/where")
    expect_page(page, environment="production", public_url="/below")


def test_the_build_is_for_the_browsers_of_package_json(built: Path) -> None:
    scripts = [file.read_text() for file in built.rglob("static/js/*.js")]
    assert "?." in (FIXTURE / "src/components/Button.js").read_text()
    assert [text for text in scripts if re.search(r"\?\.\D|\?\?", text)] == []


def test_nothing_leaks_into_the_build(built: Path) -> None:
    texts = [file.read_bytes() for file in built.rglob("*") if file.is_file()]
    assert any(b"Hello from The fixture" in text for text in texts)
    assert [text for text in texts if SECRET.encode() in text] == []
    assert [text for text in texts if str(built.parents[1]).encode() in text] == []


def expect_page(page: Page, *, environment: str, public_url: str = "") -> None:
    """Expect each kind of import and setting to have had its effect."""
    expect(page).to_have_title("The fixture")
    meta = page.locator("meta[name=environment]")
    assert meta.get_attribute("content") == environment
    icon = page.locator("link[rel=icon]").get_attribute("href")
    assert icon == f"{public_url}/icon.svg"
    texts = {
        "title": "The fixture",
        "greeting": "Hello from The fixture",
        "price": "$5",
        "color": "#010203",
        "local": "local",
        "secret": "undefined",
        "unknown": "undefined",
        "environment": environment,
        "public-url": public_url,
        "cjs": f"default of cjs-package, named of cjs-package, {environment}",
        "mjs": "mjs-package",
        "global": "object",
        "json": "42",
        "typescript": "this is typed",
        "lazy": "lazy",
        "worker": "42 in The fixture",
    }
    for id, text in texts.items():
        expect(page.locator(f"#{id}")).to_have_text(text)
    for selector, color in {
        ".from-css": "rgb(1, 2, 3)",
        ".from-sass span": "rgb(4, 5, 6)",
        ".from-package": "rgb(10, 11, 12)",
        "[class^=Button_button__]": "rgb(7, 8, 9)",
    }.items():
        expect(page.locator(selector)).to_have_css("color", color)
    is_inline = (
        page.locator("#small").get_attribute("src").startswith("data:image/png;")
    )
    assert is_inline == (environment == "production")
    assert "big" in page.locator("#big").get_attribute("src")
    assert "logo" in page.locator("#svg").get_attribute("src")
    expect(page.locator("svg#component[stroke-width='2'] > title")).to_have_text("Logo")
    for selector in ("#small", "#big", "#svg"):
        image = page.locator(selector)
        assert image.evaluate("image => image.decode().then(() => image.naturalWidth)")
    link = page.locator("#file").evaluate("link => link.href")
    read = "async (link) => (await fetch(link)).text()"
    assert page.evaluate(read, link) == "name,value\n"


class TestDevelopment:
    """One development server; what its tests edit is no other test's concern."""

    @pytest.fixture(scope="class")
    def app(self, installed: Path) -> Path:
        return put_fixture(installed)

    @pytest.fixture(scope="class")
    def server(self, app: Path) -> Iterator[tuple[Command, str]]:
        editor = app / "editor.sh"
        editor.write_text('#!/bin/sh\necho "$@" > opened\n')
        editor.chmod(0o755)
        with started(app, REACT_EDITOR=str(editor)) as server:
            yield server

    def test_an_error_in_the_page_is_shown_over_it(
        self, page: Page, app: Path, server: tuple[Command, str]
    ) -> None:
        page.goto(server[1])
        overlay = page.locator("vite-error-overlay")
        page.get_by_role("button", name="throw").click()
        expect(overlay).to_contain_text("Error: thrown by a click")
        expect(overlay.locator(".file")).to_contain_text("src/App.js:")
        expect(overlay.locator(".frame")).to_contain_text("throw new Error('thrown")
        page.keyboard.press("Escape")
        # Each request that fails shows the error: the fix must come after them.
        with page.expect_response(
            lambda it: "/src/App.js" in it.url and it.status == 500
        ):
            edit(app / "src/App.js", "'./data.json'", "'./no.json'")
        expect(overlay).to_contain_text("./no.json")
        expect(overlay.locator(".file")).to_contain_text("src/App.js")
        edit(app / "src/App.js", "'./no.json'", "'./data.json'")
        expect(page.get_by_role("heading")).to_have_text("A fixture")
        expect(overlay).to_have_count(0)

    @pytest.mark.skipif(os.name == "nt", reason="the editor is a shell script")
    def test_a_place_in_the_overlay_opens_react_editor(
        self, app: Path, server: tuple[Command, str]
    ) -> None:
        place = f"{server[1]}/__open-in-editor?file=src/App.js:3:1"
        headers = {"Sec-Fetch-Site": "same-origin"}
        urllib.request.urlopen(urllib.request.Request(place, headers=headers)).close()
        opened = app / "opened"
        wait_for(lambda: opened.exists() and opened.read_text(), "the editor")
        assert "src/App.js" in opened.read_text()

    def test_it_keeps_the_contract(
        self, page: Page, app: Path, server: tuple[Command, str]
    ) -> None:
        command, url = server
        page.goto(url)
        expect_page(page, environment="development")
        with urllib.request.urlopen(f"{url}/set-up") as answer:
            assert json.loads(answer.read()) == {"by": "src/setupProxy.js"}
        page.get_by_role("button", name="pressed").click()
        button, typed = (
            app / "src/components/Button.js",
            app / "src/components/Typed.tsx",
        )
        edit(button, "pressed {", "was pressed {")
        expect(page.get_by_text("was pressed 1")).to_be_visible()
        edit(typed, "{name as string} is", "{name as string} was")
        expect(page.get_by_text("this was typed")).to_be_visible()
        expect(page.get_by_text("was pressed 1")).to_be_visible()
        (app / "src/later").mkdir()
        later = typed.read_text().replace("{name as string} was", "{name} came later")
        (app / "src/later/Typed.tsx").write_text(later)
        edit(app / "src/App.js", "'components/Typed'", "'later/Typed'")
        expect(page.get_by_text("this came later")).to_be_visible()
        edit(app / "public/index.html", "%REACT_APP_TITLE%", "%REACT_APP_MISSING%!")
        # As it was there, and told in the terminal.
        expect(page).to_have_title("%REACT_APP_MISSING%!")
        command.prints("REACT_APP_MISSING is not set")


def test_tests_written_for_jest_pass(app: Path) -> None:
    command = ["node", "kit/node", "test-frontend", "--coverage"]
    done = subprocess.run(
        command,
        cwd=app,
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search("Test Files +3 passed", done.stdout)
    assert re.search(r"Tests +10 passed \| 1 skipped", done.stdout)
    assert re.search(r"Button.js +\| +100 ", done.stdout)
    assert (app / "coverage/lcov.info").is_file()


def test_the_page_can_live_below_a_public_url(page: Page, app: Path) -> None:
    with started(app, PUBLIC_URL="https://example.com/below/") as (_command, url):
        page.goto(f"{url}/some/where")
        assert page.url == f"{url}/below/some/where"
        expect_page(page, environment="development", public_url="/below")
        assert page.request.get(f"{url}/below/icon.svg").ok


@pytest.mark.skipif(not shutil.which("openssl"), reason="makes the certificate")
def test_https_uses_the_certificate_it_is_given(app: Path) -> None:
    files = {"SSL_KEY_FILE": "key.pem", "SSL_CRT_FILE": "certificate.pem"}
    certificate(app / "certificate.pem", app / "key.pem")
    with started(app, HTTPS="true", **files) as (_command, url):
        secure = ssl.create_default_context(cafile=app / "certificate.pem")
        address = url.replace("http:", "https:")
        with urllib.request.urlopen(f"{address}/icon.svg", context=secure) as answer:
            assert answer.status == 200


@pytest.fixture(scope="module")
def templates(installed: Path) -> Path:
    """Download the templates as npm gives them to create-react-app."""
    pack = [shutil.which("npm"), "pack", "--silent", *TEMPLATES]
    subprocess.run(pack, cwd=installed, check=True, timeout=60)
    for name in TEMPLATES:
        # Followed by the version: the other template has more in its name.
        (archive,) = installed.glob(f"{name}-[0-9]*.tgz")
        shutil.unpack_archive(archive, installed / name, filter="data")
    return installed


@pytest.mark.parametrize("source_map", ["true", ""])
@pytest.mark.parametrize("name", TEMPLATES)
def test_the_newest_template_builds(
    templates: Path, name: str, source_map: str
) -> None:
    put_template(templates, name)
    succeed(templates, "build", CI="true", GENERATE_SOURCEMAP=source_map)
    assert any((templates / "build").rglob("*.map*")) == bool(source_map)


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_newest_template_runs(page: Page, templates: Path, name: str) -> None:
    put_template(templates, name)
    assert "1 passed" in succeed(templates, "test-frontend")
    entry = next((templates / "src").glob("App.[jt]s*"))
    with started(templates) as (_command, url):
        messages = []
        page.on("console", lambda message: messages.append(message.text))
        page.goto(url)
        expect(page).to_have_title("React App")
        expect(page.get_by_text("Learn React")).to_be_visible()
        assert page.locator("img").evaluate("image => image.decode()") is None
        edit(entry, "Learn React", "Learn it")
        expect(page.get_by_text("Learn it")).to_be_visible()
        assert [text for text in messages if "rror" in text] == []


def put_template(project: Path, name: str) -> None:
    replace_page(project, project / name / "package/template")
    for file in (*FILES, "tsconfig.json"):
        (project / file).unlink(missing_ok=True)
