"""The commands of package.json, each in a process of its own.

Most of it needs neither network nor time: a fake Python and a fake npx record what they
are asked for. Windows has no such fakes; kit/node/tests covers its branches.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from projects import copy_project
from servers import (
    ROOT,
    clean_env,
    edit,
    free_port,
    running,
    wait_for,
)

pytestmark = pytest.mark.skipif(os.name == "nt", reason="its fakes are shell scripts")

FAKE_PYTHON = """#!/bin/sh
case "$2" in
  *sys.version_info*) echo "Python $FAKE_VERSION"; exit "$FAKE_STATUS";;
esac
shift
echo "$*" >> "$FAKE_LOG"
case "$1" in
  venv)
    if [ "$FAKE_FIFO" ]; then read line < "$FAKE_FIFO"; fi
    if [ "$FAKE_VENV" = fails ]; then echo "No module named venv"; exit 1; fi
    /bin/rm -rf "$3" && /bin/mkdir -p "$3/bin" && /bin/cp "$0" "$3/bin/python"
    /bin/mkdir -p "$3/lib/python3/site-packages/pip-$FAKE_PIP.dist-info"
    echo done >> "$FAKE_LOG";;
  pip)
    echo done >> "$FAKE_LOG"
    exit "$FAKE_PIP_STATUS";;
esac
"""

FAKE_NPX = """#!/bin/sh
echo "$5" >> "$FAKE_LOG"
if [ "$FAKE_FIFO" ]; then read line < "$FAKE_FIFO"; fi
/bin/mkdir -p node_modules/vite
echo '{"bin": {"vite": "vite.js"}}' > node_modules/vite/package.json
echo 'console.log("vite has started")' > node_modules/vite/vite.js
echo done >> "$FAKE_LOG"
"""

FAKE_SETTINGS = {
    "FAKE_VERSION": "3.12",
    "FAKE_STATUS": "0",
    "FAKE_PIP_STATUS": "0",
    "FAKE_PIP": "21.3",
}

VENV = "venv --clear"
PACKAGES = "pip install --quiet --require-hashes -r api/requirements.txt"
DEV_PACKAGES = f"{PACKAGES} -r api/requirements-dev.txt"
KIT = "pip install --quiet --no-deps --no-build-isolation --no-index"
EDITABLE_KIT = f"{KIT} --editable ./kit/python"
COPIED_KIT = f"{KIT} ./kit/python"
FLASK = "flask --app react_flask_kit.development run --no-debugger"
YARN = "exec yarn 'install' '--immutable'"


class Machine:
    """A fresh clone on a machine that has Node.js and a few programs, and no more."""

    def __init__(self, project: Path, folder: Path) -> None:
        """Keep the programs, their log and temporary files in a folder."""
        self.project = project
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.log = folder / "log"
        self.env = FAKE_SETTINGS | {
            "PATH": str(self.bin),
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "FAKE_LOG": str(self.log),
            # Port 5000 may be in use here.
            "FLASK_RUN_PORT": str(free_port()),
            "NO_COLOR": "1",
        }
        self.add("node", f'#!/bin/sh\nexec "{shutil.which("node")}" "$@"\n')
        (self.bin / "sh").symlink_to("/bin/sh")

    def add(self, name: str, script: str) -> None:
        """Add a program."""
        (self.bin / name).write_text(script)
        (self.bin / name).chmod(0o755)

    def start(self, *command: str, **env: str) -> subprocess.Popen:
        """Start a script of package.json, without waiting for npm itself."""
        package = json.loads((self.project / "package.json").read_text())
        script = package["scripts"][command[0]].split()
        return subprocess.Popen(
            [self.bin / script[0], *script[1:], *command[1:]],
            cwd=self.project,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *command: str, **env: str) -> tuple[int, str]:
        """Run a script to its end; return the exit code and what it printed."""
        process = self.start(*command, **env)
        output, _ = process.communicate(timeout=30)
        return process.returncode, output

    def asked(self) -> list[str]:
        """Return what the fakes were asked for since this was last called."""
        return [line for line in self.logged() if line != "done"]

    def logged(self) -> list[str]:
        """Return the same, with a line for the end of each installation."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return lines


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(clone(tmp_path / "a path with spaces"), tmp_path)


