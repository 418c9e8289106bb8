"""Neither the candidate nor the champion is asked about what it was taught."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from pos_discount.learning import Evidence, FitOptions, fit_sensitivity
from pos_discount.learning.checkouts import checkouts_of
from pos_discount.learning.counts import Counts
from pos_discount.learning.gate import GateLimits, check_likelihood
from pos_discount.learning.heldout import FOLDS, held_out_gain
from pos_discount.learning.history import Visit, visits_of
from pos_discount.learning.targets import choices_of, judge_of, weigh
from pos_discount.learning.taught import evidence_of
from pos_discount.sensitivity import SensitivityModel, prior_model
from pos_discount.store import Store

from .shop import Trade, write_policy

OPTIONS = FitOptions(segments=(3,), young_until=0.0, restarts=1)
FIRST, LATER = 900, 300


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Evidence, tuple[Visit, ...]]]:
    folder = tmp_path_factory.mktemp("held-out")
    store = Store(folder / "shop.db")
    Trade(store, write_policy(folder / "policies")).visits(FIRST + LATER)
    counts = Counts()
    counts.read(store.read_lessons(0))
    counts.behaviours.settle()
    events = dict(pair for block in store.read_events() for pair in block)
    visits = visits_of([row for block in store.read_outcomes(0) for row in block], events)
    yield evidence_of(counts, store.read_events()), visits
    store.close()


def fitted_until(model: SensitivityModel, sequence: int) -> SensitivityModel:
    return replace(model, card=msgspec.structs.replace(model.card, fitted_until=str(sequence)))


def test_a_champion_is_asked_about_what_came_since_it_was_fitted(traded: tuple[Evidence, tuple[Visit, ...]]) -> None:
    evidence, visits = traded
    champion = prior_model()
    of_all = held_out_gain(evidence, visits, None, champion, OPTIONS, 1).over_champion
    of_later = held_out_gain(evidence, visits, None, fitted_until(champion, FIRST), OPTIONS, 1).over_champion
    assert len(visits) / FOLDS / 2 < of_all.rows < len(visits) / FOLDS * 2
    assert LATER / FOLDS / 2 < of_later.rows < LATER / FOLDS * 2


def test_where_nobody_came_since_the_champion_was_fitted_the_gate_says_so(
    traded: tuple[Evidence, tuple[Visit, ...]],
) -> None:
    evidence, visits = traded
    gain = held_out_gain(evidence, visits, None, fitted_until(prior_model(), FIRST + LATER), OPTIONS, 1)
    check = check_likelihood(gain.over_champion, GateLimits())
    assert gain.over_champion.rows == 0
    assert not check.passed
    assert check.found == "nobody came since the champion was fitted who could be asked"
    assert np.isfinite(gain.over_one_segment.mean)


def test_on_what_it_remembers_a_champion_looks_better_than_a_fit_that_never_saw_it(
    traded: tuple[Evidence, tuple[Visit, ...]],
) -> None:
    evidence, visits = traded
    knows_all = fit_sensitivity(evidence, None, OPTIONS, seed=1).model
    remembered = held_out_gain(evidence, visits, None, fitted_until(knows_all, 0), OPTIONS, 1).over_champion
    assert remembered.mean < 0.0


def test_one_draw_is_the_worst_for_all_checkouts_together(traded: tuple[Evidence, tuple[Visit, ...]]) -> None:
    evidence, visits = traded
    model = fit_sensitivity(evidence, None, OPTIONS, seed=1).model
    checkouts = checkouts_of(visits, is_prefix_trusted=True)
    judge = judge_of(model, checkouts)
    spread = choices_of(judge, checkouts)
    worst, best = (weigh(checkouts, spread, [judge], unknown=unknown) for unknown in ("worst", "best"))
    assert 0.0 < worst.missing.mean() < 1.0
    assert worst.direct.mean() < best.direct.mean()
    assert (worst.direct > best.direct).any()  # the draw that is worst in all is not so at every checkout
