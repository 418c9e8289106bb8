"""The values that go into the store and come out of it.

The store does not know what a basket or a ladder is: what it need not count or look up travels as bytes. All moments
are whole microseconds since 1970 in UTC by the server's clock, save where a name says that the till said so; days are
proleptic ordinals (``date.toordinal()``) of the house's calendar; money is minor units.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Literal, TypeVar

import msgspec

from pos_discount.basket import Arm, Result
from pos_discount.pricing.holds import Counted

Recorded = Literal["created", "unchanged", "conflict", "unknown", "forgotten"]
T = TypeVar("T")


class DecisionRecord(msgspec.Struct, frozen=True):
    """One decision as it was answered.

    ``inputs`` is all that replaying it needs, ``answer`` the exact body that was sent.
    ``customer`` is a keyed pseudonym. ``decided_at`` is the till's moment, ``made_at`` and ``expires_at`` the server's.
    ``learning`` is what a retraining wants to read of it (depths, propensities, money), as compact as it can be.
    """

    decision_id: str
    store_id: str
    made_at: int
    decided_at: int
    expires_at: int
    policy_version: str
    arm: Arm
    seed: str
    inputs: bytes
    answer: bytes
    till_id: str | None = None
    cashier_id: str | None = None
    sale_id: str | None = None
    customer: str | None = None
    model_version: str | None = None
    segment_id: str | None = None
    fallback: str | None = None
    learning: bytes = b""


class EarlierDecision(msgspec.Struct, frozen=True):
    """What a new decision of the same sale takes over from the one before: the arm and the dice."""

    decision_id: str
    seed: str
    arm: Arm


class Visit(msgspec.Struct, frozen=True):
    """What an outcome adds to its customer's history.

    ``promoted`` is the part of ``spend`` that was bought on promotion.
    """

    day: int
    visits: int = 0
    spend: int = 0
    promoted: int = 0
    returns: int = 0


class OutcomeRecord(msgspec.Struct, frozen=True):
    """How a sale ended. The outcome is the same as another where ``result``, ``rung`` and ``promotions`` are.

    ``body`` holds the details as the till sent them, ``event`` the event's code for learning, ``counted`` what was sold
    under limits; a ``cancelled`` one counts nothing and needs no ``visit``. ``said_at`` is the till's moment.
    """

    store_id: str
    decision_id: str
    result: Result
    received_at: int
    rung: int | None = None
    promotions: tuple[str, ...] | None = None
    satisfaction: int | None = None
    said_at: int | None = None
    body: bytes = b""
    counted: tuple[Counted, ...] = ()
    visit: Visit | None = None
    event: str | None = None
    learning: bytes = b""


class ReturnedLine(msgspec.Struct, frozen=True):
    """One line of a return and what was paid back for it."""

    line_id: str
    quantity: int
    faulty: bool
    refund: int


class ReturnRecord(msgspec.Struct, frozen=True):
    """A return, computed from the ``number - 1`` returns that went before it.

    ``day`` counts it in the customer's history.
    """

    store_id: str
    decision_id: str
    number: int
    made_at: int
    lines: tuple[ReturnedLine, ...]
    refund: int
    answer: bytes
    day: int | None = None


class KeptDecision(msgspec.Struct, frozen=True):
    """A decision as it stands now: the record, what superseded it, how it ended and what was brought back."""

    record: DecisionRecord
    superseded_by: str | None
    outcome: OutcomeRecord | None
    returns: tuple[ReturnRecord, ...]


class Day(msgspec.Struct, frozen=True, array_like=True):
    """One day of a customer's history."""

    day: int
    visits: int
    spend: int
    promoted: int
    returns: int


class CustomerRecord(msgspec.Struct, frozen=True, array_like=True):
    """What is kept of a customer's behaviour: visits ever, the last days one by one, event codes with their counts.

    Days and events are sorted, so that the same history in any order is the same record.
    """

    visits: int = 0
    days: tuple[Day, ...] = ()
    events: tuple[tuple[str, int], ...] = ()


class Claim(msgspec.Struct, frozen=True):
    """A caller's idempotency key with the digest of the body that it came with."""

    caller: str
    key: str
    digest: bytes
    now: int


class Reply(msgspec.Struct, frozen=True):
    """An answer as it was given, to be given again byte for byte."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Answering(msgspec.Struct, Generic[T], frozen=True):
    """Ask for the answer to be kept in the same transaction as what it answers.

    ``reply_of`` makes it from the result.
    """

    claim: Claim
    reply_of: Callable[[T], Reply]


class KeptFile(msgspec.Struct, frozen=True):
    """One file of a policy or a model, by its path in the folder."""

    name: str
    content: bytes


class Activation(msgspec.Struct, frozen=True):
    """One turn of the pointer to the model in force; ``version`` None: none is."""

    number: int
    version: str | None
    activated_at: int
    reason: str


class Pause(msgspec.Struct, frozen=True):
    """A promotion that was stopped at every till."""

    promotion_id: str
    paused_at: int
    reason: str


class ApiKey(msgspec.Struct, frozen=True):
    """A bearer key as it is stored: never the key itself, only its HMAC. ``stores`` empty: all of them."""

    key_id: str
    hash: bytes
    scope: str
    stores: tuple[str, ...]
    label: str
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None


class Changes(msgspec.Struct, frozen=True):
    """Counts that go up whenever something changes that a worker keeps in memory."""

    model: int = 0
    paused: int = 0
    keys: int = 0
