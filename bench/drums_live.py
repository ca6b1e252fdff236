"""From a controller's message to the sound it asked for: Terzetto Drums in a worker, at the pace of real time.

    python -m bench.drums_live [--moves 60] [--rate 48000] [--json FILE]

A plugin's hops are posted when they are due, each with a snare struck at its first frame. A controller sends, by UDP
and at any time, where on its pad of sounds the snare is to be; timed is the way from there to the first hop whose snare
sounds so, as it comes back. Then the same for the level, which needs no sound to be made. What the plugin adds
(1,024 frames, which hosts take off) is not counted. Last, how long a hop takes to come back while the snare is moved
with every hop, so that sounds are made without pause: later than 10.7 ms it would hold up the next one.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
from bench.deck import HOP, Deck, Delay, Float, running

from terzetto.control.messages import Message

LEAST = 0.7
"""Seconds at least between two moves: then all that rings was struck since."""
ASKED = 40.0  # ms, the 95th percentile


def struck(deck: Deck) -> Float:
    """Play a hop with a snare at its first frame; return what came back."""
    return deck.next(np.zeros((2, HOP), np.float32), Message("/terzetto/drums/note", (38, 127, 1)))


def settled(deck: Deck, seconds: float) -> Float:
    """Play for a while; return the last hop, when nothing changes any more."""
    for _ in range(round(seconds * deck.rate / HOP)):
        audio = struck(deck)
    return audio


def delays(deck: Deck, moves: int, name: str, values: tuple[float, float], seed: int) -> list[float]:
    """Move something to and fro at odd times; return the milliseconds until it was heard.

    Hops are alike when nothing changes: a snare at each first frame, the same ringing below. The first one that is not
    as the one before holds the new sound.
    """
    random, found = np.random.default_rng(seed), []
    for move in range(moves):
        before = settled(deck, LEAST + random.uniform(0.0, 0.1))
        time.sleep(random.uniform(0.0, HOP / 48000))
        sent = deck.send(name, values[move % 2])
        while np.abs((audio := struck(deck)) - before)[:, 64:].max() < 1e-4:
            before = audio
            if time.perf_counter() - sent > 5.0:
                raise SystemExit(f"{name}: nothing changed")
        found.append(1e3 * (time.perf_counter() - sent))
    return found


def trips(deck: Deck, seconds: float, *, moving: bool) -> list[float]:
    """Play; return the milliseconds that each hop took to come back."""
    found = []
    for number in range(round(seconds * deck.rate / HOP)):
        if moving:
            deck.send("snare_x", 0.5 + 0.4 * float(np.sin(number / 7)))
        struck(deck)
        found.append(1e3 * deck.trip)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moves", type=int, default=60)
    parser.add_argument("--rate", type=int, default=48000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with running(arguments.rate, "drums") as deck:
        deck.send("snare_source", "pad")
        settled(deck, 2.0)
        rows = [
            Delay.of("a sound: the snare on its pad", delays(deck, arguments.moves, "snare_x", (0.2, 0.8), 1)),
            Delay.of("a value: the level", delays(deck, arguments.moves, "level", (-6.0, 0.0), 2)),
            Delay.of("a hop's round trip, nothing moves", trips(deck, 10.0, moving=False)),
            Delay.of("a hop's round trip, the snare in motion", trips(deck, 10.0, moving=True)),
        ]
    print(
        f"\nFrom a controller's message to its sound, {arguments.rate} Hz, hops of {HOP} frames (asked: {ASKED:g} ms)"
    )
    for row in rows:
        print(row)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))


if __name__ == "__main__":
    main()
