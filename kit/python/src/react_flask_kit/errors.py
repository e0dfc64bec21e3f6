"""Every error of the API in one shape: problem details, as RFC 9457 defines them."""

import re
import traceback
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, json, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from .own_code import is_own_code

REQUEST_ID = "X-Request-ID"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
PLACE = re.compile(r'^ +File "(.+)", line (\d+)', re.MULTILINE)


def answer_errors_as_json(app: Flask) -> None:
    """Let the app answer errors that its author does not handle with problem details.

    A crash tells its exception, traceback, file and line while app.debug is on, and
    nothing of the inside otherwise.
    """
    handled = app.error_handler_spec[None][None]
    if HTTPException in handled or Exception in handled:
        return

    def answer_error(error: HTTPException) -> Response:
        crash = getattr(error, "original_exception", None)
        if crash is None and app.trap_http_exception(error):
            # As without any handler; what becomes of it then is a crash.
            raise error
        return problem(
            error, **(describe_exception(crash) if crash and app.debug else {})
        )

    # Not by Flask's method, which refuses once anything was dispatched, in a test say.
    handled[HTTPException] = answer_error


def problem(error: HTTPException, **more: Any) -> Response:
    """Return the problem details of an error: RFC 9457's members, and more if given.

    What the error itself brings stays: its headers, such as Allow, or the whole
    response of `abort(response)`.
    """
    response = error.get_response()
    if error.response is None:
        members = {
            "type": "about:blank",
            "title": error.name,
            "status": error.code,
            "detail": error.description,
        }
        if request:
            members["instance"] = quote(request.path)
        if request and error.description == RequestEntityTooLarge.description:
            members["detail"] = limit_exceeded()
        if request and error.code == 500:
            members["request_id"] = request.headers.get(REQUEST_ID)
        response.data = json.dumps(members | more)
        response.content_type = "application/problem+json"
        # A proxy may else keep the 404 of a file that the next release has.
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def limit_exceeded() -> str:
    """Say which limit the request that is being answered was over."""
    most, size = request.max_content_length, request.content_length
    if most is not None and (size is None or size > most):
        return f"The body of the request may have at most {most:,} bytes."
    if request.mimetype not in FORMS:
        # The app's own reason.
        return str(RequestEntityTooLarge.description)
    fields, field = request.max_form_parts, request.max_form_memory_size
    return f"A form may have at most {fields} fields, each of at most {field} bytes."


def describe_exception(error: BaseException) -> dict[str, Any]:
    """Tell what was raised and where, for whoever develops the API.

    `file` and `line` name the innermost place in the project's own code, or the place
    that Python could not read; they are null for what was never raised. `cure` says
    what to do, where that is known.
    """
    # Only now: production, which tells nothing of the inside, needs none of it.
    from .cures import cure_of

    # What a command has printed, where that is what failed.
    output = getattr(error, "command_output", "")
    if hasattr(error, "lineno") and getattr(error, "filename", None):
        # A SyntaxError, or another one that says where it is.
        file, line = error.filename, error.lineno
    else:
        frames = traceback.extract_tb(error.__traceback__)
        places = [frame[:2] for frame in frames]
        places += [(file, int(line)) for file, line in PLACE.findall(output)]
        own_places = [place for place in places if is_own_code(place[0])]
        file, line = (own_places or places or [(None, None)])[-1]
    description = {
        "exception": ": ".join(filter(None, [type(error).__name__, str(error)])),
        "traceback": output or "".join(traceback.format_exception(error)),
        "file": file,
        "line": line,
    }
    cure = cure_of(error)
    return description | {"cure": cure} if cure else description
