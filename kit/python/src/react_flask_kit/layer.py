"""The layer around the app: the id of each request, CORS, and the log.

This is WSGI middleware and not Flask's hooks, so that no answer can miss it: not one
that Flask gives before routing, and not a crash after the last hook.
"""

import logging
import re
from collections.abc import Callable, Iterable
from random import getrandbits
from time import perf_counter
from typing import Any

from flask import Flask, has_request_context, request
from werkzeug.exceptions import InternalServerError
from werkzeug.middleware.proxy_fix import ProxyFix

from .cors import Cors
from .errors import REQUEST_ID, describe_exception, problem
from .log import write_request
from .openapi import ApiDescription

is_sane_id = re.compile(r"[A-Za-z0-9._-]{1,64}").fullmatch
# Set in the environ of a request whose address no route of the app has.
NO_ROUTE = "react_flask_kit.no_route"
# Set by who wants the lines of requests from here, though Werkzeug's server has some.
LOGS_HERE = "react_flask_kit.logs_here"
# Set by who writes the line itself, once it is known who answers.
LOGS_LATER = "react_flask_kit.logs_later"


class RequestLayer:
    """Wrap an app's wsgi_app.

    Each answer tells the id of its request, and a view reads the same id as
    `request.headers["X-Request-ID"]`.
    """

    def __init__(self, app: Flask) -> None:
        """Take the app as it is; its settings are read at the first request."""
        self.app, self.inner = app, app.wsgi_app
        self.wsgi_app = self.inner
        self.cors: Cors | None = None
        self.is_complete = False

    def complete(self) -> None:
        """Take from the settings what each request needs."""
        from .extension import complete

        complete(self.app)
        config, inner = self.app.config, self.inner
        if self.app.debug or config["OPENAPI"]:
            inner = ApiDescription(self.app, inner)
        if proxies := config["PROXIES"]:
            # Each proxy adds to X-Forwarded-For; the others are the last one's word.
            inner = ProxyFix(inner, x_for=proxies, x_proto=1, x_host=1)
        self.wsgi_app = inner
        if config.get("CORS_ORIGINS"):
            self.cors = Cors(self.app)
        self.is_complete = True

    def __call__(self, environ: dict, start_response: Callable) -> Iterable[bytes]:
        """Answer as the app does, with headers added, and log the request.

        The line is written when the answer starts, so that an endless one has it too.
        """
        if not self.is_complete:
            self.complete()
        began = perf_counter()
        request_id = environ.get("HTTP_X_REQUEST_ID")
        if request_id is None or not is_sane_id(request_id):
            request_id = getrandbits(64).to_bytes(8, "big").hex()
            environ["HTTP_X_REQUEST_ID"] = request_id
        is_started = is_refused = False

        def start(status: str, headers: list, exc_info: Any = None) -> Callable:
            nonlocal is_started, is_refused
            if status.startswith(("404", "405")) and is_without_route():
                environ[NO_ROUTE] = True
            headers = with_id(headers, request_id)
            if self.cors:
                is_refused = self.cors.is_preflight_refused(environ, status, headers)
                status = "204 No Content" if is_refused else status
                headers = self.cors.headers(environ, [] if is_refused else headers)
                headers = with_id(headers, request_id)
            if not is_started:
                self.log(environ, began, int(status[:3]), request_id)
            is_started = True
            if exc_info:
                return start_response(status, headers, exc_info)
            return start_response(status, headers)

        try:
            body = self.wsgi_app(environ, start)
        except Exception:
            if not is_started:
                self.log(environ, began, 500, request_id)
            raise
        if is_refused:
            close(body)
            return []
        return body

    def log(self, environ: dict, began: float, status: int, request_id: str) -> None:
        """Write the line of a request, unless a server does."""
        logger = self.app.logger
        is_told = "werkzeug.socket" in environ and LOGS_HERE not in environ
        is_told = is_told or LOGS_LATER in environ
        if not is_told and logger.isEnabledFor(logging.INFO):
            ms = (perf_counter() - began) * 1000
            method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
            write_request(logger, method, path, status, ms, request_id)


def answer_crash(
    app: Flask, environ: dict, start_response: Callable, error: BaseException
) -> Iterable[bytes]:
    """Answer with a 500 in place of an app that raised, and log why.

    Called by a server, to which Flask hands on what nobody handles: an exception in a
    teardown, or any in debug.
    """
    request_id = environ.get("HTTP_X_REQUEST_ID", "")
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    app.logger.error(
        "Exception on %s [%s]",
        path,
        method,
        exc_info=error,
        extra={"request_id": request_id},
    )
    inside = describe_exception(error) if app.debug else {}
    response = problem(InternalServerError(), request_id=request_id, **inside)
    response.headers[REQUEST_ID] = request_id
    if app.config.get("CORS_ORIGINS"):
        headers = Cors(app).headers(environ, response.headers.to_wsgi_list())
        response.headers.extend(headers[len(response.headers) :])
    exc_info = (type(error), error, error.__traceback__)
    return response(environ, lambda *start: start_response(*start[:2], exc_info))


def is_without_route() -> bool:
    """Tell whether no route matches the request that is being answered."""
    return has_request_context() and request.url_rule is None


def with_id(headers: list, request_id: str) -> list:
    """Return headers with the id of the request, in place of any that is there."""
    for name, _ in headers:
        if name.lower() == "x-request-id":
            headers = [h for h in headers if h[0].lower() != "x-request-id"]
            break
    return [*headers, (REQUEST_ID, request_id)]


def close(body: Iterable[bytes]) -> None:
    """Close the body of an answer that is not sent."""
    if hasattr(body, "close"):
        body.close()
