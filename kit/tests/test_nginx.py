"""nginx with the site of deploy/ answers as the API alone does; the unit is safe."""

import gzip
import http.client
import json
import os
import re
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, expect
from request_table import ERROR, FETCH, NAVIGATE, TABLE, Row, name
from servers import (
    ROOT,
    clean_env,
    edit,
    free_port,
    get,
    is_listening,
    python_of,
    serving,
    under_load,
    wait_for,
)
from werkzeug.exceptions import default_exceptions

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="deploy/ is for Debian's nginx and systemd"
)

SITE = ROOT / "deploy/nginx/site.conf"
UNIT = ROOT / "deploy/systemd/app.service"
NAME = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["name"]
# Of all that tell a browser what a page may do.
SECURITY = (
    "Content-Security-Policy",
    "Cross-Origin-Resource-Policy",
    "Permissions-Policy",
    "Referrer-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
)
OF_FILES = (
    "Cache-Control",
    "Cross-Origin-Resource-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
)
ASK_FOR_PROTOCOL_AND_HOST = """async () => {
  const seen = await (await fetch('/echo')).json();
  const [entry] = performance.getEntriesByType('navigation');
  return [entry.nextHopProtocol, seen.headers.Host];
}"""
ROOT_OF_FLASK = """

@app.get("/")
def root() -> dict[str, int]:
    return {"root": time.monotonic_ns()}
"""
NGINX_CONF = """
daemon off;
user root;
pid nginx.pid;
error_log error.log;
events {}
http {
    include mime.types;
    default_type application/octet-stream;
    gzip on;
    access_log off;
    client_body_temp_path temporary;
    proxy_temp_path temporary;
    fastcgi_temp_path temporary;
    scgi_temp_path temporary;
    uwsgi_temp_path temporary;
    include site.conf;
}
"""


def as_arguments(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("-", "_"): value for name, value in headers.items()}


NAVIGATION, FETCHING = as_arguments(NAVIGATE), as_arguments(FETCH)


