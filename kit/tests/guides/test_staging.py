"""docs/staging.md: staging and production run the same, and differ in settings alone.

The contract: one build tells two stages; the page may know no other setting; the check
of a site finds what is wrong, and gives its password to no other site; an older version
runs on the tables of a newer one; nginx, Compose and a cluster serve both, one of them
closed.
"""

import base64
import http.client
import json
import os
import re
import runpy
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from guides.following import assert_all_green, blocks_of, follow, npm
from guides.tools import kustomize, read_yaml
from playwright.sync_api import Page, expect
from projects import copy_project
from servers import (
    PRODUCTION,
    ROOT,
    clean_env,
    edit,
    free_port,
    get,
    is_listening,
    running,
    serving,
    wait_for,
)
from test_nginx import NGINX_CONF, make_certificate, tool

PAGE = "staging.md"
STAGING = {"FLASK_STAGE": "staging", "FLASK_APP_VERSION": "1.1.0"}
LIVE = {"FLASK_APP_VERSION": "1.1.0"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = copy_project(tmp_path_factory.mktemp("staging"))
    follow(project, PAGE)
    npm(project, "run", "build")
    return project


def test_the_project_is_green(project: Path) -> None:
    assert_all_green(project)


@pytest.fixture(scope="module")
def staging(project: Path) -> Iterator[str]:
    with serving(project, **STAGING) as server:
        yield server.url


@pytest.fixture(scope="module")
def production(project: Path) -> Iterator[str]:
    with serving(project, **LIVE) as server:
        yield server.url


def test_one_build_says_where_it_is_and_in_production_nothing(
    page: Page, staging: str, production: str
) -> None:
    page.goto(staging)
    expect(page.get_by_text("This is staging.")).to_be_visible()
    with page.expect_response("**/config"):
        page.goto(production)
    expect(page.get_by_role("heading", name="React + Flask")).to_be_visible()
    expect(page.get_by_text("This is")).to_have_count(0)


def test_the_page_is_there_where_the_settings_are_not(page: Page, staging: str) -> None:
    page.route("**/config", lambda route: route.abort())
    page.goto(staging)
    expect(page.get_by_role("heading", name="React + Flask")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_empty()


def test_the_page_may_know_no_secret(project: Path) -> None:
    secrets = {
        "FLASK_SECRET_KEY": "k" * 32,
        "DATABASE_URL": "postgresql://app:password@db.example.com/app",
        "FLASK_MAIL_PASSWORD": "of-mail",
    }
    with serving(project, **STAGING, **secrets) as server:
        known = {"stage": "staging", "support_email": None}
        assert get(f"{server.url}/config") == (200, known)


def smoke(project: Path, *args: str, **env: str) -> subprocess.CompletedProcess:
    """Run the check of a site, which in tests gives up at once."""
    script = project / "deploy/smoke.py"
    at_once = project.with_name("smoke_at_once.py")
    text = script.read_text(encoding="utf-8")
    assert "SECONDS_TO_TRY = 60" in text
    at_once.write_text(text.replace("SECONDS_TO_TRY = 60", "SECONDS_TO_TRY = 0"))
    return subprocess.run(
        [sys.executable, at_once, *args],
        env=clean_env(**env),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_check_takes_a_site_that_is_right(project: Path, staging: str) -> None:
    assert smoke(project, staging, "1.1.0").returncode == 0
    assert smoke(project, f"{staging}/").returncode == 0


def test_the_check_refuses_another_version(project: Path, staging: str) -> None:
    done = smoke(project, staging, "1.2.0")
    assert done.returncode == 1
    assert "/health tells the version 1.1.0" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_check_waits_for_a_rollout(project: Path) -> None:
    port = str(free_port())
    command = [sys.executable, project / "deploy/smoke.py", f"http://localhost:{port}"]
    with subprocess.Popen([*command, "1.1.0"], env=clean_env()) as check:
        try:
            with running(project, PRODUCTION, PORT=port, WEB_CONCURRENCY="1", **LIVE):
                assert check.wait(timeout=60) == 0
        finally:
            check.kill()


class Answer(NamedTuple):
    """What a site that is not right answers to an address."""

    body: str
    status: int = 200
    location: str | None = None


@contextmanager
def answering(answers: dict[str, Answer]) -> Iterator[tuple[str, list[str | None]]]:
    """Serve these answers; give the address, and the passwords that were sent."""
    passwords: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            passwords.append(self.headers["Authorization"])
            body, status, location = answers.get(self.path, Answer("", 404))
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", passwords
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


RIGHT = {
    "/health": Answer('{"status":"ok","version":"1.1.0"}'),
    "/ready": Answer('{"status":"ready"}'),
    "/": Answer('<script type="module" src="/static/main.js"></script>'),
    "/static/main.js": Answer("1"),
}


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"/health": Answer("", 502)}, "/health: HTTP Error 502"),
        ({"/health": Answer("<html>")}, "Expecting value"),
        ({"/ready": Answer("", 503)}, "/ready: HTTP Error 503"),
        ({"/": Answer("Welcome to nginx!")}, "/ has no script"),
        ({"/static/main.js": Answer("", 404)}, "/static/main.js: HTTP Error 404"),
    ],
)
def test_the_check_says_what_is_wrong(
    project: Path, wrong: dict[str, Answer], why: str
) -> None:
    with answering(RIGHT) as (site, _):
        assert smoke(project, site, "1.1.0").returncode == 0
    with answering(RIGHT | wrong) as (site, _):
        done = smoke(project, site, "1.1.0")
    assert done.returncode == 1
    assert why in done.stderr


