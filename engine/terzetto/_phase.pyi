"""Heap integration of a phase gradient; rows and columns are the transform's own."""

import numpy as np
from numpy.typing import NDArray

def integrate(
    magnitude: NDArray[np.float32],
    down: NDArray[np.float32],
    across: NDArray[np.float32],
    start: NDArray[np.float32],
    *,
    tolerance: float,
) -> NDArray[np.complex64]: ...
