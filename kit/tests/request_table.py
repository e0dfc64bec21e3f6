"""Who answers a request: one table for the development server and for production.

1. a file of the page, 2. a route of the API, 3. for a navigation what the API has for a
person to see, else the page, 4. otherwise the API's error.
"""

import http.client
from typing import NamedTuple

NAVIGATE = {"Sec-Fetch-Dest": "document", "Accept": "text/html,*/*;q=0.8"}
FRAME = {"Sec-Fetch-Dest": "iframe", "Accept": "text/html,*/*;q=0.8"}
FETCH = {"Sec-Fetch-Dest": "empty", "Accept": "*/*"}
FETCH_HTML = {"Sec-Fetch-Dest": "empty", "Accept": "text/html"}
IMAGE = {"Sec-Fetch-Dest": "image", "Accept": "image/*,*/*;q=0.8"}
OLD_BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
CURL = {"Accept": "*/*"}
PREVIEW = {"Accept": "*/*", "User-Agent": "facebookexternalhit/1.1"}

PAGE = "text/html"
FILE = "image/png"
JSON = "application/json"
ERROR = "application/problem+json"
CSV = "text/csv"


class Row(NamedTuple):
    """A request, and the status and media type that must answer it."""

    method: str
    path: str
    headers: dict[str, str]
    status: int
    media_type: str


TABLE = [
    # 1. Files of the page.
    Row("GET", "/", NAVIGATE, 200, PAGE),
    Row("GET", "/", CURL, 200, PAGE),
    Row("HEAD", "/", NAVIGATE, 200, PAGE),
    Row("GET", "/index.html", NAVIGATE, 200, PAGE),
    Row("GET", "/logo192.png", IMAGE, 200, FILE),
    Row("GET", "/logo192.png", NAVIGATE, 200, FILE),
    Row("GET", "/robots.txt", CURL, 200, "text/plain"),
    # 2. Routes of the API, for whoever asks.
    Row("GET", "/time", FETCH, 200, JSON),
    Row("HEAD", "/time", FETCH, 200, JSON),
    Row("OPTIONS", "/time", FETCH, 200, PAGE),
    Row("PUT", "/echo", FETCH, 200, JSON),
    Row("DELETE", "/echo", FETCH, 200, JSON),
    Row("POST", "/echo", NAVIGATE, 200, JSON),
    Row("GET", "/report.csv", NAVIGATE, 200, CSV),
    Row("GET", "/report.csv", FETCH, 200, CSV),
    Row("GET", "/items/3", FETCH, 200, JSON),
    Row("GET", "/items/10", FETCH, 404, ERROR),
    Row("GET", "/folder", NAVIGATE, 308, PAGE),
    Row("GET", "/folder", FETCH, 308, PAGE),
    Row("GET", "/health", NAVIGATE, 200, JSON),
    Row("GET", "/ready", NAVIGATE, 200, JSON),
    # 3. Navigations to what has no route, or only JSON, are for the page's own router.
    Row("GET", "/time", NAVIGATE, 200, PAGE),
    Row("GET", "/time?format=html", OLD_BROWSER, 200, PAGE),
    Row("HEAD", "/time", NAVIGATE, 200, PAGE),
    Row("GET", "/items/3", NAVIGATE, 200, PAGE),
    Row("GET", "/items/10", NAVIGATE, 200, PAGE),
    Row("GET", "/deep/link", PREVIEW, 200, PAGE),
    Row("GET", "/deep/link", NAVIGATE, 200, PAGE),
    Row("GET", "/deep/link", FRAME, 200, PAGE),
    Row("GET", "/deep/link", OLD_BROWSER, 200, PAGE),
    Row("HEAD", "/deep/link", NAVIGATE, 200, PAGE),
    Row("GET", "/users/jo.smith?tab=1", NAVIGATE, 200, PAGE),
    Row("GET", "/items/abc", NAVIGATE, 200, PAGE),
    Row("GET", "/login", NAVIGATE, 200, PAGE),
    Row("GET", "/%E2%82%AC/50%25", NAVIGATE, 200, PAGE),
    Row("GET", "/api/api.py", NAVIGATE, 200, PAGE),
    # 4. The API's errors.
    Row("GET", "/deep/link", FETCH, 404, ERROR),
    Row("GET", "/deep/link", FETCH_HTML, 404, ERROR),
    Row("GET", "/deep/link", CURL, 404, ERROR),
    Row("GET", "/missing.png", IMAGE, 404, ERROR),
    Row("GET", "/static/js/main.0ld4a5h.js", FETCH, 404, ERROR),
    Row("GET", "/login", FETCH, 405, ERROR),
    Row("POST", "/deep/link", FETCH, 404, ERROR),
    Row("POST", "/deep/link", NAVIGATE, 404, ERROR),
    Row("POST", "/", FETCH, 404, ERROR),
    Row("POST", "/time", FETCH, 405, ERROR),
    Row("GET", "/api/api.py", CURL, 404, ERROR),
    Row("GET", "/%61pi/api.py", CURL, 404, ERROR),
    Row("GET", "/api%2fapi.py", CURL, 404, ERROR),
    Row("GET", "/src/../api/api.py", CURL, 404, ERROR),
    Row("GET", "/package.json", FETCH, 404, ERROR),
    Row("GET", "/.flaskenv", CURL, 404, ERROR),
    Row("GET", "/../package.json", CURL, 404, ERROR),
    Row("GET", "/%2e%2e/package.json", CURL, 404, ERROR),
]


def name(row: Row) -> str:
    """Name a row for the report of a test."""
    destination = row.headers.get("Sec-Fetch-Dest", row.headers["Accept"][:9])
    return f"{row.method} {row.path} {destination} is {row.status} {row.media_type}"


def answer(host: str, port: int, row: Row) -> tuple[int, str, bytes]:
    """Send a row's request exactly as it stands; return status, media type and body."""
    connection = http.client.HTTPConnection(host, port, timeout=20)
    try:
        connection.request(row.method, row.path, headers=row.headers)
        response = connection.getresponse()
        media_type = response.headers.get_content_type()
        return response.status, media_type, response.read()
    finally:
        connection.close()


def check(host: str, port: int, row: Row) -> None:
    """Assert that a row's request is answered as the row says, and with the page."""
    status, media_type, body = answer(host, port, row)
    assert (status, media_type) == (row.status, row.media_type), body[:300]
    if media_type == "text/html" and status == 200 and row.method == "GET":
        assert b'<div id="root">' in body
