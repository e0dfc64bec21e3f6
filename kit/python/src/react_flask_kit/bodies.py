"""Bodies of requests: whole, or never seen by an application."""

import asyncio
import io
import tempfile
import time
from collections.abc import Awaitable, Callable
from typing import IO

from werkzeug.exceptions import ClientDisconnected

Receive = Callable[[], Awaitable[dict]]
Send = Callable[[dict], Awaitable[None]]

# Of a client that sends a body, or reads an answer.
SECONDS_WITHOUT_PROGRESS = 30
# A body that is slower than this on average, after these seconds, is given up.
BYTES_A_SECOND = 1_000
# A larger body is kept on disk while it is read.
IN_MEMORY = 1 << 20


class BodyError(Exception):
    """A body that no application should see."""

    def __init__(self, status: int, reason: str) -> None:
        """Keep the status to answer with, and why."""
        super().__init__(reason)
        self.status, self.reason = status, reason


async def read_body(environ: dict, receive: Receive, largest_whole: int) -> IO[bytes]:
    """Return a request's body: whole, or the beginning of one that exceeds the limit.

    Raises BodyError where it was cut off or is too slow.
    """
    declared = environ.get("CONTENT_LENGTH")
    length = None if declared is None else int(declared)
    reader = BodyReader(receive, length)
    file: IO[bytes] = io.BytesIO()
    if length is not None and length > largest_whole:
        return LargeBody(file, reader, asyncio.get_running_loop())
    while chunk := await reader.read():
        if reader.size > IN_MEMORY and isinstance(file, io.BytesIO):
            on_disk = tempfile.TemporaryFile()  # noqa: SIM115 (closed by the bridge)
            on_disk.write(file.getbuffer())
            file = on_disk
        file.write(chunk)
        if reader.size > largest_whole:
            file.seek(0)
            return LargeBody(file, reader, asyncio.get_running_loop())
    file.seek(0)
    return file


class BodyReader:
    """Reads a body as it comes, and tells one that ends too early."""

    def __init__(self, receive: Receive, length: int | None) -> None:
        """Read from an ASGI server a body whose length may be told."""
        self.receive, self.length = receive, length
        self.size = 0
        self.is_complete = False
        self.began = time.monotonic()

    async def read(self) -> bytes:
        """Return what comes next, and nothing at the end of a whole body.

        Raises BodyError where it was cut or is too slow.
        """
        chunk = b""
        while not chunk and not self.is_complete:
            allowed = SECONDS_WITHOUT_PROGRESS + self.size / BYTES_A_SECOND
            rest = self.began + allowed - time.monotonic()
            rest = min(rest, SECONDS_WITHOUT_PROGRESS)
            try:
                message = await asyncio.wait_for(self.receive(), max(rest, 0.001))
            except asyncio.TimeoutError:
                raise BodyError(408, "The body came too slowly.") from None
            if message["type"] == "http.disconnect":
                raise BodyError(400, "The body was cut off.")
            chunk = message.get("body", b"")
            self.size += len(chunk)
            self.is_complete = not message.get("more_body")
        if self.is_complete and self.length not in (None, self.size):
            raise BodyError(400, "The body is not as long as its Content-Length.")
        return chunk


class LargeBody(io.RawIOBase):
    """A body beyond the limit, which is read while the application asks for it."""

    def __init__(
        self, begun: IO[bytes], reader: BodyReader, loop: asyncio.AbstractEventLoop
    ) -> None:
        """Give what was read already, then what the reader gets."""
        self.begun, self.reader, self.loop = begun, reader, loop
        self.rest = b""

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:
        """Read what there is; raise ClientDisconnected, a 400, for a body cut off."""
        data = self.begun.read(len(buffer)) or self.rest
        if not data:
            coming = asyncio.run_coroutine_threadsafe(self.reader.read(), self.loop)
            try:
                data = coming.result()
            except BodyError as error:
                raise ClientDisconnected(error.reason) from None
        self.rest = data[len(buffer) :]
        size = min(len(data), len(buffer))
        buffer[:size] = data[:size]
        return size

    def close(self) -> None:
        """Let go of the file, if there is one."""
        self.begun.close()
        super().close()
