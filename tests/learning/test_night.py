"""A night from the store to the model in force: what is new, what the gate says, what a cut-short night leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from pos_discount.learning import STAGES, FitOptions, RetrainOptions, publish, retrain
from pos_discount.learning.counts import BehaviourNote
from pos_discount.learning.gate import GateLimits, Verdict
from pos_discount.learning.history import VisitNote
from pos_discount.learning.retrain import Night
from pos_discount.learning.state import StateUnreadable, state_from_bytes
from pos_discount.recording import Notes
from pos_discount.sensitivity import Event
from pos_discount.store import OutcomeRecord, Store

from .shop import Trade, write_policy

NOW = 1_800_000_000_000_000


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Trade, Night]]:
    """A store after 450 visits, fewer than the gate wants to judge by, and the first night."""
    folder = tmp_path_factory.mktemp("night")
    store = Store(folder / "shop.db")
    trade = Trade(store, write_policy(folder / "policies"))
    trade.visits(450, missing=0.05)
    yield store, trade, retrain(store, None, RetrainOptions(), NOW)
    store.close()


def test_learning_reads_what_the_service_writes() -> None:
    assert Notes.__struct_fields__[: len(BehaviourNote.__struct_fields__)] == BehaviourNote.__struct_fields__
    assert Notes.__struct_fields__ == VisitNote.__struct_fields__


def test_a_night_counts_what_is_new_and_the_next_one_goes_on_from_there(
    traded: tuple[Store, Trade, Night],
) -> None:
    store, trade, _ = traded
    first = retrain(store, None, RetrainOptions(), NOW)  # its own: another test may have changed an outcome meanwhile
    trade.visits(100)
    second = retrain(store, first.state, RetrainOptions(), NOW)
    cold = retrain(store, None, RetrainOptions(), NOW)
    assert (second.new_outcomes, second.outcomes, cold.outcomes) == (100, first.outcomes + 100, first.outcomes + 100)
    going_on, anew = state_from_bytes(second.state).counts, state_from_bytes(cold.state).counts
    assert going_on.visits_by_kind == anew.visits_by_kind
    assert going_on.behaviours.names.tolist() == anew.behaviours.names.tolist()
    assert going_on.behaviours.bins.tolist() == anew.behaviours.bins.tolist()
    assert going_on.kind_by_decision == anew.kind_by_decision


EARLY = RetrainOptions(fit=FitOptions(segments=(2,), young_until=300.0, restarts=1, draws=8))


def test_an_ordinary_night_is_taught_the_day_alone_and_ends_where_a_night_of_all_does(tmp_path: Path) -> None:
    store = Store(tmp_path / "shop.db")
    trade = Trade(store, write_policy(tmp_path / "policies"), seed=3)
    trade.visits(900)
    first = retrain(store, None, EARLY, NOW)
    trade.visits(100)
    rows = [row for block in store.read_outcomes() for row in block if row.result == "accepted"]
    for row in (rows[0], rows[-1], next(row for row in rows if row.customer is not None)):
        store.record_outcomes([OutcomeRecord(row.store_id, row.decision_id, "cancelled", NOW)])
    second = retrain(store, first.state, EARLY, NOW)
    cold = retrain(store, None, EARLY, NOW)
    assert (first.is_anew, second.is_anew, cold.is_anew) == (True, False, True)
    assert _seen(second) == pytest.approx(_seen(cold), abs=1e-6)
    assert second.customers == cold.customers
    store.close()


def test_whom_the_store_forgot_the_next_night_of_all_forgets(tmp_path: Path) -> None:
    store = Store(tmp_path / "shop.db")
    Trade(store, write_policy(tmp_path / "policies"), customers=20).visits(200)
    first = retrain(store, None, RetrainOptions(), NOW)
    store.forget("c7", NOW)
    second = retrain(store, first.state, RetrainOptions(), NOW)
    assert b"c7" in state_from_bytes(first.state).counts.behaviours.names
    assert b"c7" not in state_from_bytes(second.state).counts.behaviours.names
    assert second.customers == first.customers - 1
    store.close()


def _seen(night: Night) -> dict[Event, float]:
    """Count the events that a night's fit rests on."""
    fitted = state_from_bytes(night.state).fitted
    assert fitted is not None
    totals = zip(fitted.sums.events, fitted.sums.seen.sum(axis=1).tolist(), strict=True)
    return {event: total for event, total in totals if total > 1e-6}


