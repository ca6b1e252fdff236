"""What a chain costs beside plain pedalboard, and what a batch costs for each file and hour of audio.

    python bench/batch.py [--seconds 60] [--rounds 7] [--json FILE]

Times are processor time of one process with one thread, from a file to samples in memory. Rounds go through all
contenders in turn; a ratio is taken within a round, and the median round counts. The last table is the whole of
`terzetto process` in a worker: hash, chain, meter, writing, manifest.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pedalboard
import soundfile
from pedalboard.io import AudioFile

from terzetto.audio.files import FileTake
from terzetto.jobs import Item
from terzetto_host.batch.isolation import Worker
from terzetto_host.file_chain import FileChain
from terzetto_host.process import Job

RATE = 44100
CHAINS = {
    "4 effects": ("HighpassFilter", "Compressor", "Reverb", "Limiter"),
    "9 effects": (
        *("HighpassFilter", "NoiseGate", "Compressor", "PeakFilter", "HighShelfFilter", "Chorus", "Delay", "Reverb"),
        "Limiter",
    ),
    "with a whole-file stage": ("PitchShift", "Compressor"),
}


def board(names: tuple[str, ...]) -> pedalboard.Pedalboard:
    return pedalboard.Pedalboard([getattr(pedalboard, name)() for name in names])


def whole(path: Path, names: tuple[str, ...]) -> None:
    with AudioFile(str(path)) as file:
        board(names)(file.read(file.frames), RATE)


def streamed(path: Path, names: tuple[str, ...]) -> None:
    """As pedalboard's documentation does it: a second at a time."""
    effects = board(names)
    with AudioFile(str(path)) as file:
        while file.tell() < file.frames:
            effects(file.read(RATE), RATE, reset=False)


def ours(path: Path, chain: Path) -> None:
    effects = FileChain.from_file(chain)
    with FileTake(path) as take:
        for _ in effects.render(take):
            pass


def measured(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def overheads(path: Path, folder: Path, rounds: int) -> dict[str, dict[str, float]]:
    table = {}
    for title, names in CHAINS.items():
        chain = folder / "chain.toml"
        chain.write_text("".join(f'[[stage]]\nplugin = "{name}"\n' for name in names))
        rows = []
        for number in range(rounds + 1):
            times = [
                measured(lambda names=names: whole(path, names)),
                measured(lambda names=names: streamed(path, names)),
                measured(lambda chain=chain: ours(path, chain)),
            ]
            if number:  # the first warms up
                rows.append(times)
        table[title] = {
            "whole_s": statistics.median(row[0] for row in rows),
            "over_whole": statistics.median(row[2] / row[0] for row in rows) - 1,
            "over_streamed": statistics.median(row[2] / row[1] for row in rows) - 1,
        }
    return table


def batch_cost(sound: np.ndarray, folder: Path, files: int) -> dict[str, float]:
    """Processor seconds of a batch of one worker, with everything, for small files and for long ones."""
    costs = {}
    (folder / "chain.toml").write_text("".join(f'[[stage]]\nplugin = "{name}"\n' for name in CHAINS["4 effects"]))
    long = np.tile(sound, (1, 10))
    for name, count, content in (("start", 2, sound[:, :RATE]), ("small", files, sound[:, :RATE]), ("long", 2, long)):
        source = folder / name
        source.mkdir()
        for number in range(count):
            soundfile.write(source / f"{number}.wav", content.T, RATE, "FLOAT")
        command = [sys.executable, "-m", "terzetto", "process", "chain.toml", name, "-o", f"{name}-out", "-j", "1"]
        before = os.times()
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        after = os.times()
        costs[name] = after.children_user + after.children_system - before.children_user - before.children_system
    small = (costs["small"] - costs["start"]) / max(files - 2, 1)
    hours = 2 * long.shape[1] / RATE / 3600
    costs |= {"small_ms_per_file": 1e3 * small, "long_s_per_hour": (costs["long"] - costs["start"]) / hours}
    return costs


def worker_start(sound: np.ndarray, folder: Path, rounds: int) -> float:
    """Seconds by which a new worker's first file takes longer than its second, which is the same."""
    (folder / "gain.toml").write_text('[[stage]]\nplugin = "Gain"\ngain_db = -6.0\n')
    soundfile.write(folder / "one.wav", sound[:, :RATE].T, RATE, "FLOAT")
    item, job, more = Item("one.wav", folder / "one.wav"), Job(folder / "gain.toml"), []
    for _ in range(rounds):
        worker, times = Worker(1, 60.0), []
        for _ in range(2):
            began = time.perf_counter()
            worker.do(job, item, str(folder / "started"), "", lambda stage, fraction: None)
            times.append(time.perf_counter() - began)
        worker.close()
        more.append(times[0] - times[1])
    return statistics.median(more)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    sound = (0.1 * np.random.default_rng(0).standard_normal((2, round(RATE * arguments.seconds)))).astype(np.float32)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        path = folder / "take.wav"
        soundfile.write(path, sound.T, RATE, "FLOAT")
        table = overheads(path, folder, arguments.rounds)
        costs = batch_cost(sound, folder, arguments.files)
        costs["worker_start"] = worker_start(sound, folder, arguments.rounds)
    print(f"\nA chain over plain pedalboard, {arguments.seconds:g} s of stereo at {RATE} Hz")
    for title, row in table.items():
        over = f"{100 * row['over_whole']:+5.1f} % over the whole file at once"
        if title != "with a whole-file stage":  # in pieces, PitchShift is another effect
            over += f", {100 * row['over_streamed']:+5.1f} % over a second at a time"
        print(f"  {title:24} pedalboard {1e3 * row['whole_s']:6.0f} ms; the chain {over}")
    print("\n`terzetto process`, 4 effects, one worker, everything included, processor time")
    print(f"  to start and end, with two files of a second: {costs['start']:.2f} s")
    print(f"  to start a worker, by the clock: {costs['worker_start']:.2f} s")
    print(f"  {arguments.files} files of a second: {costs['small_ms_per_file']:.1f} ms each")
    print(f"  long files: {costs['long_s_per_hour']:.1f} s for an hour of stereo")
    if arguments.json:
        arguments.json.write_text(json.dumps({"chains": table, "batch": costs}, indent=2) + "\n")


if __name__ == "__main__":
    main()
