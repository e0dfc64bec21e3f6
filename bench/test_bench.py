"""The benchmark counts and draws right; how fast anything is, it tells elsewhere."""

import os
import re
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from bench.measures import in_turns, read_wrk, requests_cut
from bench.report import Case, chart, table
from bench.servers import OURS, CannotMeasureError, Servers, run, running

pytestmark = pytest.mark.skipif(os.name == "nt", reason="gunicorn needs a Unix")

REQUESTS = Case(
    "requests a second", {"we": [500, 400, 450], "they": [200, 200, 100]}, True
)
SECONDS = Case("start, s", {"we": [2, 1, 4], "R&D": [1.0, 1.0, 1.0]})
ALONE = Case("types, s", {"we": [1, 2, 3]})
CUT = Case("requests cut", {"we": [0, 0, 0], "they": [14, 14, 15]})
WRK = """\
  Latency Distribution
     50%    1.20ms
     99%   {}
  3300 requests in 1.11s, 1.73MB read
Requests/sec:   2981.61
"""

SECONDS_TO_WAIT = 30
PRINT_AND_WAIT = "import time; print(1, flush=True); time.sleep(60)"


def wait_for(condition: Callable[[], Any], what: str) -> None:
    """Wait until a condition is true, or fail after some seconds."""
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def test_it_compares_the_median_of_rounds_and_tells_the_spread() -> None:
    assert table([REQUESTS, SECONDS, CUT, ALONE]).splitlines()[2:] == [
        "| requests a second | **450** (400 to 500) | they "
        "| **200** (100 to 200) | **2.5** (2 to 4.5) |",
        "| start, s | **2** (1 to 4) | R&D | **1** | **0.5** (0.25 to 1) |",
        "| requests cut | **0** | they | **14** (14 to 15) |  |",
        "| types, s | **2** (1 to 3) | | | |",
    ]


def test_its_chart_has_longer_bars_for_what_is_further_from_equal() -> None:
    svg = ElementTree.fromstring(chart([REQUESTS, SECONDS, CUT, ALONE]))
    bars = svg.findall("{*}rect")
    assert [bar.get("class") for bar in bars] == ["better", "worse"]
    better, worse = bars
    one = next(line for line in svg.findall("{*}path") if line.get("class") == "one")
    x = float(re.match(r"M([\d.]+) ", one.get("d"))[1])
    assert float(better.get("x")) == x
    assert float(worse.get("x")) + float(worse.get("width")) == pytest.approx(x, abs=1)
    assert float(better.get("width")) > float(worse.get("width"))
    texts = ["".join(text.itertext()) for text in svg.findall("{*}text")]
    assert texts[-4:] == ["requests a second: they", "2.5x", "start, s: R&D", "0.5x"]


def test_it_measures_in_turns_and_does_not_count_the_first() -> None:
    asked = []
    results = in_turns(["a", "b"], lambda name: asked.append(name) or len(asked), 2)
    assert asked == ["a", "b"] * 3
    assert results == {"a": [3, 5], "b": [4, 6]}


@pytest.mark.parametrize(
    ("told", "milliseconds"), [("870.00us", 0.87), ("7.03ms", 7.03), ("1.20s", 1200)]
)
def test_it_reads_what_wrk_tells(told: str, milliseconds: float) -> None:
    rate, p99 = read_wrk(WRK.format(told))
    assert (rate, p99) == (2981.61, pytest.approx(milliseconds))


def test_answers_that_are_errors_are_no_result() -> None:
    with pytest.raises(CannotMeasureError, match="Non-2xx or 3xx responses: 7"):
        read_wrk(WRK.format("1.00ms") + "  Non-2xx or 3xx responses: 7\n")


def test_a_program_that_fails_is_named_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(CannotMeasureError, match="sh: no such peer"):
        run(["sh", "-c", "echo trying; echo no such peer; exit 1"], tmp_path, 10)


@pytest.mark.skipif(not shutil.which("ps"), reason="ps is not installed")
def test_it_counts_the_memory_of_all_processes(tmp_path: Path) -> None:
    python = f"'{sys.executable}' -c '{PRINT_AND_WAIT}'"
    with running(["sh", "-c", f"{python} & {python}; wait"], tmp_path) as two:
        wait_for(lambda: two.output.count("1") == 2, "two processes")
        with running([sys.executable, "-c", PRINT_AND_WAIT], tmp_path) as one:
            wait_for(lambda: one.output, "one process")
            assert one.memory * 1.5 < two.memory < one.memory * 3


def test_it_runs_our_server_and_counts_what_a_stop_cuts(tmp_path: Path) -> None:
    with Servers(tmp_path).serving(OURS) as server:
        assert requests_cut(server) == 0
    assert server.process.poll() is not None
