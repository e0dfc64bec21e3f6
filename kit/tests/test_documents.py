"""The documents say what is true: commands, settings, files, versions, ports, links.

What a document names is compared with the code, and what the code reads with the
documents. Names that are somebody else's, or a reader's to choose, are listed here.
"""

import ast
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.cli import run_command
from react_flask_kit.settings import CORS_SETTINGS, SETTINGS
from servers import ROOT

NODE, PYTHON = ROOT / "kit/node", ROOT / "kit/python"
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "deploy").rglob("*.md")),
    NODE / "README.md",
    PYTHON / "README.md",
]
FENCES = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.DOTALL)
SETTING = r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+"


def read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def prose(text: str) -> str:
    return FENCES.sub("", text)


def in_backticks(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", prose(text))


def rows(file: Path, heading: str) -> dict[str, list[str]]:
    """Return the first table below a heading: its rows by their first column."""
    section = read(file).partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^\| (.+) \|$", section, re.M)[2:]
    cells = [[cell.strip() for cell in line.split(" | ")] for line in lines]
    assert cells, heading
    return {first: rest for first, *rest in cells}


PACKAGE = json.loads(read(ROOT / "package.json"))
SCRIPTS = set(PACKAGE["scripts"])
TEXTS = {document: read(document) for document in DOCUMENTS}
# The code, with what is deployed, and without what only tests it.
NODE_FILES = [
    NODE / "launcher.js",
    *(
        file
        for part in ("lib", "commands", "vite")
        for file in NODE.glob(f"{part}/**/*.js")
    ),
]
PYTHON_FILES = sorted((PYTHON / "src").rglob("*.py"))
CODE = "\n".join(read(file) for file in [*NODE_FILES, *PYTHON_FILES])
TRACKED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=True,
).stdout.splitlines()
DEPLOYED = "\n".join(
    read(ROOT / name)
    for name in TRACKED
    if re.match(r"(kit/tests/)?deploy/.*(?<!\.md)$", name)
)


def keys_of(file: Path, name: str) -> set[str]:
    """Return the names in an object literal that a module of the launcher has."""
    body = read(file).partition(f"const {name} = {{\n")[2].partition("\n};")[0]
    found = re.findall(r"^  '?([a-z][\w-]*)'?(?:: |,)", body, re.M)
    assert found, name
    return set(found)


COMMANDS = keys_of(NODE / "launcher.js", "COMMANDS")
SUBCOMMANDS = keys_of(NODE / "commands/kit.js", "SUBCOMMANDS")


def settings_that_python_reads() -> Iterator[tuple[str, str]]:
    """Yield each variable that the Python half reads, and its default or nothing."""
    trees = [ast.parse(read(file)) for file in PYTHON_FILES]
    constants = {
        node.targets[0].id: node.value.value
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }
    for node in (node for tree in trees for node in ast.walk(tree)):
        match node:
            case ast.Call(
                func=ast.Attribute(value=value, attr="get" | "pop"), args=[key, *_]
            ) if ast.unparse(value) == "os.environ":
                default = ""
            case ast.Call(func=ast.Name(id="read_number"), args=[key, number, _]):
                default = ast.unparse(number)
            case _:
                continue
        if isinstance(key, ast.Constant):
            yield key.value, default
        elif isinstance(key, ast.Name) and key.id in constants:
            yield constants[key.id], default


def settings_that_node_reads() -> Iterator[tuple[str, str]]:
    """Yield each variable that the Node.js half reads, and its default or nothing."""
    for text in map(read, NODE_FILES):
        # What the code of a page has is written in comments and messages.
        code = re.sub(r"^\s*(//|\*|/\*).*$", "", text, flags=re.M)
        reads = r"\benv\.([A-Z][A-Z0-9_]+)(?: \?\? ([\d_]+)|, (\d+))?"
        for name, *defaults in re.findall(reads, code):
            yield name, "".join(defaults).replace("_", "")
        others = r"flaskSetting\('([A-Z_]+)'|'(SSL_[A-Z_]+)'|\b([A-Z]+_EDITOR)\b[,}]"
        for name in re.findall(others, code):
            yield "".join(name), ""


