"""Arrays of numbers by the short names under which signatures speak of them; shapes stand beside these names."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]