def test_the_check_gives_its_password_to_no_other_site(project: Path) -> None:
    with answering(RIGHT) as (other, sent_to_other):
        elsewhere = {"/": Answer("", 302, f"{other}/")}
        with answering(RIGHT | elsewhere) as (site, sent):
            done = smoke(project, site, "1.1.0", SMOKE_AUTH="team:secret")
    assert done.returncode == 0, done.stderr
    assert set(sent) == {"Basic " + base64.b64encode(b"team:secret").decode()}
    assert set(sent_to_other) == {None}


def test_the_check_reads_no_file(project: Path) -> None:
    ask = runpy.run_path(str(project / "deploy/smoke.py"))["ask"]
    with pytest.raises(ValueError, match="no address of the web"):
        ask("file:///etc/", "passwd")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the project with the tables of docs/database.md too."""
    project = copy_project(tmp_path_factory.mktemp("shop"))
    follow(project, "database.md")
    follow(project, PAGE)
    return project


def test_an_older_version_runs_on_the_tables_of_a_newer_one(
    shop: Path, tmp_path: Path
) -> None:
    newer = tmp_path / "newer"
    shutil.copytree(shop, newer, symlinks=True)
    data = {"FLASK_INSTANCE_PATH": str(tmp_path / "data")}
    npm(newer, "run", "flask", "--", "db", "upgrade", **data)
    edit(
        newer / "api/models.py",
        "title: Mapped[str]",
        "title: Mapped[str]\n    author: Mapped[str | None]",
    )
    npm(newer, "run", "flask", "--", "db", "migrate", "-m", "Authors", **data)
    with serving(newer, **data) as server:
        assert get(f"{server.url}/books") == (200, [])

    with running(shop, PRODUCTION, PORT=str(free_port()), **data) as older:
        wait_for(lambda: older.ended, "the end of the older version")
        assert older.popen.returncode == 3
    with serving(shop, RELEASE_COMMAND="", **data) as server:
        request = http.client.HTTPConnection("localhost", server.port, timeout=20)
        headers = {"Content-Type": "application/json"}
        request.request("POST", "/books", '{"title": "Emma"}', headers)
        assert request.getresponse().status == 201
        request.close()
    # And forward again.
    with serving(newer, **data) as server:
        assert get(f"{server.url}/books") == (200, [{"id": 1, "title": "Emma"}])


def render(project: Path, overlay: str) -> dict[tuple[str, ...], Any]:
    """Return each value of an overlay's manifests by its kind, name and path."""
    values: dict[tuple[str, ...], Any] = {}

    def add(value: Any, *path: str) -> None:
        if isinstance(value, dict | list):
            pairs = value.items() if isinstance(value, dict) else enumerate(value)
            for key, inner in pairs:
                add(inner, *path, str(key))
        else:
            values[path] = value

    for it in read_yaml(project, kustomize(project, overlay)):
        # A namespace is called as itself; a ConfigMap after its content.
        name = re.sub(r"^settings-\w+$", "settings", it["metadata"]["name"])
        add(it, it["kind"], "" if it["kind"] == "Namespace" else name)
    return values


