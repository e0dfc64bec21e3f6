"""The settings: FLASK_* variables, which the README of this package lists."""

import json
import os
import re
import secrets
from collections.abc import Callable, Collection
from difflib import get_close_matches
from typing import Any

import click
from flask import Flask
from flask.helpers import get_debug_flag

from .policy import DIRECTIVES, KEYWORD, setting_of

MAKE_ONE = 'Make one: python -c "import secrets; print(secrets.token_hex())"'


class SettingError(click.ClickException):
    """A setting to change before the API can start; `flask run` prints it alone."""


def names(text: str) -> list[str]:
    """Take a list, as JSON or with commas."""
    return re.findall(r'[^\s,"\[\]]+', text)


BOOLEAN = (False, json.loads, "true|false", "true or false")
ORIGIN = r"(https?|wss?)://[A-Za-z0-9_.*-]+(:([0-9]{1,5}|\*))?(/[^\s;,']*)?"
SOURCES = (
    None,
    names,
    rf"{ORIGIN}|[a-z][a-z0-9+.-]*:|'?({KEYWORD.pattern})'?",
    "origins such as https://maps.example.com, schemes such as blob: or keywords such "
    "as unsafe-inline",
)
# The default of each, what reads its text, what each part must match, and in words.
SETTINGS: dict[str, tuple[Any, Callable[[str], Any], str, str]] = {
    "APP_VERSION": (None, str, ".*", "text"),
    "CORS_ALLOW_PRIVATE_NETWORK": BOOLEAN,
    "CORS_ORIGINS": (
        None,
        names,
        # As browsers send it: without the port that the scheme implies.
        r"\*|(?!http:.*:80$|https:.*:443$)https?://[a-z0-9_.-]+(:[0-9]{1,5})?",
        "origins such as https://app.example.com or http://localhost:3000, without a "
        "path, a slash at the end or a pattern",
    ),
    "CORS_SUPPORTS_CREDENTIALS": BOOLEAN,
    "CSP": ("standard", str, "standard|strict|off", "standard, strict or off"),
    **{setting_of(directive): SOURCES for directive in DIRECTIVES},
    "INSTANCE_PATH": (None, str, ".*", "a folder"),
    "LOG_FORMAT": ("text", str, "text|json", "text or json"),
    "MAX_CONTENT_LENGTH": (16_000_000, int, "[0-9]+", "bytes such as 16000000"),
    "PERMISSIONS_POLICY": (None, str, r"[^\n\r]*", "the value of the header"),
    "PROXIES": (0, int, "[0-9]+", "a number such as 1"),
    "SOURCE_MAPS": BOOLEAN,
    "STRICT_JSON": (True, *BOOLEAN[1:]),
    "TRUSTED_HOSTS": (
        None,
        names,
        r"\.?[a-z0-9][a-z0-9.-]*",
        "names such as app.example.com, or .example.com with all below it, without "
        "scheme, port or path",
    ),
}

# Those of flask-cors that say something of one policy for all paths.
CORS_SETTINGS = {name for name in SETTINGS if name.startswith("CORS_")} | {
    "CORS_ALLOW_HEADERS",
    "CORS_EXPOSE_HEADERS",
    "CORS_MAX_AGE",
    "CORS_METHODS",
}
KNOWN = {*SETTINGS, *CORS_SETTINGS}


def read_settings(app: Flask, required: Collection[str]) -> None:
    """Fill app.config from FLASK_* variables; an invalid one raises SettingError.

    The environment comes before what the author has set, and that before our defaults.
    An empty variable of ours counts as not set.
    """
    config = app.config
    empty = [name for name in KNOWN if os.environ.get(f"FLASK_{name}") == ""]
    kept = {name: config[name] for name in empty if name in config}
    config.from_prefixed_env()
    for name in empty:
        del config[name]
    config.update(kept)
    if "FLASK_DEBUG" in os.environ:
        # "no" is no JSON: Flask reads it by rules of its own.
        config["DEBUG"] = get_debug_flag()
    for name, (default, read, pattern, advice) in SETTINGS.items():
        text = os.environ.get(f"FLASK_{name}")
        for part in names(text or "") if read is names else [text]:
            if part and not re.fullmatch(pattern, part):
                raise SettingError(f"FLASK_{name}: write {advice}; not {part!r}.")
        if text:
            config[name] = read(text)
        elif config.get(name) is None and not name.startswith("CORS_"):
            # Flask itself sets some to None; flask-cors reads its own, even a default.
            config[name] = default

    for variable, text in os.environ.items():
        name = variable.removeprefix("FLASK_")
        if variable.startswith("FLASK_CORS_") and name not in CORS_SETTINGS:
            known = ", ".join(f"FLASK_{n}" for n in sorted(CORS_SETTINGS))
            raise SettingError(f"{variable} is not a setting; these are: {known}.")
        if variable.startswith("FLASK_") and name not in KNOWN:
            for meant in get_close_matches(name, KNOWN, 1, 0.9):
                raise SettingError(f"{variable}: did you mean FLASK_{meant}?")
        if variable.startswith("FLASK_") and name.endswith("SECRET_KEY"):
            # Not as JSON, which takes a key of digits for a number.
            config[name] = text
            is_own = name in ("SECRET_KEY", "JWT_SECRET_KEY", *required)
            if is_own and 0 < len(text.encode()) < 32:
                raise SettingError(f"{variable} is shorter than 32 bytes. {MAKE_ONE}")
    for name in required:
        is_key = name.endswith("SECRET_KEY")
        if is_key and config["TESTING"]:
            config[name] = config.get(name) or secrets.token_hex()
        if config.get(name) in (None, ""):
            advice = f" {MAKE_ONE}" if is_key else ""
            raise SettingError(
                f"FLASK_{name} is not set. Write it into .env, and for tests into "
                f".env.test.{advice}"
            )
    if path := config["INSTANCE_PATH"]:
        app.instance_path = os.path.abspath(path)
    origins = config.get("CORS_ORIGINS") or ()
    if "*" in origins and (config.get("CORS_SUPPORTS_CREDENTIALS") or len(origins) > 1):
        raise SettingError(
            "FLASK_CORS_ORIGINS: * is every website, and with credentials each could "
            "act as your users. Write * alone, or each origin."
        )
