"""Production: the app and the built frontend on one port.

python -m react_flask_kit
"""

import multiprocessing
import os
import socket
import sys

from click import ClickException
from granian import Granian
from granian.constants import HTTPModes, Interfaces

SECONDS_TO_FINISH = 30
# At most, for each worker: a slow client or database holds one.
THREADS = 16
# Open connections for each worker: most of them wait for their browser to ask again.
CONNECTIONS = 20_000


def main() -> None:
    """Serve until told to stop: at HOST and PORT, with WEB_CONCURRENCY processes."""
    try:
        # Here too, so that a mistake in the app is told before a worker starts.
        from . import wsgi  # noqa: F401
    except ClickException as error:
        sys.exit(f"Error: {error.format_message()}")
    host = os.environ.get("HOST") or "127.0.0.1"
    port = read_number("PORT", 8000, 65535)
    workers = read_number("WEB_CONCURRENCY", count_cores(), 1000)
    address = free_address(host, port)
    allow_open_files()
    # A forked process would still have the code of before a reload.
    multiprocessing.set_start_method("spawn")
    server = Granian(
        "react_flask_kit.wsgi:application",
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
    print(f"The frontend and the API are on http://{name}:{port}", flush=True)
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
