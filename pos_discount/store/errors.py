"""What a store can refuse, as errors that carry facts.

A caller needs to tell three families apart: the store cannot serve now (try again later), what was asked does not fit
what is already recorded (decide or answer differently), and what was asked for was forgotten. Everything else is a bug
and flies as it is.
"""

from __future__ import annotations

from pos_discount.pricing.limits import CounterKey
from pos_discount.store.records import Reply


class StoreError(Exception):
    """Anything that the store refuses."""


class StoreUnavailable(StoreError):
    """The disk is full, broken, locked or gone.

    Nothing of this call was acknowledged, reads may go on, try again later.
    """


class StoreBusy(StoreUnavailable):
    """More writes are waiting than can be served in time: refused at once, nothing was recorded."""


class HoldConflict(StoreError):
    """Somebody else took what was left of a limit since usage was read: read it again and decide again."""

    def __init__(self, counters: tuple[CounterKey, ...]) -> None:
        names = ", ".join(sorted({counter.promotion_id for counter in counters}))
        super().__init__(f"no longer within the limits of {names}; read usage again and decide again")
        self.counters = counters


class ReturnConflict(StoreError):
    """Another return of the same sale came first: read the returns again and compute the refund again."""


class NoSale(StoreError):
    """The decision has no outcome by which something was sold, so nothing can be returned."""


class UnknownDecision(StoreError):
    """No such decision was recorded."""


class ForgottenDecision(StoreError):
    """The decision belonged to a customer who was forgotten."""


class StillRunning(StoreError):
    """The first call with this idempotency key has not been answered yet."""


class OtherBody(StoreError):
    """This idempotency key has been used with another body."""


class AlreadyAnswered(StoreError):
    """Another worker answered the same idempotency key first; `reply` is that first answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__("the same idempotency key was answered first by another call; give that answer")
        self.reply = reply
