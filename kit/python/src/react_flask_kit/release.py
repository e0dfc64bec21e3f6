"""The release step: a command such as `flask db upgrade`, before new code is asked.

`python -m react_flask_kit.release` runs it; both servers do so when they start.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from click import ClickException

from .loading import app_folder, read_environment
from .settings import SettingError

# Set where one process starts others again and again, for which once is enough.
STARTED_BY = "RELEASE_STARTED_BY"
LOCK = "release.lock"
# As long as a migration may take.
SECONDS_TO_WAIT = 3600
MOST_LINES = 500
LINES_TOLD = 5
# Of a development server, which the command is not.
NOT_INHERITED = ("FLASK_RUN_FROM_CLI", "WERKZEUG_RUN_MAIN", "WERKZEUG_SERVER_FD")


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
        indented = [number for number, line in enumerate(lines, 1) if line[:1] == " "]
        after = lines[max(indented, default=0) :]
        return "\n".join((after or lines)[-LINES_TOLD:])

    def __str__(self) -> str:
        """Say both, as an overlay shows it."""
        return f"{self.message}\n{self.reason}".rstrip()


def release(**env: str) -> None:
    """Run the command of RELEASE_COMMAND, one process after the other.

    `env` is added to its environment. Of the processes that one development server
    starts, only the first one runs it.

    Raises ReleaseError where it fails.
    """
    command = os.environ.get("RELEASE_COMMAND", "").strip()
    if not command:
        return
    wanted = (command, os.environ.get(STARTED_BY, ""))
    with locked(data_folder()) as record:
        if wanted[1] and wanted in record.read():
            return
        run(command, env)
        record.write(wanted)


def data_folder() -> Path:
    """Return the folder for data, which is known here before the app is loaded."""
    return Path(os.environ.get("FLASK_INSTANCE_PATH") or app_folder() / "instance")


class Record:
    """Which step was the last to end well, as far as that can be written down."""

    def __init__(self, connection: Any = None) -> None:
        """Use a database of SQLite, if there is one."""
        self.connection = connection

    def read(self) -> list[tuple[str, str]]:
        """Return the command and who started it."""
        with suppress(Exception):
            return list(self.connection.execute("SELECT * FROM last"))
        return []

    def write(self, step: tuple[str, str]) -> None:
        """Replace what is there; where that fails, the step is only run once more."""
        with suppress(Exception):
            self.connection.execute(
                "CREATE TABLE IF NOT EXISTS last (command, starter)"
            )
            self.connection.execute("DELETE FROM last")
            self.connection.execute("INSERT INTO last VALUES (?, ?)", step)
            self.connection.execute("COMMIT")


@contextmanager
def locked(folder: Path) -> Iterator[Record]:
    """Keep other processes out, on every system: SQLite's lock ends with its owner.

    Where nothing can be written, nobody is kept out. Raises ReleaseError where another
    one takes too long.
    """
    try:
        # A Python may be without it.
        import sqlite3

        folder.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(folder / LOCK, timeout=0, isolation_level=None)
    except (ImportError, OSError, sqlite3.Error):
        yield Record()
        return
    with closing(connection):
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            if "locked" not in str(error):
                yield Record()
                return
            print("Waiting for the release step of another process.", file=sys.stderr)
            connection.execute(f"PRAGMA busy_timeout = {SECONDS_TO_WAIT * 1000}")
            try:
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.Error:
                raise ReleaseError(
                    "RELEASE_COMMAND: another process has not ended it in an hour."
                ) from None
        yield Record(connection)


def run(command: str, env: dict[str, str]) -> None:
    """Run a command, without a shell; print what it says.

    `flask` and `python` are those that run this, and so are other programs of the same
    environment. A signal to stop is passed on, and ends this when the command ends.

    Raises ReleaseError where it fails.
    """
    # Beside this Python, and then wherever the system looks.
    path = os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()])
    inherited = {k: v for k, v in os.environ.items() if k not in NOT_INHERITED}
    env = inherited | {"PATH": path} | env
    if (app_folder() / "__init__.py").exists():
        # Flask then takes the app for a part of a package, without its neighbours.
        paths = [str(app_folder()), os.environ.get("PYTHONPATH")]
        env["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    said: deque[str] = deque(maxlen=MOST_LINES)
    print(f"RELEASE_COMMAND: {command}", file=sys.stderr, flush=True)
    try:
        with (
            subprocess.Popen(  # noqa: S603 (it is the project's own)
                command_line(command, path),
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            ) as process,
            passing_signals_on(process) as signals,
        ):
            for line in process.stdout or ():
                print(line, end="", file=sys.stderr, flush=True)
                said.append(line)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ReleaseError(f"RELEASE_COMMAND: {command}: {reason}.") from None
    if signals:
        sys.exit(128 + signals[0])
    if code := process.returncode:
        message = f"RELEASE_COMMAND failed: {command} ended with exit code {code}."
        raise ReleaseError(message, "".join(said))


def command_line(command: str, path: str) -> list[str]:
    """Return the parts of a command; quotes keep one together, on Windows too.

    Raises ValueError for a quote that is not closed.
    """
    parts = shlex.shlex(command, posix=True)
    parts.whitespace_split, parts.commenters, parts.escape = True, "", ""
    name, *args = parts
    if name == "flask":
        return [sys.executable, "-m", "flask", *args]
    if name == "python":
        return [sys.executable, *args]
    return [shutil.which(name, path=path) or name, *args]


@contextmanager
def passing_signals_on(process: subprocess.Popen) -> Iterator[list[int]]:
    """Hand signals to a command that runs; yield the list of those that came.

    The first process of a container gets none that it does not ask for.
    """
    came: list[int] = []

    def hand_on(number: int, _frame: object) -> None:
        came.append(number)
        process.send_signal(number)

    if threading.current_thread() is not threading.main_thread():
        yield came
        return
    before = {
        number: signal.signal(number, hand_on)
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield came
        process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main() -> None:
    """Run the release step for production; end with an error where it fails."""
    try:
        read_environment()
        release(FLASK_DEBUG="0")
    except (ReleaseError, SettingError) as error:
        print(f"Error: {error.message}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
