"""Pictures of an analysis: the figures of Zunner 2021, chapter 2, for any take.

Figures are made without pyplot: nothing global is touched, and threads may draw at once.
"""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator
from numpy.typing import NDArray

from terzetto.errors import OutputError
from terzetto.hands import masks
from terzetto.hands.drawing import (
    DPI,
    HAND_COLOURS,
    INK,
    ONSET_COLOUR,
    SMALL,
    TEXT,
    UNKNOWN_COLOUR,
    add_legend,
    colour_map,
    decibels,
    describe_stages,
    draw_activations,
    draw_spectrogram,
    draw_templates,
    finish,
    loudness_of_pitches,
    name_pitches,
    new_figure,
    write_number,
)
from terzetto.hands.separate import Separation
from terzetto.hands.view import View, view
from terzetto.score.notes import HANDS, UNKNOWN

_BLACK_KEYS = (1, 3, 6, 8, 10)


def figures(separation: Separation) -> dict[str, Figure]:
    """Return the figures of a separation by file name.

    ``hands.png`` is there if the score tells the hands, ``loss.png`` if losses were recorded.
    """
    shown, method = view(separation), separation.settings.method.upper()
    result = {
        "piano_roll.png": plot_piano_roll(shown),
        "decomposition.png": plot_decomposition(shown, method),
    }
    if shown.hands:
        result["hands.png"] = plot_hands(shown, method)
    options, losses = separation.settings.options, separation.analysis.found.losses
    if options.loss_interval > 0 and len(losses):
        at = np.arange(1, len(losses) + 1) * options.loss_interval
        if options.iterations is not None and options.loss_interval > 1:
            at = np.minimum(at, options.iterations)  # the last loss is always measured
        result["loss.png"] = plot_loss(at, losses, method, options.loss)
    return result


def plot_analysis(separation: Separation, folder: Path) -> list[Path]:
    """Draw a separation's figures as PNGs into a folder (made if need be): all of them, or none.

    Returns
    -------
    list of Path
        ``piano_roll.png``, ``decomposition.png`` and, where they make sense, ``hands.png`` and ``loss.png``.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    pictures = {}
    for name, figure in figures(separation).items():
        memory = io.BytesIO()
        figure.savefig(memory, format="png", dpi=DPI)
        pictures[name] = memory.getvalue()
    return _write(pictures, folder)


def plot_piano_roll(shown: View) -> Figure:
    """Draw the notes, coloured by hand (figure 2.2b)."""
    score, pitches = shown.score, shown.layout.pitches
    low, high = int(pitches[0]) - 1, int(pitches[-1]) + 1
    figure = new_figure(float(np.clip(0.19 * (high - low) + 1.1, 3.4, 7.5)))
    axes = figure.subplots()
    for pitch in range(low, high + 1):
        if pitch % 12 in _BLACK_KEYS:
            axes.axhspan(pitch - 0.5, pitch + 0.5, color="#F1F3F5", linewidth=0, zorder=0)
    legend = []
    codes, colours = (*range(len(HANDS)), UNKNOWN), (*HAND_COLOURS, UNKNOWN_COLOUR)
    names = (*(f"{name} hand" for name in HANDS), "hand not known")
    for hand, name, colour in zip(codes, names, colours, strict=True):
        boxes = [
            Rectangle((start, pitch - 0.42), stop - start, 0.84)
            for start, stop, pitch, whose in zip(score.onset, score.offset, score.pitch, score.hand, strict=True)
            if whose == hand and start < shown.end
        ]
        if boxes:
            notes = PatchCollection(boxes, facecolor=colour, edgecolor="white", linewidth=0.7, label=name)
            axes.add_collection(notes)
            legend.append(Patch(color=colour, label=name))
    axes.set(xlim=(0.0, shown.end), ylim=(low - 0.5, high + 0.5), xlabel="time in seconds", ylabel="pitch")
    name_pitches(axes, pitches, pitches)
    finish(axes, f"Piano roll{shown.cut}")
    axes.legend(handles=legend, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, frameon=False, fontsize=TEXT)
    return figure


def plot_decomposition(shown: View, method: str = "NMF") -> Figure:
    """Draw templates, activations and spectrogram before and after learning (figure 2.6)."""
    figure = new_figure(8.6)
    title = f"{method} with the score's constraints, onsets included{shown.cut}"
    figure.suptitle(title, fontsize=TEXT + 3, color=INK)
    grid = figure.subplots(2, 3, width_ratios=(1.25, 1.25, 1.0))
    reference = float(shown.V.max(initial=0.0))
    rows = (
        ("(a) initial", shown.W0, shown.H0, shown.V, "input $V$"),
        ("(b) learned", shown.W, shown.H, shown.H.T @ shown.W, "model $WH$"),
    )
    for axes, (when, W, H, spectrogram, what) in zip(grid, rows, strict=True):
        draw_templates(axes[0], W, shown)
        draw_activations(axes[1], W, H, shown)
        draw_spectrogram(axes[2], decibels(spectrogram, reference), shown, colour_map(INK))
        titles = (f"{when} templates $W$", f"{when} activations $H$", what)
        for panel, title in zip(axes, titles, strict=True):
            finish(panel, title)
    add_legend(figure, {describe_stages(shown.layout): INK, "onset templates": ONSET_COLOUR})
    return figure


def plot_hands(shown: View, method: str = "NMF") -> Figure:
    """Draw each hand's activations, model spectrogram and soft mask (figure 2.7)."""
    figure = new_figure(8.2)
    figure.suptitle(f"{method}: left and right hand{shown.cut}", fontsize=TEXT + 3, color=INK)
    grid = figure.subplots(2, 3, width_ratios=(1.25, 1.0, 1.08))
    models = [H.T @ shown.W for H in shown.hands]
    soft = masks.soft_masks(models, shown.exponent)
    # One scale for both hands: a soft hand looks soft.
    reference = max(float(model.max(initial=0.0)) for model in models)
    strongest = max(float(loudness_of_pitches(shown.layout, shown.W, H).max(initial=0.0)) for H in shown.hands)
    for hand, axes in enumerate(grid):
        colour, letter = HAND_COLOURS[hand], HANDS[hand][0].upper()
        draw_activations(axes[0], shown.W, shown.hands[hand], shown, colour, strongest)
        draw_spectrogram(axes[1], decibels(models[hand], reference), shown, colour_map(colour))
        palette = LinearSegmentedColormap.from_list(colour, ["white", colour])
        image = draw_spectrogram(axes[2], soft[hand], shown, palette)
        bar = figure.colorbar(image, ax=axes[2], fraction=0.05, pad=0.02, ticks=(0.0, 0.5, 1.0))
        bar.outline.set_visible(False)
        bar.ax.tick_params(labelsize=SMALL, length=2)
        titles = (
            f"({'ab'[hand]}) {HANDS[hand]} hand: activations $H^{letter}$",
            f"model $WH^{letter}$",
            f"soft mask $M^{letter}$",
        )
        for panel, title in zip(axes, titles, strict=True):
            finish(panel, title, colour)
    labels = dict(zip((f"{name} hand" for name in HANDS), HAND_COLOURS, strict=True))
    add_legend(figure, labels | {"onset templates' activations": ONSET_COLOUR})
    return figure


