"""What of a ladder was executed, and how likely that was: the weights of off-policy evaluation.

A checkout shows a prefix of its ladder. All ladders with that prefix would have shown the same, so the weight is the
mass of all of them, not of one; that is where most of the precision comes from. It supposes that a cashier's obedience
does not depend on rungs that were not read out yet, which is tested; what was said is no prefix: the ladder as
recommended is weighed.
Source: marginalising importance weights over what is not observed (Rao-Blackwell).
"""

import math
from collections.abc import Iterable
from typing import Literal, NamedTuple

from pos_discount.learning.history import Visit
from pos_discount.sensitivity.stakes import Ladder

Reach = Literal["prefix", "beyond", "exact", "free"]

DISOBEDIENCE = 3.29
"""Standard errors (two-sided 0.1 %) from which obedience counts as depending on unread rungs."""


class Executed(NamedTuple):
    """Which ladders agree with what was executed: all with the `prefix`, those that go `beyond` it, `exact`ly it,
    or any (`free`: nothing was said)."""

    reach: Reach
    prefix: Ladder


def executed_of(visit: Visit, is_prefix_trusted: bool) -> Executed:
    """Say which ladders agree with what a checkout showed."""
    ladder = visit.choice.rungs
    whole = Executed("exact", ladder)
    if visit.result == "not_offered" and not visit.said:
        return Executed("free", ())
    if not is_prefix_trusted:
        return whole
    if visit.said is None:
        is_inside = visit.result == "accepted" and visit.rung is not None and visit.rung < len(ladder)
        return Executed("prefix", ladder[: visit.rung]) if is_inside else whole
    numbers, reactions = [number for number, _ in visit.said], [reaction for _, reaction in visit.said]
    if not numbers or numbers != list(range(1, len(numbers) + 1)) or "ignored" in reactions:
        return whole
    prefix = ladder[: len(numbers)]
    if reactions[-1] == "accepted":
        return Executed("prefix", prefix)
    if visit.result == "left" and len(prefix) < len(ladder):
        return Executed("beyond", prefix)
    return whole


def has_refused_first(visit: Visit) -> bool:
    """Say whether rung 1 was named and not taken at once: what comes then depends on the rest of the ladder."""
    if visit.said is None:
        return visit.result == "accepted" and visit.rung is not None and visit.rung > 1
    return bool(visit.said) and visit.said[0][0] == 1 and visit.said[0][1] in ("declined", "walked")


def agrees(ladder: Ladder, executed: Executed) -> bool:
    """Say whether a ladder would have shown the same."""
    reach, prefix = executed
    if reach == "exact":
        return ladder == prefix
    return ladder[: len(prefix)] == prefix and not (reach == "beyond" and len(ladder) == len(prefix))


class Obedience(NamedTuple):
    """The test whether deviating from the ladder depends on rungs not yet read out; `largest` in standard errors."""

    visits: int
    deviating: int
    largest: float

    @property
    def is_trusted(self) -> bool:
        """Say whether prefix weights may be used."""
        return self.largest <= DISOBEDIENCE


def examine_obedience(visits: Iterable[Visit]) -> Obedience:
    """Test whether a first word other than rung 1 depends on what came later in the ladder.

    Given the basket the ladder was drawn, so its length and deepest depth, less their expectation, must not go with
    deviating; both sums are compared with their standard errors.
    """
    seen, deviating = 0, 0
    sums, squares = [0.0, 0.0], [0.0, 0.0]
    for visit in visits:
        if not visit.said or visit.arm != "ladder":
            continue
        seen += 1
        if visit.said[0][0] == 1:
            continue
        deviating += 1
        for index, surprise in enumerate(_surprises(visit)):
            sums[index] += surprise
            squares[index] += surprise * surprise
    z = [abs(total) / math.sqrt(square) for total, square in zip(sums, squares, strict=True) if square > 0.0]
    return Obedience(seen, deviating, max(z, default=0.0) if deviating >= 5 else 0.0)


def _surprises(visit: Visit) -> tuple[float, float]:
    """Give the ladder's length and deepest depth, each less its expectation."""
    depths, distribution = visit.stakes.depths, visit.choice.distribution
    length = math.fsum(mass * len(ladder) for ladder, mass in distribution)
    deepest = math.fsum(mass * depths[ladder[-1]] for ladder, mass in distribution if ladder)
    return len(visit.choice.rungs) - length, depths[visit.choice.rungs[-1]] - deepest
