"""What `npm run kit -- types` and `npm run kit -- openapi` run: the app, described."""

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path

from click import ClickException
from flask import Flask

from . import types_file
from .extension import complete
from .loading import load_app, read_environment


def main(command: str, file: str = "") -> None:
    """Run a command on the app of FLASK_APP."""
    try:
        # What the app prints is no part of the document.
        with redirect_stdout(sys.stderr):
            read_environment()
            app = load_app()
            complete(app)
        if command == "types":
            write_types(app)
        else:
            write_document(app, file)
    except ClickException as error:
        error.show()
        sys.exit(1)


def write_types(app: Flask) -> None:
    """Write the types of the routes for the frontend; name those that have none."""
    from .description import describe, missing_shapes

    try:
        is_new = types_file.write(app)
    except OSError as error:
        raise ClickException(f"{types_file.FILE} cannot be written: {error}.") from None
    print(f"{types_file.FILE} {'is written' if is_new else 'is up to date'}.")
    for line in missing_shapes(describe(app)):
        print(line)


def write_document(app: Flask, file: str) -> None:
    """Write the OpenAPI document into a file; without its name, to standard output."""
    from .description import describe

    text = json.dumps(describe(app), indent=2, ensure_ascii=False) + "\n"
    if not file:
        # In UTF-8, whatever the terminal's encoding.
        sys.stdout.buffer.write(text.encode())
        return
    try:
        Path(file).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ClickException(f"{file} cannot be written: {error}.") from None


if __name__ == "__main__":
    main(*sys.argv[1:])
