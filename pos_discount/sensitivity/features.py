"""What of a customer's behaviour may be looked at, and how it is binned.

A segment is a group united by a factor that changes behaviour, so features describe what somebody does: how much of
what they buy is on promotion, whether they ask, how often they come. Who somebody is has no place here (see
`refused`), and neither has what a decision priced: features come from what the till sends and the service kept.
Hides the bins' edges and the words in which a bin is described; bin 0 always means unknown.
"""

from bisect import bisect_right

import msgspec

from pos_discount.refused import refused_reason

FEATURES_VERSION = 1
"""Changes whenever a feature or an edge does: a model learned on other bins must not be served."""


class Behaviour(msgspec.Struct, frozen=True):
    """What a visit shows of the customer's behaviour; None where it is unknown.

    Shares are 0 to 1; `days_since_last_visit` counts whole days; `units` are this basket's; `mix` is the share of
    those units in the basket's largest top-level category; `hour` is 0 to 23 on the house's clock.
    """

    promo_share_90d: float | None = None
    asked: bool | None = None
    coupon: bool | None = None
    visits_90d: int | None = None
    days_since_last_visit: int | None = None
    units: int | None = None
    mix: float | None = None
    hour: int | None = None
    returns_90d: int | None = None


class FeatureRule(msgspec.Struct, frozen=True):
    """One feature: the edges between its bins (a bin starts at its edge), and how to say "from" and "below" an edge.

    Raises ValueError for a name that denotes a personal trait: whoever trains or serves can have no such feature.
    """

    name: str
    edges: tuple[float, ...]
    from_edge: str
    below_edge: str
    is_share: bool = False
    is_always_known: bool = False

    def __post_init__(self) -> None:
        """Refuse what tells who somebody is."""
        if (trait := refused_reason(self.name)) is not None:
            raise ValueError(f"feature '{self.name}' denotes {trait}, which is refused; describe behaviour instead")


FEATURE_RULES: tuple[FeatureRule, ...] = (
    FeatureRule(
        "promo_share_90d",
        (0.1, 0.25, 0.4, 0.6, 0.8),
        "at least {} of what they buy is on promotion",
        "less than {} of what they buy is on promotion",
        is_share=True,
    ),
    FeatureRule("asked", (0.5,), "asks for a discount", "does not ask for a discount", is_always_known=True),
    FeatureRule("coupon", (0.5,), "has a coupon in hand", "has no coupon in hand", is_always_known=True),
    FeatureRule(
        "visits_90d", (1, 3, 6, 12), "came at least {} times in 90 days", "came fewer than {} times in 90 days"
    ),
    FeatureRule(
        "days_since_last_visit",
        (7, 30, 90),
        "was last here {} or more days ago",
        "was last here less than {} days ago",
    ),
    FeatureRule("units", (2, 4, 8, 16), "buys at least {} units", "buys fewer than {} units", is_always_known=True),
    FeatureRule(
        "mix",
        (0.5, 0.8),
        "takes at least {} of the basket from one category",
        "takes less than {} of the basket from one category",
        is_share=True,
        is_always_known=True,
    ),
    FeatureRule("hour", (10, 12, 14, 17, 20), "comes at {}:00 or later", "comes before {}:00", is_always_known=True),
    FeatureRule(
        "returns_90d", (1, 3), "returned at least {} times in 90 days", "returned less than {} times in 90 days"
    ),
)


def bin_behaviour(behaviour: Behaviour) -> tuple[int, ...]:
    """Give each feature's bin, in the order of FEATURE_RULES: 0 unknown, 1 below the first edge, and so on.

    >>> bin_behaviour(Behaviour(promo_share_90d=0.45, asked=True))
    (4, 2, 0, 0, 0, 0, 0, 0, 0)
    """
    return tuple(
        0 if value is None else 1 + bisect_right(rule.edges, value)
        for rule, value in zip(FEATURE_RULES, msgspec.structs.astuple(behaviour), strict=True)
    )


def describe_bins(feature: int, above: int, up_to: int | None) -> str:
    """Say in words that a feature's bin is more than `above` (-1: no bound) and at most `up_to` (None: no bound)."""
    rule = FEATURE_RULES[feature]
    if up_to == 0 or (above == 0 and up_to is None):
        return f"{rule.name.replace('_', ' ')} is {'not ' if up_to == 0 else ''}known"
    words = [rule.from_edge.format(_edge_text(rule, above - 1))] if above >= 1 else []
    if up_to is not None:
        is_maybe_unknown = above < 0 and not rule.is_always_known
        below = rule.below_edge.format(_edge_text(rule, up_to - 1))
        words.append(f"{below} (or that is unknown)" if is_maybe_unknown else below)
    return " and ".join(words)


def _edge_text(rule: FeatureRule, edge: int) -> str:
    value = rule.edges[edge]
    return f"{value:.0%}".replace("%", " %") if rule.is_share else f"{value:g}"
