"""The workflows and the dev container run what the project has, and may do little."""

import json
import os
import re
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
OF_A_FORK = [file for file in WORKFLOWS if not file.name.startswith("starter-")]
PACKAGE = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
# What a fork is without.
OURS = {"bench", "test-kit", "test-extensions"}
# What no upgrade changes, but the code of a package might.
OTHERS = (".github/workflows/ci.yml", "api/api.py", "package.json")
# A stand-in for GitHub's command line: it writes down how it was called.
GH = """#!/bin/sh
echo "$@" >>"$CALLS"
if [ "$1 $2" = "pr list" ]; then echo "$OPEN"; fi
"""

every_workflow = pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def jobs(workflow: str) -> dict[str, str]:
    """Split a workflow into its jobs, by name."""
    parts = re.split(r"^  ([\w-]+):\n", workflow.split("\njobs:\n")[1], flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def scripts(job: str) -> Iterator[str]:
    """Yield what the steps of a job run."""
    for step in re.finditer(r"^( +)(?:- )?run: (.*)\n((?:\1  .*\n|\n)*)", job, re.M):
        yield textwrap.dedent(step[3]) if step[2] in ("|", ">") else step[2]


@every_workflow
def test_what_a_workflow_runs_is_a_command_of_the_project(file: Path) -> None:
    workflow = file.read_text(encoding="utf-8")
    run = "\n".join(
        script for job in jobs(workflow).values() for script in scripts(job)
    )
    named = set(re.findall(r"\bnpm (?:run )?([a-z][\w-]*)", run))
    known = set(PACKAGE["scripts"])
    assert named - (known - OURS if file in OF_A_FORK else known) == set()
    for command in re.findall(r"\bnpm run kit -- ([\w-]+)", run):
        assert (ROOT / f"kit/node/commands/{command}.js").is_file()
    for program in re.findall(r"^[.\w-]+/[\w./-]+", run, re.M):
        assert os.access(ROOT / program, os.X_OK)
    for place in re.findall(r"-f (\S+)", run):
        assert (ROOT / place).is_file()


@every_workflow
def test_an_action_is_pinned_to_a_commit_and_says_which_version_that_is(
    file: Path,
) -> None:
    used = re.findall(r"uses: (.+)", file.read_text(encoding="utf-8"))
    pinned = r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+"
    assert used
    assert [action for action in used if not re.fullmatch(pinned, action)] == []


def test_all_workflows_use_the_same_commit_of_an_action() -> None:
    used = {
        action
        for file in WORKFLOWS
        for action in re.findall(r"uses: (.+)", file.read_text(encoding="utf-8"))
    }
    assert len(used) == len({action.split("@")[0] for action in used})


@every_workflow
def test_a_job_ends_and_may_read_the_repository_alone(file: Path) -> None:
    workflow = file.read_text(encoding="utf-8")
    assert "\npermissions: {}\n" in workflow
    for name, job in jobs(workflow).items():
        assert "\n    timeout-minutes: " in job
        assert job.count("actions/checkout@") == job.count("persist-credentials: false")
        permissions = re.search(r"^    permissions:\n((?: {6}.*\n)+)", job, re.M)
        if (file.name, name) == ("upgrade.yml", "pull-request"):
            # It alone may write, so it runs nothing that a package brings.
            assert not any("npm" in script for script in scripts(job))
        else:
            assert permissions
            assert permissions[1] == "      contents: read\n"
            assert "${{ github.token }}" not in job
            assert "secrets." not in job


def test_a_fork_is_tested_by_the_versions_that_its_container_has() -> None:
    dockerfile = read("deploy/Dockerfile")
    node = re.search(r"/node:(\d+)-", dockerfile)
    python = re.search(r"/python:(3\.\d+)-", dockerfile)
    assert node
    assert python
    for file in OF_A_FORK:
        workflow = file.read_text(encoding="utf-8")
        assert set(re.findall(r"node-version: '(.+)'", workflow)) == {node[1]}
        assert set(re.findall(r"python-version: '(.+)'", workflow)) == {python[1]}
    assert f"/node:{node[1]}-" in read(".devcontainer/Dockerfile")


def test_the_starter_is_tested_by_the_oldest_and_the_newest_that_it_claims() -> None:
    oldest = re.findall(r"(\d+\.\d+)\.0", PACKAGE["engines"]["node"])
    oldest_python = re.search(r'requires-python = ">=(.+)"', read("pyproject.toml"))
    newest_minor = re.search(r"NEWEST_KNOWN_MINOR = (\d+)", read("kit/node/lib/api.js"))
    assert oldest_python
    assert newest_minor
    workflow = jobs(read(".github/workflows/starter-ci.yml"))
    tested = {
        system: set(re.findall(rf"{row}node: '(.+?)', python: '(.+?)'", workflow[job]))
        for system, job, row in [
            ("linux", "linux", ""),
            ("windows", "systems", "os: windows-latest, "),
            ("macos", "systems", "os: macos-latest, "),
        ]
    }
    # Which Node.js is the newest, its makers alone know.
    [newest] = {
        pair for pairs in tested.values() for pair in pairs if "." not in pair[0]
    }
    assert newest[1] == f"3.{newest_minor[1]}"
    assert tested["linux"] == {(oldest[0], oldest_python[1]), newest}
    assert tested["windows"] == {(oldest[0], oldest_python[1]), newest}
    assert tested["macos"] == {(oldest[1], oldest_python[1]), newest}


def test_the_container_is_asked_where_it_listens() -> None:
    [port] = re.findall(r"127\.0\.0\.1:(\d+):8000", read("deploy/compose.yaml"))
    asked = re.findall(r"http://127\.0\.0\.1:(\d+)/", read(".github/workflows/ci.yml"))
    assert set(asked) == {port}


def test_the_dev_container_has_the_ports_and_extensions_of_the_project() -> None:
    text = re.sub(r"^ *//.*\n", "", read(".devcontainer/devcontainer.json"), flags=re.M)
    container = json.loads(text)
    assert {"3000", PACKAGE["proxy"].split(":")[-1]} < set(container["portsAttributes"])
    extensions = json.loads(read(".vscode/extensions.json"))["recommendations"]
    named = container["customizations"]["vscode"]["extensions"]
    assert sorted(named) == sorted(extensions)


def git(folder: Path, *args: str) -> str:
    command = ["git", "-c", "user.name=Jo", "-c", "user.email=jo@example.com", *args]
    return subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    """Make a repository to push to, with files that an upgrade changes, or may not."""
    folder = tmp_path / "upstream"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "yarn.lock").write_text("react: 19.0.0\n")
    for name in ("api/requirements.txt", *OTHERS):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("As it was\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=A project")
    return folder


