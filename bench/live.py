"""The plugin at real-time pace: late blocks, the hop's round trip, the processor's share, the latency it adds.

    python -m bench.live [--minutes 10] [--block 256] [--rate 48000] [--json FILE]

*Terzetto Hands* (LV2) in jalv on a JACK server without a device plays the demo excerpt, repeated, through what it has
learned of it, first on an idle machine and then beside one busy process for each core. A late block is counted where
it is heard: a hop of the recording that is not what the engine would have played. Needs the plugins, jackd2 and jalv.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from bench.live_parts import HOP, added_latencies, busy, hands_latency, load_name, round_trips
from tests.hosts.hands_take import HandsTake, hands_take
from tests.hosts.jalv import Jack
from tests.hosts.judge import Float, delayed
from tests.hosts.place import Place, wait_until
from tests.hosts.states import LV2_URI

from terzetto.hands.learning import WINDOWS


@dataclass(frozen=True)
class Live:
    """What one run at real-time pace showed."""

    load: str
    minutes: float
    late_hops: int
    late_per_minute: float
    cpu_share: float
    xruns: int


def cpu_seconds(pids: list[int]) -> float:
    """Processor time of processes, in seconds."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def late_hops(recorded: Float, dry: Float, wet: Float) -> int:
    """Count hops in which a frame is further from the wet signal than from the dry one."""
    is_dry = np.abs(recorded - dry).max(axis=0) < np.abs(recorded - wet).max(axis=0)
    audible = np.abs(dry - wet).max(axis=0) > 1e-4
    return int(sum((is_dry & audible)[at : at + HOP].any() for at in range(0, is_dry.size, HOP)))


def play(take: HandsTake, place: Place, folder: Path, block: int, load: int) -> Live:
    """Play the take once in jalv."""
    with Jack(folder, place.environment, take.sample_rate, block) as jack:
        jack.load(LV2_URI, take.state)
        if not wait_until(lambda: bool(place.workers()), 60.0):
            raise SystemExit("no engine came up")
        time.sleep(3.0)
        with busy(load):
            workers = place.workers()
            before, began = cpu_seconds(workers), time.monotonic()
            deck = jack.play(take.audio)
            while deck.running:
                time.sleep(1.0)
                if time.monotonic() - began > take.seconds - 2.0:
                    break
            share = (cpu_seconds(workers) - before) / (time.monotonic() - began)
            recorded = deck.result()
    pipeline = max(1024, block + HOP)
    latency = pipeline + take.latency
    late = late_hops(recorded.audio, delayed(take.audio, latency), delayed(take.wet, latency))
    minutes = take.seconds / 60
    return Live(load_name(load), minutes, late, late / minutes, share, recorded.xruns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--block", type=int, default=256)
    parser.add_argument("--rate", type=int, default=48000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        place = Place(root / "user")
        try:
            place.install()
            take = hands_take(60 * arguments.minutes, arguments.rate)
            runs = [play(take, place, root / f"jack{load}", arguments.block, load) for load in (0, cores)]
            trips = [round_trips(take, place, load) for load in (0, cores)]
            table = added_latencies(place, arguments.rate, root / "latency")
        finally:
            left = place.close()
    if left:
        print(f"left behind: {left}", file=sys.stderr)
    print(f"\nReal-time pace, {arguments.rate} Hz, block {arguments.block}, {arguments.minutes:g} minutes each")
    for run in runs:
        print(
            f"  {run.load:20} {run.late_hops:5} late hops ({run.late_per_minute:.2f} a minute), "
            f"Hands takes {100 * run.cpu_share:.1f} % of a core, JACK ran over {run.xruns} times"
        )
    print("\nRound trip of a hop (512 frames, Hands)")
    for trip in trips:
        print(f"  {trip.load:20} p50 {trip.p50_ms:.2f} ms, p99 {trip.p99_ms:.2f} ms, worst {trip.worst_ms:.2f} ms")
    print("\nLatency of the pipeline by block size, in frames")
    for row in table:
        print(f"  {row.setting:12} " + "  ".join(f"{block}: {frames}" for block, frames in row.frames.items()))
    own = {window: hands_latency(arguments.rate, window) for window in WINDOWS}
    shown = ", ".join(f"{window} {frames} ({1e3 * frames / arguments.rate:.0f} ms)" for window, frames in own.items())
    print(f"Hands itself adds, by its window: {shown}")
    if arguments.json:
        results = {"live": [asdict(run) for run in runs], "trips": [asdict(trip) for trip in trips]}
        arguments.json.write_text(json.dumps(results | {"latency": [asdict(row) for row in table]}, indent=1))


if __name__ == "__main__":
    main()
