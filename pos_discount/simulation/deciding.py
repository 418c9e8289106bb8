"""The learner behind the very call that a till's request ends in: `decide`, on a policy and a basket.

The plain learner calls the ladder's choice directly, which is what `decide` does after pricing; this one goes through
the policy, the pricing and the answer as well, and so proves that both recommend alike. It is for a few thousand
checkouts, not for the whole table.
"""

from datetime import UTC, datetime

from pos_discount.basket import Basket, Customer, Line
from pos_discount.decide import KeptCustomer, Known, Seed, ServedModel, decide
from pos_discount.policy import Policy, read_policy
from pos_discount.pricing import PolicyIndex
from pos_discount.sensitivity import event_code
from pos_discount.simulation.play import Recommended
from pos_discount.simulation.sellers import LearningSeller
from pos_discount.simulation.worlds import DEPTHS, OFFER_COST, World

SECONDS = 6
STARTED = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class DecidingSeller(LearningSeller):
    """Recommends the ladder of `decide`'s answer; learns as the plain learner does."""

    name = "pos-discount, decided"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._index = PolicyIndex(policy_of(world))

    def recommend(self, checkout: int) -> Recommended:
        """Decide on the visit's basket, and find the named rungs among the world's depths."""
        kept = KeptCustomer(events=tuple((event_code(event), n) for event, n in self.events_before(checkout)))
        decision = decide(
            self._basket(checkout),
            self._index,
            ServedModel(f"night {self.nights}", self.model) if self.nights else None,
            Known(kept=kept, arm="ladder"),
            STARTED,
            Seed(f"dec_{checkout}", f"visit {checkout}"),
        )
        named = [rung.promotions[0] for rung in decision.answer.ladder]
        ladder = tuple(PROMOTION_IDS.index(promotion) for promotion in named)
        return Recommended(ladder, decision.choice.acceptance[0], decision.choice.sale)

    def _basket(self, checkout: int) -> Basket:
        world = self._world
        sent, value = world.behaviour(checkout), int(world.value[checkout])
        owner = int(world.customer[checkout])
        line = Line("1", "BASKET", 1, value, unit_cost=round(value * (1.0 - float(world.margin[checkout]))))
        return Basket(
            store_id="S001",
            currency="EUR",
            lines=(line,),
            at=STARTED.replace(hour=sent.hour or 0),
            asked=bool(sent.asked),
            customer=Customer(str(owner) if owner >= 0 else None, promo_share_90d=sent.promo_share_90d),
        )


PROMOTION_IDS = tuple(f"off-{depth * 100:g}" for depth in DEPTHS)


def policy_of(world: World) -> Policy:
    """Write the world's six promotions as a merchandiser would, and read them."""
    house = "\n".join(
        (
            "policy: 1",
            "currency: EUR",
            "time_zone: UTC",
            f"ladder: {{max_rungs: {world.plan.max_rungs}, seconds_per_offer: {SECONDS}, "
            f"cost_per_hour: {OFFER_COST / 100 * 3600 / SECONDS:.2f}}}",
            "guards: {authority: {cashier: 100%}}",
            "learning: {refusal_price: 0%, exploration: 2%}",
            "promotions:",
        )
    )
    promotions = [
        f"  - {{id: {name}, name: '{depth * 100:g} % off', benefit: {{percent: {depth * 100:g}%}}}}"
        for name, depth in zip(PROMOTION_IDS, DEPTHS, strict=True)
    ]
    policy = read_policy({"world.yaml": "\n".join((house, *promotions)).encode()})
    assert isinstance(policy, Policy), policy
    return policy
