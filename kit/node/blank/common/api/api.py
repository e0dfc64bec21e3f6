"""The API."""

from typing import TypedDict

from flask import Flask
from react_flask_kit import Kit

app = Flask(__name__)
Kit(app)


class Greeting(TypedDict):
    """What is said to who asks."""

    text: str


@app.get("/greeting")
def get_greeting() -> Greeting:
    """Greet who asks."""
    return {"text": "Hello from Flask!"}
