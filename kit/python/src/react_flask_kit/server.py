"""Production: the app and the built frontend on one port.

`python -m react_flask_kit` starts this. The first process imports no app: it keeps the
listening socket, starts the workers, and ends them.
"""

import atexit
import errno
import logging
import multiprocessing
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.net import SocketSpec

from .loading import read_environment
from .release import ReleaseError, release
from .settings import SettingError

# Open connections for each worker: most of them wait for their browser to ask again.
CONNECTIONS = 20_000
MOST_FILES = 1 << 16
# As in development: large cookies fit.
LONGEST_HEADERS = 1 << 16
# What a person who presses Ctrl-C has patience for.
SECONDS_AFTER_INTERRUPT = 0.7
SECONDS_TO_INTERRUPT = 0.9
INTERRUPTED = 130
CANNOT_START = 3
RELEASE = "react_flask_kit.release"
SECONDS_BEFORE_ANOTHER_START = 6
SECONDS_FOR_THE_LAST_ANSWER = 0.2
# From the start of a worker until the one that it replaces is told to stop.
SECONDS_TO_REPLACE = 3.5
# Of these, the last in which that one takes no more connections.
SECONDS_TO_READ = 0.5


class Options(NamedTuple):
    """How to serve: environment variables, each with a default."""

    host: str
    port: int
    workers: int
    threads: int
    seconds_to_finish: int
    seconds_for_streams: int


def main() -> None:
    """Serve until told to stop."""
    if sys.argv[1:]:
        sys.exit(
            f"There are no arguments, but was given: {' '.join(sys.argv[1:])}. "
            "Where it listens is said by HOST and PORT."
        )
    # Otherwise it is that of a file, which new code may bring with it.
    has_own_step = "RELEASE_COMMAND" in os.environ
    try:
        read_environment()
    except SettingError as error:
        sys.exit(f"Error: {error.message}")
    options = read_options()
    address = free_address(options.host, options.port)
    try:
        release(FLASK_DEBUG="0")
    except ReleaseError as error:
        print(f"Error: {error.message}", file=sys.stderr, flush=True)
        sys.exit(CANNOT_START)
    allow_open_files()
    # A forked process would still have the code of before a reload.
    multiprocessing.set_start_method("spawn")
    start = Start()
    server = Server(
        "react_flask_kit",
        address=address,
        port=options.port,
        interface=Interfaces.ASGI,
        # HTTP/2 is the proxy's in front, and its own kind of attack.
        http=HTTPModes.http1,
        workers=options.workers,
        backpressure=CONNECTIONS,
        http1_settings=HTTP1Settings(max_buffer_size=LONGEST_HEADERS),
        respawn_failed_workers=True,
        respawn_interval=SECONDS_TO_REPLACE,
        workers_kill_timeout=options.seconds_to_finish,
        log_level=LogLevels.critical,
    )
    # A worker that dies is told; what an app raises, the site tells.
    logging.getLogger("_granian").setLevel(logging.ERROR)
    server.on_startup(partial(take_signals, server, start, has_own_step))
    server.on_reload(partial(end_streams_of_old_workers, start))
    showing = partial(show_address, options, address, start.has_started)
    threading.Thread(target=showing, daemon=True).start()
    loader = partial(load_site, options, start)
    try:
        server.serve(target_loader=loader, wrap_loader=False)
    finally:
        if start.has_failed.is_set():
            sys.exit(CANNOT_START)


