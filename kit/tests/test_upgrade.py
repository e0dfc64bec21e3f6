"""`npm run kit -- upgrade`: newer packages within the ranges, a side as a whole or not.

A fake npx and a fake Python play Yarn and uv; the last tests ask the real ones.
"""

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from projects import copy_project
from servers import clean_env, edit, wait_for
from test_commands import FAKE_PYTHON, Machine, clone

pytestmark = pytest.mark.skipif(os.name == "nt", reason="its fakes are shell scripts")

# In place of the last line that `python -m uv` comes to.
FAKE_UV = """case "$1 $2 $3" in
  "uv --no-python-downloads --quiet")
    for it in "$@"; do
      case "$it" in
        --output-file=*) file="${it#--output-file=}";;
        --upgrade*) upgrades=yes;;
      esac
    done
    if [ "$upgrades" ]; then
      text="$(/bin/cat "$file")"
      echo "$text" | /bin/sed 's/^flask==3[0-9.]*/flask==3.99.0/' > "$file"
    fi
    exit "$FAKE_UV_STATUS";;
  "uv pip list")
    echo '[{"name": "granian", "version": "2.8.7", "latest_version": "3.0.0"},'
    echo ' {"name": "Flask", "version": "3.1.3", "latest_version": "3.99.0"}]';;
esac
"""
WAIT = 'if [ "$FAKE_FIFO" ]; then read line < "$FAKE_FIFO"; fi'
UPGRADING_PYTHON = FAKE_PYTHON.replace("  pip)\n", f"  pip)\n    {WAIT}\n") + FAKE_UV
FAKE_NPX = f"""#!/bin/sh
echo "$5" >> "$FAKE_LOG"
/bin/mkdir -p node_modules
case "$5" in
  *"'npm' 'info' '@mine/"*)
    echo '{{"type": "error", "name": 35, "displayName": "YN0035"}}'
    exit 1;;
  *"'npm' 'info'"*)
    echo '{{"name": "react", "version": "77.0.0"}}'
    echo '{{"name": "vitest", "version": "77.0.0"}}';;
  *)
    text="$(/bin/cat yarn.lock)"
    echo "$text" | /bin/sed '/@npm:19/s/19[0-9.]*"/19.99.0"/' > yarn.lock
    {WAIT}
    exit "$FAKE_YARN_STATUS";;
esac
"""
UP = "exec yarn 'up' '--recursive'"
SETTINGS = {"FAKE_UV_STATUS": "0", "FAKE_YARN_STATUS": "0"}
LISTS = ("api/requirements.txt", "api/requirements-dev.txt")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(clone(tmp_path / "a path with spaces"), tmp_path)
    machine.add("python3", UPGRADING_PYTHON)
    machine.add("npx", FAKE_NPX)
    machine.env |= SETTINGS
    forget_kits_tests(machine.project)
    return machine


def forget_kits_tests(project: Path) -> None:
    """Let a project be a fork, which has no script for the kit's own tests."""
    package = project / "package.json"
    content = json.loads(package.read_text())
    content["scripts"].pop("test-kit", None)
    package.write_text(json.dumps(content, indent=2))


def texts_of(project: Path, *names: str) -> list[str]:
    return [(project / name).read_text() for name in names]


def upgrade(machine: Machine, *args: str, **env: str) -> tuple[int, str, list[str]]:
    """Return the exit code, the report, and what yarn and uv were asked for."""
    code, output = machine.run("kit", "upgrade", *args, **env)
    asked = [line for line in machine.asked() if "compile" in line or "'up'" in line]
    return code, output[output.find("## ") :], asked


