"""The release step: a command such as `flask db upgrade`, before new code is asked.

`python -m react_flask_kit.release` runs it; both servers do so when they start.
"""

import os
import shlex
import sqlite3
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import time

from click import ClickException

from .loading import app_folder, read_environment

# Set where one process starts others again and again, for which once is enough.
STARTED_BY = "RELEASE_STARTED_BY"
LOCK = "release.lock"
# As long as a migration may take.
SECONDS_TO_WAIT = 3600
MOST_LINES = 500
LINES_TOLD = 5


class ReleaseError(ClickException):
    """A release step that has failed, so that the new code must not be asked."""

    def __init__(self, message: str, output: str = "") -> None:
        """Keep what the command has printed."""
        super().__init__(message)
        self.command_output = output

    @property
    def reason(self) -> str:
        """What it said last: the lines after a traceback, or a few of them."""
        lines = self.command_output.rstrip().splitlines()
        begins = [number for number, line in enumerate(lines, 1) if line[:1] == " "]
        return "\n".join(lines[max(begins, default=0) :][-LINES_TOLD:])

    def __str__(self) -> str:
        """Say both, as an overlay shows it."""
        return f"{self.message}\n{self.reason}".rstrip()


def release(**env: str) -> None:
    """Run the command of RELEASE_COMMAND, unless another process has just done so.

    `env` is added to its environment. Of processes that start together and share the
    folder for data, the first one runs it, and the others wait.

    Raises ReleaseError where it fails.
    """
    command = os.environ.get("RELEASE_COMMAND")
    if not command:
        return
    began, starter = time(), os.environ.get(STARTED_BY, "")
    with locked(data_folder()) as record:
        record.execute("CREATE TABLE IF NOT EXISTS last (command, starter, time)")
        for done, by, at in record.execute("SELECT * FROM last"):
            if done == command and (at > began or (starter and by == starter)):
                return
        run(command, env)
        record.execute("DELETE FROM last")
        record.execute("INSERT INTO last VALUES (?, ?, ?)", (command, starter, time()))
        record.execute("COMMIT")


def data_folder() -> Path:
    """Return the folder for data, which is known here before the app is loaded."""
    return Path(os.environ.get("FLASK_INSTANCE_PATH") or app_folder() / "instance")


@contextmanager
def locked(folder: Path) -> Iterator[sqlite3.Connection]:
    """Keep other processes out, on every system: SQLite's lock ends with its owner.

    Where nothing can be written, nobody is kept out.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            folder / LOCK, timeout=SECONDS_TO_WAIT, isolation_level=None
        )
        connection.execute("BEGIN EXCLUSIVE")
    except (OSError, sqlite3.OperationalError):
        connection = sqlite3.connect(":memory:")
    with closing(connection):
        yield connection


def run(command: str, env: dict[str, str]) -> None:
    """Run a command, without a shell; print what it says.

    `flask` and `python` are those that run this. Raises ReleaseError where it fails.
    """
    name, *args = shlex.split(command, posix=os.name != "nt")
    ours = {"python": [sys.executable], "flask": [sys.executable, "-m", "flask"]}
    print(f"RELEASE_COMMAND: {command}", file=sys.stderr, flush=True)
    paths = [str(app_folder()), os.environ.get("PYTHONPATH")]
    env = {"PYTHONPATH": os.pathsep.join(filter(None, paths)), **env}
    said: deque[str] = deque(maxlen=MOST_LINES)
    try:
        with subprocess.Popen(  # noqa: S603 (it is the project's own)
            [*ours.get(name, [name]), *args],
            env=os.environ | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            for line in process.stdout or ():
                print(line, end="", file=sys.stderr, flush=True)
                said.append(line)
    except OSError as error:
        raise ReleaseError(f"RELEASE_COMMAND: {name}: {error.strerror}.") from None
    if process.returncode:
        code = process.returncode
        message = f"RELEASE_COMMAND failed: {command} ended with exit code {code}."
        raise ReleaseError(message, "".join(said))


def main() -> None:
    """Run the release step for production; end with an error where it fails."""
    read_environment()
    try:
        release(FLASK_DEBUG="0")
    except ReleaseError as error:
        print(f"Error: {error.message}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
