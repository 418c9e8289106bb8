"""The OpenAPI document, made from the table of routes and from the very types that read bodies and write answers."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import msgspec

import pos_discount
from pos_discount.web.problems import KIND_BY_CODE, PROBLEM_TYPE, ProblemDetails
from pos_discount.web.routes import ROUTES, Parameter, Route

Schema = dict[str, Any]
REFERENCE = "#/components/schemas/{name}"
INTRODUCTION = (
    "Every discount that applies to a basket, the smallest named first. Money is an integer in the currency's minor "
    "unit, shares and probabilities are numbers from 0 to 1, times are RFC 3339 with an offset. Unknown request fields "
    "are refused; clients ignore response fields that they don't know."
)
REQUEST_ID_HEADER: Schema = {
    "description": "The request's id: the one that was sent, or a new one.",
    "schema": {"type": "string"},
}


@functools.cache
def openapi_document() -> Schema:
    """Make the document; the same for every installation of a version."""
    schemas, components = _schemas()
    paths: dict[str, Schema] = {}
    for route in ROUTES:
        paths.setdefault(_path(route), {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "pos-discount", "version": pos_discount.__version__, "description": INTRODUCTION},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key made by `pos-discount keys create`; none where POS_DISCOUNT_AUTH is off.",
                }
            },
        },
    }


def _schemas() -> tuple[dict[type, Schema], Schema]:
    """Return the schema of each type, and the components that those refer to."""
    types: set[type] = {ProblemDetails}
    for route in ROUTES:
        types |= {kind for kind in (route.body, *route.answers.values()) if isinstance(kind, type)}
    ordered = sorted(types, key=lambda kind: kind.__name__)
    schemas, components = msgspec.json.schema_components(ordered, ref_template=REFERENCE)
    return dict(zip(ordered, schemas, strict=True)), components


def _path(route: Route) -> str:
    return re.sub(r"<(\w+)>", r"{\1}", route.path)


def _operation(route: Route, schemas: dict[type, Schema]) -> Schema:
    operation: Schema = {
        "operationId": route.name,
        "summary": route.summary,
        "description": route.description + _scopes_in_words(route),
        "security": [{"key": []}, {}] if route.scopes else [],
        "parameters": list(_parameters(route)),
        "responses": _responses(route, schemas),
    }
    if route.body is not None:
        media: Schema = {"schema": schemas[route.body]}
        if route.example is not None:
            media["example"] = route.example
        operation["requestBody"] = {"required": True, "content": {"application/json": media}}
    return operation


def _scopes_in_words(route: Route) -> str:
    return f" Keys: {', '.join(route.scopes)}." if route.scopes else " Needs no key."


def _parameters(route: Route) -> Iterator[Schema]:
    for name in re.findall(r"<(\w+)>", route.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    for parameter in route.parameters:
        yield _query_parameter(parameter)
    if route.is_once:
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "The same key and body give the first answer again, byte for byte. Kept 7 days.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        }
    yield {
        "name": "X-Request-Id",
        "in": "header",
        "description": "Comes back in the answer and stands in the log; another than a plain word is replaced.",
        "schema": {"type": "string"},
    }


def _query_parameter(parameter: Parameter) -> Schema:
    schema = {"type": "string", "enum": list(parameter.words), "default": parameter.words[0]}
    return {"name": parameter.name, "in": "query", "description": parameter.description, "schema": schema}


def _responses(route: Route, schemas: dict[type, Schema]) -> Schema:
    responses = {str(status): _answer(route, status, kind, schemas) for status, kind in sorted(route.answers.items())}
    codes_by_status: dict[int, list[str]] = {}
    for code in route.problems:
        codes_by_status.setdefault(KIND_BY_CODE[code].status, []).append(code)
    for status, codes in sorted(codes_by_status.items()):
        problem = _problem(status, codes)
        if str(status) in responses:
            responses[str(status)]["content"] |= problem["content"]
        else:
            responses[str(status)] = problem
    return responses


def _answer(route: Route, status: int, kind: type | str, schemas: dict[type, Schema]) -> Schema:
    headers: Schema = {"X-Request-Id": REQUEST_ID_HEADER}
    if status == 201 and route.name == "decide":
        headers["Location"] = {"description": "Where the decision can be read.", "schema": {"type": "string"}}
    if route.is_once:
        headers["Idempotency-Replayed"] = {
            "description": "true where this is the first answer to the Idempotency-Key, given again.",
            "schema": {"type": "string", "const": "true"},
        }
    content = {kind: {}} if isinstance(kind, str) else {"application/json": {"schema": schemas[kind]}}
    return {"description": HTTPStatus(status).phrase, "headers": headers, "content": content}


def _problem(status: int, codes: list[str]) -> Schema:
    headers: Schema = {"X-Request-Id": REQUEST_ID_HEADER}
    if status in (429, 503):
        headers["Retry-After"] = {"description": "Seconds to wait.", "schema": {"type": "string"}}
    if status == 401:
        headers["WWW-Authenticate"] = {"description": "How to send a key.", "schema": {"type": "string"}}
    titles = "; ".join(f"`{code}`: {KIND_BY_CODE[code].title}" for code in codes)
    schema = {"$ref": REFERENCE.format(name="ProblemDetails")}
    return {"description": titles, "headers": headers, "content": {PROBLEM_TYPE: {"schema": schema}}}
