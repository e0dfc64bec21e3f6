"""Pages of the app's own, with a script in their HTML."""

from flask import Flask, Response, make_response, render_template
from react_flask_kit import Kit

app = Flask(__name__)
Kit(app)


@app.get("/written")
def written() -> str:
    return render_template("written.html")


@app.get("/written-with-policy")
def written_with_policy() -> Response:
    response = make_response(render_template("written.html"))
    response.headers["Content-Security-Policy"] = "script-src 'unsafe-inline'"
    return response
