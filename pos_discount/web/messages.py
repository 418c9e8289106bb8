"""What goes over the wire beside the basket and its answer: outcomes, returns, and what is in force.

The same types read bodies, write answers and make the OpenAPI document, so that the three can't differ.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from pos_discount.answer import Answer
from pos_discount.basket import Amount, Identifier, Moment, Reaction, Result
from pos_discount.store import MOST_OUTCOMES
from pos_discount.web.problems import Fault

RungNumber = Annotated[int, Meta(ge=1, le=1000, description="A rung of the ladder, counting from 1 as answered.")]


class OfferSaid(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A rung that the cashier said aloud, what the customer answered, and how long it took."""

    rung: RungNumber
    reaction: Reaction
    seconds: Annotated[float, Meta(ge=0, le=86_400)] | None = None


class OutcomeReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a sale ended. Only ``result`` is required; ``accepted`` needs ``rung`` or ``promotions``."""

    result: Result
    rung: RungNumber | None = None
    promotions: Annotated[tuple[Identifier, ...], Meta(min_length=1, max_length=100)] | None = None
    offers: Annotated[tuple[OfferSaid, ...], Meta(max_length=100)] | None = None
    paid_total: Amount | None = None
    at: Moment | None = None
    sale_id: Identifier | None = None
    satisfaction: Annotated[int, Meta(ge=1, le=5, description="A tap from 1 (bad) to 5 (good).")] | None = None


class OutcomeOfDecision(OutcomeReport, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """An outcome in a batch, with the decision that it belongs to."""

    decision_id: Identifier


class OutcomeBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Outcomes from a till that was offline. Each is judged for itself; the answer's are in the same order."""

    outcomes: Annotated[tuple[OutcomeOfDecision, ...], Meta(max_length=MOST_OUTCOMES)]


class UnreadBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A batch whose outcomes are still text, so that one that is wrong doesn't stop the others."""

    outcomes: Annotated[tuple[msgspec.Raw, ...], Meta(max_length=MOST_OUTCOMES)]


class OutcomeResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of one outcome: the status it would have had alone, and a stable code."""

    decision_id: str | None
    status: int
    code: str
    errors: tuple[Fault, ...] = ()


class OutcomeResults(msgspec.Struct, frozen=True):
    """What came of each outcome of a batch, in the same order."""

    results: tuple[OutcomeResult, ...]


class OutcomeAnswer(msgspec.Struct, frozen=True):
    """The outcome as it is kept: ``recorded`` the first time, ``unchanged`` when it was there already."""

    decision_id: str
    code: Literal["recorded", "unchanged"]
    recorded_at: datetime
    outcome: OutcomeReport


class KeptOutcome(OutcomeReport, frozen=True, omit_defaults=True, kw_only=True):
    """An outcome as it is kept, with the server's time at which it came."""

    recorded_at: datetime


class ReturnedLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Units of one line that come back. Faulty ones give back what they cost net."""

    line_id: Identifier
    quantity: Annotated[int, Meta(ge=1, le=10**6)]
    faulty: bool = False


class ReturnRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a customer brings back of one sale."""

    lines: Annotated[tuple[ReturnedLine, ...], Meta(min_length=1, max_length=1000)]


class LineRefund(msgspec.Struct, frozen=True):
    """What is given back for one line."""

    line_id: str
    refund: int


class ReturnAnswer(msgspec.Struct, frozen=True):
    """What is given back, in minor units, and why it is that much."""

    refund: int
    lines: tuple[LineRefund, ...]
    reason: str


class DecisionRecord(Answer, frozen=True, kw_only=True):
    """A decision as it was answered, with what became of it; ``superseded_by`` is a later decision of the same sale."""

    superseded_by: str | None
    outcome: KeptOutcome | None
    returns: tuple[ReturnAnswer, ...] = ()


class LimitInForce(msgspec.Struct, frozen=True):
    """A limit as it is written; ``budget`` in minor units."""

    per: str
    every: str
    uses: int | None
    budget: int | None


class PromotionInForce(msgspec.Struct, frozen=True):
    """A promotion of the policy in force. Amounts in minor units, shares from 0 to 1; ``place`` is where it is
    written.
    """

    promotion_id: str
    name: str
    class_: str = msgspec.field(name="class")
    offer: str
    priority: int
    combines_with: tuple[str, ...]
    conditions: tuple[str, ...]
    benefit: str
    say: dict[str, str]
    from_: datetime | None = msgspec.field(name="from")
    until: datetime | None
    weekdays: tuple[str, ...] | None
    hours: tuple[str, ...] | None
    stores: tuple[str, ...] | None
    not_stores: tuple[str, ...] | None
    channels: tuple[str, ...] | None
    regions: tuple[str, ...] | None
    cap: int | None
    limits: tuple[LimitInForce, ...]
    funded: float
    approval: str | None
    owner: str | None
    reference: str | None
    paused: bool
    place: str


class PolicyInForce(msgspec.Struct, frozen=True):
    """The policy that answers are made from."""

    policy_version: str
    currency: str
    time_zone: str
    promotions: tuple[PromotionInForce, ...]


class ModelInForce(msgspec.Struct, frozen=True):
    """The model that ladders are chosen by: its version, null for the stated prior, and its card."""

    model_version: str | None
    fallback: str | None
    card: dict[str, Any]


class CurvePoint(msgspec.Struct, frozen=True):
    """The share of a segment that settles for a depth or less, with its 95 % interval."""

    depth: float
    share: float
    low: float
    high: float


class SegmentInForce(msgspec.Struct, frozen=True):
    """A behavioural segment: its rule in words, its share of visits, its curve, and what a refusal risks."""

    segment_id: str
    name: str
    rule: str
    share: float
    curve: tuple[CurvePoint, ...]
    walk: float
    loss: float


class SegmentsInForce(msgspec.Struct, frozen=True):
    """The segments that the model in force tells apart."""

    model_version: str | None
    segments: tuple[SegmentInForce, ...]


class Alive(msgspec.Struct, frozen=True):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(msgspec.Struct, frozen=True):
    """Whether a till should rely on this service, and what is wrong if anything is."""

    status: Literal["ready", "degraded", "unready"]
    policy: dict[str, Any]
    store: dict[str, Any]
    model: dict[str, Any]
