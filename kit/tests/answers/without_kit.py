"""An app that does not know of the kit."""

from flask import Flask

app = Flask(__name__)


@app.get("/books")
def books() -> list[str]:
    return ["Emma"]


@app.get("/about")
def about() -> str:
    return "<h1>About</h1>"


@app.post("/order")
def order() -> str:
    return "Ordered."
