"""The API: everything that the page can ask for. A route is all that you add here."""

import time
from typing import Any

from configuration import configure
from flask import Flask

app = Flask(__name__)
configure(app)


@app.get("/time")
def get_current_time() -> dict[str, float]:
    """Return the current time in seconds since the Unix epoch."""
    return {"time": time.time()}


@app.get("/health")
def get_health() -> tuple[dict[str, Any], dict[str, str]]:
    """Return that the API works; a check of its database goes here."""
    health = {"status": "ok", "version": app.config["APP_VERSION"]}
    return health, {"Cache-Control": "no-store"}
