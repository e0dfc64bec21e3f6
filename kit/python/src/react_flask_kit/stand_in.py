"""What answers in place of an app that cannot."""

from collections.abc import Callable

from flask import Flask, Response
from werkzeug.exceptions import InternalServerError

from .errors import describe_exception, problem


def app_that_reports(error: Callable[[], BaseException], detail: str) -> Flask:
    """Stand in for an app that cannot be imported: answer all requests with why.

    `error` is asked at each request.
    """
    app = Flask("react_flask_kit.development")

    @app.before_request
    def report() -> Response:
        return problem(InternalServerError(detail), **describe_exception(error()))

    return app
