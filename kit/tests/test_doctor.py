"""`npm run kit -- doctor` on whole projects: with packages, git and servers.

What it says of each bad state, one by one, is in kit/node/tests/doctor.test.js.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from projects import copy_project
from servers import clean_env, edit, free_port, is_listening, python_of, wait_for

COMMAND = [shutil.which("node"), "kit/node", "kit", "doctor"]
SECRET = "hunter2-hunter2"
IDENTITY = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]


def git(project: Path, *args: str) -> str:
    command = ["git", *IDENTITY, *args]
    return subprocess.check_output(command, cwd=project, text=True).strip()


def begin_history(project: Path) -> None:
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message=All")


def examine(project: Path, **env: str) -> tuple[int, str]:
    """Let doctor look at a project; return its exit code and what it prints."""
    ports = {"PORT": str(free_port()), "FLASK_RUN_PORT": str(free_port())}
    environment = clean_env(**ports | env)
    # It has to see by itself that Python writes nothing.
    del environment["PYTHONDONTWRITEBYTECODE"]
    process = subprocess.run(
        COMMAND,
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.stderr == ""
    return process.returncode, process.stdout


def problems_in(output: str) -> str:
    lines = output.splitlines()
    return "\n".join(line for line in lines if line.startswith("problem"))


@pytest.fixture(scope="module")
def installed_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the project with its packages, into a repository that knows its kit."""
    copy = copy_project(tmp_path_factory.mktemp("a path with spaces"))
    begin_history(copy)
    package = copy / "package.json"
    kit = git(copy, "rev-parse", "HEAD:kit")
    version = json.loads((copy / "kit/node/package.json").read_text())["version"]
    starter = {"starter": {"version": version, "kit": kit}}
    package.write_text(json.dumps(json.loads(package.read_text()) | starter))
    git(copy, "commit", "--quiet", "--all", "--message=Record the starter")
    return copy


@pytest.fixture
def project(installed_project: Path) -> Iterator[Path]:
    yield installed_project
    git(installed_project, "reset", "--quiet", "--hard")
    git(installed_project, "clean", "--quiet", "--force", "-d")
    (installed_project / ".env").unlink(missing_ok=True)


def state_of(folder: Path) -> dict[str, tuple]:
    """Return what would differ if anything below a folder had been written."""
    places = (Path(path, name) for path, _, files in os.walk(folder) for name in files)
    found = {str(place): place.lstat() for place in (*places, folder)}
    return {name: (s.st_size, s.st_mtime_ns, s.st_mode) for name, s in found.items()}


@pytest.mark.parametrize("installed", [True, False])
def test_nothing_is_written_and_the_app_is_not_imported(
    installed_project: Path, tmp_path: Path, installed: bool
) -> None:
    if installed:
        project = installed_project
        for cache in project.glob("**/__pycache__"):
            shutil.rmtree(cache)
    else:
        project = copy_project(tmp_path, installed=())
        begin_history(project)
    app = project / "api/api.py"
    before_app = app.read_text(encoding="utf-8")
    app.write_text(f"open('written', 'w')\n{before_app}", encoding="utf-8")
    before = state_of(project)
    try:
        _, output = examine(project)
        assert state_of(project) == before
    finally:
        app.write_text(before_app, encoding="utf-8")
    assert "could not be checked" not in output


