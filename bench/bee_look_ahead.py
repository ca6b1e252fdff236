"""What Let it Bee loses when it may look ahead only so far, and what each look-ahead costs.

    python bench/bee_look_ahead.py [--seconds 3] [--json FILE]

One thread. Needs TERZETTO_DATA: the first seconds of six of the sms-tools recordings as mosaics of its sax phrase (the
sax phrase of the cello's), also used a semitone higher and lower. The loss is the Kullback-Leibler divergence of V from
H W as a share of the sum of V; "played on" is the share of the activations whose atom follows on the one before. Mean
and 95 % bootstrap interval over the sources; the differences are paired. The time is processor time against the length
of the sound.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.files import read_audio
from terzetto.evaluate.intervals import interval
from terzetto.timbre.bee import Bands, BeeOptions, activations, activations_in_pieces, divergence
from terzetto.timbre.bee_conversion import bee_grid, stretch_for
from terzetto.timbre.target import read_target, transposed

Float = NDArray[np.float32]
SOURCES = ("carnatic", "cello-phrase", "organ-C3", "piano", "sax-phrase", "speech-male")
LOOK_AHEAD = (2, 4, 8, 16, 32)
STEPS = (0, -1, 1)


def played_on(H: Float) -> float:
    """The share of the activations whose atom follows on the one before."""
    follows = H[:-1, :-1] > 0
    return float(H[1:, 1:][follows].sum() / H[1:].sum())


def measure(folder: Path, source: str, target: str, seconds: float) -> dict[str, dict[str, float]]:
    """Loss, continuity and time, by look-ahead; ``whole`` is without bound."""
    audio, rate = read_audio(folder / f"{source}.wav")
    grid, options = bee_grid(rate), BeeOptions()
    bands = Bands(grid)
    V = bands(np.abs(grid.stft(audio.mean(axis=0)[: round(seconds * rate)])))
    recording = read_target(folder / f"{target}.wav", grid)
    targets = [transposed(recording, step) for step in STEPS]
    W = np.concatenate([bands(np.abs(piece)) for each in targets for piece in each.pieces()])
    usable = np.concatenate([each.sounding for each in targets])
    rows = {}
    for look_ahead in (None, *LOOK_AHEAD):
        start = time.process_time()
        if look_ahead is None:
            H = activations(V, W, options, usable)
        else:
            piece, margin = stretch_for(look_ahead)
            H = activations_in_pieces(V, W, options, usable, piece=piece, margin=margin)
        cost = (time.process_time() - start) / (len(V) * grid.hop_seconds)
        rows[str(look_ahead or "whole")] = {
            "seconds": (look_ahead or 0) * grid.hop_seconds,
            "loss": divergence(V, H, W),
            "played_on": played_on(H),
            "cost": cost,
            "atoms": float(len(W)),
        }
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    folder = Path(os.environ["TERZETTO_DATA"]) / "instruments" / "sms_tools"
    found = [
        measure(folder, source, "cello-phrase" if source == "sax-phrase" else "sax-phrase", arguments.seconds)
        for source in SOURCES
    ]
    table = {}
    for name in ("whole", *map(str, LOOK_AHEAD)):
        values = {
            key: np.array([rows[name][key] for rows in found]) for key in ("loss", "played_on", "cost", "seconds")
        }
        values["more_loss"] = values["loss"] - [rows["whole"]["loss"] for rows in found]
        row = table[name] = {key: interval(each) for key, each in values.items()}
        shown = ("{mean:.3f} [{low:.3f}, {high:.3f}]".format(**row[key]) for key in ("loss", "more_loss", "played_on"))
        ahead = f"{row['seconds']['mean'] * 1000:.0f} ms" if name != "whole" else "all"
        print(
            f"{name:>6} frames ({ahead}): loss {next(shown)}, more than whole {next(shown)}, played on {next(shown)}, "
        )
        print(f"        {row['cost']['mean']:.2f} s of processor time a second")
    print(f"sources: {len(found)}")
    if arguments.json:
        arguments.json.write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
