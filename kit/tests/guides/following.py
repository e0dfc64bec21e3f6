"""Do what a page of docs/ says, word for word.

What a block of code is for stands in the line before it:

    `api/books.py`:             the whole file
    Add to `.flaskenv`:         more at its end
    In `api/api.py`:            a diff of some lines of it

In a block of the shell, each `npm run …` is run, and what else there is a test may run.
"""

import json
import re
import shlex
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import NamedTuple

from servers import ROOT, ask, clean_env

BLOCK = re.compile(r"^([^\n]*)\n\n```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LABEL = re.compile(r"(?:(Add to|In) )?`([^`\s]+)`[^`]*:$")
# Between two places of the file that a diff is of.
GAP = "@@\n"
# They go on until somebody stops them.
ENDLESS = ("dev", "serve", "start", "start-api")


class Block(NamedTuple):
    """A block of code, and the line before it."""

    label: str
    language: str
    code: str


def blocks_of(page: str) -> list[Block]:
    """Return the blocks of a page of docs/."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    blocks = [Block(*match.groups()) for match in BLOCK.finditer(text)]
    # Each has a line before it, and none is indented.
    assert 2 * len(blocks) == text.count("```"), page
    return blocks


def follow(project: Path, page: str, **env: str) -> list[str]:
    """Do what a page says, from its beginning to its end.

    Returns the commands of the shell that are left to a test, in their order.
    """
    left = []
    for label, language, code in blocks_of(page):
        what = LABEL.match(label)
        if what is None and language == "sh":
            left += run_commands(project, code, env)
        elif what:
            how, name = what.groups()
            file = project / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if language == "diff":
                change(file, code)
            elif how == "Add to":
                before = file.read_text(encoding="utf-8") if file.exists() else ""
                file.write_text(before + code, encoding="utf-8")
            else:
                assert how is None, f"{page}: what is done in {name}?"
                file.write_text(code, encoding="utf-8")
    return left


def run_commands(project: Path, code: str, env: dict[str, str]) -> list[str]:
    """Run the project's own commands; return the others."""
    left = []
    for line in code.splitlines():
        words = shlex.split(line, comments=True)
        if words[:2] == ["npm", "run"] and words[2] not in ENDLESS:
            npm(project, *words[1:], **env)
        elif words:
            left.append(line)
    return left


def npm(project: Path, *args: str, **env: str) -> str:
    """Run npm to its good end; return what it printed."""
    done = subprocess.run(
        [shutil.which("npm"), *args],
        cwd=project,
        env=clean_env(**env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"npm {' '.join(args)}\n{done.stdout}"
    return done.stdout


def change(file: Path, diff: str) -> None:
    """Make the change of a diff, whose places are found by the lines around them."""
    text = file.read_text(encoding="utf-8")
    for place in diff.split(GAP):
        lines = place.splitlines(keepends=True)
        old = "".join(line[1:] or "\n" for line in lines if line[0] != "+")
        new = "".join(line[1:] or "\n" for line in lines if line[0] != "-")
        times = text.count(old)
        assert times == 1, f"{file.name} has this {times} times:\n{old}"
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")


def assert_all_green(project: Path) -> None:
    """Run the three commands of the project's CI."""
    for command in ("test", "lint", "build"):
        npm(project, "run", command, CI="true")


def post(url: str, value: object) -> int:
    """Send JSON; return the status."""
    headers = {"Content-Type": "application/json"}
    return ask(urllib.request.Request(url, json.dumps(value).encode(), headers))[0]
