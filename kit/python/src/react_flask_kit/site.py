"""The whole site in production, for an ASGI server: the frontend, and a Flask app.

Files, the page and /health are answered in the event loop, whatever the app's threads
are doing; all else is the app's, through the bridge.
"""

import asyncio
import json
import logging
import os
import re
from pathlib import Path
from time import perf_counter
from urllib.parse import quote

from flask import Flask

from .bodies import BodyError
from .bridge import (
    BLOCK,
    Answer,
    Bridge,
    Headers,
    Receive,
    Send,
    StartResponse,
    encode,
    environ_of,
)
from .extension import complete
from .files import StaticFile
from .frontend import Frontend
from .health import HEALTH, has_route, health
from .layer import LOGS_LATER, NO_ROUTE, answer_crash, is_sane_id
from .log import handler, write_request
from .navigation import PATH, VARY, gives_way, is_json, is_navigation, path_asked
from .policy import Policy
from .settings import SETTINGS
from .streams import SECONDS_WITHOUT_PROGRESS, StreamError, body_message, deliver

LONGEST_METHOD = 32
TITLES = {400: "Bad Request", 408: "Request Timeout"}
is_host = re.compile(r"([A-Za-z0-9._~%-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?").fullmatch
NOT_BUILT = (
    b"<!doctype html><title>Not built</title>"
    b"<p>The frontend is not built. Run: <code>npm run build</code></p>"
)
NO_WEBSOCKETS = "WebSockets are not served here: see the README of react-flask-kit."


