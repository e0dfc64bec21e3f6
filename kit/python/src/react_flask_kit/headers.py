"""The headers that tell a browser how little a page of this site needs."""

from collections.abc import Callable, Iterable

HEADERS = [
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
]
# Two years, as browsers' preload lists want it.
STRICT_TRANSPORT = ("Strict-Transport-Security", "max-age=63072000")


def content_security_policy(connect_src: Iterable[str] = ()) -> str:
    """Return the policy: all from this site, nothing inline, and no eval.

    connect_src are the other origins that the page may ask, as "https://x.example.com".
    """
    return "; ".join(
        [
            "default-src 'self'",
            " ".join(["connect-src 'self'", *connect_src]),
            # The build makes small images part of the code.
            "img-src 'self' data:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )


class SecurityHeaders:
    """Add the headers to each answer of a WSGI app that does not have its own."""

    def __init__(
        self, wsgi_app: Callable, connect_src: Iterable[str] = (), proxies: int = 0
    ) -> None:
        """Wrap an app; proxies is how many stand in front and tell the scheme."""
        self.wsgi_app = wsgi_app
        self.proxies = proxies
        policy = content_security_policy(connect_src)
        self.headers = [("Content-Security-Policy", policy), *HEADERS]
        self.secure_headers = [*self.headers, STRICT_TRANSPORT]

    def __call__(self, environ: dict, start_response: Callable) -> Iterable[bytes]:
        """Answer one request, as WSGI defines it."""

        def start(status: str, headers: list, exc_info: object = None) -> Callable:
            own = {name.title() for name, _ in headers}
            ours = self.secure_headers if self.is_secure(environ) else self.headers
            more = [header for header in ours if header[0].title() not in own]
            return start_response(status, headers + more, exc_info)

        return self.wsgi_app(environ, start)

    def is_secure(self, environ: dict) -> bool:
        """Tell whether the browser's connection is encrypted."""
        scheme = environ["wsgi.url_scheme"]
        if self.proxies:
            forwarded = environ.get("HTTP_X_FORWARDED_PROTO", scheme)
            scheme = forwarded.rpartition(",")[2].strip()
        return scheme == "https"
