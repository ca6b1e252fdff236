"""Pictures of an analysis: the figures of Zunner 2021, chapter 2, for any take.

Figures are made without pyplot: nothing global is touched, and threads may draw at once. The left hand is
blue and the right hand vermilion everywhere (Okabe and Ito's palette, told apart by colour-blind readers
too); onsets are purple.
"""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PatchCollection
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator
from numpy.typing import NDArray

from terzetto.errors import OutputError
from terzetto.hands import masks
from terzetto.hands.activations import activate
from terzetto.hands.separate import Separation, magnitudes, scale_to
from terzetto.hands.templates import TemplateLayout
from terzetto.score.notes import HANDS, UNKNOWN, Score, pitch_name

Float = NDArray[np.float32]

LONGEST = 30.0
"""Seconds shown at most."""
LEFT_COLOUR, RIGHT_COLOUR, UNKNOWN_COLOUR, ONSET_COLOUR = "#0072B2", "#D55E00", "#777777", "#8A3FA0"
HAND_COLOURS = (LEFT_COLOUR, RIGHT_COLOUR)

_HIGHEST = 1500.0  # Hz shown at least; the thesis's choice
_DECIBELS = 50.0  # range of a spectrogram
_WIDTH, _DPI = 11.0, 150
_TEXT, _SMALL = 9.5, 8.5
_MOST_NAMES = 26  # pitch names that fit on an axis
_BLACK_KEYS = (1, 3, 6, 8, 10)
_INK, _LINE = "#1B2733", "#C9D1D9"


@dataclass(frozen=True)
class View:
    """The shown beginning of an analysed take.

    Attributes
    ----------
    score, layout, V, W0, H0, W, H
        As in `terzetto.hands.separate.Analysis`, cut to the shown frames.
    hands : tuple of float32 (rows, frames)
        The activations of the left and the right hand; empty if the score does not tell the hands.
    exponent : float
        Of the soft masks.
    hop, bin_hz : float
        Distance of two frames in seconds, and of two bins in Hz.
    end, length : float
        Seconds shown, and seconds of the take.
    """

    score: Score
    layout: TemplateLayout
    V: Float
    W0: Float
    H0: Float
    W: Float
    H: Float
    hands: tuple[Float, ...]
    exponent: float
    hop: float
    bin_hz: float
    end: float
    length: float

    @property
    def highest(self) -> float:
        """Highest frequency shown in Hz: 1500 as in the thesis, more where the highest note needs it."""
        top = 440.0 * 2.0 ** ((int(self.layout.pitches[-1]) - 69) / 12)
        wanted = max(_HIGHEST, 500.0 * np.ceil(2.2 * top / 500.0))
        return float(min(wanted, (self.W.shape[1] - 1) * self.bin_hz))

    @property
    def cut(self) -> str:
        """What to add to a title when only the beginning is shown."""
        return "" if self.end >= self.length else f" · first {self.end:.0f} s of {self.length:.0f} s"


def view(separation: Separation, longest: float = LONGEST) -> View:
    """Return what is shown of a separation: its first ``longest`` seconds."""
    analysis, score, grid = separation.analysis, separation.score, separation.grid
    length = separation.take.frames / separation.take.sample_rate
    end = min(longest, length)
    frames = min(int(end / grid.hop_seconds) + 1, separation.frames)
    notes = activate(score, analysis.layout, grid, 0, frames)
    if len(analysis.frame_numbers) == separation.frames:
        V, H0, H = analysis.V[:frames], analysis.H0[:, :frames], analysis.found.H[:, :frames]
    else:  # a long take was learned from chosen frames, which need not be the first ones
        V = magnitudes(separation.spectra(0, frames))
        H0 = scale_to(V, notes.initial())
        H = np.asarray(analysis.found.infer(V, H0))
    parts = notes.divide(np.ascontiguousarray(H), score.hand) if score.has_hands else None
    return View(
        score=score,
        layout=analysis.layout,
        V=V,
        W0=analysis.W0,
        H0=H0,
        W=analysis.found.W,
        H=H,
        hands=tuple(parts.dense(hand) for hand in range(len(HANDS))) if parts else (),
        exponent=masks.EXPONENTS.get(separation.settings.mask, masks.EXPONENTS["wiener"]),
        hop=grid.hop_seconds,
        bin_hz=grid.bin_hz,
        end=end,
        length=length,
    )


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
        if options.iterations is not None:
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
        figure.savefig(memory, format="png", dpi=_DPI)
        pictures[name] = memory.getvalue()
    return _write(pictures, folder)


def plot_piano_roll(shown: View) -> Figure:
    """Draw the notes, coloured by hand (figure 2.2b)."""
    score, pitches = shown.score, shown.layout.pitches
    low, high = int(pitches[0]) - 1, int(pitches[-1]) + 1
    figure = _figure(float(np.clip(0.19 * (high - low) + 1.1, 3.4, 7.5)))
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
    _name_pitches(axes, pitches, pitches)
    _finish(axes, f"Piano roll{shown.cut}")
    axes.legend(handles=legend, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, frameon=False, fontsize=_TEXT)
    return figure


