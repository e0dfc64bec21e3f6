"""The limits of a request: a body that is whole or too large, JSON that is JSON."""

import json
from io import RawIOBase
from typing import IO, Any

from flask import Request
from flask.json.provider import DefaultJSONProvider
from werkzeug.utils import cached_property
from werkzeug.wsgi import LimitedStream

COMPACT = {"separators": (",", ":")}


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
