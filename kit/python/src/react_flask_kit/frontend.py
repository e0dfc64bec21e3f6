"""The built page: the files of build/, and index.html for its own router."""

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from time import monotonic
from wsgiref.headers import Headers
from wsgiref.util import FileWrapper

from flask import Flask
from werkzeug.datastructures import Range
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_accept_header, parse_range_header
from werkzeug.routing import RequestRedirect
from whitenoise import WhiteNoise
from whitenoise.responders import Response, SlicedFile, StaticFile
from whitenoise.string_utils import decode_path_info

from .health import HEALTH, READY

# The build names these files after what is in them.
is_hashed = re.compile(r"/static/.+\.[\w-]{8}\.(chunk\.)?\w+").fullmatch
FOREVER = "public, max-age=31536000, immutable"
BLOCK = 1 << 20
NOT_BUILT = (
    b"<!doctype html><title>Not built</title>"
    b"<p>The frontend is not built. Run: <code>npm run build</code> (or yarn build)</p>"
)


class Frontend:
    """Answer with a file of the frontend, else with the API.

    A navigation to what neither has gets index.html, for the router in the page.
    """

    def __init__(self, app: Flask, build: Path, source_maps: bool = False) -> None:
        """Serve what is in the folder build, now or as soon as it is built."""
        self.app = app
        self.api = app.wsgi_app
        self.build = build
        self.source_maps = source_maps
        self.index = str(build / "index.html")
        self.built: object = None
        self.files: dict[str, StaticFile] = {}
        self.look_for_another_build()

    def __call__(self, environ: dict, start_response: Callable) -> Iterable[bytes]:
        """Answer one request, as WSGI defines it."""
        answer = None
        if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            try:
                answer = self.answer(environ, start_response)
            except FileNotFoundError:
                # A build is just replacing what was listed.
                self.files, self.built = {}, None
                answer = self.answer(environ, start_response)
        return self.api(environ, start_response) if answer is None else answer

    def answer(self, environ: dict, start_response: Callable) -> Iterable[bytes] | None:
        """Answer with the page, or None; raise FileNotFoundError if the list is old."""
        file = self.find(decode_path_info(environ["PATH_INFO"]))
        if file is None and self.is_for_router(environ):
            file = self.find("/")
            if file is None:
                return answer_not_built(start_response)
        return file and serve(file, environ, start_response)

    def find(self, path: str) -> StaticFile | None:
        """Return the file of a path, also of a build that was made meanwhile."""
        file = self.files.get(path)
        if file and is_hashed(path):
            return file
        is_of_page = file or path.startswith("/static/") or path == "/"
        # All else is mostly a route of the API, which should not wait for this.
        if is_of_page or monotonic() > self.next_look:
            self.look_for_another_build()
        return self.files.get(path)

    def look_for_another_build(self) -> None:
        """Learn which files there are, if index.html, which is written last, is new."""
        self.next_look = monotonic() + 1
        try:
            status = os.stat(self.index)
            built = (status.st_mtime_ns, status.st_ino)
            if built != self.built:
                self.files = list_files(self.build, self.source_maps)
                self.built = built
        except FileNotFoundError:
            return

    def is_for_router(self, environ: dict) -> bool:
        """Tell whether a browser navigates to what is no route of the API."""
        is_probe = environ["PATH_INFO"] in (HEALTH, READY)
        return wants_document(environ) and not is_probe and not self.has_route(environ)

    def has_route(self, environ: dict) -> bool:
        """Tell whether the API has a route for a request."""
        try:
            self.app.url_map.bind_to_environ(environ).match()
        except RequestRedirect:
            return True
        except HTTPException:
            return False
        return True


def list_files(build: Path, source_maps: bool = False) -> dict[str, StaticFile]:
    """Map the address of each file of the page to it; "/" is index.html."""
    files = WhiteNoise(
        None,
        build,
        max_age=None,
        # Other origins have no business with it, unless CORS says so.
        allow_all_origins=False,
        add_headers_function=complete_headers,
    ).files
    if not source_maps:
        files = {url: files[url] for url in files if not url.endswith(".map")}
    return files | {"/": files["/index.html"]}


def wants_document(environ: dict) -> bool:
    """Tell whether a browser wants a document to show, as Fetch's destination says.

    Clients that do not send it are judged by Accept, as in development.
    """
    destination = environ.get("HTTP_SEC_FETCH_DEST")
    if destination:
        return destination in ("document", "iframe", "frame")
    return "text/html" in environ.get("HTTP_ACCEPT", "")


def complete_headers(headers: Headers, path: str, url: str) -> None:
    """Let a file be kept forever if its name tells its content, else be asked for."""
    headers["Content-Type"] = headers["Content-Type"].replace('"', "")
    headers["Cache-Control"] = FOREVER if is_hashed(url) else "no-cache"


def serve(file: StaticFile, environ: dict, start_response: Callable) -> Iterable[bytes]:
    """Answer with a file, or with the part of it or the encoding that is asked for."""
    wanted = parse_range_header(environ.pop("HTTP_RANGE", None))
    if (
        wanted
        and environ["REQUEST_METHOD"] == "GET"
        and wanted.units == "bytes"
        and len(wanted.ranges) == 1
        and environ.get("HTTP_IF_RANGE", file.etag) == file.etag
        and not file.is_not_modified(environ)
    ):
        return serve_part(file, wanted, start_response)
    accepted = environ.get("HTTP_ACCEPT_ENCODING", "")
    if ";" in accepted:
        environ["HTTP_ACCEPT_ENCODING"] = preferred_encodings(accepted)
    response = open_file(file, environ["REQUEST_METHOD"], environ)
    start_response(f"{response.status} {response.status.phrase}", response.headers)
    if response.file is None:
        return []
    if int(dict(response.headers)["Content-Length"]) > BLOCK:
        return FileWrapper(response.file, BLOCK)
    with response.file:
        return [response.file.read()]


def open_file(file: StaticFile, method: str, environ: dict) -> Response:
    """Return the response; raise FileNotFoundError if the file is not as listed."""
    response = file.get_response(method, environ)
    if response.file:
        size = str(os.fstat(response.file.fileno()).st_size)
        if ("Content-Length", size) not in response.headers:
            response.file.close()
            raise FileNotFoundError(response.file.name)
    return response


def serve_part(
    file: StaticFile, wanted: Range, start_response: Callable
) -> Iterable[bytes]:
    """Answer with a part of a file, which WhiteNoise refuses where it is one byte."""
    response = open_file(file, "GET", {})
    headers = Headers(response.headers[:])
    size = int(headers["Content-Length"])
    part = wanted.range_for_length(size)
    if part is None:
        response.file.close()
        start_response(
            "416 Range Not Satisfiable",
            [("Content-Range", f"bytes */{size}"), ("Content-Length", "0")],
        )
        return []
    start, stop = part
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    headers["Content-Length"] = str(stop - start)
    start_response("206 Partial Content", headers.items())
    return FileWrapper(SlicedFile(response.file, start, stop - 1), BLOCK)


def preferred_encodings(accepted: str) -> str:
    """Return those of an Accept-Encoding that have the highest quality, without it."""
    offers = parse_accept_header(accepted)
    best = max((quality for _, quality in offers), default=0)
    return ",".join(name for name, quality in offers if quality == best > 0)


def answer_not_built(start_response: Callable) -> Iterable[bytes]:
    """Say how to build the page."""
    start_response(
        "503 Service Unavailable",
        [("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store")],
    )
    return [NOT_BUILT]
