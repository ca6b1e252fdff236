"""A picture of the pad: how full its patterns are, where bars of each style lie, and where given beats do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from numpy.typing import NDArray

from terzetto.drums.patterns import PatternModel
from terzetto.whole_file import write_whole

_CELLS = 48
_DPI = 150
_NAMED = 12  # beats that the legend has room for


def draw_map(model: PatternModel, beats: Mapping[str, NDArray[np.float32]]) -> Figure:
    """Draw the pad of a model.

    Parameters
    ----------
    beats
        Name → points (n, 2) on the pad, one for each bar, joined in their order.
    """
    figure = Figure(figsize=(9.5, 7), layout="constrained")
    axes = figure.add_subplot()
    low, high = model.pad_range
    centres = low + (np.arange(_CELLS) + 0.5) * (high - low) / _CELLS
    grid = np.stack(np.meshgrid(centres, centres), axis=-1).reshape(-1, 2)
    fullness = hits_at(model, grid).reshape(_CELLS, _CELLS)
    image = axes.imshow(
        fullness, origin="lower", extent=(low, high, low, high), cmap="Greys", alpha=0.5, aspect="equal"
    )
    figure.colorbar(image, ax=axes, label="hits in the bar", shrink=0.5, location="bottom", pad=0.02)
    points = model.map
    styles = sorted({style for _, _, style in points})
    colours = colormaps["tab20"](np.arange(20))
    for number, style in enumerate(styles):
        xy = np.array([(x, y) for x, y, each in points if each == style])
        marker = "o" if number < len(colours) else "^"
        axes.scatter(
            xy[:, 0], xy[:, 1], s=16, color=colours[number % 20], marker=marker, label=style or "no style", linewidths=0
        )
    for name, xy in beats.items():
        label = name if len(beats) <= _NAMED else None
        axes.plot(*xy.T, marker="*", markersize=11, linewidth=0.5, markeredgecolor="black", label=label, zorder=3)
    axes.set(xlim=(low, high), ylim=(low, high), xlabel="x", ylabel="y", title=f"The patterns of {model.model.name}")
    if points or 0 < len(beats) <= _NAMED:
        figure.legend(loc="outside right upper", frameon=False, fontsize="small")
    return figure


def hits_at(model: PatternModel, points: NDArray[np.floating[Any]]) -> NDArray[np.int64]:
    """Return how many hits the patterns at points (n, 2) of the pad have."""
    bars = model.to_hvo(model.decode(model.pad_latents(points)))
    return np.array([int(bar.hits.sum()) for bar in bars])


def write_picture(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all."""
    write_whole(path, lambda file: figure.savefig(file, format="png", dpi=_DPI, bbox_inches="tight"))
