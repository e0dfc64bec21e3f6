"""The smallest app that uses the kit."""

import time

from flask import Flask
from react_flask_kit import Kit

app = Flask(__name__)
Kit(app)


@app.get("/time")
def get_current_time() -> dict[str, float]:
    return {"time": time.time()}
