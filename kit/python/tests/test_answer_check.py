"""What a view returns, compared with its return hint.

The contract: in development and in tests, where the frontend has types of the API, a
view that returns what it did not promise is a crash that names the field and the line;
no answer is changed by it, and production does not know of it.
"""

import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Literal, TypedDict

import pytest
from apps import answer_crashes, load_app
from flask import Flask
from processes import clean_env
from react_flask_kit.answers import AnswerError, Comparison
from react_flask_kit.errors import describe_exception


class File(TypedDict):
    parts: "list[Directory | File]"
    type: Literal["file"]


class Directory(TypedDict):
    parts: "list[Directory | File]"
    type: Literal["directory"]


API = '''
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, TypedDict

from flask import Blueprint, Flask, Response, abort, redirect, request
from flask.json.provider import DefaultJSONProvider
from flask.views import MethodView
from msgspec import Meta
from react_flask_kit import Kit


class Tag(TypedDict):
    name: str


class Note(TypedDict):
    id: int
    tags: list[Tag]


class Draft(Note, total=False):
    at: datetime


class Failure(TypedDict):
    error: str


class Color(Enum):
    RED = "red"


@dataclass
class Point:
    x: float


class Count:
    """Tells at each look how many there were."""

    looks = 0

    def __html__(self) -> str:
        self.looks += 1
        return str(self.looks)


class Json(DefaultJSONProvider):
    """JSON with iterators, each of which can be read once."""

    @staticmethod
    def default(value: Any) -> Any:
        is_iterator = hasattr(value, "__next__")
        return list(value) if is_iterator else DefaultJSONProvider.default(value)


class App(Flask):
    """An app whose author has a word in what is answered."""

    json_provider_class = Json

    def dispatch_request(self) -> Any:
        if request.path == "/author":
            return {"author": 1}
        answer = super().dispatch_request()
        return {"id": "other"} if answer == "other" else answer

    def make_response(self, answer: Any) -> Response:
        is_color = answer == {"color": Color.RED}
        return super().make_response({"color": "red"} if is_color else answer)


NOTE = {"id": 1, "tags": [{"name": "a"}]}
NOW = datetime(2026, 1, 31)
app = App(__name__)
Kit(app)
'''
VIEW = '''

@app.get("/")
def view() -> HINT:
    """Answer."""
    return VALUE
'''


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a project with types for the frontend, and work in it."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src/api-types.d.ts").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def app_with(project: Path, code: str, **settings: str) -> Flask:
    """Run an app of a project with some more code."""
    file = project / "api.py"
    file.write_text(API + code, encoding="utf-8")
    return load_app(file, **settings or {"TESTING": "1"})


def app_that(project: Path, hint: str, value: str, **settings: str) -> Flask:
    """Run an app with a view that promises and returns something."""
    code = VIEW.replace("HINT", hint).replace("VALUE", value)
    return app_with(project, code, **settings)


