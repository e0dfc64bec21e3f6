"""Start the server of development, and keep its link open as Vite does."""

import http.client
import json
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from processes import Process, running, wait_for
from react_flask_kit.testing import free_port, is_answering

AS_VITE = {"X-Flask-Link": "vite"}
SECONDS_TO_WAIT = 30


@contextmanager
def development(
    folder: Path, *options: str, waits: bool = True, **env: str
) -> Iterator[tuple[Process, str]]:
    """Run it on `main.py`; yield it and the address of the app.

    `waits` is false where nobody answers for a while.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    flask = ["flask", "--app", "react_flask_kit.development", "run", "--no-debugger"]
    settings = {
        "FLASK_APP": "main.py",
        "FLASK_DEBUG": "1",
        "FLASK_RUN_PORT": str(port),
        # Python takes a file for unchanged that is saved again within the same second.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", *flask, *options]
    with running(folder, *command, **(settings | env)) as server:
        if waits:
            wait_for(lambda: server.ended or is_answering(url), "the server")
        yield server, url


class LinkReader:
    """The lines of the link, as they come."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        """Read the greeting."""
        self.response = response
        self.greeting = json.loads(response.readline())

    def next_line(self) -> dict | None:
        """Return the next line that says something; None at the end of the answer."""
        while line := self.response.readline():
            if line.strip():
                return json.loads(line)
        return None


@contextmanager
def linked(url: str, **headers: str) -> Iterator[LinkReader]:
    """Open the link for the length of a `with` block."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    with closing(connection):
        connection.request("GET", "/__flask__", headers=AS_VITE | headers)
        response = connection.getresponse()
        assert response.headers["Content-Type"] == "application/x-ndjson"
        yield LinkReader(response)
