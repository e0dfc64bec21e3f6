"""The page, its styles and its service worker are what react-scripts 5 made of them."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from projects import copy_with_packages, put_packages, replace_page, show_build
from servers import (
    PRODUCTION,
    ROOT,
    edit,
    is_answering,
    running,
    serving,
    started,
    succeed,
    wait_for,
)

FIXTURE = ROOT / "kit/node/tests/page_app"
PWA = "cra-template-pwa"
PACKAGES = (
    "sass",
    # What the template of progressive web apps lists.
    "web-vitals@^2.1.0",
    "workbox-core@^6.4.1",
    "workbox-expiration@^6.4.1",
    "workbox-precaching@^6.4.1",
    "workbox-routing@^6.4.1",
    "workbox-strategies@^6.4.1",
)
# Written here, as no formatter of HTML reads a template.
PAGE = """<!DOCTYPE html>
<html lang="en">
  <!-- This is not the <head>, and "%PUBLIC_URL%" is read. -->
  <head>
    <meta charset="utf-8">
    <title>
      <%= htmlWebpackPlugin.options.title %> of <%- process.env.REACT_APP_OWNER %>
    </title>
    <link rel="stylesheet" href="%PUBLIC_URL%/x.css" />
    <link rel="stylesheet" href="x.css" media="print">
    <link rel="icon" href="%PUBLIC_URL%/logo.svg"><link rel=author href="//a.example/">
    <style>
      .from-style { color: rgb(1, 2, 3); background: url(%PUBLIC_URL%/logo.svg) }
    </style>
    <script src="%PUBLIC_URL%/lib.js"></script>
    <script>
      window.inline =
        '%REACT_APP_OWNER%, %REACT_APP_NOBODY%, %UNKNOWN%, %FAST_REFRESH%';
    </script>
    <% if (process.env.NODE_ENV === 'production') { %>
    <meta name="only" content="production">
    <% } else { // this is the page of development %>
    <meta name="only" content="development">
    <% } %>
  </head>
  <body>
    <noscript><img src="%PUBLIC_URL%/logo.svg" alt=""></noscript>
    <p class="from-public from-style" style="border-image: url(%PUBLIC_URL%/logo.svg)">
      <% ['one', 'two'].forEach((word) => { %><b><%= word %></b><% }) %>
    </p>
    <img id="logo" src="%PUBLIC_URL%/logo.svg" alt="">
    <div id="root"></div>
  </body>
