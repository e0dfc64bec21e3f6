"""Measure this starter beside its peers: `npm run bench`, or some with their names.

Each runs on this machine, in turns with the others, and answers only this program.
"""

import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.measures import CONNECTIONS, MEASURES, ROUNDS, SECONDS
from bench.report import Case, chart, table
from bench.servers import PEERS, ROOT, WORKERS, CannotMeasureError, Servers


def main() -> None:
    """Measure what the arguments name, or all; then also write it down."""
    if os.name == "nt":
        sys.exit("gunicorn, which this compares with, needs Linux or macOS (or WSL).")
    if unknown := set(sys.argv[1:]) - set(MEASURES):
        sys.exit(f"No {', '.join(unknown)}. Choose from: {', '.join(MEASURES)}")
    signal.signal(signal.SIGTERM, end_once)
    signal.signal(signal.SIGINT, end_once)
    cases, missing, load = [], [], os.getloadavg()[0]
    with throw_away_folder() as folder:
        servers = Servers(folder)
        for name in sys.argv[1:] or MEASURES:
            print(f"Measuring: {name} …", file=sys.stderr, flush=True)
            try:
                cases += MEASURES[name](servers)
            except CannotMeasureError as error:
                missing.append(f"- {name}: {error}")
    text = describe(cases, missing, load)
    print(text)
    if not sys.argv[1:]:
        (ROOT / "bench/results.md").write_text(text, encoding="utf-8")
        (ROOT / "bench/results.svg").write_text(chart(cases), encoding="utf-8")


@contextmanager
def throw_away_folder() -> Iterator[Path]:
    """Make a folder, and let it be removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="react-flask-bench-")).resolve()
    try:
        yield folder
    finally:
        # It takes longer than Ctrl-C leaves us.
        subprocess.Popen(["rm", "-rf", str(folder)], start_new_session=True)


def end_once(number: int, frame: object) -> None:
    """End by a signal, and let no other one disturb the tidying up."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(128 + number)


def describe(cases: list[Case], missing: list[str], load: float) -> str:
    """Return the results as Markdown: how they came about, and what they are."""
    tutorial = json.loads((PEERS / "tutorial/package.json").read_text())["dependencies"]
    peers = (PEERS / "requirements.txt").read_text().split()
    peers.append(f"react-scripts=={tutorial['react-scripts']}")
    return (
        f"""# How fast it is

Written by `npm run bench`: medians, and in brackets the least and the most.
Each round measures all of a row in turns, and the last column compares within rounds.

![How many times better than its peers](results.svg)

{table(cases)}
- On {platform.system()} with {os.cpu_count()} cores, which the load generator shares \
(load at the start: {load:.1f}), \
and with Python {platform.python_version()}.
- Servers have {WORKERS} workers, and {CONNECTIONS} connections of wrk \
for {ROUNDS} rounds of {SECONDS} s.
- Ours runs as `npm run serve` starts it, and logs each request; its peers do not.
- Memory is resident memory, of all processes of a server.
- Development starts and builds find the caches of the one before.
- Peers: {", ".join(peers).replace("==", " ")}. \
"gunicorn + Flask" is the tutorial's deployment: sync workers, and Flask for the files.

{"Not measured:" if missing else "Nothing was left out."}

{chr(10).join(missing)}
""".rstrip()
        + "\n"
    )


if __name__ == "__main__":
    main()
