"""The API's own port in development answers for names of this machine alone.

The contract: a page of another website, whose name was made to lead here, gets nothing
from any address, whatever headers it sends.
"""

import pytest
from apps import load_app_with_routes
from development_servers import AS_VITE
from flask import Flask
from react_flask_kit.development_link import Link, join


def joined(app: Flask, own_host: str = "127.0.0.1") -> Flask:
    """Return an app as the server of development serves it."""
    join(app, Link(), own_host)
    return app


@pytest.fixture(params=["/last", "/crash", "/__flask__", "/health", "/time"])
def path(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "EVIL.example:5000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example.",
        "localhost,evil.example",
        "user@localhost",
        "localhost/evil.example",
        "[::1].evil.example",
        "[evil.example]",
        "127.1.",
        "localhost:5000:evil.example",
        "",
    ],
)
@pytest.mark.parametrize("headers", [{}, AS_VITE], ids=["a page", "as Vite"])
def test_another_websites_name_is_refused_at_every_address(
    path: str, host: str, headers: dict[str, str]
) -> None:
    client = joined(load_app_with_routes(DEBUG="1")).test_client()
    answer = client.get(path, headers=headers | {"Host": host})
    assert answer.status_code == 403
    assert answer.content_type == "application/problem+json"
    problem = answer.get_json()
    assert repr(host) in problem["detail"]
    assert "FLASK_TRUSTED_HOSTS" in problem["detail"]
    assert problem.keys() == {"type", "title", "status", "detail"}


@pytest.mark.parametrize(
    ("host", "settings"),
    [
        ("127.0.0.1:5000", {}),
        ("192.168.1.7:5000", {}),
        ("[::1]:5000", {}),
        ("localhost", {}),
        ("LocalHost:5000", {}),
        ("shop.localhost:5000", {}),
        ("api:5000", {}),
        ("dev.example.com:5000", {}),
        ("a.example.org", {"TRUSTED_HOSTS": ".example.org"}),
        ("example.net:5000", {"TRUSTED_HOSTS": "example.org,example.net"}),
    ],
)
def test_names_of_this_machine_and_trusted_ones_are_answered(
    host: str, settings: dict[str, str]
) -> None:
    app = joined(load_app_with_routes(DEBUG="1", **settings), "dev.example.com")
    assert app.test_client().get("/last", headers={"Host": host}).status_code == 404


def test_an_app_that_cannot_be_imported_trusts_what_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FLASK_TRUSTED_HOSTS", "dev.example.org")
    client = joined(Flask("plain")).test_client()
    assert client.get("/", headers={"Host": "dev.example.org"}).status_code == 404
    assert client.get("/", headers={"Host": "example.org"}).status_code == 403
