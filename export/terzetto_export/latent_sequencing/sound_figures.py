"""What the paper could not show: the loss of the sounds by epoch, and spectrograms beside what is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terzetto_export.latent_sequencing.sound_run import Run
from terzetto_export.latent_sequencing.sound_spectrograms import SAMPLES

Float = NDArray[np.float32]


def curves(run: Run, path: Path, title: str) -> None:
    """Draw loss, reconstruction and divergence of each epoch, train orange and test blue, as figure 8 does."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 4), layout="constrained")
    epochs = range(1, len(run.train) + 1)
    warm = next(epoch for epoch, beta in zip(epochs, run.beta, strict=True) if beta == run.beta[-1])
    names = ("loss", "reconstruction", "divergence")
    for axes, name in zip(figure.subplots(1, 3), names, strict=True):
        for part, colour, terms in (("train", "tab:orange", run.train), ("test", "tab:blue", run.test)):
            axes.plot(epochs[: len(terms)], [getattr(each, name) for each in terms], color=colour, label=part)
        axes.axvline(warm, color="0.8")
        axes.set_title("loss = reconstruction + β · divergence" if name == "loss" else name)
        axes.set_xlabel("epoch (the grey line: β has warmed up)")
        axes.set_ylabel("nats a sound")
        axes.legend()
    figure.suptitle(title)
    figure.savefig(path, dpi=120)


def spectrograms(rows: Sequence[tuple[str, Sequence[Float]]], columns: Sequence[str], path: Path, rate: int) -> None:
    """Draw rows of levels (410, 157) in 0..1, one column each."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.4 * len(columns), 2.1 * len(rows)), layout="constrained")
    grid = np.atleast_2d(figure.subplots(len(rows), len(columns), sharex=True, sharey=True))
    for line, (name, pictures) in zip(grid, rows, strict=True):
        for axes, column, picture in zip(line, columns, pictures, strict=True):
            axes.imshow(
                picture, origin="lower", aspect="auto", cmap="magma", vmin=0, vmax=1, extent=(0, SAMPLES / rate, 0, 410)
            )
            if name == rows[0][0]:
                axes.set_title(column, fontsize=9)
        line[0].set_ylabel(f"{name}\nmel band", fontsize=8)
    for axes in grid[-1]:
        axes.set_xlabel("seconds", fontsize=8)
    figure.savefig(path, dpi=110)
