"""The file of types for the frontend, src/api-types.d.ts: what the routes say.

`npm run kit -- types` makes it. From then on the development server writes it again
when it starts, and a test fails where it is out of date. Without it nothing is done.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from flask import Flask

FILE = "src/api-types.d.ts"
COMMAND = "npm run kit -- types"
MOST_LINES = 20


def path() -> Path:
    """Return where the file is, or would be: in the project, which is worked in."""
    return Path.cwd() / FILE


def text_of(app: Flask) -> str:
    """Return what the file has to say of an app."""
    # With msgspec: nobody else shall wait for it.
    from .description import describe
    from .typescript import declare

    return declare(describe(app))


def is_current(app: Flask) -> bool:
    """Tell whether the file says what the routes say."""
    return read() == text_of(app)


def difference(app: Flask) -> str:
    """Return what the file says otherwise than the routes, and how to mend it."""
    from difflib import unified_diff

    lines = unified_diff(
        (read() or "").splitlines(), text_of(app).splitlines(), "", "", lineterm="", n=0
    )
    changed = [line for line in lines if not line.startswith(("---", "+++", "@@"))]
    shown = "\n".join(f"  {line}" for line in changed[:MOST_LINES])
    return (
        f"{FILE} is not what the API's routes and their hints say.\n"
        f"Write it again, and commit it: {COMMAND}\n{shown}"
    )


def read() -> str | None:
    """Return what the file says, with the line ends of Unix; None without a file."""
    if not path().is_file():
        return None
    return path().read_text(encoding="utf-8", errors="replace")


def write(app: Flask) -> bool:
    """Write the file where it says something else; tell whether it did.

    Whoever reads it has the old text or the new one; its mode stays. Raises OSError
    where it cannot be written.
    """
    text = text_of(app)
    if read() == text:
        return False
    file = path().resolve()
    file.parent.mkdir(exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8", newline="\n")
        if file.exists():
            shutil.copymode(file, draft)
        draft.replace(file)
    finally:
        with suppress(OSError):
            draft.unlink()
    return True


def refresh(app: Flask) -> None:
    """Write the file again, if there is one; a failure is only told in the log."""
    if not path().is_file():
        return
    try:
        write(app)
    except Exception as error:
        app.logger.warning("%s stays as it is: %s", FILE, error)
