"""Pictures of a dictionary: its atoms, and where a beat leaves what it knows."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from terzetto.drums.dictionary import Dictionary
from terzetto.drums.dictionary_edits import shift_variance
from terzetto.drums.drum_map import DRUMS
from terzetto.drums.grid import STEPS, Hvo
from terzetto.whole_file import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLUMNS = 4


def draw_atoms(dictionary: Dictionary, atoms: Sequence[int] | NDArray[np.int64], path: Path) -> None:
    """Draw the hit rows of some atoms: red where one adds hits, blue where it takes hits of others away.

    Raises
    ------
    OutputError
        The picture cannot be written.
    """
    from matplotlib.figure import Figure

    rows = -(-len(atoms) // _COLUMNS)
    figure = Figure((3.2 * _COLUMNS, 1.9 * rows), layout="constrained")
    axes = np.atleast_2d(figure.subplots(rows, _COLUMNS, squeeze=False))
    for place in axes.flat[len(atoms) :]:
        place.axis("off")
    for place, index in zip(axes.flat, atoms, strict=False):
        hits = dictionary.atoms[index, : len(DRUMS)]
        size = max(float(np.abs(hits).max()), 1e-9)
        place.imshow(hits, aspect="auto", cmap="RdBu_r", vmin=-size, vmax=size, interpolation="nearest")
        place.set_title(f"atom {index}", fontsize=8)
        place.set_xticks(
            range(0, dictionary.kernel, 4), [str(1 + beat // 4) for beat in range(0, dictionary.kernel, 4)]
        )
        first = place in axes[:, 0]
        place.set_yticks(range(len(DRUMS)), DRUMS if first else [""] * len(DRUMS), fontsize=6)
    _save(figure, path)


def draw_shift_variance(dictionary: Dictionary, bars: Sequence[Hvo], path: Path) -> None:
    """Draw a beat's hits and below them the reconstruction error of each step.

    Raises
    ------
    OutputError
        The picture cannot be written.
    """
    from matplotlib.figure import Figure

    error = shift_variance(dictionary, bars)
    figure = Figure((max(6.0, 1.2 * len(bars)), 3.6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    velocities = np.concatenate([bar.velocities * bar.hits for bar in bars], axis=1)
    above.imshow(velocities, aspect="auto", cmap="Greys", vmin=0, vmax=1, interpolation="nearest")
    above.set_yticks(range(len(DRUMS)), DRUMS, fontsize=7)
    below.step(np.arange(len(error)), error, where="mid")
    below.set_xticks(np.arange(len(bars)) * STEPS - 0.5, [str(number + 1) for number in range(len(bars))])
    below.set_xlabel("bar")
    below.set_ylabel("error")
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    picture = BytesIO()
    figure.savefig(picture, format="png", dpi=110)
    write_whole(path, lambda file: file.write(picture.getvalue()))
