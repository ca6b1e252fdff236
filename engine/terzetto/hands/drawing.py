"""How templates, activations and spectrograms are drawn on axes, and the style all pictures share.

The left hand is blue and the right hand vermilion everywhere (Okabe and Ito's palette, told apart by colour-blind
readers too); onsets are purple.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from terzetto.hands.templates import TemplateLayout
from terzetto.hands.view import View
from terzetto.score.notes import pitch_name

Float = NDArray[np.float32]

LEFT_COLOUR, RIGHT_COLOUR, UNKNOWN_COLOUR, ONSET_COLOUR = "#0072B2", "#D55E00", "#777777", "#8A3FA0"
HAND_COLOURS = (LEFT_COLOUR, RIGHT_COLOUR)
INK, _LINE = "#1B2733", "#C9D1D9"
TEXT, SMALL = 9.5, 8.5
DPI = 150

_DECIBELS = 50.0  # range of a spectrogram
_WIDTH = 11.0
_MOST_NAMES = 26  # pitch names that fit on an axis


def draw_templates(axes: Axes, W: Float, shown: View) -> None:
    """Draw each pitch as a group of columns: its stages, then its onset, each on its own scale."""
    layout, stages = shown.layout, shown.layout.stages
    count = len(layout.pitches)
    bins = int(shown.highest / shown.bin_hz) + 2
    order = np.concatenate([layout.rows_of(i) for i in range(count)])
    columns = W[order, :bins].T
    columns = columns / np.maximum(columns.max(axis=0, keepdims=True), 1e-20)
    extent = (-0.5, len(order) - 0.5, -0.5 * shown.bin_hz, (columns.shape[0] - 0.5) * shown.bin_hz)
    onset = np.arange(len(order)) % (stages + 1) == stages
    _draw_parted(axes, decibels(columns, 1.0), onset[None, :], extent, colour_map(INK))
    for i in range(1, count):
        axes.axvline(i * (stages + 1) - 0.5, color=_LINE, linewidth=0.6)
    name_pitches(axes, layout.pitches, np.arange(count) * (stages + 1) + stages / 2, vertical=False)
    axes.set(ylim=(0.0, shown.highest), ylabel="frequency in Hz", xlabel="pitch")


def draw_activations(
    axes: Axes, W: Float, H: Float, shown: View, colour: str = INK, strongest: float | None = None
) -> None:
    """Draw each pitch as two rows: its harmonic templates (one is on at a time), above them its onset."""
    loudness = loudness_of_pitches(shown.layout, W, H)
    top = strongest or float(loudness.max(initial=0.0))
    # The cube root shows a note's whole decay without lifting what is nothing.
    image = np.cbrt(loudness / top) if top > 0 else loudness
    count = len(shown.layout.pitches)
    extent = (-0.5 * shown.hop, (image.shape[1] - 0.5) * shown.hop, -0.5, count - 0.5)
    onset = (np.arange(2 * count) % 2 == 1)[:, None]
    _draw_parted(axes, image, onset, extent, colour_map(colour))
    for i in range(1, count):
        axes.axhline(i - 0.5, color=_LINE, linewidth=0.6)
    name_pitches(axes, shown.layout.pitches, np.arange(count))
    axes.set(xlim=(0.0, shown.end), xlabel="time in seconds", ylabel="pitch")


def draw_spectrogram(axes: Axes, picture: Float, shown: View, colours: Colormap) -> Any:
    """Draw frames × bins, values 0..1, up to the highest frequency shown."""
    seen = picture[:, : int(shown.highest / shown.bin_hz) + 2].T
    right, top = (seen.shape[1] - 0.5) * shown.hop, (seen.shape[0] - 0.5) * shown.bin_hz
    extent = (-0.5 * shown.hop, right, -0.5 * shown.bin_hz, top)
    image = axes.imshow(seen, origin="lower", aspect="auto", extent=extent, cmap=colours, vmin=0.0, vmax=1.0)
    axes.set(xlim=(0.0, shown.end), ylim=(0.0, shown.highest))
    axes.set(xlabel="time in seconds", ylabel="frequency in Hz")
    return image


def _draw_parted(
    axes: Axes,
    values: Float,
    onset: NDArray[np.bool_],
    extent: tuple[float, float, float, float],
    colours: Colormap,
) -> None:
    """Draw values 0..1, those of onsets in their own colour."""
    where = np.broadcast_to(onset, values.shape)
    for hidden, palette in ((where, colours), (~where, colour_map(ONSET_COLOUR))):
        axes.imshow(
            np.ma.masked_where(hidden, values),
            origin="lower",
            aspect="auto",
            extent=extent,
            cmap=palette,
            vmin=0.0,
            vmax=1.0,
            interpolation="nearest",
        )


def loudness_of_pitches(layout: TemplateLayout, W: Float, H: Float) -> Float:
    """Magnitude of each pitch, (2 · pitches) × frames: its harmonic templates together, then its onset."""
    weighted = H * W.sum(axis=1, keepdims=True)
    harmonic = weighted[: layout.harmonic_rows].reshape(len(layout.pitches), layout.stages, -1).sum(axis=1)
    both: Float = np.stack([harmonic, weighted[layout.harmonic_rows :]], axis=1)
    return both.reshape(-1, H.shape[1])


def decibels(values: Float, reference: float) -> Float:
    """Map magnitudes to 0..1 over a fixed range of decibels below the reference."""
    floor = 10.0 ** (-_DECIBELS / 20)
    relative = np.maximum(values / max(reference, 1e-20), floor)
    return np.asarray(np.clip(1.0 + 20.0 * np.log10(relative) / _DECIBELS, 0.0, 1.0), np.float32)


def describe_stages(layout: TemplateLayout) -> str:
    """Say in words what the stages are."""
    if layout.stages == 1:
        return "harmonic templates"
    ages = " and ".join(f"{edge:g} s" for edge in layout.edges)
    return f"harmonic templates: {layout.stages} stages of a note's life per pitch (changing at {ages})"


def name_pitches(axes: Axes, pitches: NDArray[np.int64], places: NDArray[Any], *, vertical: bool = True) -> None:
    """Name the pitches on an axis: all of them, or the Cs, or every so many."""
    axis = axes.yaxis if vertical else axes.xaxis
    most = _MOST_NAMES if vertical else _MOST_NAMES // 2 + 1
    chosen = np.arange(len(pitches))
    if len(chosen) > most:
        octaves = np.flatnonzero(pitches % 12 == 0)
        chosen = octaves if 2 < len(octaves) <= most else chosen[:: -(-len(chosen) // most)]
    names = [pitch_name(int(pitch)).replace("#", "♯") for pitch in pitches[chosen]]
    axis.set_ticks(places[chosen].tolist(), names)
    axis.set_tick_params(length=0)


def write_number(value: float, _: int | None = None) -> str:
    """Write a number as tick labels show it."""
    return f"{value:.4g}" if value < 1e4 else f"{value:,.0f}"


def colour_map(colour: str) -> Colormap:
    """White to a colour, and on to a dark tone of it, so that weak and strong both tell."""
    red, green, blue = to_rgb(colour)
    dark = to_hex((0.3 * red, 0.3 * green, 0.3 * blue))
    return LinearSegmentedColormap.from_list(colour, [(0.0, "white"), (0.75, colour), (1.0, dark)])


def finish(axes: Axes, title: str, colour: str = INK) -> None:
    """Give an axis its title and the quiet frame that all of them have."""
    axes.set_title(title, loc="left", fontsize=TEXT + 1, color=colour)
    for side in axes.spines.values():
        side.set(color="#9AA5B1", linewidth=0.7)
    axes.tick_params(labelsize=SMALL, colors=INK, width=0.7)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set(fontsize=TEXT, color=INK)


def add_legend(figure: Figure, labels: Mapping[str, str]) -> None:
    """Add a legend (label → colour) below the axes."""
    patches = [Patch(color=colour, label=label) for label, colour in labels.items()]
    figure.legend(handles=patches, loc="outside lower center", ncols=4, frameon=False, fontsize=TEXT)


def new_figure(height: float) -> Figure:
    """Return an empty figure of the shared width; height in inches."""
    figure = Figure((_WIDTH, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure
