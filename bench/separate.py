"""End-to-end speed: `terzetto separate` as a user starts it, on a stereo take made by repeating the demo excerpt.

    python bench/separate.py [--minutes 4] [--runs 3] [--json]

Prints wall and processor seconds of the whole process (start, reading, separating, writing three float stems), its
peak memory, and how many times faster than real time it was, per method; and how long `terzetto --help` takes.
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
from dataclasses import replace
from pathlib import Path

import numpy as np
from pedalboard.io import AudioFile

import terzetto.demo
from terzetto.audio.files import read_audio
from terzetto.score.midi import write_midi
from terzetto.score.notes import Score
from terzetto.score.read import read_score

EXCERPT = Path(terzetto.demo.__file__).parent / "excerpt"
NAME = "chopin_op28no4_opening"


def make_take(folder: Path, minutes: float) -> tuple[Path, Path]:
    """Write take.wav (stereo, 24 bits) and take.mid."""
    audio, rate = read_audio(EXCERPT / f"{NAME}.flac")
    score = read_score(EXCERPT / f"{NAME}.mid")
    length = audio.shape[1] / rate
    repeats = int(np.ceil(minutes * 60 / length))
    frames = int(minutes * 60 * rate)
    stereo = np.tile(np.stack([audio[0] * 0.9, audio[-1] * 0.8]), repeats)[:, :frames]
    with AudioFile(str(folder / "take.wav"), "w", int(rate), 2, bit_depth=24) as file:
        file.write(stereo)
    columns = ("onset", "offset", "pitch", "velocity", "hand", "track")
    parts = [replace(score, onset=score.onset + i * length, offset=score.offset + i * length) for i in range(repeats)]
    joined = Score(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in columns},
        track_names=score.track_names,
        pedal=np.concatenate([score.pedal + i * length for i in range(repeats)]),
    )
    write_midi(joined.select(joined.onset < minutes * 60), folder / "take.mid")
    return folder / "take.wav", folder / "take.mid"


def run(command: list[str]) -> tuple[float, float, float]:
    """Return (wall seconds, processor seconds, peak MiB) of a process."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    if status:
        sys.exit(f"{' '.join(command)} failed")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    command = str(Path(sys.executable).with_name("terzetto"))
    cases = {
        "nmf, coherent (default)": [],
        "nmf, Wiener masks": ["--mask", "wiener"],
        "nae, coherent": ["--method", "nae"],
        "default, one thread": ["-j", "1"],
    }
    rows: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        take, score = make_take(folder, arguments.minutes)
        for case, options in cases.items():
            base = [command, "separate", str(take), "--score", str(score), "-o", str(folder / "out"), *options]
            results = [run(base) for _ in range(arguments.runs + 1)][1:]  # the first warms the disk cache
            wall, cpu, memory = (statistics.median(column) for column in zip(*results, strict=True))
            rows[case] = {
                "wall_s": round(wall, 2),
                "cpu_s": round(cpu, 2),
                "peak_mib": round(memory),
                "times_real_time": round(arguments.minutes * 60 / wall, 1),
            }
    start = statistics.median(run([command, "--help"])[0] for _ in range(5))
    if arguments.json:
        print(json.dumps({"minutes": arguments.minutes, "cores": os.cpu_count(), "help_s": start, "cases": rows}))
        return
    print(f"{arguments.minutes:g} min stereo at 44.1 kHz, {os.cpu_count()} cores, median of {arguments.runs}")
    print(f"{'':26}{'wall s':>8}{'cpu s':>8}{'MiB':>7}{'× real time':>13}")
    for case, row in rows.items():
        print(f"{case:26}{row['wall_s']:8.2f}{row['cpu_s']:8.2f}{row['peak_mib']:7.0f}{row['times_real_time']:13.1f}")
    print(f"terzetto --help: {start:.2f} s")


if __name__ == "__main__":
    main()
