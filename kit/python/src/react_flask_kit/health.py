"""GET /health: the process answers. GET /ready: the app can do its work."""

from collections.abc import Callable, Iterable

from flask import Flask, Response
from werkzeug.exceptions import ServiceUnavailable

from .errors import describe_exception, problem

HEALTH, READY = "/health", "/ready"


def health(version: object) -> dict[str, object]:
    """Return what /health says: that the process answers, and which version it is."""
    return {"status": "ok", "version": version}


def has_route(app: Flask, path: str) -> bool:
    """Tell whether an app has a route of its own for an address."""
    return any(rule.rule.rstrip("/") == path for rule in app.url_map.iter_rules())


class HealthChecks:
    """Answer two addresses before the app does, so that no guard of it is in the way.

    A probe asks by the address of a machine, which need not be one of TRUSTED_HOSTS. An
    app that has a route of its own for one of them answers it itself.
    """

    def __init__(self, app: Flask, checks: list[Callable[[], object]]) -> None:
        """Wrap an app's wsgi_app; the checks may still grow."""
        self.app, self.wsgi_app, self.checks = app, app.wsgi_app, checks
        self.answers: dict[str, Callable[[str], Response]] | None = None

    def __call__(self, environ: dict, start_response: Callable) -> Iterable[bytes]:
        """Answer one request, as WSGI defines it."""
        path = environ["PATH_INFO"]
        if path not in (HEALTH, READY) or environ["REQUEST_METHOD"] not in (
            "GET",
            "HEAD",
        ):
            return self.wsgi_app(environ, start_response)
        if self.answers is None:
            # By the first request the app has all its routes.
            ours = {HEALTH: self.health, READY: self.ready}
            self.answers = {
                path: answer
                for path, answer in ours.items()
                if not has_route(self.app, path)
            }
        if path not in self.answers:
            return self.wsgi_app(environ, start_response)
        with self.app.app_context():
            response = self.answers[path](environ.get("HTTP_X_REQUEST_ID", ""))
        response.headers["Cache-Control"] = "no-store"
        return response(environ, start_response)

    def health(self, _request_id: str) -> Response:
        """Tell that the process answers, and which version it is."""
        return self.app.json.response(health(self.app.config["APP_VERSION"]))

    def ready(self, request_id: str) -> Response:
        """Tell whether every check passes; the log says why not."""
        for check in self.checks:
            try:
                check()
            except Exception as error:
                name = getattr(check, "__name__", None) or repr(check)
                extra = {"request_id": request_id}
                self.app.logger.exception("Not ready: %s", name, extra=extra)
                inside = describe_exception(error) if self.app.debug else {}
                return problem(
                    ServiceUnavailable(f"The check {name} failed."), **inside
                )
        return self.app.json.response(status="ready")
