"""Routes of a larger API, added to a copy of api.py: the tests ask who answers."""

import gzip
import hashlib
import itertools
import os
import time
from collections.abc import Iterator
from pathlib import Path

from api import app
from flask import Response, abort, redirect, request, send_file, url_for
from react_flask_kit import problem
from werkzeug.exceptions import UnprocessableEntity

HERE = Path(__file__).parent


@app.get("/report.csv")
def report() -> Response:
    return Response("day,visits\n1,2\n", mimetype="text/csv")


@app.post("/login")
def login() -> Response:
    response = redirect(url_for("echo", _external=True))
    response.set_cookie("session", "abc", httponly=True, samesite="Lax")
    response.set_cookie("theme", "dark")
    return response


@app.get("/items/<int:number>")
def item(number: int) -> dict[str, int]:
    if number > 9:
        abort(404, f"There is no item {number}.")
    return {"item": number}


@app.get("/folder/")
def folder() -> dict[str, str]:
    return {"path": request.path}


@app.route("/echo", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def echo() -> dict[str, object]:
    return {
        "method": request.method,
        "query": request.query_string.decode(),
        "url": request.url,
        "headers": dict(request.headers),
        "cookies": request.cookies,
        "body": request.get_data(as_text=True),
    }


@app.delete("/items/<int:number>")
def remove_item(number: int) -> tuple[str, int]:
    return "", 204


@app.post("/people")
def add_person() -> Response:
    wrong = [{"pointer": "#/age", "detail": "must be a positive integer"}]
    return problem(UnprocessableEntity("The person is incomplete."), errors=wrong)


@app.post("/sent")
def sent() -> dict[str, object]:
    return {
        "form": request.form,
        "files": {name: file.read().decode() for name, file in request.files.items()},
    }


@app.get("/for-members")
def for_members() -> None:
    abort(401, "Sign in first.")


@app.get("/slow")
def slow() -> dict[str, str]:
    with (HERE / "slow-began").open("a") as log:
        log.write("x")
    time.sleep(1)
    return {"slow": "but sure"}


@app.get("/pid")
def pid() -> dict[str, int]:
    return {"pid": os.getpid()}


@app.get("/framed")
def framed() -> Response:
    policy = {"Content-Security-Policy": "frame-ancestors https://example.com"}
    return Response("Hello", headers=policy)


@app.route("/crash", methods=["GET", "POST"])
def crash() -> None:
    numbers = {}
    numbers[request.args.get("key", "one")]


@app.post("/upload")
def upload() -> dict[str, object]:
    request.max_content_length = 200 << 20
    digest, size = hashlib.sha256(), 0
    while chunk := request.stream.read(1 << 16):
        digest.update(chunk)
        size += len(chunk)
    return {"size": size, "sha256": digest.hexdigest()}


@app.get("/events")
def events() -> Response:
    def stream() -> Iterator[str]:
        try:
            for number in itertools.count():
                yield f"data: {number}\n\n"
                time.sleep(0.1)
        finally:
            (HERE / "events-ended").touch()

    headers = {"X-Accel-Buffering": "no"}  # nginx would collect the events
    return Response(stream(), mimetype="text/event-stream", headers=headers)


@app.get("/compressed")
def compressed() -> Response:
    body = gzip.compress(b"hello " * 1000)
    return Response(
        body, headers={"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    )


@app.get("/long-header")
def long_header() -> Response:
    return Response("", headers={"X-Long": "x" * 30_000})


@app.get("/file")
def file() -> Response:
    return send_file(__file__, mimetype="text/plain", etag=True, conditional=True)


@app.route("/restart-once", methods=["GET", "POST"])
def restart_once() -> dict[str, str]:
    """Be saved in the middle of the first request, which takes too long to wait for."""
    asked = HERE / f"asked-{request.method}"
    with asked.open("a") as log:
        log.write("x")
    if asked.stat().st_size == 1:
        os.utime(__file__)
        time.sleep(20)
    return {"asked": asked.read_text()}


@app.route("/socket", websocket=True)
def socket() -> Response:
    """Switch protocols and, instead of WebSocket's frames, shout back what comes."""
    connection = request.environ["werkzeug.socket"]
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\n"
        b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    )
    while data := connection.recv(1024):
        connection.sendall(data.upper())
    return Response()
