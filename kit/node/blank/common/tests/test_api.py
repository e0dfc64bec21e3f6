"""The routes of the API, asked by a client without a server."""

from flask.testing import FlaskClient


def test_hello_greets_who_asks(client: FlaskClient) -> None:
    assert client.get("/hello").json == {"greeting": "Hello from Flask!"}
