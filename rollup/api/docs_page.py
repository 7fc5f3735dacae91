"""The description as a page: plain HTML, no scripts and nothing from elsewhere, so that it works in any network."""

from html import escape
from typing import Any, Final

_STYLE: Final = (
    "body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "pre,code{font-family:monospace;background:#f4f4f4}pre{padding:.5rem;white-space:pre-wrap}"
    "td,th{text-align:left;vertical-align:top;padding:.1rem .8rem .1rem 0}h2{border-top:1px solid #ccc}"
)


def docs_page(document: dict[str, Any]) -> str:
    """HTML of an OpenAPI document."""
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Sluice API</title><style>{_STYLE}</style>",
        "<h1>Sluice API</h1><p>The same for machines: <a href=/v1/openapi.json>/v1/openapi.json</a></p>",
        f"<pre>{escape(document['info']['description'].strip())}</pre>",
    ]
    for path, methods in sorted(document["paths"].items()):
        parts += [_operation(method.upper(), path, operation) for method, operation in methods.items()]
    parts.append("<h2 id=errors>Errors</h2>")
    errors = [
        (each["code"], each["status"], ", ".join(each["values"]), each["meaning"]) for each in document["x-errors"]
    ]
    parts.append(_table(("code", "status", "values", "meaning"), errors))
    parts.append("<h2>Schemas</h2>")
    parts += [_schema(name, each) for name, each in sorted(document["components"]["schemas"].items())]
    return "".join(parts)


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    named = [
        (each["name"], each["in"], _type(each["schema"]), each.get("description", ""))
        for each in operation.get("parameters", [])
    ]
    answers = []
    for status, answer in sorted(operation["responses"].items()):
        schemas = [each.get("schema", {}) for each in answer.get("content", {}).values()]
        answers.append((status, " or ".join(map(_type, schemas)), answer["description"]))
    head = f"<h2><code>{method} {escape(path)}</code></h2><p>{escape(operation.get('description', ''))}</p>"
    parameters = _table(("parameter", "in", "type", ""), named) if named else ""
    return head + parameters + _table(("status", "answer", ""), answers)


def _schema(name: str, schema: dict[str, Any]) -> str:
    rows = [
        (key, _type(each), each.get("description", "")) for key, each in schema.get("properties", {}).items()
    ]  # fmt: skip
    said = f"<h3 id={escape(name)}>{escape(name)}</h3><p>{escape(schema.get('description', ''))}</p>"
    return said + (_table(("field", "type", ""), rows) if rows else f"<p>{escape(_type(schema))}</p>")


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return " or ".join(_type(each) for each in schema[choice])
    if "const" in schema:
        return repr(schema["const"])
    if "enum" in schema:
        return " or ".join(repr(each) for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("type", "anything"))


def _table(heads: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(each))}</td>" for each in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"
