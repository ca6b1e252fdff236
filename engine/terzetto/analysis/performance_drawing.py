"""Pictures of performances and composers: where a performance is shift-variant, and who lies beside whom."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from terzetto.analysis.composer_map import fit_plane
from terzetto.score.notes import Score
from terzetto.whole_file import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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
