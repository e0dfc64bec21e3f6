"""Made-up releases of the starter, and forks of them."""

import json
import re
import subprocess
from pathlib import Path

from projects import bring_packages, copy_project
from servers import clean_env, edit, succeed

NOW = "0.2.0"
NEXT = "0.3.0"
LAST = "0.4.0"
# A package of each side that no other one here needs.
NODE_DEPENDENCY = "mitt"
PYTHON_DEPENDENCY = "iso8601"

CHANGES = f"""## {NEXT}

### Breaks

- **`FLASK_GREETING` is `FLASK_WELCOME`.**
  What you do: rename it; until {LAST} the old name is read too.

"""
LAST_CHANGES = f"""## {LAST}

### Breaks

- **`FLASK_GREETING` is gone.**
  What you do: write `FLASK_WELCOME`.

"""
PLUGIN = """import mitt from 'mitt';

export default function hello() {
  const emitter = mitt();
  let tag;
  emitter.on('html', (html) => {
    tag = html;
  });
  return {
    name: 'react-flask-kit:hello',
    transformIndexHtml(html) {
      const meta = '<meta name="kit" content="hello">';
      emitter.emit('html', html.replace('</head>', `${meta}</head>`));
      return tag;
    },
  };
}
"""
GREETING = """\"\"\"A setting of the kit: a header of each answer.\"\"\"


def greet(app):
    @app.after_request
    def add_header(response):
        response.headers["X-Greeting"] = app.config.get("GREETING", "Hi")
        return response
"""
RENAMED_GREETING = """\"\"\"A setting of the kit: a header of each answer.\"\"\"

import warnings

import iso8601

RELEASED = iso8601.parse_date("2027-01-01")


def greet(app):
    if "GREETING" in app.config:
        warnings.warn("FLASK_GREETING is FLASK_WELCOME", DeprecationWarning, 2)
        app.config.setdefault("WELCOME", app.config["GREETING"])

    @app.after_request
    def add_header(response):
        response.headers["X-Greeting"] = app.config.get("WELCOME", "Hi")
        return response
"""
REMOVED = "kit/node/vite/of_the_past.js"


def git(folder: Path, *args: str) -> str:
    """Run git; return what it prints."""
    author = ("-c", "user.name=Jane", "-c", "user.email=jane@example.com")
    command = ["git", *author, "-c", "commit.gpgSign=false", *args]
    return subprocess.check_output(command, cwd=folder, text=True, env=clean_env())


def commit(folder: Path, message: str, tag: str | None = None) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)
    if tag:
        git(folder, "tag", tag)


def make_releases(folder: Path) -> Path:
    """Make a repository of the starter: this one, and two releases that follow."""
    starter = copy_project(folder, installed=())
    git(starter, "init", "--quiet")
    (starter / REMOVED).write_text("export default 1;\n")
    package = starter / "kit/python/src/react_flask_kit"
    (package / "greeting.py").write_text(GREETING)
    extension = package / "extension.py"
    edit(extension, "from .health", "from .greeting import greet\nfrom .health")
    edit(
        extension,
        "        log_to_stderr(app)",
        "        greet(app)\n        log_to_stderr(app)",
    )
    set_version(starter, NOW)
    commit(starter, "The starter as it is", f"v{NOW}")

    set_version(starter, NEXT, CHANGES)
    (starter / REMOVED).unlink()
    (starter / "kit/node/vite/hello.js").write_text(PLUGIN)
    plugins = starter / "kit/node/vite/index.js"
    edit(plugins, "import guard", "import hello from './hello.js';\nimport guard")
    edit(plugins, "    guard(),", "    guard(),\n    hello(),")
    depend_on(starter / "kit/node/package.json", NODE_DEPENDENCY, "^3.0.1")
    edit(
        starter / "kit/python/pyproject.toml",
        '"flask>=',
        f'"{PYTHON_DEPENDENCY}>=2.1",\n    "flask>=',
    )
    (package / "greeting.py").write_text(RENAMED_GREETING)
    edit(
        starter / "deploy/Dockerfile", "EXPOSE 8000", "STOPSIGNAL SIGTERM\nEXPOSE 8000"
    )
    (starter / "deploy/new.txt").write_text("New.\n")
    commit(starter, "A release", f"v{NEXT}")

    set_version(starter, LAST, LAST_CHANGES)
    edit(starter / "kit/node/vite/hello.js", 'content="hello"', f'content="{LAST}"')
    old_name = RENAMED_GREETING.index("    if "), RENAMED_GREETING.index("    @app")
    text = RENAMED_GREETING[: old_name[0]] + RENAMED_GREETING[old_name[1] :]
    (package / "greeting.py").write_text(text.replace("import warnings\n\n", ""))
    edit(starter / "deploy/compose.yaml", "mem_limit: 512m", "mem_limit: 600m")
    commit(starter, "Another release", f"v{LAST}")
    return starter


