"""What an app may import: a list that this test holds.

The contract: the names of `react_flask_kit.__all__` are public and documented, and
everything else may change; to import them costs an app nothing that it does not use.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import react_flask_kit
from flask import Flask
from processes import clean_env
from werkzeug.exceptions import NotFound

PUBLIC = ["Kit", "SettingError", "problem", "read_form", "read_json", "read_query"]
README = Path(__file__).parents[1] / "README.md"
# Of tests, of the production server, and of what reads types.
NOT_FOR_AN_APP = {"granian", "msgspec", "playwright", "pytest", "whitenoise"}


def test_the_public_names_are_these() -> None:
    assert sorted(react_flask_kit.__all__) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_can_be_imported_and_says_what_it_is(name: str) -> None:
    imported: dict = {}
    exec(f"from react_flask_kit import {name}", imported)
    assert imported[name] is getattr(react_flask_kit, name)
    assert imported[name].__name__ == name
    assert imported[name].__doc__


def test_a_star_imports_the_public_names_alone() -> None:
    imported: dict = {}
    exec("from react_flask_kit import *", imported)
    assert sorted(imported.keys() - {"__builtins__"}) == PUBLIC


def test_the_readme_lists_and_imports_the_public_names_alone() -> None:
    text = README.read_text(encoding="utf-8")
    section = text.split("\n## Public names\n")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)", section, re.MULTILINE)) == set(PUBLIC)
    imports = re.findall(r"from react_flask_kit import ([\w, ]+)", text)
    names = {name.strip() for line in imports for name in line.split(",")}
    assert names <= set(PUBLIC)
    assert not re.search(r"from react_flask_kit\.", text)


def test_a_problem_is_an_answer_of_an_app(app: Flask) -> None:
    with app.test_request_context("/books/7"):
        response = react_flask_kit.problem(NotFound("No such book."), isbn="7")
    assert (response.status_code, response.content_type) == (
        404,
        "application/problem+json",
    )
    assert response.json == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "No such book.",
        "instance": "/books/7",
        "isbn": "7",
    }


def test_an_app_imports_nothing_that_it_does_not_use() -> None:
    code = "import sys, react_flask_kit; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, env=clean_env(), capture_output=True, text=True, check=True
    )
    assert NOT_FOR_AN_APP & set(done.stdout.split()) == set()
