"""Production: api.py and the built page on one port. `npm run serve` runs this file."""

import multiprocessing
import os
import socket
import sys
from collections.abc import Iterable
from pathlib import Path

from click import ClickException
from dotenv import load_dotenv
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from page import Page
from security import SecurityHeaders

ROOT = Path(__file__).resolve().parent.parent
load_dotenv(ROOT / ".env")
# Whatever the environment says: visitors learn nothing of the inside.
os.environ["FLASK_DEBUG"] = "0"
try:
    from api import app
except ClickException as error:
    sys.exit(f"Error: {error.message}")

BUILD = ROOT / os.environ.get("BUILD_PATH", "build")
SECONDS_TO_FINISH = 30
# At most, for each worker: a slow client or database holds one.
THREADS = 16
# Open connections for each worker: most of them wait for their browser to ask again.
CONNECTIONS = 20_000


class WholeResponse(app.response_class):
    """A response that Granian sends in one piece, unless it is a stream."""

    def get_app_iter(self, environ: dict) -> Iterable[bytes]:
        """Return the body as one block: a worker that is killed cuts none in two."""
        body = super().get_app_iter(environ)
        if not self.is_sequence:
            return body
        whole = b"".join(body)
        self.close()
        return [whole]


app.response_class = WholeResponse
application = SecurityHeaders(
    Page(app, BUILD, app.config["SOURCE_MAPS"]),
    app.config["CSP_CONNECT_SRC"],
    app.config["PROXIES"],
)


def main() -> None:
    """Serve until told to stop: at HOST and PORT, with WEB_CONCURRENCY processes."""
    host = os.environ.get("HOST") or "127.0.0.1"
    port = read_number("PORT", 8000, 65535)
    workers = read_number("WEB_CONCURRENCY", count_cores(), 1000)
    address = free_address(host, port)
    allow_open_files()
    # A forked process would still have the api.py of before a reload.
    multiprocessing.set_start_method("spawn")
    server = Granian(
        "server:application",
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        # HTTP/2 is the proxy's in front, and its own kind of attack.
        http=HTTPModes.http1,
        workers=workers,
        blocking_threads=THREADS,
        backpressure=CONNECTIONS,
        respawn_failed_workers=True,
        workers_kill_timeout=SECONDS_TO_FINISH,
        log_level="error",
    )
    name = "localhost" if address in ("127.0.0.1", "::1") else host
    name = f"[{name}]" if ":" in name else name
    print(f"The page and the API are on http://{name}:{port}", flush=True)
    server.serve()


def read_number(name: str, default: int, largest: int) -> int:
    """Return the whole number that an environment variable has, or the default."""
    text = os.environ.get(name) or str(default)
    if text.isascii() and text.isdigit() and 1 <= int(text) <= largest:
        return int(text)
    sys.exit(f"{name} must be a whole number from 1 to {largest}, and not {text!r}.")


def count_cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def free_address(host: str, port: int) -> str:
    """Return the numeric address of a host, where nobody else may listen yet."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        socket.create_server(address, family=family).close()
    except OSError as error:
        sys.exit(
            f"Cannot listen on port {port} of {host}: {error.strerror}. "
            "Choose another one with PORT, or another address with HOST."
        )
    return address[0]


def allow_open_files() -> None:
    """Raise the limit of open files, and so of connections, as far as is allowed."""
    try:
        import resource
    except ImportError:
        # Windows has no such limit.
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main()
