"""New apps out of the fixture app, with settings and routes of a test's own."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

from flask import Flask, request
from processes import clean_env
from react_flask_kit.layer import answer_crash
from werkzeug.serving import make_server

APP = Path(__file__).parent / "fixture_app/app.py"


def load_app(file: Path = APP, /, **settings: str) -> Flask:
    """Run a file with no settings but these (without FLASK_ in the names)."""
    module = ModuleType(file.stem)
    module.__file__ = str(file)
    code = compile(file.read_text(encoding="utf-8"), file, "exec")
    env = clean_env(**{f"FLASK_{name}": text for name, text in settings.items()})
    with patch.dict(os.environ, env, clear=True):
        exec(code, module.__dict__)
    return module.app


def load_app_with_routes(**settings: str) -> Flask:
    """Run the fixture app and add a route for each way to answer."""
    app = load_app(**settings)

    @app.get("/crash")
    @app.get("/crash/<path:_>")
    def crash(_: str = "") -> None:
        raise RuntimeError("the password is swordfish")

    @app.post("/echo")
    def echo() -> dict:
        return {"sent": request.get_json()}

    @app.post("/upload")
    def upload() -> dict:
        return {"bytes": len(request.get_data())}

    @app.get("/slash/")
    def slash() -> str:
        return "slash"

    return app


def answer_crashes(app: Flask) -> Flask:
    """Let an app answer what it raises, as the servers of the kit do."""
    wsgi_app = app.wsgi_app

    def answering_app(environ: dict, start_response: Callable) -> Iterable[bytes]:
        try:
            return wsgi_app(environ, start_response)
        except Exception as error:
            # Werkzeug's client would raise what is in exc_info.
            return answer_crash(
                app, environ, lambda *start: start_response(*start[:2]), error
            )

    app.wsgi_app = answering_app
    return app


@contextmanager
def served(wsgi_app: Callable) -> Iterator[str]:
    """Serve an app from a thread; yield its host:port."""
    server = make_server("127.0.0.1", 0, wsgi_app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
