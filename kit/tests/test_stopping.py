"""However development is stopped, nothing is left behind: no process, no port."""

import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from servers import clean_env, free_port, is_answering, is_listening, wait_for

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs a terminal and /proc")

# What an editor does that stays open: it holds the output of who has opened it.
EDITOR = """#!/bin/sh
touch "{folder}/opened"
exec sleep 30
"""


def processes(project: Path, part: str = "") -> list[int]:
    """Return what runs in a project, and has a text in its command."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (process / "cmdline").read_text().replace("\0", " ")
            # npm starts a shell with the same text.
            is_it = part in command and not (part and command.startswith("sh -c"))
            if is_it and (process / "cwd").resolve().is_relative_to(project):
                found.append(int(process.name))
    return found


@pytest.fixture
def folder(own_project: Path) -> Path:
    editor = own_project / "editor.sh"
    editor.write_text(EDITOR.format(folder=own_project))
    editor.chmod(0o755)
    return own_project


@contextmanager
def terminal(folder: Path, command: str) -> Iterator[SimpleNamespace]:
    """Type `npm run COMMAND` into a terminal of its own."""
    page, api = free_port(), free_port()
    outside, inside = os.openpty()
    env = {"PORT": str(page), "FLASK_RUN_PORT": str(api)}
    env["REACT_EDITOR"] = str(folder / "editor.sh")
    npm = subprocess.Popen(
        [shutil.which("npm"), "run", "--silent", command],
        cwd=folder,
        env=clean_env(**env),
        stdin=inside,
        stdout=inside,
        stderr=inside,
        preexec_fn=lambda: own_terminal(inside),
    )
    os.close(inside)
    try:
        read_until(outside, "are ready" if command == "dev" else "Restarting")
        wait_for(lambda: is_answering(api), "the API")
        yield SimpleNamespace(npm=npm, page=page, api=api, outside=outside)
    finally:
        for process in processes(folder):
            if process != os.getpid():
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
        npm.wait(timeout=10)


def own_terminal(inside: int) -> None:
    import fcntl
    import termios

    os.setsid()
    fcntl.ioctl(inside, termios.TIOCSCTTY, 0)


def read_until(outside: int, text: str) -> str:
    output = b""
    while text.encode() not in output:
        assert select.select([outside], [], [], 30)[0], output.decode()
        output += os.read(outside, 65536)
    return output.decode()


def press_ctrl_c(shell: SimpleNamespace) -> None:
    os.write(shell.outside, b"\x03")


def close(shell: SimpleNamespace) -> None:
    os.close(shell.outside)


def terminate(shell: SimpleNamespace) -> None:
    shell.npm.terminate()


def kill(shell: SimpleNamespace) -> None:
    shell.npm.kill()


def kill_part(text: str) -> object:
    def kill_it(shell: SimpleNamespace) -> None:
        (process,) = processes(shell.folder, text)
        os.kill(process, signal.SIGKILL)

    kill_it.__name__ = f"kill_{text.split()[0]}"
    return kill_it


@pytest.mark.parametrize(
    ("command", "how"),
    [
        ("dev", press_ctrl_c),
        ("dev", close),
        ("dev", terminate),
        ("dev", kill),
        ("dev", kill_part("node kit/node dev")),
        ("dev", kill_part("vite.js")),
        ("dev", kill_part("flask --app")),
        ("start-api", close),
        ("start-api", terminate),
        ("start-api", kill),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_nothing_is_left_of_it(folder: Path, command: str, how: object) -> None:
    for _ in range(2):
        with terminal(folder, command) as shell:
            shell.folder = folder
            how(shell)
            wait_for(lambda: processes(folder) == [], "the processes to end", 8)
            assert shell.npm.wait(timeout=5) != 0
            for port in (shell.page, shell.api):
                wait_for(lambda p=port: not is_listening(p), "the port to be free", 2)


def test_ctrl_c_does_not_wait_for_an_editor_that_was_opened(folder: Path) -> None:
    opened = folder / "opened"
    with terminal(folder, "dev") as shell:
        address = f"http://localhost:{shell.page}/__open-in-editor?file=src/App.js"
        headers = ["-H", "Sec-Fetch-Site: same-origin"]
        subprocess.run(["curl", "-s", *headers, address], check=True, timeout=20)
        wait_for(opened.exists, "the editor")
        began = time.monotonic()
        press_ctrl_c(shell)
        shell.npm.wait(timeout=10)
        assert time.monotonic() - began < 5
        wait_for(lambda: not is_listening(shell.page), "the port to be free")
