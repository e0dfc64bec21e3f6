"""The built frontend: which files there are now, and its index.html."""

import json
import os
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

from .files import StaticFile, list_files

SECONDS_BETWEEN_LOOKS = 1


class Frontend:
    """The files of a build, which another build may replace while they are served."""

    def __init__(self, build: Path, source_maps: bool = False) -> None:
        """Serve what is in the folder build, now or as soon as it is built."""
        self.build, self.source_maps = build, source_maps
        self.index_path = build / "index.html"
        self.built: object = None
        self.base = ""
        self.files: dict[str, StaticFile] = {}
        self.index: StaticFile | None = None
        self.html = ""
        self.next_look = 0.0

    def look(self, path: str = "/") -> bool:
        """Learn which files there are if index.html, which is written last, is new.

        Returns whether it was. What is mostly a route of the API need not wait for it.
        """
        now = monotonic()
        is_of_page = path in self.files or path == "/" or "/static/" in path
        if now < self.next_look and not is_of_page:
            return False
        self.next_look = now + SECONDS_BETWEEN_LOOKS
        try:
            status = os.stat(self.index_path)
            built = (status.st_mtime_ns, status.st_ino)
            if built == self.built:
                return False
            self.html = self.index_path.read_text(encoding="utf-8", errors="replace")
            self.base = base_of(self.build)
            self.files = list_files(self.build, self.base, self.source_maps)
        except OSError:
            # Not built, or just being replaced.
            return False
        self.index = self.files.get(f"{self.base}/index.html")
        if self.index:
            self.files[f"{self.base}/"] = self.index
        self.built = built
        return True

    def find(self, path: str) -> StaticFile | None:
        """Return the file of an address, written as WSGI writes it."""
        if not path.isascii():
            path = path.encode("latin-1").decode(errors="replace")
        return self.files.get(path)


def base_of(build: Path) -> str:
    """Return where a build expects to be served, such as "/app"; mostly "".

    Its manifest has the address of each file, and PUBLIC_URL or package.json's homepage
    may have made it another one.
    """
    try:
        text = (build / "asset-manifest.json").read_text(encoding="utf-8")
        paths = [urlsplit(url).path for url in json.loads(text)["files"].values()]
        base = next(
            path.partition("/static/")[0] for path in paths if "/static/" in path
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError, StopIteration):
        return ""
    return "" if base.startswith(".") else base