def plot_loss(iterations: NDArray[np.int64], losses: NDArray[np.float64], method: str, loss: str) -> Figure:
    """Draw the loss after each iteration on a logarithmic axis (figure 2.8)."""
    figure = new_figure(4.2)
    axes = figure.subplots()
    axes.plot(iterations, losses, color=INK, linewidth=1.8, marker="o", markersize=3.5)
    if losses.max() > 0:  # silence is explained without loss
        axes.set_yscale("log")
    if losses.min() > 0 and losses.max() < 10.0 * losses.min():  # powers of ten would leave the axis empty
        axes.yaxis.set_major_locator(MaxNLocator(6))
        axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(write_number))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(True, which="major", color="#DDE2E7", linewidth=0.8)
    name = {"kl": "Kullback–Leibler divergence", "euclidean": "squared Euclidean distance"}.get(loss, loss)
    axes.set(xlabel="iteration", ylabel="loss, with what no template may reach")
    finish(axes, f"{method}: {name}")
    return figure


def _write(pictures: Mapping[str, bytes], folder: Path) -> list[Path]:
    """Write files under temporary names and rename them together."""
    temporary: dict[Path, Path] = {}
    made = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        mask = os.umask(0)
        os.umask(mask)
        for name, content in pictures.items():
            handle, place = tempfile.mkstemp(".png", ".plot.", folder)
            temporary[folder / name] = Path(place)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(place).chmod(0o666 & ~mask)  # mkstemp's 0600 is for secrets
        for target, path in temporary.items():
            path.replace(target)
    except OSError as error:
        for path in temporary.values():
            path.unlink(missing_ok=True)
        for parent in made:
            with contextlib.suppress(OSError):
                parent.rmdir()
        reason = error.strerror or str(error)
        raise OutputError(f"{folder}: the pictures could not be written ({reason})") from None
    return list(temporary)
