"""Kit(app): what an app has before its first route."""

import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

from flask import Flask

from . import types_file
from .errors import answer_errors_as_json
from .health import HealthChecks
from .layer import RequestLayer
from .limits import use_strict_json, use_strict_requests
from .log import log_to_stderr
from .sessions import use_safe_cookies
from .settings import read_settings, settle

NAME = "react_flask_kit"


class Kit:
    """Give an app settings, limits, JSON errors, CORS, a log and health checks.

    `Kit(app)`, or `kit = Kit()` and later `kit.init_app(app)`, as in Flask's other
    extensions. The README of this package lists what it changes of an app.
    """

    def __init__(
        self, app: Flask | None = None, required: Collection[str] = ()
    ) -> None:
        """Set up an app, if there is one.

        Settings named in `required`, such as "JWT_SECRET_KEY", have no default: without
        their FLASK_ variable the app does not start.
        """
        self.required = tuple(required)
        self.checks: list[Callable[[], object]] = []
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Set up an app; a second call does nothing.

        Raises SettingError where a setting is missing or makes no sense.
        """
        if NAME in app.extensions:
            return
        said = read_settings(app, self.required)
        log_to_stderr(app)
        app.extensions[NAME] = State(self, said)
        app.wsgi_app = HealthChecks(app, self.checks)
        app.wsgi_app = RequestLayer(app)

    def ready_check(self, check: Callable[[], object]) -> Callable[[], object]:
        """Register a function that raises while the app cannot do its work.

        `GET /ready` calls it in the app's context: a query to the database, say.
        """
        self.checks.append(check)
        return check


class State:
    """What the kit knows of one app."""

    def __init__(self, kit: Kit, said: dict[str, Any]) -> None:
        """Begin with what the environment says; the author may still change the app."""
        self.said = said
        self.required = kit.required
        self.ready_check = kit.ready_check
        self.is_complete = False
        self.lock = threading.Lock()

    def complete(self, app: Flask) -> None:
        """Take the settings, and fill in what the author has left to Flask; once.

        Called before the first answer, so that the order of lines in an app's module
        does not matter, and by a server before it listens.
        """
        with self.lock:
            if self.is_complete:
                return
            settle(app, self.said, self.required)
            log_to_stderr(app)
            use_strict_requests(app)
            use_strict_json(app)
            use_safe_cookies(app)
            answer_errors_as_json(app)
            is_checked = (app.debug or app.testing) and app.config["CHECK_ANSWERS"]
            if is_checked and types_file.path().is_file():
                # It needs msgspec, which production and PyPy do without.
                with suppress(ModuleNotFoundError):
                    from .answers import check_answers

                    check_answers(app)
            self.is_complete = True


def complete(app: Flask) -> None:
    """Let an app have its settings now; nothing happens to one without the kit.

    Raises SettingError where a setting is missing or makes no sense.
    """
    if state := app.extensions.get(NAME):
        state.complete(app)
