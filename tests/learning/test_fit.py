"""The nightly fit finds the groups that there are, keeps their names, and serves what it found."""

import numpy as np
import pytest

from pos_discount.learning import FitOptions, fit_sensitivity, gather_evidence
from pos_discount.learning.cells import CellLimits, cells_of, grow_cells
from pos_discount.learning.segments import Sample
from pos_discount.sensitivity import KNOTS, Behaviour, Stakes, Terms, believe, model_from_bytes, model_to_bytes
from pos_discount.sensitivity.prior import PRIOR_SEGMENTS

from .made_evidence import two_groups

QUICK = FitOptions(segments=(2, 3), young_until=500.0, restarts=1, draws=8)
SAMPLE = tuple(
    Stakes((0.03, 0.1, 0.2), tuple(value * (margin - d) for d in (0.03, 0.1, 0.2)), value * margin, value)
    for value in (2_000.0, 5_000.0)
    for margin in (0.3, 0.4, 0.5, 0.6)
)


@pytest.fixture(scope="module")
def fitted():
    evidence, is_hunter = two_groups(500, 8, seed=0)
    return fit_sensitivity(evidence, None, QUICK, seed=1, sample=Sample(SAMPLE, Terms(3, 15.0))), evidence, is_hunter


def test_customers_fall_into_the_groups_that_they_were_made_from(fitted) -> None:
    fit, evidence, is_hunter = fitted
    counts = evidence.counts.tocsr()
    found = []
    for row in range(len(is_hunter)):
        events = tuple((evidence.events[column], int(counts[row, column])) for column in counts[[row]].indices.tolist())
        weights = believe(fit.model, Behaviour(), events).weights
        content = int(np.argmax(fit.model.curves[:, 3]))
        found.append(np.argmax(weights) != content)
    assert np.mean(np.array(found) == is_hunter) > 0.93


def test_asking_splits_the_cells_and_the_hour_does_not(fitted) -> None:
    fit, _, _ = fitted
    rules = fit.model.tree.rules()
    assert any("asks for a discount" in rule for rule in rules)
    assert not any("comes" in rule for rule in rules)


def test_no_cell_is_grown_on_noise() -> None:
    dice = np.random.default_rng(5)
    bins = np.zeros((1_500, 9), dtype=np.int8)
    bins[:, 0], bins[:, 7] = dice.integers(1, 6, 1_500), dice.integers(1, 6, 1_500)
    likelihood = dice.random((1_500, 3)) ** 3 + 1e-6
    trees = [
        grow_cells(bins, np.ones(1_500), np.ones(1_500), likelihood, np.full(3, 1 / 3), CellLimits(), seed)
        for seed in range(5)
    ]
    assert sum(len(tree.rules()) > 1 for tree in trees) <= 1


def test_a_cell_has_enough_visits(fitted) -> None:
    fit, evidence, _ = fitted
    cells = cells_of(fit.model.tree, evidence.bins)
    visits = np.asarray(evidence.counts.sum(axis=1)).ravel()
    assert np.bincount(cells, visits).min() >= CellLimits().visits


def test_a_segment_keeps_its_name_from_night_to_night(fitted) -> None:
    fit, evidence, _ = fitted
    again = fit_sensitivity(evidence, fit, QUICK, seed=2, sample=Sample(SAMPLE, Terms(3, 15.0)))
    assert again.labels == fit.labels
    assert [(each.segment_id, each.name) for each in again.model.segments] == [
        (each.segment_id, each.name) for each in fit.model.segments
    ]


def test_the_same_evidence_and_seed_give_the_same_model(fitted) -> None:
    fit, evidence, _ = fitted
    again = fit_sensitivity(evidence, None, QUICK, seed=1, sample=Sample(SAMPLE, Terms(3, 15.0)))
    assert model_to_bytes(again.model) == model_to_bytes(fit.model)


def test_the_served_model_survives_writing_and_says_what_it_rests_on(fitted) -> None:
    fit, evidence, _ = fitted
    model = model_from_bytes(model_to_bytes(fit.model))
    assert model.card.kind == "learned"
    assert model.card.effective_samples == evidence.visits() == 4_000.0
    assert model.card.customers == 500
    assert sum(segment.share for segment in model.segments) == pytest.approx(1.0, abs=1e-3)
    for segment in model.segments:
        assert all(low <= here <= high for low, here, high in zip(
            segment.curve_low, segment.curve, segment.curve_high, strict=True
        ))  # fmt: skip


def test_what_people_read_as_95_percent_is_no_narrower_than_chance_would_have_it(fitted) -> None:
    fit, evidence, _ = fitted
    at_three = KNOTS.index(12)
    for segment in fit.model.segments:
        here, visits = segment.curve[at_three], segment.share * evidence.visits()
        width = segment.curve_high[at_three] - segment.curve_low[at_three]
        assert width > 0.9 * 2 * 1.96 * (here * (1.0 - here) / (visits + 50.0)) ** 0.5  # what was assumed counts too


def test_segments_that_act_alike_are_one_for_people(fitted) -> None:
    fit, _, _ = fitted
    one_price = (Stakes((0.03,), (1_000.0,), 1_030.0, 1_000.0),)
    _, evidence, _ = fitted
    merged = fit_sensitivity(evidence, None, QUICK, seed=1, sample=Sample(one_price, Terms(3, 15.0)))
    assert len(fit.model.walk) >= 2
    assert len(merged.model.segments) == 1
    assert set(merged.model.segment_of) == {0}


def test_a_young_fit_of_a_few_visits_stays_near_the_prior() -> None:
    evidence, _ = two_groups(5, 2, seed=9)
    fit = fit_sensitivity(evidence, None, FitOptions(), seed=0)
    assert len(fit.model.walk) == 5
    assert len(fit.model.tree.rules()) == 1


def test_a_fit_of_nothing_serves_the_prior_curves() -> None:
    fit = fit_sensitivity(gather_evidence(()), None, FitOptions(), seed=0)
    assert fit.model.card.effective_samples == 0.0
    assumed = [segment.share for segment in PRIOR_SEGMENTS]
    assert believe(fit.model, Behaviour()).weights == pytest.approx(assumed, abs=0.02)
