"""Each type: what Flask sends, and the schema and the TypeScript that say so.

The contract: what a real client gets of a view is what the description of its hint
allows, and nothing else; see the table.
"""

from typing import Any

import pytest
from apps import load_app
from flask import Flask
from jsonschema import Draft202012Validator
from react_flask_kit.description import describe
from react_flask_kit.typescript import declare
from type_table import COMPONENTS, TABLE, Row

EACH_ROW = pytest.mark.parametrize("row", TABLE, ids=[str(row.hint) for row in TABLE])


def app_of(row: Row) -> Flask:
    app = load_app(TESTING="true")

    def view() -> Any:
        return row.returned

    view.__annotations__["return"] = row.hint
    app.add_url_rule("/value", view_func=view)
    return app


def schema_of(document: dict) -> dict:
    answer = document["paths"]["/value"]["get"]["responses"]["200"]
    return answer["content"]["application/json"]["schema"]


@EACH_ROW
def test_flask_sends_what_the_schema_allows(row: Row) -> None:
    app = app_of(row)
    document = describe(app)
    assert app.test_client().get("/value").json == row.sent
    schema = schema_of(document)
    assert schema == row.schema
    validator = Draft202012Validator(schema | {"components": document["components"]})
    validator.validate(row.sent)
    assert not validator.is_valid(row.refused)


@EACH_ROW
def test_a_named_type_is_a_component(row: Row) -> None:
    schemas = describe(app_of(row))["components"]["schemas"]
    for name in schemas.keys() - {"Problem", "FieldError"}:
        words = {"title", "description"}
        found = {key: schemas[name][key] for key in schemas[name].keys() - words}
        assert found == COMPONENTS[name]


@EACH_ROW
def test_the_frontend_reads_what_flask_sends(row: Row) -> None:
    types = declare(describe(app_of(row)))
    assert f"GET: {{ answer: {row.typescript} }};" in types
