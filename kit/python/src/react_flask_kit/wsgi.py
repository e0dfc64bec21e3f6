"""The WSGI application of production: the app that FLASK_APP names, and the frontend.

    gunicorn react_flask_kit.wsgi

`python -m react_flask_kit` serves it too. Importing it reads .env.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from dotenv import find_dotenv, load_dotenv

from .frontend import Frontend
from .headers import SecurityHeaders
from .loading import load_app, name_app

load_dotenv(find_dotenv(usecwd=True))
name_app()
# Whatever the environment says: visitors learn nothing of the inside.
os.environ["FLASK_DEBUG"] = "0"
app = load_app()


class WholeResponse(app.response_class):
    """A response that Granian sends in one piece, unless it is a stream."""

    def get_app_iter(self, environ: dict) -> Iterable[bytes]:
        """Return the body as one block: a worker that is killed cuts none in two."""
        body = super().get_app_iter(environ)
        if not self.is_sequence:
            return body
        whole = b"".join(body)
        self.close()
        return [whole]


app.response_class = WholeResponse
application = SecurityHeaders(
    Frontend(
        app,
        Path(os.environ.get("BUILD_PATH") or "build").resolve(),
        app.config.get("SOURCE_MAPS", False),
    ),
    app.config.get("CSP_CONNECT_SRC", []),
    app.config.get("PROXIES", 0),
)