def plot_decomposition(shown: View, method: str = "NMF") -> Figure:
    """Draw templates, activations and spectrogram before and after learning (figure 2.6)."""
    figure = _figure(8.6)
    title = f"{method} with the score's constraints, onsets included{shown.cut}"
    figure.suptitle(title, fontsize=_TEXT + 3, color=_INK)
    grid = figure.subplots(2, 3, width_ratios=(1.25, 1.25, 1.0))
    reference = float(shown.V.max(initial=0.0))
    rows = (
        ("(a) initial", shown.W0, shown.H0, shown.V, "input $V$"),
        ("(b) learned", shown.W, shown.H, shown.H.T @ shown.W, "model $WH$"),
    )
    for axes, (when, W, H, spectrogram, what) in zip(grid, rows, strict=True):
        _draw_templates(axes[0], W, shown)
        _draw_activations(axes[1], W, H, shown)
        _draw_spectrogram(axes[2], _decibels(spectrogram, reference), shown, _map(_INK))
        titles = (f"{when} templates $W$", f"{when} activations $H$", what)
        for panel, title in zip(axes, titles, strict=True):
            _finish(panel, title)
    _legend(figure, {_stages_text(shown.layout): _INK, "onset templates": ONSET_COLOUR})
    return figure


def plot_hands(shown: View, method: str = "NMF") -> Figure:
    """Draw each hand's activations, model spectrogram and soft mask (figure 2.7)."""
    figure = _figure(8.2)
    figure.suptitle(f"{method}: left and right hand{shown.cut}", fontsize=_TEXT + 3, color=_INK)
    grid = figure.subplots(2, 3, width_ratios=(1.25, 1.0, 1.08))
    models = [H.T @ shown.W for H in shown.hands]
    soft = masks.soft_masks(models, shown.exponent)
    # One scale for both hands: a soft hand looks soft.
    reference = max(float(model.max(initial=0.0)) for model in models)
    strongest = max(float(_loudness(shown.layout, shown.W, H).max(initial=0.0)) for H in shown.hands)
    for hand, axes in enumerate(grid):
        colour, letter = HAND_COLOURS[hand], HANDS[hand][0].upper()
        _draw_activations(axes[0], shown.W, shown.hands[hand], shown, colour, strongest)
        _draw_spectrogram(axes[1], _decibels(models[hand], reference), shown, _map(colour))
        palette = LinearSegmentedColormap.from_list(colour, ["white", colour])
        image = _draw_spectrogram(axes[2], soft[hand], shown, palette)
        bar = figure.colorbar(image, ax=axes[2], fraction=0.05, pad=0.02, ticks=(0.0, 0.5, 1.0))
        bar.outline.set_visible(False)
        bar.ax.tick_params(labelsize=_SMALL, length=2)
        titles = (
            f"({'ab'[hand]}) {HANDS[hand]} hand: activations $H^{letter}$",
            f"model $WH^{letter}$",
            f"soft mask $M^{letter}$",
        )
        for panel, title in zip(axes, titles, strict=True):
            _finish(panel, title, colour)
    labels = dict(zip((f"{name} hand" for name in HANDS), HAND_COLOURS, strict=True))
    _legend(figure, labels | {"onset templates' activations": ONSET_COLOUR})
    return figure


def plot_loss(iterations: NDArray[np.int64], losses: NDArray[np.float64], method: str, loss: str) -> Figure:
    """Draw the loss after each iteration on a logarithmic axis (figure 2.8)."""
    figure = _figure(4.2)
    axes = figure.subplots()
    axes.plot(iterations, losses, color=_INK, linewidth=1.8, marker="o", markersize=3.5)
    if losses.max() > 0:  # silence is explained without loss
        axes.set_yscale("log")
    if losses.min() > 0 and losses.max() < 10.0 * losses.min():  # powers of ten would leave the axis empty
        axes.yaxis.set_major_locator(MaxNLocator(6))
        axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(_number))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(True, which="major", color="#DDE2E7", linewidth=0.8)
    name = {"kl": "Kullback–Leibler divergence", "euclidean": "squared Euclidean distance"}.get(loss, loss)
    axes.set(xlabel="iteration", ylabel="loss")
    _finish(axes, f"{method}: {name}")
    return figure


