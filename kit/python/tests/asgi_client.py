"""An ASGI server of a test's own, in this process: one request at a time."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

SECONDS_TO_WAIT = 20
Application = Callable[[dict, Callable, Callable], Awaitable[None]]


class Answer(NamedTuple):
    """What was sent, and whether its end was."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    is_whole: bool

    def get(self, name: str) -> str | None:
        """Return the only value of a header."""
        values = [value for own, value in self.headers if own == name.lower()]
        assert len(values) < 2, values
        return values[0] if values else None

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def scope_of(
    method: str = "GET",
    target: str = "/",
    headers: dict[str, str] | None = None,
    **more: object,
) -> dict:
    """Return the scope of a request, as a server makes it."""
    path, _, query = target.partition("?")
    sent = {"Host": "localhost", **(headers or {})}
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote_to_bytes(path).decode(errors="replace"),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(k.lower().encode(), v.encode()) for k, v in sent.items()],
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
    } | more


def parts_of(body: bytes, *more: bytes, is_cut: bool = False) -> list[dict]:
    """Return what a server gives of a body that comes in parts, perhaps not all."""
    parts = [body, *more]
    messages: list[dict] = [
        {"type": "http.request", "body": part, "more_body": True} for part in parts
    ]
    if is_cut:
        return [*messages, {"type": "http.disconnect"}]
    messages[-1]["more_body"] = False
    return messages


class Server:
    """Asks an application, all in one event loop that runs while it does."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.loop = asyncio.new_event_loop()
        self.sent: list[dict] = []
        self.has_left: asyncio.Event | None = None
        self.events: list[str] = []

    def ask(
        self,
        method: str = "GET",
        target: str = "/",
        headers: dict[str, str] | None = None,
        messages: list[dict] | None = None,
        **scope: object,
    ) -> Answer:
        """Return an answer, whole or not; raise what the application raises."""
        request = self.request(
            scope_of(method, target, headers, **scope), messages or parts_of(b"")
        )
        self.run(request)
        return self.answer()

    async def request(self, scope: dict, messages: list[dict]) -> None:
        """Let the application answer a request."""
        self.sent = []
        self.has_left = asyncio.Event()
        rest = list(messages)

        async def receive() -> dict:
            if rest:
                return rest.pop(0)
            await self.has_left.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict) -> None:
            self.sent.append(message)
            self.events.append("sent")

        await self.application(scope, receive, send)

    def answer(self) -> Answer:
        """Return what was sent of the last answer."""
        start, *parts = self.sent
        return Answer(
            start["status"],
            [(k.decode("latin-1"), v.decode("latin-1")) for k, v in start["headers"]],
            b"".join(part["body"] for part in parts),
            bool(parts) and not parts[-1]["more_body"],
        )

    def run(self, work: Awaitable) -> Any:
        """Run something in the event loop."""
        return self.loop.run_until_complete(asyncio.wait_for(work, SECONDS_TO_WAIT))

    def until(self, condition: Callable[[], object]) -> None:
        """Let the loop run on until something is so."""

        async def wait() -> None:
            while not condition():
                await asyncio.sleep(0.001)

        self.run(wait())


@contextmanager
def asking(application: Application) -> Iterator[Server]:
    """Ask an application, and end the event loop."""
    server = Server(application)
    try:
        yield server
    finally:
        server.loop.run_until_complete(server.loop.shutdown_asyncgens())
        server.loop.close()
