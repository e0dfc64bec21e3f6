"""One policy of headers: what a browser may do with what this site sends.

The development server of the frontend sends the same (vite/policy.js); a test
compares both.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from html.parser import HTMLParser
from urllib.parse import urlsplit

Headers = list[tuple[bytes, bytes]]

ANYWHERE = ("https:", "data:", "blob:")
# What common libraries need: styles at run time, fonts and pictures of other hosts.
STANDARD = {
    "default-src": ("'self'",),
    "script-src": ("'self'",),
    # A hash or nonce here would switch 'unsafe-inline' off.
    "style-src": ("'self'", "'unsafe-inline'", "https:"),
    "font-src": ("'self'", "https:", "data:"),
    "img-src": ("'self'", *ANYWHERE),
    "media-src": ("'self'", *ANYWHERE),
    "connect-src": ("'self'", "https:", "wss:", "data:", "blob:"),
    "worker-src": ("'self'", "data:", "blob:"),
    "frame-src": ("'self'", "https:", "blob:"),
    "object-src": ("'none'",),
    "base-uri": ("'self'",),
    "form-action": ("'self'", "https:"),
    "frame-ancestors": ("'none'",),
}
# Everything from this site.
STRICT = {
    **dict.fromkeys(STANDARD, ("'self'",)),
    # The build makes small images part of the code.
    "img-src": ("'self'", "data:"),
    "object-src": ("'none'",),
    "base-uri": ("'none'",),
    "frame-ancestors": ("'none'",),
}
POLICIES = {"standard": STANDARD, "strict": STRICT}
DIRECTIVES = tuple(STANDARD)
PERMISSIONS = {
    "standard": "camera=(self), geolocation=(self), microphone=(self)",
    "strict": "camera=(), geolocation=(), microphone=()",
}
# Two years, as browsers' preload lists want it.
STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=63072000")
KEYWORD = re.compile(
    r"none|self|strict-dynamic|unsafe-(eval|hashes|inline)|wasm-unsafe-eval|sha\d+-.+"
)


class Policy:
    """The headers of a site's answers, as its settings say."""

    def __init__(self, settings: Mapping[str, object], index: str = "") -> None:
        """Allow the scripts that the text of index.html names or has in it."""
        kind = str(settings["CSP"])
        self.everywhere: Headers = [
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"strict-origin-when-cross-origin"),
            (b"cross-origin-resource-policy", b"same-origin"),
        ]
        self.of_documents: Headers = []
        if kind != "off":
            value = content_security_policy(kind, settings, script_sources(index))
            permissions = settings["PERMISSIONS_POLICY"] or PERMISSIONS[kind]
            self.of_documents = [
                (b"content-security-policy", value.encode()),
                (b"permissions-policy", str(permissions).encode()),
            ]

    def missing(
        self, headers: Headers, is_document: bool, is_encrypted: bool
    ) -> Headers:
        """Return the headers that an answer lacks; one that it has is its own.

        Names are in lower case, as ASGI wants them.
        """
        wanted = [*self.everywhere]
        if is_document:
            wanted += self.of_documents
        if is_encrypted:
            wanted.append(STRICT_TRANSPORT)
        own = {name for name, _ in headers}
        return [header for header in wanted if header[0] not in own]


def content_security_policy(
    kind: str, settings: Mapping[str, object], scripts: list[str]
) -> str:
    """Return a policy with what its settings, such as CSP_IMG_SRC, add to it."""
    parts = []
    for directive, sources in POLICIES[kind].items():
        wanted = settings[setting_of(directive)] or ()
        # An author may write them as the policy does.
        wanted = wanted.split() if isinstance(wanted, str) else wanted
        added = [quoted(source) for source in wanted]
        if directive == "script-src":
            # A hash would switch 'unsafe-inline' off.
            is_loose = "'unsafe-inline'" in added
            added += [s for s in scripts if not (is_loose and s.startswith("'sha"))]
        if added and sources == ("'none'",):
            sources = ()
        if "'none'" in added:
            sources, added = (), ["'none'"]
        parts.append(" ".join([directive, *dict.fromkeys([*sources, *added])]))
    return "; ".join(parts)


def setting_of(directive: str) -> str:
    """Return the name of the setting that adds sources to a directive."""
    return f"CSP_{directive.upper().replace('-', '_')}"


def quoted(source: str) -> str:
    """Write a keyword in the quotes that the policy wants."""
    return f"'{source}'" if KEYWORD.fullmatch(source) else source


class ScriptFinder(HTMLParser):
    """Collects what the scripts of a document need in its policy."""

    def __init__(self) -> None:
        """Begin with nothing."""
        super().__init__(convert_charrefs=False)
        self.sources: list[str] = []
        self.text: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a script's origin, or begin to collect its text."""
        if tag != "script":
            return
        source = dict(attrs).get("src")
        if source is None:
            self.text = []
        elif (url := urlsplit(source)).netloc:
            self.sources.append(f"{url.scheme or 'https'}://{url.netloc}")

    def handle_data(self, data: str) -> None:
        """Collect the text of a script."""
        if self.text is not None:
            self.text.append(data)

    def handle_endtag(self, tag: str) -> None:
        """Take the hash of a script's text."""
        if tag == "script" and self.text is not None:
            # As a browser reads it.
            text = "".join(self.text).replace("\r\n", "\n").replace("\r", "\n")
            digest = sha256(text.encode()).digest()
            self.sources.append(f"'sha256-{b64encode(digest).decode()}'")
            self.text = None


def script_sources(html: str) -> list[str]:
    """Return the origins and hashes of the scripts in a document, as it is sent."""
    finder = ScriptFinder()
    finder.feed(html)
    return finder.sources
