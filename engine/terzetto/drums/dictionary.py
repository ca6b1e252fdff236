"""A dictionary of drum music: bars as sums of few atoms, found by a convolutional winner-take-all autoencoder.

A beat is 27 rows (hits, velocities and offsets of nine drums) by 16 steps a bar. The encoder is one convolution whose
stride is its kernel, so that every kernel's length of music becomes one column of the code; of the activities only the
winners stay. The decoder is one transposed convolution without a bias: its kernels are the atoms, and what is decoded
is their weighted sum (Shift-Invariant Dictionary Learning using Temporal CONV-WTA Autoencoders, 2.4 and 3.2). An empty
code is silence. Models are made by `terzetto_export.conv_wta`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terzetto.drums.drum_map import DRUMS
from terzetto.drums.grid import STEPS, Hvo
from terzetto.drums.winners import keep_winners
from terzetto.errors import InputError
from terzetto.models import Model, find_model

TASK = "drum-dictionary"
MODEL = "drum_dictionary"
ROWS = 3 * len(DRUMS)
_SOFTEST = np.float32(1 / 127)
Float = NDArray[np.float32]


class Dictionary:
    """An opened dictionary; `open_dictionary` finds one by its name.

    Attributes
    ----------
    model : Model
    kernel : int
        Steps (sixteenths) that an atom lasts.
    k : int
        How many activities win.
    winners : str
        Of each atom or in each column; see `terzetto.drums.winners`.
    section : int
        Columns among which an atom's winners are taken.
    threshold : float
        From which a decoded value is a hit; chosen on the validation set.
    denoising : (float, float, float)
        From which value a hit is kept, from which one is added where there was none, and the share of that value that
        is recurrence (see `terzetto.drums.dictionary_edits.denoise`).
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        constants = model.constants
        self.kernel = int(constants["kernel"])
        self.k = int(constants["k"])
        self.winners = str(constants["winners"])
        self.section = int(constants["section"])
        self.threshold = float(constants["threshold"])
        keep, add, recurring = constants["denoising"]
        self.denoising = float(keep), float(add), float(recurring)

    @cached_property
    def atoms(self) -> Float:
        """The atoms, float32 (atoms, 27, kernel)."""
        silence = np.zeros((1, ROWS, self.kernel), np.float32)
        return np.asarray(self.model.session.run(["atoms"], {"rows": silence})[0], np.float32)

    def activity(self, rows: ArrayLike) -> Float:
        """Return what the encoder says before the winners are chosen, float32 (atoms, columns).

        Parameters
        ----------
        rows : (27, steps)
            The steps are a multiple of the kernel.
        """
        values = np.asarray(rows, np.float32)
        if values.ndim != 2 or values.shape[0] != ROWS or values.shape[1] % self.kernel or not values.shape[1]:
            raise InputError(
                f"the dictionary reads {ROWS} rows by a multiple of {self.kernel} steps; given: "
                f"{' × '.join(map(str, values.shape)) or 'one value'}"
            )
        if not np.isfinite(values).all():
            raise InputError("the rows hold NaN or infinite values")
        return np.asarray(self.model.session.run(["activity"], {"rows": values[None]})[0][0], np.float32)

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

    def encode_rows(self, rows: ArrayLike, k: int | None = None) -> Float:
        """Return the sparse code of rows (27, steps); see `encode`."""
        return keep_winners(self.activity(rows), self.k if k is None else k, self.winners, self.section)

    def rows(self, code: ArrayLike) -> Float:
        """Return the sum of atoms that a code stands for, float32 (27, columns × kernel).

        Raises
        ------
        InputError
            A code of another dictionary.
        """
        values = np.asarray(code, np.float32)
        if values.ndim != 2 or values.shape[0] != len(self.atoms):
            raise InputError(
                f"a code of this dictionary has {len(self.atoms)} rows, one for each atom; given: "
                f"{' × '.join(map(str, values.shape)) or 'one value'}"
            )
        return np.asarray(np.einsum("ac,ark->rck", values, self.atoms).reshape(ROWS, -1), np.float32)

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
