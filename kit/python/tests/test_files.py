"""The files of a build, as a browser asks for them.

The contract: each coding of a file has a validator of its own, so that no download is
resumed with bytes of another; what is hidden or for the build alone is not served; and
a build may replace files while they are sent.
"""

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from react_flask_kit import files as module
from react_flask_kit.files import Found, StaticFile, best_coding, list_files
from react_flask_kit.frontend import Frontend, base_of
from werkzeug.http import http_date
from werkzeug.test import create_environ

TEXT = b"0123456789" * 10


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """Return a build with a file in three codings."""
    folder = tmp_path / "build"
    write(folder / "app.js", TEXT)
    write(folder / "app.js.br", b"compressed by brotli")
    write(folder / "app.js.gz", b"compressed by gzip")
    return folder


@pytest.fixture
def file(build: Path) -> StaticFile:
    return StaticFile(build / "app.js", "/app.js")


def write(path: Path, content: bytes = b"content") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


class Answer:
    """What a file answers, read to its end."""

    def __init__(self, found: Found) -> None:
        self.status, self.body = found.status, b""
        self.headers = {k.decode(): v.decode() for k, v in found.headers}
        assert len(self.headers) == len(found.headers)
        if found.file:
            with found.file:
                self.body = found.file.read(found.length)

    def __getitem__(self, name: str) -> str:
        return self.headers[name]


def ask(file: StaticFile, method: str = "GET", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(file.answer(create_environ(method=method, headers=named)))


CODINGS = {
    "": TEXT,
    "identity": TEXT,
    "gzip": b"compressed by gzip",
    "br": b"compressed by brotli",
    "gzip, deflate, br, zstd": b"compressed by brotli",
    "br;q=0.5, gzip": b"compressed by gzip",
    "br;q=0, gzip;q=0": TEXT,
    "gzip;q=0.5, identity;q=1": TEXT,
    "*": TEXT,
    "zstd": TEXT,
    "nonsense;;;": TEXT,
}


@pytest.mark.parametrize("accepted", CODINGS)
def test_a_file_is_sent_in_the_coding_that_is_liked_best(
    file: StaticFile, accepted: str
) -> None:
    answer = ask(file, Accept_Encoding=accepted)
    body = CODINGS[accepted]
    assert (answer.status, answer.body) == (200, body)
    assert answer["content-length"] == str(len(body))
    assert answer["vary"] == "Accept-Encoding"
    coding = {TEXT: None, b"compressed by gzip": "gzip"}.get(body, "br")
    assert answer.headers.get("content-encoding") == coding


def test_a_file_without_variants_does_not_vary(build: Path) -> None:
    plain = StaticFile(write(build / "plain.txt"), "/plain.txt")
    answer = ask(plain, Accept_Encoding="br")
    assert (answer.status, answer.body) == (200, b"content")
    assert not {"vary", "content-encoding"} & answer.headers.keys()


def test_each_coding_has_a_validator_of_its_own(file: StaticFile) -> None:
    etags = {coding: ask(file, Accept_Encoding=coding)["etag"] for coding in ("", "br")}
    etags["gzip"] = ask(file, Accept_Encoding="gzip")["etag"]
    assert len(set(etags.values())) == 3
    for coding, etag in etags.items():
        answer = ask(file, Accept_Encoding=coding, If_None_Match=etag)
        assert (answer.status, answer.body) == (304, b"")
        assert answer["etag"] == etag
        for other in etags.keys() - {coding}:
            answer = ask(file, Accept_Encoding=other, If_None_Match=etag)
            assert answer.status == 200


@pytest.mark.parametrize(
    ("template", "status"),
    [
        ("{}", 304),
        ("W/{}", 304),
        ('"other", {}', 304),
        ("*", 304),
        ('"other"', 200),
        ("", 200),
        ("nonsense", 200),
    ],
)
def test_a_browser_that_has_the_file_is_told_so(
    file: StaticFile, template: str, status: int
) -> None:
    etag = ask(file)["etag"]
    answer = ask(file, If_None_Match=template.format(etag))
    assert answer.status == status
    assert answer.body == (TEXT if status == 200 else b"")
    assert answer["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("seconds", "status"),
    [(-1, 200), (0, 304), (1, 304)],
    ids=["before", "then", "later"],
)
def test_a_date_will_do_where_there_is_no_etag(
    file: StaticFile, seconds: int, status: int
) -> None:
    modified = datetime.fromtimestamp(int(file.paths[""].stat().st_mtime), timezone.utc)
    since = http_date(modified + timedelta(seconds=seconds))
    assert ask(file)["last-modified"] == http_date(modified)
    assert ask(file, If_Modified_Since=since).status == status
    other = ask(file, If_Modified_Since=since, If_None_Match='"other"')
    assert other.status == 200


PARTS = {
    "bytes=0-9": (0, 10),
    "bytes=10-": (10, 100),
    "bytes=0-0": (0, 1),
    "bytes=99-99": (99, 100),
    "bytes=-1": (99, 100),
    "bytes=-10": (90, 100),
    "bytes=90-1000": (90, 100),
    "bytes=-1000": (0, 100),
}


@pytest.mark.parametrize("wanted", PARTS)
def test_a_part_is_sent(file: StaticFile, wanted: str) -> None:
    start, stop = PARTS[wanted]
    answer = ask(file, Range=wanted, Accept_Encoding="br")
    assert (answer.status, answer.body) == (206, TEXT[start:stop])
    assert answer["content-range"] == f"bytes {start}-{stop - 1}/100"
    assert answer["content-length"] == str(stop - start)
    assert "content-encoding" not in answer.headers
    assert answer["etag"] == ask(file)["etag"]


@pytest.mark.parametrize("wanted", ["bytes=100-", "bytes=200-300"])
def test_a_part_that_does_not_exist_is_refused(file: StaticFile, wanted: str) -> None:
    answer = ask(file, Range=wanted)
    assert (answer.status, answer.body) == (416, b"")
    assert answer["content-range"] == "bytes */100"


@pytest.mark.parametrize("wanted", ["bytes=0-", "bytes=0-0", "bytes=-1"])
def test_an_empty_file_has_no_part(build: Path, wanted: str) -> None:
    answer = ask(
        StaticFile(write(build / "empty.txt", b""), "/empty.txt"), Range=wanted
    )
    assert (answer.status, answer["content-range"]) == (416, "bytes */0")


@pytest.mark.parametrize(
    "wanted", ["bytes=0-1,5-6", "lines=0-9", "bytes=9-0", "bytes=a-b", "nonsense", ""]
)
def test_all_is_sent_where_no_single_part_is_asked_for(
    file: StaticFile, wanted: str
) -> None:
    answer = ask(file, Range=wanted)
    assert (answer.status, answer.body) == (200, TEXT)
    assert "content-range" not in answer.headers


def test_a_part_of_another_file_is_all_of_this_one(file: StaticFile) -> None:
    own, of_br = ask(file)["etag"], ask(file, Accept_Encoding="br")["etag"]
    modified = ask(file)["last-modified"]
    long_ago = http_date(0)
    for condition, status in [
        (own, 206),
        (modified, 206),
        (of_br, 200),
        ('"other"', 200),
        (long_ago, 200),
    ]:
        answer = ask(file, Range="bytes=0-9", If_Range=condition)
        assert answer.status == status, condition
        assert answer.body == (TEXT[:10] if status == 206 else TEXT)


def test_head_is_get_without_a_body_and_knows_no_parts(file: StaticFile) -> None:
    get, head = ask(file), ask(file, "HEAD")
    assert (head.status, head.headers) == (200, get.headers)
    assert ask(file, "HEAD", Range="bytes=0-9").status == 200


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.mjs", "text/javascript; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.html", "text/html; charset=utf-8"),
        ("A.HTML", "text/html; charset=utf-8"),
        ("a.json", "application/json"),
        ("a.webmanifest", "application/manifest+json"),
        ("a.svg", "image/svg+xml"),
        ("a.png", "image/png"),
        ("a.woff2", "font/woff2"),
        ("a.wasm", "application/wasm"),
        ("a.txt", "text/plain; charset=utf-8"),
        ("apple-app-site-association", "application/octet-stream"),
    ],
)
def test_a_file_has_the_type_of_its_name(build: Path, name: str, kind: str) -> None:
    assert ask(StaticFile(write(build / name), f"/{name}"))["content-type"] == kind


