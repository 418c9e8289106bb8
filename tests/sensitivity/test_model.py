"""The served model: belief, likelihoods that are probabilities, bytes that notice any harm."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pos_discount.sensitivity import (
    Behaviour,
    CellTree,
    Event,
    ModelUnreadable,
    SensitivityModel,
    believe,
    model_from_bytes,
    model_to_bytes,
    model_version,
    prior_model,
)
from pos_discount.sensitivity.model import event_likelihood
from sensitivity.made import made_model


@settings(max_examples=50, deadline=None)
@given(
    ladder=st.lists(st.integers(1, 200), min_size=1, max_size=4, unique=True).map(sorted),
    walk=st.floats(0.01, 0.9),
    loss=st.floats(0.01, 0.99),
    base_share=st.floats(0.01, 0.99),
)
def test_all_that_may_happen_on_a_ladder_has_probability_one(ladder, walk, loss, base_share) -> None:
    grid = np.linspace(0.0, 0.9, 201).tolist()
    chances, lo = 0.0, 0
    for said, hi in enumerate(ladder):
        chances += event_likelihood(Event(lo, hi, said, "accepted"), grid, walk, loss, base_share)
        if said + 1 < len(ladder):
            chances += event_likelihood(Event(hi, None, said, "walked"), grid, walk, loss, base_share)
        lo = hi
    for ending in ("settled", "base", "left"):
        chances += event_likelihood(Event(lo, None, len(ladder), ending), grid, walk, loss, base_share)
    assert chances == pytest.approx(1.0, abs=1e-6)


def test_an_acceptance_that_may_be_a_settlement_is_as_likely_as_both_together() -> None:
    grid = np.linspace(0.0, 0.9, 201).tolist()
    either, accepted, settled = (
        event_likelihood(event, grid, 0.2, 0.3, 0.4)
        for event in (
            Event(12, 32, 1, "accepted_or_settled"),
            Event(12, 32, 1, "accepted"),
            Event(32, None, 2, "settled"),
        )
    )
    assert either == pytest.approx(accepted + settled)


def test_a_new_customer_has_the_mix_of_the_cell() -> None:
    model = made_model()
    assert believe(model, Behaviour()).weights == pytest.approx(model.mixes[0].tolist())


def test_own_events_move_the_belief_by_their_likelihood() -> None:
    model, event = made_model(), Event(80, None, 0, "walked")
    weights = believe(model, Behaviour(), ((event, 3),)).weights
    assert sum(weights) == pytest.approx(1.0)
    expected = model.mixes[0].copy()
    chance = np.array(
        [
            event_likelihood(event, row, walk, loss, model.base_share)
            for row, walk, loss in zip(model.grid_rows, model.walk, model.loss, strict=True)
        ]
    )
    expected *= ((1 - model.noise) * chance + model.noise * chance.mean()) ** 3
    assert weights == pytest.approx((expected / expected.sum()).tolist(), abs=1e-9)


def test_the_prior_is_the_same_every_time_and_says_what_it_assumes() -> None:
    assert model_to_bytes(prior_model()) == model_to_bytes(prior_model())
    assert "Nothing is learned yet" in prior_model().card.notes[0]


def test_a_model_survives_writing_and_reading() -> None:
    content = model_to_bytes(made_model())
    assert model_to_bytes(model_from_bytes(content)) == content
    assert model_version(content) != model_version(model_to_bytes(made_model(seed=1)))


def test_a_models_tables_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        prior_model().curves[0, 0] = 1.0


@settings(max_examples=60, deadline=None)
@given(share=st.floats(0.0, 1.0, exclude_max=True), bit=st.integers(0, 7))
def test_any_flipped_bit_is_noticed(share: float, bit: int) -> None:
    content = bytearray(model_to_bytes(prior_model()))
    content[int(share * len(content))] ^= 1 << bit
    with pytest.raises(ModelUnreadable, match="retrain"):
        model_from_bytes(bytes(content))


@pytest.mark.parametrize("length", [0, 5, 30, 66, 67, 68, 500, -9, -8, -1])
def test_a_truncated_model_is_noticed(length: int) -> None:
    with pytest.raises(ModelUnreadable):
        model_from_bytes(model_to_bytes(prior_model())[:length])


def test_bytes_too_many_are_noticed() -> None:
    with pytest.raises(ModelUnreadable, match="follow"):
        model_from_bytes(model_to_bytes(prior_model()) + b"\0")


@pytest.mark.parametrize(
    ("spoilt", "told"),
    [
        ({"walk": np.full(5, 0.1)}, "'curves'"),
        ({"walk": np.full((1, 4), 0.1)}, "'curves'"),
        ({"mixes": np.full((1, 4), 0.25)}, "'draw_mixes'"),
        ({"draw_walk": np.full((3, 4), 0.1)}, "'draw_walk'"),
        ({"loss": np.array([0.1, 0.1, 0.1, np.nan])}, "'loss' holds what is no share"),
        ({"loss": np.full(4, 2.0)}, "'loss' holds what is no share"),
        ({"curves": np.tile(np.linspace(0.9, 0.1, 14), (4, 1))}, "falls"),
        ({"mixes": np.tile([0.0, 0.5, 0.5, 0.0], (3, 1))}, "without one of the segments"),
        ({"base_share": -0.5}, "base_share"),
        ({"noise": 7.0}, "noise"),
        ({"segment_of": (0,)}, "latent"),
        ({"tree": CellTree((), (), (), (), ())}, "columns"),
        ({"tree": CellTree((1,), (1,), (0,), (0,), (0,))}, "back or nowhere"),
        ({"tree": CellTree((1, -1), (1, 0), (1, 0), (7, 0), (0, 0))}, "back or nowhere"),
        ({"tree": CellTree((-1,), (0,), (0,), (0,), (3,))}, "no mix"),
        ({"tree": CellTree((99, -1), (1, 0), (1, 0), (1, 0), (0, 0))}, "feature"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_tables_with_right_digests_that_do_not_fit_together_are_noticed(
    spoilt: dict[str, object], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = _written_unchecked(spoilt, monkeypatch)
    with pytest.raises(ModelUnreadable, match=told):
        model_from_bytes(content)


def test_a_model_without_any_draw_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    model = made_model()
    names = [name for name in SensitivityModel.__slots__ if name.startswith("draw_")]
    with pytest.raises(ModelUnreadable, match="none empty"):
        model_from_bytes(_written_unchecked({name: getattr(model, name)[:0] for name in names}, monkeypatch))


def test_a_model_that_lies_where_another_should_is_noticed() -> None:
    content, other = (model_to_bytes(made_model(seed=seed)) for seed in (0, 1))
    assert model_to_bytes(model_from_bytes(content, model_version(content))) == content
    with pytest.raises(ModelUnreadable, match=model_version(other)):
        model_from_bytes(content, model_version(other))


def _written_unchecked(spoilt: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Write a model of which parts were spoilt before its digests were made."""
    with monkeypatch.context() as patched:
        patched.setattr(SensitivityModel, "__post_init__", lambda model: None)
        return model_to_bytes(replace(made_model(), **spoilt))
