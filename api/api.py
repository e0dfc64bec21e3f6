"""The API: everything that the page can ask for. A route is all that you add here."""

import time

from errors import answer_errors_as_json
from flask import Flask

app = Flask(__name__)
answer_errors_as_json(app)


@app.get("/time")
def get_current_time() -> dict[str, float]:
    """Return the current time in seconds since the Unix epoch."""
    return {"time": time.time()}
