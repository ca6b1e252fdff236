"""Let it Bee as a conversion: it looks ahead as far as it is told to.

For a whole file that is so far that nothing is lost (`BeeOptions.reach`); with less the mosaic comes sooner and is a
little worse. `docs/timbre.md` says by how much.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.spectra import FrameGrid
from terzetto.errors import InputError
from terzetto.timbre.bee import Bands, BeeOptions, activations, mosaic
from terzetto.timbre.conversion import Complex, Controls, mid
from terzetto.timbre.loudness import Loudness
from terzetto.timbre.target import Target, read_target, transposed

Float = NDArray[np.float32]

WINDOW, LOW_WINDOW = 4096 / 44100, 2048 / 44100
"""Seconds. Atoms that sound at once are told apart by their pitches: that takes a longer window than a stream's."""
MOST_ATOMS = 100_000
TRANSPOSE = 3
"""Semitones each way by which a recording is also used transposed."""
_CELLS = 1 << 24  # activations that are searched at once, where latency is no matter: 64 MB


class BeeConversion:
    """Makes mosaics of a target's frames, several at once.

    Parameters
    ----------
    targets : list of Target
        On one grid: the recording, and transpositions of it. Their frames are the atoms.
    options : BeeOptions
    look_ahead : int or None
        Frames to hear beyond the one given back, 1 or more; None: as many as matter, and more for speed.

    Raises
    ------
    InputError
        More than `MOST_ATOMS` frames, or no look-ahead at all.
    """

    def __init__(self, targets: list[Target], options: BeeOptions | None = None, look_ahead: int | None = None) -> None:
        self.grid = targets[0].grid
        self._options = options or BeeOptions()
        if look_ahead is not None and look_ahead < 1:
            raise InputError(f"look-ahead must be 1 frame or more; given {look_ahead}")
        atoms = sum(map(len, targets))
        if atoms > MOST_ATOMS:
            raise InputError(
                f"{targets[0].name}: is {atoms} frames with its transpositions; at most {MOST_ATOMS} can be searched: "
                "give a shorter recording or transpose less"
            )
        # A piece is solved together with a margin on either side.
        if look_ahead is None:
            self._margin = self._options.reach
            self._piece = min(max(_CELLS // atoms - 2 * self._margin, self._margin), 2000)
        else:
            self._piece, self._margin = stretch_for(look_ahead)
        self.look_ahead = self._piece - 1 + self._margin
        self._targets = targets
        self._bands, self._loudness = Bands(self.grid), Loudness(self.grid)
        self._atoms = np.concatenate([self._bands(np.abs(piece)) for each in targets for piece in each.pieces()])
        self._usable = np.concatenate([each.sounding for each in targets])
        self._ends = np.cumsum([len(each) for each in targets])
        self._usable[self._ends[:-1] - 1] = False  # no passage goes on from one transposition to the next
        self.reset()

    def reset(self) -> None:
        """Forget the stream's past: before it there was silence."""
        self._heard: deque[Complex] = deque()  # what is to be given back, and what comes after it
        self._before: list[Complex] = []  # the margin before that
        self._ready: deque[Complex] = deque()  # mosaics of the first frames heard

    def convert(self, spectra: Complex, controls: Controls) -> Complex:
        """Return the next frame of the mosaic; see `terzetto.timbre.conversion.Conversion`."""
        self._heard.append(spectra.copy())
        if len(self._heard) <= self.look_ahead:
            return np.zeros_like(spectra)
        if not self._ready:
            self._solve()
        source, found = self._heard.popleft(), self._ready.popleft()
        self._before = [*self._before, source][-self._margin :]
        if controls.amount == 0.0:
            return source
        # What is found on the mid is placed where the input is.
        power = np.sum(source.real**2 + source.imag**2, axis=-1, keepdims=True)
        placed = np.sqrt(power / max(float(power.mean()), 1e-20)) * found
        return self._loudness.mixed(source, placed.astype(np.complex64), controls.amount, controls.follow)

    def _solve(self) -> None:
        """Find the mosaics of the next piece."""
        stretch = np.stack([mid(frame) for frame in [*self._before, *self._heard]])
        wanted = slice(len(self._before), len(self._before) + self._piece)
        heard = self._bands(np.abs(stretch))
        found = np.zeros((len(stretch), len(self._atoms)), np.float32)
        sounding = np.flatnonzero(heard.any(axis=1))
        if len(sounding):  # what is silent at the ends needs no search
            inner = slice(sounding[0], sounding[-1] + 1)
            found[inner] = activations(heard[inner], self._atoms, self._options, self._usable)
        self._ready.extend(mosaic(found[wanted], self._spectra))

    def _spectra(self, atoms: NDArray[np.intp]) -> Complex:
        """Return the spectra (n, bins) of atoms."""
        which = np.searchsorted(self._ends, atoms, side="right")
        result = np.empty((len(atoms), self.grid.bins), np.complex64)
        for number, each in enumerate(self._targets):
            mine = which == number
            result[mine] = each.spectra(atoms[mine] - (self._ends[number] - len(each)))
        return result


def stretch_for(look_ahead: int) -> tuple[int, int]:
    """Return how many frames are solved at once with so much look-ahead, and how many more on either side of them."""
    piece = (look_ahead + 1) // 2
    return piece, look_ahead + 1 - piece


def bee_grid(sample_rate: float, low_latency: bool = False) -> FrameGrid:
    """Return the frames that mosaics are made of: 4096 samples at 44.1 kHz, half of it with low latency."""
    return FrameGrid.from_seconds(sample_rate, LOW_WINDOW if low_latency else WINDOW)


def open_bee(
    to: str,
    *,
    sample_rate: float,
    channels: int = 2,
    low_latency: bool = False,
    look_ahead: int | None = None,
    transpose: int = TRANSPOSE,
    repetition: int = 3,
    polyphony: int = 10,
    continuity: int = 3,
    iterations: int = 20,
) -> BeeConversion:
    """Open a mosaic of several frames at once; see `BeeConversion` and `terzetto.timbre.methods.open_conversion`.

    Parameters
    ----------
    to, sample_rate, channels, low_latency
        As for every method.
    look_ahead : int, optional
        Frames; by default the whole file's mosaic.
    transpose : int
        Up to how many semitones up and down the recording may also be used transposed, 0 to 24, where it lacks a
        pitch of the source.
    repetition, polyphony, continuity, iterations
        See `BeeOptions`.

    Raises
    ------
    InputError
        The file cannot be used, or an option is not valid.
    """
    if not 0 <= transpose <= 24:
        raise InputError(f"transpose must be from 0 to 24 semitones; given {transpose}")
    options = BeeOptions(repetition, polyphony, continuity, iterations)
    target = read_target(to, bee_grid(sample_rate, low_latency))
    steps = sorted(range(-transpose, transpose + 1), key=abs)
    return BeeConversion([transposed(target, step) for step in steps], options, look_ahead)
