"""The comparison of a night: candidate, champion, rivals and rung 1 alone on the same latest checkouts."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
import numpy as np

from pos_discount.arrays import Floats, Ints
from pos_discount.learning.checkouts import checkouts_of
from pos_discount.learning.evaluation import (
    Estimate,
    Weighed,
    calibration_error,
    doubly_robust,
    effective_samples,
    gain_over,
    inverse_propensity,
    self_normalised,
)
from pos_discount.learning.executed import Obedience, examine_obedience
from pos_discount.learning.gate import (
    Check,
    Column,
    GateLimits,
    check_calibration,
    check_conduct,
    check_finite,
    check_profit,
    check_samples,
    check_tills,
)
from pos_discount.learning.history import Visit
from pos_discount.learning.targets import (
    FIRST_ALONE,
    Judge,
    Unknown,
    always,
    choices_of,
    decided_by,
    judge_of,
    weigh,
    worst_of,
)
from pos_discount.learning.weighing import accept_first
from pos_discount.sensitivity import SensitivityModel

RIVALS_JUDGED_ON = 5_000
"""Latest checkouts on which the best of earlier champions is chosen, before it is compared on all."""


class PolicyValue(msgspec.Struct, frozen=True):
    """What one policy would have earned per checkout (minor units); `gain` is the candidate's over it."""

    name: str
    inverse_propensity: Estimate
    self_normalised: Estimate
    doubly_robust: Estimate
    gain: Estimate
    effective_samples: float
    missing: float


class Compared(msgspec.Struct, frozen=True):
    """What the comparison found; `happened` is what the checkouts really earned."""

    checkouts: int
    values: tuple[PolicyValue, ...]
    happened: Estimate | None
    calibration: float
    obedience: Obedience
    checks: tuple[Check, ...]


def compare(
    visits: Sequence[Visit],
    candidate: SensitivityModel,
    champion: SensitivityModel,
    champion_version: str | None,
    rivals: Sequence[SensitivityModel],
    limits: GateLimits,
) -> Compared:
    """Compare on the treated checkouts among `visits`, and check all that the gate wants to know of it."""
    treated = [visit for visit in visits if visit.arm == "ladder"]
    obedience = examine_obedience(treated)
    if not treated:
        nothing = Check("effective samples", False, "no checkout to judge by")
        return Compared(0, (), None, float("nan"), obedience, (nothing,))
    judges = (candidate, champion) if champion.card.kind == "learned" else (candidate,)  # a supposition is no judge
    table = _Table(treated, judges, obedience.is_trusted)
    weighed = {"candidate": table.model(candidate, "worst"), "champion": table.champion(champion, champion_version)}
    best = _best_rival(treated, champion, rivals, obedience.is_trusted)
    if best is not None:
        weighed["best of 30 days"] = table.model(best, "best")
    weighed["rung 1 alone"] = table.first_alone()
    calibration = table.calibration()
    checks = tuple(_checks(table, weighed, calibration, limits))
    values = tuple(table.value(name, policy, weighed["candidate"]) for name, policy in weighed.items())
    return Compared(len(treated), values, table.happened(), calibration, obedience, checks)