def test_both_sides_are_upgraded_and_the_changes_are_a_table(machine: Machine) -> None:
    manifests = ("package.json", "pyproject.toml", "kit/python/requirements-test.txt")
    before = texts_of(machine.project, *manifests)
    edit(machine.project / "yarn.lock", 'react@npm:19.3.1"', 'react@npm:19.1.0"')
    edit(machine.project / "yarn.lock", "  version: 19.3.1\n", "  version: 19.1.0\n")
    code, report, asked = upgrade(machine)
    assert code == 0
    assert asked[0] == f"{UP} '**'"
    assert [line.rpartition(" ")[2] for line in asked[1:]] == ["--upgrade"] * 2
    assert "## Frontend\n" in report
    assert "## API\n\n| Package | From  | To     |     |\n| ------- | -----" in report
    assert "| flask   | 3.1.3 | 3.99.0 |     |\n" in report
    assert (
        "| granian | 3.0.0  | >=2.8.7,<2.9 in kit/python/pyproject.toml | a" in report
    )
    assert "| react   | 77.0.0 | ^19.3.1 in package.json" in report
    assert "npm run add-frontend react" in report
    assert texts_of(machine.project, *manifests) == before


def test_a_package_that_no_registry_has_costs_no_other_its_row(
    machine: Machine,
) -> None:
    more = '"dependencies": {"@mine/a": "workspace:*", "@mine/b": "^1.0.0",'
    edit(machine.project / "package.json", '"dependencies": {', more)
    locked = machine.project / "yarn.lock"
    entry = (
        '\n"@mine/b@npm:^1.0.0":\n  version: 1.0.0\n  resolution: "@mine/b@npm:1.0.0"\n'
    )
    locked.write_text(locked.read_text() + entry)
    code, output = machine.run("kit", "upgrade", "--frontend")
    assert code == 0
    assert "could not be asked: @mine/b\n" in output
    assert "| react   | 77.0.0 | ^19.3.1 in package.json" in output
    assert not any("@mine/a" in line for line in machine.asked())


def test_a_package_without_a_range_asks_no_registry(machine: Machine) -> None:
    code, output = machine.run("kit", "upgrade", "nanoid")
    assert (code, "could not be asked" in output) == (0, False)
    assert not any("'info'" in line for line in machine.asked())


@pytest.mark.parametrize(
    ("args", "asks"),
    [
        (["react", "vitest"], [f"{UP} 'react' 'vitest'"]),
        (["--frontend"], [f"{UP} '**'"]),
        (["--api"], ["--upgrade"] * 2),
        (["Flask_Cors"], ["--upgrade-package=flask-cors"] * 2),
        (["vite", "granian"], [f"{UP} 'vite'", *["--upgrade-package=granian"] * 2]),
        (["--api", "granian"], ["--upgrade-package=granian"] * 2),
    ],
)
def test_one_side_or_one_package_can_be_chosen(
    machine: Machine, args: list[str], asks: list[str]
) -> None:
    code, _, asked = upgrade(machine, *args)
    ends = [line if line.startswith("exec") else line.split()[-1] for line in asked]
    assert (code, ends) == (0, asks)


@pytest.mark.parametrize(
    ("env", "failed", "stands"),
    [
        ({"FAKE_YARN_STATUS": "1"}, ["yarn.lock"], ["api/requirements.txt"]),
        ({"FAKE_UV_STATUS": "1"}, LISTS, ["yarn.lock"]),
        ({"FAKE_YARN_STATUS": "1", "FAKE_UV_STATUS": "1"}, ["yarn.lock", *LISTS], []),
    ],
)
def test_a_side_that_fails_is_as_before_and_the_other_one_stands(
    machine: Machine, env: dict[str, str], failed: list[str], stands: list[str]
) -> None:
    edit(machine.project / "yarn.lock", 'react@npm:19.3.1"', 'react@npm:19.1.0"')
    stamp = machine.project / "node_modules/.installed"
    stamp.parent.mkdir()
    stamp.write_text("")
    kept = texts_of(machine.project, *failed)
    others = texts_of(machine.project, *stands)
    code, report, _ = upgrade(machine, **env)
    assert code == 1
    assert report.count("It failed: ") == len(env)
    assert texts_of(machine.project, *failed) == kept
    for before, now in zip(others, texts_of(machine.project, *stands), strict=True):
        assert before != now
    # What may be half-installed is not taken for whole.
    assert stamp.exists() == ("FAKE_YARN_STATUS" not in env)


