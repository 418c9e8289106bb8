"""What surrounds a basket when it is priced."""

from __future__ import annotations

from datetime import datetime

import msgspec

from pos_discount.pricing.limits import CounterKey, Usage


class Context(msgspec.Struct, frozen=True):
    """What surrounds a basket: the sale's moment, the customer's segment, what limits have counted, what is paused."""

    at: datetime
    segment: tuple[str, ...] = ()
    usage: dict[CounterKey, Usage] = {}
    paused: tuple[str, ...] = ()
