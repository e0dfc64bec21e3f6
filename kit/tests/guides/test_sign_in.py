"""docs/sign-in.md: what somebody has who follows it.

The contract: the project is green; who does not know a password learns nothing; a
session and a token end when they are ended, and cannot be had from the database; no
page of another origin acts as a user, forms included; without a key nothing serves.
"""

import base64
import hashlib
import json
import os
import re
import shlex
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from apps import served
from guides.following import assert_all_green, blocks_of, follow, npm
from playwright.sync_api import Page, Response, expect
from projects import copy_project
from servers import (
    PRODUCTION,
    clean_env,
    developing,
    python_of,
    running,
    serving,
    succeed,
)

KEY = {"FLASK_SECRET_KEY": "k" * 64}
UNLIMITED = {"FLASK_RATELIMIT_ENABLED": "false"}
PASSWORD = "correct horse battery staple"
HTTPS = {"X-Forwarded-Proto": "https"}
URLENCODED = "application/x-www-form-urlencoded"
# What is computed for a name that somebody has, and for one that nobody has.
PRINT_WORK = """
import sign_in
from api import app
from models import db

real, work = sign_in.check_password_hash, []
sign_in.check_password_hash = lambda hash, text: (
    work.append(hash.split("$")[0]) or real(hash, text)
)
with app.app_context():
    db.create_all()
client = app.test_client()
client.post("/users", json={"name": "ada", "password": "x" * 15})
for name in ("ada", "nobody"):
    client.post("/session", json={"name": name, "password": "wrong"})
    print(*work)
    work.clear()
"""
PRINT_MEMORY = """
import resource
from concurrent.futures import ThreadPoolExecutor

from api import app
from models import db

with app.app_context():
    db.create_all()

def enter(number):
    body = {"name": f"nobody{number}", "password": "wrong"}
    assert app.test_client().post("/session", json=body).status_code == 401

def most_memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

enter(0)
print(most_memory())
with ThreadPoolExecutor(40) as pool:
    list(pool.map(enter, range(40)))
print(most_memory())
"""
FORM_ROUTE = '''

@app.post("/notes")
@sign_in_required
def add_note() -> dict[str, str]:
    """Take a form."""
    return {"added": request.form["text"]}
'''
# What a page of somebody else can try.
POST_FORM = """([url, enctype, name, value]) => {
  const form = document.createElement('form');
  Object.assign(form, { method: 'POST', action: url, enctype });
  const field = Object.assign(document.createElement('input'), { name, value });
  form.append(field);
  document.body.append(form);
  form.submit();
}"""
SEND_JSON = """async ([url, method, body]) => {
  const headers = { 'Content-Type': 'application/json' };
  const options = { method, headers, body, credentials: 'include' };
  return await fetch(url, options).then(() => 'answered', (error) => error.name);
}"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = copy_project(tmp_path_factory.mktemp("sign-in"))
    follow(project, "database.md")
    follow(project, "sign-in.md")
    return project


def test_the_project_is_green(project: Path) -> None:
    assert_all_green(project)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def site(project: Path, data: Path) -> Iterator[str]:
    """Serve the built project behind a proxy that is believed; give the address."""
    succeed(project, "build")
    env = KEY | UNLIMITED | {"FLASK_INSTANCE_PATH": str(data), "FLASK_PROXIES": "1"}
    with serving(project, workers=2, **env) as server:
        yield server.url


def ask(
    method: str, url: str, body: object = None, cookie: str = "", **headers: str
) -> SimpleNamespace:
    """Send JSON, or a form that is text already; return what is answered."""
    if cookie:
        headers["Cookie"] = cookie
    content = body.encode() if isinstance(body, str) else None
    if body is not None and content is None:
        content = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
    request = urllib.request.Request(url, content, headers, method=method)
    try:
        response = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        text = response.read().decode()
    is_json = "json" in response.headers.get("Content-Type", "")
    return SimpleNamespace(
        status=response.status,
        headers=response.headers,
        json=json.loads(text) if is_json and text else None,
    )


def cookies_of(answer: SimpleNamespace) -> dict[str, str]:
    """Return the cookies that an answer sets, each as it is sent back."""
    lines = answer.headers.get_all("Set-Cookie", [])
    return {line.partition("=")[0]: line.partition(";")[0] for line in lines}


def sign_up(site: str, name: str) -> str:
    """Make a user; return the cookie of the session."""
    answer = ask("POST", f"{site}/users", {"name": name, "password": PASSWORD})
    assert answer.status == 201
    return cookies_of(answer)["session"]


def who_is(site: str, cookie: str = "", **headers: str) -> str | None:
    """Return who is signed in."""
    answer = ask("GET", f"{site}/me", cookie=cookie, **headers)
    assert answer.status in (200, 401)
    return answer.json["name"] if answer.status == 200 else None


def make_token(site: str, cookie: str, label: str = "Backup") -> str:
    answer = ask("POST", f"{site}/tokens", {"label": label}, cookie)
    assert answer.status == 201
    return answer.json["token"]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def ids_by_label(site: str, cookie: str) -> dict[str, int]:
    tokens = ask("GET", f"{site}/tokens", cookie=cookie).json
    return {token["label"]: token["id"] for token in tokens}


def test_an_unknown_name_and_a_wrong_password_are_answered_alike(site: str) -> None:
    sign_up(site, "alike")
    answers = [
        ask("POST", f"{site}/session", {"name": name, "password": "wrong"})
        for name in ("alike", "nobody", "not a name", "")
    ]
    for answer in answers:
        del answer.headers["Date"], answer.headers["X-Request-ID"]
        assert (answer.status, answer.json) == (401, answers[0].json)
        assert answer.headers.items() == answers[0].headers.items()


def test_an_unknown_name_is_as_much_work(project: Path, tmp_path: Path) -> None:
    known, unknown = print_by(PRINT_WORK, project, tmp_path).splitlines()
    assert known == unknown
    assert known.startswith("scrypt:")


def print_by(script: str, project: Path, data: Path) -> str:
    """Return what a script prints that imports the app."""
    env = KEY | UNLIMITED | {"FLASK_INSTANCE_PATH": str(data)}
    command = [python_of(project), "-c", script]
    return subprocess.check_output(
        command, cwd=project / "api", env=clean_env(**env), text=True
    )


@pytest.mark.parametrize(
    "body",
    [
        {"name": "ada"},
        {"name": "ada", "password": 1},
        {"name": ["ada"], "password": PASSWORD},
        {"name": "ada\0", "password": PASSWORD},
        ["ada", PASSWORD],
        None,
    ],
)
@pytest.mark.parametrize("path", ["/users", "/session"])
def test_what_is_no_name_and_password_is_a_bad_request(
    site: str, path: str, body: object
) -> None:
    answer = ask("POST", site + path, body)
    assert answer.status == (415 if body is None else 400)


def test_a_token_has_a_label(site: str) -> None:
    cookie = sign_up(site, "nameless")
    for body in ({}, {"label": " "}, {"label": 1}, {"label": "a\0"}, ["Backup"]):
        assert ask("POST", f"{site}/tokens", body, cookie).status == 400
    assert set(ids_by_label(site, cookie)) == {"A browser"}


def test_a_name_is_taken_once_however_many_want_it(site: str) -> None:
    def want(name: str) -> int:
        body = {"name": name, "password": PASSWORD}
        return ask("POST", f"{site}/users", body).status

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(want, ["Wanted", "wanted ", "WANTED", "wanted"] * 2))
    assert statuses == [201] + [422] * 7


@pytest.mark.parametrize(("proxy", "more"), [({}, set()), (HTTPS, {"Secure"})])
def test_the_cookie_is_for_this_site_alone(
    site: str, proxy: dict[str, str], more: set[str]
) -> None:
    name = f"cookie{len(more)}"
    body = {"name": name, "password": PASSWORD}
    answer = ask("POST", f"{site}/users", body, **proxy)
    (cookie,) = answer.headers.get_all("Set-Cookie")
    _, *attributes = cookie.split("; ")
    assert set(attributes) == {"HttpOnly", "Path=/", "SameSite=Lax"} | more
    assert who_is(site, cookies_of(answer)["session"]) == name


def test_a_session_of_another_key_is_refused(
    project: Path, data: Path, site: str
) -> None:
    cookie = sign_up(site, "key")
    token = make_token(site, cookie)
    other = KEY | {"FLASK_INSTANCE_PATH": str(data), "FLASK_SECRET_KEY": "o" * 64}
    with serving(project, **other) as server:
        assert who_is(server.url, cookie) is None
        assert who_is(server.url, **bearer(token)) == "key"
    payload, _, rest = cookie.rpartition(".")
    assert who_is(site, f"{payload}.{rest[::-1]}") is None
    assert who_is(site, cookie) == "key"


def test_signing_out_ends_a_copy_of_the_cookie_too(site: str) -> None:
    cookie = sign_up(site, "leaver")
    body = {"name": "leaver", "password": PASSWORD}
    elsewhere = cookies_of(ask("POST", f"{site}/session", body))["session"]
    answer = ask("DELETE", f"{site}/session", cookie=cookie)
    assert answer.status == 204
    assert cookies_of(answer) == {"session": "session="}
    assert who_is(site, cookie) is None
    assert who_is(site, elsewhere) == "leaver"
    assert ask("DELETE", f"{site}/session").status == 204


def test_a_session_that_was_planted_is_not_that_of_who_signs_in(site: str) -> None:
    planted = sign_up(site, "mallory")
    sign_up(site, "victim")
    body = {"name": "victim", "password": PASSWORD}
    answer = ask("POST", f"{site}/session", body, planted)
    assert who_is(site, cookies_of(answer)["session"]) == "victim"
    assert who_is(site, planted) == "mallory"


def test_a_token_is_good_until_it_is_revoked(site: str) -> None:
    cookie = sign_up(site, "maker")
    token = make_token(site, cookie)
    assert ask_by_curl(site, token) == {"name": "maker"}
    assert ask("GET", f"{site}/tokens", cookie=cookie).headers["Vary"]
    listed = ids_by_label(site, cookie)
    assert set(listed) == {"A browser", "Backup"}
    # Nobody else may, and no token makes another one.
    stranger, theirs = sign_up(site, "stranger"), f"{site}/tokens/{listed['Backup']}"
    assert ask("DELETE", theirs, cookie=stranger).status == 404
    more = ask("POST", f"{site}/tokens", {"label": "More"}, **bearer(token))
    assert more.status == 403
    assert who_is(site, **bearer(token)) == "maker"
    assert ask("DELETE", theirs, cookie=cookie).status == 204
    assert who_is(site, **bearer(token)) is None
    assert who_is(site, cookie) == "maker"


def ask_by_curl(site: str, token: str) -> dict:
    """Run the command of the page, at the address of the test."""
    code = "".join(block.code for block in blocks_of("sign-in.md"))
    (line,) = re.findall(r"^curl .+$", code, re.MULTILINE)
    line = line.replace("http://localhost:8000", site).replace("$TOKEN", token)
    command = [*shlex.split(line), "--silent"]
    return json.loads(subprocess.check_output(command, text=True))


def test_nothing_in_the_database_lets_a_thief_in(site: str, data: Path) -> None:
    cookie = sign_up(site, "robbed")
    payload = cookie.partition("=")[2].partition(".")[0]
    session = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert set(session) == {"token"}
    # It may still be in the log that is written ahead.
    for secret in (make_token(site, cookie), session["token"]):
        kept = b"".join(file.read_bytes() for file in data.glob("app.db*"))
        assert secret.encode() not in kept
        digest = hashlib.sha256(secret.encode()).hexdigest()
        assert digest.encode() in kept
        assert who_is(site, **bearer(digest)) is None
    assert PASSWORD.encode() not in kept


def test_a_token_that_has_expired_is_refused_and_then_forgotten(
    site: str, data: Path
) -> None:
    cookie = sign_up(site, "late")
    token = make_token(site, cookie)
    with closing(sqlite3.connect(data / "app.db")) as database:
        expire = "UPDATE token SET expires = '2020-01-01 00:00:00' WHERE hash = ?"
        database.execute(expire, [hashlib.sha256(token.encode()).hexdigest()])
        database.commit()
        assert who_is(site, **bearer(token)) is None
        assert set(ids_by_label(site, cookie)) == {"A browser"}
        make_token(site, cookie, "Another")
        found = database.execute("SELECT label FROM token WHERE expires < '2021'")
        assert found.fetchall() == []


@pytest.mark.parametrize(
    "header", ["Bearer wrong", "Bearer", "Bearer \xe9", "Basic YTpi", "Digest a=b"]
)
def test_a_header_that_is_no_good_is_not_made_good_by_a_cookie(
    site: str, header: str
) -> None:
    cookie = sign_up(site, f"both-{header.encode().hex()}")
    answer = ask("GET", f"{site}/me", cookie=cookie, Authorization=header)
    assert (answer.status, answer.json["title"]) == (401, "Unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer error=invalid_token"


def test_a_navigation_without_a_session_gets_the_page(page: Page, site: str) -> None:
    answer = ask("GET", f"{site}/me")
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, None)
    assert page.goto(f"{site}/me").status == 200
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    # Nothing has failed for who has not tried yet.
    expect(page.get_by_role("alert")).to_have_count(1)
    expect(page.get_by_role("alert")).to_be_empty()


@pytest.mark.skipif(os.name == "nt", reason="asks Unix for the memory")
def test_many_who_sign_in_at_once_do_not_take_all_memory(
    project: Path, tmp_path: Path
) -> None:
    before, after = map(int, print_by(PRINT_MEMORY, project, tmp_path).split())
    per_kb = 1024 if sys.platform == "darwin" else 1
    # Each of the 40 takes 32 MB while its hash is computed.
    assert (after - before) / per_kb < 300_000


def test_attempts_are_limited_for_each_address(project: Path, tmp_path: Path) -> None:
    env = KEY | {"FLASK_INSTANCE_PATH": str(tmp_path), "FLASK_PROXIES": "1"}
    with serving(project, **env) as server:

        def enter(path: str, client: str) -> SimpleNamespace:
            body = {"name": "ada", "password": "wrong"}
            header = {"X-Forwarded-For": client}
            return ask("POST", server.url + path, body, **header)

        paths = ["/session", "/users"] * 5
        statuses = [enter(path, "192.0.2.1").status for path in paths]
        assert statuses == [401, 422] * 5
        for path in ("/session", "/users"):
            refused = enter(path, "192.0.2.1")
            assert refused.status == 429
            assert refused.json["detail"] == "Too many attempts: wait a minute."
        assert enter("/session", "192.0.2.2").status == 401
        assert ask("GET", f"{server.url}/time").status == 200


def test_production_without_a_key_does_not_start(project: Path, tmp_path: Path) -> None:
    data = {"FLASK_INSTANCE_PATH": str(tmp_path)}
    with running(project, PRODUCTION, **data) as command:
        assert command.popen.wait(timeout=60) != 0
        assert "FLASK_SECRET_KEY is not set" in command.output


def test_development_makes_a_key_and_keeps_it(project: Path) -> None:
    with developing(project) as (_, url):
        assert who_is(url, sign_up(url, "developer")) == "developer"
    key = project / "api/instance/SECRET_KEY"
    assert len(key.read_text()) == 64
    if os.name != "nt":
        assert key.stat().st_mode & 0o077 == 0


def test_a_blueprint_can_be_protected_as_a_whole(project: Path, tmp_path: Path) -> None:
    (block,) = [b for b in blocks_of("sign-in.md") if "before_request" in b.code[:25]]
    (project / "api/guarded.py").write_text(
        "from books import books\nfrom sign_in import sign_in_required\n\n"
        f"{block.code}\n\nfrom api import app\n"
    )
    env = {"FLASK_APP": "api/guarded.py", "FLASK_INSTANCE_PATH": str(tmp_path)}
    with serving(project, **KEY, **env) as server:
        assert ask("GET", f"{server.url}/books").status == 401
        assert ask("GET", f"{server.url}/time").status == 200
        cookie = sign_up(server.url, "reader")
        answer = ask("GET", f"{server.url}/books", cookie=cookie)
        assert (answer.status, answer.json) == (200, [])


def blank_page(environ: dict, start_response: Callable) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/html")])
    return [b"<!doctype html><title>A page of somebody else</title>"]


@pytest.fixture(scope="module")
def foreign_pages() -> Iterator[dict[str, str]]:
    """Serve a page of another port, which is the same site, and of another site."""
    with served(blank_page) as address:
        another_site = f"http://{address}"
        neighbour = another_site.replace("127.0.0.1", "localhost")
        yield {"neighbour": neighbour, "another site": another_site}


def post_form(page: Page, url: str, enctype: str, name: str, value: str) -> Response:
    """Let the page that is open post a form, as a navigation; return the answer."""
    with page.expect_response(url) as answer:
        page.evaluate(POST_FORM, [url, enctype, name, value])
    page.wait_for_url(url)
    return answer.value


def sign_up_on_the_page(page: Page, site: str, name: str) -> None:
    page.goto(site)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_text(f"You are signed in as {name}.")).to_be_visible()


def session_in(page: Page) -> str:
    (cookie,) = [c for c in page.context.cookies() if c["name"] == "session"]
    return f"session={cookie['value']}"


@pytest.mark.parametrize(
    ("whose", "status"), [("neighbour", 415), ("another site", 401)]
)
def test_a_page_of_another_origin_cannot_act_as_a_user(
    page: Page, site: str, foreign_pages: dict[str, str], whose: str, status: int
) -> None:
    """The cookie of a neighbour comes along, that of another site does not."""
    page.context.clear_cookies()
    sign_up_on_the_page(page, site, f"csrf{status}")
    cookie = session_in(page)
    before = ids_by_label(site, cookie)
    url, hidden = f"{site}/tokens", ('{"label": "Stolen", "x": "', '"}')
    for enctype in ("text/plain", URLENCODED, "multipart/form-data"):
        page.goto(foreign_pages[whose])
        assert post_form(page, url, enctype, *hidden).status == status
    page.goto(foreign_pages[whose])
    stolen = [url, "POST", '{"label": "Stolen"}']
    assert page.evaluate(SEND_JSON, stolen) == "TypeError"
    ended = [f"{site}/session", "DELETE", "{}"]
    assert page.evaluate(SEND_JSON, ended) == "TypeError"
    assert ids_by_label(site, cookie) == before


@pytest.fixture(scope="module")
def with_forms(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """Serve a route that takes a form, without the check and with it."""
    npm(project, "run", "add-api", "flask-wtf")
    (block,) = [b for b in blocks_of("sign-in.md") if "CSRFProtect(app)" in b.code]
    imports = "from api import app\nfrom sign_in import sign_in_required\n"
    unchecked, checked = project / "api/unchecked.py", project / "api/checked.py"
    unchecked.write_text(f"{imports}from flask import request\n{FORM_ROUTE}")
    checked.write_text(f"{imports}{block.code}{FORM_ROUTE}")
    succeed(project, "build")
    env = KEY | UNLIMITED | {"FLASK_PROXIES": "1"}
    env["FLASK_INSTANCE_PATH"] = str(tmp_path_factory.mktemp("forms"))
    with (
        serving(project, FLASK_APP="api/unchecked.py", **env) as first,
        serving(project, FLASK_APP="api/checked.py", **env) as second,
    ):
        yield first.url, second.url


def test_a_form_of_a_neighbour_is_taken_only_without_the_check(
    page: Page, with_forms: tuple[str, str], foreign_pages: dict[str, str]
) -> None:
    """The cookies of localhost are those of all its ports."""
    unchecked, checked = with_forms
    page.context.clear_cookies()
    sign_up_on_the_page(page, checked, "writer")
    for site, status in ((unchecked, 200), (checked, 400)):
        page.goto(foreign_pages["neighbour"])
        answer = post_form(page, f"{site}/notes", URLENCODED, "text", "forged")
        assert answer.status == status
        assert "session=" in answer.request.all_headers()["cookie"]


def test_the_page_itself_passes_the_check(
    page: Page, with_forms: tuple[str, str]
) -> None:
    _, site = with_forms
    page.context.clear_cookies()
    sign_up_on_the_page(page, site, "passes")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Name").fill("passes")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Password").press("Enter")
    expect(page.get_by_text("You are signed in as passes.")).to_be_visible()


def test_the_check_is_of_a_cookie_and_not_of_a_token(
    with_forms: tuple[str, str],
) -> None:
    """Also over TLS, where Flask-WTF wants a Referer, which browsers send."""
    _, site = with_forms
    host = site.removeprefix("http://")
    https = HTTPS | {"Referer": f"https://{host}/", "X-Forwarded-Host": host}
    cookies = cookies_of(ask("GET", f"{site}/me", **https))
    csrf = cookies["csrf_token"].partition("=")[2]
    both = "; ".join(cookies.values())
    body = {"name": "careful", "password": PASSWORD}
    assert ask("POST", f"{site}/users", body, both, **https).status == 400
    https["X-CSRF-Token"] = csrf
    signed_up = ask("POST", f"{site}/users", body, both, **https)
    assert signed_up.status == 201
    for line in signed_up.headers.get_all("Set-Cookie"):
        assert "Secure" in line
        assert "SameSite=Lax" in line
        assert ("HttpOnly" in line) == line.startswith("session=")
    cookies = cookies_of(signed_up)
    both = "; ".join(cookies.values())
    # That of the session before is none of this one.
    assert ask("POST", f"{site}/tokens", {"label": "x"}, both, **https).status == 400
    https["X-CSRF-Token"] = cookies["csrf_token"].partition("=")[2]
    made = ask("POST", f"{site}/tokens", {"label": "x"}, both, **https)
    assert made.status == 201
    form = {"Content-Type": URLENCODED}
    by_token = bearer(made.json["token"]) | form
    answer = ask("POST", f"{site}/notes", "text=hello", **by_token)
    assert (answer.status, answer.json) == (200, {"added": "hello"})
