"""TypeScript of an OpenAPI document: a type for each component, a key for each route.

What the keys mean to `getJson('/notes/5')` stands in kit/node/types/index.d.ts.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

# What is generated is as it is, whatever the project's style.
HEAD = """\
// What the API takes and answers, for the editor; nobody imports it.
// It is made of the app's routes and their hints by: npm run kit -- types
// biome-ignore-all format: generated
// biome-ignore-all lint: generated
export {};
"""
WIDTH = 80
METHODS = ("get", "post", "put", "patch", "delete")
# What has a meaning in TypeScript, or in JavaScript's own library, or below.
RESERVED = """
any as async await bigint boolean break case catch class const continue debugger
declare default delete do else enum export extends false finally for from function
if implements import in infer instanceof interface is keyof let module namespace
never new null number object of package private protected public readonly require
return static string super switch symbol this throw true try type typeof undefined
unique unknown var void while with yield
Array Boolean Date Error Function Map Number Object Promise Record RegExp Set String
Symbol FormData Routes URLSearchParams
"""
PRIMITIVES = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}
PLAIN_KEY = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
# Those that let a route know which variable a part of a path is.
CONVERTERS = ("int", "float", "path")
JSON_TYPE = re.compile(r"application/(?!problem)([\w.-]+\+)?json\b")
ANYTHING = "*/*"
FORMS = {
    "application/x-www-form-urlencoded": ("FormData", "URLSearchParams"),
    "multipart/form-data": ("FormData",),
}


def declare(document: dict[str, Any]) -> str:
    """Return the text of a file of types for an OpenAPI 3.1 document.

    The same routes have the same text, in whatever order the app has them.
    """
    components = document.get("components", {}).get("schemas", {})
    names = names_of(components)
    types = Types(components, names)
    declared = [
        "\n" + types.declaration(names[name], components[name])
        for name in sorted(components, key=names.__getitem__)
    ]
    routes = routes_of(document.get("paths", {}))
    return "".join(
        [
            HEAD,
            *declared,
            "\ndeclare module 'react-flask-kit/types' {\n  interface Routes {\n",
            *(types.route(path, routes[path]) for path in sorted(routes)),
            "  }\n}\n",
        ]
    )


def names_of(components: Iterable[str]) -> dict[str, str]:
    """Return a name in TypeScript for each component; most keep theirs.

    One that means something else there gets a prefix, and of two that would have the
    same name the later one a number.
    """
    names: dict[str, str] = {}
    # Whoever keeps a name does not give way to whoever becomes the same.
    for component in sorted(components, key=keeps_its_name):
        name = wanted = own_name(component)
        number = 1
        while name in names.values():
            number += 1
            name = f"{wanted}{number}"
        names[component] = name
    return names


def keeps_its_name(component: str) -> tuple[bool, str]:
    """Order those that do before the others."""
    return own_name(component) != component, component


def own_name(component: str) -> str:
    """Return the name of a component as an identifier: ApiRecord for Record."""
    name = re.sub(r"\W+", "_", component)
    if name in RESERVED.split() or not name.isidentifier():
        name = f"Api{name[:1].upper()}{name[1:]}"
    return name


class Types:
    """Writes schemas as types; components by the names that they have."""

    def __init__(self, components: dict[str, Any], names: dict[str, str]) -> None:
        """Take the components, and their names of `names_of`."""
        self.names = names
        self.aliases = {
            name
            for component, name in names.items()
            if not components[component].get("properties")
        }

    def declaration(self, name: str, schema: dict[str, Any]) -> str:
        """Return the declaration of a component: an interface where it is an object."""
        comment = comment_of(schema, "")
        if name in self.aliases:
            return f"{comment}export type {name} ={self.value(schema, '')};\n"
        return f"{comment}export interface {name} {self.block(schema, '')}\n"

    def route(self, path: str, operations: dict[str, dict[str, Any]]) -> str:
        """Return the property of a path, with its operations by method."""
        lines = [
            f"      {method.upper()}: {self.operation(operations[method])};\n"
            for method in METHODS
            if method in operations
        ]
        return f"    {quoted(path)}: {{\n{''.join(lines)}    }};\n"

    def operation(self, operation: dict[str, Any]) -> str:
        """Return what a request of an operation takes and answers."""
        indent = " " * 8
        members = [("answer", self.answer(operation))]
        if body := operation.get("requestBody"):
            name = "body" if body.get("required") else "body?"
            members.insert(0, (name, joined(self.bodies(body))))
        lines = [f"{indent}{name}: {type_};\n" for name, type_ in members]
        short = "; ".join(line.strip(" ;\n") for line in lines)
        # A method's name, and what is around it.
        if "\n" not in short and len(short) + 20 <= WIDTH:
            return f"{{ {short} }}"
        return f"{{\n{''.join(lines)}      }}"

    def answer(self, operation: dict[str, Any]) -> str:
        """Return the type of what `getJson` returns: not of errors, nor of text."""
        responses = operation["responses"]
        # The hints may leave open which status that is.
        contents = [
            response.get("content", {})
            for status, response in responses.items()
            if status.startswith("2") or status == "default"
        ]
        types = [self.deep(it) for kinds in contents for it in json_schemas(kinds)]
        if any(ANYTHING in kinds for kinds in contents):
            types.append("any")
        if "204" in responses:
            types.append("undefined")
        # Who asks for text as JSON gets an error.
        is_text = any(kind.startswith("text/") for kinds in contents for kind in kinds)
        return joined(types or ["unknown" if is_text else "any"])

    def bodies(self, body: dict[str, Any]) -> Iterator[str]:
        """Yield the types that `send` may be given."""
        yield from map(self.deep, json_schemas(body["content"]))
        for content_type in body["content"]:
            yield from FORMS.get(content_type, ())

    def deep(self, schema: dict[str, Any]) -> str:
        """Return the type of a schema within an operation."""
        return self.type(schema, " " * 8)

    def value(self, schema: dict[str, Any], indent: str) -> str:
        """Return a type after "=" or ":", in lines of its own where it is long."""
        members = self.members(schema, indent)
        text = joined(members)
        if len(members) == 1 or "\n" in text or len(indent + text) + 20 <= WIDTH:
            return f" {text}"
        return "".join(f"\n{indent}  | {member}" for member in unique(members))

    def type(self, schema: dict[str, Any] | bool, indent: str) -> str:
        """Return a schema as a type; what has several lines continues at `indent`."""
        return joined(self.members(schema, indent))

    def members(self, schema: dict[str, Any] | bool, indent: str) -> list[str]:
        """Return the types that the type of a schema is a union of."""
        if schema is False:
            return ["never"]
        if schema is True:
            return ["any"]
        if "$ref" in schema:
            return [self.names[schema["$ref"].rpartition("/")[2]]]
        if "const" in schema:
            return [literal(schema["const"])]
        if "enum" in schema:
            return [literal(value) for value in schema["enum"]]
        parts = schema.get("anyOf") or schema.get("oneOf")
        if parts:
            return [type_ for part in parts for type_ in self.members(part, indent)]
        kinds = schema.get("type", [])
        kinds = kinds if isinstance(kinds, list) else [kinds]
        return [self.kind(kind, schema, indent) for kind in kinds] or ["any"]

    def kind(self, kind: str, schema: dict[str, Any], indent: str) -> str:
        """Return a schema as if it had but one of its types."""
        if kind == "array":
            return self.array(schema, indent)
        if kind != "object":
            return PRIMITIVES[kind]
        if schema.get("properties"):
            return self.block(schema, indent)
        value = self.type(schema.get("additionalProperties", True), indent)
        # An alias may refer to itself, but not as an argument.
        if self.aliases.intersection(re.findall(r"\w+", value)):
            return f"{{ [key: string]: {value} }}"
        return f"Record<string, {value}>"

    def array(self, schema: dict[str, Any], indent: str) -> str:
        """Return an array, or a tuple where its places differ."""
        items = schema.get("items", schema.get("maxItems") != 0)
        places = schema.get("prefixItems", [])
        if items is not False and not places:
            return f"{grouped(self.type(items, indent))}[]"
        least = schema.get("minItems", 0)
        types = [grouped(self.type(place, indent)) for place in places]
        types = [
            type_ if place < least else f"{type_}?" for place, type_ in enumerate(types)
        ]
        if items is not False and schema.get("maxItems") != len(places):
            types.append(f"...{grouped(self.type(items, indent))}[]")
        return f"[{', '.join(types)}]"

    def block(self, schema: dict[str, Any], indent: str) -> str:
        """Return the properties of an object between braces."""
        inner = f"{indent}  "
        required = schema.get("required", [])
        lines = []
        for name, value in schema["properties"].items():
            key = name if PLAIN_KEY.fullmatch(name) else quoted(name)
            mark = "" if name in required else "?"
            type_ = self.value(value, inner)
            lines.append(f"{comment_of(value, inner)}{inner}{key}{mark}:{type_};\n")
        return f"{{\n{''.join(lines)}{indent}}}"


def routes_of(paths: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the operations by the path as Flask writes it, and by method.

    Of one path in OpenAPI there may be several: "/notes/<int:id>" and "/notes/<id>".
    """
    routes: dict[str, dict[str, Any]] = {}
    for path, operations in paths.items():
        for method in operations.keys() & set(METHODS):
            operation = operations[method]
            key = flask_path(path, operation.get("parameters", ()))
            routes.setdefault(key, {})[method] = operation
    return routes


