"""Start what a test needs in a process of its own, and stop it whatever happens."""

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from react_flask_kit.testing import stop

# What sets up this test run, or an app of whoever runs it.
NOT_INHERITED = ("FLASK_", "PYTEST_", "DATABASE_URL", "PYTHONPATH", "RELEASE_")
SECONDS_TO_WAIT = 30


def clean_env(**env: str) -> dict[str, str]:
    """Return the environment of somebody who has set nothing but this."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(NOT_INHERITED)}
    return inherited | env


def wait_for(
    condition: Callable[[], Any], what: str, seconds: float = SECONDS_TO_WAIT
) -> Any:
    """Return the first true result of a condition, or fail after some seconds."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.02)
    return result


def get(url: str) -> tuple[int, dict]:
    """Ask for JSON; return the status and what it says."""
    try:
        with urllib.request.urlopen(url, timeout=SECONDS_TO_WAIT) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


class Process:
    """A running command, and what it has printed."""

    def __init__(
        self, folder: Path, command: Iterable[object], env: dict[str, str], log: Path
    ) -> None:
        """Start it in a folder, with nothing but this environment."""
        self.log = log
        with self.log.open("wb") as log:
            self.popen = subprocess.Popen(
                [str(part) for part in command],
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def output(self) -> str:
        """What the command has printed."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def ended(self) -> bool:
        """Whether the command has come to its end."""
        return self.popen.poll() is not None

    def prints(self, text: str) -> None:
        """Wait until the command has printed a text."""
        wait_for(lambda: text in self.output or self.ended, repr(text))
        assert text in self.output, self.output


@contextmanager
def running(folder: Path, *command: object, **env: str) -> Iterator[Process]:
    """Run a command for the length of a `with` block; env is added to a clean one."""
    process = Process(folder, command, clean_env(**env), folder / "printed.log")
    try:
        yield process
    finally:
        try:
            stop(process.popen)
        finally:
            process.popen.kill()
