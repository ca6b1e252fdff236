"""Music as sums of few atoms, found by a convolutional winner-take-all autoencoder: what is the same for all of it.

A piece is a matrix of rows by time steps. The encoder's stride is its kernel, so that every kernel's length of music
becomes one column of the code; of the activities only the winners stay. The decoder is one transposed convolution
without a bias: its kernels are the atoms, and what is decoded is their weighted sum (Shift-Invariant Dictionary
Learning using Temporal CONV-WTA Autoencoders, 2.4 and 3.2). An empty code is silence. What rows and steps mean is said
by `terzetto.drums.dictionary` and `terzetto.analysis.performance_dictionary`; models are made by
`terzetto_export.conv_wta`.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terzetto.analysis.winners import keep_winners
from terzetto.errors import InputError
from terzetto.models import Model

Float = NDArray[np.float32]


class SparseDictionary:
    """An opened dictionary.

    Attributes
    ----------
    model : Model
    height : int
        Rows of a piece.
    kernel : int
        Steps that an atom lasts.
    k : int
        How many activities win.
    winners : str
        Of each atom or in each column; see `terzetto.analysis.winners`.
    section : int
        Columns among which an atom's winners are taken.
    """

    def __init__(self, model: Model, height: int) -> None:
        self.model, self.height = model, height
        constants = model.constants
        self.kernel = int(constants["kernel"])
        self.k = int(constants["k"])
        self.winners = str(constants["winners"])
        self.section = int(constants["section"])

    @cached_property
    def atoms(self) -> Float:
        """The atoms, float32 (atoms, rows, kernel)."""
        silence = np.zeros((1, self.height, self.kernel), np.float32)
        return np.asarray(self.model.session.run(["atoms"], {"rows": silence})[0], np.float32)

    def activity(self, rows: ArrayLike) -> Float:
        """Return what the encoder says before the winners are chosen, float32 (atoms, columns).

        Parameters
        ----------
        rows : (height, steps)
            The steps are a multiple of the kernel.
        """
        values = np.asarray(rows, np.float32)
        if values.ndim != 2 or values.shape[0] != self.height or values.shape[1] % self.kernel or not values.shape[1]:
            raise InputError(
                f"the dictionary reads {self.height} rows by a multiple of {self.kernel} steps; given: "
                f"{' × '.join(map(str, values.shape)) or 'one value'}"
            )
        if not np.isfinite(values).all():
            raise InputError("the rows hold NaN or infinite values")
        return np.asarray(self.model.session.run(["activity"], {"rows": values[None]})[0][0], np.float32)

    def encode_rows(self, rows: ArrayLike, k: int | None = None) -> Float:
        """Return the sparse code of rows (height, steps), float32 (atoms, columns).

        Parameters
        ----------
        k
            How many activities win; the model's own unless given.

        Raises
        ------
        InputError
            Rows of another shape, or k below 1.
        """
        return keep_winners(self.activity(rows), self.k if k is None else k, self.winners, self.section)

    def rows(self, code: ArrayLike) -> Float:
        """Return the sum of atoms that a code stands for, float32 (height, columns × kernel).

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
        # One matrix product: (rows × kernel, atoms) by (atoms, columns).
        flat = self.atoms.reshape(len(self.atoms), -1).T @ values
        whole = flat.reshape(self.height, self.kernel, -1).transpose(0, 2, 1).reshape(self.height, -1)
        return np.asarray(whole, np.float32)

    def error(self, rows: ArrayLike) -> Float:
        """Return where a piece leaves what the dictionary knows: the mean squared error of each step, (steps,)."""
        return np.asarray(((self.rows(self.encode_rows(rows)) - np.asarray(rows)) ** 2).mean(axis=0), np.float32)