def flask_path(path: str, parameters: Iterable[dict[str, Any]]) -> str:
    """Return a path with its variables as Flask writes them: "/notes/<int:id>"."""
    for parameter in parameters:
        if parameter["in"] == "path":
            name, converter = parameter["name"], parameter["x-converter"]
            prefix = f"{converter}:" if converter in CONVERTERS else ""
            path = path.replace(f"{{{name}}}", f"<{prefix}{name}>")
    return path


def json_schemas(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the schemas of what is JSON."""
    return [
        media.get("schema", {})
        for content_type, media in content.items()
        if JSON_TYPE.match(content_type)
    ]


def comment_of(schema: dict[str, Any], indent: str) -> str:
    """Return what is said of a schema as a comment, before a line of this indent."""
    said = schema.get("description", "").strip()
    forms = [part.get("format") for part in (schema, *schema.get("anyOf", ()))]
    lines = [line.strip() for line in said.replace("*/", "*\\/").splitlines()]
    lines += [f"Format: {form}" for form in unique(filter(None, forms))]
    if not lines:
        return ""
    if len(lines) == 1 and len(indent + lines[0]) + 7 <= WIDTH:
        return f"{indent}/** {lines[0]} */\n"
    body = "".join(f"{indent} * {line}".rstrip() + "\n" for line in lines)
    return f"{indent}/**\n{body}{indent} */\n"


def joined(types: Iterable[str]) -> str:
    """Return a union; what may be anything is no more with something else."""
    types = unique(types)
    if not types or "any" in types:
        return "any"
    return " | ".join(types)


def grouped(type_: str) -> str:
    """Return a type that something may follow."""
    return f"({type_})" if " | " in type_ else type_


def unique(values: Iterable[str]) -> list[str]:
    """Return the values without those that came before."""
    return list(dict.fromkeys(values))


def literal(value: Any) -> str:
    """Return a value of JSON as a type."""
    return quoted(value) if isinstance(value, str) else json.dumps(value)


def quoted(text: str) -> str:
    """Return a text in quotes: single ones, where it has none."""
    inner = json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"')
    if "'" in inner and '"' not in inner:
        return f'"{inner}"'
    return "'" + inner.replace("'", "\\'") + "'"