def test_on_a_cluster_staging_differs_in_what_it_says_and_nothing_else(
    shop: Path,
) -> None:
    live, staging = render(shop, "production"), render(shop, "staging")
    differs = {
        path: staging.get(path)
        for path in {*live, *staging}
        if live.get(path) != staging.get(path) and path[-1] != "namespace"
    }
    namespaces = {value for path, value in staging.items() if path[-1] == "namespace"}
    assert namespaces == {"staging"}
    references = {
        path: differs.pop(path)
        for path in list(differs)
        if path[-1] == "name" and str(differs[path]).startswith("settings-")
    }
    assert len(set(references.values())) == 1
    kinds = {path[0] for path in references}
    assert kinds == {"ConfigMap", "Deployment", "Job"}
    images = {path: differs.pop(path) for path in list(differs) if path[-1] == "image"}
    assert {path[0] for path in images} == {"Deployment", "Job"}
    assert set(images.values()) == {"registry.example.com/react-flask-app:1.1.0"}
    ingress = ("Ingress", "app")
    closed = (*ingress, "metadata", "annotations")
    assert differs == {
        ("Namespace", "", "metadata", "name"): "staging",
        ("ConfigMap", "settings", "data", "FLASK_STAGE"): "staging",
        ("ConfigMap", "settings", "data", "FLASK_TRUSTED_HOSTS"): "staging.example.com",
        (*closed, "nginx.ingress.kubernetes.io/auth-type"): "basic",
        (*closed, "nginx.ingress.kubernetes.io/auth-secret"): "closed",
        (*ingress, "spec", "rules", "0", "host"): "staging.example.com",
        (*ingress, "spec", "tls", "0", "hosts", "0"): "staging.example.com",
    }


def test_compose_starts_the_image_as_locked_down_as_before(project: Path) -> None:
    deploy = project / "deploy"
    (built,) = read_yaml(project, (deploy / "compose.yaml").read_text(encoding="utf-8"))
    (image,) = read_yaml(project, (deploy / "compose.image.yaml").read_text("utf-8"))
    before, now = built["services"]["app"], image["services"]["app"]
    of_both = {
        "volumes",
        "read_only",
        "tmpfs",
        "cap_drop",
        "security_opt",
        "mem_limit",
        "pids_limit",
        "restart",
        "stop_grace_period",
    }
    for name in of_both:
        assert now[name] == before[name], name
    assert set(now) - of_both == {"image", "ports", "env_file", "environment"}
    # Only nginx, on the same machine, reaches it.
    assert [port.rpartition(":")[0] for port in now["ports"]] == [
        "127.0.0.1:${PUBLISH:?}"
    ]
    commands = "".join(block.code for block in blocks_of(PAGE)).splitlines()
    ours = [line for line in commands if "docker compose" in line]
    assert len(ours) == 2
    asked_for = set(re.findall(r"\$\{(\w+):\?\}", json.dumps(now)))
    for line in ours:
        assert asked_for == set(re.findall(r"\b([A-Z]+)=", line))


def test_two_services_share_no_path() -> None:
    unit = (ROOT / "deploy/systemd/app.service").read_text(encoding="utf-8")
    for path in re.findall(r"(?:/srv|/etc|%S)/\S+|^StateDirectory=.*", unit, re.M):
        assert "%N" in path, path


