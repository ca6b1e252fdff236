"""Timbre live: what it costs, how soon a controller at the pad is heard, and whether a moving pad leaves a noise.

    python -m bench.timbre_live [--moves 60] [--target RECORDING] [--rate 48000] [--json FILE]

*Cost*: the processor alone, stereo, hops of 512 frames, one thread; how many times faster than real time.

*Controller*: Terzetto Timbre in a worker, at the pace of real time, turns a steady tone whose period fits the hop, so
that settled hops are alike. A controller moves the pad by UDP at any time, from one corner to the other; timed is the
way from there to the hop whose level has gone half of the way to where it settles, less the latency that the engine
reports (which hosts take off, as they do what the plugin adds). Without a model the amount is moved.

*Taking over*: how long a hop takes to come back while another model is opened and takes over twice a second; later than
10.7 ms it would hold up the next one.

*Zipper noise*: the pad is swept from corner to corner in 2.5 s by 100 messages a second; what lies between the partials
of the output then, over what lies there while the pad stands at the noisiest of nine places of the way.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from bench.deck import HOP, Deck, Delay, Float, running

from terzetto.control.messages import Message
from terzetto.timbre.live import TimbreProcessor
from terzetto.timbre.sources import MODEL

ASKED_MS, ASKED_SPEED = 40.0, 4.0
LEAST = 0.5
"""Seconds at least between two moves: by then a hop is like the one before."""
CORNERS = ((0.05, 0.05), (0.95, 0.95))


@dataclass(frozen=True)
class Cost:
    """How fast the processor is alone."""

    what: str
    latency: int
    times_real_time: float
    hop_p99_ms: float


def steady(rate: float, hops: int) -> Float:
    """A harmonic tone whose period fits the hop twice: 187.5 Hz at 48 kHz."""
    phase = 2 * np.pi * np.arange(hops * HOP) * 2 / HOP
    tone = sum(np.sin(k * phase + k * k) / k for k in range(1, 25))
    return (0.1 * np.stack([tone, tone])).astype(np.float32)


def state(method: str, window: str, target: str | None) -> dict[str, object]:
    """The state of an instance."""
    return {"target": target or "", "values": {"method": method, "window": window}}


def cost(method: str, window: str, target: str | None, rate: float) -> Cost:
    """Time the processor on a tone with some noise in it."""
    processor = TimbreProcessor()
    processor.restore(state(method, window, target))
    processor.prepare(rate, 2, HOP)
    sound = steady(rate, 400) + 0.01 * np.random.default_rng(0).standard_normal((2, 400 * HOP)).astype(np.float32)
    times = []
    for at in range(0, sound.shape[1], HOP):
        block = np.ascontiguousarray(sound[:, at : at + HOP])
        began = time.thread_time()
        processor.process(block)
        times.append(time.thread_time() - began)
    speed = HOP / rate / float(np.mean(times[20:]))
    return Cost(f"{method}, {window}", processor.latency, speed, 1e3 * float(np.percentile(times[20:], 99)))


def settled(deck: Deck, sound: Float, seconds: float) -> Float:
    """Play for a while; return the last hop."""
    for _ in range(round(seconds * deck.rate / HOP)):
        audio = deck.next(sound)
    return audio


def delays(deck: Deck, sound: Float, moves: int, seed: int, *, pad: bool) -> list[float]:
    """Move to and fro at odd times; return the milliseconds beyond the latency until half of it was heard."""
    random, found = np.random.default_rng(seed), []
    for move in range(moves):
        before = settled(deck, sound, LEAST + random.uniform(0.0, 0.1))
        time.sleep(random.uniform(0.0, HOP / deck.rate))
        sent = deck.send("pad", *CORNERS[move % 2]) if pad else deck.send("amount", float(move % 2))
        heard, arrived = [], []
        for _ in range(round(LEAST * deck.rate / HOP)):
            heard.append(deck.next(sound))
            arrived.append(time.perf_counter())
        away = [float(np.linalg.norm((hop - before)[:, 64:])) for hop in heard]
        half = next(number for number, each in enumerate(away) if each >= 0.5 * away[-1])
        if away[-1] < 1e-3 * float(np.linalg.norm(before)):
            raise SystemExit("nothing changed")
        found.append(1e3 * (arrived[half] - sent - deck.latency / deck.rate))
    return found


def trips(deck: Deck, sound: Float, seconds: float, *, changing: bool) -> list[float]:
    """Play; return the milliseconds that each hop took to come back."""
    found = []
    for number in range(round(seconds * deck.rate / HOP)):
        if changing and number % 47 == 0:
            deck.send("model", f"{MODEL}:{('violin', 'trumpet')[number // 47 % 2]}")
        deck.next(sound)
        found.append(1e3 * deck.trip)
    return found


def between_partials(played: Float) -> float:
    """Return the most energy, in dB, that lies half-way between the partials of `steady` in any 170 ms."""
    size = 8192
    apart = 2 * size // HOP  # bins from one partial to the next
    between = np.abs(np.arange(size // 2 + 1) % apart - apart / 2) <= apart / 4
    pieces = np.lib.stride_tricks.sliding_window_view(played, size)[2 * size :: size // 4]
    spectra = np.fft.rfft(pieces * np.blackman(size), axis=1)
    return 10 * float(np.log10(np.sum(np.abs(spectra[:, between]) ** 2, axis=1).max()))


def swept(rate: float, seconds: float, begin: float, end: float) -> Float:
    """Return what is played while the pad goes from a share of the way to another, 100 messages a second."""
    processor = TimbreProcessor()
    processor.restore(state("xsynth", "long", None))
    processor.prepare(rate, 2, HOP)
    sound, out, every = steady(rate, round(seconds * rate / HOP)), [], round(rate / 100)
    events = []
    for frame in range(0, sound.shape[1], every):
        share = begin + (end - begin) * frame / sound.shape[1]
        place = [a + share * (b - a) for a, b in zip(*CORNERS, strict=True)]
        events.append(Message("/terzetto/timbre/pad", tuple(place), frame))
    for at in range(0, sound.shape[1], HOP):
        here = [Message(e.address, e.arguments, e.frame - at) for e in events if at <= e.frame < at + HOP]
        out.append(processor.process(np.ascontiguousarray(sound[:, at : at + HOP]), here)[0])
    return np.concatenate(out)


def zipper(rate: float) -> float:
    """Return by how many dB more lies between the partials while the pad moves than at the worst place of its way."""
    standing = max(between_partials(swept(rate, 1.0, share, share)) for share in np.linspace(0.0, 1.0, 9))
    return between_partials(swept(rate, 2.5, 0.0, 1.0)) - standing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moves", type=int, default=60)
    parser.add_argument("--target", help="a recording for envelope and mosaic")
    parser.add_argument("--rate", type=int, default=48000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rate, target = arguments.rate, arguments.target
    methods = ["xsynth", *(["envelope", "mosaic"] if target else [])]
    costs = [cost(method, window, target, rate) for method in methods for window in ("long", "short")]
    print(f"\nTimbre, stereo, {rate} Hz, hops of {HOP} frames, one thread (asked: {ASKED_SPEED:g} times real time)")
    for row in costs:
        print(
            f"  {row.what:24} latency {row.latency:5} frames, {row.times_real_time:5.1f} times real time, "
            f"99 % of hops within {row.hop_p99_ms:.1f} ms"
        )
    rows, hops = list[Delay](), list[Delay]()
    for window in ("long", "short"):
        plugin = {"values": {"method": "xsynth", "window": window}}
        with running(rate, "timbre", plugin) as deck:
            sound = steady(rate, 1)
            settled(deck, sound, 2.0)
            rows.append(Delay.of(f"the pad, {window}", delays(deck, sound, arguments.moves, 1, pad=True)))
            rows.append(Delay.of(f"the amount, {window}", delays(deck, sound, arguments.moves, 2, pad=False)))
            deck.send("amount", 1.0)
            hops.append(Delay.of(f"{window}, nothing changes", trips(deck, sound, 10.0, changing=False)))
            hops.append(Delay.of(f"{window}, models take over", trips(deck, sound, 10.0, changing=True)))
    print(f"\nFrom a controller's message to half of its sound, beyond the latency (asked: p95 {ASKED_MS:g} ms)")
    for delay in rows:
        print(delay)
    print(f"\nA hop's round trip (a hop is {1e3 * HOP / rate:.1f} ms)")
    for delay in hops:
        print(delay)
    noise = zipper(rate)
    print(f"\nBetween the partials while the pad is swept, over the noisiest place of its way: {noise:+.1f} dB")
    if arguments.json:
        found = {
            "costs": [asdict(row) for row in costs],
            "delays": [asdict(row) for row in [*rows, *hops]],
            "zipper_db": noise,
        }
        arguments.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