@pytest.mark.parametrize(
    ("url", "is_forever"),
    [
        ("/static/js/main.1a2B3_c-.js", True),
        ("/app/static/css/main.12345678.chunk.css", True),
        ("/static/media/logo.12345678.svg", True),
        ("/static/js/main.js", False),
        ("/static/js/main.1234567.js", False),
        ("/main.12345678.js", False),
        ("/index.html", False),
    ],
)
def test_what_the_build_has_named_after_its_content_is_kept_forever(
    build: Path, url: str, is_forever: bool
) -> None:
    answer = ask(StaticFile(write(build / "a.js"), url))
    control = "public, max-age=31536000, immutable" if is_forever else "no-cache"
    assert answer["cache-control"] == control


HIDDEN = [
    ".env",
    ".git/config",
    "static/.DS_Store",
    ".vite/manifest.json",
    "a.js.map",
    "static/a.css.map",
    "app.js.br",
    "app.js.gz",
]
SERVED = [
    "app.js",
    ".well-known/security.txt",
    ".well-known/acme/token",
    "archive.tar.gz",
    "static/media/a b.png",
    "static/media/caf\u00e9.png",
]


def test_only_what_is_meant_for_browsers_is_listed(build: Path) -> None:
    for name in {*HIDDEN, *SERVED} - {"app.js", "app.js.br", "app.js.gz"}:
        write(build / name)
    assert set(list_files(build, "", False)) == {f"/{name}" for name in SERVED}
    with_maps = set(list_files(build, "", True))
    maps = {f"/{name}" for name in HIDDEN if name.endswith(".map")}
    assert with_maps == {f"/{name}" for name in SERVED} | maps


