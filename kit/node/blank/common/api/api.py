"""The API."""

from flask import Flask
from react_flask_kit import Kit

app = Flask(__name__)
Kit(app)


@app.get("/hello")
def hello() -> dict[str, str]:
    """Greet who asks."""
    return {"greeting": "Hello from Flask!"}
