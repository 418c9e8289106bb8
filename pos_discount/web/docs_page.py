"""The API's documentation as one page for people: made from the OpenAPI document, with nothing fetched from
elsewhere.

The page is text first: it reads without scripts. A small script filters the operations and sends the examples to this
very server.
"""

from __future__ import annotations

import json
from typing import Any

from flask import render_template


def docs_page(document: dict[str, Any]) -> str:
    """Render the page."""
    schemas = document["components"]["schemas"]
    return render_template(
        "docs.html",
        info=document["info"],
        operations=[
            _operation(path, method, item)
            for path, methods in document["paths"].items()
            for method, item in methods.items()
        ],
        schemas=[_schema(name, schema) for name, schema in sorted(schemas.items())],
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    example = body.get("example")
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": operation["summary"],
        "description": operation["description"],
        "parameters": operation["parameters"],
        "body": describe_type(body["schema"]) if body else None,
        "example": None if example is None else json.dumps(example, indent=2, ensure_ascii=False),
        "responses": [_response(status, response) for status, response in operation["responses"].items()],
    }


def _response(status: str, response: dict[str, Any]) -> dict[str, Any]:
    kinds = [
        describe_type(media["schema"]) if "schema" in media else name for name, media in response["content"].items()
    ]
    return {"status": status, "description": response["description"], "kinds": kinds}


def _schema(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    required = schema.get("required", ())
    fields = [
        {
            "name": field,
            "type": describe_type(kind),
            "is_required": field in required,
            "description": kind.get("description", ""),
        }
        for field, kind in schema.get("properties", {}).items()
    ]
    return {"name": name, "description": schema.get("description", ""), "fields": fields}


def describe_type(schema: dict[str, Any]) -> str:
    """Say a JSON Schema in a few words.

    >>> describe_type({"type": "integer", "minimum": 0})
    'integer, from 0'
    >>> describe_type({"type": "array", "items": {"$ref": "#/components/schemas/Line"}})
    'list of Line'
    """
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(describe_type(kind) for kind in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {describe_type(schema.get('items', {}))}" + _bounds(schema, "minItems", "maxItems", " items")
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return "object of " + describe_type(schema["additionalProperties"])
    words = f"{kind} ({schema['format']})" if "format" in schema else str(kind)
    return words + _bounds(schema, "minimum", "maximum", "") + _bounds(schema, "minLength", "maxLength", " characters")


def _bounds(schema: dict[str, Any], least_key: str, most_key: str, unit: str) -> str:
    least, most = schema.get(least_key), schema.get(most_key)
    if least is None and most is None:
        return ""
    if most is None:
        return f", from {least}{unit}"
    return f", {least} to {most}{unit}" if least is not None else f", at most {most}{unit}"
