"""OpenTelemetry's FlaskInstrumentor; the exporter writes down the spans.

The contract: whether it comes after Kit(app), before it, or replaces Flask's class,
each request has one span with its route and the status that was sent, errors included.
"""

import json
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

import flask
import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import (
    SimpleSpanProcessor,
    SpanExporter,
    SpanExportResult,
)
from react_flask_kit import Kit

from servers import Server, wait_for


class Recorder(SpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        with Path("record.jsonl").open("a") as file:
            for span in spans:
                line = {"name": span.name, **span.attributes}
                line["is_error"] = not span.status.is_ok
                file.write(f"{json.dumps(line, default=str)}\n")
        return SpanExportResult.SUCCESS


def create_app() -> flask.Flask:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(Recorder()))
    trace.set_tracer_provider(provider)
    way = os.environ["WAY"]
    if way == "class":
        FlaskInstrumentor().instrument()
    app = flask.Flask(__name__)
    if way == "before":
        FlaskInstrumentor().instrument_app(app)
    Kit(app)
    if way == "after":
        FlaskInstrumentor().instrument_app(app)

    @app.get("/books/<int:number>")
    def book(number: int) -> dict[str, int]:
        if number == 0:
            flask.abort(404)
        return {"number": number}

    @app.get("/stream")
    def stream() -> list[str]:
        return flask.Response(iter(["a", "b"]))

    @app.get("/crash")
    def crash() -> None:
        raise RuntimeError("broken")

    return app


def path_of(span: dict) -> str:
    """Return the path; a server that does not tell the raw one has the whole URL."""
    return span.get("http.target") or urlsplit(span["http.url"]).path


@pytest.mark.parametrize("way", ["after", "before", "class"])
def test_each_request_has_one_span_with_its_route_and_status(
    serve: Callable[..., AbstractContextManager[Server]], way: str
) -> None:
    paths = {
        "/books/1": ("GET /books/<int:number>", "/books/<int:number>", 200),
        "/books/0": ("GET /books/<int:number>", "/books/<int:number>", 404),
        "/stream": ("GET /stream", "/stream", 200),
        "/typo": ("GET /typo", None, 404),
    }
    with serve(WAY=way) as server:
        for path, (*_, status) in paths.items():
            assert server.get(path).status == status
        assert server.get("/crash").status == 500

        def spans() -> dict[str, list[dict]]:
            by_path: dict[str, list[dict]] = {}
            for span in server.recorded():
                by_path.setdefault(path_of(span), []).append(span)
            by_path.pop("/health", None)
            return by_path

        wait_for(lambda: spans().keys() == {*paths, "/crash"}, spans)
        (crash,) = spans().pop("/crash")
        for path, expected in paths.items():
            (span,) = spans()[path]
            assert not span["is_error"]
            assert expected == (
                span["name"],
                span.get("http.route"),
                span["http.status_code"],
            )
        assert crash["is_error"]
        assert crash["http.route"] == "/crash"
        # In debug an exception leaves the app, as in Flask: the server makes it a 500.
        is_in_debug = "--debug" in server.command
        assert crash.get("http.status_code") == (None if is_in_debug else 500)
