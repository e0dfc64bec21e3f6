"""What the API has before its first route: settings, limits, errors, CORS and log.

The settings are the FLASK_* variables in README.md's "Settings of the API".
"""

import json
import os
import re
from collections.abc import Callable, Collection
from difflib import get_close_matches
from io import RawIOBase
from typing import IO, Any

import click
from errors import answer_errors_as_json
from flask import Config, Flask, Request
from flask.helpers import get_debug_flag
from flask.json.provider import DefaultJSONProvider
from middleware import Entrance
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.utils import cached_property
from werkzeug.wsgi import LimitedStream

COMPACT = {"separators": (",", ":")}
MAKE_ONE = 'Make one: python -c "import secrets; print(secrets.token_hex())"'


class SettingError(click.ClickException):
    """A setting to change before the API can start; `flask run` prints it alone."""


def configure(app: Flask, required: Collection[str] = ()) -> None:
    """Give an app its settings from the environment, and what they say.

    Settings named in `required`, such as "JWT_SECRET_KEY", have no default: without
    their FLASK_ variable the API does not start.
    """
    read_settings(app.config, required)
    # A redirect that only adds a slash breaks a preflight, and names a forged host.
    app.url_map.strict_slashes = False
    app.request_class = StrictRequest
    app.json = StrictJSONProvider(app)
    answer_errors_as_json(app)
    app.wsgi_app = Entrance(app)
    if proxies := app.config["PROXIES"]:
        # Each proxy adds to X-Forwarded-For; the others are the last one's word.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=1, x_host=1)


def names(text: str) -> list[str]:
    """Take a list, as JSON or with commas."""
    return re.findall(r'[^\s,"\[\]]+', text)


BOOLEAN = (False, json.loads, "true|false", "true or false")
# The default of each, what reads its text, what each part must match, and in words.
SETTINGS: dict[str, tuple[Any, Callable[[str], Any], str, str]] = {
    "APP_VERSION": (None, str, ".*", "text"),
    "CORS_ALLOW_PRIVATE_NETWORK": BOOLEAN,
    "CORS_ORIGINS": (
        [],
        names,
        # As browsers send it: without the port that the scheme implies.
        r"\*|(?!http:.*:80$|https:.*:443$)https?://[a-z0-9_.-]+(:[0-9]{1,5})?",
        "origins such as https://app.example.com or http://localhost:3000, without a "
        "path, a slash at the end or a pattern",
    ),
    "CORS_SUPPORTS_CREDENTIALS": BOOLEAN,
    "CSP_CONNECT_SRC": (
        [],
        names,
        r"(https?|wss?)://[a-z0-9_.*-]+(:[0-9]{1,5})?",
        "origins such as https://maps.example.com",
    ),
    "LOG_FORMAT": ("text", str, "text|json", "text or json"),
    "MAX_CONTENT_LENGTH": (16_000_000, int, "[0-9]+", "bytes such as 16000000"),
    "PROXIES": (0, int, "[0-9]+", "a number such as 1"),
    "SOURCE_MAPS": BOOLEAN,
    "TRUSTED_HOSTS": (
        None,
        names,
        r"\.?[a-z0-9][a-z0-9.-]*",
        "names such as app.example.com, or .example.com with all below it, without "
        "scheme, port or path",
    ),
}


def read_settings(config: Config, required: Collection[str]) -> None:
    """Fill app.config from FLASK_* variables, and refuse what cannot be meant.

    An empty variable of ours counts as not set.
    """
    config.from_prefixed_env()
    # FLASK_DEBUG=no is no JSON: Flask reads it by rules of its own.
    config["DEBUG"] = get_debug_flag()
    for name, (default, read, pattern, advice) in SETTINGS.items():
        text = os.environ.get(f"FLASK_{name}")
        for part in names(text or "") if read is names else [text]:
            if part and not re.fullmatch(pattern, part):
                raise SettingError(f"FLASK_{name}: write {advice}; not {part!r}.")
        config[name] = read(text) if text else default

    for variable, text in os.environ.items():
        name = variable.removeprefix("FLASK_")
        if variable.startswith("FLASK_CORS_") and name not in SETTINGS:
            ours = ", ".join(f"FLASK_{n}" for n in SETTINGS if n.startswith("CORS_"))
            raise SettingError(f"{variable} is not a setting; these are: {ours}.")
        if variable.startswith("FLASK_") and name not in SETTINGS:
            for meant in get_close_matches(name, SETTINGS, 1, 0.9):
                raise SettingError(f"{variable}: did you mean FLASK_{meant}?")
        if variable.startswith("FLASK_") and name.endswith("SECRET_KEY"):
            # Not as JSON, which takes a key of digits for a number.
            config[name] = text
            is_own = name in ("SECRET_KEY", "JWT_SECRET_KEY", *required)
            if is_own and 0 < len(text.encode()) < 32:
                raise SettingError(f"{variable} is shorter than 32 bytes. {MAKE_ONE}")
    for name in required:
        if not config.get(name):
            advice = MAKE_ONE if name.endswith("SECRET_KEY") else ""
            raise SettingError(f"FLASK_{name} is not set. {advice}".rstrip())
    if "*" in config["CORS_ORIGINS"] and (
        config["CORS_SUPPORTS_CREDENTIALS"] or len(config["CORS_ORIGINS"]) > 1
    ):
        raise SettingError(
            "FLASK_CORS_ORIGINS: * is every website, and with credentials each could "
            "act as your users. Write * alone, or each origin."
        )


class StrictRequest(Request):
    """A request whose body is whole or too large, also when its length is not told."""

    @cached_property
    def stream(self) -> IO[bytes]:
        """Return the body as Flask does, or with its end checked."""
        limit = self.max_content_length
        is_chunked = self.content_length is None
        if limit and is_chunked and self.environ.get("wsgi.input_terminated"):
            return WholeStream(self.environ["wsgi.input"], limit + 1, is_max=True)
        return super().stream


class WholeStream(LimitedStream):
    """Raise RequestEntityTooLarge where Werkzeug's stream would end at its limit."""

    readall = RawIOBase.readall


class StrictJSONProvider(DefaultJSONProvider):
    """JSON as every language reads it: without NaN, and without bottomless nesting.

    A request that has either is a bad one; an answer would be unreadable to the page.
    """

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Read JSON, or raise ValueError; int raises it for NaN and Infinity."""
        try:
            return super().loads(s, parse_constant=int, **kwargs)
        except RecursionError:
            raise ValueError("The JSON is nested too deeply.") from None

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Write JSON, or raise ValueError."""
        # Flask makes an encoder for each answer; outside of debug they can share one.
        if kwargs == COMPACT:
            return self.encoder.encode(obj)
        return super().dumps(obj, allow_nan=False, **kwargs)

    @cached_property
    def encoder(self) -> json.JSONEncoder:
        """Return the encoder of answers outside of debug."""
        app_wants = {"ensure_ascii": self.ensure_ascii, "sort_keys": self.sort_keys}
        return json.JSONEncoder(
            allow_nan=False, default=self.default, **app_wants, **COMPACT
        )