class Site:
    """An ASGI application: a built frontend and a Flask app on one port."""

    def __init__(self, app: Flask, build: Path, threads: int, grace: float) -> None:
        """Serve an app, whose settings are complete, and a build.

        At most `threads` of the app run at a time; streams are cut `grace` seconds
        after the server was told to stop.
        """
        complete(app)
        self.app, self.grace = app, grace
        self.settings = {
            name: app.config.get(name, default)
            for name, (default, *_) in SETTINGS.items()
        }
        self.has_kit = "react_flask_kit" in app.extensions
        self.frontend = Frontend(build, bool(self.settings["SOURCE_MAPS"]))
        self.frontend.look()
        self.policy = Policy(self.settings, self.frontend.html)
        self.is_to_be_built = (build.parent / "package.json").exists()
        self.has_own_health = has_route(app, HEALTH)
        largest = app.config["MAX_CONTENT_LENGTH"] or 16_000_000
        # As any WSGI server does, so that who wraps Flask.__call__ is asked.
        self.bridge = Bridge(app, threads, largest)
        self.loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self, scope: dict, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI defines it."""
        if scope["type"] == "lifespan":
            return await self.live(receive, send)
        if self.loop is None:
            self.loop = asyncio.get_running_loop()
        if scope["type"] == "websocket":
            return await self.refuse_websocket(scope, receive, send)
        environ = environ_of(scope)
        began = perf_counter()
        if reason := wrong_with(scope, environ):
            return await self.refuse(environ, began, 400, reason, send)
        if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            path = environ["PATH_INFO"]
            if self.frontend.look(path):
                self.policy = Policy(self.settings, self.frontend.html)
            file = self.frontend.find(path)
            if file and await self.send_file(file, environ, began, send):
                return None
            if path == HEALTH and not self.has_own_health:
                return await self.send_health(environ, began, send)
        return await self.ask_app(environ, began, receive, send)

    async def live(self, receive: Receive, send: Send) -> None:
        """Start at once; when all is answered, end what comes after an answer."""
        while True:
            message = await receive()
            is_end = message["type"] == "lifespan.shutdown"
            if is_end:
                await self.bridge.end()
                handler.flush()
            await send({"type": f"{message['type']}.complete"})
            if is_end:
                return

    async def ask_app(
        self, environ: dict, began: float, receive: Receive, send: Send
    ) -> None:
        """Let the app answer, or the page in its place."""
        navigates = self.has_frontend() and is_navigation(environ)
        if navigates:
            environ[LOGS_LATER] = True
            environ[PATH] = environ["PATH_INFO"]
        try:
            answer = await self.bridge.ask(
                environ, receive, self.gives_way if navigates else None
            )
        except BodyError as error:
            reason = error.reason
            return await self.refuse(environ, began, error.status, reason, send)
        except Exception as error:
            answer = self.crash(environ, error)
        if answer is None:
            return await self.send_page(environ, began, send)
        if navigates:
            self.log(environ, began, answer.status)
        kind = content_type(answer.headers)
        is_data = bool(is_json(kind))
        if is_data and environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            # The page has the same address.
            answer.headers.append((b"vary", VARY.encode()))
        encrypted = self.is_tls(environ)
        answer.headers.extend(
            self.policy.missing(answer.headers, not is_data, encrypted)
        )
        try:
            await self.bridge.send(answer, receive, send)
        except StreamError as error:
            self.log_stream_error(environ, error)
            raise

    def has_frontend(self) -> bool:
        """Tell whether there is a page that could answer, or should be built."""
        return self.frontend.index is not None or self.is_to_be_built

    def crash(self, environ: dict, error: Exception) -> Answer:
        """Return a 500 in place of an app that raised, and log why."""
        start = StartResponse()
        body = b"".join(answer_crash(self.app, environ, start, error))
        headers = encode(start.headers)
        return Answer(int(start.status[:3]), headers, body, lambda: None)

    def gives_way(self, environ: dict, status: str, headers: list) -> bool:
        """Tell whether the page answers; of a plain app nobody knows the routes."""
        if not self.has_kit and status[:3] in ("404", "405"):
            environ[NO_ROUTE] = True
        return gives_way(environ, status, headers)

    async def send_page(self, environ: dict, began: float, send: Send) -> None:
        """Answer with index.html, at the address where it expects to be."""
        page, base = self.frontend.index, self.frontend.base
        if page and base and not path_asked(environ).startswith(f"{base}/"):
            path = quote(path_asked(environ), encoding="latin-1")
            query = environ["QUERY_STRING"]
            there = f"{base}{path}{query and '?' + query}"
            location = [(b"location", there.encode())]
            return await self.finish(environ, began, 302, location, b"", send)
        if page and await self.send_file(page, environ, began, send, vary=VARY):
            return None
        kind = (b"content-type", b"text/html; charset=utf-8")
        return await self.finish(environ, began, 503, [kind], NOT_BUILT, send)

    async def send_file(
        self,
        file: StaticFile,
        environ: dict,
        began: float,
        send: Send,
        vary: str = "",
    ) -> bool:
        """Answer with a file; tell whether it is still there."""
        try:
            found = file.answer(environ)
        except OSError:
            try:
                # A build is just replacing it.
                found = file.answer(environ)
            except OSError as error:
                self.app.logger.warning("A file of the build is not served: %s", error)
                return False
        headers = [*found.headers]
        if vary:
            headers.append((b"vary", vary.encode()))
        encrypted = self.is_tls(environ)
        headers += self.policy.missing(headers, file.is_document, encrypted)
        self.log(environ, began, found.status)
        await send(start_message(found.status, headers))
        if found.file is None or environ["REQUEST_METHOD"] == "HEAD":
            if found.file:
                found.file.close()
            await send(body_message(b""))
            return True
        with found.file:
            rest = found.length
            if rest <= BLOCK:
                # A server takes it whole: there is nobody to wait for.
                await send(body_message(found.file.read(rest)))
                return True
            while rest > BLOCK:
                block = found.file.read(BLOCK)
                if not block:
                    raise StreamError("A file became shorter while it was sent.")
                rest -= len(block)
                await in_time(send, body_message(block, more_body=True))
            await in_time(send, body_message(found.file.read(rest)))
        return True

    async def send_health(self, environ: dict, began: float, send: Send) -> None:
        """Tell that the process answers, though all its threads be busy."""
        body = json.dumps(health(self.settings["APP_VERSION"])).encode()
        kind = (b"content-type", b"application/json")
        await self.finish(environ, began, 200, [kind], body, send)

    async def refuse(
        self, environ: dict, began: float, status: int, reason: str, send: Send
    ) -> None:
        """Answer in place of the app, with a problem of RFC 9457."""
        problem = {
            "type": "about:blank",
            "title": TITLES[status],
            "status": status,
            "detail": reason,
            "instance": quote(environ["PATH_INFO"], encoding="latin-1"),
        }
        headers = [(b"content-type", b"application/problem+json")]
        headers.append((b"connection", b"close"))
        body = json.dumps(problem).encode()
        await self.finish(environ, began, status, headers, body, send)

    async def finish(
        self,
        environ: dict,
        began: float,
        status: int,
        headers: Headers,
        body: bytes,
        send: Send,
    ) -> None:
        """Send a small answer of the site's own."""
        is_document = content_type(headers).startswith("text/html")
        headers = [
            *headers,
            (b"cache-control", b"no-store"),
            (b"content-length", b"%d" % len(body)),
        ]
        headers += self.policy.missing(headers, is_document, self.is_tls(environ))
        self.log(environ, began, status)
        await send(start_message(status, headers))
        await send(body_message(b"" if environ["REQUEST_METHOD"] == "HEAD" else body))

    async def refuse_websocket(self, scope: dict, receive: Receive, send: Send) -> None:
        """Say in the log and to the client that WebSockets are not for this server."""
        self.app.logger.warning("%s %s", quote(scope["path"]), NO_WEBSOCKETS)
        await receive()
        await send({"type": "websocket.close", "code": 1000, "reason": NO_WEBSOCKETS})

    def is_tls(self, environ: dict) -> bool:
        """Tell whether the browser's connection is encrypted."""
        scheme = environ["wsgi.url_scheme"]
        if self.settings["PROXIES"]:
            forwarded = environ.get("HTTP_X_FORWARDED_PROTO", scheme)
            scheme = forwarded.rpartition(",")[2].strip()
        return scheme == "https"

    def log(self, environ: dict, began: float, status: int) -> None:
        """Write the line of a request that the app does not see."""
        logger = self.app.logger
        if self.has_kit and logger.isEnabledFor(logging.INFO):
            ms = (perf_counter() - began) * 1000
            method, path = environ["REQUEST_METHOD"], path_asked(environ)
            # As the client has sent it: a line may be forged with one.
            request_id = environ.get("HTTP_X_REQUEST_ID", "")
            request_id = request_id if is_sane_id(request_id) else "-"
            write_request(logger, method, path, status, ms, request_id)

    def log_stream_error(self, environ: dict, error: StreamError) -> None:
        """Say why a connection was cut."""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        cause = error.__cause__
        own = cause if cause and not isinstance(cause, StreamError) else None
        self.app.logger.error(
            "Answer to %s %s was cut: %s", method, quote(path), error, exc_info=own
        )

    def stop(self) -> None:
        """End the open streams in a while; to be called from any thread."""
        if self.loop is None:
            self.bridge.streams.is_ended = True
        else:
            self.loop.call_soon_threadsafe(
                self.loop.call_later, self.grace, self.bridge.streams.end
            )


