"""Flask-WTF: a POST is refused without the token of its session, and taken with it.

The contract holds for a form with a hidden field and for JSON with a header; the
refusal has the kit's shape and the extension's own words.
"""

import re

from flask import Flask, render_template_string
from flask_wtf import CSRFProtect, FlaskForm
from flask_wtf.csrf import generate_csrf
from react_flask_kit import Kit
from wtforms import StringField
from wtforms.validators import InputRequired

from servers import Server

PAGE = "<form method=post>{{ form.hidden_tag() }}{{ form.title() }}</form>"


class BookForm(FlaskForm):
    title = StringField(validators=[InputRequired()])


def create_app() -> Flask:
    app = Flask(__name__)
    CSRFProtect(app)
    Kit(app, required=["SECRET_KEY"])

    @app.route("/form", methods=["GET", "POST"])
    def form() -> str | dict:
        form = BookForm()
        if form.validate_on_submit():
            return {"title": form.title.data}
        return render_template_string(PAGE, form=form)

    @app.get("/token")
    def token() -> dict[str, str]:
        return {"token": generate_csrf()}

    @app.post("/books")
    def books() -> dict[str, bool]:
        return {"taken": True}

    return app


def test_json_is_taken_with_the_token_of_its_session_only(server: Server) -> None:
    refused = server.post("/books", {})
    assert refused.status == 400
    assert refused.json["detail"] == "The CSRF token is missing."
    assert refused.headers.get_content_type() == "application/problem+json"
    token = server.get("/token").json["token"]
    assert server.post("/books", {}, X_CSRFToken=token).json == {"taken": True}
    assert server.browser().post("/books", {}, X_CSRFToken=token).status == 400


def test_a_form_is_taken_with_its_hidden_field_only(server: Server) -> None:
    assert server.post("/form", form={"title": "Emma"}).status == 400
    hidden = re.search('name="csrf_token".*? value="(.+?)"', server.get("/form").text)
    sent = {"title": "Emma", "csrf_token": hidden[1]}
    assert server.post("/form", form=sent).json == {"title": "Emma"}
    assert "<form" in server.post("/form", form=sent | {"title": ""}).text