def _draw_templates(axes: Axes, W: Float, shown: View) -> None:
    """Draw each pitch as a group of columns: its stages, then its onset, each on its own scale."""
    layout, stages = shown.layout, shown.layout.stages
    count = len(layout.pitches)
    bins = int(shown.highest / shown.bin_hz) + 2
    order = np.concatenate([layout.rows_of(i) for i in range(count)])
    columns = W[order, :bins].T
    columns = columns / np.maximum(columns.max(axis=0, keepdims=True), 1e-20)
    extent = (-0.5, len(order) - 0.5, -0.5 * shown.bin_hz, (columns.shape[0] - 0.5) * shown.bin_hz)
    onset = np.arange(len(order)) % (stages + 1) == stages
    _draw_parted(axes, _decibels(columns, 1.0), onset[None, :], extent, _map(_INK))
    for i in range(1, count):
        axes.axvline(i * (stages + 1) - 0.5, color=_LINE, linewidth=0.6)
    _name_pitches(axes, layout.pitches, np.arange(count) * (stages + 1) + stages / 2, vertical=False)
    axes.set(ylim=(0.0, shown.highest), ylabel="frequency in Hz", xlabel="pitch")


def _draw_activations(
    axes: Axes, W: Float, H: Float, shown: View, colour: str = _INK, strongest: float | None = None
) -> None:
    """Draw each pitch as two rows: its harmonic templates (one is on at a time), above them its onset."""
    loudness = _loudness(shown.layout, W, H)
    top = strongest or float(loudness.max(initial=0.0))
    # The cube root shows a note's whole decay without lifting what is nothing.
    image = np.cbrt(loudness / top) if top > 0 else loudness
    count = len(shown.layout.pitches)
    extent = (-0.5 * shown.hop, (image.shape[1] - 0.5) * shown.hop, -0.5, count - 0.5)
    onset = (np.arange(2 * count) % 2 == 1)[:, None]
    _draw_parted(axes, image, onset, extent, _map(colour))
    for i in range(1, count):
        axes.axhline(i - 0.5, color=_LINE, linewidth=0.6)
    _name_pitches(axes, shown.layout.pitches, np.arange(count))
    axes.set(xlim=(0.0, shown.end), xlabel="time in seconds", ylabel="pitch")


def _draw_spectrogram(axes: Axes, picture: Float, shown: View, colours: Colormap) -> Any:
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
    for hidden, palette in ((where, colours), (~where, _map(ONSET_COLOUR))):
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


def _loudness(layout: TemplateLayout, W: Float, H: Float) -> Float:
    """Magnitude of each pitch, (2 · pitches) × frames: its harmonic templates together, then its onset."""
    weighted = H * W.sum(axis=1, keepdims=True)
    harmonic = weighted[: layout.harmonic_rows].reshape(len(layout.pitches), layout.stages, -1).sum(axis=1)
    both: Float = np.stack([harmonic, weighted[layout.harmonic_rows :]], axis=1)
    return both.reshape(-1, H.shape[1])


def _decibels(values: Float, reference: float) -> Float:
    """Map magnitudes to 0..1 over a fixed range of decibels below the reference."""
    floor = 10.0 ** (-_DECIBELS / 20)
    relative = np.maximum(values / max(reference, 1e-20), floor)
    return np.asarray(np.clip(1.0 + 20.0 * np.log10(relative) / _DECIBELS, 0.0, 1.0), np.float32)


def _stages_text(layout: TemplateLayout) -> str:
    if layout.stages == 1:
        return "harmonic templates"
    ages = " and ".join(f"{edge:g} s" for edge in layout.edges)
    return f"harmonic templates: {layout.stages} stages of a note's life per pitch (changing at {ages})"


def _name_pitches(axes: Axes, pitches: NDArray[np.int64], places: NDArray[Any], *, vertical: bool = True) -> None:
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


def _number(value: float, _: int | None = None) -> str:
    return f"{value:.4g}" if value < 1e4 else f"{value:,.0f}"


def _map(colour: str) -> Colormap:
    """White to a colour, and on to a dark tone of it, so that weak and strong both tell."""
    red, green, blue = to_rgb(colour)
    dark = to_hex((0.3 * red, 0.3 * green, 0.3 * blue))
    return LinearSegmentedColormap.from_list(colour, [(0.0, "white"), (0.75, colour), (1.0, dark)])


def _finish(axes: Axes, title: str, colour: str = _INK) -> None:
    """Give an axis its title and the quiet frame that all of them have."""
    axes.set_title(title, loc="left", fontsize=_TEXT + 1, color=colour)
    for side in axes.spines.values():
        side.set(color="#9AA5B1", linewidth=0.7)
    axes.tick_params(labelsize=_SMALL, colors=_INK, width=0.7)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set(fontsize=_TEXT, color=_INK)


def _legend(figure: Figure, labels: Mapping[str, str]) -> None:
    patches = [Patch(color=colour, label=label) for label, colour in labels.items()]
    figure.legend(handles=patches, loc="outside lower center", ncols=4, frameon=False, fontsize=_TEXT)


def _figure(height: float) -> Figure:
    figure = Figure((_WIDTH, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
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
