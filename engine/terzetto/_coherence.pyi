import numpy as np
from numpy.typing import NDArray

def learn_advance(
    X: NDArray[np.complex64],
    W: NDArray[np.float32],
    H: NDArray[np.float32],
    *,
    threshold: float,
    turn: NDArray[np.complex64],
    size: NDArray[np.float32],
    threads: int = 0,
) -> None: ...
def split_left(
    X: NDArray[np.complex64],
    W: NDArray[np.float32],
    turning: NDArray[np.complex64],
    H_left: NDArray[np.float32],
    H_right: NDArray[np.float32],
    gain: NDArray[np.float32],
    *,
    correlation: float,
    floor: float,
    surprise: float = 0.5,
    reach: float = 0.5,
    threads: int = 0,
) -> NDArray[np.complex64]: ...

class Filter:
    def __init__(
        self,
        W: NDArray[np.float32],
        turning: NDArray[np.complex64],
        gain: NDArray[np.float32],
        *,
        correlation: float,
        floor: float,
        surprise: float = 0.5,
    ) -> None: ...
    def next(
        self,
        x: NDArray[np.complex64],
        rows: NDArray[np.uint32],
        h_left: NDArray[np.float32],
        h_right: NDArray[np.float32],
    ) -> NDArray[np.complex64]: ...
    def reset(self) -> None: ...
