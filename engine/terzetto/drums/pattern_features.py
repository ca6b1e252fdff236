"""What the pattern model reads and writes: a bar as 16 steps of 59 numbers.

A step of a bar holds, in this order, eight classes × four 64ths of the activation matrix, then the nine drums' hits,
velocities and offsets of its HVO form. Network and engine share this module, so they agree on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terzetto.drums.drum_map import CLASSES, DRUMS
from terzetto.drums.grid import FINE_STEPS, STEPS, ActivationMatrix, Hvo, hvo_to_activations
from terzetto.errors import InputError

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

WITHIN = FINE_STEPS // STEPS  # 64ths in a step
N_FINE = len(CLASSES) * WITHIN
WIDTH = N_FINE + 3 * len(DRUMS)
# Brings each kind of number to a spread of about 1.
HIT_SCALE, VELOCITY_SCALE, OFFSET_SCALE = 2.0, 2.0, 3.0


@dataclass(frozen=True)
class Bars:
    """Some bars in both forms.

    Attributes
    ----------
    fine : (n, 8, 64)
        Activation matrices.
    hits, velocities, offsets : (n, 9, 16)
        HVO.
    """

    fine: Float
    hits: Float
    velocities: Float
    offsets: Float

    def __len__(self) -> int:
        return len(self.fine)

    @property
    def arrays(self) -> tuple[Float, Float, Float, Float]:
        """All four, in the order of the fields."""
        return self.fine, self.hits, self.velocities, self.offsets

    def at(self, index: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Bars:
        """Return some of the bars."""
        return Bars(*(array[index] for array in self.arrays))


def stack(bars: Sequence[Hvo], fine: Sequence[ActivationMatrix] | None = None) -> Bars:
    """Return bars as arrays; where their activation matrices are not given, they are made from the HVO form.

    Raises
    ------
    InputError
        Not as many activation matrices as bars.
    """
    if fine is None:
        fine = hvo_to_activations(bars) if bars else []
        fine = list(fine)[: len(bars)]
    if len(fine) != len(bars):
        raise InputError(f"{len(bars)} bars come with {len(fine)} activation matrices; give one for each, or none")
    if not bars:
        drum = np.zeros((0, len(DRUMS), STEPS), np.float32)
        return Bars(np.zeros((0, len(CLASSES), FINE_STEPS), np.float32), drum, drum, drum)
    return Bars(
        np.stack([each.hits for each in fine]).astype(np.float32),
        np.stack([bar.hits for bar in bars]).astype(np.float32),
        np.stack([bar.velocities for bar in bars]),
        np.stack([bar.offsets for bar in bars]),
    )


def features(bars: Bars) -> Float:
    """Return what the encoder reads, float32 (n, 16, 59)."""
    n = len(bars)
    fine = bars.fine.reshape(n, len(CLASSES), STEPS, WITHIN).transpose(0, 2, 1, 3).reshape(n, STEPS, N_FINE)
    rows = [HIT_SCALE * bars.hits, VELOCITY_SCALE * bars.velocities, OFFSET_SCALE * bars.offsets]
    return np.concatenate([fine, *(each.transpose(0, 2, 1) for each in rows)], axis=2, dtype=np.float32)


def from_steps(steps: Float) -> Bars:
    """Read what the decoder writes, (n, 16, 59): probabilities of hits, velocities, offsets in steps."""
    n, drums = len(steps), len(DRUMS)
    fine = steps[:, :, :N_FINE].reshape(n, STEPS, len(CLASSES), WITHIN).transpose(0, 2, 1, 3)
    parts = [steps[:, :, N_FINE + i * drums : N_FINE + (i + 1) * drums].transpose(0, 2, 1) for i in range(3)]
    return Bars(np.ascontiguousarray(fine).reshape(n, len(CLASSES), FINE_STEPS), *map(np.ascontiguousarray, parts))
