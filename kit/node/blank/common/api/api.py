"""The API."""

from flask import Flask
from react_flask_kit import Kit

app = Flask(__name__)
Kit(app)


@app.get("/greeting")
def get_greeting() -> dict[str, str]:
    """Greet who asks."""
    return {"text": "Hello from Flask!"}
