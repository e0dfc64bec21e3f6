"""The settings: FLASK_* variables, which the README of this package lists."""

import json
import os
import re
import secrets
from collections.abc import Callable, Collection
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from time import sleep
from typing import Any

import click
from flask import Flask
from flask.helpers import get_debug_flag

from .policy import DIRECTIVES, KEYWORD, setting_of

MOST_LOOKS = 100
SECONDS_BETWEEN_LOOKS = 0.01
SECRETS = ("KEY", "PASSWORD", "SECRET", "TOKEN")
# Any text will do for these; that of another service must be the one that it gave.
OWN_KEYS = ("SECRET_KEY", "JWT_SECRET_KEY")
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
    "CHECK_ANSWERS": (True, *BOOLEAN[1:]),
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
    "OPENAPI": BOOLEAN,
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
# Set once: a test or a script may turn them afterwards.
SWITCHES = ("DEBUG", "TESTING")


def read_settings(app: Flask, required: Collection[str]) -> dict[str, Any]:
    """Fill app.config from FLASK_* variables; an invalid one raises SettingError.

    An empty variable of ours counts as not set. Returns what the environment says, for
    `settle` once the author has set the rest.
    """
    config, before = app.config, dict(app.config)
    config.from_prefixed_env()
    if "FLASK_DEBUG" in os.environ:
        # "no" is no JSON: Flask reads it by rules of its own.
        config["DEBUG"] = get_debug_flag()
    said = {}
    for variable, text in os.environ.items():
        name = variable.removeprefix("FLASK_")
        if not variable.startswith("FLASK_"):
            continue
        assert_known(variable, name)
        if name in KNOWN and not text:
            del config[name]
            config.update({k: v for k, v in before.items() if k == name})
            continue
        if name in SETTINGS:
            config[name] = read_one(variable, text)
        elif name.endswith(SECRETS):
            # Not as JSON, which takes a key of digits for a number.
            config[name] = text
            is_key = name.endswith("SECRET_KEY")
            is_own = name in OWN_KEYS or (is_key and name in required)
            if is_own and 0 < len(text.encode()) < 32:
                raise SettingError(f"{variable} is shorter than 32 bytes. {MAKE_ONE}")
        top = name.partition("__")[0]
        if top in config and top not in SWITCHES:
            said[top] = config[top]
    settle(app, {}, required)
    return said


def settle(app: Flask, said: dict[str, Any], required: Collection[str]) -> None:
    """Let what the environment says come before the author, and him before a default.

    Raises SettingError where what is required is missing, or a value makes no sense.
    """
    config = app.config
    config.update(said)
    for name, (default, read, pattern, advice) in SETTINGS.items():
        value = config.get(name)
        if value is None and not name.startswith("CORS_"):
            # Flask itself sets some to None; flask-cors reads its own, even a default.
            config[name] = default
        elif read is str and not re.fullmatch(pattern, str(value or "")) and value:
            raise SettingError(f"{name}: write {advice}; not {value!r}.")
    if path := config["INSTANCE_PATH"]:
        app.instance_path = os.path.abspath(path)
    for name in required:
        is_key = name.endswith("SECRET_KEY")
        if not config.get(name) and (app.debug or app.testing):
            if name in OWN_KEYS:
                config[name] = own_key(Path(app.instance_path), name)
            elif is_key and app.testing:
                config[name] = secrets.token_hex()
        if config.get(name) in (None, ""):
            advice = f" {MAKE_ONE}" if is_key else ""
            tests = "" if is_key else ", and for tests into .env.test"
            raise SettingError(
                f"FLASK_{name} is not set. Write it into .env{tests}.{advice}"
            )
    origins = config.get("CORS_ORIGINS") or ()
    if "*" in origins and (config.get("CORS_SUPPORTS_CREDENTIALS") or len(origins) > 1):
        raise SettingError(
            "FLASK_CORS_ORIGINS: * is every website, and with credentials each could "
            "act as your users. Write * alone, or each origin."
        )


def own_key(folder: Path, name: str) -> str:
    """Return a key of this machine, which is made once and kept in the folder for data.

    Raises SettingError where that cannot be written.
    """
    path = folder / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # For its owner alone; of two processes, the first one makes it.
        with suppress(FileExistsError):
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_hex())
        for _ in range(MOST_LOOKS):
            if key := path.read_text().strip():
                return key
            # The other one has not written it yet.
            sleep(SECONDS_BETWEEN_LOOKS)
        reason = "the file is empty"
    except OSError as error:
        reason = error.strerror
    raise SettingError(
        f"FLASK_{name} is not set, and none can be kept in {path}: {reason}. "
        f"Write it into .env. {MAKE_ONE}"
    )


def read_one(variable: str, text: str) -> Any:
    """Return what the text of a variable of ours says, or raise SettingError."""
    _, read, pattern, advice = SETTINGS[variable.removeprefix("FLASK_")]
    for part in names(text) if read is names else [text]:
        if not re.fullmatch(pattern, part):
            raise SettingError(f"{variable}: write {advice}; not {part!r}.")
    return read(text)


def assert_known(variable: str, name: str) -> None:
    """Raise SettingError for a variable that is misspelt."""
    if name.startswith("CORS_") and name not in CORS_SETTINGS:
        known = ", ".join(f"FLASK_{n}" for n in sorted(CORS_SETTINGS))
        raise SettingError(f"{variable} is not a setting; these are: {known}.")
    if name not in KNOWN:
        for meant in get_close_matches(name, KNOWN, 1, 0.9):
            raise SettingError(f"{variable}: did you mean FLASK_{meant}?")
