"""What an hour of audio costs stage by stage, and what a second worker brings: the figures of docs/scale.md.

    python bench/scale.py [--seconds 60] [--files 24] [--rounds 3] [--json FILE]

Costs are processor time of one thread. Efficiency is wall time: files done in a second by two workers over twice those
by one, the start left out (a batch of few files is taken off), rounds in turn, the median; on this machine's own worker
processes (`-j`) and on a cluster of one machine (`--cluster local:N`).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pedalboard
import soundfile

from terzetto.audio.files import ArrayTake, FileTake
from terzetto.audio.loudness import Meter
from terzetto.audio.stems import FORMATS, StemFiles
from terzetto.demo.run import EXCERPT, excerpt
from terzetto.hands.separate import separate_hands
from terzetto.score.hearing import hear
from terzetto.score.read import read_score
from terzetto_host.batch.fingerprint import content_hash

RATE = 44100
HOP = 8192
EFFECTS = ("HighpassFilter", "Compressor", "Limiter", "Chorus", "Reverb", "Delay", "Phaser", "PitchShift")
CHAIN = ("HighpassFilter", "Compressor", "Reverb", "Limiter")
FEW = 4  # files of the batch that is taken off


def cost(work: Callable[[], object], seconds: float, rounds: int = 3) -> float:
    """Return processor seconds for an hour of audio, the least of some rounds."""
    times = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times) * 3600 / seconds


def blocks(sound: np.ndarray) -> Iterator[np.ndarray]:
    for at in range(0, sound.shape[1], HOP):
        yield sound[:, at : at + HOP]


def stages(folder: Path, sound: np.ndarray) -> dict[str, float]:
    seconds = sound.shape[1] / RATE
    source = folder / "take.wav"
    soundfile.write(source, sound.T, RATE, "PCM_24")

    def read() -> None:
        with FileTake(source) as take:
            for at in range(0, take.frames, 1 << 16):
                take.read(at, at + (1 << 16))

    def measure() -> None:
        meter = Meter(RATE, 2, None)
        for block in blocks(sound):
            meter.add(block)

    def write(name: str) -> None:
        form = FORMATS[name]
        with StemFiles({"out": folder / f"out.{form.extension}"}, RATE, 2, form) as files:
            for block in blocks(sound):
                files.write("out", block)
            files.commit()

    table = {
        "hash of the input": cost(lambda: content_hash(source), seconds),
        "reading 24-bit WAV": cost(read, seconds),
        "loudness and true peak": cost(measure, seconds),
        "writing 24-bit WAV": cost(lambda: write("int24"), seconds),
        "writing FLAC": cost(lambda: write("flac"), seconds),
    }
    for name in EFFECTS:
        effect = getattr(pedalboard, name)()
        table[name] = cost(lambda effect=effect: effect(sound, RATE), seconds)
    return table


def run(folder: Path, source: str, *options: str) -> float:
    """Run a batch into a new folder and return its wall seconds."""
    with tempfile.TemporaryDirectory(dir=folder) as out:
        command = [sys.executable, "-m", "terzetto", "process", "chain.toml", source, "-o", out, *options]
        began = time.perf_counter()
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return time.perf_counter() - began


def efficiency(folder: Path, sound: np.ndarray, files: int, rounds: int) -> dict[str, float]:
    (folder / "chain.toml").write_text("".join(f'[[stage]]\nplugin = "{name}"\n' for name in CHAIN))
    for name, count in (("few", FEW), ("many", FEW + files)):
        (folder / name).mkdir()
        for number in range(count):
            soundfile.write(folder / name / f"{number}.wav", np.roll(sound, number, axis=1).T, RATE, "PCM_24")
    found = {}
    for title, flags in (("worker processes", "-j {n}"), ("a cluster on one machine", "--cluster local:{n}")):
        ratios = []
        for _ in range(rounds):
            took = {}
            for n in (1, 2):
                options = flags.format(n=n).split()
                took[n] = run(folder, "many", *options) - run(folder, "few", *options)
            ratios.append(took[1] / took[2] / 2)
        found[title] = statistics.median(ratios)
    return found


def hands(rounds: int) -> dict[str, float]:
    """Processor seconds of parting the shipped excerpt, for an hour of it."""
    with excerpt() as shipped:
        audio, rate = soundfile.read(shipped / f"{EXCERPT}.flac", dtype="float32")
        score = read_score(shipped / f"{EXCERPT}.mid")
    take = ArrayTake(audio[None], rate)

    def known() -> None:
        separate_hands(audio, rate, score, jobs=1)

    def unknown() -> None:
        separate_hands(audio, rate, hear(take), jobs=1)

    for work in (known, unknown):
        work()  # the first loads what it wants
    seconds = len(audio) / rate
    return {"with a score": cost(known, seconds, rounds), "with nothing": cost(unknown, seconds, rounds)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--files", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    sound = (0.1 * np.random.default_rng(0).standard_normal((2, round(RATE * arguments.seconds)))).astype(np.float32)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        results: dict[str, Any] = {
            "seconds_per_hour": stages(folder, sound),
            "hands_seconds_per_hour": hands(arguments.rounds),
            "efficiency": efficiency(folder, sound, arguments.files, arguments.rounds),
        }
    print(f"\nProcessor seconds for an hour of stereo at {RATE} Hz, one thread")
    for name, value in results["seconds_per_hour"].items():
        print(f"  {name:26} {value:7.1f}")
    for name, value in results["hands_seconds_per_hour"].items():
        print(f"  Hands, {name:19} {value:7.1f}   ({3600 / value:.0f} times real time)")
    print("\nTwo workers over twice one")
    for name, value in results["efficiency"].items():
        print(f"  {name:26} {100 * value:5.0f} %")
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
