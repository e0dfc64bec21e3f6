"""`python -m react_flask_kit.settings_check`: what is wrong with the environment.

`npm run kit -- doctor` asks it. The app is read and not imported, so that nothing of it
happens: neither a connection nor a file.
"""

import ast
import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from flask import Flask
from flask.cli import run_command

from .loading import app_folder
from .settings import (
    KNOWN,
    MAKE_ONE,
    OWN_KEYS,
    SETTINGS,
    SettingError,
    assert_known,
    read_one,
)

NOBODYS = {"node_modules", "venv", "site-packages", "__pycache__", "migrations"}


def main() -> None:
    """Print as JSON which names are known, and what is to be mended."""
    report = {"known": sorted(known_names()), "problems": list(problems())}
    json.dump(report, sys.stdout)


def known_names() -> Iterator[str]:
    """Yield the variables of Flask, of `flask run` and of this package."""
    yield from (f"FLASK_{name}" for name in {*KNOWN, *Flask.default_config})
    yield from (f"FLASK_RUN_{option.name}".upper() for option in run_command.params)


def problems() -> Iterator[str]:
    """Yield what keeps the app or the production server from starting."""
    for variable, text in sorted(os.environ.items()):
        name = variable.removeprefix("FLASK_")
        if variable.startswith("FLASK_"):
            try:
                assert_known(variable, name)
                if name in SETTINGS and text:
                    read_one(variable, text)
            except SettingError as error:
                yield str(error)
            if name in OWN_KEYS and 0 < len(text.encode()) < 32:
                yield f"{variable} is shorter than 32 bytes. {MAKE_ONE}"
    yield from missing_settings()
    try:
        from .server import read_options

        read_options()
    except SystemExit as error:
        yield str(error.code)


def missing_settings() -> Iterator[str]:
    """Yield the settings that `Kit(app, required=[…])` names and nobody sets."""
    required: set[str] = set()
    given: set[str] = set()
    for tree in modules_of(app_folder()):
        for node in ast.walk(tree):
            required |= required_by(node)
            given |= names_set_by(node)
    for name in sorted(required - given):
        # In development, these are made.
        if not os.environ.get(f"FLASK_{name}") and name not in OWN_KEYS:
            yield f"FLASK_{name} is not set, but required. Write it into .env."


def modules_of(folder: Path) -> Iterator[ast.Module]:
    """Yield the app's modules, without those that cannot be read."""
    for path, folders, files in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in NOBODYS
            and not Path(path, name, "pyvenv.cfg").exists()
            # Ours, where the app is in the project's folder itself.
            and not (name == "kit" and Path(path, name, "python").is_dir())
        )
        for file in sorted(files):
            if file.endswith(".py"):
                with suppress(OSError, SyntaxError, ValueError, RecursionError):
                    yield ast.parse(Path(path, file).read_bytes())


def required_by(node: ast.AST) -> set[str]:
    """Return the names in `Kit(…, required=[…])`, as far as they are written there."""
    if not isinstance(node, ast.Call):
        return set()
    function = node.func
    name = getattr(function, "id", None) or getattr(function, "attr", None)
    values: list[Any] = [word.value for word in node.keywords if word.arg == "required"]
    values += node.args[1:2]
    if name != "Kit":
        return set()
    parts = [part for value in values for part in getattr(value, "elts", ())]
    return {text for part in parts if (text := text_of(part))}


def names_set_by(node: ast.AST) -> set[str]:
    """Return the settings that code may set: by a subscript, a name or a keyword."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
        return {text_of(node.slice)}
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return {node.id}
    if isinstance(node, ast.keyword) and node.arg:
        return {node.arg}
    if isinstance(node, ast.Dict):
        return {text_of(key) for key in node.keys}
    return set()


def text_of(node: ast.AST | None) -> str:
    """Return the text that is written there, or none."""
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, str) else ""


if __name__ == "__main__":
    main()