def test_a_changed_outcome_counts_once(traded: tuple[Store, Trade, Night]) -> None:
    store, _, _ = traded
    before = retrain(store, None, RetrainOptions(), NOW)
    rows = [row for block in store.read_outcomes() for row in block if row.customer is None and row.event is not None]
    sold = next(row for row in rows if row.result == "accepted")
    cancelled = OutcomeRecord(sold.store_id, sold.decision_id, "cancelled", NOW)
    assert store.record_outcomes([cancelled]) == ("created",)
    after = state_from_bytes(retrain(store, before.state, RetrainOptions(), NOW).state).counts
    assert sum(after.visits_by_kind.values()) == sum(state_from_bytes(before.state).counts.visits_by_kind.values()) - 1
    assert (
        after.visits_by_kind
        == state_from_bytes(retrain(store, None, RetrainOptions(), NOW).state).counts.visits_by_kind
    )


@pytest.fixture(scope="module")
def fuller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store after 700 visits: about as many as the gate wants to judge by."""
    folder = tmp_path_factory.mktemp("fuller")
    store = Store(folder / "shop.db")
    Trade(store, write_policy(folder / "policies"), seed=3).visits(700)
    yield store
    store.close()


@pytest.mark.parametrize("window", [300, 450, 600, 700])
def test_a_night_with_fewer_than_500_effective_samples_never_passes_and_says_why(fuller: Store, window: int) -> None:
    """However many outcomes it took, which depends on the prior: what is promised is a number of effective samples."""
    night = retrain(fuller, None, msgspec.structs.replace(EARLY, window=window), NOW)
    samples = _samples(night)
    assert [reason for reason in night.verdict.reasons if reason.startswith("effective samples")] == (
        [f"effective samples: {samples:,.0f}, needed 500"] if samples < 500 else []
    )
    if samples < 500:
        assert not night.verdict.passed
        assert not publish(fuller, night, NOW)
        assert fuller.read_active_model() is None
        assert night.version in [version for version, _ in fuller.read_models()]


@pytest.mark.parametrize("short", [0.5, -0.5], ids=["half a sample short", "half a sample to spare"])
def test_half_a_sample_decides_whether_a_night_has_enough_of_them(fuller: Store, short: float) -> None:
    samples = _samples(retrain(fuller, None, EARLY, NOW))
    limits = GateLimits(least_samples=samples + short)
    night = retrain(fuller, None, msgspec.structs.replace(EARLY, limits=limits), NOW)
    assert any(reason.startswith("effective samples") for reason in night.verdict.reasons) == (short > 0)


def _samples(night: Night) -> float:
    return next(value.effective_samples for value in night.compared.values if value.name == "candidate")


def test_what_passes_is_in_force_afterwards(traded: tuple[Store, Trade, Night]) -> None:
    store, _, night = traded
    assert publish(store, msgspec.structs.replace(night, verdict=Verdict(True, ())), NOW)
    assert store.read_active_model() == night.version


@pytest.mark.parametrize("damage", [0, 40, -1], ids=["magic", "digest", "end"])
def test_damaged_memory_is_refused_and_the_night_reads_everything_again(
    traded: tuple[Store, Trade, Night], damage: int
) -> None:
    _, _, night = traded
    broken = bytearray(night.state)
    broken[damage] ^= 1
    with pytest.raises(StateUnreadable):
        state_from_bytes(bytes(broken))


CHILD = """
import os, signal, sys
from pathlib import Path
from pos_discount.learning import RetrainOptions, publish, retrain
from pos_discount.store import Store
import msgspec
from pos_discount.learning.gate import Verdict

def notice(stage):
    if stage == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)

store = Store(sys.argv[1])
night = retrain(store, None, RetrainOptions(), 1_800_000_000_000_001, notice)
publish(store, msgspec.structs.replace(night, verdict=Verdict(True, ())), 1_800_000_000_000_001, notice)
"""


@pytest.mark.parametrize("stage", [STAGES[0], STAGES[4], "keeping", "activating"])
def test_a_night_killed_anywhere_leaves_yesterdays_model(tmp_path: Path, stage: str) -> None:
    file = tmp_path / "shop.db"
    store = Store(file)
    Trade(store, write_policy(tmp_path / "policies")).visits(120)
    night = retrain(store, None, RetrainOptions(), NOW)
    publish(store, night, NOW)
    store.activate_model(night.version, "yesterday", NOW)
    Trade(store, tmp_path / "policies", seed=2, customers=5)
    store.close()
    ended = subprocess.run([sys.executable, "-c", CHILD, str(file), stage], env=dict(os.environ), check=False)
    assert ended.returncode == -signal.SIGKILL
    store = Store(file)
    assert store.read_active_model() == night.version
    assert store.find_problems() == ()
    again = retrain(store, None, RetrainOptions(), NOW)
    assert again.outcomes == 120
    store.close()