def wrong_with(scope: dict, environ: dict) -> str:
    """Return what is wrong with a request, before anybody looks at it (RFC 9112)."""
    # Two of them are one with a comma here.
    host = environ.get("HTTP_HOST", "")
    if not is_host(host) and (host or scope["http_version"] == "1.1"):
        return "There is no Host, more than one, or an invalid one."
    coding = environ.get("HTTP_TRANSFER_ENCODING")
    if coding is not None:
        if "CONTENT_LENGTH" in environ:
            return "Content-Length and Transfer-Encoding contradict each other."
        if coding.strip().lower() != "chunked":
            return "The only transfer coding is chunked."
    if len(scope["method"]) > LONGEST_METHOD:
        return "There is no such method."
    return ""


async def in_time(send: Send, message: dict) -> None:
    """Send a message; raise StreamError for a client that does not read."""
    try:
        await asyncio.wait_for(deliver(send, message), SECONDS_WITHOUT_PROGRESS)
    except asyncio.TimeoutError:
        raise StreamError("The client does not read.") from None


def content_type(headers: Headers) -> str:
    """Return the media type of an answer, or nothing."""
    for name, value in headers:
        if name == b"content-type":
            return value.decode("latin-1")
    return ""


def start_message(status: int, headers: Headers) -> dict:
    """Return ASGI's message for the start of an answer."""
    return {"type": "http.response.start", "status": status, "headers": headers}


def make_site(app: Flask, threads: int = 1200, grace: float = 3) -> Site:
    """Put an app together with the build that BUILD_PATH names, by default build/."""
    build = Path(os.environ.get("BUILD_PATH") or "build").resolve()
    return Site(app, build, threads, grace)
