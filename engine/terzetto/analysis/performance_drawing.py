"""Pictures of atoms, performances and composers: what recurs, where nothing does, and who lies beside whom."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from terzetto.analysis.composer_map import fit_plane
from terzetto.analysis.performance_dictionary import PerformanceDictionary
from terzetto.score.notes import Score
from terzetto.score.performance_events import EVENTS, NOTE_OFF, TIME_SHIFT, VELOCITY
from terzetto.whole_file import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLUMNS = 4
MOST_DRAWN = 64
"""Atoms in a picture: more are neither seen nor drawn in a reasonable time."""
_MARKERS = "osD^vP*Xh<>d"


def draw_shift_variance(score: Score, times: NDArray[np.float64], error: NDArray[np.float32], path: Path) -> None:
    """Draw a performance's notes and below them the error; see `terzetto.analysis.performance_edits.shift_variance`.

    Raises
    ------
    OutputError
        The picture cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure((float(np.clip(score.end / 8, 8, 40)), 5.0), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    above.hlines(score.pitch, score.onset, score.offset, linewidth=1.5, color="0.2")
    above.set_ylabel("MIDI pitch")
    below.step(np.append(times, score.end), np.append(error, error[-1]), where="post", linewidth=0.8)
    below.axhline(float(error.mean()), linewidth=0.6, linestyle="--", color="0.5")
    below.set_xlim(0, score.end)
    below.set_xlabel("seconds")
    below.set_ylabel("squared error\nof an event")
    _save(figure, path)


def draw_atoms(dictionary: PerformanceDictionary, atoms: Sequence[int], path: Path) -> None:
    """Draw the first 64 atoms as events by steps: red where one adds an event, blue where it takes one of others away.

    Raises
    ------
    OutputError
        The picture cannot be written.
    """
    from matplotlib.figure import Figure

    borders = (0, NOTE_OFF, TIME_SHIFT, VELOCITY, EVENTS)
    middles = [(low + high) / 2 for low, high in pairwise(borders)]
    atoms = atoms[:MOST_DRAWN]
    rows = max(-(-len(atoms) // _COLUMNS), 1)
    figure = Figure((2.6 * _COLUMNS, 4.4 * rows), layout="constrained")
    axes = figure.subplots(rows, _COLUMNS, squeeze=False)
    for place in axes.flat[len(atoms) :]:
        place.axis("off")
    for place, index in zip(axes.flat, atoms, strict=False):
        atom = dictionary.atoms[index]
        size = max(float(np.abs(atom).max()), 1e-9)
        place.imshow(atom, aspect="auto", origin="lower", cmap="RdBu_r", vmin=-size, vmax=size, interpolation="nearest")
        for border in borders[1:-1]:
            place.axhline(border - 0.5, linewidth=0.4, color="0.6")
        place.set_title(f"atom {index}", fontsize=8)
        first = place in axes[:, 0]
        place.set_yticks(middles, ("key down", "key up", "time", "velocity") if first else [""] * 4, fontsize=7)
        place.set_xticks(range(0, dictionary.kernel, 4))
        place.tick_params(axis="x", labelsize=7)
    _save(figure, path)


def draw_composers(works: NDArray[np.float64], composers: Sequence[str], path: Path) -> None:
    """Draw works (n, atoms) in the plane of their principal components, a colour for each composer (figure 2).

    Centroids are large.

    Raises
    ------
    InputError
        Fewer than three works.
    OutputError
        The picture cannot be written.
    """
    from matplotlib.figure import Figure

    plane = fit_plane(works)
    places, of = plane.place(works), np.array(composers)
    figure = Figure((8.0, 6.5), layout="constrained")
    axes = figure.subplots()
    for number, name in enumerate(sorted(set(composers))):
        points = places[of == name]
        colour, marker = f"C{number % 10}", _MARKERS[number % len(_MARKERS)]
        axes.scatter(
            points[:, 0], points[:, 1], s=22, alpha=0.7, label=f"{name} ({len(points)})", color=colour, marker=marker
        )
        if len(points) > 1:
            x, y = points.mean(axis=0)
            axes.scatter(x, y, s=170, edgecolors="black", color=colour, marker=marker)
    axes.set_xlabel(f"first component ({100 * plane.share[0]:.0f} % of the variance)")
    axes.set_ylabel(f"second component ({100 * plane.share[1]:.0f} %)")
    axes.set_title("mean activity of the atoms, by work; large: the composer's mean", fontsize=10)
    axes.legend(fontsize=8)
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    picture = BytesIO()
    figure.savefig(picture, format="png", dpi=110)
    write_whole(path, lambda file: file.write(picture.getvalue()))
