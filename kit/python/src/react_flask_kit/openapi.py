"""GET /openapi.json: the description of the API, for tools and for people."""

from collections.abc import Callable, Iterable

from flask import Flask

from .health import has_route

PATH = "/openapi.json"


class ApiDescription:
    """Answer one address before the app does.

    An app that has a route of its own for it answers it itself.
    """

    def __init__(self, app: Flask, wsgi_app: Callable) -> None:
        """Wrap what an app answers."""
        self.app, self.wsgi_app = app, wsgi_app
        self.text = b""
        self.described: object = None

    def __call__(self, environ: dict, start_response: Callable) -> Iterable[bytes]:
        """Answer one request, as WSGI defines it."""
        is_read = environ["REQUEST_METHOD"] in ("GET", "HEAD")
        if environ["PATH_INFO"] != PATH or not is_read or has_route(self.app, PATH):
            return self.wsgi_app(environ, start_response)
        response = self.app.response_class(self.json(), mimetype="application/json")
        response.headers["Cache-Control"] = "no-cache"
        return response(environ, start_response)

    def json(self) -> bytes:
        """Return the description, made anew only where the app has other routes."""
        routes = list(self.app.url_map.iter_rules()), dict(self.app.view_functions)
        if routes != self.described:
            # With msgspec: whoever does not ask for it does without.
            from .description import describe

            with self.app.app_context():
                self.text = self.app.json.response(describe(self.app)).get_data()
            self.described = routes
        return self.text
