"""One answer everywhere: who answers a request is the same on each server.

One table of requests, for apps of every shape, is asked of the two development servers,
of production and, where Flask answers, of a plain `flask run`. `request_table.py` asks
the same of the demo alone, and of what is no route.
"""

import http.client
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect
from react_flask_kit.navigation import OWN
from request_table import (
    CSV,
    CURL,
    ERROR,
    FETCH,
    FETCH_HTML,
    FRAME,
    IMAGE,
    JSON,
    NAVIGATE,
    OLD_BROWSER,
    PREVIEW,
)
from servers import (
    PRODUCTION,
    Command,
    free_port,
    is_answering,
    running,
    started,
    wait_for,
)

DEVELOPMENT, PRODUCED, PLAIN = "development", "production", "flask run"
SERVERS = (DEVELOPMENT, PRODUCED, PLAIN)
HTML, TEXT, GEO_JSON = "text/html", "text/plain", "application/geo+json"
CLIENTS = {
    "navigation": NAVIGATE,
    "frame": FRAME,
    "old browser": OLD_BROWSER,
    "preview bot": PREVIEW,
    "fetch": FETCH,
    "fetch of HTML": FETCH_HTML,
    "image": IMAGE,
    "curl": CURL,
}
VARY = {"Accept", "Sec-Fetch-Dest"}
PAGE, API = "page", "API"


class Row(NamedTuple):
    """A request, and who answers it how."""

    method: str
    path: str
    client: str
    status: int
    by: str
    media_type: str
    # Further headers of the answer; of an address, only the path.
    says: tuple[str, str] | None = None
    # The name that the client asks for.
    host: str = ""
    # In development a crash is shown over a page.
    in_development: str = ""

    @property
    def shares_its_address(self) -> bool:
        """Whether both the page and data could be the answer."""
        if self.method not in ("GET", "HEAD") or self.path in ("/", *OWN):
            return False
        return self.by == PAGE or self.media_type.endswith("json")

    def media_type_on(self, server: str) -> str:
        """Return the expected type of a server's answer."""
        own = self.in_development if server == DEVELOPMENT else ""
        return own or self.media_type


def the_page(method: str, path: str, client: str, host: str = "") -> Row:
    """Expect the page."""
    return Row(method, path, client, 200, PAGE, HTML, host=host)


def api(
    method: str, path: str, client: str, status: int, media_type: str, **more: object
) -> Row:
    """Expect what the API says."""
    return Row(method, path, client, status, API, media_type, **more)


ASKING_FOR_DATA = ("fetch", "fetch of HTML", "image", "curl")
NAVIGATING = ("navigation", "frame", "old browser", "preview bot")

