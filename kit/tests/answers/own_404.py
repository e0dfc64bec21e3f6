"""An app whose author has written a page for what is not there."""

from flask import Flask, abort
from react_flask_kit import Kit

app = Flask(__name__)
Kit(app)


@app.errorhandler(404)
def nothing(_error: Exception) -> tuple[str, int]:
    return "<h1>Nothing here</h1>", 404


@app.get("/items/<int:number>")
def item(number: int) -> dict[str, int]:
    if number > 9:
        abort(404)
    return {"item": number}
