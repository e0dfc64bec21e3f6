"""Threads that follow need: few for quick work, more only while work is held up."""

import asyncio
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

SECONDS_BETWEEN_LOOKS = 0.003
# A job that takes longer waits for something, such as a database.
SECONDS_OF_A_QUICK_JOB = 0.01
SECONDS_OF_IDLENESS = 30
# Python runs one thread at a time: for quick jobs more would only take turns.
ENOUGH = 1
# Of a core: above it the threads compute, and more would be in each other's way.
BUSY = 0.7


class Pool:
    """Run functions in threads for one event loop.

    A thread is added while a job waits and others are held up, up to a limit; one that
    has had no work for a while ends. Results go back to the loop together, with one
    wake-up for many.
    """

    def __init__(
        self, most: int, abandon: Callable[[Any], None] = lambda _: None
    ) -> None:
        """Begin without threads; at most `most` will run at a time.

        `abandon` takes a result that came when nobody waited for it any more.
        """
        self.most, self.abandon = most, abandon
        self.threads = 0
        self.wanted = ENOUGH
        self.jobs: queue.SimpleQueue = queue.SimpleQueue()
        self.results: deque[tuple[asyncio.Future, Any, BaseException | None]] = deque()
        # When each job that runs has begun, by its thread.
        self.running: dict[int, float] = {}
        self.lock = threading.Lock()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.is_woken = self.is_looking = False
        self.last_look = (0.0, 0.0)

    def submit(self, job: Callable[..., None], *args: Any) -> None:
        """Call a function in a thread; it must not raise.

        To be called in the event loop, which must always be the same.
        """
        if self.loop is None:
            self.loop = asyncio.get_running_loop()
        if not self.threads:
            self.add_thread()
        self.jobs.put((job, args))
        if not self.is_looking:
            self.look_later()

    def settle(
        self, future: asyncio.Future, result: Any, error: BaseException | None = None
    ) -> None:
        """Give a future its result, from any thread."""
        self.results.append((future, result, error))
        if not self.is_woken:
            self.is_woken = True
            self.loop.call_soon_threadsafe(self.deliver)

    def deliver(self) -> None:
        """Set the results that have come, in the event loop."""
        # First: a result that comes from now on needs a wake-up of its own.
        self.is_woken = False
        while self.results:
            future, result, error = self.results.popleft()
            if future.cancelled():
                self.abandon(result)
            elif future.done():
                continue
            elif error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

    def look_later(self) -> None:
        """Have a look in a moment, while there is work."""
        self.is_looking = True
        self.last_look = (time.monotonic(), time.process_time())
        self.loop.call_later(SECONDS_BETWEEN_LOOKS, self.look)

    def look(self) -> None:
        """Add threads where jobs wait for those that are held up; let others end."""
        self.is_looking = False
        waiting = self.jobs.qsize()
        if not waiting:
            return
        begun = list(self.running.values())
        now = time.monotonic()
        passed, computed = now - self.last_look[0], time.process_time()
        slow = sum(now - began > SECONDS_OF_A_QUICK_JOB for began in begun)
        if computed - self.last_look[1] > BUSY * passed:
            self.wanted = slow + ENOUGH
        else:
            self.wanted = max(2 * slow + ENOUGH, self.threads + 1)
        more = min(waiting, self.wanted - self.threads, self.most - self.threads)
        for _ in range(more):
            self.add_thread()
        self.look_later()

    def mark_as_slow(self) -> None:
        """Tell, from within a job, that it will take a while."""
        self.running[threading.get_ident()] = 0.0

    def add_thread(self) -> None:
        """Start a thread, which ends with the process."""
        with self.lock:
            self.threads += 1
        try:
            threading.Thread(target=self.work, daemon=True).start()
        except RuntimeError:
            # The system allows no more of them; the next look tries again.
            with self.lock:
                self.threads -= 1

    def work(self) -> None:
        """Do what comes, until nothing has come for a while."""
        ident = threading.get_ident()
        while True:
            try:
                job, args = self.jobs.get(timeout=SECONDS_OF_IDLENESS)
            except queue.Empty:
                with self.lock:
                    if self.threads > 1:
                        self.threads -= 1
                        return
                continue
            self.running[ident] = time.monotonic()
            try:
                job(*args)
            finally:
                del self.running[ident]
            # An idle thread must not keep the last request alive.
            del job, args
            with self.lock:
                if self.threads > self.wanted:
                    self.threads -= 1
                    return