def run_upgrade(
    upstream: Path, version: str, open_request: str = ""
) -> tuple[str, str]:
    """Run the job of the pull request; return what gh was told, and the body."""
    work = upstream.parent / version
    git(upstream.parent, "clone", "--quiet", str(upstream), str(work / "clone"))
    (work / "bin").mkdir()
    (work / "bin/gh").write_text(GH)
    (work / "bin/gh").chmod(0o755)
    (work / "upgrade").mkdir()
    (work / "clone/yarn.lock").write_text(f"react: {version}\n")
    (work / "clone/api/requirements.txt").write_text(f"flask=={version}\n")
    for name in OTHERS:
        (work / "clone" / name).write_text("stolen\n")
    patch = git(work / "clone", "diff", "--binary") + "\n"
    (work / "upgrade/changes.patch").write_text(patch)
    (work / "upgrade/log.txt").write_text(
        f"Installing …\n\n## Frontend\n\nreact: {version}\n"
    )
    git(work / "clone", "checkout", "--quiet", ".")
    job = jobs(read(".github/workflows/upgrade.yml"))["pull-request"]
    settings = dict(re.findall(r"^      ([A-Z]+): ([^$\n]+)$", job, re.M))
    for script in scripts(job):
        subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=work / "clone",
            env={
                "PATH": f"{work / 'bin'}{os.pathsep}{os.environ['PATH']}",
                "HOME": str(work),
                "RUNNER_TEMP": str(work),
                "GITHUB_REF_NAME": "main",
                "CALLS": str(work / "calls"),
                "OPEN": open_request,
                **settings,
            },
            check=True,
            timeout=30,
        )
    return (work / "calls").read_text(), (work / "body.md").read_text()


def test_an_upgrade_becomes_a_branch_a_pull_request_and_a_run_of_ci(
    upstream: Path,
) -> None:
    calls, body = run_upgrade(upstream, "19.1.0")
    assert git(upstream, "show", "upgrade:yarn.lock") == "react: 19.1.0"
    changed = git(upstream, "diff", "--name-only", "main", "upgrade")
    assert changed.splitlines() == ["api/requirements.txt", "yarn.lock"]
    assert "pr create --base main --head upgrade --title Upgrade the packages" in calls
    assert calls.endswith("workflow run ci.yml --ref upgrade\n")
    assert body.startswith("## Frontend\n\nreact: 19.1.0\n")


def test_the_next_upgrade_replaces_the_branch_and_edits_the_pull_request(
    upstream: Path,
) -> None:
    run_upgrade(upstream, "19.1.0")
    calls, _ = run_upgrade(upstream, "19.2.0", open_request="7")
    assert git(upstream, "show", "upgrade:yarn.lock") == "react: 19.2.0"
    assert git(upstream, "rev-list", "--count", "main..upgrade") == "1"
    assert "pr edit 7 --body-file" in calls
    assert "pr create" not in calls