@pytest.mark.parametrize("size", [10, module.SMALL + 1], ids=["small", "large"])
def test_a_file_that_is_replaced_is_never_mixed(build: Path, size: int) -> None:
    """One public file that changed its size made all of them a 404."""
    path = write(build / "robots.txt", b"a" * size)
    file = StaticFile(path, "/robots.txt")
    before = ask(file)
    other = write(build / "other.txt", b"b" * (size + 5))
    os.replace(other, path)
    after = ask(file, If_None_Match=before["etag"])
    assert before.body == b"a" * size
    assert (after.status, after.body) == (200, b"b" * (size + 5))
    assert after["content-length"] == str(size + 5)


def test_a_large_file_that_is_sent_while_it_is_replaced_is_still_the_old_one(
    build: Path,
) -> None:
    size = module.SMALL + 1
    path = write(build / "video.mp4", b"a" * size)
    found = StaticFile(path, "/video.mp4").answer(create_environ())
    os.replace(write(build / "other.mp4", b"b" * 5), path)
    assert Answer(found).body == b"a" * size


def test_a_file_that_is_replaced_between_two_looks_counts_as_gone(
    build: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = module.SMALL + 1
    path = write(build / "video.mp4", b"a" * size)
    file = StaticFile(path, "/video.mp4")
    representation = file.represented("")
    os.replace(write(build / "other.mp4", b"b" * size), path)
    monkeypatch.setattr(file, "represented", lambda _: representation)
    with pytest.raises(FileNotFoundError):
        ask(file)


def test_a_file_that_has_gone_is_no_file(file: StaticFile) -> None:
    assert ask(file).status == 200
    file.paths[""].unlink()
    with pytest.raises(FileNotFoundError):
        ask(file)


def test_the_best_coding_is_one_that_is_there() -> None:
    assert best_coding("br, gzip", frozenset({"", "gzip"})) == "gzip"
    assert best_coding("br, gzip", frozenset({""})) == ""


@pytest.mark.parametrize(
    ("manifest", "base"),
    [
        (None, ""),
        ("nonsense", ""),
        ("[]", ""),
        ("{}", ""),
        ('{"files": []}', ""),
        ('{"files": {"main.js": null}}', ""),
        ('{"files": {}}', ""),
        ('{"files": {"main.js": "/static/js/main.js"}}', ""),
        ('{"files": {"main.js": "/app/static/js/main.js"}}', "/app"),
        ('{"files": {"main.js": "/a/b/static/js/main.js"}}', "/a/b"),
        (
            '{"files": {"index.html": "/app/index.html", "a.js": "/app/static/a.js"}}',
            "/app",
        ),
        ('{"files": {"main.js": "./static/js/main.js"}}', ""),
        ('{"files": {"main.js": "https://cdn.example/app/static/js/main.js"}}', "/app"),
    ],
)
def test_a_build_is_served_where_its_manifest_says(
    build: Path, manifest: str | None, base: str
) -> None:
    if manifest is not None:
        write(build / "asset-manifest.json", manifest.encode())
    assert base_of(build) == base


def frontend_of(build: Path) -> Frontend:
    frontend = Frontend(build)
    frontend.look()
    return frontend


def look(frontend: Frontend) -> bool:
    """Look again, as after a second."""
    frontend.next_look = 0
    return frontend.look()


def test_the_files_of_a_frontend_are_found_by_their_address(build: Path) -> None:
    write(build / "index.html", b"<!doctype html>")
    write(build / "caf\u00e9 1.txt")
    write(
        build / "asset-manifest.json", b'{"files": {"main.js": "/app/static/main.js"}}'
    )
    frontend = frontend_of(build)
    assert frontend.base == "/app"
    assert frontend.find("/app/") is frontend.index
    assert frontend.find("/app/index.html") is frontend.index
    # As WSGI writes it: each byte a character.
    assert frontend.find("/app/caf\u00e9 1.txt".encode().decode("latin-1"))
    for path in ("/", "/app", "/app.js", "/app/../app.js", "/app//app.js", "/\xff"):
        assert frontend.find(path) is None, path


def test_another_build_is_noticed_when_it_is_whole(build: Path) -> None:
    """What is written last is index.html."""
    frontend = frontend_of(build)
    assert frontend.index is None
    assert not look(frontend)
    write(build / "index.html", b"<!doctype html>1")
    assert look(frontend)
    assert frontend.find("/app.js")
    assert not look(frontend)
    write(build / "new.js")
    assert not look(frontend)
    assert frontend.find("/new.js") is None
    os.replace(
        write(build / "index.html.next", b"<!doctype html>2"), build / "index.html"
    )
    assert look(frontend)
    assert frontend.find("/new.js")
    assert frontend.html == "<!doctype html>2"


def test_a_build_that_is_taken_away_goes_on_being_known(build: Path) -> None:
    write(build / "index.html", b"<!doctype html>1")
    frontend = frontend_of(build)
    (build / "index.html").unlink()
    assert not look(frontend)
    assert frontend.find("/app.js")
    assert frontend.html == "<!doctype html>1"
