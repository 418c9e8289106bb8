"""The usual contextual bandits as sellers: the same ladders as arms, the same customer history as features.

Rewards are profit over the basket's value, so that large baskets do not drown small ones; the context has the margin,
the value, what the till sends and a summary of the customer's own visits, which is what our belief is made of.
"""

import random
from collections import defaultdict

import numpy as np
from mabwiser.mab import MAB, LearningPolicy
from numpy.typing import NDArray
from vowpalwabbit import Workspace

from pos_discount.sensitivity import Event
from pos_discount.simulation.play import Recommended, Report
from pos_discount.simulation.shoppers import Ladder
from pos_discount.simulation.worlds import MARGINS, World

Floats = NDArray[np.float64]


class History:
    """What a customer's own visits come to: how many, how they ended, how deep it went."""

    def __init__(self) -> None:
        self._sums_by_customer: dict[int, list[float]] = defaultdict(lambda: [0.0] * 7)

    def add(self, customer: int, event: Event | None) -> None:
        """Add a visit that said something."""
        if customer < 0 or event is None:
            return
        sums = self._sums_by_customer[customer]
        sums[0] += 1.0
        sums[1] += event.exit == "accepted" and event.lo == 0
        sums[2] += event.exit == "accepted" and event.lo > 0
        sums[3] += event.exit in ("settled", "base")
        sums[4] += event.exit in ("walked", "left")
        sums[5] += event.lo / 120
        sums[6] += (event.hi or 0) / 120

    def features(self, customer: int) -> list[float]:
        """Give visits (at most ten, as a share), and shares per visit, all zero for who is not known."""
        if customer not in self._sums_by_customer:
            return [0.0] * 7
        visits, *others = self._sums_by_customer[customer]
        trust = visits / (visits + 2.0)
        return [min(visits, 10.0) / 10, *(trust * other / visits for other in others)]


class BanditSeller:
    """What all three share: the context of a checkout, the history, the arms."""

    name = "bandit"

    def __init__(self, world: World) -> None:
        self._world = world
        self._history = History()
        self._ladders = world.odds.ladders
        self._place_by_ladder = {ladder: place for place, ladder in enumerate(world.odds.ladders)}
        self._context: list[float] = []

    def context(self, checkout: int) -> list[float]:
        """Give 1, the margin, the log of the value, the three features, and the customer's history."""
        world = self._world
        plain = [1.0, float(world.margin[checkout]), float(np.log(world.value[checkout]) - 8.1) / 2]
        features = world.features[checkout].astype(float).tolist()
        context: list[float] = plain + features + self._history.features(int(world.customer[checkout]))
        return context

    def reward(self, checkout: int, earned: float) -> float:
        """Give profit over the basket's value."""
        return earned / float(self._world.value[checkout])

    def remember(self, checkout: int, event: Event | None) -> None:
        """Keep the visit in the customer's history."""
        self._history.add(int(self._world.customer[checkout]), event)


class LinThompsonSeller(BanditSeller):
    """MABWiser's LinTS, refitted by night."""

    name = "LinTS"

    def __init__(self, world: World, seed: int, alpha: float = 0.1) -> None:
        super().__init__(world)
        arms = list(range(len(self._ladders)))
        self._bandit = MAB(arms, LearningPolicy.LinTS(alpha=alpha, l2_lambda=1.0), seed=seed)
        self._day: list[tuple[int, float, list[float]]] = []
        self._dice = random.Random(seed)
        self._is_fitted = False

    def recommend(self, checkout: int) -> Recommended:
        """Say the arm that LinTS draws; on the first day any."""
        self._context = self.context(checkout)
        if not self._is_fitted:
            return Recommended(self._dice.choice(self._ladders))
        return Recommended(self._ladders[int(self._bandit.predict([self._context]))])

    def learn(self, checkout: int, ladder: Ladder, report: Report, event: Event | None, earned: float) -> None:
        """Keep the day's rewards."""
        self._day.append((self._place_by_ladder[ladder], self.reward(checkout, earned), self._context))
        self.remember(checkout, event)

    def sleep(self, night: int) -> None:
        """Fit to the day's rewards."""
        arms, rewards, contexts = zip(*self._day, strict=True)
        fit = self._bandit.partial_fit if self._is_fitted else self._bandit.fit
        fit(list(arms), list(rewards), [list(context) for context in contexts])
        self._is_fitted, self._day = True, []


class VowpalSeller(BanditSeller):
    """Vowpal Wabbit's `cb_explore_adf` with squarecb, learning after every checkout."""

    name = "VW squarecb"

    def __init__(self, world: World, seed: int) -> None:
        super().__init__(world)
        self._workspace = Workspace(
            f"--cb_explore_adf --squarecb --gamma_scale 1000 -q UA --quiet --random_seed {seed + 1}"
        )
        self._dice = random.Random(seed)
        self._arms = [f"|A l{place}" for place in range(len(self._ladders))]
        self._shared, self._chosen = "", (0, 1.0)

    def recommend(self, checkout: int) -> Recommended:
        """Draw an arm from the distribution that it gives."""
        context = self.context(checkout)
        margin = MARGINS.index(float(self._world.margin[checkout]))
        self._shared = f"shared |U m{margin} " + " ".join(f"f{i}:{x:.4f}" for i, x in enumerate(context) if x)
        shares = self._workspace.predict("\n".join([self._shared, *self._arms]))
        place = self._dice.choices(range(len(shares)), weights=shares)[0]
        self._chosen = place, shares[place] / sum(shares)
        return Recommended(self._ladders[place])

    def learn(self, checkout: int, ladder: Ladder, report: Report, event: Event | None, earned: float) -> None:
        """Learn from one reward; a ladder that it did not choose itself came with certainty."""
        place = self._place_by_ladder[ladder]
        share = self._chosen[1] if place == self._chosen[0] else 1.0
        arms = list(self._arms)
        arms[place] = f"0:{-self.reward(checkout, earned):.5f}:{share:.5f} {arms[place]}"
        self._workspace.learn("\n".join([self._shared, *arms]))
        self.remember(checkout, event)

    def sleep(self, night: int) -> None:
        """Nothing is left for the night."""


class SegmentThompsonSeller(BanditSeller):
    """Gaussian Thompson sampling apart in each segment: the three features and the margin."""

    name = "Thompson per segment"

    def __init__(self, world: World, seed: int) -> None:
        super().__init__(world)
        self._dice = np.random.default_rng(seed)
        shape = (8 * len(MARGINS), len(self._ladders))
        self._count, self._sum = np.full(shape, 1.0), np.full(shape, 0.3)

    def recommend(self, checkout: int) -> Recommended:
        """Say the arm whose drawn mean is the largest."""
        segment = self._segment(checkout)
        mean, deviation = self._sum[segment] / self._count[segment], 0.25 / np.sqrt(self._count[segment])
        return Recommended(self._ladders[int(np.argmax(mean + deviation * self._dice.standard_normal(len(mean))))])

    def learn(self, checkout: int, ladder: Ladder, report: Report, event: Event | None, earned: float) -> None:
        """Add the reward to the arm's mean in its segment."""
        place = self._place_by_ladder[ladder]
        self._count[self._segment(checkout), place] += 1.0
        self._sum[self._segment(checkout), place] += self.reward(checkout, earned)

    def sleep(self, night: int) -> None:
        """Nothing is left for the night."""

    def _segment(self, checkout: int) -> int:
        promotion, asked, third = self._world.features[checkout].tolist()
        cell: int = promotion * 4 + asked * 2 + third
        return MARGINS.index(float(self._world.margin[checkout])) * 8 + cell
