"""Hands live: how long Learn takes in its own process, and what a hop costs the thread that plays.

    python bench/hands_live.py [--minutes 4] [--json]

The take is the demo excerpt, repeated, stereo at 48 kHz, in hops of 512 frames (10.7 ms). The share of one core is the
playing thread's own processor time over the audio's.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

from separate import make_take
from terzetto.audio.files import read_audio
from terzetto.audio.stream import Transport
from terzetto.control.messages import Message
from terzetto.hands.learning import WINDOWS
from terzetto.hands.live import HandsProcessor
from terzetto.score.read import read_score

RATE, HOP, SECONDS = 48000, 512, 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        wav, midi = make_take(Path(name), arguments.minutes)
        score = read_score(midi)
        audio, rate = read_audio(wav)
        processor = HandsProcessor()
        processor.use(score)
        processor.prepare(RATE, 2, HOP)
        began = time.perf_counter()
        processor.process(np.zeros((2, HOP), np.float32), [Message("/terzetto/hands/learn_file", (str(wav),))])
        ready = 0.0
        while not processor.lessons.wait(0.01) or not ready:
            processor.process(np.zeros((2, HOP), np.float32))
            if not ready and processor.state_changed > 1:
                ready = time.perf_counter() - began
        every = time.perf_counter() - began
        processor.process(np.zeros((2, HOP), np.float32))
        state = processor.state()
    take = resample_poly(audio[:, : int(SECONDS * rate)], RATE // 300, int(rate) // 300, axis=1).astype(np.float32)
    rows = {}
    for window in WINDOWS:
        live = HandsProcessor()
        live.restore({**state, "values": {"window": window, "left_gain": -20.0}})
        live.prepare(RATE, 2, HOP)
        costs = []
        for at in range(0, take.shape[1] - HOP + 1, HOP):
            before = time.thread_time()
            live.process(take[:, at : at + HOP], [], Transport(at, 120.0, True))
            costs.append(1e6 * (time.thread_time() - before))
        rows[window] = {
            "latency_ms": round(1000 * live.latency / RATE, 1),
            "mean_us": round(float(np.mean(costs))),
            "p99_us": round(float(np.percentile(costs, 99))),
            "share": round(float(np.mean(costs)) * RATE / HOP / 1e6, 4),
            "bytes": len(base64.b64decode(state["learned"][window])),
        }
    if arguments.json:
        print(json.dumps({"minutes": arguments.minutes, "ready_s": ready, "all_windows_s": every, "windows": rows}))
        return
    print(f"Learn, {arguments.minutes:g} min stereo, {os.cpu_count()} cores: ready in {ready:.1f} s,", end=" ")
    print(f"all windows in {every:.1f} s")
    print(f"{'window':8}{'latency ms':>12}{'mean µs':>10}{'p99 µs':>9}{'of a core':>11}{'learned, kB':>13}")
    for window, row in rows.items():
        print(
            f"{window:8}{row['latency_ms']:12.1f}{row['mean_us']:10}{row['p99_us']:9}"
            f"{100 * row['share']:10.1f}%{row['bytes'] / 1000:13.0f}"
        )


if __name__ == "__main__":
    main()
