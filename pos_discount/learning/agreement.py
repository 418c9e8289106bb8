"""How far two groupings of the same customers agree. The web process never imports this."""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score


def agreement_of(one: NDArray[np.intp], other: NDArray[np.intp]) -> float:
    """Give the agreement of two groupings, corrected for chance (Hubert and Arabie 1985): 1 the same, 0 by chance."""
    return float(adjusted_rand_score(one, other))
