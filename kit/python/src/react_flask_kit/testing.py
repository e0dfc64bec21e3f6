"""Run what a test needs to be real: the frontend's build, the production server."""

import http.client
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

SECONDS_TO_START = 60
SECONDS_TO_STOP = 40


def built_frontend(project: Path, build: Path) -> None:
    """Run `npm run build` of a project into a folder."""
    npm = shutil.which("npm")
    assert npm, "npm is not on the PATH: install Node.js"
    # As on the day of the release, whatever is set for tests.
    env = os.environ | {"BUILD_PATH": str(build), "NODE_ENV": "production"}
    done = subprocess.run(
        [npm, "run", "build"], cwd=project, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def production_server(project: Path, **env: str) -> Iterator[str]:
    """Serve a project on a free port of 127.0.0.1, by one worker; yield the address."""
    port = free_port()
    settings = {"HOST": "127.0.0.1", "PORT": str(port), "WEB_CONCURRENCY": "1"}
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "react_flask_kit"],
            cwd=project,
            env=os.environ | settings | env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            deadline = time.monotonic() + SECONDS_TO_START
            while not is_answering(f"http://127.0.0.1:{port}/health"):
                assert server.poll() is None, printed(log)
                assert time.monotonic() < deadline, printed(log)
                time.sleep(0.05)
            yield f"http://localhost:{port}"
        finally:
            stop(server)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on."""
    with closing(socket.socket()) as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


def is_answering(address: str) -> bool:
    """Tell whether a server answers at an address, whatever it says."""
    try:
        urllib.request.urlopen(address, timeout=20).close()
    except urllib.error.HTTPError as error:
        error.close()
    except (OSError, http.client.HTTPException):
        return False
    return True


def printed(log) -> str:
    """Return what was written into a file."""
    log.seek(0)
    return log.read().decode(errors="replace")


def stop(server: subprocess.Popen) -> None:
    """End a server and all that it started."""
    if server.poll() is None:
        if os.name == "nt":
            tree = ["taskkill", "/pid", str(server.pid), "/t", "/f"]
            subprocess.run(tree, check=False, capture_output=True)
        else:
            server.terminate()
        try:
            server.wait(timeout=SECONDS_TO_STOP)
        finally:
            server.kill()
