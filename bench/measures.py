"""What is measured, each beside its peers where there are some."""

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple, TypeVar

from bench.report import Case
from bench.servers import (
    BARE,
    FASTAPI,
    FASTAPI_DEF,
    OURS,
    REACT_SCRIPTS,
    ROOT,
    SECONDS_TO_START,
    TUTORIAL,
    CannotMeasureError,
    Program,
    Servers,
    program_path,
    running,
)
from playwright.sync_api import Browser, Error, sync_playwright
from react_flask_kit.browsers import find_browser

ROUNDS = 7
SECONDS = 1
CONNECTIONS = 16
AS_A_BROWSER = "Accept-Encoding: gzip, deflate, br, zstd"
UNITS = {"us": 0.001, "ms": 1, "s": 1000}
TYPED_ROUTE = """

from typing import TypedDict

class Note(TypedDict):
    {field}: str

@app.get("/notes/<int:id>")
def get_note(id: int) -> Note: ...
"""
SLOW_REQUEST = b"GET /slow HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

Result = TypeVar("Result")


class Load(NamedTuple):
    """What a server did when asked as often as it could answer."""

    rate: float
    p99: float
    memory: float


def in_turns(
    names: list[str], measure: Callable[[str], Result], rounds: int = ROUNDS
) -> dict[str, list[Result]]:
    """Measure each once a round, so that a slow moment is everyone's; first warm up."""
    results = {name: [] for name in names}
    for number in range(rounds + 1):
        for name in names:
            result = measure(name)
            if number > 0:
                results[name].append(result)
    return results


def measure_page(servers: Servers) -> list[Case]:
    """Time the page's tools, as somebody who has used them before does."""

    def build(name: str) -> float:
        started = time.perf_counter()
        servers.build_page(name)
        return time.perf_counter() - started

    def start(name: str) -> float:
        started = time.perf_counter()
        with running(*servers.start_page(name)) as program:
            program.wait_for_answer("/")
            with browser.new_page() as page:
                page.goto(program.url)
                page.get_by_role("heading").wait_for()
                return time.perf_counter() - started

    names = [OURS, REACT_SCRIPTS]
    with launched_browser() as browser:
        starts = in_turns(names, start, rounds=3)
    return [
        Case("development start until the page shows, s", starts),
        Case("build, s", in_turns(names, build, rounds=3)),
    ]


def measure_api(servers: Servers) -> list[Case]:
    """Ask for /time."""
    names = [OURS, TUTORIAL, FASTAPI_DEF, FASTAPI, BARE]
    with all_serving(servers, names) as programs:
        loads = in_turns(names, lambda name: load(programs[name], "/time"))
    return [
        Case("/time, requests a second", column("rate", loads), True),
        Case("/time, 99 % are answered within, ms", column("p99", loads)),
        Case("memory under this load, MB", column("memory", loads)),
    ]


def measure_files(servers: Servers) -> list[Case]:
    """Ask for the page and its script, as browsers do."""
    names = [OURS, TUTORIAL, FASTAPI]
    scripts = {
        name: next(servers.page(name).glob("static/js/main.*.js")).name
        for name in names
    }

    def script(name: str) -> Load:
        return load(programs[name], f"/static/js/{scripts[name]}")

    def index(name: str) -> Load:
        return load(programs[name], "/")

    with all_serving(servers, names) as programs:
        rates = [column("rate", in_turns(names, ask)) for ask in (script, index)]
    return [
        Case("the page's script, requests a second", rates[0], True),
        Case("index.html, requests a second", rates[1], True),
    ]


def measure_first_load(servers: Servers) -> list[Case]:
    """Count what a browser that was never there receives, headers included."""
    names = [OURS, TUTORIAL]
    for name in names:
        servers.page(name)

    def received(name: str) -> float:
        finished = []
        with browser.new_context() as context:
            context.on("requestfinished", lambda request: finished.append(request))
            page = context.new_page()
            page.goto(programs[name].url, wait_until="networkidle")
            sizes = [request.sizes() for request in finished]
        parts = [
            size["responseHeadersSize"] + size["responseBodySize"] for size in sizes
        ]
        return sum(parts) / 1000

    with all_serving(servers, names) as programs, launched_browser() as browser:
        return [Case("first load, kB", in_turns(names, received, rounds=1))]


