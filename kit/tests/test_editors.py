"""An editor that opens the folder works: types, tests, breakpoints, format on save.

`code` itself does not run here. What is asked is what its extensions ask: pyright, the
language servers of Ruff and Biome, debugpy's adapter, and Chromium's debugger.
"""

import base64
import http.client
import json
import os
import re
import shutil
import string
import subprocess
import sys
import urllib.request
from contextlib import suppress
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from editor import debugging, language_server
from playwright.sync_api import Page, expect
from projects import copy_project
from servers import (
    ROOT,
    clean_env,
    edit,
    free_port,
    is_listening,
    python_of,
    started,
    succeed,
    wait_for,
)

# No packages of the project: an editor or its extensions bring them.
PYRIGHT = "pyright@1.1.414"
DEBUGPY = "debugpy==1.8.22"


def settings(name: str, folder: Path = ROOT) -> dict:
    """Read a file of .vscode/, whose comments have a line each."""
    text = (ROOT / ".vscode" / name).read_text(encoding="utf-8")
    text = text.replace("${workspaceFolder}", folder.as_posix())
    return json.loads(re.sub(r"^ *//.*$", "", text, flags=re.M))


def configuration(name: str, folder: Path = ROOT) -> dict:
    """Return a configuration of launch.json, as the system here has it."""
    found = settings("launch.json", folder)["configurations"]
    (chosen,) = (each for each in found if each["name"] == name)
    windows = chosen.pop("windows", {})
    return chosen | windows if os.name == "nt" else chosen


def command_of(task: str) -> list[str]:
    (chosen,) = (t for t in settings("tasks.json")["tasks"] if t.get("label") == task)
    return [chosen["command"], *chosen["args"]]


def test_the_interpreter_is_that_of_the_commands() -> None:
    folder = settings("settings.json")["python.defaultInterpreterPath"]
    assert python_of(ROOT).is_relative_to(folder)
    for name in ("API", "Tests of the API"):
        assert Path(configuration(name)["python"]) == python_of(ROOT)


def test_what_starts_before_a_debugger_is_what_the_commands_are() -> None:
    tasks = {task["label"]: task for task in settings("tasks.json")["tasks"]}
    wanted = {c.get("preLaunchTask") for c in settings("launch.json")["configurations"]}
    assert wanted == tasks.keys()
    scripts = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["scripts"]
    assert " ".join(command_of("start")) == scripts["start"]
    for name in ("prepare-api", "prepare-tests"):
        subprocess.run(command_of(name), cwd=ROOT, check=True, env=clean_env())


def test_both_servers_are_debugged_together() -> None:
    launch = settings("launch.json")
    names = {each["name"] for each in launch["configurations"]}
    (both,) = launch["compounds"]
    assert set(both["configurations"]) <= names


def test_each_extension_that_a_setting_speaks_of_is_recommended() -> None:
    kinds = {c["type"] for c in settings("launch.json")["configurations"]} - {"chrome"}
    formatters = {
        value["editor.defaultFormatter"]
        for name, value in settings("settings.json").items()
        if name.startswith("[")
    }
    wanted = formatters | {f"ms-python.{kind}" for kind in kinds}
    wanted |= {"ms-python.python", "vitest.explorer"}
    assert set(settings("extensions.json")["recommendations"]) == wanted


