"""What one visit to the till says about the depth that a customer would have settled for.

A ladder never shows the wanted depth R itself: refused 3 %, accepted 8 % says only that R lies in (3 %, 8 %].
This module turns an outcome into such an event and hides the many ways in which a till may report one. Depths are
kept in quarter points (0.25 % of the base), so that events can be counted: learning needs the counts alone.
"""

from collections.abc import Sequence
from typing import Literal, get_args

import msgspec

from pos_discount.basket import Reaction, Result

UNITS_PER_WHOLE = 400
"""Quarter points in a depth of 100 %."""

KNOTS: tuple[int, ...] = (2, 4, 8, 12, 20, 30, 40, 50, 60, 80, 100, 120, 160, 200)
"""Knots of every curve, in quarter points: 0.5, 1, 2, 3, 5, 7.5, 10, 12.5, 15, 20, 25, 30, 40 and 50 %."""

MOST_REFUSALS = 15
"""Refusals beyond this many are counted as this many."""

Exit = Literal["accepted", "settled", "base", "walked", "left", "accepted_or_settled"]


class Event(msgspec.Struct, frozen=True, order=False):
    """One interval-censored observation of the wanted depth.

    `lo` is the deepest depth refused (0: none) and `hi` the depth accepted (None: infinity), both in quarter points;
    `n` counts the refusals survived, save that for `left` it counts the last refusal, survived or not.
    `exit` says how the visit ended: accepted | settled (we stopped, they took the last rung) | base (we stopped, they
    paid the base) | walked | left (walked, or lost when we stopped) | accepted_or_settled (the till did not say which).
    """

    lo: int
    hi: int | None
    n: int
    exit: Exit


EventCounts = tuple[tuple[Event, int], ...]
"""Events of one customer, each with how often it was seen."""


def event_from_outcome(
    result: Result,
    rung: int | None,
    offers: Sequence[tuple[int, Reaction]] | None,
    depths: Sequence[float],
) -> Event | None:
    """Read an outcome as an event, or None where it says nothing about the wanted depth.

    `rung` is the accepted rung and `offers` are (rung, reaction) in the order they were said, rungs counting from 1
    as the answer numbered them; None where the till left `offers` out. `depths` are those of the ladder's rungs, as
    shares of the base. An outcome that contradicts itself, or names a rung beyond the ladder, is no evidence.

    >>> event_from_outcome("accepted", 2, [(1, "declined"), (2, "accepted")], (0.03, 0.08))
    Event(lo=12, hi=32, n=1, exit='accepted')
    """
    said = _offers_said(result, rung, offers)
    if any(not 1 <= number <= len(depths) for number, _ in said):
        return None
    if result == "accepted":
        return _event_of_acceptance(rung, said, depths)
    if result in ("left", "bought_at_base"):
        return _event_without_acceptance(result, said, depths)
    return None


def depth_units(depth: float) -> int:
    """Round a depth (share of the base) to quarter points."""
    return int(depth * UNITS_PER_WHOLE + 0.5)


def event_code(event: Event) -> str:
    """Write an event as a short text that sorts and groups in a table.

    >>> event_code(Event(12, None, 1, "walked"))
    '12:-:1:walked'
    """
    return f"{event.lo}:{'-' if event.hi is None else event.hi}:{event.n}:{event.exit}"


def parse_event_code(code: str) -> Event:
    """Read what `event_code` wrote; raises ValueError, naming the text, where it is something else."""
    parts = code.split(":")
    if len(parts) != 4 or parts[3] not in get_args(Exit):
        raise ValueError(f"not an event: {code!r}; expected 'lo:hi:n:exit' as written by event_code")
    lo, hi, n, exit_ = parts
    return Event(int(lo), None if hi == "-" else int(hi), int(n), _exit_named(exit_))


def _exit_named(text: str) -> Exit:
    exits: tuple[Exit, ...] = get_args(Exit)
    return next(exit_ for exit_ in exits if exit_ == text)


def _offers_said(
    result: Result, rung: int | None, offers: Sequence[tuple[int, Reaction]] | None
) -> tuple[tuple[int, Reaction], ...]:
    """Fill in what an acceptance implies: without `offers`, rungs 1 to `rung` were said in order."""
    if offers is not None:
        return tuple(offers)
    if result != "accepted" or rung is None:
        return ()
    return tuple((number, "declined") for number in range(1, rung))


def _event_of_acceptance(
    rung: int | None, said: tuple[tuple[int, Reaction], ...], depths: Sequence[float]
) -> Event | None:
    reactions = [reaction for number, reaction in said if number == rung]
    if rung is None or not 1 <= rung <= len(depths) or any(reaction == "walked" for _, reaction in said):
        return None
    if reactions and reactions[-1] == "ignored":
        return None
    refused = [depth_units(depths[number - 1]) for number, reaction in said if reaction == "declined"]
    lo, hi, n = max(refused, default=0), depth_units(depths[rung - 1]), min(len(refused), MOST_REFUSALS)
    went_back = bool(refused) and rung <= max(number for number, reaction in said if reaction == "declined")
    if went_back:  # refused this rung, or a deeper one, and took it in the end
        return Event(lo, None, n, "settled")
    is_known = bool(reactions) or rung < len(depths)
    return Event(lo, max(hi, lo + 1), n, "accepted" if is_known else "accepted_or_settled")


def _event_without_acceptance(
    result: Result, said: tuple[tuple[int, Reaction], ...], depths: Sequence[float]
) -> Event | None:
    if any(reaction == "accepted" for _, reaction in said):
        return None
    refused = [number for number, reaction in said if reaction in ("declined", "walked")]
    if not refused:
        return None
    lo, n = max(depth_units(depths[number - 1]) for number in refused), min(len(refused), MOST_REFUSALS)
    has_walked = any(reaction == "walked" for _, reaction in said)
    if has_walked or (result == "left" and max(number for number, _ in said) < len(depths)):
        return Event(lo, None, n - 1, "walked")
    return Event(lo, None, n, "base" if result == "bought_at_base" else "left")
