"""A dictionary of drum music: bars as sums of few atoms; see `terzetto.analysis.dictionary`.

A beat is 27 rows (hits, velocities and offsets of nine drums) by 16 steps a bar. Models are made by
`terzetto_export.conv_wta`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from terzetto.analysis.dictionary import Float, SparseDictionary
from terzetto.drums.drum_map import DRUMS
from terzetto.drums.grid import STEPS, Hvo
from terzetto.errors import InputError
from terzetto.models import Model, find_model

TASK = "drum-dictionary"
MODEL = "drum_dictionary"
ROWS = 3 * len(DRUMS)
_SOFTEST = np.float32(1 / 127)


class Dictionary(SparseDictionary):
    """An opened dictionary of beats; `open_dictionary` finds one by its name.

    Attributes
    ----------
    threshold : float
        From which a decoded value is a hit; chosen on the validation set.
    denoising : (float, float, float)
        From which value a hit is kept, from which one is added where there was none, and the share of that value that
        is recurrence (see `terzetto.drums.dictionary_edits.denoise`).
    """

    def __init__(self, model: Model) -> None:
        super().__init__(model, ROWS)
        self.threshold = float(model.constants["threshold"])
        keep, add, recurring = model.constants["denoising"]
        self.denoising = float(keep), float(add), float(recurring)

    def encode(self, bars: Sequence[Hvo], k: int | None = None) -> Float:
        """Return the sparse code of some bars, float32 (atoms, columns).

        Parameters
        ----------
        bars
            One or more.
        k
            How many activities win; the model's own unless given.

        Raises
        ------
        InputError
            No bars, or k below 1.
        """
        return self.encode_rows(to_rows(bars), k)

    def decode(self, code: ArrayLike, threshold: float | None = None) -> list[Hvo]:
        """Return the bars that a code stands for; an unfinished last bar is filled with silence.

        Parameters
        ----------
        code : (atoms, columns)
        threshold
            From which value a hit is one; the model's own unless given.
        """
        return to_bars(self.rows(code), self.threshold if threshold is None else threshold)

    def reconstruct(self, bars: Sequence[Hvo]) -> list[Hvo]:
        """Return bars as the dictionary hears them: encoded and decoded."""
        return self.decode(self.encode(bars))

    def atom_bars(self, index: int) -> list[Hvo]:
        """Return one atom as music: at the strength at which its strongest hit is certain.

        Raises
        ------
        InputError
            There is no such atom.
        """
        if not 0 <= index < len(self.atoms):
            raise InputError(f"there is no atom {index}; they are numbered 0 to {len(self.atoms) - 1}")
        atom = self.atoms[index]
        strongest = float(atom[: len(DRUMS)].max())
        return to_bars(atom / strongest, 0.5) if strongest > 0 else to_bars(np.zeros_like(atom), 0.5)


def to_rows(bars: Sequence[Hvo]) -> Float:
    """Return bars side by side, float32 (27, 16 a bar).

    Raises
    ------
    InputError
        There are none.
    """
    if not bars:
        raise InputError("the beat has no bars; give at least one")
    return np.concatenate([bar.as_rows() for bar in bars], axis=1)


def to_bars(rows: Float, threshold: float) -> list[Hvo]:
    """Return decoded rows (27, steps) as bars: hits from a threshold on, what is out of range clipped."""
    missing = -rows.shape[1] % STEPS
    whole = np.pad(rows, ((0, 0), (0, missing)))
    n = len(DRUMS)
    hits = whole[:n] >= threshold
    velocities = whole[n : 2 * n].clip(_SOFTEST, 1.0)
    offsets = whole[2 * n :].clip(-0.5, 0.5)
    bars = [slice(start, start + STEPS) for start in range(0, whole.shape[1], STEPS)]
    return [Hvo(hits[:, bar], velocities[:, bar], offsets[:, bar]) for bar in bars]


def open_dictionary(name: str = "") -> Dictionary:
    """Open a dictionary by its name, or from an ``.onnx`` file; the shipped one unless given.

    Raises
    ------
    ModelError
        There is none of that name, it is damaged, or it is for another task.
    """
    return Dictionary(find_model(TASK, name or MODEL, threads=1))
