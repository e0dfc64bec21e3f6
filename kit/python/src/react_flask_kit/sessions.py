"""The session cookie: not for other sites, and only encrypted where the request was."""

from flask import Flask, request
from flask.sessions import NullSession, SecureCookieSessionInterface

NO_SESSION = NullSession()


class SafeCookieSessions(SecureCookieSessionInterface):
    """Flask's sessions, with safer answers where the author has left the settings."""

    def make_null_session(self, app: Flask) -> NullSession:
        """Return what an app without a secret key has; nobody can write into it."""
        return NO_SESSION

    def get_cookie_samesite(self, app: Flask) -> str | None:
        """Return what the author says, else Lax."""
        return super().get_cookie_samesite(app) or "Lax"

    def get_cookie_secure(self, app: Flask) -> bool:
        """Return what the author says, else whether the request came by TLS."""
        return super().get_cookie_secure(app) or (bool(request) and request.is_secure)


def use_safe_cookies(app: Flask) -> None:
    """Replace Flask's default for sessions; an author's own stays."""
    if type(app.session_interface) is SecureCookieSessionInterface:
        app.session_interface = SafeCookieSessions()
