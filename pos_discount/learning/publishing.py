"""Publishing a night: keep the candidate, then turn the pointer if the gate let it pass.

Both are single transactions of the store, in this order, so that a night that is cut short leaves yesterday's model in
force, with or without a candidate beside it that decides nothing. The report is kept with the model, as JSON.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from pos_discount.learning.comparison import PolicyValue
from pos_discount.learning.evaluation import Estimate
from pos_discount.learning.retrain import Night, read_model
from pos_discount.sensitivity import KNOTS, Segment, SensitivityModel
from pos_discount.store import KeptFile, Store

MODEL_FILE, REPORT_FILE = "model.bin", "night.json"


def publish(store: Store, night: Night, now: int, notice: Callable[[str], None] = lambda stage: None) -> bool:
    """Keep the candidate and, where the gate let it pass, put it in force; says whether it is."""
    notice("keeping")
    report = msgspec.json.encode(describe_night(night))
    store.keep_model(night.version, (KeptFile(MODEL_FILE, night.content), KeptFile(REPORT_FILE, report)), now)
    notice("activating")
    if night.verdict.passed and night.version != night.champion.version:
        store.activate_model(night.version, "retrain", now)
    notice("published")
    return night.verdict.passed


def describe_night(night: Night) -> dict[str, Any]:
    """Describe a night in plain values: verdict, comparison, what changed."""
    told_of = night.candidate.segments
    plain: dict[str, Any] = msgspec.to_builtins(
        {
            "version": night.version,
            "champion": night.champion.version,
            "promoted": night.verdict.passed,
            "reasons": night.verdict.reasons,
            "checks": night.verdict.checks,
            "outcomes": night.outcomes,
            "new_outcomes": night.new_outcomes,
            "customers": night.customers,
            "night": night.nights,
            "fitted_anew": night.is_anew,
            "compared_on": night.compared.checkouts,
            "values": [_value(value) for value in night.compared.values],
            "calibration_error": _finite(night.compared.calibration),
            "held_out_gain": _estimate(night.held_out),
            "deviating": night.compared.obedience.deviating,
            "prefixes_trusted": night.compared.obedience.is_trusted,
            "changed": describe_changes(night.champion.model, night.candidate),
            "segments": [f"{segment.name} ({segment.segment_id}): {sentence_of(segment)}" for segment in told_of],
            "missing": [
                {"store_id": count.store_id, "arm": count.arm, "decisions": count.decisions, "outcomes": count.outcomes}
                for count in night.missing
            ],
        }
    )
    return plain


def sentence_of(segment: Segment) -> str:
    """Say in sentences where a segment is met and what it does, its curve with 95 % intervals."""
    settle = ", ".join(
        f"{segment.curve[place]:.0%} ({segment.curve_low[place]:.0%} to {segment.curve_high[place]:.0%}) for {words}"
        for place, words in ((KNOTS.index(12), "3 %"), (KNOTS.index(40), "10 %"), (KNOTS.index(80), "20 %"))
    )
    return (
        f"{segment.share:.0%} of visits. Met where: {segment.rule}. Settle: {settle}."
        f" After a refusal {segment.walk:.0%} walk out; when we stop, {segment.loss:.0%} buy nothing."
    )


def describe_changes(before: SensitivityModel, after: SensitivityModel) -> list[str]:
    """Say in sentences what changed from one model's segments to another's; small changes are left out."""
    old = {segment.segment_id: segment for segment in before.segments}
    told = []
    for segment in after.segments:
        was = old.pop(segment.segment_id, None)
        if was is None:
            told.append(f"{segment.name} ({segment.segment_id}) is new: {segment.share:.0%} of visits")
        else:
            told += _changes(was, segment)
    return [*told, *(f"{segment.name} ({segment.segment_id}) is gone" for segment in old.values())]


def read_night(store: Store, version: str) -> dict[str, Any] | None:
    """Read the report that was kept with a model; None where there is none."""
    for file in store.read_model(version):
        if file.name == REPORT_FILE:
            plain: dict[str, Any] = msgspec.json.decode(file.content)
            return plain
    return None


def is_whole(store: Store, version: str) -> bool:
    """Say whether a kept model can be read and served."""
    return read_model(store, version) is not None


def _changes(was: Segment, now: Segment) -> list[str]:
    rows = (
        ("share of visits", was.share, now.share, 0.02),
        ("accepting at 3 %", was.curve[3], now.curve[3], 0.03),
        ("accepting at 10 %", was.curve[6], now.curve[6], 0.03),
        ("leaving when refused", was.walk, now.walk, 0.02),
        ("lost when we stop", was.loss, now.loss, 0.05),
    )
    name = now.name if now.name == was.name else f"{now.name} (was {was.name})"
    return [
        f"{name}: {what} {before:.0%} to {after:.0%}"
        for what, before, after, least in rows
        if abs(after - before) >= least
    ]


def _value(value: PolicyValue) -> dict[str, Any]:
    return {
        "policy": value.name,
        "inverse_propensity": _estimate(value.inverse_propensity),
        "self_normalised": _estimate(value.self_normalised),
        "doubly_robust": _estimate(value.doubly_robust),
        "candidate_gains": _estimate(value.gain),
        "effective_samples": round(value.effective_samples, 1),
        "impossible": round(value.missing, 4),
    }


def _estimate(estimate: Estimate) -> dict[str, Any]:
    return {name: _finite(getattr(estimate, name)) for name in ("mean", "low", "high")}


def _finite(number: float) -> float | None:
    return round(number, 6) if abs(number) < float("inf") else None
