"""`npm run kit -- update`: a fork takes newer releases of the starter.

The starter here is this one, with two releases made up on top of it.
"""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from releases import (
    LAST,
    NEXT,
    NODE_DEPENDENCY,
    NOW,
    PYTHON_DEPENDENCY,
    REMOVED,
    clone_starter,
    commit,
    git,
    make_fork,
    make_releases,
)
from servers import clean_env, command_line, edit, python_of, running, succeed

# Updates install packages, and run the tests of a project, browser included.
SECONDS = 240
PATCH = f"kit-edits-{NOW}.patch"
VERSION = "import importlib.metadata as m; print(m.version('react-flask-kit'))"


@pytest.fixture(scope="module")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_releases(tmp_path_factory.mktemp("starter"))


@pytest.fixture(scope="module")
def published(starter: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of a repository that has the first two of the releases."""
    folder = tmp_path_factory.mktemp("published")
    git(folder, "clone", "--quiet", "--bare", str(starter), "starter")
    git(folder / "starter", "tag", "--delete", f"v{LAST}")
    return (folder / "starter").as_uri()


@pytest.fixture(scope="module")
def fork(tmp_path_factory: pytest.TempPathFactory, starter: Path) -> Path:
    return make_fork(tmp_path_factory.mktemp("fork"), starter)


@pytest.fixture
def project(fork: Path) -> Iterator[Path]:
    """Let each test begin with what the forker has committed."""
    start = git(fork, "rev-parse", "HEAD").strip()
    yield fork
    git(fork, "reset", "--quiet", "--hard", start)
    git(fork, "clean", "--quiet", "-d", "--force")
    git(fork, "stash", "clear")


def update(project: Path, *args: object, **env: str) -> tuple[int, str]:
    """Run it to its end; return the exit code and what it printed."""
    command = " ".join(["kit", "update", *map(str, args)])
    with running(project, command, **env) as process:
        return process.popen.wait(timeout=SECONDS), process.output


def package(project: Path) -> dict:
    return json.loads((project / "package.json").read_text(encoding="utf-8"))


def installed_kit(project: Path) -> tuple[str, str]:
    """Return the versions of both halves, as the project's programs find them."""
    python = [python_of(project), "-c", VERSION]
    node = (project / "node_modules/react-flask-kit/package.json").read_text()
    return (
        json.loads(node)["version"],
        subprocess.check_output(python, cwd=project, text=True).strip(),
    )


def pins(project: Path) -> dict[str, str]:
    """Return the versions of the packages that the fork has for itself."""
    lock = (project / "yarn.lock").read_text(encoding="utf-8").split("\n\n")
    clsx = next(entry for entry in lock if entry.startswith('"clsx@'))
    required = (project / "api/requirements.txt").read_text(encoding="utf-8")
    humanize = next(line for line in required.splitlines() if "humanize==" in line)
    return {"clsx": clsx.splitlines()[1].strip(), "humanize": humanize.split()[0]}


def test_a_fork_takes_the_next_release(
    project: Path, starter: Path, published: str
) -> None:
    own = pins(project)
    code, output = update(project, published)
    assert code == 0, output

    assert installed_kit(project) == (NEXT, NEXT)
    record = package(project)["starter"]
    assert record["version"] == NEXT
    assert record["repository"] == published
    assert record["kit"] == git(starter, "rev-parse", f"v{NEXT}:kit").strip()
    assert not (project / REMOVED).exists()
    assert f"\n{PYTHON_DEPENDENCY}==" in (project / "api/requirements.txt").read_text()
    assert f'"{NODE_DEPENDENCY}@npm' in (project / "yarn.lock").read_text()
    assert pins(project) == own

    said = output.split("What changed from")[1]
    assert "`FLASK_GREETING` is `FLASK_WELCOME`" in said
    assert "is gone" not in said
    assert "+STOPSIGNAL SIGTERM" in said
    assert "deploy/new.txt" in said
    assert "react-flask-app" not in said
    assert "compose.yaml" not in said
    assert "EXPOSE 8000 9000" in (project / "deploy/Dockerfile").read_text()

    succeed(project, "lint")
    succeed(project, "build")
    page = (project / "build/index.html").read_text(encoding="utf-8")
    assert '<meta name="kit" content="hello">' in page
    commit(project, "The new kit")
    assert "There is nothing newer" in update(project)[1]


def test_what_does_not_succeed_is_taken_back_unless_the_forker_keeps_it(
    project: Path, starter: Path
) -> None:
    before = git(project, "ls-files", "--stage")
    code, output = update(project, starter)
    assert code == 1
    assert "`FLASK_GREETING` is `FLASK_WELCOME`" in output
    assert "`FLASK_GREETING` is gone" in output
    assert "Tests of the project fail with the kit of 0.4.0" in output
    assert "the state before it is restored" in output
    assert git(project, "status", "--porcelain") == ""
    assert git(project, "ls-files", "--stage") == before
    assert installed_kit(project) == (NOW, NOW)
    assert not (project / "node_modules" / NODE_DEPENDENCY).exists()
    assert "An update of kit/ to 0.4.0" in git(project, "stash", "list")

    code, output = update(project, starter, "--keep")
    assert code == 0, output
    assert installed_kit(project) == (LAST, LAST)
    edit(project / ".env.test", "FLASK_GREETING", "FLASK_WELCOME")
    succeed(project, "test")


def test_edits_of_the_kit_are_kept_as_a_patch_and_replaced_only_when_told(
    project: Path, published: str
) -> None:
    edited = project / "kit/node/vite/guard.js"
    edit(edited, "import", "// Mine.\nimport")
    (project / "kit/mine.txt").write_text("Mine.\n")
    (project / "kit/tests/test_nginx.py").unlink()
    commit(project, "An edit of the kit")

    code, output = update(project, published)
    assert code == 1
    files = output.split("were edited here:\n")[1].split("An update replaces")[0]
    assert files.split() == ["kit/mine.txt", "kit/node/vite/guard.js"]
    assert git(project, "status", "--porcelain") == ""

    code, output = update(project, published, "--replace-edits")
    assert code == 0, output
    assert "Mine" not in edited.read_text()
    commit(project, "The new kit")
    git(project, "apply", "--3way", PATCH)
    assert "// Mine." in edited.read_text()
    assert (project / "kit/mine.txt").read_text() == "Mine.\n"


@pytest.mark.parametrize(
    ("how", "when"),
    [
        (signal.SIGKILL, "The project's tests"),
        (signal.SIGTERM, "Pinning in"),
    ],
)
def test_an_update_that_is_interrupted_leaves_nothing_behind(
    project: Path, published: str, how: signal.Signals, when: str
) -> None:
    with running(project, f"kit update {published}") as process:
        process.prints(when)
        process.popen.send_signal(how)
        process.popen.wait(timeout=SECONDS)
        output = process.output
    if how == signal.SIGKILL:
        code, output = update(project, "v1.0.0")
        assert f"An update to {NEXT} was interrupted" in output
        assert code == 1
    assert "the state before it is restored" in output
    assert git(project, "status", "--porcelain") == ""
    succeed(project, "flask routes")
    succeed(project, "build")
    assert installed_kit(project) == (NOW, NOW)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ([], "Name the address of the starter's repository once"),
        (["https://127.0.0.1:1/starter"], "cannot be read; the reason is above"),
        (["../nothing"], "cannot be read; the reason is above"),
        (["--force"], "has no use for: --force"),
        (["a", "b"], "has no use for: b"),
        (["0.3"], "0.3 is no release. Write all of it: v1.2.3"),
        (["."], "There is nothing newer"),
        (["EMPTY"], "has no release: no tag such as v1.2.3"),
        (["OLDER"], "0.1.0 is older than 0.2.0"),
    ],
    ids=str,
)
def test_what_cannot_be_taken_is_refused_and_nothing_changes(
    project: Path, tmp_path: Path, args: list[str], says: str
) -> None:
    (tmp_path / "EMPTY").mkdir()
    git(tmp_path / "EMPTY", "init", "--quiet")
    older = tmp_path / "OLDER/kit"
    for file in ("node/launcher.js", "python/pyproject.toml"):
        (older / file).parent.mkdir(parents=True)
        (older / file).touch()
    (older / "node/package.json").write_text('{"version": "0.1.0"}')
    places = [tmp_path / arg if arg.isupper() else arg for arg in args]
    code, output = update(project, *places)
    assert code == (0 if args == ["."] else 1)
    assert says in output
    assert "    at " not in output
    assert git(project, "status", "--porcelain") == ""


