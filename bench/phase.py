"""What the NSGT costs, and what each way to find phase costs and finds, on one second at 44.1 kHz.

    python bench/phase.py [--sounds 24] [--rounds 5] [--json FILE]

One thread; processor time, the least of the rounds, of the median sound. With TERZETTO_DATA the sounds are held-out
one-shots of the licensed collection, as many of each class, else falling tones under noise. Spectral convergence is
against the transform's own magnitudes, in dB (the lower the nearer); the log-spectral distance is over an STFT of
2048/512 and a range of 80 dB. The scale-invariant ratio to the signal itself (SI-SDR, the better sign) says how much of
the *waveform* came back: a sound may be right and its waveform another.
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

from terzetto.audio.nsgt import Nsgt
from terzetto.audio.phase import Transform, griffin_lim, recover, spectral_convergence
from terzetto.audio.spectra import FrameGrid, Stft

RATE, LEAD = 44_100, 2048
Float = NDArray[np.float32]
Method = Callable[[Float, Transform], Float]
TRANSFORMS: dict[str, Transform] = {
    "STFT 1024/256": Stft(FrameGrid(RATE, 1024, 256), RATE),
    "STFT 1024/128": Stft(FrameGrid(RATE, 1024, 128), RATE),
    "NSGT mel 410": Nsgt(RATE, RATE, 410, "mel"),
    "NSGT linear 257": Nsgt(RATE, RATE, 257, "linear", frames=350),
}
METHODS: dict[str, Method] = {
    "random phase": lambda m, t: griffin_lim(m, t, iterations=0),
    "heap integration": recover,
    "heap integration, 3 rounds": lambda m, t: recover(m, t, iterations=3),
    "Griffin-Lim, 60 rounds": lambda m, t: griffin_lim(m, t, momentum=0.0),
    "fast Griffin-Lim, 60 rounds": griffin_lim,
    "heap integration, 60 rounds": lambda m, t: recover(m, t, iterations=60),
}
JUDGE = Stft(FrameGrid(RATE, 2048, 512), RATE)


def sounds(count: int) -> list[Float]:
    """Held-out one-shots, class by class, followed by silence; or synthetic ones."""
    if "TERZETTO_DATA" in os.environ:
        from terzetto_export.drum_sounds.data import read_data

        held_out = [s for s in read_data(None, lambda line: None) if s.split == "test"]
        random = np.random.default_rng(0)
        classes = [random.permutation([i for i, s in enumerate(held_out) if s.sound_class == c]) for c in range(8)]
        rows = [rows[turn] for turn in range(count) for rows in classes if turn < len(rows)][:count]
        return [led(held_out[i].audio) for i in rows]
    made, seconds = [], np.arange(RATE) / RATE
    for number in range(count):
        noise = np.random.default_rng(number).standard_normal(RATE) * np.exp(-40 * seconds)
        tone = np.sin(2 * np.pi * (60 + 10 * number) * seconds) * np.exp(-10 * seconds)
        made.append(led((0.3 * noise + 0.6 * tone).astype(np.float32)))
    return made


def led(sound: Float) -> Float:
    """Return a sound as a second, 46 ms of silence first: a circular transform brings onsets at 0 back at the end."""
    sound = sound[: RATE - LEAD]
    return np.pad(sound, (LEAD, RATE - LEAD - len(sound)))


def log_spectral_distance(truth: Float, found: Float) -> float:
    first, second = np.abs(JUDGE.forward(truth)), np.abs(JUDGE.forward(found))
    floor = 1e-4 * first.max()
    return float(np.sqrt(np.mean((20 * np.log10(np.maximum(first, floor) / np.maximum(second, floor))) ** 2)))


def si_sdr(truth: Float, found: Float) -> float:
    """In dB; a sign does not count."""
    target = truth * (np.dot(found, truth) / np.dot(truth, truth))
    return float(10 * np.log10(np.sum(target**2) / np.sum((found - target) ** 2)))


def measure(signals: list[Float], transform: Transform, method: Method, rounds: int) -> dict[str, float]:
    rows = []
    for signal in signals:
        magnitude = np.abs(transform.forward(signal))
        times = []
        for _ in range(rounds):
            began = time.process_time()
            found = method(magnitude, transform)
            times.append(1e3 * (time.process_time() - began))
        near = 20 * np.log10(spectral_convergence(magnitude, found, transform))
        rows.append((near, log_spectral_distance(signal, found), si_sdr(signal, found), min(times)))
    near, distance, ratio, _ = np.mean(rows, axis=0)
    ms = float(np.median([row[3] for row in rows]))
    return {"convergence_db": near, "distance_db": distance, "si_sdr_db": ratio, "ms": ms}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sounds", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    signals = sounds(arguments.sounds)
    table: dict[str, dict[str, dict[str, float]]] = {}
    for name, transform in TRANSFORMS.items():
        ways: tuple[list[float], list[float]] = ([], [])
        for _ in range(arguments.rounds):
            for way, work in zip(ways, (transform.forward, transform.inverse), strict=True):
                given = signals[0] if work == transform.forward else transform.forward(signals[0])
                began = time.process_time()
                work(given)
                way.append(1e3 * (time.process_time() - began))
        print(f"\n{name}, {transform.shape[0]} x {transform.shape[1]}: there {min(ways[0]):.1f} ms, ", end="")
        print(f"back {min(ways[1]):.1f} ms")
        print(f"  {'':30}{'convergence':>14}{'distance':>12}{'SI-SDR':>10}{'time':>12}")
        table[name] = {}
        for kind, method in METHODS.items():
            row = table[name][kind] = measure(signals, transform, method, arguments.rounds)
            print(f"  {kind:30}{row['convergence_db']:11.1f} dB{row['distance_db']:9.2f} dB", end="")
            print(f"{row['si_sdr_db']:7.1f} dB{row['ms']:9.1f} ms", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(table, indent=2) + "\n")


if __name__ == "__main__":
    main()
