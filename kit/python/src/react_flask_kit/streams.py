"""Answers that are made while they are sent."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Iterator
from itertools import chain

from .bodies import SECONDS_WITHOUT_PROGRESS, Receive, Send
from .pool import Pool


class StreamError(Exception):
    """A stream that has begun and cannot be completed: its connection is cut."""


class Stream:
    """An answer that is made while it is sent; it keeps its thread to its end."""

    def __init__(
        self,
        pool: Pool,
        chunks: Iterator[bytes],
        first: bytes,
        length: int | None,
        close: Callable[[], None],
        is_watched: bool = True,
    ) -> None:
        """Begin with the first chunk; `length` is that of all, where it is told.

        `is_watched` is false while the body of the request is still to be read: who
        waits for the end of the connection would take parts of it.
        """
        self.is_watched = is_watched
        self.pool, self.chunks, self.close = pool, chunks, close
        self.first, self.length = first, length
        self.ended = pool.loop.create_future()
        self.is_over = False
        self.may_begin = threading.Event()

    def begin(self, start: dict, send: Send) -> None:
        """Let the thread send; to be called in the event loop."""
        self.start, self.send = start, send
        self.may_begin.set()

    def abandon(self) -> None:
        """Close everything without sending it, in the thread of the answer."""
        self.is_over = True
        self.may_begin.set()

    def send_all(self) -> None:
        """Send everything, and close what it came from; in the thread of the answer."""
        error: BaseException | None = None
        sent = 0
        try:
            self.pool.mark_as_slow()
            self.may_begin.wait()
            if not self.is_over:
                self.tell(self.start)
            for chunk in chain([self.first], self.chunks):
                if self.is_over:
                    break
                if chunk:
                    self.tell(body_message(chunk, more_body=True))
                    sent += len(chunk)
            if not self.is_over:
                if self.length not in (None, sent):
                    raise StreamError("The answer is not as long as it says.")
                self.tell(body_message(b""))
        except BaseException as raised:
            error = raised
        try:
            self.close()
        except BaseException as raised:
            error = error or raised
        self.pool.settle(self.ended, error)

    def tell(self, message: dict) -> None:
        """Send a message; raise StreamError for a client that does not read."""
        sending = asyncio.run_coroutine_threadsafe(
            deliver(self.send, message), self.pool.loop
        )
        try:
            sending.result(SECONDS_WITHOUT_PROGRESS)
        except concurrent.futures.TimeoutError:
            sending.cancel()
            raise StreamError("The client does not read.") from None


class Streams:
    """The streams that are open in one event loop."""

    def __init__(self) -> None:
        """Begin with none."""
        self.open: set[Stream] = set()
        self.is_ended = False

    async def send(
        self, stream: Stream, start: dict, receive: Receive, send: Send
    ) -> None:
        """Let a stream send itself, until it ends or its client leaves.

        Raises StreamError where it ended too early: the server must cut the connection.
        """
        if self.is_ended:
            stream.abandon()
            raise StreamError("The server stops.")
        self.open.add(stream)
        stream.begin(start, send)
        gone = asyncio.ensure_future(
            disconnected(receive) if stream.is_watched else asyncio.Event().wait()
        )
        try:
            await asyncio.wait({gone, stream.ended}, return_when="FIRST_COMPLETED")
            if stream.ended.done() and (error := stream.ended.result()):
                raise StreamError(str(error)) from error
        finally:
            stream.is_over = True
            gone.cancel()
            self.open.discard(stream)

    def end(self) -> None:
        """Cut those that are open or begin, when the server is about to stop."""
        self.is_ended = True
        for stream in self.open:
            stream.is_over = True
            if not stream.ended.done():
                stream.ended.set_result(StreamError("The server stops."))


def body_message(chunk: bytes, more_body: bool = False) -> dict:
    """Return ASGI's message for a part of a body."""
    return {"type": "http.response.body", "body": chunk, "more_body": more_body}


async def deliver(send: Send, message: dict) -> None:
    """Send a message: what a server gives to send with need not be a coroutine."""
    await send(message)


async def disconnected(receive: Receive) -> None:
    """Return when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
