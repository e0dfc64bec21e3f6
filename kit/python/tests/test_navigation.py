"""Who answers a navigation: the app, or the page.

The contract is one rule, as two tables: which requests are navigations, and which
answers of the app stand.
"""

import pytest
from react_flask_kit.layer import NO_ROUTE
from react_flask_kit.navigation import gives_way, is_navigation
from werkzeug.test import create_environ

CHROME = "text/html,application/xhtml+xml,*/*;q=0.8"
PREVIEW = "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"
NAVIGATIONS = [
    ("GET", {"Sec-Fetch-Dest": "document"}, True),
    ("HEAD", {"Sec-Fetch-Dest": "document"}, True),
    ("GET", {"Sec-Fetch-Dest": "iframe"}, True),
    ("GET", {"Sec-Fetch-Dest": "frame"}, True),
    ("GET", {"Accept": CHROME}, True),
    ("HEAD", {"Accept": "text/html"}, True),
    ("GET", {"Sec-Fetch-Dest": "empty", "Accept": CHROME}, False),
    ("GET", {"Sec-Fetch-Dest": "script", "Accept": CHROME}, False),
    ("GET", {"Sec-Fetch-Dest": "image"}, False),
    ("GET", {"Sec-Fetch-Dest": "document", "Accept": "*/*"}, True),
    ("POST", {"Sec-Fetch-Dest": "document", "Accept": CHROME}, False),
    ("OPTIONS", {"Accept": "text/html"}, False),
    ("DELETE", {"Accept": "text/html"}, False),
    ("GET", {"Accept": "*/*"}, False),
    ("GET", {"Accept": "application/json"}, False),
    ("GET", {}, False),
    ("GET", {"Accept": "*/*", "User-Agent": PREVIEW}, True),
    ("GET", {"Accept": "*/*", "User-Agent": "Twitterbot/1.0"}, True),
    ("GET", {"Accept": "*/*", "User-Agent": "LinkedInBot/1.0"}, True),
    ("GET", {"Accept": "*/*", "User-Agent": "WhatsApp/2.23 A"}, True),
    ("GET", {"User-Agent": "Slackbot-LinkExpanding 1.0"}, True),
    ("GET", {"User-Agent": "Mozilla/5.0 (compatible; Discordbot/2.0)"}, True),
    ("GET", {"User-Agent": "TelegramBot (like TwitterBot)"}, True),
    ("GET", {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}, True),
    ("POST", {"User-Agent": PREVIEW}, False),
    ("GET", {"Sec-Fetch-Dest": "empty", "User-Agent": PREVIEW}, False),
    ("GET", {"Accept": "*/*", "User-Agent": "curl/8.5.0"}, False),
    ("GET", {"Accept": "*/*", "User-Agent": "python-requests/2.32"}, False),
]


@pytest.mark.parametrize(("method", "headers", "expected"), NAVIGATIONS)
def test_a_navigation_is_a_request_for_something_to_show(
    method: str, headers: dict[str, str], expected: bool
) -> None:
    environ = create_environ(method=method, headers=headers)
    assert is_navigation(environ) == expected


JSON, PROBLEM = "application/json", "application/problem+json"
HTML = "text/html; charset=utf-8"
# The status, the type, more headers, and whether the page takes the answer's place.
ANSWERS = [
    # Data is not for a person to see.
    (200, JSON, {}, True),
    (201, JSON, {}, True),
    (200, "application/json; charset=utf-8", {}, True),
    (200, "Application/JSON", {}, True),
    (200, "application/vnd.api+json", {}, True),
    (200, "application/geo+json", {}, True),
    (401, PROBLEM, {}, True),
    (403, JSON, {}, True),
    (404, PROBLEM, {}, True),
    (405, PROBLEM, {}, True),
    # All else is.
    (200, HTML, {}, False),
    (200, "text/plain", {}, False),
    (200, "application/pdf", {}, False),
    (200, "application/jsonlines", {}, False),
    (200, "text/html; profile=application/json", {}, False),
    (200, None, {}, False),
    (204, None, {}, False),
    (404, HTML, {}, False),
    (403, HTML, {}, False),
    (302, JSON, {"Location": "/there"}, False),
    (308, HTML, {"Location": "/there"}, False),
    (304, JSON, {}, False),
    (400, PROBLEM, {}, False),
    (409, JSON, {}, False),
    (410, PROBLEM, {}, False),
    (422, PROBLEM, {}, False),
    (429, PROBLEM, {"Retry-After": "9"}, False),
    (500, PROBLEM, {}, False),
    (502, JSON, {}, False),
    (503, PROBLEM, {}, False),
    # A download, and a browser's own way to sign in.
    (200, JSON, {"Content-Disposition": "attachment; filename=a.json"}, False),
    (200, JSON, {"content-disposition": "inline"}, False),
    (401, PROBLEM, {"WWW-Authenticate": "Basic"}, False),
    (403, PROBLEM, {"WWW-Authenticate": "Basic"}, True),
]


def gives_way_to_page(
    status: int, kind: str | None, more: dict, path: str = "/x", has_route: bool = True
) -> bool:
    environ = create_environ(path)
    if not has_route:
        environ[NO_ROUTE] = True
    headers = [("Content-Type", kind)] if kind else []
    return gives_way(environ, f"{status} Status", [*headers, *more.items()])


@pytest.mark.parametrize(("status", "kind", "more", "expected"), ANSWERS)
def test_the_page_takes_the_place_of_json_alone(
    status: int, kind: str | None, more: dict[str, str], expected: bool
) -> None:
    assert gives_way_to_page(status, kind, more) == expected


@pytest.mark.parametrize("kind", [HTML, PROBLEM, "text/plain", None])
@pytest.mark.parametrize("status", [404, 405])
def test_an_address_without_a_route_is_the_pages(status: int, kind: str | None) -> None:
    assert gives_way_to_page(status, kind, {}, has_route=False)


@pytest.mark.parametrize("status", [400, 401, 500, 302])
def test_what_is_said_before_a_route_is_looked_for_stands(status: int) -> None:
    assert not gives_way_to_page(status, HTML, {}, has_route=False)


@pytest.mark.parametrize("path", ["/health", "/ready", "/openapi.json"])
def test_the_kits_own_addresses_are_for_a_person_too(path: str) -> None:
    assert not gives_way_to_page(200, JSON, {}, path)
    assert gives_way_to_page(404, PROBLEM, {}, path, has_route=False)
