"""A route for every address."""

from flask import Flask, abort
from react_flask_kit import Kit

app = Flask(__name__)
Kit(app)


@app.get("/<path:path>")
def catch_all(path: str) -> object:
    if path.startswith("data/"):
        return {"path": path}
    if path.startswith("missing/"):
        abort(404)
    return f"<h1>{path}</h1>"
