"""What a fit is taught with: counts and the store's customers, put together as evidence; all of it, or a day's."""

from collections.abc import Iterable, Mapping

import numpy as np

from pos_discount.learning.counts import Counts, Today
from pos_discount.learning.evidence import Evidence, Gathering
from pos_discount.learning.fit import Day
from pos_discount.store import CustomerEvents


def evidence_of(counts: Counts, customers: Iterable[tuple[tuple[str, CustomerEvents], ...]]) -> Evidence:
    """Gather all anonymous visits and the given customers; who was never seen with a behaviour is left out."""
    gathering = Gathering()
    for block in customers:
        _add(gathering, counts, {name: dict(events) for name, events in block})
    gathering.add_anonymous(counts.visits_by_kind.items())
    return gathering.evidence()


def day_of(counts: Counts, today: Today, events_by_customer: Mapping[str, CustomerEvents]) -> Day:
    """Gather what the day changed: the customers it saw, before and after, and its anonymous visits.

    What a customer's counts were is what they are less what the day added.
    """
    now = {name: dict(events) for name, events in events_by_customer.items()}
    earlier = {
        name: {code: count - today.events_by_customer[name].get(code, 0) for code, count in _all(now[name], added)}
        for name, added in today.events_by_customer.items()
        if name in now
    }
    kinds = today.visits_by_kind.items()
    before, after = Gathering(), Gathering()
    _add(before, counts, earlier)
    before.add_anonymous((kind, -number) for kind, number in kinds if number < 0)
    counts.behaviours.settle()
    _add(after, counts, now)
    after.add_anonymous((kind, number) for kind, number in kinds if number > 0)
    return Day(before.evidence(), after.evidence(), len(counts.behaviours))


def _all(now: Mapping[str, int], added: Mapping[str, int]) -> Iterable[tuple[str, int]]:
    """List a customer's counts, those that the day took away altogether as 0."""
    return {**dict.fromkeys(added, 0), **now}.items()


def _add(gathering: Gathering, counts: Counts, events_by_customer: Mapping[str, Mapping[str, int]]) -> None:
    """Add customers as they were when behaviours were last settled."""
    names = [name for name, events in events_by_customer.items() if any(count > 0 for count in events.values())]
    bins, is_known = counts.behaviours.settled(names)
    known = [name for name, is_there in zip(names, is_known.tolist(), strict=True) if is_there]
    events = ([(code, float(count)) for code, count in events_by_customer[name].items() if count > 0] for name in known)
    gathering.add_customers(known, bins[np.flatnonzero(is_known)], events)