@pytest.mark.parametrize(
    ("hint", "value", "words"),
    [
        ("Note", "{'id': 'a', 'tags': []}", '"id" is "a" and not a whole number'),
        ("Note", "{'id': True, 'tags': []}", '"id" is true and not a whole number'),
        ("Note", "{'id': 1}", '"tags" is missing'),
        ("Note", "NOTE | {'text': ''}", '"text" is not one of its fields'),
        ("Note", "{'id': 1, 'tags': {}}", '"tags" is an object and not a list'),
        (
            "Note",
            "{'id': 1, 'tags': [{'name': 'a'}, {'name': None}]}",
            '"tags[1].name" is null and not a string',
        ),
        ("Note", "[NOTE]", "it is a list and not an object"),
        ("Note", "'text'", 'it is "text" and not an object'),
        ("Note", f"'{'a' * 100}'", f'it is "{"a" * 59}… and not an object'),
        ("list[Note]", "[NOTE, {}]", '"[1].id" is missing'),
        ("list[Note]", "NOTE", "it is an object and not a list"),
        (
            "dict[str, Note]",
            "{'a': NOTE | {'id': 0.5}}",
            '"a.id" is 0.5 and not a whole number',
        ),
        ("dict[str, float]", "{'a': '1'}", '"a" is "1" and not a number'),
        ("dict[str, bool]", "{'a': 1}", '"a" is 1 and not true or false'),
        ("str", "NOTE", "it is an object and not a string"),
        ("Draft", "NOTE | {'at': 1}", '"at" is 1 and not a string'),
        ("dict[str, Decimal]", "{'price': 1.5}", '"price" is 1.5 and not a string'),
        (
            "dict[str, Point]",
            "{'a': NOW}",
            '"a" is "Sat, 31 Jan 2026 00:00:00 GMT" and not an object',
        ),
        ("list[tuple[int, str]]", "[(1, 2)]", '"[0][1]" is 2 and not a string'),
        ("dict[str, Literal['a', 'b']]", "{'x': 'c'}", '"x" is "c" and not "a" or "b"'),
        (
            "dict[str, int | None]",
            "{'x': 'c'}",
            '"x" is "c" and not a whole number or null',
        ),
        (
            "dict[str, Annotated[int, Meta(ge=1)]]",
            "{'x': 0}",
            '"x" is 0 and not at least 1',
        ),
        (
            "dict[str, Annotated[str, Meta(max_length=1)]]",
            "{'x': 'ab'}",
            '"x" is "ab" and not at most 1 long',
        ),
        ("Note | Failure", "{'error': 5}", '"error" is 5 and not a string'),
        ("Note | Response", "{'id': 1}", '"tags" is missing'),
        ("tuple[Note, int]", "{}, 201", '"id" is missing'),
        ("tuple[Note, int]", "{}, 404", '"id" is missing'),
        ("tuple[Note, Literal[201]]", "{}, 201", '"id" is missing'),
        ("tuple[Note, Literal[201]]", "{}, 200", '"id" is missing'),
        ("tuple[Note, Literal[201]]", "{}, '201 CREATED'", '"id" is missing'),
        (
            "tuple[Note, int, dict[str, str]]",
            "{}, 200, {'X-A': 'b'}",
            '"id" is missing',
        ),
        ("tuple[Note, dict[str, str]]", "{}, {'X-A': 'b'}", '"id" is missing'),
        ("Note", "{}, 201", '"id" is missing'),
        ("'Note'", "{}", '"id" is missing'),
        (
            "Note | tuple[Failure, Literal[400]]",
            "{'error': 5}, 400",
            '"error" is 5 and not a string',
        ),
    ],
)
def test_what_a_view_did_not_promise_is_a_crash_in_a_test(
    project: Path, hint: str, value: str, words: str
) -> None:
    client = app_that(project, hint, value).test_client()
    with pytest.raises(AnswerError) as caught:
        client.get("/")
    promised = hint.strip("'")
    assert str(caught.value) == f"view() in api.py promised {promised}, but {words}."


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        ("Note", "NOTE"),
        ("Draft", "NOTE"),
        ("Draft", "NOTE | {'at': NOW}"),
        ("Note | None", "NOTE"),
        ("Note | Failure", "{'error': 'a'}"),
        ("list[Note | Failure]", "[NOTE, {'error': 'a'}]"),
        ("dict[str, float]", "{'a': 1}"),
        ("dict[str, int]", "{'a': 1.0}"),
        ("dict[str, Point]", "{'a': Point(1)}"),
        ("dict[int, str]", "{1: 'a'}"),
        ("dict[str, Any]", "{'a': {'b': None}}"),
        ("dict", "{'a': 1}"),
        ("Any", "{'a': 1}"),
        ("str", "'text'"),
        ("Literal['a', 'b']", "'a'"),
        ("dict[str, str]", "{'color': Color.RED}"),
        ("tuple[Note, Literal[201]]", "NOTE, 201"),
        ("Note", "({'error': 5}, 400)"),
        ("Note", "NOTE, {'X-A': 'b'}"),
        ("Note", "Response('text')"),
        ("Note", "redirect('/elsewhere')"),
        ("Note", "abort(404)"),
        ("Iterator[str]", "iter('abc')"),
        ("Note", "iter('abc')"),
        ("bytes", "b'abc'"),
        ("Response", "{'a': 1}"),
        ("'Unknown'", "{'a': 1}"),
        ("dict[str, Color]", "{'a': 1}"),
        ("tuple[Note, Literal['what']]", "{'a': 1}"),
        (
            "dict[str, Annotated[list[int], Meta(min_length=3)]]",
            "{'numbers': (n for n in range(3))}",
        ),
        ("list[Literal['1']]", "[Count()]"),
    ],
)
def test_no_other_answer_is_touched(project: Path, hint: str, value: str) -> None:
    checked = app_that(project, hint, value).test_client().get("/")
    (project / "src/api-types.d.ts").unlink()
    plain = app_that(project, hint, value).test_client().get("/")
    answers = [checked, plain]
    assert len({answer.status for answer in answers}) == 1
    assert len({answer.data for answer in answers}) == 1
    kept = [{k: v for k, v in a.headers if k != "X-Request-ID"} for a in answers]
    assert kept[0] == kept[1]


