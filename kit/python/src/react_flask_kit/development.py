"""What `start-api` runs: the app of FLASK_APP, joined to Vite's development server.

    flask --app react_flask_kit.development run

The Vite plugin keeps the link open: it tells when Flask has restarted with other code,
and what is wrong when the app cannot be imported. Nothing else imports this module.
"""

import logging
import os
import secrets
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any

from click import ClickException, get_current_context
from flask import Flask
from flask.cli import run_command
from flask.helpers import get_debug_flag
from flask.logging import has_level_handler
from werkzeug.exceptions import InternalServerError
from werkzeug.serving import (
    BaseWSGIServer,
    WSGIRequestHandler,
    is_running_from_reloader,
    make_server,
)

from .crashes import tell_of_tasks, tell_of_threads, watched
from .development_link import Link, join
from .extension import NAME, complete
from .layer import LOGS_HERE, NO_ROUTE, answer_crash
from .loading import load_app
from .own_code import own_part
from .release import STARTED_BY, release
from .slow_start import SlowStartError, told_if_slow
from .stand_in import app_that_reports
from .types_file import refresh

SECONDS_TO_END = 1
SAVE_IT = "Save the fix, and it starts again."
START_IT_AGAIN = "Stop it with Ctrl-C, mend it, and start it again."
RELEASE_CURE = "Wait for its end, or stop it with Ctrl-C."


class WithoutRepetition(logging.Filter):
    """Drops a crash just logged: React's StrictMode asks everything twice."""

    last_crash = ""
    last_time = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Let pass what is no crash, another crash, or one a second later."""
        if not record.exc_info:
            return True
        crash = "".join(traceback.format_exception(*record.exc_info))
        if crash == self.last_crash and record.created < self.last_time + 1:
            return False
        self.last_crash, self.last_time = crash, record.created
        return True


def develop(app: Flask, link: Link) -> None:
    """Let an app answer as the frontend's development server wants it.

    It learns which addresses no route has, and a crash becomes an answer that tells it,
    or, where the answer has begun, a line of the link.
    """
    wsgi_app = app.wsgi_app
    logs_here = take_request_lines()
    # Of a plain app nobody knows the routes.
    has_kit = NAME in app.extensions

    def developed_app(environ: dict, start_response: Callable) -> Iterable[bytes]:
        if logs_here:
            environ[LOGS_HERE] = True

        def start(status: str, headers: list, *exc_info: Any) -> Callable:
            is_missing = not has_kit and status[:3] in ("404", "405")
            if NO_ROUTE in environ or is_missing:
                headers = [*headers, ("X-Flask-Route", "none")]
            return start_response(status, headers, *exc_info)

        answer = partial(answer_crash, app, environ, start)
        request = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        tell = partial(link.tell, request=f"{request}, while it was answered")
        try:
            return watched(wsgi_app(environ, start), answer, tell)
        except Exception as error:
            return answer(error)

    app.wsgi_app = developed_app
    app.logger.addFilter(WithoutRepetition())


def take_request_lines() -> bool:
    """Leave out what Werkzeug says of each request, which the kit says; tell if so.

    Who has configured the log of Werkzeug keeps it as it is.
    """
    logger = logging.getLogger("werkzeug")
    if has_level_handler(logger):
        return False
    handler = logging.StreamHandler()
    handler.addFilter(lambda record: '"%s" %s %s' not in str(record.msg))
    logger.addHandler(handler)
    return True


def end_with_stdin() -> bool:
    """End this process when the launcher has, which holds the other end of stdin.

    Returns whether it is the launcher's, as END_WITH_STDIN says: to this process alone.
    """
    if not os.environ.pop("END_WITH_STDIN", None):
        return False
    pipe = os.dup(0)
    # A program that the app starts would wait for the end of it.
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def wait() -> None:
        with suppress(OSError):
            while os.read(pipe, 1024):
                pass
        # A release step hands it on to its command.
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(SECONDS_TO_END)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
    return True


def run_options() -> dict[str, Any]:
    """Return the options of the `flask run` that runs, if one does."""
    context = get_current_context(silent=True)
    is_run = context is not None and context.command is run_command
    return context.params if is_run else {}


def is_only_watching(options: dict[str, Any]) -> bool:
    """Tell whether this is the reloader's first process, which never answers."""
    reload = options.get("reload")
    reloads = get_debug_flag() if reload is None else reload
    return bool(options) and reloads and not is_running_from_reloader()


