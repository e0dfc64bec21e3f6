"""TypeScript of an OpenAPI document.

The contract: what JSON Schema says is said in types, whatever things are called; the
same routes have the same text; and the text is as Biome formats it.
"""

import json
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from react_flask_kit.typescript import declare

ROOT = Path(__file__).resolve().parents[3]
STRING, NUMBER = {"type": "string"}, {"type": "number"}
LONG = ["a" * 30, "b" * 30, "c" * 30]


def document(schemas: dict[str, Any] | None = None, **paths: Any) -> dict[str, Any]:
    return {"components": {"schemas": schemas or {}}, "paths": paths}


def answering(schema: Any, status: str = "200") -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    return {"responses": {status: {"description": "", "content": content}}}


def reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def obj(required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required or []}


def routes_in(text: str) -> str:
    """Return what is between the braces of Routes, in one line."""
    _, _, routes = text.partition("interface Routes {\n")
    return " ".join(routes.removesuffix("  }\n}\n").split())


@pytest.mark.parametrize(
    ("schema", "type_"),
    [
        ({"type": "string"}, "string"),
        ({"type": "integer"}, "number"),
        ({"type": "number", "minimum": 0}, "number"),
        ({"type": "boolean"}, "boolean"),
        ({"type": "null"}, "null"),
        ({}, "any"),
        ({"type": ["string", "null"]}, "string | null"),
        ({"const": "a"}, "'a'"),
        (
            {"enum": ["it's", 'a "b"', "\\", "\n", 1, True, None]},
            r""""it's" | 'a "b"' | '\\' | '\n' | 1 | true | null""",
        ),
        ({"enum": ["'\""]}, "'\\'\"'"),
        ({"anyOf": [STRING, NUMBER, {"type": "integer"}]}, "string | number"),
        ({"anyOf": [STRING, {}]}, "any"),
        ({"oneOf": [STRING, {"type": "null"}]}, "string | null"),
        ({"type": "array"}, "any[]"),
        ({"type": "array", "items": STRING}, "string[]"),
        ({"type": "array", "items": {"enum": [1, 2]}}, "(1 | 2)[]"),
        ({"type": "array", "items": {"type": "array", "items": STRING}}, "string[][]"),
        ({"type": "array", "minItems": 0, "maxItems": 0}, "[]"),
        (
            {"type": "array", "prefixItems": [STRING, NUMBER], "items": False}
            | {"minItems": 2, "maxItems": 2},
            "[string, number]",
        ),
        (
            {"type": "array", "prefixItems": [STRING, {"enum": [1, 2]}]}
            | {"minItems": 1, "maxItems": 2},
            "[string, (1 | 2)?]",
        ),
        (
            {"type": "array", "prefixItems": [STRING], "items": NUMBER, "minItems": 1},
            "[string, ...number[]]",
        ),
        ({"type": "object"}, "Record<string, any>"),
        (
            {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
            "Record<string, string | null>",
        ),
        ({"type": "object", "additionalProperties": False}, "Record<string, never>"),
        (obj(), "Record<string, any>"),
        (obj(["a"], a=STRING, b=NUMBER), "{ a: string; b?: number; }"),
        (
            obj(["a"], a=obj(["b"], b={"type": "array", "items": obj(c=STRING)})),
            "{ a: { b: { c?: string; }[]; }; }",
        ),
    ],
)
def test_a_schema_is_a_type(schema: dict, type_: str) -> None:
    text = declare(document({"It": schema}))
    declared = " ".join(
        text.partition("};\n\nexport ")[2].partition("\ndeclare")[0].split()
    )
    assert declared.rstrip(";") in (f"type It = {type_}", f"interface It {type_}")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("text", "text"),
        ("class", "class"),
        ("_id$1", "_id$1"),
        ("größe", "'größe'"),
        ("first name", "'first name'"),
        ("1st", "'1st'"),
        ("it's", '"it\'s"'),
        ("a\nb", r"'a\nb'"),
        ("", "''"),
    ],
)
def test_a_property_has_quotes_where_it_needs_them(name: str, key: str) -> None:
    text = declare(document({"It": obj([name], **{name: STRING})}))
    assert f"export interface It {{\n  {key}: string;\n}}\n" in text


