"""An outcome is read as evidence, exactly as a till may report it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos_discount.sensitivity import Event, depth_units, event_code, event_from_outcome, parse_event_code

DEPTHS = (0.03, 0.08, 0.15)

ROWS = [
    ("accepts rung 1", ("accepted", 1, [(1, "accepted")]), Event(0, 12, 0, "accepted")),
    ("accepts rung 2", ("accepted", 2, [(1, "declined"), (2, "accepted")]), Event(12, 32, 1, "accepted")),
    (
        "a skipped rung widens the interval",
        ("accepted", 3, [(1, "declined"), (3, "accepted")]),
        Event(12, 60, 1, "accepted"),
    ),
    ("an ignored rung is no refusal", ("accepted", 2, [(1, "ignored"), (2, "accepted")]), Event(0, 32, 0, "accepted")),
    ("accepts without offers", ("accepted", 2, None), Event(12, 32, 1, "accepted")),
    ("accepts the last without offers", ("accepted", 3, None), Event(32, 60, 2, "accepted_or_settled")),
    ("an unspoken reaction to the last", ("accepted", 3, [(1, "declined")]), Event(12, 60, 1, "accepted_or_settled")),
    (
        "settles for the last rung said",
        ("accepted", 2, [(1, "declined"), (2, "declined")]),
        Event(32, None, 2, "settled"),
    ),
    (
        "goes back to an earlier rung",
        ("accepted", 1, [(1, "declined"), (2, "declined")]),
        Event(32, None, 2, "settled"),
    ),
    ("buys at base", ("bought_at_base", None, [(1, "declined"), (2, "declined")]), Event(32, None, 2, "base")),
    ("walks", ("left", None, [(1, "declined"), (2, "walked")]), Event(32, None, 1, "walked")),
    ("walks at once", ("left", None, [(1, "walked")]), Event(12, None, 0, "walked")),
    ("leaves with rungs unspoken", ("left", None, [(1, "declined")]), Event(12, None, 0, "walked")),
    ("leaves after the last", ("left", None, [(1, "declined"), (3, "declined")]), Event(60, None, 2, "left")),
    ("out of order", ("bought_at_base", None, [(3, "declined"), (1, "declined")]), Event(60, None, 2, "base")),
]

NO_EVIDENCE = [
    ("not offered", ("not_offered", None, None)),
    ("cancelled", ("cancelled", 1, [(1, "accepted")])),
    ("left, what was said is unknown", ("left", None, None)),
    ("base, what was said is unknown", ("bought_at_base", None, None)),
    ("base, all ignored", ("bought_at_base", None, [(1, "ignored"), (2, "ignored")])),
    ("base, nothing said", ("bought_at_base", None, [])),
    ("accepted something beyond the ladder", ("accepted", None, None)),
    ("accepted and walked", ("accepted", 2, [(1, "walked"), (2, "accepted")])),
    ("accepted but left", ("left", None, [(1, "accepted")])),
    ("accepted what was ignored", ("accepted", 1, [(1, "ignored")])),
    ("a rung that the ladder lacks", ("accepted", 4, [(4, "accepted")])),
    ("an offer that the ladder lacks", ("left", None, [(4, "declined")])),
]


@pytest.mark.parametrize(("outcome", "event"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_an_outcome_is_read_as_its_event(outcome: tuple, event: Event) -> None:
    assert event_from_outcome(*outcome, DEPTHS) == event


@pytest.mark.parametrize("outcome", [row[1] for row in NO_EVIDENCE], ids=[row[0] for row in NO_EVIDENCE])
def test_an_outcome_that_says_nothing_is_no_evidence(outcome: tuple) -> None:
    assert event_from_outcome(*outcome, DEPTHS) is None


@pytest.mark.parametrize(("depth", "units"), [(0.0, 0), (0.00124, 0), (0.00125, 1), (0.03, 12), (0.5, 200)])
def test_depths_are_kept_to_a_quarter_point(depth: float, units: int) -> None:
    assert depth_units(depth) == units


def test_two_rungs_in_one_quarter_point_leave_an_interval() -> None:
    event = event_from_outcome("accepted", 2, [(1, "declined"), (2, "accepted")], (0.0300, 0.0301))
    assert event == Event(12, 13, 1, "accepted")


@given(
    result=st.sampled_from(["accepted", "bought_at_base", "left", "not_offered", "cancelled"]),
    rung=st.none() | st.integers(1, 4),
    offers=st.none()
    | st.lists(
        st.tuples(st.integers(1, 4), st.sampled_from(["accepted", "declined", "walked", "ignored"])), max_size=5
    ),
)
def test_whatever_a_till_reports_an_event_is_in_order_and_survives_writing(result, rung, offers) -> None:
    event = event_from_outcome(result, rung, offers, DEPTHS)
    if event is None:
        return
    assert event.n >= 0 and (event.hi is None or event.lo < event.hi)
    assert parse_event_code(event_code(event)) == event


@pytest.mark.parametrize("code", ["", "1:2:3", "1:2:3:gone", "a:-:0:walked"], ids=["empty", "short", "exit", "number"])
def test_a_text_that_is_no_event_is_refused(code: str) -> None:
    with pytest.raises(ValueError):
        parse_event_code(code)
