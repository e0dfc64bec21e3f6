"""The layer around the app: the id of each request, CORS, and the log.

This is WSGI middleware and not Flask's hooks, so that no answer can miss it: not one
that Flask gives before routing, and not a crash after the last hook.
"""

import logging
import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from random import getrandbits
from time import perf_counter

from flask import Flask, Response
from flask_cors.core import get_cors_headers, get_cors_options
from werkzeug.datastructures import EnvironHeaders
from werkzeug.exceptions import InternalServerError

from .errors import REQUEST_ID, describe_exception, problem
from .log import log_to_stderr

is_sane_id = re.compile(r"[A-Za-z0-9._-]{1,64}").fullmatch
# The longest that Chromium remembers the answer to a preflight.
PREFLIGHT_LASTS = timedelta(hours=2)


class RequestLayer:
    """Wrap an app's wsgi_app; the app must have its settings.

    Each answer tells the id of its request, and a view reads the same id as
    `request.headers["X-Request-ID"]`.
    """

    def __init__(self, app: Flask) -> None:
        """Take from the settings what each request needs."""
        self.app, self.wsgi_app = app, app.wsgi_app
        self.origins = app.config["CORS_ORIGINS"]
        self.is_for_all = "*" in self.origins
        own = {"expose_headers": REQUEST_ID, "max_age": PREFLIGHT_LASTS}
        own |= {"send_wildcard": self.is_for_all, "vary_header": False}
        self.cors = get_cors_options(app, own)
        self.log = log_to_stderr(app)

    def __call__(self, environ: dict, start_response: Callable) -> Iterable[bytes]:
        """Answer as the app does, with headers added, and log the request.

        The line is written when the answer starts, so that an endless one has it too.
        """
        began = perf_counter()
        request_id = environ.get("HTTP_X_REQUEST_ID", "")
        if not is_sane_id(request_id):
            request_id = environ["HTTP_X_REQUEST_ID"] = f"{getrandbits(64):016x}"
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        # Kept until the app is done, because a crash after it would answer instead.
        answer: list = ["204 No Content", []]

        def keep(status: str, headers: list, exc_info: object = None) -> None:
            answer[:] = status, headers

        body: Iterable[bytes] = []
        asks_first = "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
        if not (self.origins and method == "OPTIONS" and asks_first):
            try:
                body = self.wsgi_app(environ, keep)
            except Exception as crash:
                body = self.problem_of(crash, request_id)(environ, keep)
        status, headers = answer
        headers.append((REQUEST_ID, request_id))
        headers += self.cors_headers(environ) if self.origins else []
        start_response(status, headers)
        if self.app.logger.isEnabledFor(logging.INFO):
            ms = (perf_counter() - began) * 1000
            self.log.write_request(method, path, int(status[:3]), ms, request_id)
        return body

    def problem_of(self, crash: Exception, request_id: str) -> Response:
        """Return the answer to what Flask hands on, such as a crash in a teardown."""
        self.app.logger.exception("Exception after request %s", request_id)
        inside = describe_exception(crash) if self.app.debug else {}
        return problem(InternalServerError(), request_id=request_id, **inside)

    def cors_headers(self, environ: dict) -> list[tuple[str, str]]:
        """Return what lets a page of another origin read the answer, if it may.

        One policy is for all paths: flask-cors's rules for paths had four of its six
        CVEs. It also compares origins without case, and is asked for listed ones only.
        """
        headers = [] if self.is_for_all else [("Vary", "Origin")]
        origin = environ.get("HTTP_ORIGIN")
        if origin and (self.is_for_all or origin in self.origins):
            asked, method = EnvironHeaders(environ), environ["REQUEST_METHOD"]
            granted = get_cors_headers(self.cors, asked, method).items()
            # Where flask-cors says "false" to a private network, we say nothing.
            headers += [(name, value) for name, value in granted if value != "false"]
        return headers