def test_what_json_cannot_write_crashes_as_without_the_check(project: Path) -> None:
    client = app_that(project, "dict[str, str]", "{'a': Color.RED}").test_client()
    with pytest.raises(TypeError, match="Color is not JSON serializable"):
        client.get("/")


def answer_tree(project: Path, levels: int, last: str) -> Any:
    """Answer with a file in a number of directories."""
    app = app_with(project, "")

    @app.get("/tree")
    def tree() -> Directory:
        part = {"parts": [], "type": last}
        for _ in range(levels):
            part = {"parts": [part], "type": "directory"}
        return part

    return app.test_client().get("/tree")


@pytest.mark.parametrize("last", ["file", "other"])
def test_types_that_contain_a_union_of_themselves_are_compared_once(
    project: Path, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    compared = []
    misfit = Comparison.misfit

    def count(*args: Any) -> Any:
        compared.append(args)
        return misfit(*args)

    monkeypatch.setattr(Comparison, "misfit", count)
    words = '.type" is "other" and not "directory" or "file"'
    with nullcontext() if last == "file" else pytest.raises(AnswerError, match=words):
        answer_tree(project, 20, last)
    assert 20 < len(compared) < 1000


def test_what_is_too_deep_to_compare_is_sent(project: Path) -> None:
    assert answer_tree(project, 250, "file").status_code == 200


def test_without_msgspec_an_app_runs_unchecked(project: Path) -> None:
    app_that(project, "Note", "{'id': 1}")
    file = project / "api.py"
    file.write_text(file.read_text().replace("from msgspec import Meta\n", ""))
    code = """
import sys
sys.modules["msgspec"] = None
from react_flask_kit.loading import load_app
app = load_app()
assert app.test_client().get("/").json == {"id": 1}
"""
    env = clean_env(FLASK_APP="api.py", FLASK_DEBUG="1")
    subprocess.run([sys.executable, "-c", code], cwd=project, env=env, check=True)


VIEWS = """

def deco(f):
    @functools.wraps(f)
    def inner(*args, **kwargs):
        return {"data": f(*args, **kwargs)}
    return inner


@app.get("/one")
def one() -> Note:
    def inner():
        return NOTE
    return {"id": 1}


@app.get("/two")
def two(*, is_new: bool = False) -> Note:
    if is_new:
        return NOTE
    return {"id": 1}


class Notes(MethodView):
    def get(self) -> Note:
        return {"id": 1}

    def post(self) -> Failure:
        return {"id": 1}


app.add_url_rule("/class", view_func=Notes.as_view("notes"))


@app.get("/decorated")
@deco
def decorated() -> Note:
    return NOTE


class Decorated(MethodView):
    decorators = [deco]

    def get(self) -> Note:
        return NOTE

    @deco
    def post(self) -> Note:
        return NOTE


app.add_url_rule("/decorated-class", view_func=Decorated.as_view("decorated_class"))
shop = Blueprint("shop", __name__)


@shop.get("/shop")
def sold() -> Note: return {"id": 1}


app.register_blueprint(shop)


@app.get("/other")
def other() -> Note:
    return "other"


app.add_url_rule("/lambda", view_func=lambda: {"id": 1})


@app.before_request
def before():
    return {"before": 1} if "before" in request.args else None


@app.errorhandler(ValueError)
def handle(error):
    return {"error": 1}


@app.get("/handled")
def handled() -> Note:
    raise ValueError
"""


@pytest.mark.parametrize(
    ("method", "path", "where", "line"),
    [
        ("GET", "/one", "one() in api.py promised Note", 'return {"id": 1}'),
        ("GET", "/two", "two() in api.py promised Note", "def two"),
        ("GET", "/class", "Notes.get() in api.py promised Note", 'return {"id": 1}'),
        ("HEAD", "/class", "Notes.get() in api.py promised Note", 'return {"id": 1}'),
        ("POST", "/class", "Notes.post() in api.py promised Fail", 'return {"id": 1}'),
        ("GET", "/shop", "sold() in api.py promised Note", "def sold"),
        ("GET", "/other", "other() in api.py promised Note", 'return "other"'),
    ],
)
def test_the_crash_is_at_the_views_return_or_its_def(
    project: Path, method: str, path: str, where: str, line: str
) -> None:
    client = app_with(project, VIEWS).test_client()
    with pytest.raises(AnswerError) as caught:
        client.open(path, method=method)
    assert str(caught.value).startswith(where)
    told = describe_exception(caught.value)
    assert told["file"] == str(project / "api.py")
    assert line in (API + VIEWS).splitlines()[told["line"] - 1]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/lambda", 200),
        ("GET", "/one?before", 200),
        ("GET", "/handled", 200),
        ("GET", "/decorated", 200),
        ("GET", "/decorated-class", 200),
        ("POST", "/decorated-class", 200),
        ("OPTIONS", "/one", 200),
        ("GET", "/nowhere", 404),
        ("GET", "/author", 200),
    ],
)
def test_what_is_no_view_with_a_hint_is_not_looked_at(
    project: Path, method: str, path: str, status: int
) -> None:
    client = app_with(project, VIEWS).test_client()
    assert client.open(path, method=method).status_code == status


