"""Routes that depend on the whole host."""

from flask import Flask
from react_flask_kit import Kit

app = Flask(__name__, host_matching=True, static_host="static.localhost")
Kit(app)


@app.get("/books", host="data.localhost")
def books() -> list[str]:
    return ["Emma"]


@app.get("/books", host="shop.localhost")
def books_to_buy() -> str:
    return "<h1>Books</h1>"
