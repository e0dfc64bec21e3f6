"""The limits of a request: a body that is whole or too large, JSON that is JSON."""

import json
from io import BytesIO, RawIOBase
from math import isinf
from typing import IO, Any

from flask import Flask, Request
from flask.json.provider import DefaultJSONProvider
from flask.wrappers import Response
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.utils import cached_property
from werkzeug.wsgi import LimitedStream

COMPACT = {"separators": (",", ":")}


def use_strict_requests(app: Flask) -> None:
    """Replace Flask's default class of requests; an author's own stays."""
    if app.request_class is Request:
        app.request_class = StrictRequest


def use_strict_json(app: Flask) -> None:
    """Replace Flask's default for JSON, unless STRICT_JSON is false."""
    if app.config["STRICT_JSON"] and type(app.json) is DefaultJSONProvider:
        strict = StrictJSONProvider(app)
        # What the author has set of the default one.
        vars(strict).update(vars(app.json))
        app.json = strict


class LimitedFormDataParser(FormDataParser):
    """Refuse as many fields of a form as Werkzeug refuses parts of an upload."""

    def parse(self, stream: IO[bytes], mimetype: str, *args: Any) -> Any:
        """Parse a form, or raise RequestEntityTooLarge."""
        most = self.max_form_parts
        if mimetype == "application/x-www-form-urlencoded" and most is not None:
            text = stream.read()
            if text.count(b"&") >= most:
                raise RequestEntityTooLarge
            stream = BytesIO(text)
        return super().parse(stream, mimetype, *args)


class StrictRequest(Request):
    """A request whose body is whole or too large, also when its length is not told."""

    form_data_parser_class = LimitedFormDataParser

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
        strict = {"parse_constant": int, "parse_float": finite_float}
        try:
            value = super().loads(s, **(strict | kwargs))
            if (b"\\u" if isinstance(s, bytes) else "\\u") in s:
                # Half of a character, which no file or database could take.
                json.dumps(value, ensure_ascii=False).encode()
        except RecursionError:
            raise ValueError("The JSON is nested too deeply.") from None
        return value

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Write JSON, or raise ValueError."""
        return super().dumps(obj, **({"allow_nan": False} | kwargs))

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """Answer as Flask does, with what it would find out each time given."""
        if self.compact is False or (self.compact is None and self._app.debug):
            return super().response(*args, **kwargs)
        text = self.encoder.encode(self._prepare_response_obj(args, kwargs))
        return self._app.response_class(f"{text}\n", content_type=self.mimetype)

    @property
    def encoder(self) -> json.JSONEncoder:
        """Return an encoder; Flask makes one for each answer, others can share it."""
        wanted = (self.ensure_ascii, self.sort_keys, self.default)
        if self._encoder is None or self._encoder[0] != wanted:
            ensure_ascii, sort_keys, default = wanted
            encoder = json.JSONEncoder(
                allow_nan=False,
                default=default,
                ensure_ascii=ensure_ascii,
                sort_keys=sort_keys,
                **COMPACT,
            )
            self._encoder = (wanted, encoder)
        return self._encoder[1]

    _encoder: tuple[tuple, json.JSONEncoder] | None = None


def finite_float(text: str) -> float:
    """Read a number, or raise ValueError for one that Python takes for infinity."""
    number = float(text)
    if isinf(number):
        raise ValueError(f"The number {text} is too large.")
    return number
