"""The paper's figures 2, 4 and 7 to 11, drawn again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from terzetto.drums.drum_map import CLASSES
from terzetto_export.latent_sequencing.network import Curves

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Float = NDArray[np.float32]
_NAMED = 9  # styles with a colour of their own; the others are grey
RANGE = 4.0


def _figure(width: float, height: float, columns: int = 1) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, columns)


def activation_matrix(matrix: NDArray[Any], path: Path, title: str) -> None:
    """Draw one bar as figures 7 and 9 do: white where a class is hit, black elsewhere."""
    figure, axes = _figure(9, 2.4)
    axes.imshow(np.asarray(matrix, np.float32), cmap="gray", aspect="auto", vmin=0, vmax=1, interpolation="nearest")
    axes.set_yticks(range(len(CLASSES)), CLASSES)
    axes.set_xticks(range(0, 64, 16), ["1", "2", "3", "4"])
    axes.set_xlabel("beat (64 steps)")
    axes.set_title(title)
    figure.savefig(path, dpi=120)


def loss(curves: Curves, path: Path, title: str) -> None:
    """Draw the loss of each epoch, train orange and test blue (figure 8)."""
    figure, axes = _figure(7, 4)
    epochs = range(1, len(curves.train) + 1)
    axes.plot(epochs, curves.train, color="tab:orange", label="train")
    axes.plot(epochs, curves.test, color="tab:blue", label="test")
    axes.axvline(next(e for e, b in zip(epochs, curves.beta, strict=True) if b == curves.beta[-1]), color="0.8")
    axes.set_xlabel("epoch (the grey line: β has warmed up)")
    axes.set_ylabel("loss, nats a bar")
    axes.set_title(title)
    axes.legend()
    figure.savefig(path, dpi=120)


def latent_spaces(places: Sequence[Float], titles: Sequence[str], styles: Sequence[str], path: Path) -> None:
    """Draw where bars lie in one latent space, or in two side by side (figures 2, 4 and 11), coloured by style."""
    figure, axes = _figure(7.5 * len(places), 6.5, len(places))
    for each, place, title in zip(np.atleast_1d(axes), places, titles, strict=True):
        _scatter(each, place, styles)
        each.set_title(title)
    if len(places) == 1:
        limit = max(RANGE, float(np.abs(places[0]).max()) * 1.05)
        np.atleast_1d(axes)[0].set(xlim=(-limit, limit), ylim=(-limit, limit))
    figure.savefig(path, dpi=120)


def _scatter(axes: Axes, place: Float, styles: Sequence[str]) -> None:
    common = [name for name, _ in Counter(styles).most_common(_NAMED)]
    names = np.array(styles)
    rest = ~np.isin(names, common)
    axes.scatter(place[rest, 0], place[rest, 1], s=9, color="0.8", label="other" if rest.any() else None)
    for number, name in enumerate(common):
        axes.scatter(place[names == name, 0], place[names == name, 1], s=12, color=f"C{number}", label=name)
    axes.set_xlabel("z₁")
    axes.set_ylabel("z₂")
    axes.legend(fontsize=7, loc="upper right")


def waveform(audio: Float, sample_rate: int, path: Path) -> None:
    """Draw the sound of a generated pattern (figure 10)."""
    figure, axes = _figure(9, 2.6)
    axes.plot(np.arange(audio.shape[-1]) / sample_rate, audio.mean(axis=0), linewidth=0.5)
    axes.set_xlabel("seconds")
    axes.set_ylabel("amplitude")
    axes.set_title("Figure 10: the generated pattern, played by the kit's one-shots at 120 bpm")
    figure.savefig(path, dpi=120)