SHOP = "kit/tests/answers/shop.py:create_app()"
# FLASK_APP, and the requests to that app.
APPS = {
    "api/api.py": [
        the_page("GET", "/time", "navigation"),
        the_page("HEAD", "/time", "navigation"),
        the_page("GET", "/deep/link", "preview bot"),
        api("GET", "/time", "fetch", 200, JSON),
        api("GET", "/time", "curl", 200, JSON),
        api("POST", "/time", "fetch", 405, ERROR, says=("Allow", "GET, HEAD, OPTIONS")),
        api("GET", "/deep/link", "fetch", 404, ERROR),
        api("GET", "/health", "navigation", 200, JSON),
        api("GET", "/ready", "navigation", 200, JSON),
    ],
    SHOP: [
        # The page of the app has the path of its data.
        *(the_page("GET", "/books", client) for client in NAVIGATING),
        *(api("GET", "/books", client, 200, JSON) for client in ASKING_FOR_DATA),
        the_page("GET", "/books?author=Austen", "navigation"),
        the_page("HEAD", "/books", "navigation"),
        api("HEAD", "/books", "fetch", 200, JSON),
        api("POST", "/books", "fetch", 201, JSON),
        api("POST", "/books", "navigation", 201, JSON),
        api("OPTIONS", "/books", "fetch", 200, HTML),
        api("PUT", "/books", "fetch", 405, ERROR),
        the_page("GET", "/places", "navigation"),
        api("GET", "/places", "fetch", 200, GEO_JSON),
        # Pages of the app's own, below a slash that their links need.
        *(api("GET", "/shop/", client, 200, HTML) for client in CLIENTS),
        api("HEAD", "/shop/", "navigation", 200, HTML),
        api("GET", "/shop", "navigation", 308, HTML, says=("Location", "/shop/")),
        api("GET", "/shop", "fetch", 308, HTML, says=("Location", "/shop/")),
        api("GET", "/shop/item/1", "navigation", 200, HTML),
        the_page("GET", "/shop/item/2", "navigation"),
        api("GET", "/shop/item/2", "fetch", 404, ERROR),
        the_page("GET", "/shop/item/first", "navigation"),
        api("GET", "/shop/item/first", "fetch", 404, ERROR),
        # What a person can keep, or need not see.
        api("GET", "/books.csv", "navigation", 200, CSV),
        api(
            "GET",
            "/books.json",
            "navigation",
            200,
            JSON,
            says=("Content-Disposition", 'attachment; filename="books.json"'),
        ),
        api("GET", "/text", "navigation", 200, TEXT),
        api("GET", "/empty", "navigation", 204, HTML),
        api("GET", "/empty", "fetch", 204, HTML),
        api("GET", "/moved", "navigation", 302, HTML, says=("Location", "/books")),
        # A route that no navigation is for.
        the_page("GET", "/order", "navigation"),
        api("GET", "/order", "fetch", 405, ERROR, says=("Allow", "OPTIONS, POST")),
        api("POST", "/order", "navigation", 204, HTML),
        # Errors.
        the_page("GET", "/answers/401", "navigation"),
        the_page("GET", "/answers/403", "navigation"),
        the_page("GET", "/answers/404", "navigation"),
        the_page("HEAD", "/answers/404", "old browser"),
        *(
            api("GET", f"/answers/{status}", "fetch", status, JSON)
            for status in (400, 401, 403, 404, 409, 429, 503)
        ),
        *(
            api("GET", f"/answers/{status}", "navigation", status, JSON)
            for status in (400, 409, 429, 503)
        ),
        api("GET", "/members", "navigation", 403, HTML),
        api(
            "GET",
            "/admin",
            "navigation",
            401,
            JSON,
            says=("WWW-Authenticate", 'Basic realm="admin"'),
        ),
        api("GET", "/admin", "curl", 401, JSON),
        api("GET", "/crash", "fetch", 500, ERROR),
        api("GET", "/crash", "navigation", 500, ERROR, in_development=HTML),
    ],
    "kit/tests/answers/mounted.py": [
        the_page("GET", "/books", "navigation"),
        api("GET", "/books", "fetch", 200, JSON),
        api("GET", "/sub", "navigation", 308, HTML, says=("Location", "/sub/")),
        api("GET", "/sub/", "navigation", 200, HTML),
        api("GET", "/sub/", "fetch", 200, HTML),
        the_page("GET", "/sub/books", "navigation"),
        the_page("HEAD", "/sub/books", "navigation"),
        api("GET", "/sub/books", "fetch", 200, JSON),
        # Only the outer app's is the kit's own.
        the_page("GET", "/sub/health", "navigation"),
        api("GET", "/sub/health", "fetch", 200, JSON),
        # Nobody knows the routes of what is mounted.
        api("GET", "/sub/nothing", "navigation", 404, HTML),
        api("GET", "/sub/nothing", "fetch", 404, HTML),
        api("GET", "/raw", "navigation", 200, TEXT),
        the_page("GET", "/raw/data", "navigation"),
        api("GET", "/raw/data", "fetch", 200, JSON),
        the_page("GET", "/nothing", "navigation"),
        api("GET", "/nothing", "fetch", 404, ERROR),
    ],
    "kit/tests/answers/guards.py": [
        *(the_page("GET", "/private/books", client) for client in NAVIGATING),
        *(api("GET", "/private/books", c, 401, JSON) for c in ASKING_FOR_DATA),
        the_page("GET", "/private/x", "navigation"),
        the_page("HEAD", "/private/x", "navigation"),
        api("GET", "/private/x", "fetch", 401, JSON),
        api("POST", "/private/x", "navigation", 401, JSON),
        *(
            api("GET", "/account/x", client, 302, HTML, says=("Location", "/login"))
            for client in CLIENTS
        ),
        api("GET", "/login", "navigation", 200, HTML),
        api("POST", "/login", "navigation", 405, ERROR),
        the_page("GET", "/open/books", "navigation"),
        api("GET", "/open/books", "fetch", 200, JSON),
    ],
    "kit/tests/answers/subdomains.py": [
        the_page("GET", "/books", "navigation", host="site.localhost"),
        api("GET", "/books", "fetch", 200, JSON, host="site.localhost"),
        the_page("GET", "/about", "navigation", host="site.localhost"),
        api("GET", "/about", "fetch", 404, ERROR, host="site.localhost"),
        api("GET", "/about", "navigation", 200, HTML, host="shop.site.localhost"),
        api("GET", "/books", "navigation", 200, HTML, host="jo.site.localhost"),
        api("GET", "/books", "fetch", 200, HTML, host="jo.site.localhost"),
        the_page("GET", "/nothing", "navigation", host="jo.site.localhost"),
        api("GET", "/nothing", "fetch", 404, ERROR, host="jo.site.localhost"),
    ],
    "kit/tests/answers/hosts.py": [
        the_page("GET", "/books", "navigation", host="data.localhost"),
        api("GET", "/books", "fetch", 200, JSON, host="data.localhost"),
        api("GET", "/books", "navigation", 200, HTML, host="shop.localhost"),
        the_page("GET", "/books", "navigation", host="other.localhost"),
        api("GET", "/books", "fetch", 404, ERROR, host="other.localhost"),
    ],
    "kit/tests/answers/own_404.py": [
        the_page("GET", "/nothing", "navigation"),
        the_page("GET", "/nothing", "preview bot"),
        *(api("GET", "/nothing", client, 404, HTML) for client in ASKING_FOR_DATA),
        the_page("GET", "/items/1", "navigation"),
        api("GET", "/items/1", "fetch", 200, JSON),
        api("GET", "/items/10", "navigation", 404, HTML),
        api("GET", "/items/10", "fetch", 404, HTML),
    ],
    "kit/tests/answers/catch_all.py": [
        the_page("GET", "/", "navigation"),
        api("GET", "/about/us", "navigation", 200, HTML),
        api("GET", "/about/us", "fetch", 200, HTML),
        the_page("GET", "/data/books", "navigation"),
        api("GET", "/data/books", "fetch", 200, JSON),
        the_page("GET", "/missing/book", "navigation"),
        api("GET", "/missing/book", "fetch", 404, ERROR),
    ],
    "kit/tests/answers/without_kit.py": [
        the_page("GET", "/books", "navigation"),
        api("GET", "/books", "fetch", 200, JSON),
        api("GET", "/about", "navigation", 200, HTML),
        the_page("GET", "/nothing", "navigation"),
        api("GET", "/nothing", "fetch", 404, HTML),
        the_page("GET", "/order", "navigation"),
        api("GET", "/order", "fetch", 405, HTML),
    ],
}


