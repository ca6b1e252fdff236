from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

def nmf(
    V: NDArray[np.float32],
    W: NDArray[np.float32],
    H: NDArray[np.float32],
    *,
    iterations: int,
    loss: str = "euclidean",
    update_templates: bool = True,
    eps: float = 0.0,
    threads: int = 0,
    loss_interval: int = 1,
    progress: Callable[[int, int], bool | None] | None = None,
    progress_interval: int = 5,
    simd: str = "",
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]: ...
def nae(
    V: NDArray[np.float32],
    W_E: NDArray[np.float32],
    W_D: NDArray[np.float32],
    M: NDArray[np.bool_] | NDArray[np.uint8],
    *,
    iterations: int,
    loss: str = "euclidean",
    eps: float = 0.0,
    threads: int = 0,
    loss_interval: int = 1,
    progress: Callable[[int, int], bool | None] | None = None,
    progress_interval: int = 5,
    simd: str = "",
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]: ...
def encode(
    V: NDArray[np.float32],
    W_E: NDArray[np.float32],
    M: NDArray[np.bool_] | NDArray[np.uint8],
    *,
    threads: int = 0,
    simd: str = "",
) -> NDArray[np.float32]: ...
def fit_encoder(
    V: NDArray[np.float32],
    W: NDArray[np.float32],
    H: NDArray[np.float32],
    *,
    iterations: int,
    threads: int = 0,
    progress: Callable[[int, int], bool | None] | None = None,
    progress_interval: int = 16,
    simd: str = "",
) -> NDArray[np.float32]: ...
def simd_levels() -> list[str]: ...