def test_in_development_the_answer_tells_it(project: Path) -> None:
    app = answer_crashes(app_that(project, "Note", "{'id': 1}", DEBUG="1"))
    response = app.test_client().get("/")
    assert response.status_code == 500
    message = 'view() in api.py promised Note, but "tags" is missing.'
    assert response.json["exception"] == f"AnswerError: {message}"
    assert response.json["file"] == str(project / "api.py")
    assert "FLASK_CHECK_ANSWERS=false" in response.json["cure"]
    line = (project / "api.py").read_text().splitlines()[response.json["line"] - 1]
    assert line == "    return {'id': 1}"


@pytest.mark.parametrize(
    "settings",
    [{"TESTING": "1", "CHECK_ANSWERS": "false"}, {"DEBUG": "0"}],
    ids=["switched off", "in production"],
)
def test_an_answer_is_sent_unchecked(project: Path, settings: dict) -> None:
    client = app_that(project, "Note", "{'id': 1}", **settings).test_client()
    assert client.get("/").json == {"id": 1}


def test_without_types_for_the_frontend_nothing_is_checked(project: Path) -> None:
    (project / "src/api-types.d.ts").unlink()
    client = app_that(project, "Note", "{'id': 1}").test_client()
    assert client.get("/").json == {"id": 1}


def test_production_does_not_even_import_it(project: Path) -> None:
    app_that(project, "Note", "{'id': 1}")
    file = project / "api.py"
    file.write_text(file.read_text().replace("from msgspec import Meta\n", ""))
    code = """
import sys
from react_flask_kit.loading import load_production_app
app = load_production_app()
assert app.test_client().get("/").json == {"id": 1}
assert not {"msgspec", "react_flask_kit.answers"} & set(sys.modules)
"""
    env = clean_env(FLASK_APP="api.py", FLASK_DEBUG="1")
    subprocess.run([sys.executable, "-c", code], cwd=project, env=env, check=True)