def measure_stop(servers: Servers) -> list[Case]:
    """Count the requests that a stop (SIGTERM) cuts."""

    def cut(name: str) -> float:
        with servers.serving(name) as program:
            return requests_cut(program)

    what = f"requests in flight cut by SIGTERM, of {CONNECTIONS}"
    return [Case(what, in_turns([OURS, TUTORIAL, FASTAPI], cut, rounds=3))]


def measure_types(servers: Servers) -> list[Case]:
    """Rename a field of an answer while the development server runs."""
    api, types = servers.api / "api.py", servers.api / "src/api-types.d.ts"
    original = api.read_text()

    def save(field: str) -> float:
        # The server writes the types before it looks for what is saved.
        time.sleep(1)
        api.write_text(original + TYPED_ROUTE.format(field=field))
        started = time.perf_counter()
        while f"  {field}: string;" not in types.read_text():
            time.sleep(0.001)
            if time.perf_counter() - started > SECONDS_TO_START:
                raise program.failure()
        return time.perf_counter() - started

    def rename(_: str) -> float:
        save("text")
        return save("content")

    types.parent.mkdir()
    types.touch()
    with servers.developing() as program:
        what = "a renamed field in a saved api.py until the types have it, s"
        return [Case(what, in_turns([OURS], rename))]


MEASURES = {
    "page": measure_page,
    "api": measure_api,
    "files": measure_files,
    "first-load": measure_first_load,
    "stop": measure_stop,
    "types": measure_types,
}


@contextmanager
def all_serving(servers: Servers, names: list[str]) -> Iterator[dict[str, Program]]:
    """Run some production servers at once."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(servers.serving(name)) for name in names}


@contextmanager
def launched_browser() -> Iterator[Browser]:
    """Run a browser without a window."""
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=find_browser())
        except Error:
            raise CannotMeasureError("Chrome, Chromium or Edge is missing") from None
        yield browser


def load(program: Program, path: str) -> Load:
    """Ask a server for a path as often as it can answer, for a short time."""
    wrk = [program_path("wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}", "--latency"]
    with running([*wrk, "-H", AS_A_BROWSER, program.url + path], ROOT) as generator:
        time.sleep(SECONDS / 2)
        memory = program.memory
        if generator.process.wait(timeout=SECONDS + 30):
            raise generator.failure()
        return Load(*read_wrk(generator.output), memory)


def read_wrk(output: str) -> tuple[float, float]:
    """Return the requests a second and the 99th percentile in ms that wrk tells."""
    if errors := re.search(r"Non-2xx or 3xx responses: \d+", output):
        raise CannotMeasureError(errors[0])
    p99, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", output).groups()
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)[1]
    return float(rate), float(p99) * UNITS[unit]


def requests_cut(program: Program) -> int:
    """Stop a server with SIGTERM; return how many of its requests got no answer."""
    clients = [
        socket.create_connection(("127.0.0.1", program.port), timeout=30)
        for _ in range(CONNECTIONS)
    ]
    for client in clients:
        client.sendall(SLOW_REQUEST)
    time.sleep(0.2)
    program.process.terminate()
    return sum(b"done" not in received(client) for client in clients)


def received(client: socket.socket) -> bytes:
    """Return what arrives at a client until the connection ends."""
    with client:
        try:
            return b"".join(iter(lambda: client.recv(65536), b""))
        except OSError:
            return b""


def column(field: str, loads: dict[str, list[Load]]) -> dict[str, list[float]]:
    """Return one of the numbers of some loads."""
    return {name: [getattr(one, field) for one in ones] for name, ones in loads.items()}