@pytest.mark.parametrize(
    ("side", "files"), [("--frontend", ["yarn.lock"]), ("--api", LISTS)]
)
def test_ctrl_c_takes_the_side_at_work_back(
    machine: Machine, tmp_path: Path, side: str, files: list[str]
) -> None:
    assert machine.run("test-api")[0] == 0
    edit(machine.project / "yarn.lock", 'react@npm:19.3.1"', 'react@npm:19.1.0"')
    before = texts_of(machine.project, *files)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    process = machine.start("kit", "upgrade", side, FAKE_FIFO=str(fifo))
    # All is written, and being installed.
    wait_for(lambda: texts_of(machine.project, files[-1]) != before[-1:], "the lists")
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=30)
    # 1 where the end of the program that it runs is seen before the signal.
    assert process.returncode in (1, 130)
    assert texts_of(machine.project, *files) == before


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["add-api", "--upgrade"], "--upgrade: newer packages are brought by"),
        (["add-api", "-U", "flask"], "npm run kit -- upgrade NAME"),
        (["add-frontend", "--latest"], "npm run kit -- upgrade"),
        (["kit", "upgrade", "raect"], "Did you mean react?"),
        (["kit", "upgrade", "no-such-package"], "There is no package no-such-package"),
        (["kit", "upgrade", "react@20"], "npm run add-frontend NAME@VERSION"),
        (["kit", "upgrade", "--latest"], "there is no option --latest"),
        (["kit", "upgrade", "react-flask-kit"], "npm run kit -- update"),
    ],
)
def test_what_is_no_upgrade_is_refused_before_anything_is_done(
    machine: Machine, command: list[str], says: str
) -> None:
    code, output = machine.run(*command)
    assert says in output
    assert (code, machine.asked()) == (1, [])
    assert "file://" not in output


def test_an_option_that_npm_has_kept_is_told(machine: Machine) -> None:
    code, output = machine.run("kit", "upgrade", npm_config_api="true")
    assert "npm run kit -- upgrade --api" in output
    assert (code, machine.asked()) == (1, [])


def real(project: Path, *command: str) -> str:
    process = subprocess.run(
        ["node", "kit/node", *command],
        cwd=project,
        env=clean_env(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert process.returncode == 0, process.stdout
    return process.stdout


def begin_with_old_mitt(project: Path) -> None:
    """Add a package, and widen its range in both files."""
    real(project, "add-frontend", "mitt@2.0.0")
    edit(project / "package.json", '"mitt": "2.0.0"', '"mitt": "^2.0.0"')
    for _ in range(2):
        edit(
            project / "yarn.lock",
            "npm:2.0.0",
            "npm:^2.0.0",
        )


def begin_with_old_iso8601(project: Path) -> None:
    real(project, "add-api", "iso8601<2")
    edit(project / "pyproject.toml", "iso8601<2", "iso8601<2.1")


@pytest.mark.parametrize(
    ("begin", "name", "changed", "held"),
    [
        (begin_with_old_mitt, "mitt", "2.0.0 | 2.1.0", "^2.0.0 in package.json"),
        (begin_with_old_iso8601, "iso8601", "1.1.0 | 2.0.0", "<2.1 in pyproject.toml"),
    ],
)
def test_the_newest_version_in_the_range_is_installed(
    tmp_path: Path,
    begin: Callable[[Path], None],
    name: str,
    changed: str,
    held: str,
) -> None:
    project = copy_project(tmp_path)
    forget_kits_tests(project)
    begin(project)
    output = real(project, "kit", "upgrade", name)
    assert f"| {name} | {changed} |" in re.sub(" +", " ", output)
    assert held in output
    assert "No problem was found." in real(project, "kit", "doctor")