class Sites(NamedTuple):
    """A running nginx with both sites."""

    port: int
    http_port: int

    def ask(
        self, host: str, path: str, **headers: str
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Ask a site by TLS."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        connection = http.client.HTTPConnection(host)
        with context.wrap_socket(plain, server_hostname=host) as connection.sock:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer, answer.read()

    def ask_without_tls(self, host: str, path: str) -> tuple[int, str | None, bytes]:
        """Ask a site at port 80; return its status, its redirect and its body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=20)
        try:
            connection.request("GET", path, headers={"Host": host})
            answer = connection.getresponse()
            return answer.status, answer.headers["Location"], answer.read()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def sites(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    """Run nginx with both sites, made by the commands of the page."""
    if sys.platform != "linux":
        pytest.skip("deploy/ is for Debian's nginx and systemd")
    program = tool("nginx")
    folder = tmp_path_factory.mktemp("nginx")
    available = folder / "etc/nginx/sites-available"
    available.mkdir(parents=True)
    (folder / "etc/nginx/sites-enabled").mkdir()
    (folder / "www/.well-known/acme-challenge").mkdir(parents=True)
    (folder / "www/.well-known/acme-challenge/proof").write_text("proof")
    first = (project / "deploy/nginx/site.conf").read_text(encoding="utf-8")
    first_site = available / "react-flask-app"
    first_site.write_text(first.replace("example.com", "app.example.com"))
    run_on_a_machine(project, folder / "etc")
    closed = folder / "closed.conf"
    closed.write_text(
        (project / "deploy/nginx/closed.conf")
        .read_text(encoding="utf-8")
        .replace("/etc/nginx", str(folder / "etc/nginx"))
    )
    port, http_port = free_port(), free_port()
    with (
        serving(
            project,
            FLASK_PROXIES="1",
            FLASK_TRUSTED_HOSTS="app.example.com",
            **LIVE,
        ) as live,
        serving(
            project,
            FLASK_PROXIES="1",
            FLASK_TRUSTED_HOSTS="staging.example.com",
            **STAGING,
        ) as staging,
    ):
        places = {
            "listen 443": f"listen 127.0.0.1:{port}",
            "listen 80": f"listen 127.0.0.1:{http_port}",
            "listen [::]:443": f"listen 127.0.0.1:{free_port()}",
            "listen [::]:80": f"listen 127.0.0.1:{free_port()}",
            "127.0.0.1:8000": f"127.0.0.1:{live.port}",
            "127.0.0.1:8001": f"127.0.0.1:{staging.port}",
            "/etc/letsencrypt/live/app.example.com": str(folder),
            "/etc/letsencrypt/live/staging.example.com": str(folder),
            "/srv/react-flask-app/build": str(project / "build"),
            "/srv/staging/build": str(project / "build"),
            "/srv/staging/deploy/nginx": str(folder),
            "/var/www/html": str(folder / "www"),
            "/var/lib/nginx": str(folder),
        }
        text = "".join(site.read_text() for site in sorted(available.iterdir()))
        for old, new in places.items():
            assert old in text, old
            text = text.replace(old, new)
        (folder / "site.conf").write_text(text)
        (folder / "nginx.conf").write_text(NGINX_CONF)
        shutil.copy("/etc/nginx/mime.types", folder)
        make_certificate(folder)
        log = folder / "error.log"
        nginx = subprocess.Popen(
            [program, "-p", folder, "-c", folder / "nginx.conf", "-e", log]
        )
        try:
            wait_for(lambda: is_listening(port) or nginx.poll() is not None, "nginx")
            assert nginx.poll() is None, log.read_text()
            yield Sites(port, http_port)
        finally:
            nginx.terminate()
            nginx.wait(timeout=15)


def run_on_a_machine(project: Path, etc: Path) -> None:
    """Run the commands of the page about nginx, with another folder for /etc."""
    wanted = ("htpasswd", "app=staging", "sed ", "ln -s")
    lines = [line for block in blocks_of(PAGE) for line in block.code.splitlines()]
    script = "\n".join(
        line
        for line in lines
        if any(word in line for word in wanted)
        and not line.startswith(("auth_basic", "kubectl"))
    )
    for old, new in {
        "sudo ": "",
        # It belongs to this test, whoever that is.
        " -g www-data": "",
        "openssl passwd -6": "openssl passwd -6 secret",
        "/etc/": f"{etc}/",
    }.items():
        assert old in script, old
        script = script.replace(old, new)
    subprocess.run(
        ["bash", "-euc", script],
        cwd=project,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    hashes = (etc / "nginx/closed.htpasswd").read_text()
    assert re.fullmatch(r"team:\$6\$\S+\n", hashes), hashes
    assert os.stat(etc / "nginx/closed.htpasswd").st_mode & 0o007 == 0


PASSWORD = {"Authorization": "Basic " + base64.b64encode(b"team:secret").decode()}


def test_staging_shows_nothing_without_its_password(
    sites: Sites, project: Path
) -> None:
    (script,) = (project / "build/static/js").glob("main.*.js")
    wrong = {"Authorization": "Basic " + base64.b64encode(b"team:wrong").decode()}
    for path in ("/", "/config", "/health", "/a/page", f"/static/js/{script.name}"):
        for headers in ({}, wrong):
            answer, body = sites.ask("staging.example.com", path, **headers)
            assert answer.status == 401, path
            assert b"React" not in body
        answer, _ = sites.ask("staging.example.com", path, **PASSWORD)
        assert answer.status in (200, 404), path


def test_search_engines_leave_out_staging_and_not_production(sites: Sites) -> None:
    for path in ("/", "/config"):
        answer, _ = sites.ask("staging.example.com", path, **PASSWORD)
        assert answer.headers.get_all("X-Robots-Tag") == ["noindex"]
        answer, _ = sites.ask("app.example.com", path)
        assert answer.status == 200
        assert "X-Robots-Tag" not in answer.headers


def test_each_name_has_its_own_app(sites: Sites) -> None:
    _, body = sites.ask("staging.example.com", "/config", **PASSWORD)
    assert json.loads(body)["stage"] == "staging"
    _, body = sites.ask("app.example.com", "/config")
    assert json.loads(body)["stage"] is None


def test_the_first_site_proves_both_names_and_sends_both_on_to_https(
    sites: Sites,
) -> None:
    for host in ("app.example.com", "staging.example.com"):
        proof = "/.well-known/acme-challenge/proof"
        assert sites.ask_without_tls(host, proof) == (200, None, b"proof")
        status, location, _ = sites.ask_without_tls(host, "/a")
        assert (status, location) == (308, f"https://{host}/a")