def set_version(starter: Path, version: str, changes: str = "") -> None:
    for place, pattern in (
        ("kit/node/package.json", r'(?<="version": ")[^"]+'),
        ("kit/python/pyproject.toml", r'(?<=^version = ")[^"]+'),
    ):
        text = (starter / place).read_text(encoding="utf-8")
        text = re.sub(pattern, version, text, count=1, flags=re.M)
        (starter / place).write_text(text, encoding="utf-8")
    if changes:
        edit(starter / "kit/CHANGELOG.md", "## ", f"{changes}## ")


def depend_on(manifest: Path, name: str, version: str) -> None:
    package = json.loads(manifest.read_text())
    needed = package["dependencies"] | {name: version}
    package["dependencies"] = dict(sorted(needed.items()))
    manifest.write_text(json.dumps(package, indent=2) + "\n")


OWN_ROUTE = """

@app.get("/titles")
def get_titles() -> list[str]:
    return [humanize.apnumber(3)]
"""
OWN_TEST = """from flask.testing import FlaskClient


def test_titles(client: FlaskClient) -> None:
    response = client.get("/titles")
    assert response.json == ["three"]
    assert response.headers["X-Greeting"] == "Hello, reader"
"""


def clone_starter(folder: Path, starter: Path) -> Path:
    """Clone the first release, with the packages that are installed here."""
    fork = folder / "book-shelf"
    clone = ["-c", "advice.detachedHead=false", "clone", "--quiet", "--branch"]
    git(folder, *clone, f"v{NOW}", str(starter), str(fork))
    git(fork, "switch", "--quiet", "--create", "main")
    # The tests write what a command prints into its folder.
    (fork / ".git/info/exclude").write_text("*.log\n")
    bring_packages(fork)
    return fork


def make_fork(folder: Path, starter: Path) -> Path:
    """Make a project of the starter's first release, with what a forker has by then."""
    fork = clone_starter(folder, starter)
    name = ["kit", "make-it-yours", "Book Shelf"]
    subprocess.run(["node", "kit/node", *name], cwd=fork, env=clean_env(), check=True)

    api = fork / "api/api.py"
    edit(api, "from flask", "import humanize\nfrom flask")
    api.write_text(api.read_text() + OWN_ROUTE)
    (fork / "tests/test_titles.py").write_text(OWN_TEST)
    (fork / ".env.test").write_text("FLASK_GREETING=Hello, reader\n")
    edit(fork / "src/App.js", "import ", "import { clsx } from 'clsx';\nimport ")
    edit(fork / "src/App.js", 'className="App"', "className={clsx('App')}")
    edit(fork / "deploy/Dockerfile", "EXPOSE 8000", "EXPOSE 8000 9000")
    # Both are of a range that has newer ones.
    succeed(fork, "add-frontend clsx@2.0.0")
    edit(fork / "package.json", '"clsx": "2.0.0"', '"clsx": "^2.0.0"')
    edit(fork / "yarn.lock", '"clsx@npm:2.0.0"', '"clsx@npm:^2.0.0"')
    edit(fork / "yarn.lock", 'clsx: "npm:2.0.0"', 'clsx: "npm:^2.0.0"')
    succeed(fork, "add-api humanize==4.9.0")
    edit(fork / "pyproject.toml", "humanize==4.9.0", "humanize>=4.9.0")
    commit(fork, "My own")
    return fork
