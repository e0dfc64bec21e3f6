"""New apps out of api.py, with settings and routes of a test's own."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from unittest.mock import patch

from flask import Flask, request
from servers import ROOT
from werkzeug.serving import make_server

API = ROOT / "api/api.py"


def load_app(
    edit: Callable[[str], str] = lambda source: source, **settings: str
) -> Flask:
    """Run api.py, edited, with no settings but these (without FLASK_ in the names)."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("FLASK_")}
    module = ModuleType("api")
    module.__file__ = str(API)
    code = compile(edit(API.read_text(encoding="utf-8")), API, "exec")
    with patch.dict(
        os.environ, env | {f"FLASK_{k}": v for k, v in settings.items()}, clear=True
    ):
        exec(code, module.__dict__)
    return module.app


def load_app_with_routes(**settings: str) -> Flask:
    """Run api.py and add a route for each way to answer."""
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
