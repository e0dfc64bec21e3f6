"""Routes that depend on the first part of the host."""

from flask import Flask
from react_flask_kit import Kit

app = Flask(__name__, subdomain_matching=True)
app.config["SERVER_NAME"] = "site.localhost"
Kit(app)


@app.get("/books")
def books() -> list[str]:
    return ["Emma"]


@app.get("/about", subdomain="shop")
def about_the_shop() -> str:
    return "<h1>The shop</h1>"


@app.get("/books", subdomain="<user>")
def books_of(user: str) -> str:
    return f"<h1>Books of {user}</h1>"