BOOKS = """
from flask import Blueprint

books = Blueprint("books", __name__)


@books.get("/books")
def list_books() -> list[str]:
    return ["Emma"]
"""
FACTORY = """
from books import books
from flask import Flask
from react_flask_kit import Kit
from shop import price

kit = Kit()


def create_app() -> Flask:
    app = Flask(__name__)
    kit.init_app(app)
    app.register_blueprint(books)
    app.config["PRICE"] = price
    return app
"""
TEST = """
from books import books
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from react_flask_kit import SettingError, problem
from shop import price


def test_books(client: FlaskClient, page: Page, site: str) -> None:
    assert books.name and price and problem and SettingError
    assert client.get("/books").json[0] == "Emma"
    assert page.goto(site).status == 200
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(tmp_path_factory.mktemp("typed"), installed=("api/venv",))


def pyright(project: Path, *args: str) -> list[str]:
    """Return what pyright reports of a project, by its own settings."""
    npx = shutil.which("npx")
    command = [npx, "--yes", PYRIGHT, "--outputjson", "--warnings", *args]
    done = subprocess.run(
        command, cwd=project, env=clean_env(), capture_output=True, timeout=100
    )
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] > 0
    return [
        f"{Path(each['file']).name}: {each['message']}"
        for each in report["generalDiagnostics"]
    ]


def test_pyright_reports_nothing(installed: Path) -> None:
    assert pyright(installed) == []


def test_pyright_knows_modules_packages_and_fixtures_of_an_app(installed: Path) -> None:
    files = {
        "api/books.py": BOOKS,
        "api/factory.py": FACTORY,
        "shop/__init__.py": "from .prices import price as price\n",
        "shop/prices.py": "price = 1\n",
        "tests/test_books.py": TEST,
    }
    for name, text in files.items():
        (installed / name).parent.mkdir(exist_ok=True)
        (installed / name).write_text(text, encoding="utf-8")
    assert pyright(installed) == []
    edit(installed / "tests/test_books.py", "from books", "from bookz")
    (report,) = pyright(installed)
    assert report.startswith('test_books.py: Import "bookz" could not be resolved')


UNTIDY = {
    "api/untidy.py": (
        "import sys\nimport os\nfrom typing import Optional\n"
        "def f( a :Optional[int] )->str:\n  return  os.sep+sys.platform\n"
    ),
    "tests/test_untidy.py": "def test_it( ):\n  assert   {'a':1}\n",
    "src/untidy.js": (
        'import { b } from "./b"\nimport { a } from "./a"\n'
        "export const f = ( x ) => { let y = a+b;  return x == null ? y:`c` }\n"
    ),
    "src/Untidy.jsx": "export default ()=><p  className='a' >text</p>\n",
    "src/untidy.css": "p{color:red;margin:0}\n",
    "src/untidy.json": '{"a":[1,2],   "b":{"c":null}}\n',
    "public/untidy.html": '<!doctype html><html lang="en"><body></body></html>\n',
    ".vscode/untidy.json": '{ // why\n"a":1 }\n',
}
LANGUAGES = {
    ".py": "python",
    ".js": "javascript",
    ".jsx": "javascriptreact",
    ".css": "css",
    ".json": "json",
    ".html": "html",
}
SERVERS = {"charliermarsh.ruff": "ruff", "biomejs.biome": "biome"}


@pytest.fixture(scope="module")
def formatted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """Give a project with untidy files, and what `npm run format` makes of them."""
    folder = copy_project(tmp_path_factory.mktemp("untidy"))
    # Biome leaves out what git does.
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)

    def write() -> None:
        for name, text in UNTIDY.items():
            (folder / name).write_text(text, encoding="utf-8")

    write()
    succeed(folder, "format")
    tidy = {name: (folder / name).read_text(encoding="utf-8") for name in UNTIDY}
    write()
    return folder, tidy


@pytest.mark.parametrize("name", UNTIDY)
def test_saving_a_file_does_what_format_does(
    formatted: tuple[Path, dict], name: str, tmp_path: Path
) -> None:
    folder, tidy = formatted
    # As VS Code has it, which allows comments in its own settings.
    is_own = name.startswith(".vscode")
    language = "jsonc" if is_own else LANGUAGES[Path(name).suffix]
    (chosen,) = (
        value
        for selector, value in settings("settings.json").items()
        if f"[{language}]" in selector
    )
    actions = list(chosen["editor.codeActionsOnSave"])
    server = SERVERS[chosen["editor.defaultFormatter"]]
    if server == "ruff":
        command = [python_of(folder).with_name("ruff"), "server"]
    else:
        (biome,) = folder.glob("node_modules/@biomejs/cli-*/biome*")
        command = [biome, "lsp-proxy"]
    # Biome has a process for all editors of a user; here, each test has its own.
    with language_server(folder, *command, XDG_CACHE_HOME=str(tmp_path)) as editor:
        assert editor.saved(folder / name, language, actions) == tidy[name]
    assert tidy[name] != UNTIDY[name]


@pytest.fixture(scope="session")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """Fetch debugpy, as the extension has it, and return how its adapter starts."""
    folder = tmp_path_factory.mktemp("debugpy")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder]
    subprocess.run([*pip, DEBUGPY], check=True, env=clean_env(), timeout=100)
    return [sys.executable, folder / "debugpy/adapter"]


def test_a_breakpoint_in_api_py_is_hit_before_and_after_a_reload(
    own_project: Path, adapter: list[object], tmp_path: Path
) -> None:
    port = free_port()
    debugged = configuration("API", own_project)
    debugged["env"] = {"FLASK_RUN_PORT": str(port)}
    api = own_project / "api/api.py"
    line = line_of(api, "    return {")

    def is_hit(place: tuple[Path, int]) -> bool:
        # While Flask restarts, an answer may be cut.
        with suppress(OSError, http.client.HTTPException):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/time", timeout=60).close()
        return place in debugger.stops

    with debugging(adapter, tmp_path, debugged, api, "    return {") as debugger:
        wait_for(lambda: is_hit((api, line)), "the breakpoint")
        edit(api, "@app.get", "# One more line.\n@app.get")
        wait_for(lambda: is_hit((api, line + 1)), "the breakpoint after the reload")
    wait_for(lambda: not is_listening(port), "the end of the API")


def test_a_breakpoint_in_a_test_of_the_api_is_hit(
    project: Path, adapter: list[object], tmp_path: Path
) -> None:
    debugged = configuration("Tests of the API", project) | {"args": ["-k", "time_is"]}
    test = project / "tests/test_api.py"
    place = test, line_of(test, "before = time.time()")
    with debugging(adapter, tmp_path, debugged, test, "before = ") as debugger:
        wait_for(lambda: place in debugger.stops, "the breakpoint")


def line_of(file: Path, text: str) -> int:
    lines = file.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


DIGITS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"


def numbers_of(segment: str) -> list[int]:
    """Decode a segment of a source map: numbers in base 64, lowest digits first."""
    numbers, value, shift = [], 0, 0
    for character in segment:
        digit = DIGITS.index(character)
        value |= (digit & 31) << shift
        shift += 5
        if not digit & 32:
            numbers.append(-(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    return numbers


def place_in_code(source_map: dict, line: int) -> tuple[int, int]:
    """Return the line and column, from 0, of the code that a source's line became."""
    origin = 0
    for number, segments in enumerate(source_map["mappings"].split(";")):
        column = 0
        for segment in filter(None, segments.split(",")):
            moved = numbers_of(segment)
            column += moved[0]
            origin += moved[2] if len(moved) > 1 else 0
            if origin == line - 1:
                return number, column
    raise AssertionError(f"nothing came from line {line}")