def test_a_project_in_which_all_is_well_has_no_problem(project: Path) -> None:
    code, output = examine(project)
    assert (problems_in(output), code) == ("", 0)
    for text in (
        "node_modules is what yarn.lock says",
        "api/venv has what api/requirements*.txt say",
        "The kit is ",
        "No file of kit/ was edited since ",
        "Settings have names that are known, and values that can be read",
        "git has no file of secrets",
    ):
        assert f"ok       {text}" in output


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (
            "FLASK_PROXIES=one",
            "FLASK_PROXIES (.env): write a number such as 1; not 'one'.",
        ),
        ("FLASK_CORS_ORIGIN=/", "FLASK_CORS_ORIGIN (.env): did you mean FLASK_CORS_"),
        ("FLASK_PROXYS=1", "FLASK_PROXYS (.env): did you mean FLASK_PROXIES?"),
        ("FLASK_SECRETKEY=a", "FLASK_SECRETKEY (.env): did you mean FLASK_SECRET_KEY?"),
        (
            f"FLASK_SECRET_KEY={SECRET}",
            "FLASK_SECRET_KEY (.env) is shorter than 32 bytes.",
        ),
    ],
)
def test_the_values_of_settings_are_those_that_the_kit_takes(
    project: Path, line: str, says: str
) -> None:
    (project / ".env").write_text(f"{line}\n")
    code, output = examine(project)
    assert problems_in(output).count("problem  ") == 1
    assert says in problems_in(output)
    assert SECRET not in output
    assert code == 1


def test_packages_that_are_broken_are_told_with_what_to_do(project: Path) -> None:
    [flask] = (project / "api/venv").glob("[Ll]ib/**/site-packages/flask")
    moved = flask.rename(flask.with_name("moved"))
    try:
        code, output = examine(project)
    finally:
        moved.rename(flask)
    assert "No module named 'flask'" in problems_in(output)
    assert "Delete api/venv; the next command makes it again." in output
    assert code == 1


def test_a_setting_that_the_app_requires_is_missed(project: Path) -> None:
    edit(project / "api/api.py", "Kit(app)", 'Kit(app, required=["MAIL_SERVER"])')
    missing = "FLASK_MAIL_SERVER is not set, but required. Write it into .env."
    assert f"problem  {missing}" in examine(project)[1]
    assert missing not in examine(project, FLASK_MAIL_SERVER="a")[1]


def test_files_of_the_kit_that_were_edited_or_are_missing_are_named(
    project: Path,
) -> None:
    shutil.rmtree(project / "kit/extensions")
    assert problems_in(examine(project)[1]) == ""
    (project / "kit/CHANGELOG.md").unlink()
    assert "are missing: kit/CHANGELOG.md." in problems_in(examine(project)[1])
    edit(project / "kit/node/launcher.js", "/**", "/** *")
    (project / "kit/python/mine.py").write_text("")
    code, output = examine(project)
    assert "kit/node/launcher.js, kit/python/mine.py" in problems_in(output)
    assert code == 1


def test_what_is_no_file_of_the_kit_or_made_by_a_command_is_no_edit(
    project: Path,
) -> None:
    (project / "kit/link.md").symlink_to("CHANGELOG.md")
    git(project, "init", "--quiet", "kit/nested")
    git(project / "kit/nested", "commit", "--quiet", "--allow-empty", "--message=a")
    (project / "kit/python/requirements-test.txt").write_text("# Other pins\n")
    try:
        code, output = examine(project)
    finally:
        shutil.rmtree(project / "kit/nested")
    assert (problems_in(output), code) == ("", 0)
    assert "ok       No file of kit/ was edited since" in output


def test_a_tag_of_the_project_itself_is_not_taken_for_the_release(
    project: Path,
) -> None:
    package = project / "package.json"
    content = json.loads(package.read_text())
    version = content.pop("starter")["version"]
    package.write_text(json.dumps(content))
    git(project, "tag", f"v{version}")
    try:
        code, output = examine(project)
    finally:
        git(project, "tag", "--delete", f"v{version}")
    assert "hint     Whether files of kit/ were edited cannot be told" in output
    assert "hint     package.json does not say from which version" in output
    assert code == 0


def test_an_interrupted_update_is_told(project: Path) -> None:
    name = "react-flask-kit/update.json"
    journal = project / git(project, "rev-parse", "--git-path", name)
    journal.parent.mkdir()
    try:
        journal.write_text('{"from": "0.1.0", "to": "0.9.0"}')
        code, output = examine(project)
    finally:
        shutil.rmtree(journal.parent)
    assert "An update to 0.9.0 was interrupted. Run npm run kit -- update" in output
    assert code == 1