class Site(NamedTuple):
    """A running nginx with the project's site."""

    port: int
    http_port: int
    folder: Path

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.folder / "fullchain.pem")

    def connect(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(
            "localhost", self.port, timeout=20, context=self.context()
        )

    def ask(
        self, path: str, method: str = "GET", body: object = None, **headers: str
    ) -> tuple[http.client.HTTPResponse, bytes]:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return ask(self.connect(), method, path, body, fields)


def ask(
    connection: http.client.HTTPConnection, *request: object
) -> tuple[http.client.HTTPResponse, bytes]:
    try:
        connection.request(*request)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def api(built_project: Path) -> Iterator[SimpleNamespace]:
    with serving(built_project, FLASK_PROXIES="1") as server:
        yield server


@pytest.fixture(scope="module")
def site(
    api: SimpleNamespace, built_project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    with nginx(tmp_path_factory.mktemp("nginx"), built_project, api.port) as site:
        yield site


@contextmanager
def nginx(folder: Path, project: Path, api_port: int) -> Iterator[Site]:
    """Run Debian's nginx with the site as it is shipped, but for places and ports."""
    program = tool("nginx")
    port, http_port = free_port(), free_port()
    (folder / "app").symlink_to(project)
    text = SITE.read_text(encoding="utf-8")
    for old, new in {
        "listen 443": f"listen 127.0.0.1:{port}",
        "listen 80": f"listen 127.0.0.1:{http_port}",
        # A machine for tests may be without IPv6.
        "listen [::]:443": f"listen 127.0.0.1:{free_port()}",
        "listen [::]:80": f"listen 127.0.0.1:{free_port()}",
        "127.0.0.1:8000": f"127.0.0.1:{api_port}",
        "/etc/letsencrypt/live/example.com": str(folder),
        "server_name example.com": "server_name localhost",
        "/var/www/html": str(folder),
        f"/srv/{NAME}": str(folder / "app"),
        "/var/lib/nginx/page": str(folder / "copies"),
    }.items():
        assert old in text
        text = text.replace(old, new)
    (folder / "site.conf").write_text(text)
    (folder / "nginx.conf").write_text(NGINX_CONF)
    shutil.copy("/etc/nginx/mime.types", folder)
    make_certificate(folder)
    process = subprocess.Popen(
        [program, "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log"]
    )
    try:
        wait_for(lambda: is_listening(port) or process.poll() is not None, "nginx")
        assert process.poll() is None, (folder / "error.log").read_text()
        yield Site(port, http_port, folder)
    finally:
        process.terminate()
        process.wait(timeout=15)


def make_certificate(folder: Path) -> None:
    key, certificate = folder / "privkey.pem", folder / "fullchain.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    )
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(
        [*command.split(), *subject, "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )


def tool(name: str) -> str:
    """Return where a program is; without it there is nothing to test."""
    if path := shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin"):
        return path
    stop = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
    stop(f"{name} is missing: apt install nginx systemd")


# nginx itself refuses a path that leaves the root.
ABOVE_THE_ROOT = ("/../package.json", "/%2e%2e/package.json")


@pytest.mark.parametrize("row", TABLE, ids=name)
def test_who_answers(site: Site, row: Row) -> None:
    response, body = ask(site.connect(), row.method, row.path, None, row.headers)
    status = 400 if row.path in ABOVE_THE_ROOT else row.status
    media_type = response.headers.get_content_type()
    assert (response.status, media_type) == (status, row.media_type), body[:300]
    if media_type == "text/html" and status == 200 and row.method == "GET":
        assert b'<div id="root">' in body


def test_a_file_of_the_frontend_is_what_the_api_sends(
    site: Site, api: SimpleNamespace, built_project: Path
) -> None:
    build = built_project / "build"
    names = [file.relative_to(build).as_posix() for file in build.rglob("*.*")]
    # What is hidden, or a compressed copy, is no file of the frontend.
    names = [name for name in names if not name.startswith(".")]
    files = [f"/{name}" for name in names if not name.endswith((".br", ".gz"))]
    assert len(files) > 5
    for path in ["/", *files]:
        expected, content = ask_api(api, path)
        answer, body = site.ask(path)
        assert (answer.status, body) == (200, content), path
        # Older versions of nginx have JavaScript's older type.
        media_type = answer.headers["Content-Type"].replace(
            "application/javascript", "text/javascript"
        )
        assert media_type == expected.headers["Content-Type"], path
        for header in OF_FILES:
            assert answer.headers[header] == expected.headers[header], (path, header)


def ask_api(
    api: SimpleNamespace, path: str, **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    """Ask the API without nginx, as nginx does for a browser that uses TLS."""
    direct = http.client.HTTPConnection("127.0.0.1", api.port, timeout=20)
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(direct, "GET", path, None, {"X-Forwarded-Proto": "https"} | fields)


def test_nginx_itself_serves_what_is_named_after_its_content(
    built_project: Path, tmp_path: Path
) -> None:
    hashed = [file.name for file in built_project.glob("build/static/js/*.js")]
    with nginx(tmp_path, built_project, free_port()) as site:
        assert site.ask(f"/static/js/{hashed[0]}")[0].status == 200
        assert site.ask("/logo192.png")[0].status == 502


def test_a_file_is_sent_compressed_if_the_browser_can_read_it(
    site: Site, built_project: Path
) -> None:
    (script,) = built_project.glob("build/static/js/main.*.js")
    path = f"/static/js/{script.name}"
    answer, body = site.ask(path, Accept_Encoding="gzip, deflate, br")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(body) == script.read_bytes()
    answer, body = site.ask(path, Accept_Encoding="gzip;q=0")
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert body == script.read_bytes()


def test_what_flask_answers_is_not_compressed(site: Site) -> None:
    answer, _ = site.ask("/echo", Accept_Encoding="gzip", X_Long="x" * 5000)
    assert "Content-Encoding" not in answer.headers


def test_a_file_that_is_known_is_not_sent_again(site: Site) -> None:
    for path in ("/", "/logo192.png"):
        first, _ = site.ask(path)
        again, nothing = site.ask(path, If_None_Match=first.headers["ETag"])
        assert (again.status, nothing) == (304, b"")
        assert again.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", ["/", "/time", "/deep/link", "/logo192.png"])
def test_the_headers_that_protect_are_those_of_the_api_and_sent_once(
    site: Site, api: SimpleNamespace, path: str
) -> None:
    expected, _ = ask_api(api, path, **NAVIGATION)
    answer, _ = site.ask(path, **NAVIGATION)
    assert expected.headers["Strict-Transport-Security"]
    for header in SECURITY:
        once = expected.headers.get_all(header)
        assert answer.headers.get_all(header) == once, header
        assert once is None or len(once) == 1


def test_flask_sees_the_address_that_the_browser_sees(site: Site) -> None:
    forged = {"X_Forwarded_Proto": "http", "X_Forwarded_Host": "evil.example"}
    _, body = site.ask("/echo?a=%20b&a=c", X_Forwarded_For="9.9.9.9", **forged)
    seen = json.loads(body)
    headers = seen["headers"]
    assert seen["url"] == f"https://localhost:{site.port}/echo?a=%20b&a=c"
    assert headers["Host"] == f"localhost:{site.port}"
    assert headers["X-Forwarded-For"] == "127.0.0.1"
    assert headers["X-Forwarded-Proto"] == "https"
    assert headers["X-Forwarded-Host"] == f"localhost:{site.port}"


@pytest.mark.parametrize(
    ("target", "host", "seen"),
    [
        ("/echo", "localhost", "localhost"),
        ("/echo", "localhost:8443", "localhost:8443"),
        ("/echo", "LOCALHOST:8443", "localhost:8443"),
        ("https://localhost/echo", "localhost:8443", "localhost:8443"),
        ("https://localhost/echo", "evil.example", "localhost"),
        ("https://localhost/echo", "evil.example:8443", "localhost"),
        ("https://localhost/echo", "localhost.evil.example:8443", "localhost"),
        ("https://localhost:8443/echo", "evil.example", "localhost"),
    ],
)
def test_the_host_of_the_request_line_counts(
    site: Site, target: str, host: str, seen: str
) -> None:
    answer, body = ask(site.connect(), "GET", target, None, {"Host": host})
    assert answer.status == 200, body
    headers = json.loads(body)["headers"]
    assert (headers["Host"], headers["X-Forwarded-Host"]) == (seen, seen)


def test_a_redirect_keeps_the_port_that_the_browser_asked(site: Site) -> None:
    answer, _ = site.ask("/login", "POST")
    assert answer.headers["Location"] == f"https://localhost:{site.port}/echo"


def test_http_leads_to_https(site: Site) -> None:
    plain = http.client.HTTPConnection("localhost", site.http_port, timeout=20)
    answer, _ = ask(plain, "POST", "/time?a=b%20c")
    assert answer.status == 308
    assert answer.headers["Location"] == "https://localhost/time?a=b%20c"
    target = "http://localhost/time"
    answer, _ = ask(plain, "GET", target, None, {"Host": "evil.example"})
    assert answer.headers["Location"] == "https://localhost/time"


def test_a_certificate_is_renewed_over_http(site: Site) -> None:
    challenge = site.folder / ".well-known/acme-challenge/token"
    challenge.parent.mkdir(parents=True)
    challenge.write_text("proof")
    plain = http.client.HTTPConnection("localhost", site.http_port, timeout=20)
    answer, body = ask(plain, "GET", "/.well-known/acme-challenge/token")
    assert (answer.status, body) == (200, b"proof")


def test_another_name_gets_no_answer(site: Site) -> None:
    plain = http.client.HTTPConnection("localhost", site.http_port, timeout=20)
    with pytest.raises(http.client.RemoteDisconnected):
        ask(plain, "GET", "/", None, {"Host": "evil.example"})
    with (
        socket.create_connection(("localhost", site.port), timeout=20) as connection,
        pytest.raises(ssl.SSLError, match="unrecognized"),
    ):
        site.context().wrap_socket(connection, server_hostname="evil.example")


def test_browsers_use_http_2(site: Site) -> None:
    context = site.context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("localhost", site.port), timeout=20) as connection,
        context.wrap_socket(connection, server_hostname="localhost") as encrypted,
    ):
        assert encrypted.selected_alpn_protocol() == "h2"


def test_a_browser_shows_the_page_by_http_2(browser: Browser, site: Site) -> None:
    with closing(browser.new_context(ignore_https_errors=True)) as context:
        page = context.new_page()
        errors: list[str] = []
        page.on("console", lambda message: errors.append(message.text))
        page.goto(f"{site.url}/deep/link")
        expect(page.get_by_role("heading", name="React + Flask")).to_be_visible()
        protocol, host = page.evaluate(ASK_FOR_PROTOCOL_AND_HOST)
    assert (protocol, host) == ("h2", f"localhost:{site.port}")
    assert errors == []


@pytest.mark.parametrize(
    ("method", "path", "headers", "size", "status"),
    [
        ("POST", "/echo", {}, 16_000_001, 413),
        ("GET", "/" + "x" * 20_000, {}, 0, 414),
        ("GET", "/time", {"X-Long": "x" * 20_000}, 0, 431),
        ("GET", "/../api.py", {}, 0, 400),
        ("TRACE", "/time", {}, 0, 405),
    ],
)
def test_nginx_refuses_in_the_shape_of_the_api(
    site: Site, method: str, path: str, headers: dict, size: int, status: int
) -> None:
    answer, body = ask(site.connect(), method, path, bytes(size) or None, headers)
    assert (answer.status, answer.headers["Content-Type"]) == (status, ERROR)
    problem = json.loads(body)
    assert (problem["type"], problem["status"]) == ("about:blank", status)
    assert problem["title"] == default_exceptions[status]().name
    assert problem["detail"]


def test_large_cookies_reach_the_api(site: Site) -> None:
    cookies = "; ".join(f"c{number}={'x' * 4000}" for number in range(3))
    answer, body = site.ask("/echo", Cookie=cookies)
    assert answer.status == 200
    assert json.loads(body)["headers"]["Cookie"] == cookies


def test_long_headers_of_an_answer_pass(site: Site) -> None:
    answer, _ = site.ask("/long-header")
    assert len(answer.headers["X-Long"]) == 30_000


def test_events_come_at_once(site: Site) -> None:
    connection = site.connect()
    connection.request("GET", "/events")
    response = connection.getresponse()
    assert response.readline() == b"data: 0\n"
    response.close()
    connection.close()


def test_while_the_api_is_down_a_navigation_gets_the_last_page(
    built_project: Path, tmp_path: Path
) -> None:
    with (
        serving(built_project) as api,
        nginx(tmp_path, built_project, api.port) as site,
    ):
        page, html = site.ask("/", Accept_Encoding="br", **NAVIGATION)
        assert b'<div id="root">' in html
        api.command.stop()
        for path in ("/", "/deep/link", "/time", "/books/1?page=2", "/a.b/%C3%A4"):
            answer, body = site.ask(path, **NAVIGATION)
            assert (answer.status, body) == (200, html), path
            for header in (*SECURITY, "Content-Type", "Cache-Control", "ETag"):
                assert answer.headers.get_all(header) == page.headers.get_all(header)
        # An older browser does not say what it wants the document for.
        answer, body = site.ask("/deep/link", Accept="text/html,*/*;q=0.8")
        assert (answer.status, body) == (200, html)
        answer, body = site.ask("/deep/link", "HEAD", **NAVIGATION)
        assert (answer.status, body) == (200, b"")
        requests = ("GET /time", "GET /logo192.png", "GET /deep/link", "POST /")
        for method, path in map(str.split, requests):
            answer, body = ask(site.connect(), method, path, None, FETCH)
            assert (answer.status, answer.headers["Content-Type"]) == (502, ERROR)
            problem = json.loads(body)
            assert (problem["status"], problem["title"]) == (502, "Bad Gateway")
            assert problem["detail"] == "The API is not running."


def test_without_a_last_page_a_navigation_gets_an_error(
    built_project: Path, tmp_path: Path
) -> None:
    with nginx(tmp_path, built_project, free_port()) as site:
        for path in ("/", "/deep/link"):
            answer, _ = site.ask(path, **NAVIGATION)
            assert answer.status == 502
            assert answer.headers.get_content_type() == "text/html"


def test_the_page_is_compressed_for_whoever_can_read_it(site: Site) -> None:
    plain, html = site.ask("/")
    packed, body = site.ask("/", Accept_Encoding="gzip, br")
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    for answer in (plain, packed):
        assert answer.headers.get_all("Vary") == ["Accept-Encoding"]
    assert gzip.decompress(body) == html
    again, nothing = site.ask("/", If_None_Match=packed.headers["ETag"])
    assert (again.status, nothing) == (304, b"")


def test_a_new_build_shows_after_a_second(own_project: Path, tmp_path: Path) -> None:
    index = own_project / "build/index.html"
    index.parent.mkdir()
    index.write_text("<!doctype html><p>old")
    with serving(own_project) as api, nginx(tmp_path, own_project, api.port) as site:
        assert site.ask("/")[1].endswith(b"old")
        new = index.with_suffix(".new")
        new.write_text("<!doctype html><p>newer")
        new.replace(index)
        wait_for(lambda: site.ask("/")[1].endswith(b"newer"), "the new page", 5)


def test_what_flask_answers_at_the_root_is_never_kept(
    own_project: Path, tmp_path: Path
) -> None:
    with (own_project / "api/api.py").open("a", encoding="utf-8") as file:
        file.write(ROOT_OF_FLASK)
    with serving(own_project) as api, nginx(tmp_path, own_project, api.port) as site:
        assert site.ask("/", **FETCHING)[1] != site.ask("/", **FETCHING)[1]
        assert not [file for file in (tmp_path / "copies").rglob("*") if file.is_file()]
        api.command.stop()
        assert site.ask("/", **FETCHING)[0].status == 502


def test_no_get_is_lost_when_the_api_is_reloaded(
    site: Site, api: SimpleNamespace
) -> None:
    worker = get(api.url + "/pid")[1]["pid"]
    with under_load(site.url + "/time", site.context()) as answers:
        api.command.popen.send_signal(signal.SIGHUP)
        # It has 30 s to finish what it began.
        wait_for(lambda: not is_running(worker), "the worker's end", seconds=60)
    assert set(answers) == {200}


def test_no_get_is_lost_when_a_worker_is_killed(
    built_project: Path, tmp_path: Path
) -> None:
    with (
        serving(built_project, workers=2) as api,
        nginx(tmp_path, built_project, api.port) as site,
    ):
        workers: set[int] = set()

        def are_met(number: int) -> bool:
            with suppress(OSError, http.client.HTTPException):
                workers.add(get(api.url + "/pid")[1]["pid"])
            return len(workers) == number

        wait_for(lambda: are_met(2), "two workers")
        with under_load(site.url + "/time", site.context()) as answers:
            os.kill(min(workers), signal.SIGKILL)
            wait_for(lambda: are_met(3), "another worker")
    assert set(answers) == {200}


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def unit(folder: Path, project: Path) -> Path:
    """Install the unit as deploy/README.md does, for a project in another place."""
    place = folder / NAME
    place.symlink_to(project)
    file = folder / f"{NAME}.service"
    file.write_text(UNIT.read_text(encoding="utf-8").replace("/srv/%N", str(place)))
    return file


def test_the_unit_is_what_systemd_understands_and_calls_safe(
    project: Path, tmp_path: Path
) -> None:
    analyze, file = tool("systemd-analyze"), unit(tmp_path, project)
    # At most 2.0 of 10.
    for check in (["verify"], ["security", "--offline=true", "--threshold=20"]):
        run = subprocess.run(
            [analyze, *check, file], check=False, capture_output=True, text=True
        )
        assert run.returncode == 0, run.stdout + run.stderr
        # A misspelt setting is only a warning, and has no effect.
        assert file.name not in run.stderr


def test_the_units_reload_is_refused_where_the_new_code_does_not_start(
    own_project: Path, tmp_path: Path
) -> None:
    text = unit(tmp_path, own_project).read_text(encoding="utf-8")
    check = shlex.split(re.search("^ExecReload=(.*)$", text, re.MULTILINE)[1])
    (folder,) = re.findall("^WorkingDirectory=(.*)$", text, re.MULTILINE)
    assert Path(check[0]).samefile(python_of(own_project))
    assert succeeds(check, folder)
    edit(own_project / "api/api.py", "import time", "import tiem")
    assert not succeeds(check, folder)


def succeeds(command: list[str], folder: str) -> bool:
    run = subprocess.run(
        command, cwd=folder, env=clean_env(), check=False, capture_output=True
    )
    return run.returncode == 0
