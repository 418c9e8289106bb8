"""Finding which promotions hold for a sale, without asking each of them.

Most of what promotions ask is a plain fact of the sale: its moment, its store, the customer's tier. Of each such fact
the finder knows beforehand which promotions ask for which words, so that a few words rule out nearly all that does not
hold, for any number of promotions at once. Only what is left, of what the basket can reach, is asked the rest: what
counts units, money or earlier uses, and what joins other conditions. Nobody is told here why a promotion does not hold;
for those that somebody wants to know of, that is said by `pos_discount.pricing.reasons`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from typing import Protocol

from pos_discount.policy.condition import Stated, View, Word
from pos_discount.policy.conditions import Condition, Coupon, first_unmet
from pos_discount.policy.model import Promotion
from pos_discount.policy.schedule import is_open
from pos_discount.pricing.context import Context
from pos_discount.pricing.entry import Entry
from pos_discount.pricing.limits import used_up

Mask = int
"""A set of promotions: an integer with a bit for each by its position, so that sets of any size are joined at once."""

_MOST_KEPT_MOMENTS = 1000


class Sale(View, Protocol):
    """What the finder looks at: what conditions see at list price, and the promotions that the basket can reach."""

    @property
    def context(self) -> Context: ...
    @property
    def reachable(self) -> Set[int]: ...


class Finder:
    """What a policy's promotions ask of a sale; made once per policy."""

    def __init__(self, entries: Sequence[Entry], position_by_id: Mapping[str, int]) -> None:
        self._entries = entries
        self._position_by_id = position_by_id
        self._timetable = _Timetable(entries)
        self._facts: dict[object, _Fact] = {}
        self._more: list[tuple[Condition, ...]] = [self._state_facts(entry) for entry in entries]
        self._on_claim = _mask(entry.position for entry in entries if _is_on_claim(entry))
        self._asking_more = _mask(
            entry.position
            for entry, more in zip(entries, self._more, strict=True)
            if more or entry.promotion.not_stores is not None or entry.promotion.limits
        )

    def holding(self, sale: Sale, presented: Iterable[int]) -> set[int]:
        """Return the promotions in a basket's reach of which all holds that other promotions cannot change.

        Promotions are named by position; ``presented`` are those that the customer claims, by id or by coupon.
        """
        ruled_out = self._timetable.ruled_out(sale) | (self._on_claim & ~_mask(presented))
        for fact in self._facts.values():
            ruled_out |= fact.ruled_out(sale)
        ruled_out |= _mask(self._position_by_id[id_] for id_ in sale.context.paused if id_ in self._position_by_id)
        holding = set()
        for position in sale.reachable:
            if ruled_out >> position & 1:
                continue
            if not self._asking_more >> position & 1 or self._holds(position, sale):
                holding.add(position)
        return holding

    def _holds(self, position: int, sale: Sale) -> bool:
        promotion = self._entries[position].promotion
        if first_unmet(self._more[position], sale) is not None:
            return False
        if promotion.not_stores is not None and sale.basket.store_id in promotion.not_stores:
            return False
        return not promotion.limits or used_up(promotion, sale.basket, sale.local_time, sale.context.usage) is None

    def _state_facts(self, entry: Entry) -> tuple[Condition, ...]:
        """Note the plain facts that a promotion asks for; return the conditions that remain to be asked."""
        for name, stated in _PLACES.items():
            words = getattr(entry.promotion, name)
            if words is not None:
                self._facts.setdefault(name, _Fact(stated)).ask(entry.position, words)
        more = []
        noted: set[object] = set()
        for condition in entry.fixed_conditions:
            kind = type(condition)
            if isinstance(condition, Stated) and kind not in noted:
                noted.add(kind)
                self._facts.setdefault(kind, _Fact(condition.stated)).ask(entry.position, condition.wanted())
            else:
                more.append(condition)
        return tuple(more)


_PLACES: dict[str, Callable[[View], Collection[Word | None]]] = {
    "stores": lambda view: (view.basket.store_id,),
    "channels": lambda view: (view.basket.channel,),
    "regions": lambda view: (view.basket.region,),
}
"""What a promotion names of where it runs, by its field, and what a sale states of it."""


class _Fact:
    """A fact that a sale states, and which promotions want which of its words."""

    __slots__ = ("_asking", "_by_word", "_stated")

    def __init__(self, stated: Callable[[View], Collection[Word | None]]) -> None:
        self._stated = stated
        self._asking = 0
        self._by_word: dict[Word | None, Mask] = {}

    def ask(self, position: int, words: Iterable[Word]) -> None:
        self._asking |= 1 << position
        for word in words:
            self._by_word[word] = self._by_word.get(word, 0) | 1 << position

    def ruled_out(self, view: View) -> Mask:
        holding = 0
        for word in self._stated(view):
            holding |= self._by_word.get(word, 0)
        return self._asking ^ holding


class _Timetable:
    """Which promotions are not in force: the same from one moment at which any schedule turns to the next."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries
        self._moments = sorted({moment for entry in entries for moment in (entry.begins, entry.ends)})
        limited = [entry.promotion for entry in entries if _goes_by_the_clock(entry.promotion)]
        windows = [window for promotion in limited for window in promotion.hours or ()]
        self._turns = sorted({turn for window in windows for turn in (window.starts, window.ends)})
        self._goes_by_the_clock = bool(limited)
        self._ruled_out: dict[tuple[int, int, int], Mask] = {}

    def ruled_out(self, sale: Sale) -> Mask:
        moment, local_time = sale.context.at.timestamp(), sale.local_time
        weekday = turn = 0
        if self._goes_by_the_clock:
            weekday, turn = local_time.weekday(), bisect_right(self._turns, local_time.time())
        between = bisect_right(self._moments, moment), weekday, turn
        ruled_out = self._ruled_out.get(between)
        if ruled_out is None:
            if len(self._ruled_out) >= _MOST_KEPT_MOMENTS:
                self._ruled_out.clear()
            ruled_out = self._ruled_out[between] = _mask(
                entry.position
                for entry in self._entries
                if not (entry.begins <= moment < entry.ends and is_open(entry.promotion, local_time))
            )
        return ruled_out


def _mask(positions: Iterable[int]) -> Mask:
    mask = 0
    for position in positions:
        mask |= 1 << position
    return mask


def _is_on_claim(entry: Entry) -> bool:
    """Tell whether a promotion holds only where it is claimed, or one of its coupons presented."""
    return entry.promotion.offer == "on_request" or any(isinstance(c, Coupon) for c in entry.promotion.when)


def _goes_by_the_clock(promotion: Promotion) -> bool:
    return promotion.weekdays is not None or promotion.hours is not None
