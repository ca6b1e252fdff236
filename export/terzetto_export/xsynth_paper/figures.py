"""The slides' pictures, drawn again: spectrograms side by side, spectra at one time, pitch over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terzetto_export.xsynth_paper.measures import RANGE_DB, levels, magnitudes, spectrum_at
from terzetto_export.xsynth_paper.sounds import GRID, SAMPLE_RATE, Float

_UP_TO = 6000.0


def _figure(width: float, height: float, rows: int = 1, columns: int = 1, **options: Any) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def spectrograms(sounds: Mapping[str, Float], path: Path, title: str, columns: int = 2) -> None:
    """Draw sounds as the slides do, each under its own loudest cell, over 60 dB and up to 6 kHz."""
    rows = -(-len(sounds) // columns)
    figure, axes = _figure(5.5 * columns, 2.6 * rows + 0.4, rows, columns, sharey=True)
    bins = GRID.bins_up_to(_UP_TO)
    for each, (name, audio) in zip(axes.flat, sounds.items(), strict=False):
        each.imshow(
            levels(magnitudes(audio))[:, :bins].T,
            origin="lower",
            aspect="auto",
            cmap="magma",
            vmin=-RANGE_DB,
            vmax=0,
            extent=(0, len(audio) / SAMPLE_RATE, 0, _UP_TO / 1000),
        )
        each.set_title(name, fontsize=10)
    for each in axes.flat[len(sounds) :]:
        each.set_visible(False)
    for each in axes[:, 0]:
        each.set_ylabel("kHz")
    for each in axes[-1]:
        each.set_xlabel("seconds")
    figure.suptitle(title, fontsize=11)
    figure.savefig(path, dpi=110)


def spectra(sounds: Mapping[str, tuple[Float, float]], marks: Mapping[str, float], path: Path, title: str) -> None:
    """Draw the DFT of 4096 points of sounds, each at its time in seconds, with three frequencies in Hz marked."""
    figure, axes = _figure(8, 1.9 * len(sounds) + 0.5, len(sounds), 1, sharex=True)
    for each, (name, (audio, second)) in zip(axes[:, 0], sounds.items(), strict=True):
        frequency, level = spectrum_at(audio, second)
        each.plot(frequency, level, linewidth=0.8, color="black")
        for (label, at), color, style in zip(marks.items(), ("C0", "C1", "C2"), ("-", "--", ":"), strict=True):
            each.axvline(at, color=color, linestyle=style, linewidth=1.0, label=f"{label}, {at:.1f} Hz")
        each.set(xlim=(0, 4000), ylim=(-80, 3), ylabel="dB")
        each.set_title(name, fontsize=10)
    axes[0, 0].legend(fontsize=8, loc="upper right")
    axes[-1, 0].set_xlabel("Hz")
    figure.suptitle(title, fontsize=11)
    figure.savefig(path, dpi=110)


def pitches(tracks: Mapping[str, Mapping[str, NDArray[np.float64]]], path: Path, title: str) -> None:
    """Draw pitch over time (MIDI, (frames,), NaN for none), one panel per input, the first line of each the input's."""
    figure, axes = _figure(5.5 * len(tracks), 3.4, 1, len(tracks))
    for each, (name, lines) in zip(axes[0], tracks.items(), strict=True):
        for number, (label, midi) in enumerate(lines.items()):
            seconds = np.arange(len(midi)) * GRID.hop_seconds
            style: dict[str, Any] = {"color": "0.75", "linewidth": 5} if number == 0 else {"color": f"C{number - 1}"}
            each.plot(seconds, midi, label=label, **style)
        wanted = next(iter(lines.values()))
        each.set(title=name, xlabel="seconds", ylim=(np.nanmin(wanted) - 4, np.nanmax(wanted) + 4))
    axes[0, 0].set_ylabel("pitch, MIDI")
    axes[0, -1].legend(fontsize=7)
    figure.suptitle(title, fontsize=11)
    figure.savefig(path, dpi=110)


def curves(losses: Mapping[str, Sequence[float]], path: Path, title: str) -> None:
    """Draw what each network's error on sounds held out was, epoch by epoch."""
    figure, axes = _figure(7, 4)
    for name, values in losses.items():
        axes[0, 0].plot(range(1, len(values) + 1), values, label=name)
    axes[0, 0].set(xlabel="epoch", ylabel="squared error of a frame held out", yscale="log", title=title)
    axes[0, 0].legend(fontsize=8)
    figure.savefig(path, dpi=110)


def loudness(sounds: Mapping[str, Float], path: Path, title: str) -> None:
    """Draw the level of sounds over time, the first one thick."""
    figure, axes = _figure(8, 3.6)
    for number, (name, audio) in enumerate(sounds.items()):
        level = 20 * np.log10(np.linalg.norm(magnitudes(audio), axis=1) + 1e-6)
        seconds = np.arange(len(level)) * GRID.hop_seconds
        style: dict[str, Any] = {"color": "0.75", "linewidth": 5} if number == 0 else {"color": f"C{number - 1}"}
        axes[0, 0].plot(seconds, level, label=name, **style)
    axes[0, 0].set(xlabel="seconds", ylabel="level of a frame, dB", title=title)
    axes[0, 0].legend(fontsize=8)
    figure.savefig(path, dpi=110)
