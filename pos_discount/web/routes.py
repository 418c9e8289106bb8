"""All routes in one table: path, method, who may call it, what goes in and what comes out.

The app is wired from it, authorization is looked up in it and the OpenAPI document is made from it, so that a route
can't exist without saying who may call it, and none is described otherwise than it answers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pos_discount.answer import Answer
from pos_discount.basket import Basket
from pos_discount.web.keys import Scope
from pos_discount.web.messages import (
    Alive,
    DecisionRecord,
    ModelInForce,
    OutcomeAnswer,
    OutcomeBatch,
    OutcomeReport,
    OutcomeResults,
    PolicyInForce,
    Readiness,
    ReturnAnswer,
    ReturnRequest,
    SegmentsInForce,
)

TILL: tuple[Scope, ...] = ("till", "admin")
READ: tuple[Scope, ...] = ("till", "merchandiser", "analyst", "admin")
LEARNED: tuple[Scope, ...] = ("merchandiser", "analyst", "admin")
WATCH: tuple[Scope, ...] = ("analyst", "admin")
NO_KEY: tuple[Scope, ...] = ()

ALWAYS = ("bad_request", "bug", "overloaded")
KEYED = ("key_missing", "key_refused", "scope_missing", "loopback_only", "invalid", "store_unavailable")
BODY = ("not_json", "too_large", "unsupported_media_type", "invalid")
ONCE = ("key_in_progress", "key_reused")
DECISION = ("decision_unknown", "decision_forgotten")


class Parameter(NamedTuple):
    """A parameter of the query: the words that it may be, the first of them its default."""

    name: str
    words: tuple[str, ...]
    description: str


class Route(NamedTuple):
    """One operation. ``scopes`` empty: needs no key. ``answers`` maps statuses to types; a string is a media type."""

    name: str
    method: str
    path: str
    summary: str
    description: str
    scopes: tuple[Scope, ...]
    answers: dict[int, type | str]
    problems: tuple[str, ...]
    body: type | None = None
    parameters: tuple[Parameter, ...] = ()
    is_once: bool = False
    example: dict[str, Any] | None = None


ROUTES: tuple[Route, ...] = (
    Route(
        "decide",
        "POST",
        "/v1/decisions",
        "Decide what to offer on a basket",
        "Every discount that applies, why others do not, and the ladder: say rung 1 first, then 2. Another call with "
        "the same store_id and sale_id (an item more was scanned) supersedes the earlier decision.",
        TILL,
        {201: Answer, 200: Answer},
        (*ALWAYS, *KEYED, *BODY, *ONCE, "store_not_allowed", "policy_unavailable"),
        Basket,
        (
            Parameter("dry_run", ("false", "true"), "true: answer 200 and record nothing."),
            Parameter(
                "explain", ("touched", "all"), "all: say of every promotion of the policy why it does not apply."
            ),
        ),
        is_once=True,
        example={
            "store_id": "S001",
            "currency": "EUR",
            "locale": "en",
            "sale_id": "S001-T07-000123",
            "lines": [
                {"line_id": "1", "sku": "CREAM-A", "category": "care/face", "quantity": 2, "unit_price": 1200},
                {"line_id": "2", "sku": "LIP-3", "category": "make-up/lips", "quantity": 1, "unit_price": 1800},
            ],
            "customer": {"customer_id": "L-889123", "tier": "gold"},
        },
    ),
    Route(
        "read_decision",
        "GET",
        "/v1/decisions/<decision_id>",
        "Read a decision",
        "The record as it was answered, with its outcome and its returns.",
        READ,
        {200: DecisionRecord},
        (*ALWAYS, *KEYED, *DECISION),
    ),
    Route(
        "record_outcome",
        "PUT",
        "/v1/decisions/<decision_id>/outcome",
        "Tell how the sale ended",
        "Only result is required. 201 the first time, 200 when the same comes again. Late and out of order is fine.",
        TILL,
        {201: OutcomeAnswer, 200: OutcomeAnswer},
        (*ALWAYS, *KEYED, *BODY, *DECISION, "outcome_conflict"),
        OutcomeReport,
        example={"result": "accepted", "rung": 1, "offers": [{"rung": 1, "reaction": "accepted", "seconds": 4.0}]},
    ),
    Route(
        "record_return",
        "POST",
        "/v1/decisions/<decision_id>/returns",
        "Give back for units that are brought back",
        "What is kept is priced with the sale's own promotions, policy and time; the refund is what was paid, less "
        "that, less earlier refunds. A faulty line gives back what its units cost net.",
        TILL,
        {201: ReturnAnswer},
        (*ALWAYS, *KEYED, *BODY, *ONCE, *DECISION, "no_sale"),
        ReturnRequest,
        is_once=True,
        example={"lines": [{"line_id": "1", "quantity": 1, "faulty": False}]},
    ),
    Route(
        "record_outcomes",
        "POST",
        "/v1/outcomes",
        "Tell how sales ended while the till was offline",
        "Up to 500 outcomes. Each is judged for itself; the results are in the same order, with the status that each "
        "would have had alone.",
        TILL,
        {200: OutcomeResults},
        (*ALWAYS, *KEYED, *BODY, *ONCE),
        OutcomeBatch,
        is_once=True,
        example={"outcomes": [{"decision_id": "dec_01k0000000000000000000000a", "result": "bought_at_base"}]},
    ),
    Route(
        "read_policy",
        "GET",
        "/v1/policy",
        "Read the policy in force",
        "Its version, currency, time zone and promotions.",
        READ,
        {200: PolicyInForce},
        (*ALWAYS, *KEYED, "policy_unavailable"),
    ),
    Route(
        "read_model",
        "GET",
        "/v1/model",
        "Read the model in force",
        "The model's card; without a model, the stated prior's.",
        LEARNED,
        {200: ModelInForce},
        (*ALWAYS, *KEYED),
    ),
    Route(
        "read_segments",
        "GET",
        "/v1/segments",
        "Read the segments that the model tells apart",
        "Each with its rule in words and its curve with 95 % intervals.",
        LEARNED,
        {200: SegmentsInForce},
        (*ALWAYS, *KEYED),
    ),
    Route(
        "health",
        "GET",
        "/healthz",
        "Is the process alive?",
        "Answers as long as it runs.",
        NO_KEY,
        {200: Alive},
        ("bad_request", "bug"),
    ),
    Route(
        "readiness",
        "GET",
        "/readyz",
        "May a till rely on it?",
        "503 where it should not. A broken policy folder is told here with file, line and column, while the last good "
        "policy serves.",
        NO_KEY,
        {200: Readiness, 503: Readiness},
        ("bad_request", "bug"),
    ),
    Route(
        "metrics",
        "GET",
        "/metrics",
        "Metrics for Prometheus",
        "Summed over the workers of this server.",
        WATCH,
        {200: "text/plain"},
        (*ALWAYS, *KEYED),
    ),
    Route(
        "openapi",
        "GET",
        "/openapi.json",
        "This document",
        "OpenAPI 3.1, made from the types that validate.",
        READ,
        {200: "application/json"},
        (*ALWAYS, *KEYED),
    ),
    Route(
        "docs",
        "GET",
        "/docs",
        "This document, for people",
        "Needs no network.",
        READ,
        {200: "text/html"},
        (*ALWAYS, *KEYED),
    ),
)