def test_a_release_that_is_not_there_is_refused_with_those_that_are(
    project: Path, starter: Path
) -> None:
    record = '"starter": {'
    edit(project / "package.json", record, f'{record}\n    "repository": "{starter}",')
    code, output = update(project, "0.3.0")
    assert code == 1
    assert "What is not committed:\n M package.json" in output
    commit(project, "Say where the starter is")
    code, output = update(project, "0.9.0")
    assert code == 1
    assert "has no release 0.9.0. It has: 0.2.0, 0.3.0, 0.4.0." in output


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudoterminals")
def test_in_a_terminal_it_asks_where_the_starter_is(project: Path) -> None:
    import pty

    command = command_line(project, "kit update")
    terminal, of_the_command = pty.openpty()
    with subprocess.Popen(
        command,
        cwd=project,
        env=clean_env(),
        stdin=of_the_command,
        stdout=of_the_command,
        stderr=of_the_command,
    ) as process:
        os.close(of_the_command)
        printed = b""
        while b"will remember: " not in printed:
            printed += os.read(terminal, 1000)
        os.write(terminal, b"../nowhere\n")
        while b"../nowhere cannot be read" not in printed:
            printed += os.read(terminal, 1000)
        assert process.wait(timeout=SECONDS) == 1
    os.close(terminal)


def test_a_tag_of_the_forks_own_is_not_taken_for_the_starters(
    project: Path, published: str
) -> None:
    content = package(project)
    del content["starter"]
    (project / "package.json").write_text(json.dumps(content, indent=2))
    edit(project / "kit/node/vite/guard.js", "import", "// Mine.\nimport")
    commit(project, "A fork from before there was a record", f"v{NOW}-mine")
    git(project, "tag", "--force", f"v{NOW}")
    code, output = update(project, published)
    assert code == 1
    assert "were edited here:\n  kit/node/vite/guard.js\n" in output


def test_an_edit_from_before_the_fork_was_made_is_seen(
    tmp_path: Path, starter: Path, published: str
) -> None:
    fork = clone_starter(tmp_path, starter)
    edit(fork / "kit/node/vite/guard.js", "import", "// Mine.\nimport")
    commit(fork, "An edit of the kit")
    succeed(fork, "kit make-it-yours Shelf")
    commit(fork, "Make it mine")
    code, output = update(fork, published)
    assert code == 1
    assert "were edited here:\n  kit/node/vite/guard.js\n" in output


def test_without_a_network_nothing_changes(project: Path, published: str) -> None:
    nowhere = "http://127.0.0.1:9"
    cache = str(project.parent / "empty")
    code, output = update(
        project, published, npm_config_registry=nowhere, YARN_GLOBAL_FOLDER=cache
    )
    assert code == 1
    assert "the state before it is restored" in output
    assert git(project, "status", "--porcelain") == ""
    assert installed_kit(project) == (NOW, NOW)
