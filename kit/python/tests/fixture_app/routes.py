"""An app with a route for each way to answer, for tests of the production server."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from flask import Flask, Response, request, stream_with_context
from react_flask_kit import Kit

app = Flask(__name__)
Kit(app)
closed: list[str] = []


@app.get("/time")
def get_current_time() -> dict[str, float]:
    return {"time": time.time()}


@app.get("/environ")
def get_environ() -> dict[str, object]:
    return {
        "keys": sorted(request.environ),
        "headers": dict(request.headers),
        "path": request.environ["PATH_INFO"],
        "url": request.url,
    }


@app.get("/pid")
def get_pid() -> dict[str, int]:
    return {"pid": os.getpid()}


@app.post("/upload")
def upload() -> dict[str, int]:
    request.max_content_length = 200 << 20
    size = 0
    while chunk := request.stream.read(1 << 16):
        size += len(chunk)
    (Path.cwd() / "uploaded").write_text(str(size))
    return {"size": size}


@app.post("/echo")
def echo() -> Response:
    request.max_content_length = 200 << 20
    stream = request.stream
    return Response(iter(lambda: stream.read(1 << 16), b""))


@app.post("/limited")
def limited() -> dict[str, int]:
    return {"size": len(request.get_data())}


@app.post("/form")
def form() -> dict[str, int]:
    return {"fields": len(request.form)}


@app.get("/sleep/<float:seconds>")
def sleep(seconds: float) -> dict[str, float]:
    app.logger.info("sleeping")
    time.sleep(seconds)
    return {"slept": seconds}


@app.get("/closes")
def closes() -> Response:
    response = Response("closes")
    response.call_on_close(lambda: closed.append("closes"))
    return response


@app.get("/closed")
def get_closed() -> list[str]:
    return closed


@app.get("/endless")
def endless() -> Response:
    @stream_with_context
    def generate() -> Iterator[str]:
        try:
            while True:
                yield f"data: {request.path}\n\n"
                time.sleep(0.05)
        finally:
            closed.append("endless")
            (Path.cwd() / "endless-closed").touch()

    return Response(generate(), mimetype="text/event-stream")


@app.get("/fails/<int:after>")
def fails(after: int) -> Response:
    def generate() -> Iterator[str]:
        for _ in range(after):
            yield "chunk"
        raise RuntimeError("the generator is broken")

    return Response(generate())


@app.get("/shorter")
def shorter() -> Response:
    return Response(iter(["only"]), headers={"Content-Length": "10"})


@app.get("/threads")
def threads() -> dict[str, int]:
    return {"threads": len(os.listdir("/proc/self/task"))}


@app.get("/page")
def page() -> str:
    return "<!doctype html><h1>Written by the API</h1>"


@app.get("/large")
def large() -> Response:
    return Response("x" * 5_000_000)


@app.route("/socket", websocket=True)
def socket() -> str:
    return ""
