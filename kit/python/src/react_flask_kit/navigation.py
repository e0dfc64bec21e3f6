"""Who answers a navigation: what a person can see, or the page.

The development server decides by the same rule (vite/requests.js); the tests ask both
one table of requests.
"""

import re
from functools import lru_cache

from .health import HEALTH, READY
from .layer import NO_ROUTE
from .openapi import PATH as OPENAPI

DOCUMENTS = ("document", "iframe", "frame")
# Of a client's name, which is remembered.
MOST_READ = 256
VARY = "Accept, Sec-Fetch-Dest"
# The kit's own addresses, whose JSON is for a person too.
OWN = (HEALTH, READY, OPENAPI)
# Set by the site; an app that is mounted below a path finds only the rest in PATH_INFO.
PATH = "react_flask_kit.path"
is_json = re.compile(r"[^;]+[/+]json\b", re.IGNORECASE).match
# Who makes the preview of a link asks for anything, and wants the page.
PREVIEW = re.compile(
    r"facebookexternalhit|twitterbot|linkedinbot|slackbot|discordbot|telegrambot"
    r"|whatsapp|pinterest|redditbot|skypeuripreview|applebot|googlebot|bingbot",
    re.IGNORECASE,
)


def is_navigation(environ: dict) -> bool:
    """Tell whether a browser wants a document to show, as Fetch's destination says.

    Clients that do not send it are judged by Accept, and by name if they make previews.
    """
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        return False
    if destination := environ.get("HTTP_SEC_FETCH_DEST"):
        return destination in DOCUMENTS
    return "text/html" in environ.get("HTTP_ACCEPT", "") or makes_previews(
        environ.get("HTTP_USER_AGENT", "")[:MOST_READ]
    )


@lru_cache(maxsize=256)
def makes_previews(user_agent: str) -> bool:
    """Tell whether a client makes previews of links."""
    return PREVIEW.search(user_agent) is not None


def gives_way(environ: dict, status: str, headers: list[tuple[str, str]]) -> bool:
    """Tell whether the page takes the place of what the API answers a navigation.

    It does where the API has no route, and where it answers with JSON that is data or
    says that there is none, or none without sign-in. All else stands.
    """
    code = status[:3]
    if code in ("404", "405") and environ.get(NO_ROUTE):
        return True
    if code[0] != "2" and code not in ("401", "403", "404", "405"):
        return False
    if path_asked(environ) in OWN:
        return False
    names = {name.lower(): value for name, value in headers}
    stands = "content-disposition" in names or (
        code == "401" and "www-authenticate" in names
    )
    return not stands and bool(is_json(names.get("content-type", "")))


def path_asked(environ: dict) -> str:
    """Return the path that was asked for, whatever an app has made of it."""
    return environ.get(PATH, environ["PATH_INFO"])
