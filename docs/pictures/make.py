"""Draw hands.png for the README: the demo excerpt, its spectrogram, and the spectrograms of its two hands.

Run it with the package installed: ``python docs/pictures/make.py``.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from numpy.typing import NDArray
from PIL import Image

from terzetto.audio.files import read_audio
from terzetto.audio.spectra import FrameGrid
from terzetto.demo.run import EXCERPT, excerpt
from terzetto.hands.separate import separate_hands

Float = NDArray[np.float32]

SECONDS = 16.0
LOWEST, HIGHEST = 240.0, 4600.0  # Hz
DECIBELS = 66.0
GROUND, TEXT = "#0D1319", "#E8EDF1"
GLOW = {
    "mix": ("#3C4A57", "#B9C6D1", "#FFFFFF"),
    "left_hand": ("#003E66", "#0A8BD6", "#D6F1FF"),
    "right_hand": ("#6B2A00", "#F0741E", "#FFEBD2"),
}


def picture(samples: Float, grid: FrameGrid, reference: float) -> Float:
    """Return the spectrogram of mono samples, 0..1, frequencies × frames; frequencies as on a keyboard."""
    magnitude = np.abs(grid.stft(samples)).T
    places = np.geomspace(LOWEST, HIGHEST, 420) / grid.bin_hz
    low = places.astype(int)
    part = (places - low)[:, None]
    spaced = magnitude[low] * (1 - part) + magnitude[low + 1] * part
    level = 20 * np.log10(np.maximum(spaced / reference, 1e-6))
    return np.asarray(np.clip(1 + level / DECIBELS, 0, 1), np.float32)


def draw(axes: Axes, image: Float, name: str, title: str) -> None:
    """Let a spectrogram glow in its colours."""
    colours = LinearSegmentedColormap.from_list(name, [GROUND, *GLOW[name]])
    axes.imshow(image**0.75, origin="lower", aspect="auto", cmap=colours, vmin=0.12, vmax=1.0, interpolation="bilinear")
    axes.set_axis_off()
    axes.set_title(title, loc="left", color=GLOW[name][1], fontsize=15, pad=7)


def main() -> None:
    """Separate the excerpt and draw."""
    with excerpt() as folder:
        audio, rate = read_audio(folder / f"{EXCERPT}.flac")
        stems = separate_hands(audio, rate, folder / f"{EXCERPT}.mid")
    sounds = {"mix": audio} | {name: stems[name] for name in ("left_hand", "right_hand")}
    grid = FrameGrid.from_seconds(rate, 0.12, overlap=8)
    shown = {name: sound.mean(axis=0)[: int(SECONDS * rate)] for name, sound in sounds.items()}
    reference = float(np.abs(grid.stft(shown["mix"])).max())
    images = {name: picture(sound, grid, reference) for name, sound in shown.items()}

    figure = Figure((14.0, 5.0), facecolor=GROUND)
    FigureCanvasAgg(figure)
    draw(figure.add_axes((0.015, 0.04, 0.44, 0.87)), images["mix"], "mix", "one recording")
    draw(figure.add_axes((0.545, 0.54, 0.44, 0.37)), images["right_hand"], "right_hand", "right hand")
    draw(figure.add_axes((0.545, 0.04, 0.44, 0.37)), images["left_hand"], "left_hand", "left hand")
    for height, bend, name in ((0.725, -0.2, "right_hand"), (0.225, 0.2, "left_hand")):
        arrow = FancyArrowPatch(
            (0.462, 0.475),
            (0.537, height),
            transform=figure.transFigure,
            connectionstyle=f"arc3,rad={bend}",
            arrowstyle="-|>",
            mutation_scale=22,
            linewidth=2.6,
            color=GLOW[name][1],
        )
        figure.add_artist(arrow)
    memory = io.BytesIO()
    figure.savefig(memory, format="png", dpi=120, facecolor=GROUND)
    # A palette of 256 colours keeps the file small; so few hues lose nothing by it.
    Image.open(memory).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(
        Path(__file__).with_name("hands.png"), optimize=True
    )


if __name__ == "__main__":
    main()
