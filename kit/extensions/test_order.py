"""What the author does after Kit(app) counts as if it stood before.

The contract holds for the rest that Flask's own suite does not show: debug, logging and
what was dispatched before the first request, in the process of these tests.
"""

import logging
from collections.abc import Iterator

import pytest
from flask import Flask, abort
from react_flask_kit import Kit


@pytest.fixture
def app() -> Iterator[Flask]:
    """Return an app whose logging nobody has configured, not even pytest."""
    logger, root = logging.getLogger("order"), logging.root
    kept, root.handlers = root.handlers, []
    app = Flask("order")
    Kit(app)
    app.add_url_rule("/", "index", lambda: {})
    app.add_url_rule("/sold", "sold", lambda: abort(410))
    yield app
    root.handlers = kept
    logger.handlers, logger.propagate = [], True
    logger.setLevel(logging.NOTSET)


def test_debug_of_a_later_line_lets_the_app_log_for_debugging(app: Flask) -> None:
    assert not app.logger.isEnabledFor(logging.DEBUG)
    app.debug = True
    app.test_client().get("/")
    assert app.logger.isEnabledFor(logging.DEBUG)


def test_a_level_of_the_author_stays_in_debug(app: Flask) -> None:
    app.logger.setLevel(logging.INFO)
    app.debug = True
    app.test_client().get("/")
    assert app.logger.level == logging.INFO


def test_logging_of_a_later_line_has_the_say_of_the_level_too(app: Flask) -> None:
    assert app.logger.isEnabledFor(logging.INFO)
    logging.root.addHandler(logging.NullHandler())
    app.test_client().get("/")
    assert app.logger.handlers == []
    assert app.logger.getEffectiveLevel() == logging.root.level == logging.WARNING


def test_errors_have_their_shape_though_something_was_dispatched_before(
    app: Flask,
) -> None:
    with app.test_request_context("/"):
        assert app.full_dispatch_request().status_code == 200
    answer = app.test_client().get("/sold")
    assert (answer.status_code, answer.mimetype) == (410, "application/problem+json")
