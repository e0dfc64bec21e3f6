"""The routes of the API, asked by a client without a server."""

from flask.testing import FlaskClient


def test_the_greeting_greets_who_asks(client: FlaskClient) -> None:
    assert client.get("/greeting").json == {"text": "Hello from Flask!"}
