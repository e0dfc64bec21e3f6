"""Threads for an application.

The contract: few while work is quick or computes, as many as there is need for while it
waits, never more than the limit, and none for long that has nothing to do.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest
from asgi_client import Server, asking
from react_flask_kit import pool as module
from react_flask_kit.pool import ENOUGH, Pool


@pytest.fixture
def server() -> Iterator[Server]:
    """Run an event loop, of which a pool is a part."""
    with asking(lambda *_: None) as server:
        yield server


@pytest.fixture(autouse=True)
def _nobody_else_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY", float("inf"))


def submit(server: Server, pool: Pool, count: int, job: Callable) -> list:
    """Give jobs to a pool, and return the futures of their results."""

    async def submit_all() -> list[asyncio.Future]:
        futures = []
        for _ in range(count):
            future = asyncio.get_running_loop().create_future()

            def run(future: asyncio.Future = future) -> None:
                try:
                    pool.settle(future, job())
                except Exception as error:
                    pool.settle(future, None, error)

            pool.submit(run)
            futures.append(future)
        return futures

    return server.run(submit_all())


def results(server: Server, futures: list) -> list:
    return server.run(asyncio.gather(*futures, return_exceptions=True))


def test_quick_jobs_have_few_threads(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on a machine that is not busy with something else.
    monkeypatch.setattr(module, "BUSY", -1)
    monkeypatch.setattr(module, "SECONDS_OF_A_QUICK_JOB", 60)
    pool = Pool(1000)
    names: set[int] = set()
    job = lambda: names.add(threading.get_ident())  # noqa: E731
    assert results(server, submit(server, pool, 500, job)) == [None] * 500
    assert 1 <= len(names) <= pool.threads <= ENOUGH


def test_jobs_that_wait_have_a_thread_each(server: Server) -> None:
    together = threading.Barrier(40)
    pool = Pool(1000)
    futures = submit(server, pool, 40, lambda: together.wait(20) >= 0)
    assert results(server, futures) == [True] * 40
    assert 40 <= pool.threads < 60


def test_there_are_never_more_threads_than_the_limit(server: Server) -> None:
    together = threading.Barrier(3)
    pool = Pool(3)
    futures = submit(server, pool, 12, lambda: together.wait(20) >= 0)
    assert results(server, futures) == [True] * 12
    assert pool.threads == 3


def test_a_process_that_computes_gets_no_more_threads(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY", -1)
    monkeypatch.setattr(module, "SECONDS_OF_A_QUICK_JOB", 60)
    pool = Pool(1000)
    may_end = threading.Event()
    looks: list[int] = []
    look = pool.look
    monkeypatch.setattr(pool, "look", lambda: (look(), looks.append(pool.threads)))
    futures = submit(server, pool, 50, lambda: may_end.wait(20))
    server.until(lambda: len(looks) > 5)
    may_end.set()
    results(server, futures)
    assert max(looks) == pool.threads == ENOUGH


def test_a_job_that_says_so_counts_as_slow_at_once(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SECONDS_OF_A_QUICK_JOB", 60)
    pool = Pool(1000)
    together = threading.Barrier(30)

    def stream() -> bool:
        pool.mark_as_slow()
        return together.wait(20) >= 0

    assert results(server, submit(server, pool, 30, stream)) == [True] * 30


def test_threads_that_have_nothing_to_do_end_but_for_one(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SECONDS_OF_IDLENESS", 0.01)
    pool = Pool(1000)
    together = threading.Barrier(10)
    results(server, submit(server, pool, 10, lambda: together.wait(20)))
    server.until(lambda: pool.threads == 1)
    assert results(server, submit(server, pool, 1, lambda: "still")) == ["still"]


def test_each_job_gets_its_own_result_or_error(server: Server) -> None:
    pool = Pool(8)
    numbers = iter(range(100))
    lock = threading.Lock()

    def job() -> int:
        with lock:
            number = next(numbers)
        if number % 10 == 0:
            raise LookupError(number)
        return number

    told = results(server, submit(server, pool, 100, job))
    errors = [it.args[0] for it in told if isinstance(it, LookupError)]
    values = [it for it in told if isinstance(it, int)]
    assert sorted(errors) == list(range(0, 100, 10))
    assert sorted(errors + values) == list(range(100))


def test_a_result_that_nobody_waits_for_any_more_is_dropped(server: Server) -> None:
    pool = Pool(1)
    may_end = threading.Event()
    (first,) = submit(server, pool, 1, lambda: may_end.wait(20))
    first.cancel()
    may_end.set()
    assert results(server, submit(server, pool, 1, lambda: "next")) == ["next"]
    assert first.cancelled()


def test_an_idle_pool_keeps_no_job_alive(server: Server) -> None:
    import gc
    import weakref

    class Request:
        """What a job holds."""

    pool = Pool(1)
    request = Request()
    gone = weakref.ref(request)
    results(server, submit(server, pool, 1, lambda held=request: bool(held)))
    del request
    server.until(lambda: gc.collect() >= 0 and gone() is None)