@pytest.mark.parametrize(
    ("names", "declared"),
    [
        (["Note", "note"], ["Note", "note"]),
        (["Record"], ["ApiRecord"]),
        (["Promise", "ApiPromise"], ["ApiPromise2", "ApiPromise"]),
        (["Routes", "string"], ["ApiRoutes", "ApiString"]),
        (["shop.Note", "blog.Note"], ["shop_Note", "blog_Note"]),
        (["a-b", "a_b", "a.b"], ["a_b2", "a_b", "a_b3"]),
        (["2D"], ["Api2D"]),
    ],
)
def test_a_type_has_a_name_that_means_nothing_else(
    names: list[str], declared: list[str]
) -> None:
    users = {f"/{i}": {"get": answering(reference(n))} for i, n in enumerate(names)}
    text = declare(document({name: obj(a=STRING) for name in names}, **users))
    for number, name in enumerate(declared):
        assert text.count(f"export interface {name} {{\n") == 1
        assert f"'/{number}': {{ GET: {{ answer: {name} }}; }};" in routes_in(text)


def test_types_may_refer_to_themselves_and_to_each_other() -> None:
    text = declare(
        document(
            {
                "Author": obj(
                    ["notes"], notes={"type": "array", "items": reference("Note")}
                ),
                "Note": obj(["author"], author=reference("Author")),
                "Tree": {"type": "object", "additionalProperties": reference("Tree")},
            }
        )
    )
    assert "export interface Author {\n  notes: Note[];\n}\n" in text
    assert "export interface Note {\n  author: Author;\n}\n" in text
    # TypeScript calls it a circle when it is an argument of Record.
    assert "export type Tree = { [key: string]: Tree };\n" in text


def test_descriptions_and_formats_are_comments() -> None:
    about = "The first line.\n\nA comment ends with */ usually."
    text = declare(
        document(
            {
                "Note": obj(
                    at={"type": "string", "format": "http-date"},
                    text=STRING | {"description": "What it says."},
                    until={
                        "anyOf": [
                            {"type": "string", "format": "date"},
                            {"type": "null"},
                        ],
                        "description": "Its last day.",
                    },
                )
                | {"description": about},
            }
        )
    )
    assert (
        """
/**
 * The first line.
 *
 * A comment ends with *\\/ usually.
 */
export interface Note {
  /** Format: http-date */
  at?: string;
  /** What it says. */
  text?: string;
  /**
   * Its last day.
   * Format: date
   */
  until?: string | null;
}
"""
        in text
    )


PROBLEM = {"application/problem+json": {"schema": reference("Problem")}}


@pytest.mark.parametrize(
    ("responses", "type_"),
    [
        (answering(STRING)["responses"], "string"),
        (answering(STRING, "201")["responses"], "string"),
        (answering(STRING)["responses"] | {"204": {}}, "string | undefined"),
        (
            answering(STRING)["responses"] | answering(NUMBER, "202")["responses"],
            "string | number",
        ),
        (
            answering(STRING)["responses"] | answering(NUMBER, "404")["responses"],
            "string",
        ),
        (answering(STRING)["responses"] | {"default": {"content": PROBLEM}}, "string"),
        # The hint does not say which status that is: it may be 201.
        (answering(STRING, "default")["responses"], "string"),
        ({"default": {"content": {"*/*": {}} | PROBLEM}}, "any"),
        ({"default": {}}, "any"),
        ({"200": {"content": {"text/html": {"schema": STRING}}}}, "unknown"),
        (
            answering(STRING)["responses"]
            | {"202": {"content": {"text/html": {"schema": STRING}}}},
            "string",
        ),
        ({"302": {}, "204": {}}, "undefined"),
    ],
)
def test_the_answer_is_the_json_of_what_is_no_error(
    responses: dict, type_: str
) -> None:
    schemas = {"Problem": obj(detail=STRING)}
    text = declare(document(schemas, **{"/": {"get": {"responses": responses}}}))
    assert routes_in(text) == f"'/': {{ GET: {{ answer: {type_} }}; }};"


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("body", "written"),
    [
        (
            {"required": True, "content": {"application/json": {"schema": STRING}}},
            "body: string; ",
        ),
        ({"content": {"application/json": {"schema": STRING}}}, "body?: string; "),
        ({"content": {"application/vnd.a+json": {}}}, "body?: any; "),
        (
            {"required": True, "content": {FORM: {}, "multipart/form-data": {}}},
            "body: FormData | URLSearchParams; ",
        ),
        (
            {"required": True, "content": {"multipart/form-data": {}}},
            "body: FormData; ",
        ),
        (None, ""),
    ],
)
def test_the_body_is_what_the_route_reads(body: dict | None, written: str) -> None:
    operation = answering(STRING) | ({"requestBody": body} if body else {})
    text = declare(document(**{"/": {"post": operation}}))
    assert routes_in(text) == f"'/': {{ POST: {{ {written}answer: string }}; }};"