def test_a_breakpoint_in_app_js_is_hit(
    project: Path, page: Page, example_page: None
) -> None:
    debugged = configuration("Frontend", project)
    (task,) = (t for t in settings("tasks.json")["tasks"] if t["label"] == "start")
    app = project / "src/App.js"
    line = line_of(app, "await getJson('/time'")
    with started(project, "start") as (command, address):
        ready = task["problemMatcher"]["background"]["endsPattern"]
        assert re.search(ready, command.output)
        cdp = page.context.new_cdp_session(page)
        scripts, pauses = {}, []
        cdp.on(
            "Debugger.scriptParsed", lambda event: scripts.update({event["url"]: event})
        )
        cdp.on("Debugger.paused", lambda event: pauses.append(event))
        cdp.send("Debugger.enable")
        page.goto(address)
        # There is no API, which is told once the requests have ended.
        expect(page.get_by_role("alert")).to_contain_text("unknown")
        url = f"{address}/src/App.js"
        _, _, inline = scripts[url]["sourceMapURL"].partition("base64,")
        source_map = json.loads(base64.b64decode(inline))
        (source,) = source_map["sources"]
        # As VS Code does: what has no file is looked for below "webRoot".
        path = urlsplit(urljoin(url, source)).path
        assert Path(debugged["webRoot"] + path) == app
        number, column = place_in_code(source_map, line)
        cdp.send(
            "Debugger.setBreakpointByUrl",
            {"url": url, "lineNumber": number, "columnNumber": column},
        )
        page.evaluate("setTimeout(() => document.querySelector('button').click())")
        wait_for(lambda: page.wait_for_timeout(50) or pauses, "the breakpoint")
        assert pauses[0]["callFrames"][0]["functionName"] == "getTime"
        cdp.send("Debugger.resume")
        cdp.detach()


def test_the_page_that_is_debugged_is_where_start_listens() -> None:
    readme = (ROOT / "kit/node/README.md").read_text(encoding="utf-8")
    assert "| `PORT`, `HOST` | `3000`, `localhost` |" in readme
    assert configuration("Frontend")["url"] == "http://localhost:3000"
