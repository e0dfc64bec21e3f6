"""Sentry's SDK with its FlaskIntegration; the transport writes down what would be sent.

The contract: a transaction with its URL for each request, a crash reported once, and
nothing of one request in an event of another, though requests share threads.
"""

import json
import threading
from collections.abc import Iterator

import sentry_sdk
from flask import Flask, stream_with_context
from react_flask_kit import Kit
from sentry_sdk.envelope import Envelope
from sentry_sdk.integrations.flask import FlaskIntegration
from sentry_sdk.transport import Transport

from servers import Server, wait_for

# So many requests are in the app at the same time.
TOGETHER = 4


class Recorder(Transport):
    lock = threading.Lock()

    def capture_envelope(self, envelope: Envelope) -> None:
        with self.lock, open("record.jsonl", "a") as file:
            for item in envelope.items:
                if item.type in ("event", "transaction"):
                    file.write(f"{json.dumps(item.payload.json)}\n")


def create_app() -> Flask:
    sentry_sdk.init(
        dsn="http://key@127.0.0.1:9/1",
        transport=Recorder,
        integrations=[FlaskIntegration()],
        traces_sample_rate=1.0,
    )
    app = Flask(__name__)
    Kit(app)
    everybody_is_here = threading.Barrier(TOGETHER, timeout=20)

    @app.get("/books/<int:number>")
    def book(number: int) -> dict[str, int]:
        return {"number": number}

    @app.get("/user/<name>")
    def user(name: str) -> dict[str, str]:
        sentry_sdk.set_user({"id": name})
        everybody_is_here.wait()
        sentry_sdk.capture_message(f"hello {name}")
        return {"name": name}

    @app.get("/stream/<name>")
    def stream(name: str) -> Iterator[str]:
        sentry_sdk.set_user({"id": name})

        @stream_with_context
        def chunks() -> Iterator[str]:
            yield "first"
            everybody_is_here.wait()
            sentry_sdk.capture_message(f"hello {name}")
            yield "last"

        return chunks()

    @app.get("/crash")
    def crash() -> None:
        raise RuntimeError("broken")

    return app


def recorded(server: Server, kind: str, count: int) -> list[dict]:
    """Wait until so many were recorded; return all there are."""

    def found() -> list[dict]:
        kinds = {"transaction": lambda it: it.get("type") == "transaction"}
        kinds["event"] = lambda it: it.get("type") != "transaction"
        return [it for it in server.recorded() if kinds[kind](it)]

    wait_for(lambda: len(found()) >= count, lambda: (found(), server.output))
    return found()


def test_each_request_is_a_transaction_with_its_url(server: Server) -> None:
    for number in (1, 2):
        assert server.get(f"/books/{number}").json == {"number": number}
    server.get("/crash")
    transactions = {
        it["request"]["url"].removeprefix(server.url): (
            it["transaction"],
            it["contexts"]["trace"]["data"]["http.response.status_code"],
        )
        for it in recorded(server, "transaction", 3)
        if "/health" not in it["request"]["url"]
    }
    assert transactions == {
        "/books/1": ("book", 200),
        "/books/2": ("book", 200),
        "/crash": ("crash", 500),
    }


def test_a_crash_is_one_event_with_its_url_and_no_user_of_before(
    server: Server,
) -> None:
    server.get_together([f"/user/{number}" for number in range(TOGETHER)])
    assert server.get("/crash").status == 500
    assert server.get("/crash").status == 500
    # What is recorded of the last request is recorded after its events.
    recorded(server, "transaction", TOGETHER + 2)
    events = recorded(server, "event", TOGETHER + 2)
    crashes = [it for it in events if "exception" in it]
    assert len(crashes) == 2, crashes
    for crash in crashes:
        assert crash["request"]["url"] == f"{server.url}/crash"
        assert crash["exception"]["values"][-1]["value"] == "broken"
        assert "user" not in crash or "id" not in crash["user"]


def test_requests_at_the_same_time_have_users_of_their_own(server: Server) -> None:
    for kind in ("user", "stream"):
        paths = [f"/{kind}/{kind}-{number}" for number in range(TOGETHER)]
        answers = server.get_together(paths)
        assert {answer.status for answer in answers} == {200}, server.output
    events = recorded(server, "event", 2 * TOGETHER)
    assert len(events) == 2 * TOGETHER
    for event in events:
        name = event["message"].removeprefix("hello ")
        assert event["user"]["id"] == name
        assert event["request"]["url"].endswith(f"/{name}")
