"""Who sells in a simulation: the learner itself, called as a till calls it, and the simple ways that it must beat."""

import random
from collections import defaultdict
from collections.abc import Callable

from pos_discount.learning import Evidence, FitOptions, Fitted, fit_sensitivity, gather_evidence
from pos_discount.sensitivity import (
    Event,
    EventCounts,
    Stakes,
    Terms,
    believe,
    bin_behaviour,
    choose_ladder,
    prior_model,
)
from pos_discount.simulation.play import Recommended, Report
from pos_discount.simulation.shoppers import Ladder
from pos_discount.simulation.worlds import DEPTHS, OFFER_COST, World


def name_of_ladder(ladder: Ladder) -> str:
    """Name a fixed ladder by its depths: `3-10-20`."""
    return "-".join(f"{DEPTHS[rung] * 100:g}" for rung in ladder)


class Memory:
    """Counts as the store keeps them: events by customer, and by features for anonymous visits."""

    def __init__(self) -> None:
        self._events_by_customer: dict[int, dict[Event, int]] = defaultdict(lambda: defaultdict(int))
        self._bins_by_customer: dict[int, tuple[int, ...]] = {}
        self._anonymous: dict[tuple[tuple[int, ...], Event], int] = defaultdict(int)

    def add(self, customer: int, bins: tuple[int, ...], event: Event) -> None:
        """Count an event of a customer (-1: anonymous) with the visit's binned features."""
        if customer < 0:
            self._anonymous[bins, event] += 1
            return
        self._events_by_customer[customer][event] += 1
        self._bins_by_customer[customer] = bins

    def events_of(self, customer: int) -> EventCounts:
        """Give what is kept of a customer."""
        return tuple(self._events_by_customer[customer].items()) if customer in self._events_by_customer else ()

    def evidence(self) -> Evidence:
        """Gather all counts for the fit."""
        return gather_evidence(
            (
                (str(customer), self._bins_by_customer[customer], tuple(events.items()))
                for customer, events in self._events_by_customer.items()
            ),
            ((bins, event, float(visits)) for (bins, event), visits in self._anonymous.items()),
        )


class LearningSeller:
    """Recommends what `choose_ladder` chooses under last night's model, and keeps counts as the store does."""

    name = "pos-discount"

    def __init__(
        self,
        world: World,
        terms: Terms | None = None,
        options: FitOptions | None = None,
        on_night: Callable[[int], None] = lambda night: None,
    ) -> None:
        self._world = world
        self._terms = terms or Terms(world.plan.max_rungs, OFFER_COST, refusal_price=0.0, exploration=0.02)
        self._options = options or FitOptions()
        self._memory = Memory()
        self._on_night = on_night
        self.model = prior_model()
        self.fitted: Fitted | None = None

    def recommend(self, checkout: int) -> Recommended:
        """Choose as the till's answer does: belief from this visit's behaviour and the customer's own events."""
        world = self._world
        belief = believe(self.model, world.behaviour(checkout), self.events_before(checkout))
        choice = choose_ladder(
            self._stakes(checkout), self._terms, self.model, belief, arm="ladder", seed=f"visit {checkout}"
        )
        return Recommended(choice.rungs, choice.acceptance[0], choice.sale)

    def learn(self, checkout: int, ladder: Ladder, report: Report, event: Event | None, earned: float) -> None:
        """Count the event, for the customer or for the anonymous visit's features."""
        if event is not None:
            bins = bin_behaviour(self._world.behaviour(checkout))
            self._memory.add(int(self._world.customer[checkout]), bins, event)

    def sleep(self, night: int) -> None:
        """Fit to all counts so far and serve the result."""
        self.fitted = fit_sensitivity(self._memory.evidence(), self.fitted, self._options, seed=night)
        self.model = self.fitted.model
        self._on_night(night)

    def latent_segment(self, customer: int, checkout: int) -> int:
        """Give the latent segment that a customer's own events make most probable, before merging."""
        weights = believe(self.model, self._world.behaviour(checkout), self._memory.events_of(customer)).weights
        return weights.index(max(weights))

    @property
    def nights(self) -> int:
        """Count the nights that have taught the model."""
        return self.fitted.nights if self.fitted else 0

    def events_before(self, checkout: int) -> EventCounts:
        """Give what is kept of this checkout's customer."""
        return self._memory.events_of(int(self._world.customer[checkout]))

    def _stakes(self, checkout: int) -> Stakes:
        value, margin = float(self._world.value[checkout]), float(self._world.margin[checkout])
        return Stakes(DEPTHS, tuple(value * (margin - depth) for depth in DEPTHS), value * margin, value)


class FixedSeller:
    """Always says the same ladder."""

    def __init__(self, ladder: Ladder) -> None:
        self.name = name_of_ladder(ladder)
        self._ladder = ladder

    def recommend(self, checkout: int) -> Recommended:
        """Say the ladder."""
        return Recommended(self._ladder)

    def learn(self, checkout: int, ladder: Ladder, report: Report, event: Event | None, earned: float) -> None:
        """Learn nothing."""

    def sleep(self, night: int) -> None:
        """Sleep soundly."""


class RandomSeller(FixedSeller):
    """Says any ladder, all equally often."""

    def __init__(self, world: World, seed: int) -> None:
        super().__init__((0,))
        self.name = "random"
        self._ladders = world.odds.ladders
        self._dice = random.Random(seed)

    def recommend(self, checkout: int) -> Recommended:
        """Say a ladder drawn at random."""
        return Recommended(self._dice.choice(self._ladders))
