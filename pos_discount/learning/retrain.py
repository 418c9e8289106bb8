"""A night: read what is new, fit, evaluate, gate. What comes out is values; whoever called publishes them.

Nothing here writes, so a night that is cut short anywhere leaves everything as it was. An ordinary night reads the
outcomes and the customers of the day, and the latest checkouts, on which models are compared; once a week, or when
evidence grew by a third, all customers' counts are read.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import msgspec
import numpy as np

from pos_discount.learning.comparison import Compared, compare
from pos_discount.learning.counts import Counts, Today
from pos_discount.learning.evaluation import Estimate
from pos_discount.learning.evidence import Evidence
from pos_discount.learning.fit import Day, fit_day, fit_sensitivity, goes_on
from pos_discount.learning.fitted import FitOptions, Fitted
from pos_discount.learning.gate import (
    Check,
    GateLimits,
    Verdict,
    check_balance,
    check_likelihood,
    check_model,
    check_sample_ratio,
    check_segments,
    check_variety,
    verdict_of,
)
from pos_discount.learning.heldout import HeldOut, held_out_gain
from pos_discount.learning.history import Visit, visits_of
from pos_discount.learning.segments import Sample
from pos_discount.learning.state import LearnerState, StateUnreadable, state_from_bytes, state_to_bytes
from pos_discount.learning.taught import day_of, evidence_of
from pos_discount.sensitivity import (
    ModelUnreadable,
    SensitivityModel,
    model_from_bytes,
    model_to_bytes,
    model_version,
    prior_model,
)
from pos_discount.store import Checkout, CheckoutCount, CustomerEvents, Store

DAY = 86_400_000_000
STAGES = ("reading what is new", "reading customers", "fitting", "holding out", "comparing", "judging")
MOST_RIVALS = 5
SAMPLE = 200

Notice = Callable[[str], None]


class RetrainOptions(msgspec.Struct, frozen=True):
    """How a night goes about it: how many outcomes it compares models on, the hold-out's share, fit and gate."""

    fit: FitOptions = FitOptions()
    limits: GateLimits = GateLimits()
    window: int = 40_000
    holdout_share: float = 0.05
    policy_version: str | None = None


class Champion(NamedTuple):
    """The model in force; `version` None: none is, or it cannot be read, and the prior decides."""

    version: str | None
    model: SensitivityModel


class Night(msgspec.Struct, frozen=True):
    """What a night brought. `state` is for the next one; `content` is the candidate under its `version`.

    `outcomes` were read so far, `new_outcomes` of them this night; one that changed was read once more. `missing`
    counts decisions and outcomes by store and arm over the last 30 days.
    """

    version: str
    content: bytes
    state: bytes
    candidate: SensitivityModel
    champion: Champion
    verdict: Verdict
    compared: Compared
    held_out: Estimate
    outcomes: int
    new_outcomes: int
    sequence: int
    customers: int
    nights: int
    is_anew: bool
    missing: tuple[CheckoutCount, ...]


def retrain(
    store: Store, saved: bytes | None, options: RetrainOptions, now: int, notice: Notice = lambda stage: None
) -> Night:
    """Learn from all that the store holds, going on from the `saved` state of the night before.

    `now` is the server's clock in microseconds; `notice` is told each of STAGES as it begins.
    """
    state = _state(saved)
    counts, before = state.counts, state.counts.visits
    read = _read(store, state, options, notice)
    visits = visits_of(read.window, read.recent)
    notice(STAGES[2])
    fitted = _fitted(read.taught, state.fitted, visits, options, counts.sequence)
    counts.behaviours.settle()
    champion = read_champion(store)
    notice(STAGES[3])
    held_out = _held_out(read, visits, state, fitted, champion, options.fit)
    notice(STAGES[4])
    rivals = _rivals(store, champion.version, now)
    compared = compare(visits, fitted.model, champion.model, champion.version, rivals, options.limits)
    notice(STAGES[5])
    missing = store.count_checkouts(now - 30 * DAY, now)
    checks = _checks(fitted, held_out, read.window, missing, options)
    model = _with_measures(fitted.model, held_out.over_champion.mean, compared.calibration)
    content = model_to_bytes(model)
    return Night(
        version=model_version(content),
        content=content,
        state=state_to_bytes(LearnerState(counts, replace(fitted, model=model))),
        candidate=model,
        champion=champion,
        verdict=verdict_of((*checks, *compared.checks)),
        compared=compared,
        held_out=held_out.over_champion,
        outcomes=counts.visits,
        new_outcomes=counts.visits - before,
        sequence=counts.sequence,
        customers=len(counts.behaviours),
        nights=fitted.nights,
        is_anew=fitted.anew_at_night == fitted.nights - 1,
        missing=missing,
    )


class _Read(NamedTuple):
    """What a night reads: the latest checkouts, what is kept of their customers, and what the fit is taught."""

    window: list[Checkout]
    recent: dict[str, CustomerEvents]
    taught: Evidence | Day


def _read(store: Store, state: LearnerState, options: RetrainOptions, notice: Notice) -> _Read:
    """Read what is new into the state's counts, and what tonight is compared on and taught."""
    counts = state.counts
    notice(STAGES[0])
    today = counts.read(store.read_lessons(counts.sequence))
    window = _window(store, counts.sequence, options.window)
    notice(STAGES[1])
    recent = dict(_named(store, {row.customer for row in window if row.customer is not None}))
    return _Read(window, recent, _taught(store, counts, today, state.fitted, options.fit))