class Start:
    """What the processes of a server tell one another; it is handed to each worker."""

    def __init__(self) -> None:
        """Begin without workers."""
        self.has_started = multiprocessing.Event()
        self.has_failed = multiprocessing.Event()
        self.is_telling = multiprocessing.Lock()
        self.renew()

    def renew(self) -> None:
        """Make another pipe, for the workers that are still to come."""
        self.reader, self.writer = multiprocessing.Pipe(duplex=False)

    def announce_the_end(self) -> None:
        """Let the workers know, as they also do when this process is killed."""
        self.writer.close()

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what only the first process has."""
        return {key: it for key, it in vars(self).items() if key != "writer"}


class Server(Granian):
    """Granian, whose first process keeps the listening socket of a single worker.

    On Linux each worker of Granian has a listening socket of its own, and the kernel
    shares out connections. But where the only worker dies, they would be refused until
    another one listens.
    """

    def _init_shared_socket(self) -> None:
        # There is no public way to hand down a socket; other systems do just this.
        if self.workers > 1:
            return super()._init_shared_socket()
        self._shd = SocketSpec(self.bind_addr, self.bind_port, self.backlog).build()
        self._sfd = self._shd.get_fd()
        self._sso = socket.socket(fileno=self._sfd)
        self._sso.set_inheritable(True)
        return None


def take_signals(server: Granian, start: Start, has_own_step: bool) -> None:
    """Stop at once on Ctrl-C, and gently on SIGTERM; check new code on SIGHUP."""

    def interrupt(*_: object) -> None:
        server.workers_kill_timeout = SECONDS_AFTER_INTERRUPT
        # A server that is replacing its workers would first do that, for seconds.
        last = threading.Timer(SECONDS_TO_INTERRUPT, end_now)
        last.daemon = True
        last.start()
        terminate()

    def terminate(*_: object) -> None:
        start.announce_the_end()
        server.signal_handler_interrupt()

    def reload(*_: object) -> None:
        checking = threading.Thread(
            target=reload_if_it_starts, args=[server, has_own_step]
        )
        checking.daemon = True
        checking.start()

    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, terminate)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, reload)

    def end_when_failed() -> None:
        start.has_failed.wait()
        terminate()

    threading.Thread(target=end_when_failed, daemon=True).start()


def end_now() -> None:
    """End this process and its workers, whatever they are doing."""
    for worker in multiprocessing.active_children():
        worker.kill()
    os._exit(INTERRUPTED)


def end_streams_of_old_workers(start: Start) -> None:
    """Cut open streams before their workers are replaced, which would wait for them."""
    start.announce_the_end()
    start.renew()


def reload_if_it_starts(server: Granian, has_own_step: bool) -> None:
    """Replace the workers one by one, once another process could load the new code.

    Its release step comes before.
    """
    env = dict(os.environ)
    if not has_own_step:
        env.pop("RELEASE_COMMAND", None)
    for check in (["-c", "import react_flask_kit.asgi"], ["-m", RELEASE]):
        command = [sys.executable, *check]
        if subprocess.run(command, env=env, check=False).returncode:  # noqa: S603
            print("The new code does not start; the old goes on.", file=sys.stderr)
            return
    server.signal_handler_reload()


def load_site(options: Options, start: Start) -> Callable[..., Any]:
    """Load the app, in a worker; end everything where the first one fails to."""
    # The first to be registered is the last to be called.
    atexit.register(leave)
    # Ctrl-C is for the first process, which then ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        from .loading import load_production_app
        from .site import make_site

        site = make_site(
            load_production_app(), options.threads, options.seconds_for_streams
        )
    except BaseException as error:
        with start.is_telling:
            if not start.has_failed.is_set():
                tell(error)
            if not start.has_started.is_set():
                start.has_failed.set()
        if start.has_started.is_set():
            # The others still serve; Granian gives up where one fails at once again.
            time.sleep(SECONDS_BEFORE_ANOTHER_START)
        sys.exit(CANNOT_START)
    start.has_started.set()

    def watch() -> None:
        try:
            start.reader.recv_bytes()
        except (EOFError, OSError):
            site.stop()
        parent = multiprocessing.parent_process()
        if options.workers == 1:
            parent.join(SECONDS_TO_REPLACE - SECONDS_TO_READ)
            leave_connections_to_others()
        # In a stop that was asked for, it outlives this one.
        parent.join()
        # Nobody else will end this one. Once: a second signal would stop Granian dead.
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(options.seconds_to_finish)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    return site


def leave_connections_to_others() -> None:
    """Accept no more, where another process has the same listening socket.

    Granian closes what it has accepted and not yet read when it stops. It cannot be
    told to stop accepting first, but can be given a socket to which nobody connects.
    """
    if sys.platform != "linux":
        return
    with socket.socket(socket.AF_UNIX) as nobody:
        nobody.bind("")
        nobody.listen()
        nobody.setblocking(False)
        for name in os.listdir("/proc/self/fd"):
            with suppress(OSError):
                with socket.socket(fileno=os.dup(int(name))) as it:
                    is_internet = it.family in (socket.AF_INET, socket.AF_INET6)
                    listens = it.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                if is_internet and listens:
                    os.dup2(nobody.fileno(), int(name))


def leave() -> None:
    """End the process before the interpreter does, which Granian's threads may need."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    # What was answered last may still be on its way through them.
    time.sleep(SECONDS_FOR_THE_LAST_ANSWER)
    os._exit(0)