def rows() -> Iterator[object]:
    """Name each app, server and row; plain Flask has no page to answer with."""
    for app, table in APPS.items():
        for server in SERVERS:
            for row in table:
                if server == PLAIN and row.by == PAGE:
                    continue
                name = Path(app.partition(":")[0]).stem
                what = f"{row.method} {row.host}{row.path} by {row.client}"
                id = f"{name}, {server}: {what}"
                yield pytest.param(app, server, row, id=id)


class Servers:
    """One app at a time, on each kind of server."""

    def __init__(self, project: Path, frontend: Command, ports: dict[str, int]) -> None:
        """Begin with the frontend's server: to it, another app is a restart."""
        self.project, self.frontend, self.ports = project, frontend, ports
        self.api_port = int(ports["API"])
        self.app = ""
        self.stack = ExitStack()

    def run(self, app: str) -> dict[str, int]:
        """Run an app, unless that is the one that runs; return the ports to ask."""
        if app != self.app:
            self.stop()
            self.start(app)
            self.app = app
        return self.ports

    def start(self, app: str) -> None:
        """Start all servers at once, and wait for each."""
        env = {"FLASK_APP": app, "FLASK_RUN_RELOAD": "false", "WEB_CONCURRENCY": "1"}
        waiting = []
        for name, variable, port, debug in (
            ("start-api", "FLASK_RUN_PORT", self.api_port, "1"),
            (PRODUCTION, "PORT", self.ports[PRODUCED], "0"),
            ("flask run", "FLASK_RUN_PORT", self.ports[PLAIN], "0"),
        ):
            settings = env | {variable: str(port), "FLASK_DEBUG": debug}
            server = running(self.project, name, **settings)
            waiting.append((self.stack.enter_context(server), port))
        for server, port in waiting:
            wait_for(lambda s=server, p=port: s.ended or is_answering(p), "a server")
            assert not server.ended, server.output

    def stop(self) -> None:
        """Stop what runs an app."""
        self.app = ""
        self.stack.close()


