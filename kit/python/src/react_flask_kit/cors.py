"""CORS: which pages of other origins may use the API, by flask-cors's settings.

One policy is for all paths: flask-cors's rules for paths had four of its six CVEs. An
app that uses flask-cors itself is left alone: its answers have their headers already.
"""

from collections.abc import Iterable
from datetime import timedelta

from flask import Flask
from flask_cors.core import get_cors_headers, get_cors_options
from werkzeug.datastructures import EnvironHeaders

from .errors import REQUEST_ID

# The longest that Chromium remembers the answer to a preflight.
PREFLIGHT_LASTS = timedelta(hours=2)
GRANT = "access-control-allow-origin"


class Cors:
    """What the answers of an app with CORS_ORIGINS tell a browser."""

    def __init__(self, app: Flask) -> None:
        """Read the settings; those that flask-cors knows mean what they mean there."""
        origins = app.config["CORS_ORIGINS"]
        self.origins = [origins] if isinstance(origins, str) else list(origins)
        self.is_for_all = "*" in self.origins
        ours = {"expose_headers": REQUEST_ID, "max_age": PREFLIGHT_LASTS}
        ours = {k: v for k, v in ours.items() if f"CORS_{k.upper()}" not in app.config}
        ours |= {"send_wildcard": self.is_for_all, "vary_header": False}
        self.options = get_cors_options(app, ours)

    def is_listed(self, environ: dict) -> bool:
        """Tell whether a page of a listed origin asks, spelt as browsers spell it."""
        origin = environ.get("HTTP_ORIGIN")
        return bool(origin) and (self.is_for_all or origin in self.origins)

    def is_preflight_refused(self, environ: dict, status: str, headers: list) -> bool:
        """Tell whether an app refuses a preflight of a listed origin unknowingly.

        A browser sends no cookie and no token with it, so that a guard answers 401.
        """
        return (
            environ["REQUEST_METHOD"] == "OPTIONS"
            and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
            and not status.startswith("2")
            and self.is_listed(environ)
            and not has(headers, GRANT)
        )

    def headers(self, environ: dict, headers: list) -> list[tuple[str, str]]:
        """Return an answer's headers with those that let a listed origin read it."""
        if has(headers, GRANT):
            return headers
        headers = [*headers]
        if not self.is_for_all:
            headers.append(("Vary", "Origin"))
        if self.is_listed(environ):
            asked, method = EnvironHeaders(environ), environ["REQUEST_METHOD"]
            granted = get_cors_headers(self.options, asked, method).items()
            # Where flask-cors says "false" to a private network, we say nothing.
            headers += [(name, value) for name, value in granted if value != "false"]
        return headers


def has(headers: Iterable[tuple[str, str]], wanted: str) -> bool:
    """Tell whether an answer has a header, whose name is given in lower case."""
    return any(name.lower() == wanted for name, _ in headers)