def tell(error: BaseException) -> None:
    """Say in one line why the app could not be loaded, after a traceback if any."""
    from click import ClickException

    if isinstance(error, ClickException):
        reason = error.format_message()
    elif isinstance(error, SystemExit):
        reason = f"the app ended itself: {error.code}"
    else:
        traceback.print_exception(error)
        reason = f"the app could not be loaded: {type(error).__name__}: {error}"
    print(f"Error: {reason}", file=sys.stderr, flush=True)


def read_options() -> Options:
    """Read how to serve from the environment; end where a value is invalid."""
    return Options(
        host=os.environ.get("HOST") or "127.0.0.1",
        port=read_number("PORT", 8000, 65535),
        workers=read_number("WEB_CONCURRENCY", count_cores(), 1000),
        threads=read_number("WEB_THREADS", 1200, 100_000),
        seconds_to_finish=read_number("WEB_SECONDS_TO_FINISH", 30, 3600),
        seconds_for_streams=read_number("WEB_SECONDS_FOR_STREAMS", 3, 3600),
    )


def read_number(name: str, default: int, largest: int) -> int:
    """Return the whole number that an environment variable has, or the default."""
    text = os.environ.get(name) or str(default)
    if re.fullmatch("[0-9]{1,9}", text) and 1 <= int(text) <= largest:
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
    except (OSError, UnicodeError) as error:
        sys.exit(why_not(host, port, error))
    return address[0]


def why_not(host: str, port: int, error: OSError | UnicodeError) -> str:
    """Say why a server cannot listen, and what to do about it.

    The launcher says the same of the servers of development (kit/node/lib/ports.js).
    """
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        reason = "another program does. Choose another one with PORT, or stop it."
    elif number == errno.EACCES:
        reason = f"PORT={port} is a port that you may not use here. Choose another one."
    else:
        # A shell of conda sets HOST to the kind of this machine.
        reason = (
            f"HOST={host} is no address of this machine. Unset it, or set it to "
            "localhost; 0.0.0.0 is every address."
        )
    return f"Cannot listen on port {port} of {host}: {reason}"


def allow_open_files() -> None:
    """Raise the limit of open files, and so of connections, as far as is allowed."""
    try:
        import resource
    except ImportError:
        # Windows has no such limit.
        return
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if most == resource.RLIM_INFINITY else min(most, MOST_FILES)
    # macOS refuses some values that it reports as allowed.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(now, wanted), most))


def show_address(options: Options, address: str, has_started: Any) -> None:
    """Say where the site is, once it is there."""
    has_started.wait()
    name = "localhost" if address in ("127.0.0.1", "::1") else options.host
    name = f"[{name}]" if ":" in name else name
    print(f"The frontend and the API are on http://{name}:{options.port}", flush=True)