def parameters(**converters: str) -> dict[str, Any]:
    return {
        "parameters": [
            {"name": name, "in": "path", "x-converter": converter, "schema": {}}
            for name, converter in converters.items()
        ]
    }


def test_a_path_is_written_as_flask_writes_it() -> None:
    a, b = answering(STRING), answering(NUMBER)
    query = {"parameters": [{"name": "page", "in": "query", "schema": {}}]}
    text = declare(
        document(
            **{
                "/notes/{id}": {
                    "get": a | parameters(id="int"),
                    "delete": b | parameters(id="int"),
                    "put": b | parameters(id="string"),
                },
                "/{owner}/files/{file}": {
                    "get": a | parameters(owner="x", file="path")
                },
                "/time": {"get": a | query},
            }
        )
    )
    assert routes_in(text) == (
        "'/<owner>/files/<path:file>': { GET: { answer: string }; }; "
        "'/notes/<id>': { PUT: { answer: number }; }; "
        "'/notes/<int:id>': "
        "{ GET: { answer: string }; DELETE: { answer: number }; }; "
        "'/time': { GET: { answer: string }; };"
    )


EVERYTHING = document(
    {
        "Note": obj(
            ["id"],
            id=NUMBER,
            kind={"enum": LONG},
            size={"enum": ["s", "m"]},
            whatever={},
            place={"type": "array", "prefixItems": [NUMBER, NUMBER], "items": False},
            inner=obj(a=STRING | {"description": "About it."}),
            more={"type": "object", "additionalProperties": reference("Kind")},
        )
        | {"description": "A note."},
        "Kind": {"enum": LONG, "description": "Which kind it is."},
        "Size": {"enum": ["s", "m"]},
    },
    **{
        "/notes": {
            "get": answering({"type": "array", "items": reference("Note")}),
            "post": answering(reference("Note"), "201")
            | {
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": reference("Note")}},
                }
            },
        },
        "/inline": {"get": answering(obj(["a"], a=STRING, b=obj(c=NUMBER)))},
        "/notes/{id}": {"get": answering(reference("Note")) | parameters(id="int")},
    },
)


def test_the_order_of_the_routes_and_types_makes_no_difference() -> None:
    text = declare(EVERYTHING)
    for seed in range(5):
        assert declare(shuffled(EVERYTHING, random.Random(seed))) == text


def shuffled(document: dict[str, Any], by: random.Random) -> dict[str, Any]:
    def mixed(mapping: dict[str, Any]) -> dict[str, Any]:
        return dict(by.sample(list(mapping.items()), len(mapping)))

    schemas = mixed(document["components"]["schemas"])
    paths = {path: mixed(item) for path, item in mixed(document["paths"]).items()}
    return {"components": {"schemas": schemas}, "paths": paths}


@pytest.mark.parametrize("style", [{}, {"indentStyle": "tab", "lineWidth": 60}])
@pytest.mark.parametrize("content", [EVERYTHING, document()])
def test_the_project_s_linter_accepts_the_file_whatever_its_style(
    tmp_path: Path, content: dict, style: dict
) -> None:
    config = json.loads((ROOT / "biome.json").read_text(encoding="utf-8"))
    config["formatter"] |= style
    done = biome(tmp_path, declare(content), config, "ci")
    assert done.returncode == 0
    assert "warning" not in done.stdout + done.stderr


def test_the_file_is_formatted_as_the_project_is(tmp_path: Path) -> None:
    config = json.loads((ROOT / "biome.json").read_text(encoding="utf-8"))
    lines = declare(EVERYTHING).splitlines(keepends=True)
    text = "".join(line for line in lines if "biome-ignore" not in line)
    done = biome(tmp_path, text, config, "format")
    assert done.returncode == 0, done.stdout + done.stderr


def biome(
    folder: Path, text: str, config: dict[str, Any], *command: str
) -> subprocess.CompletedProcess:
    """Run Biome on a file of types in a project of its own."""
    config.pop("vcs", None)
    (folder / "biome.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "src").mkdir()
    (folder / "src/api-types.d.ts").write_text(text, encoding="utf-8")
    program = ROOT / "node_modules/@biomejs/biome/bin/biome"
    return subprocess.run(
        [shutil.which("node"), program, *command, "src"],
        cwd=folder,
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
    )