def test_secrets_in_git_are_told_and_not_shown(project: Path) -> None:
    head = git(project, "rev-parse", "HEAD")
    (project / ".env").write_text(f"MAIL_PASSWORD={SECRET}\n")
    with (project / ".flaskenv").open("a") as flaskenv:
        flaskenv.write(f"FLASK_MAIL_PASSWORD={SECRET}\n")
    try:
        git(project, "add", "--force", ".env", ".flaskenv")
        code, output = examine(project)
        git(project, "reset", "--quiet", head)
        edit(project / ".gitignore", "\n.env\n", "\n")
        _, unignored = examine(project)
    finally:
        git(project, "reset", "--quiet", "--hard", head)
    assert "git has .env, which is for secrets. Run: git rm --cached .env" in output
    assert "git has a secret: FLASK_MAIL_PASSWORD in .flaskenv." in output
    assert ".env is not ignored by git" in unignored
    assert SECRET not in output + unignored
    assert code == 1


def test_packages_that_pip_was_asked_for_by_hand_are_told(project: Path) -> None:
    flask = next(project.glob("api/venv/**/flask-3*.dist-info"))
    other = flask.with_name("flask-2.0.1.dist-info")
    more = flask.with_name("Only_Here-1.0.dist-info")
    flask.rename(other)
    more.mkdir()
    try:
        code, output = examine(project)
    finally:
        other.rename(flask)
        more.rmdir()
    assert "api/venv was changed by hand: flask (2.0.1, not 3" in problems_in(output)
    assert "packages that no list has, so production lacks them: only-here" in output
    assert code == 1


def test_a_package_that_npm_has_changed_is_told(project: Path) -> None:
    package = project / "node_modules/react/package.json"
    text = package.read_text()
    version = json.loads(text)["version"]
    # Not in place: the file may be one with that of the original.
    package.unlink()
    package.write_text(text.replace(version, "18.0.0"))
    try:
        code, output = examine(project)
    finally:
        package.write_text(text)
    assert "node_modules was changed by hand: react." in problems_in(output)
    assert code == 1


def test_a_project_that_was_moved_is_told_where_its_kit_is(tmp_path: Path) -> None:
    project = copy_project(tmp_path, installed=("api/venv",))
    moved = project.rename(tmp_path / "moved")
    code, output = examine(moved)
    assert "api/venv takes react_flask_kit from " in problems_in(output)
    assert "was the project copied or moved? Delete api/venv" in output
    assert code == 1


def test_a_python_that_is_missing_is_no_problem_yet(project: Path) -> None:
    code, output = examine(project, PYTHON="/no/such/python")
    assert "hint     The API needs Python 3.10 or newer. Tried:" in output
    assert "Until api/venv has to be made again, its Python 3." in output
    assert code == 0


def test_a_venv_of_a_python_that_is_too_old_is_told(project: Path) -> None:
    edit(project / "pyproject.toml", 'python = ">=3.10"', 'python = ">=3.99"')
    code, output = examine(project)
    assert "but pyproject.toml wants 3.99 or newer. Delete api/venv" in output
    assert code == 1


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_a_port_of_this_project_is_no_problem(project: Path, tmp_path: Path) -> None:
    port = free_port()
    command = [python_of(project), "-m", "http.server", str(port), "-b", "127.0.0.1"]
    for folder, level in ((project / "api", "hint   "), (tmp_path, "problem")):
        with subprocess.Popen(
            command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as server:
            try:
                wait_for(lambda: is_listening(port), "the server")
                _, output = examine(project, FLASK_RUN_PORT=str(port))
            finally:
                server.kill()
        assert f"{level}  Port {port} (the API) is taken by " in output
        assert f"process {server.pid}" in output