class _Table:
    """The columns of the comparison that all policies share."""

    def __init__(self, visits: Sequence[Visit], judges: Sequence[SensitivityModel], is_prefix_trusted: bool) -> None:
        self.visits = visits
        self.checkouts = checkouts_of(visits, is_prefix_trusted)
        self.judges = tuple(judge_of(model, self.checkouts) for model in judges)
        self.reward: Floats = np.array([visit.reward for visit in visits])
        self.worst: Floats = np.array([worst_of(visit) for visit in visits])
        self.cluster = _numbered([visit.customer or f"\0{visit.decision}" for visit in visits])
        self.till = _numbered([f"{visit.store_id}\0{visit.till_id}" for visit in visits])

    def model(self, model: SensitivityModel, unknown: Unknown) -> Weighed:
        """Weigh the policy of a model that decided none of the visits."""
        return weigh(self.checkouts, choices_of(self._judge(model), self.checkouts), self.judges, unknown=unknown)

    def champion(self, model: SensitivityModel, version: str | None) -> Weighed:
        """Weigh the policy that is in force, which decided most of the visits."""
        chosen = decided_by(self._judge(model), version, self.visits, self.checkouts)
        return weigh(self.checkouts, chosen, self.judges, unknown="best")

    def first_alone(self) -> Weighed:
        """Weigh the habit of saying rung 1 alone."""
        return weigh(self.checkouts, always(FIRST_ALONE, self.checkouts), self.judges, unknown="best")

    def _judge(self, model: SensitivityModel) -> Judge:
        known = [judge for judge in self.judges if judge.model is model]
        return known[0] if known else judge_of(model, self.checkouts)

    def value(self, name: str, policy: Weighed, candidate: Weighed) -> PolicyValue:
        """Estimate a policy's worth, and what the candidate gains over it."""
        return PolicyValue(
            name=name,
            inverse_propensity=inverse_propensity(policy, self.reward, self.worst, self.cluster),
            self_normalised=self_normalised(policy, self.reward, self.cluster),
            doubly_robust=doubly_robust(policy, self.reward, self.cluster),
            gain=gain_over(candidate, policy, self.reward, self.cluster),
            effective_samples=effective_samples(policy),
            missing=float(policy.missing.mean()),
        )

    def happened(self) -> Estimate:
        """Average what the checkouts really earned."""
        ones = np.ones(len(self.visits))
        logged = Weighed(ones, ones, 0.0 * ones, 0.0 * ones, 0.0 * ones)
        return doubly_robust(logged, self.reward, self.cluster)

    def conduct(self) -> Column:
        """Gather walks, rungs spoken and satisfaction, NaN where nobody told."""
        walked = [_walked(visit) for visit in self.visits]
        spoken = [float("nan") if visit.said is None else float(len(visit.said)) for visit in self.visits]
        satisfied = [float("nan") if v.satisfaction is None else float(v.satisfaction) for v in self.visits]
        return Column(np.array(walked), np.array(spoken), np.array(satisfied))

    def calibration(self) -> float:
        """Compare foreseen with real acceptance of rung 1, where the till told what was said."""
        told = [
            (row, visit.said[0][1] == "accepted")
            for row, visit in enumerate(self.visits)
            if visit.said and visit.said[0][0] == 1 and visit.said[0][1] != "ignored"
        ]
        if not told:
            return float("nan")
        rows, happened = np.array(told, dtype=np.intp).T
        foreseen = accept_first(self.checkouts.baskets, self.judges[0].model, self.judges[0].weights)
        return calibration_error(foreseen[rows], happened.astype(np.float64))


def _checks(table: _Table, weighed: Mapping[str, Weighed], calibration: float, limits: GateLimits) -> Iterator[Check]:
    """Yield the gate's checks of the candidate, in the order in which they are told."""
    candidate, reward, cluster = weighed["candidate"], table.reward, table.cluster
    yield check_finite(reward)
    yield check_samples(candidate, limits)
    for name, other in weighed.items():
        if name != "candidate":
            yield check_profit(f"profit against {name}", candidate, other, reward, cluster, limits)
    yield check_calibration(calibration, limits)
    yield from check_conduct(candidate, weighed["champion"], table.conduct(), cluster, limits)
    yield check_tills(table.till, limits)


def _best_rival(
    visits: Sequence[Visit], judge: SensitivityModel, rivals: Sequence[SensitivityModel], is_prefix_trusted: bool
) -> SensitivityModel | None:
    """Choose the best of earlier champions by the doubly robust estimate on the latest checkouts."""
    if len(rivals) < 2:
        return rivals[0] if rivals else None
    table = _Table(visits[-RIVALS_JUDGED_ON:], (judge,), is_prefix_trusted)
    earned = [float(table.model(rival, "worst").doubly_robust(table.reward).mean()) for rival in rivals]
    return rivals[int(np.argmax(earned))]


def _walked(visit: Visit) -> float:
    """Say whether the customer left without buying; a walk and a loss look the same after the last rung."""
    if visit.event is None:
        return float("nan")
    return float(visit.event.endswith((":walked", ":left")))


def _numbered(names: Sequence[str]) -> Ints:
    place_by_name: dict[str, int] = {}
    return np.array([place_by_name.setdefault(name, len(place_by_name)) for name in names], dtype=np.intp)
