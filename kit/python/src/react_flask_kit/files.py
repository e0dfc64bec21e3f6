"""The files of the built frontend, each as a browser can best use it.

What WhiteNoise and ServeStatic do, but for three things that are needed here: a
validator of its own for each coding, so that a download is never resumed with bytes of
another one; a part that is a single byte; and a length that is true while a build
replaces the file.
"""

import io
import mimetypes
import os
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import IO, NamedTuple

from werkzeug.http import (
    http_date,
    is_resource_modified,
    parse_accept_header,
    parse_if_range_header,
    parse_range_header,
)

Headers = list[tuple[bytes, bytes]]

# The build names these files after what is in them.
is_hashed = re.compile(r".*/static/.+\.[\w-]{8}\.(chunk\.)?\w+").fullmatch
FOREVER = b"public, max-age=31536000, immutable"
CODINGS = {"br": ".br", "gzip": ".gz"}
SMALL = 1 << 18
MOST_READ = 256
MADE_BY_BUILD = (*CODINGS.values(), ".next")
# Not mimetypes alone: on Windows it reads the registry, which may call scripts text.
TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


class Found(NamedTuple):
    """An answer from a file; the file, if any, is to be sent from where it stands."""

    status: int
    headers: Headers
    file: IO[bytes] | None = None
    length: int = 0


class Representation(NamedTuple):
    """A file in one coding, as it was when it was last read."""

    signature: tuple[int, ...]
    etag: str
    modified: datetime
    headers: Headers
    size: int
    # Of a small one: most requests are for these.
    content: bytes | None


class StaticFile:
    """A file of the build, with what the build has compressed of it."""

    def __init__(self, path: Path, url: str) -> None:
        """Look for a file's compressed variants, and find out its type."""
        self.paths = {"": path}
        for coding, ending in CODINGS.items():
            variant = path.with_name(path.name + ending)
            if variant.is_file():
                self.paths[coding] = variant
        self.codings = frozenset(self.paths)
        self.known: dict[str, Representation] = {}
        kind = TYPES.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0]
        kind = kind or "application/octet-stream"
        self.is_document = kind in ("text/html", "image/svg+xml")
        if kind.startswith("text/"):
            kind += "; charset=utf-8"
        control = FOREVER if is_hashed(url) else b"no-cache"
        self.headers: Headers = [
            (b"content-type", kind.encode()),
            (b"cache-control", control),
        ]

    def answer(self, environ: dict) -> Found:
        """Answer a GET or HEAD; raise FileNotFoundError for a file that has gone."""
        wants_part = "HTTP_RANGE" in environ
        # What is longer is nobody's, and is remembered.
        accepted = environ.get("HTTP_ACCEPT_ENCODING", "")[:MOST_READ]
        # A part of what is compressed would be of no use.
        coding = "" if wants_part else best_coding(accepted, self.codings)
        it = self.represented(coding)
        is_conditional = (
            "HTTP_IF_NONE_MATCH" in environ or "HTTP_IF_MODIFIED_SINCE" in environ
        )
        if is_conditional and not is_resource_modified(
            environ, it.etag, last_modified=it.modified
        ):
            return Found(304, it.headers)
        headers = [*it.headers, (b"accept-ranges", b"bytes")]
        if coding:
            headers.append((b"content-encoding", coding.encode()))
        content = it.content
        file = self.opened(coding, it) if content is None else io.BytesIO(content)
        if wants_part and is_wanted_of(environ, it.etag, it.modified):
            return part_of(file, it.size, environ["HTTP_RANGE"], headers)
        headers.append((b"content-length", b"%d" % it.size))
        return Found(200, headers, file, it.size)

    def represented(self, coding: str) -> Representation:
        """Return the file in a coding, read anew if it is another one by now."""
        path = self.paths[coding]
        known = self.known.get(coding)
        if known and known.signature == signature_of(path.stat()):
            return known
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            content = file.read() if status.st_size <= SMALL else None
        etag = f"{status.st_mtime_ns:x}-{status.st_size:x}{coding and '-' + coding}"
        modified = datetime.fromtimestamp(int(status.st_mtime), timezone.utc)
        headers = [
            *self.headers,
            (b"etag", f'"{etag}"'.encode()),
            (b"last-modified", http_date(modified).encode()),
        ]
        if len(self.paths) > 1:
            headers.append((b"vary", b"Accept-Encoding"))
        size = status.st_size if content is None else len(content)
        signature = signature_of(status)
        it = Representation(signature, etag, modified, headers, size, content)
        self.known[coding] = it
        return it

    def opened(self, coding: str, it: Representation) -> IO[bytes]:
        """Open a large file, which must be the one that was read last."""
        file = self.paths[coding].open("rb")
        if signature_of(os.fstat(file.fileno())) != it.signature:
            file.close()
            # A build is just replacing it; the next look finds the other one.
            raise FileNotFoundError(self.paths[coding])
        return file


def signature_of(status: os.stat_result) -> tuple[int, ...]:
    """Return what tells a file from another one of the same name."""
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def is_wanted_of(environ: dict, etag: str, modified: datetime) -> bool:
    """Tell whether a part is wanted of this very file, as If-Range says (RFC 9110)."""
    condition = parse_if_range_header(environ.get("HTTP_IF_RANGE"))
    if environ["REQUEST_METHOD"] != "GET":
        return False
    if condition.etag is not None:
        return condition.etag == etag
    return condition.date is None or condition.date == modified


def part_of(file: IO[bytes], size: int, wanted: str, headers: Headers) -> Found:
    """Answer with one part of a file; with all of it where several are asked for."""
    ranges = parse_range_header(wanted)
    if ranges is None or ranges.units != "bytes" or len(ranges.ranges) != 1:
        return Found(200, [*headers, (b"content-length", b"%d" % size)], file, size)
    begin, end = ranges.ranges[0]
    # Werkzeug refuses the last bytes where there are fewer; by RFC 9110 that is all.
    ranges.ranges[0] = (max(begin, -size), end)
    part = ranges.range_for_length(size)
    if part is None:
        file.close()
        unsatisfied = (b"content-range", b"bytes */%d" % size)
        return Found(416, [unsatisfied, (b"content-length", b"0")])
    start, stop = part
    file.seek(start)
    told = b"bytes %d-%d/%d" % (start, stop - 1, size)
    headers = [*headers, (b"content-range", told)]
    length = stop - start
    return Found(206, [*headers, (b"content-length", b"%d" % length)], file, length)


@lru_cache(maxsize=256)
def best_coding(accepted: str, available: frozenset[str]) -> str:
    """Return the coding that a client prefers of those there are; "" is none."""
    offers = parse_accept_header(accepted)
    best, highest = "", offers.quality("identity") if "identity" in offers else 0
    for coding in CODINGS:
        quality = offers.quality(coding)
        if coding in available and quality > highest:
            best, highest = coding, quality
    return best


def list_files(build: Path, base: str, source_maps: bool) -> dict[str, StaticFile]:
    """Map the address of each file of a build to it; what is hidden has none."""
    files = {}
    for path in walk(build):
        if path.suffix in MADE_BY_BUILD and path.with_suffix("").is_file():
            continue
        if path.suffix == ".map" and not source_maps:
            continue
        url = f"{base}/{path.relative_to(build).as_posix()}"
        files[url] = StaticFile(path, url)
    return files


def walk(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder, but for hidden ones other than .well-known."""
    for entry in os.scandir(folder):
        if entry.name.startswith(".") and entry.name != ".well-known":
            continue
        if entry.is_dir():
            yield from walk(Path(entry.path))
        else:
            yield Path(entry.path)
