"""nginx with the site of deploy/ answers as the API alone does; the unit is safe."""

import gzip
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from request_table import ERROR, TABLE, Row, name
from security import HEADERS, STRICT_TRANSPORT, content_security_policy
from servers import ROOT, free_port, get, is_listening, serving, under_load, wait_for
from werkzeug.exceptions import default_exceptions

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="deploy/ is for Debian's nginx and systemd"
)

SITE = ROOT / "deploy/nginx/react-flask-app.conf"
UNIT = ROOT / "deploy/systemd/react-flask-app.service"
HOME = "/srv/react-flask-app"
SECURITY = dict(
    [("Content-Security-Policy", content_security_policy()), *HEADERS, STRICT_TRANSPORT]
)
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
        HOME: str(folder / "app"),
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


def test_nginx_serves_each_file_as_the_api_does(
    site: Site, api: SimpleNamespace, built_project: Path
) -> None:
    build = built_project / "build"
    names = [str(file.relative_to(build)) for file in build.rglob("*.*")]
    files = [f"/{name}" for name in names if not name.endswith((".br", ".gz"))]
    assert len(files) > 5
    for path in ["/", *files]:
        direct = http.client.HTTPConnection("127.0.0.1", api.port, timeout=20)
        expected, content = ask(direct, "GET", path)
        answer, body = site.ask(path)
        assert (answer.status, body) == (200, content), path
        # Older versions of nginx have JavaScript's older type.
        media_type = answer.headers["Content-Type"].replace(
            "application/javascript", "text/javascript"
        )
        assert media_type == expected.headers["Content-Type"], path
        assert answer.headers["Cache-Control"] == expected.headers["Cache-Control"]
        assert {name: answer.headers[name] for name in SECURITY} == SECURITY


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


@pytest.mark.parametrize("path", ["/time", "/deep/link", "/../etc/passwd"])
def test_each_answer_has_the_security_headers_once(site: Site, path: str) -> None:
    answer, _ = site.ask(path)
    sent = {name: answer.headers.get_all(name) for name in SECURITY}
    assert sent == {name: [value] for name, value in SECURITY.items()}


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


def test_http_leads_to_https(site: Site) -> None:
    plain = http.client.HTTPConnection("localhost", site.http_port, timeout=20)
    answer, _ = ask(plain, "POST", "/time?a=b%20c")
    assert answer.status == 308
    assert answer.headers["Location"] == "https://localhost/time?a=b%20c"


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


@pytest.mark.parametrize(
    ("method", "path", "headers", "size", "status"),
    [
        ("POST", "/echo", {}, 16_000_001, 413),
        ("GET", "/" + "x" * 10_000, {}, 0, 414),
        ("GET", "/time", {"X-Long": "x" * 10_000}, 0, 431),
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


def test_without_the_api_there_is_the_page_and_an_error_that_says_so(
    built_project: Path, tmp_path: Path
) -> None:
    with nginx(tmp_path, built_project, free_port()) as site:
        assert b'<div id="root">' in site.ask("/")[1]
        answer, body = site.ask("/time")
        assert (answer.status, answer.headers["Content-Type"]) == (502, ERROR)
        assert json.loads(body)["detail"] == "The API does not run."


def test_no_get_is_lost_when_the_api_is_reloaded(
    site: Site, api: SimpleNamespace
) -> None:
    worker = get(api.url + "/pid")[1]["pid"]
    with under_load(site.url + "/time", site.context()) as answers:
        api.command.process.send_signal(signal.SIGHUP)
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


def test_the_unit_is_what_systemd_understands_and_calls_safe(
    project: Path, tmp_path: Path
) -> None:
    analyze = tool("systemd-analyze")
    unit = tmp_path / UNIT.name
    (tmp_path / "app").symlink_to(project)
    unit.write_text(UNIT.read_text().replace(HOME, str(tmp_path / "app")))
    # At most 2.0 of 10.
    for check in (["verify"], ["security", "--offline=true", "--threshold=20"]):
        run = subprocess.run(
            [analyze, *check, unit], check=False, capture_output=True, text=True
        )
        assert run.returncode == 0, run.stdout + run.stderr
        # A misspelt setting is only a warning, and has no effect.
        assert unit.name not in run.stderr