@pytest.fixture(scope="module")
def servers(built_project: Path) -> Iterator[Servers]:
    ports = {name: free_port() for name in ("API", PRODUCED, PLAIN)}
    with started(built_project, FLASK_RUN_PORT=str(ports["API"])) as (command, url):
        ports[DEVELOPMENT] = urlsplit(url).port
        servers = Servers(built_project, command, ports)
        try:
            yield servers
        finally:
            servers.stop()


def ask(port: int, row: Row) -> tuple[http.client.HTTPResponse, bytes]:
    """Send a row's request exactly as it stands."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as client:
        host = {"Host": row.host} if row.host else {}
        client.request(row.method, row.path, headers=CLIENTS[row.client] | host)
        response = client.getresponse()
        return response, response.read()


@pytest.mark.parametrize(("app", "server", "row"), [*rows()])
def test_who_answers(servers: Servers, app: str, server: str, row: Row) -> None:
    response, body = ask(servers.run(app)[server], row)
    headers = response.headers
    kind = headers.get("Content-Type", "").partition(";")[0]
    assert (response.status, kind) == (row.status, row.media_type_on(server)), body
    # None of the apps says how long to keep its HTML, and the page says it always.
    is_page = kind == HTML and headers["Cache-Control"] == "no-cache"
    assert is_page == (row.by == PAGE), body
    assert (b'<div id="root">' in body) == (is_page and row.method == "GET")
    if row.says:
        name, value = row.says
        said = headers[name]
        said = urlsplit(said).path if name == "Location" else said
        # Methods come in any order.
        assert sorted(said.split(", ")) == sorted(value.split(", "))
    if row.shares_its_address and server != PLAIN and kind == row.media_type:
        assert set(", ".join(headers.get_all("Vary", [])).split(", ")) >= VARY


def test_development_says_once_that_data_gave_way(servers: Servers) -> None:
    port = servers.run(SHOP)[DEVELOPMENT]
    for path in ("/places?a", "/nothing", "/places?b"):
        ask(port, the_page("GET", path, "navigation"))
    address = f"http://127.0.0.1:{servers.api_port}/places"
    told = f"GET /places: JSON gave way to the page; see {address}"
    servers.frontend.prints(told)
    assert servers.frontend.output.count(told) == 1
    assert "GET /nothing: JSON" not in servers.frontend.output


def test_the_back_button_shows_the_page_and_not_the_data_of_its_address(
    page: Page, servers: Servers
) -> None:
    url = f"http://localhost:{servers.run(SHOP)[PRODUCED]}"
    page.goto(f"{url}/books")
    assert page.evaluate("async () => (await fetch('/books')).json()") == ["Emma"]
    page.evaluate("location.href = '/shop/'")
    expect(page.get_by_role("heading", name="The shop")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(f"{url}/books")
    expect(page.locator("#root")).to_have_count(1)