# What the tools of the frontend read or set; the kit has to know it.
OF_TOOLS = {"FAST_REFRESH", "NO_COLOR", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH"}
READ = {f"FLASK_{name}" for name in {*SETTINGS, *CORS_SETTINGS}} | {
    name for name, _ in [*settings_that_python_reads(), *settings_that_node_reads()]
}


@pytest.fixture(params=DOCUMENTS, ids=lambda file: file.relative_to(ROOT).as_posix())
def document(request: pytest.FixtureRequest) -> Path:
    return request.param


# Of the package managers, and of create-react-app, which docs/ compares with.
NO_SCRIPTS = {"add", "install", "eject"}


def test_a_command_that_a_document_names_exists(document: Path) -> None:
    text = TEXTS[document]
    scripts = re.findall(r"\b(?:npm run|yarn) ([a-z][\w-]*)", text)
    assert set(scripts) - NO_SCRIPTS <= SCRIPTS
    of_kit = re.findall(r"\b(?:npm run kit -- |yarn kit |`kit )([a-z][\w-]*)", text)
    assert set(of_kit) <= SUBCOMMANDS
    of_launcher = re.findall(r"\bnode kit/node ([a-z][\w-]*)", text)
    assert set(of_launcher) <= COMMANDS


def options_of_the_kit() -> set[str]:
    """Return the options that the commands read: parseArgs()'s, and those by hand."""
    names = re.findall(r"^ +'?([a-z-]+)'?: \{ type: '(?:string|boolean)'", CODE, re.M)
    return {f"--{name}" for name in names} | set(re.findall(r"'(--[a-z-]+)'", CODE))


def test_an_option_of_the_kit_that_a_document_names_exists(document: Path) -> None:
    lines = re.findall(r"(?:npm run kit --|`kit) ([^`\n]+)", TEXTS[document])
    if document == NODE / "README.md":
        lines += in_backticks(TEXTS[document])
    options = {o for line in lines for o in re.findall(r"(?<!\S)--[a-z][\w-]*", line)}
    assert options <= options_of_the_kit() | OPTIONS_OF_OTHERS


# Of curl and of flask run.
OPTIONS_OF_OTHERS = {"--app", "--check", "--debug", "--fix", "--http2", "--write"}


def test_an_option_of_a_command_of_the_kit_is_documented() -> None:
    folder = NODE / "commands"
    code = "\n".join(read(folder / f"{name}.js") for name in SUBCOMMANDS)
    names = re.findall(r"^ +'?([a-z-]+)'?: \{ type: '(?:string|boolean)'", code, re.M)
    assert names
    texts = "\n".join(TEXTS.values())
    assert [name for name in names if f"--{name}" not in texts] == []


def named_commands(table: dict[str, list[str]]) -> set[str]:
    return {name.split()[0] for row in table for name in re.findall("`(.+?)`", row)}


def test_the_readme_lists_every_script_and_no_other() -> None:
    listed = named_commands(rows(ROOT / "README.md", "Commands"))
    assert listed == SCRIPTS - {"preinstall"}


def test_the_kit_lists_every_command_and_no_other() -> None:
    assert named_commands(rows(NODE / "README.md", "The commands")) == COMMANDS


def test_the_kit_lists_every_command_for_a_project_as_a_whole() -> None:
    table = "\n".join(rows(NODE / "README.md", "The commands"))
    assert set(re.findall(r"`kit ([\w-]+)", table)) == SUBCOMMANDS


# A reader's own, given as an example.
EXAMPLES = {
    "FLASK_MAIL_SERVER",
    "FLASK_MAIL__PORT",
    "FLASK_TRUSTED_HOST",
    "FLASK_USERS",
}
# Of packages that a guide adds.
OF_PACKAGES = ("FLASK_RATELIMIT_", "FLASK_WTF_")


def is_setting_of_flask(name: str) -> bool:
    option = name.removeprefix("FLASK_RUN_").lower()
    is_own = name in {"FLASK_DEBUG", "FLASK_SKIP_DOTENV", "FLASK_JWT_SECRET_KEY"}
    is_option = option in {parameter.name for parameter in run_command.params}
    return is_own or is_option or name.removeprefix("FLASK_") in Flask.default_config


def test_a_setting_of_the_api_that_a_document_names_is_read(document: Path) -> None:
    text = TEXTS[document]
    for name in set(re.findall(r"\bFLASK_[A-Z][A-Z0-9_]*[A-Z0-9]\b(?!_)", text)):
        own = name.removeprefix("FLASK_")
        assert (
            name in READ | EXAMPLES
            or name.startswith(OF_PACKAGES)
            or is_setting_of_flask(name)
            # A guide's own, which its code reads.
            or f'"{own}"' in text
        ), name


# Of create-react-app, which docs/ compares with, of Vite, Yarn, uv and platforms.
OF_OTHERS = {
    "BROWSER_ARGS",
    "INLINE_RUNTIME_CHUNK",
    "NODE_PATH",
    "PRE_DEPLOY",
    "RAILWAY_DEPLOYMENT_DRAINING_SECONDS",
    "RAILWAY_RUN_UID",
    "UV_EXCLUDE_NEWER",
    "VITE_X",
    "YARN_NPM_MINIMAL_AGE_GATE",
}


def test_another_variable_that_a_document_names_is_read(document: Path) -> None:
    text = TEXTS[document]
    own = "\n".join(code for _, code in FENCES.findall(text))
    known = set(re.findall(SETTING, f"{CODE}\n{DEPLOYED}\n{own}"))
    known |= {name.removeprefix("FLASK_") for name in EXAMPLES}
    known |= OF_OTHERS | Flask.default_config.keys() | SETTINGS.keys()
    named = re.findall(
        rf"(?<![\w$%])(?!FLASK_|REACT_APP_){SETTING}\b", " ".join(in_backticks(text))
    )
    assert set(named) - known == set()


def test_a_setting_that_the_code_reads_is_documented() -> None:
    texts = " ".join(code for text in TEXTS.values() for code in in_backticks(text))
    named = re.findall(r"[A-Z][A-Z0-9_]+\*?", texts)
    families = tuple(name[:-1] for name in named if name.endswith("_*"))
    missing = READ - OF_TOOLS - set(named)
    assert [name for name in missing if not name.startswith(families)] == []


TABLES = [
    (PYTHON / "README.md", "Settings"),
    (PYTHON / "README.md", "Variables of the server"),
    (NODE / "README.md", "Environment variables"),
]


def documented_defaults() -> dict[str, str]:
    defaults = {}
    for file, heading in TABLES:
        for names, (default, *_) in rows(file, heading).items():
            values = default.split(", ") if ", " in names else [default]
            for name, value in zip(names.split(", "), values, strict=False):
                defaults.setdefault((file, name.strip("`")), value.strip("`"))
    return defaults


def test_the_tables_name_no_setting_that_nobody_reads() -> None:
    named = {name for _, name in documented_defaults()}
    # What Yarn, pip and Vite's watcher read.
    others = {"HTTPS_PROXY", "NODE_EXTRA_CA_CERTS", "PIP_CERT", "CHOKIDAR_USEPOLLING"}
    assert named - others - READ == {"REACT_APP_*"}


def test_the_defaults_in_the_tables_are_those_of_the_code() -> None:
    words = {None: "none", True: "true", False: "false"}
    documented = documented_defaults()
    python, node = PYTHON / "README.md", NODE / "README.md"
    in_code = {
        (python, f"FLASK_{name}"): words.get(default, str(default))
        for name, (default, *_) in SETTINGS.items()
        # Said as "that of FLASK_CSP".
        if name != "PERMISSIONS_POLICY"
    }
    # 0 and 1 are no words, though they equal False and True.
    in_code[python, "FLASK_PROXIES"] = str(SETTINGS["PROXIES"][0])
    for file, found in [
        (python, settings_that_python_reads()),
        (node, settings_that_node_reads()),
    ]:
        in_code |= {(file, name): value for name, value in found if value.isdigit()}
    assert {key: documented.get(key) for key in in_code} == in_code


# The ports of the code, and those of a guide: of Redis, and of a second run.
PORTS = {"3000", "5000", "8000"}
OTHER_PORTS = {"5001", "6379", "8001"}


def test_the_ports_are_those_of_the_code() -> None:
    places = {
        "vite/create-react-app/settings.js": "readPort('PORT', app.env.PORT, 3000)",
        "lib/project.js": "'http://127.0.0.1:5000'",
    }
    for file, text in places.items():
        assert text in read(NODE / file)
    assert PACKAGE["proxy"] == "http://127.0.0.1:5000"
    assert ("PORT", "8000") in settings_that_python_reads()


def test_a_port_that_a_document_names_is_one_of_these(document: Path) -> None:
    place = r"(?:localhost:|127\.0\.0\.1:|\b[Pp]ort `?|PORT=|--port[ =])(\d{4,5})\b"
    assert set(re.findall(place, TEXTS[document])) <= PORTS | OTHER_PORTS


VERSIONS: dict[str, Callable[[], set[str]]] = {
    r"(?:Node\.js|version 22:) (\d+\.\d+)": lambda: set(
        re.findall(r"(\d+\.\d+)\.0", PACKAGE["engines"]["node"])
    ),
    r"Python (3\.\d+)": lambda: set(
        re.findall(r'requires-python = ">=(3\.\d+)"', read(ROOT / "pyproject.toml"))
        + re.findall(r"python:(3\.\d+)", DEPLOYED)
    ),
    r"Vite (\d+)": lambda: {major(PACKAGE["devDependencies"]["vite"])},
    r"Yarn (\d)(?! to)": lambda: set(
        re.findall(r"cli-dist@(\d)", read(NODE / "lib/frontend.js"))
    ),
    r"@yarnpkg/cli-dist@([\d.]+)": lambda: set(
        re.findall(r"cli-dist@([\d.]+)", read(NODE / "lib/frontend.js"))
    ),
    r"React 16 to (\d+)": lambda: {major(PACKAGE["dependencies"]["react"])},
    # An image that a document names as the one of the Dockerfile.
    r"\bnode:(\d+)": lambda: set(re.findall(r"node:(\d+)", DEPLOYED)),
    r"\bpython:(3\.\d+)": lambda: set(re.findall(r"python:(3\.\d+)", DEPLOYED)),
}


def major(version: str) -> str:
    return re.search(r"\d+", version)[0]


@pytest.mark.parametrize("pattern", VERSIONS)
def test_a_version_that_a_document_names_is_the_one_in_use(pattern: str) -> None:
    in_use = VERSIONS[pattern]()
    assert in_use
    for document, text in TEXTS.items():
        # Without the addresses of links, which stand between a name and its version.
        plain = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", text)
        assert set(re.findall(pattern, plain)) <= in_use, document


def test_the_readme_says_which_versions_it_needs() -> None:
    oldest = re.search(r"\d+\.\d+", PACKAGE["engines"]["node"])[0]
    python = re.search(r'requires-python = ">=(.+)"', read(ROOT / "pyproject.toml"))[1]
    plain = re.sub(r"\]\([^)]+\)", "", TEXTS[ROOT / "README.md"])
    assert f"Node.js {oldest} or newer and [Python {python} or newer" in plain.replace(
        "[Node.js", "Node.js"
    )


# What a command or a platform makes, is somebody else's, or is the reader's choice.
NOT_HERE = {
    *(".env", ".env.local", ".env.test", ".env.development", ".env.production"),
    *("node_modules", "node_modules/", "node_modules/.vite/commonjs/", "api/venv"),
    *("node_modules/.installed", "api/venv/", "api/instance/"),
    *(".made-by-builds.json", "asset-manifest.json", "release.lock"),
    *("build/service-worker.js", "src/service-worker.js", "src/setupProxy.js"),
    *("src/__mocks__/", "jsconfig.json", "tsconfig.json", "conftest.py"),
    *("tests/conftest.py", "postcss.config.js", ".browserslistrc"),
    "src/api-types.d.ts",
    *("vite.config.js", "app.py", "wsgi.py", "remind@.service"),
    # An attribute of Flask.
    "app.json",
    *("fly.toml", "heroku.yml", "render.yaml", "styled-components/macro"),
}
SUFFIXES = r"py|jsx?|tsx?|mjs|json|toml|txt|ya?ml|md|html|css|conf|service|sh|lock|ini"
FOLDERS = r"api|src|public|tests|deploy|docs|kit|bench|node_modules|\.\w+"
FILE = rf"(?:{FOLDERS})/[\w./@-]*|[\w.@-]+\.(?:{SUFFIXES})|\.[a-z]\w*(?:\.\w+)*"


def made_by_guides() -> set[str]:
    """Return the files that a guide lets the reader write: their names and a colon."""
    texts = "\n".join(prose(text) for text in TEXTS.values())
    return set(re.findall(r"`([\w./@-]+)`(?:, [^`\n]*)?:$", texts, re.M))


def test_a_file_that_a_document_names_exists(document: Path) -> None:
    names = {Path(name).name for name in TRACKED}
    made = made_by_guides()
    made |= {Path(name).name for name in made}
    folders = [ROOT, document.parent, *(ROOT / name for name in ("api", "deploy"))]
    for name in set(in_backticks(TEXTS[document])):
        if not re.fullmatch(FILE, name) or re.fullmatch(r"\.[a-z]{2,4}(\.js)?", name):
            continue
        assert name in names | NOT_HERE | made or any(
            (folder / name).exists() for folder in folders
        ), name


def slugs(text: str) -> set[str]:
    """Return the anchors that a page has, as GitHub makes them of its headings."""
    headings = re.findall(r"^#+ (.+)$", prose(text), re.M)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in headings
    }


def test_what_a_document_links_to_exists(document: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", prose(TEXTS[document])):
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        assert target.exists(), link
        assert not anchor or anchor in slugs(read(target)), link


def test_the_layout_in_the_readme_is_that_of_the_project() -> None:
    layout = TEXTS[ROOT / "README.md"].split("```\napi/api.py")[1].split("```")[0]
    for place in re.findall(r"^(\S+)", "api/api.py" + layout, re.M):
        assert list(ROOT.glob(place)), place