def listen(options: dict[str, Any]) -> BaseWSGIServer | None:
    """Listen as Werkzeug's reloader does for its process, before the app is imported.

    So requests wait for the app instead of being refused, and what an app starts only
    where WERKZEUG_RUN_MAIN is set starts here too: in the process that answers. Ends
    the process where the port is taken.
    """
    if not options or is_running_from_reloader():
        return None
    listener = make_server(
        options["host"],
        options["port"],
        InternalServerError(),
        ssl_context=options["cert"],
    )
    # Werkzeug serves by a copy of it; it must stay open until then.
    os.environ["WERKZEUG_SERVER_FD"] = str(listener.socket.detach())
    os.environ["WERKZEUG_RUN_MAIN"] = "true"
    return listener


class Unlogged(WSGIRequestHandler):
    """Leaves the log of Werkzeug to the app, which may configure it yet."""

    def log(self, *_args: Any) -> None:
        """Write nothing."""


def serve_instead(
    options: dict[str, Any], link: Link, error: Callable[[], SlowStartError]
) -> BaseWSGIServer:
    """Return a server that says why the app does not answer yet."""
    app = app_that_reports(error, "The app has not started yet.")
    link.change(error)
    join(app, link, options["host"])
    return make_server(
        options["host"],
        options["port"],
        app,
        threaded=True,
        request_handler=Unlogged,
        ssl_context=options["cert"],
        fd=int(os.environ["WERKZEUG_SERVER_FD"]),
    )


def say(failure: BaseException) -> None:
    """Print why the app cannot be imported, from its own code on."""
    if failure.__traceback__:
        failure.__traceback__ = own_part(failure.__traceback__)
    if isinstance(failure, ClickException):
        failure.show()
    else:
        traceback.print_exception(failure)


def load() -> Flask:
    """Return the app of FLASK_APP, or what stands in for it."""
    options = run_options()
    is_tied = end_with_stdin()
    if is_only_watching(options):
        # The processes to come need the release step once.
        os.environ[STARTED_BY] = secrets.token_hex(8)
        # What an app starts when it is imported, it would start twice.
        return Flask("react_flask_kit.development")
    if not get_debug_flag():
        release()
        return load_app()
    return load_linked(options, is_tied)


def load_linked(options: dict[str, Any], is_tied: bool) -> Flask:
    """Return the app, or what stands in for it, joined to Vite.

    `is_tied` says that the launcher starts this process again after a save.
    """
    reloads = is_running_from_reloader()
    listener = listen(options)
    link = Link(options.get("extra_files") or ())
    tell_of_threads(link.tell)
    tell_of_tasks(link.tell)
    serve = partial(serve_instead, options, link) if options else None
    failure: BaseException | None = None
    try:
        with told_if_slow("RELEASE_COMMAND has been running", RELEASE_CURE, serve):
            release()
    except Exception as error:
        failure = error
    else:
        cure = SAVE_IT if reloads or is_tied else START_IT_AGAIN
        try:
            # A file saved twice within a second would have the first bytecode.
            sys.dont_write_bytecode = True
            with told_if_slow("The app has been importing", cure, serve, reloads):
                app = load_app()
                complete(app)
                refresh(app)
        except (Exception, SystemExit) as error:
            failure = error
    if failure:
        say(failure)
        app = app_that_reports(lambda: failure, "The app could not be imported.")
    develop(app, link)
    link.change(lambda: failure)
    join(app, link, options.get("host", ""))
    if is_tied and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        # What an app does at its end, such as ending its workers, is done.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    if listener and not os.environ.pop("API_RESTARTS", None):
        listener.log_startup()
    return app


app = load()
