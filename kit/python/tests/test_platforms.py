"""The server on systems that lack what Linux has."""

import os
import signal
import sys
from types import SimpleNamespace

import pytest
from react_flask_kit import server


def test_without_a_limit_of_open_files_none_is_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # As on Windows, which has no such module.
    monkeypatch.setitem(sys.modules, "resource", None)
    server.allow_open_files()


def test_a_limit_that_the_system_refuses_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("current limit exceeds maximum limit")

    resource = SimpleNamespace(
        RLIMIT_NOFILE=7,
        RLIM_INFINITY=-1,
        getrlimit=lambda _: (256, -1),
        setrlimit=refuse,
    )
    monkeypatch.setitem(sys.modules, "resource", resource)
    server.allow_open_files()


def test_cores_are_counted_where_a_process_cannot_be_bound_to_some(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert server.count_cores() == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert server.count_cores() == 1


def test_without_sighup_the_server_takes_the_other_signals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken: dict[int, object] = {}
    told: list[str] = []
    monkeypatch.delattr(signal, "SIGHUP", raising=False)
    monkeypatch.setattr(signal, "signal", taken.__setitem__)
    start = server.Start()
    granian = SimpleNamespace(
        workers_kill_timeout=30,
        signal_handler_interrupt=lambda: told.append("end"),
    )
    server.take_signals(granian, start, False)
    assert set(taken) == {signal.SIGINT, signal.SIGTERM}
    taken[signal.SIGTERM]()
    assert granian.workers_kill_timeout == 30
    assert told == ["end"]
    start.has_failed.set()