def _held_out(
    read: _Read, visits: Sequence[Visit], before: LearnerState, fitted: Fitted, champion: Champion, options: FitOptions
) -> HeldOut:
    """Try fits like tonight's on customers who were held out of them: on everybody's evidence where that was read,
    else on that of the latest checkouts' customers."""
    counts, taught = before.counts, read.taught
    evidence = taught if isinstance(taught, Evidence) else evidence_of(counts, [tuple(read.recent.items())])
    trial = _trial(options, fitted, is_anew=isinstance(taught, Evidence))
    return held_out_gain(evidence, visits, before.fitted, champion.model, trial, counts.sequence)


def _with_measures(model: SensitivityModel, held_out: float, calibration: float) -> SensitivityModel:
    """Write on a model's card what was measured of it; None where that was no number."""
    card = msgspec.structs.replace(
        model.card,
        held_out_log_likelihood=round(held_out, 6) if np.isfinite(held_out) else None,
        calibration_error=round(calibration, 6) if np.isfinite(calibration) else None,
    )
    return replace(model, card=card)


def read_champion(store: Store) -> Champion:
    """Read the model in force, or the prior where none is or it cannot be read."""
    version = store.read_active_model()
    model = None if version is None else read_model(store, version)
    return Champion(None, prior_model()) if model is None else Champion(version, model)


def read_model(store: Store, version: str) -> SensitivityModel | None:
    """Read a kept model; None where it is not kept whole."""
    files = store.read_model(version)
    try:
        return model_from_bytes(files[0].content if files else b"", version)
    except ModelUnreadable:
        return None


def _state(saved: bytes | None) -> LearnerState:
    """Go on from the saved state; where there is none, or it was altered, start from nothing."""
    if saved is None:
        return LearnerState(Counts(), None)
    try:
        return state_from_bytes(saved)
    except StateUnreadable:
        return LearnerState(Counts(), None)


def _window(store: Store, sequence: int, window: int) -> list[Checkout]:
    """Read the latest rows up to a sequence, on which models are compared."""
    blocks = store.read_outcomes(max(0, sequence - window))
    return [row for block in blocks for row in block if (row.sequence or 0) <= sequence]


def _named(store: Store, customers: Iterable[str]) -> Iterator[tuple[str, CustomerEvents]]:
    for block in store.read_events(customers):
        yield from block


def _taught(
    store: Store, counts: Counts, today: Today | None, previous: Fitted | None, options: FitOptions
) -> Evidence | Day:
    """Read what tonight's fit is taught: the day alone where it goes on from last night, else everything; then whoever
    the store does not know any more is forgotten here too."""
    if today is not None and previous is not None:
        visits = previous.sums.visits() + today.visits()
        if goes_on(visits, previous, options):
            return day_of(counts, today, dict(_named(store, today.events_by_customer)))
    counts.behaviours.settle()
    evidence = evidence_of(counts, store.read_events())
    counts.behaviours.keep(key for key in evidence.keys if key is not None)
    return evidence


def _trial(options: FitOptions, fitted: Fitted, *, is_anew: bool) -> FitOptions:
    """Let a trial fit go about it as the candidate's did: as many segments, or on from last night, however little its
    part of the evidence is."""
    if is_anew:
        return replace(options, segments=(len(fitted.tables.walk),))
    return replace(options, young_until=0.0, anew_after_growth=float("inf"), anew_after_nights=2**31)


def _fitted(
    taught: Evidence | Day, previous: Fitted | None, visits: Sequence[Visit], options: RetrainOptions, sequence: int
) -> Fitted:
    stakes, until = tuple(visit.stakes for visit in visits[-SAMPLE:] if len(visit.stakes.depths) > 1), str(sequence)
    sample = Sample(stakes, visits[-1].terms) if visits else None
    if isinstance(taught, Evidence):
        return fit_sensitivity(taught, previous, options.fit, seed=sequence, fitted_until=until, sample=sample)
    if previous is None:
        raise ValueError("a day alone can be fitted only where a night before it was")
    return fit_day(taught, previous, options.fit, seed=sequence, fitted_until=until, sample=sample)


def _rivals(store: Store, champion: str | None, now: int) -> tuple[SensitivityModel, ...]:
    """Read the latest models, beside the champion, that were in force within 30 days."""
    lately = (turn.version for turn in store.read_activations() if turn.activated_at >= now - 30 * DAY)
    versions = [version for version in dict.fromkeys(lately) if version is not None and version != champion]
    models = (read_model(store, version) for version in versions[:MOST_RIVALS])
    return tuple(model for model in models if model is not None)


def _checks(
    fitted: Fitted,
    held_out: HeldOut,
    window: Sequence[Checkout],
    missing: Sequence[CheckoutCount],
    options: RetrainOptions,
) -> tuple[Check, ...]:
    exits: dict[str, int] = {}
    for event, seen in zip(fitted.sums.events, fitted.sums.seen.sum(axis=1).tolist(), strict=True):
        exits[event.exit] = exits.get(event.exit, 0) + round(seen)
    units = {(row.customer or row.decision_id, row.arm) for row in window if _is_current(row, options)}
    holdout = sum(arm == "holdout" for _, arm in units)
    arms = sorted({count.arm for count in missing})
    by_arm = [
        (arm, sum(c.decisions for c in missing if c.arm == arm), sum(c.outcomes for c in missing if c.arm == arm))
        for arm in arms
    ]
    return (
        check_model(fitted.model),
        check_variety(tuple(exits.items()), options.limits),
        check_likelihood(held_out.over_champion, options.limits),
        check_segments(held_out.over_one_segment),
        check_balance(by_arm, options.limits),
        check_sample_ratio(len(units) - holdout, holdout, options.holdout_share, options.limits),
    )


def _is_current(row: Checkout, options: RetrainOptions) -> bool:
    return options.policy_version is None or row.policy_version == options.policy_version
