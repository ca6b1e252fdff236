"""What the classical methods cost, and which lifter the envelope should have.

    python bench/timbre_classical.py [--json FILE]

One thread. Cost: processor time a second of a stereo stream of noise at 48 kHz against a target of 30 s (five minutes).
Lifter, with TERZETTO_DATA: 32 notes of Philharmonia's eight instruments (four each, over their range; of the training
split) under the envelope of another of them, the source flattened: the share whose pitch Praat still finds within 50
cents, the distance of the mean MFCC to the target's note nearest in pitch, and the error of the loudness. Mean and 95 %
bootstrap interval over notes.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.files import ArrayTake
from terzetto.evaluate.intervals import interval
from terzetto.evaluate.pitch_tracks import is_kept, pitch_error, praat
from terzetto.evaluate.timbre import loudness_error, mfcc_distance
from terzetto.timbre.bee_conversion import TRANSPOSE, BeeConversion, bee_grid
from terzetto.timbre.conversion import Controls, Conversion, stream_grid
from terzetto.timbre.envelope import EnvelopeConversion
from terzetto.timbre.mosaic import MosaicConversion
from terzetto.timbre.stream import render
from terzetto.timbre.target import Target, transposed
from terzetto_export.instrument_data.philharmonia import read_philharmonia
from terzetto_export.instrument_data.recordings import Recording

RATE = 44_100
Float = NDArray[np.float32]
Make = Callable[[Target], Conversion]
METHODS: dict[str, Make] = {
    "envelope": EnvelopeConversion,
    "envelope, true": lambda target: EnvelopeConversion(target, true_envelope=True),
    "envelope, source flattened": lambda target: EnvelopeConversion(target, flatten="source"),
    "mosaic": MosaicConversion,
}
LIFTERS = (0.0003, 0.0005, 0.0008, 0.001, 0.0015, 0.002)


def bee(most: int) -> Make:
    """Let it Bee with the target transposed by so many semitones each way."""

    def make(target: Target) -> Conversion:
        recording = Target(target.samples, bee_grid(RATE), target.name)
        return BeeConversion([transposed(recording, step) for step in sorted(range(-most, most + 1), key=abs)])

    return make


def cost(make: Make, low_latency: bool, seconds: float) -> float:
    """Processor time a second."""
    grid = stream_grid(48000, low_latency)
    random = np.random.default_rng(0)
    target = 0.1 * random.standard_normal(round(48000 * seconds)).astype(np.float32)
    conversion = make(Target(target, grid))
    frames = grid.stft(0.1 * random.standard_normal((2, 4 * 48000)).astype(np.float32)).swapaxes(0, 1)
    start = time.process_time()
    for spectra in frames:
        conversion.convert(np.ascontiguousarray(spectra), Controls())
    return (time.process_time() - start) / (len(frames) * grid.hop_seconds)


def trimmed(sound: Float) -> Float:
    """A note from where it begins, at most a second."""
    loud = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max())
    return sound[loud[0] : loud[-1] + 1][:RATE]


def pairs(notes: list[Recording]) -> list[tuple[Recording, str]]:
    """Four notes of each instrument, and which other instrument they are to sound like."""
    names = sorted({note.instrument for note in notes})
    chosen = []
    for number, name in enumerate(names):
        own = sorted((note for note in notes if note.instrument == name), key=lambda note: note.pitch or 0)
        other = names[(number + 3) % len(names)]
        chosen += [(own[at], other) for at in np.linspace(0, len(own) - 1, 4).astype(int)]
    return chosen


def measure(notes: list[Recording], make: Make | None) -> dict[str, dict[str, float]]:
    """Kept pitch, distance to the target and loudness error; of the inputs themselves without a method."""
    rows: dict[str, list[float]] = {"kept": [], "mfcc": [], "loudness": []}
    grid = stream_grid(RATE)
    for source, name in pairs(notes):
        others = [note for note in notes if note.instrument == name]
        sound = trimmed(source.audio)
        result = sound
        if make is not None:
            target = Target(np.concatenate([trimmed(note.audio) for note in others[:25]]), grid)
            result = np.concatenate(list(render(ArrayTake(sound, RATE), make(target))), axis=1)[0]
        assert source.pitch is not None
        nearest = min(others, key=lambda note: abs((note.pitch or 0) - source.pitch))
        rows["kept"].append(is_kept(pitch_error(praat(result, RATE), 0.0, len(sound) / RATE, source.pitch)))
        rows["mfcc"].append(mfcc_distance(trimmed(nearest.audio), result, RATE))
        rows["loudness"].append(loudness_error(sound, result, RATE))
    return {name: interval(values) for name, values in rows.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found: dict[str, object] = {}
    for name, make in METHODS.items():
        costs = [cost(make, low, seconds) for low in (False, True) for seconds in (30.0, 300.0)]
        found[name] = costs
        print(f"{name}: {costs[0]:.3f} ({costs[1]:.3f}) s a second; low latency {costs[2]:.3f} ({costs[3]:.3f})")
    if "TERZETTO_DATA" in os.environ:
        told: list[str] = []
        notes = [note for note in read_philharmonia(told.append) if note.split == "train" and note.seconds > 0.5]
        trials: dict[str, Make | None] = {"the inputs": None}
        for true in (False, True):
            for lifter in LIFTERS:
                name = f"lifter {1000 * lifter:.1f} ms{', true' if true else ''}"
                trials[name] = lambda target, lifter=lifter, true=true: EnvelopeConversion(
                    target, flatten="source", lifter=lifter, true_envelope=true
                )
        trials |= {"target flattened": EnvelopeConversion, "mosaic": MosaicConversion}
        trials |= {"let it bee": bee(0), "let it bee, transposed": bee(TRANSPOSE)}
        for name, trial in trials.items():
            row = measure(notes, trial)
            found[name] = row
            print(name, *("{}: {mean:.2f} [{low:.2f}, {high:.2f}]".format(key, **row[key]) for key in row))
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
