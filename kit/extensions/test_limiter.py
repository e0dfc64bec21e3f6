"""Flask-Limiter: who asks too often is told so, and when to come back.

The contract: the request after the last one that is allowed is a 429 in the kit's
shape, with the extension's headers; another route has a limit of its own; /health
counts for nobody.
"""

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from react_flask_kit import Kit

from servers import Server


def create_app() -> Flask:
    app = Flask(__name__)
    Kit(app)
    limiter = Limiter(
        get_remote_address,
        app=app,
        default_limits=["3 per hour"],
        headers_enabled=True,
        storage_uri="memory://",
    )

    @app.get("/books")
    def books() -> list[str]:
        return []

    @app.get("/search")
    @limiter.limit("1 per hour")
    def search() -> list[str]:
        return []

    return app


def test_one_request_too_many_is_a_429_that_says_when_to_come_back(
    server: Server,
) -> None:
    for left in ("2", "1", "0"):
        allowed = server.get("/books")
        assert (allowed.status, allowed.headers["X-RateLimit-Remaining"]) == (200, left)
    refused = server.get("/books")
    assert refused.status == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 3600
    assert refused.headers.get_content_type() == "application/problem+json"
    assert refused.json["title"] == "Too Many Requests"
    assert refused.json["detail"] == "3 per 1 hour"
    assert [server.get("/search").status for _ in range(2)] == [200, 429]
    assert [server.get("/health").status for _ in range(5)] == [200] * 5
