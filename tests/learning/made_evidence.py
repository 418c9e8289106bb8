"""Evidence made by shoppers whose truth is known."""

import numpy as np

from pos_discount.learning import Evidence, gather_evidence
from pos_discount.sensitivity import Behaviour, Event, bin_behaviour

RUNGS = (12, 40, 80)


def play_visit(want: int, walk: float, loss: float, dice: np.random.Generator) -> Event:
    """Say three rungs, the last words of a walk and of a loss looking the same; `want` is in quarter points."""
    lo = 0
    for said, rung in enumerate(RUNGS):
        if want <= rung:
            return Event(lo, rung, said, "accepted")
        lo = rung
        has_walked = dice.random() < walk
        if has_walked and said + 1 < len(RUNGS):
            return Event(lo, None, said, "walked")
        if has_walked:
            return Event(lo, None, said + 1, "left")
    return Event(lo, None, len(RUNGS), "left" if dice.random() < loss else "settled")


def two_groups(customers: int, visits: int, seed: int) -> tuple[Evidence, np.ndarray]:
    """Make customers of whom half are content (and never ask), half hunt (and mostly ask); and who is who."""
    dice = np.random.default_rng(seed)
    is_hunter = dice.random(customers) < 0.5
    rows = []
    for customer, hunts in enumerate(is_hunter):
        wants = dice.choice((10, 30, 60, 400), visits, p=(0.05, 0.15, 0.5, 0.3) if hunts else (0.85, 0.1, 0.03, 0.02))
        counts: dict[Event, int] = {}
        for want in wants:
            event = play_visit(int(want), 0.1, 0.7 if hunts else 0.1, dice)
            counts[event] = counts.get(event, 0) + 1
        bins = bin_behaviour(
            Behaviour(asked=bool(dice.random() < (0.8 if hunts else 0.1)), hour=int(dice.integers(8, 20)))
        )
        rows.append((str(customer), bins, tuple(counts.items())))
    return gather_evidence(rows), is_hunter
