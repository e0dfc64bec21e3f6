"""Fixtures: the fixture app, new for each test, and its client."""

import pytest
from apps import load_app
from flask import Flask
from flask.testing import FlaskClient


@pytest.fixture
def app() -> Flask:
    return load_app(TESTING="true")


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