def clone(folder: Path) -> Path:
    """Copy what the commands need of the project, and nothing that was installed."""
    others = ("bench", "deploy", "docs", "extensions", "public", "tests")
    return copy_project(folder, installed=(), without=others)


@pytest.fixture(scope="module")
def prepared_clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepare the API of a fresh clone with the fake Python."""
    folder = tmp_path_factory.mktemp("prepared")
    machine = Machine(clone(folder), folder)
    machine.add("python3", FAKE_PYTHON)
    assert machine.run("start-api")[0] == 0
    return machine.project


@pytest.fixture
def prepared(prepared_clone: Path, tmp_path: Path) -> Machine:
    """Copy the prepared clone."""
    project = tmp_path / "a path with spaces"
    shutil.copytree(prepared_clone, project, symlinks=True)
    machine = Machine(project, tmp_path)
    machine.add("python3", FAKE_PYTHON)
    return machine


def test_the_api_is_prepared_once_and_then_silently_started(machine: Machine) -> None:
    machine.add("python3", FAKE_PYTHON)
    code, output = machine.run("start-api")
    assert code == 0
    assert output == (
        "Making api/venv with Python 3.12 (python3) …\n"
        "Installing the API's packages (api/requirements.txt) …\n"
    )
    venv = f"{VENV} {machine.project}/api/venv"
    assert machine.asked() == [venv, PACKAGES, EDITABLE_KIT, FLASK]
    assert machine.run("start-api") == (0, "")
    assert machine.asked() == [FLASK]
    assert not (machine.project / "node_modules").exists()


def test_the_frontend_is_prepared_once_and_without_python(machine: Machine) -> None:
    machine.add("npx", FAKE_NPX)
    assert machine.run("start") == (
        0,
        "Installing the frontend's packages (yarn.lock) …\nvite has started\n",
    )
    assert machine.asked() == [YARN]
    assert machine.run("start") == (0, "vite has started\n")
    assert machine.asked() == []
    with (machine.project / "yarn.lock").open("a") as lockfile:
        lockfile.write("# Changed.\n")
    machine.run("start")
    assert machine.asked() == [YARN]
    assert not (machine.project / "api/venv").exists()


def dangle(venv: Path) -> None:
    (venv / "bin/python").unlink()
    (venv / "bin/python").symlink_to("/no/such/python")


def record(text: str) -> Callable[[Path], object]:
    return lambda venv: (venv / "installed.json").write_text(text)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(dangle, id="its Python is gone"),
        pytest.param(
            lambda venv: edit(venv / "installed.json", "3.12", "3.9"),
            id="its Python has another version",
        ),
        pytest.param(
            lambda venv: (venv / "installed.json").unlink(), id="it is half-made"
        ),
        pytest.param(record(""), id="its record is empty"),
        pytest.param(record('{"python": "Pyth'), id="its record is half-written"),
        pytest.param(record("{}"), id="its record says nothing"),
        pytest.param(shutil.rmtree, id="it was deleted"),
    ],
)
def test_a_venv_that_cannot_be_used_is_made_again(
    prepared: Machine, spoil: Callable[[Path], object]
) -> None:
    spoil(prepared.project / "api/venv")
    assert prepared.run("start-api")[0] == 0
    venv = f"{VENV} {prepared.project}/api/venv"
    assert prepared.asked() == [venv, PACKAGES, EDITABLE_KIT, FLASK]


def test_the_packages_for_tests_come_with_the_first_test(prepared: Machine) -> None:
    _, output = prepared.run("test-api")
    assert "api/requirements-dev.txt" in output
    assert prepared.asked() == [DEV_PACKAGES, "pytest"]
    assert prepared.run("start-api") == (0, "")


def test_packages_come_and_go_with_the_requirements(prepared: Machine) -> None:
    requirements = prepared.project / "api/requirements.txt"
    before = requirements.read_text()
    requirements.write_text(f"{before}\nadded-package==1.0 --hash=sha256:{'0' * 64}\n")
    assert prepared.run("start-api")[0] == 0
    assert prepared.asked() == [PACKAGES, FLASK]
    requirements.write_text(before)
    assert prepared.run("start-api")[0] == 0
    assert prepared.asked() == [
        PACKAGES,
        "pip uninstall --quiet --yes added-package",
        FLASK,
    ]


def test_a_pip_that_cannot_install_a_folder_editable_copies_it_whenever_it_changes(
    machine: Machine,
) -> None:
    machine.add("python3", FAKE_PYTHON)
    machine.env["FAKE_PIP"] = "21.2.4"
    assert machine.run("start-api")[0] == 0
    assert machine.asked()[1:] == [PACKAGES, COPIED_KIT, FLASK]
    assert machine.run("start-api")[0] == 0
    assert machine.asked() == [FLASK]
    edit(machine.project / "kit/python/src/react_flask_kit/errors.py", '"', '" ')
    assert machine.run("start-api")[0] == 0
    assert machine.asked() == [COPIED_KIT, FLASK]


def test_an_editable_kit_is_installed_anew_for_other_metadata_only(
    prepared: Machine,
) -> None:
    edit(prepared.project / "kit/python/src/react_flask_kit/errors.py", '"', '" ')
    assert prepared.run("start-api")[0] == 0
    assert prepared.asked() == [FLASK]
    metadata = prepared.project / "kit/python/pyproject.toml"
    edit(metadata, 'description = "', 'description = "0')
    assert prepared.run("start-api")[0] == 0
    assert prepared.asked() == [EDITABLE_KIT, FLASK]


@pytest.mark.parametrize(
    ("name", "in_lockfile"),
    [
        ("another-name", "another-name"),
        ("@me/another-name", "@me/another-name"),
        # What Yarn itself calls a project without a name.
        (None, "root-workspace-0b6124"),
    ],
)
def test_a_renamed_project_installs_what_the_lockfile_says(
    machine: Machine, name: str | None, in_lockfile: str
) -> None:
    machine.add("npx", FAKE_NPX)
    package, lockfile = (machine.project / f for f in ("package.json", "yarn.lock"))
    content, locked = json.loads(package.read_text()), lockfile.read_text()
    old = f'"{content.pop("name")}@workspace:."'
    package.write_text(json.dumps(content | ({"name": name} if name else {})))
    assert machine.run("start")[0] == 0
    assert machine.asked() == [YARN]
    assert locked.count(old) == 2
    renamed = locked.replace(old, f'"{in_lockfile}@workspace:."')
    # In the order of their names.
    assert sorted(entries(lockfile.read_text())) == sorted(entries(renamed))
    assert machine.run("start") == (0, "vite has started\n")
    assert machine.asked() == []


def entries(lockfile: str) -> list[str]:
    return lockfile.strip().split("\n\n")


def test_an_install_that_failed_is_tried_again(machine: Machine) -> None:
    machine.add("python3", FAKE_PYTHON)
    code, output = machine.run("start-api", FAKE_PIP_STATUS="1")
    assert code == 1
    assert "The API's packages could not be installed" in output
    assert "HTTPS_PROXY" in output
    assert machine.run("start-api")[0] == 0
    assert FLASK in machine.asked()


@pytest.mark.parametrize(
    ("programs", "env", "says"),
    [
        pytest.param((), {}, ["python3: not found", "python3.10: not found"], id="no"),
        pytest.param(
            ("python3", "python"),
            {"FAKE_VERSION": "3.9"},
            ["python3: Python 3.9", "python: Python 3.9", "needs Python 3.10 or newer"],
            id="too old a",
        ),
        pytest.param(
            ("python3",),
            {"FAKE_STATUS": "127"},
            ["python3: not found"],
            id="only a stub of a",
        ),
        pytest.param(
            ("python3",),
            {"PYTHON": "/no/such/python"},
            ["Tried:\n  /no/such/python: not found\nInstall"],
            id="a wrongly chosen",
        ),
    ],
)
def test_without_a_suitable_python_it_says_what_was_tried_and_what_to_install(
    machine: Machine, programs: tuple[str, ...], env: dict[str, str], says: list[str]
) -> None:
    for name in programs:
        machine.add(name, FAKE_PYTHON)
    code, output = machine.run("start-api", **env)
    assert code == 1
    for text in (*says, "https://www.python.org/downloads/", "set PYTHON"):
        assert text in output
    assert "file://" not in output
    assert machine.asked() == []


def test_a_newer_python_beside_one_that_is_too_old_is_used(machine: Machine) -> None:
    machine.add("python3", '#!/bin/sh\necho "Python 3.9"\n')
    machine.add("python3.12", FAKE_PYTHON)
    code, output = machine.run("start-api")
    assert code == 0
    assert "Python 3.12 (python3.12)" in output


def test_a_python_without_venv_is_told_to_be_one(machine: Machine) -> None:
    machine.add("python3", FAKE_PYTHON)
    code, output = machine.run("start-api", FAKE_VENV="fails")
    assert code == 1
    assert "No module named venv" in output
    assert "sudo apt install python3-venv" in output
    assert "file://" not in output


def test_without_a_network_it_says_why_there_are_no_packages(
    machine: Machine, tmp_path: Path
) -> None:
    machine.add("npx", f'#!/bin/sh\nexec "{shutil.which("npx")}" "$@"\n')
    offline = {
        "npm_config_cache": str(tmp_path / "empty"),
        "npm_config_registry": "http://127.0.0.1:9/",
        "npm_config_fetch_retries": "0",
    }
    code, output = machine.run("start", **offline)
    assert code == 1
    assert "ECONNREFUSED" in output
    assert "The frontend's packages could not be installed" in output
    assert "HTTPS_PROXY" in output


@pytest.fixture
def waiting(machine: Machine, tmp_path: Path) -> Callable[[], object]:
    """Let the fakes wait while they install; return how to let one go on."""
    machine.add("python3", FAKE_PYTHON)
    machine.add("npx", FAKE_NPX)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    machine.env["FAKE_FIFO"] = str(fifo)
    return lambda: fifo.write_text("go on\n")


@pytest.mark.parametrize(
    ("command", "begins", "installs", "then"),
    [
        ("start-api", "Making api/venv", ["venv", "pip", "pip"], ["flask"] * 4),
        ("start", "Installing the frontend's packages", ["exec"], []),
    ],
)
def test_of_four_commands_at_once_one_installs_and_the_others_wait(
    machine: Machine,
    waiting: Callable[[], object],
    command: str,
    begins: str,
    installs: list[str],
    then: list[str],
) -> None:
    commands = [
        machine.start(command, FLASK_RUN_PORT=str(free_port())) for _ in range(4)
    ]
    first, *others = sorted(each.stdout.readline() for each in commands)
    assert first.startswith(begins)
    assert others == ["Waiting for another command, which installs …\n"] * 3
    waiting()
    for each in commands:
        assert begins not in each.communicate(timeout=30)[0]
        assert each.returncode == 0
    logged = [line.split()[0] for line in machine.logged()]
    one_by_one = [line for install in installs for line in (install, "done")]
    assert logged == [*one_by_one, *then]


def test_nobody_waits_for_a_command_that_was_killed(
    machine: Machine, waiting: Callable[[], object]
) -> None:
    killed = machine.start("start-api")
    wait_for(machine.log.exists, "the venv to be begun")
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate(timeout=30)
    assert machine.run("start-api", FAKE_FIFO="")[0] == 0


def test_a_command_whose_starter_was_killed_ends_and_lets_the_next_one_in(
    machine: Machine, waiting: Callable[[], object]
) -> None:
    starter = subprocess.Popen(
        ["/bin/sh", "-c", "node kit/node flask & wait"],
        cwd=machine.project,
        env=machine.env,
        stdout=subprocess.PIPE,
        text=True,
    )
    wait_for(machine.log.exists, "the venv to be begun")
    starter.kill()
    # Until the last process that writes into it has ended.
    starter.communicate(timeout=30)
    assert "Waiting" not in machine.run("start-api", FAKE_FIFO="")[1]


@pytest.mark.parametrize(
    ("agent", "code"),
    [
        ("yarn/1.22.22 npm/? node/v24.4.1 linux x64", 1),
        ("yarn/2.4.3 npm/? node/v24.4.1 linux x64", 1),
        ("yarn/3.8.7 npm/? node/v24.4.1 linux x64", 1),
        ("yarn/4.9.2 npm/? node/v24.4.1 linux x64", 0),
        ("yarn/10.0.0 npm/? node/v24.4.1 linux x64", 0),
        ("npm/11.4.2 node/v24.4.1 linux x64", 0),
        ("", 0),
    ],
)
def test_a_yarn_that_would_rewrite_the_lockfile_may_not_install(
    agent: str, code: int
) -> None:
    scripts = json.loads((ROOT / "package.json").read_text())["scripts"]
    program, *args = scripts["preinstall"].split()
    process = subprocess.run(
        [shutil.which(program), *args],
        cwd=ROOT,
        env=clean_env(npm_config_user_agent=agent),
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == code
    assert ("npm run add-frontend PACKAGE" in process.stderr) == (code == 1)


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("yarn.lock", "# yarn lockfile v1\n", "git checkout yarn.lock"),
        ("package-lock.json", "{}", "Delete it"),
    ],
)
def test_a_lockfile_of_another_installer_is_noticed(
    machine: Machine, file: str, text: str, says: str
) -> None:
    (machine.project / file).write_text(text)
    code, output = machine.run("start")
    assert code == 1
    assert says in output
    assert "npm run add-frontend PACKAGE" in output
    assert "file://" not in output


@pytest.fixture
def taken_port() -> Iterator[str]:
    """Let another program listen on a port of this machine."""
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield str(other.getsockname()[1])


@pytest.mark.parametrize(
    ("command", "setting", "value", "says"),
    [
        ("start", "PORT", "taken", "Port {} is taken by another program."),
        ("start", "PORT", "abc", "PORT=abc is not a port."),
        ("start-api", "FLASK_RUN_PORT", "taken", "Port {} is taken by another"),
        ("dev", "PORT", "taken", "The frontend's server ended (exit code 1)"),
        ("dev", "FLASK_RUN_PORT", "taken", "Port {} is taken by another"),
    ],
)
def test_a_port_that_cannot_be_used_is_a_message(
    project: Path, taken_port: str, command: str, setting: str, value: str, says: str
) -> None:
    ports = {"PORT": str(free_port()), "FLASK_RUN_PORT": str(free_port())}
    ports[setting] = taken_port if value == "taken" else value
    with running(project, command, **ports) as failing:
        assert failing.popen.wait(timeout=30) == 1
    assert says.format(taken_port) in failing.output
    assert "file://" not in failing.output


def test_a_malformed_proxy_is_a_message(prepared: Machine) -> None:
    package = prepared.project / "package.json"
    edit(package, '"proxy": "http://', '"proxy": "')
    proxy = json.loads(package.read_text())["proxy"]
    code, output = prepared.run("start-api")
    assert code == 1
    assert f'"proxy" in package.json is "{proxy}".' in output
    assert "file://" not in output


def test_dev_labels_both_servers_and_gives_them_a_free_port(
    own_project: Path, taken_port: str
) -> None:
    (own_project / ".env").write_text(f"FLASK_RUN_PORT={taken_port}\n")
    port = free_port()
    with running(own_project, "dev", PORT=str(port)) as dev:
        dev.prints("React and Flask are ready")
        with urllib.request.urlopen(f"http://localhost:{port}/time") as response:
            assert json.load(response)["time"]
        lines = dev.output.splitlines()
    labels = ("frontend │ ", "api      │ ")
    assert [line for line in lines if not line.startswith(labels)] == []
    addresses = [line for line in lines if f"localhost:{port}" in line]
    assert addresses == [
        f"frontend │   React and Flask are ready: http://localhost:{port}/",
    ]


def test_flask_listens_where_its_arguments_say_and_the_frontend_is_told_of(
    prepared: Machine, taken_port: str
) -> None:
    usual, port = prepared.env["FLASK_RUN_PORT"], str(free_port())
    code, output = prepared.run("start-api", "--port", port, "-h", "127.0.0.1")
    assert (code, prepared.asked()) == (0, [f"{FLASK} --port {port} -h 127.0.0.1"])
    assert f"The frontend asks http://127.0.0.1:{usual}. Set FLASK_RUN_PORT={port}" in (
        output
    )
    assert prepared.run("start-api", "-p", usual, "-h", "0.0.0.0") == (0, "")
    code, output = prepared.run("start-api", f"--port={taken_port}")
    assert (code, f"Port {taken_port} is taken" in output) == (1, True)


def test_env_wins_over_flaskenv_as_it_does_in_flask(prepared: Machine) -> None:
    port = free_port()
    del prepared.env["FLASK_RUN_PORT"]
    (prepared.project / ".env").write_text(f"FLASK_RUN_PORT={port}\n")
    with (prepared.project / ".flaskenv").open("a") as flaskenv:
        flaskenv.write(f"FLASK_RUN_PORT={free_port()}\n")
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        assert f"Port {port} is taken" in prepared.run("start-api")[1]