</html>
"""
# Nothing of them means anything here, and none may do harm.
UNUSED = {
    "CHOKIDAR_USEPOLLING": "false",
    "DISABLE_ESLINT_PLUGIN": "true",
    "DISABLE_NEW_JSX_TRANSFORM": "true",
    "ESLINT_NO_DEV_ERRORS": "true",
    "EXTEND_ESLINT": "true",
    "FAST_REFRESH": "false",
    "INLINE_RUNTIME_CHUNK": "false",
    "NODE_PATH": "src/",
    "SKIP_PREFLIGHT_CHECK": "true",
    "TSC_COMPILE_ON_ERROR": "true",
    "WDS_SOCKET_HOST": "socket.example",
    "WDS_SOCKET_PATH": "/socket",
    "WDS_SOCKET_PORT": "1",
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = copy_with_packages(tmp_path_factory.mktemp("page"), *PACKAGES)
    put_packages(project, FIXTURE)
    return project


@pytest.fixture
def app(installed: Path) -> Path:
    replace_page(installed, FIXTURE)
    shutil.copy(FIXTURE / "jsconfig.json", installed)
    (installed / "public/index.html").write_text(PAGE)
    (installed / ".env").write_text("REACT_APP_OWNER=A & B\nSASS_PATH=src/sass\n")
    shutil.rmtree(installed / "build", ignore_errors=True)
    return installed


def expect_page(page: Page, url: str, environment: str, public: str = "") -> None:
    """Expect index.html as it was written, and a rule for each name of a class."""
    failed = []
    page.on("response", lambda it: failed.append(it.url) if it.status > 399 else None)
    page.goto(url)
    expect(page.locator("#plain")).to_have_css("color", "rgb(7, 0, 0)")
    expect(page).to_have_title("Webpack App of A & B")
    only = page.locator("meta[name=only]")
    assert only.get_attribute("content") == environment
    assert page.evaluate("inline").startswith("A & B, %REACT_APP_NOBODY%, %UNKNOWN%, ")
    assert page.evaluate("fromLib") == "undefined, 4"
    expect(page.locator("b")).to_have_text(["one", "two"])
    expect(page.locator(".from-style")).to_have_css("color", "rgb(1, 2, 3)")
    expect(page.locator(".from-public")).to_have_css("border-top-color", "rgb(4, 5, 6)")
    assert page.locator("#logo").get_attribute("src") == f"{public}/logo.svg"
    style = page.locator(".from-style").get_attribute("style")
    assert style == f"border-image: url({public}/logo.svg)"
    for id, (name, red) in {
        "button": (r"Button_button__[\w-]{5}", 1),
        "card": (r"Card_styles_card__[\w-]{5}", 2),
        "composed": (r"Card_styles_composed__\S+ shared_shared__\S+", 3),
        "col": (r"_2col_col__[\w-]{5}", 4),
        "my": (r"My-Card_my__[\w-]{5}", 5),
        "odd": (r"näme---x-_a-b__[\w-]{5}", 6),
        "sass": ("from-sass", 8),
        "indented": ("indented", 8),
    }.items():
        element = page.locator(f"#{id}")
        expect(element).to_have_css("color", f"rgb({red}, 0, 0)")
        expect(element).to_have_class(re.compile(f"^{name}$"))
    sass = page.locator("#sass")
    expect(sass).to_have_css("border-top-color", "rgb(9, 9, 9)")
    expect(sass).to_have_css("height", "7px")
    for name, file in {
        "background-image": "bg",
        "border-image-source": "part",
        "list-style-image": "part",
    }.items():
        value = sass.evaluate("(it, name) => getComputedStyle(it)[name]", name)
        for address in re.findall(r'url\("([^"]+)"\)', value):
            assert re.search(rf"/({file}|logo)(\.[\w-]{{8}})?\.svg$", address)
            kind = "async (it) => (await fetch(it)).headers.get('content-type')"
            assert page.evaluate(kind, address) == "image/svg+xml"
    assert page.evaluate("document.fonts.load('9px icons').catch(String)")
    values = json.loads(page.locator("#variables").inner_text())
    assert values == {"color": "rgb(8, 0, 0)", "wide": "12px"}
    assert failed == []
    author = page.locator("link[rel=author]")
    expect(author).to_have_attribute("href", "https://a.example/")


def expect_deprecations(output: str) -> None:
    """Expect one line for each kind, and none about packages."""
    lines = [line for line in output.splitlines() if "told once" in line]
    assert sorted(re.findall(r"\(([\w-]+), told once\)", "\n".join(lines))) == [
        "import",
        "slash-div",
    ]
    assert all("[sass] src/deep/page.scss:" in line for line in lines)


@pytest.mark.parametrize("public", ["", "/app"])
def test_development_shows_the_page(page: Page, app: Path, public: str) -> None:
    with started(app, PUBLIC_URL=public, **UNUSED) as (command, url):
        expect_page(page, f"{url}{public}/any/where", "development", public)
        expect_deprecations(command.output)
        command.prints("REACT_APP_NOBODY is not set")
        edit(app / "src/variables.scss", "12px", "13px")
        expect(page.locator("#variables")).to_contain_text("13px")


@pytest.mark.parametrize(
    ("public", "settings"),
    [
        ("", UNUSED),
        ("/app", {"PUBLIC_URL": "/app"}),
        ("/sub", {"homepage": "https://x.example/sub/"}),
    ],
)
def test_production_shows_the_page(
    page: Page, app: Path, public: str, settings: dict
) -> None:
    with homepage(app, settings) as env:
        output = succeed(app, "build", CI="true", **env)
        assert output.count("rules are deprecated") == 1
        with serving(app, **env) as server:
            expect_page(page, f"{server.url}/any/where", "production", public)
            assert page.url == f"{server.url}{public}/any/where"


def test_a_build_for_anywhere_shows_the_page(page: Page, app: Path) -> None:
    with homepage(app, {"homepage": "."}):
        succeed(app, "build", CI="true")
    place = "http://built.test/any/where/"
    show_build(page, app / "build", place)
    expect_page(page, place, "production", ".")


def test_a_fault_in_index_html_is_named(page: Page, app: Path) -> None:
    html = app / "public/index.html"
    with started(app) as (command, url):
        page.goto(url)
        expect(page.locator("#plain")).to_be_visible()
        edit(html, "['one', 'two']", "unknown['one', 'two']")
        overlay = page.locator("vite-error-overlay")
        message = "public/index.html, line 29: unknown is not defined"
        expect(overlay).to_contain_text(message)
        expect(overlay.locator(".frame")).to_contain_text("29 | ")
        command.prints(message)
        assert page.request.get(url).status == 500
        edit(html, "unknown['one', 'two']", "['one', 'two']")
        expect(page.locator("#plain")).to_be_visible()
    edit(html, "<% ['one'", "<% ) ['one'")
    output = fail(app)
    assert "public/index.html, line 29: Unexpected token ')'" in output
    assert "    at " not in output
    assert not (app / "build/index.html").exists()


def test_a_style_that_names_no_file_is_an_error(page: Page, app: Path) -> None:
    message = "src/plain.css names ./missing.png, which is not there."
    edit(app / "src/plain.css", "url(images/bg.svg)", "url(./missing.png)")
    assert message in fail(app)
    with started(app) as (command, url):
        page.goto(url)
        expect(page.locator("vite-error-overlay")).to_contain_text(message)
        command.prints(message)
        edit(app / "src/plain.css", "url(./missing.png)", "none /* url(./old.png) */")
        page.reload()
        expect(page.locator("#plain")).to_be_visible()
    edit(app / "src/plain.css", "none", "url(/api/no.png)")
    output = succeed(app, "build", CI="true")
    assert "src/plain.css names /api/no.png, which is not in public/" in output
    edit(app / "src/plain.css", "styles/imported.css", "styles/nowhere.css")
    assert "styles/nowhere.css" in fail(app)


PACKAGE = {
    "package.json": '{ "name": "odd", "module": "src/index.js" }',
    "src/index.js": """
        import { b } from './b.js';
        export const a = () => b && eval('1 + 1');
        export default a;
        //# sourceMappingURL=missing.js.map
    """,
    "src/b.js": "import { a } from './index.js'; export const b = () => a, c = 1;",
}


@pytest.mark.parametrize(
    ("code", "env", "message"),
    [
        # What is wrong with a package is not the app's.
        ("import 'odd'; import { a } from 'odd'; window.a = a();", {"CI": "true"}, ""),
        ("import('./lazy'); import './lazy';", {"CI": "true"}, ""),
        ("'use client'; /* @__PURE__ */ window.a = 1;", {"CI": "true"}, ""),
        ("window.a = eval('1');", {"CI": "true"}, "Treating warnings as errors"),
        ("window.a = eval('1');", {"CI": "false"}, ""),
        (
            "import * as lazy from './lazy'; window.a = lazy.missing;",
            {"CI": "1"},
            "Treating warnings as errors",
        ),
        # These would fail in the browser.
        ("import { missing } from './lazy'; missing();", {}, "missing"),
        ("import './nowhere';", {}, "./nowhere"),
        ("import 'no-package';", {}, "no-package"),
    ],
)
def test_only_warnings_about_the_app_are_errors(
    app: Path, code: str, env: dict, message: str
) -> None:
    for name, text in PACKAGE.items():
        file = app / "node_modules/odd" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (app / "src/index.js").write_text(code)
    (app / "src/lazy.js").write_text("export default 1;")
    if message:
        assert message in fail(app, **env)
    else:
        succeed(app, "build", **env)


def test_a_build_deletes_only_what_builds_have_made(app: Path) -> None:
    web = app / "web"
    web.mkdir(exist_ok=True)
    for name in ("notes.txt", "static/js/theirs.js"):
        (web / name).parent.mkdir(parents=True, exist_ok=True)
        (web / name).write_text("theirs")
    (app / "src/index.js").write_text("window.a = 1;")
    succeed(app, "build", BUILD_PATH="web")
    (first,) = (web / "static/js").glob("main.*.js")
    (app / "src/index.js").write_text("window.a = 2;")
    (app / "public/lib.js").unlink()
    succeed(app, "build", BUILD_PATH=str(web))
    assert (web / "notes.txt").read_text() == "theirs"
    assert (web / "static/js/theirs.js").read_text() == "theirs"
    assert not (web / "lib.js").exists()
    # A page that is open may ask for it.
    assert first.exists()
    assert len([*(web / "static/js").glob("main.*.js")]) == 2


@pytest.mark.parametrize(
    "place",
    [".", "..", "src", "src/built", "./public/", "node_modules", "kit", "api", "{app}"],
)
def test_a_build_does_not_go_where_other_files_are(app: Path, place: str) -> None:
    before = {file for file in app.rglob("*") if "node_modules" not in file.parts}
    output = fail(app, BUILD_PATH=place.format(app=app / "src/../public"))
    assert "Set BUILD_PATH (or build.outDir) to a folder of its own" in output
    after = {file for file in app.rglob("*") if "node_modules" not in file.parts}
    assert {file.name for file in after - before if file.suffix != ".log"} == set()


def test_a_build_may_go_below_the_folder_of_the_api(app: Path) -> None:
    succeed(app, "build", BUILD_PATH="api/page")
    assert (app / "api/page/index.html").exists()
    shutil.rmtree(app / "api/page")


@pytest.fixture(scope="module")
def template(installed: Path) -> Path:
    """Download the template of progressive web apps as npm gives it."""
    pack = [shutil.which("npm"), "pack", "--silent", PWA]
    subprocess.run(pack, cwd=installed, check=True, timeout=60)
    (archive,) = installed.glob(f"{PWA}-*.tgz")
    shutil.unpack_archive(archive, installed / PWA, filter="data")
    return installed / PWA / "package/template"


@pytest.fixture
def pwa(app: Path, template: Path) -> Path:
    replace_page(app, template)
    (app / "jsconfig.json").unlink()
    edit(app / "src/index.js", "Registration.unregister()", "Registration.register()")
    return app


@pytest.fixture
def fresh_page(browser: Browser) -> Iterator[Page]:
    """Give a page whose service workers no other test has."""
    with browser.new_context() as context:
        yield context.new_page()


CONTROLLED = (
    "navigator.serviceWorker.ready.then(() => !!navigator.serviceWorker.controller)"
)
REGISTERED = "navigator.serviceWorker.getRegistrations().then((all) => all.length)"


@pytest.mark.parametrize("public", ["", "/app"])
def test_a_service_worker_shows_the_app_offline(
    fresh_page: Page, pwa: Path, public: str
) -> None:
    env = {"CI": "true", "PUBLIC_URL": public}
    output = succeed(pwa, "build", GENERATE_SOURCEMAP="true", **env)
    assert "warning" not in output.lower()
    with serving(pwa) as server:
        fresh_page.goto(f"{server.url}{public}/")
        fresh_page.wait_for_function(CONTROLLED)
        with fresh_page.expect_response(f"**{public}/service-worker.js") as answer:
            fresh_page.evaluate(f"fetch('{public}/service-worker.js')")
        assert answer.value.headers["cache-control"] == "no-cache"
    fresh_page.goto(f"{server.url}{public}/some/where")
    expect(fresh_page.get_by_text("Learn React")).to_be_visible()


def test_a_service_worker_knows_the_files_of_the_build(pwa: Path) -> None:
    listed = []
    for text in ("Learn React", "Learn it"):
        edit(pwa / "src/App.js", "Learn React", text)
        succeed(pwa, "build")
        worker = (pwa / "build/service-worker.js").read_text()
        entries = re.findall(r'url:`?"?([^"`]+)"?`?,revision:([^}]+)}', worker)
        listed.append(dict(entries))
        files = {f"/{name}" for name in made_by_build(pwa / "build", pwa / "public")}
        unlisted = {"/asset-manifest.json", "/service-worker.js"}
        # Those of the build before stay for a while.
        assert set(listed[-1]) <= files - unlisted
        assert "__WB_MANIFEST" not in worker
        assert "process.env" not in worker
    first, second = listed
    (main,) = (url for url in second if url.startswith("/static/js/main."))
    assert main not in first
    assert second[main] == "null"
    assert first["/index.html"] != second["/index.html"]
    manifest = json.loads((pwa / "build/asset-manifest.json").read_text())
    assert manifest["files"]["service-worker.js"] == "/service-worker.js"


def made_by_build(build: Path, public: Path) -> set[str]:
    """List the files of a build that a browser asks for, but for those of public/."""
    names = {file.relative_to(build).as_posix() for file in build.rglob("*")}
    copied = {file.relative_to(public).as_posix() for file in public.rglob("*")}
    return {
        name
        for name in names - (copied - {"index.html"})
        if not name.endswith((".br", ".gz", ".made-by-builds.json", ".map"))
    }


@pytest.mark.parametrize("successor", ["development", "production"])
def test_an_old_service_worker_ends(
    fresh_page: Page, pwa: Path, successor: str
) -> None:
    succeed(pwa, "build")
    with serving(pwa) as server:
        fresh_page.goto(server.url)
        fresh_page.wait_for_function(CONTROLLED)
    for part in ("service-worker", "serviceWorkerRegistration"):
        (pwa / f"src/{part}.js").unlink()
    (pwa / "src/index.js").write_text("document.body.append('the next app');")
    port = {"PORT": str(server.port)}
    if successor == "development":
        command = running(pwa, "start", **port)
    else:
        shutil.rmtree(pwa / "build")
        succeed(pwa, "build")
        command = running(pwa, PRODUCTION, **port)
    with command:
        wait_for(lambda: is_answering(server.port), "the next app")
        # It is the old app's page that is shown first.
        fresh_page.goto(server.url)
        expect(fresh_page.get_by_text("the next app")).to_be_visible()
        fresh_page.wait_for_function(f"{REGISTERED}.then((number) => number === 0)")


def test_the_service_worker_in_public_is_the_apps(page: Page, app: Path) -> None:
    (app / "public/service-worker.js").write_text("// own")
    with started(app) as (_command, url):
        assert page.request.get(f"{url}/service-worker.js").text() == "// own"
    succeed(app, "build")
    assert (app / "build/service-worker.js").read_text() == "// own"


def fail(project: Path, **env: str) -> str:
    """Build, which must not succeed; return what was printed."""
    with running(project, "build", **env) as command:
        assert command.popen.wait(timeout=100) == 1, command.output
        return command.output


@contextmanager
def homepage(app: Path, settings: dict) -> Iterator[dict]:
    """Write what of the settings is package.json's, for a while."""
    file = app / "package.json"
    before = file.read_text()
    own = {name: settings[name] for name in ("homepage",) if name in settings}
    file.write_text(json.dumps(json.loads(before) | own))
    try:
        yield {name: value for name, value in settings.items() if name not in own}
    finally:
        file.write_text(before)
