"""Kit(app): what an app has before its first route."""

from collections.abc import Callable, Collection

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from .errors import answer_errors_as_json
from .health import HealthChecks
from .limits import StrictJSONProvider, StrictRequest
from .middleware import RequestLayer
from .settings import read_settings

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
        app.extensions[NAME] = self
        read_settings(app, self.required)
        # A redirect that only adds a slash breaks a preflight, and names a forged host.
        app.url_map.strict_slashes = False
        app.request_class = StrictRequest
        app.json = StrictJSONProvider(app)
        answer_errors_as_json(app)
        app.wsgi_app = HealthChecks(app, self.checks)
        app.wsgi_app = RequestLayer(app)
        if proxies := app.config["PROXIES"]:
            # Each proxy adds to X-Forwarded-For; the others are the last one's word.
            app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=1, x_host=1)

    def ready_check(self, check: Callable[[], object]) -> Callable[[], object]:
        """Register a function that raises while the app cannot do its work.

        `GET /ready` calls it in the app's context: a query to the database, say.
        """
        self.checks.append(check)
        return check
