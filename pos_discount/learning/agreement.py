"""How far two groupings of the same customers agree. The web process never imports this."""

from sklearn.metrics import adjusted_rand_score

from pos_discount.arrays import Ints


def agreement_of(one: Ints, other: Ints) -> float:
    """Give the agreement of two groupings, corrected for chance (Hubert and Arabie 1985): 1 the same, 0 by chance."""
    return float(adjusted_rand_score(one, other))
