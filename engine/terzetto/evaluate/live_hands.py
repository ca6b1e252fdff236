"""Quality of Hands as it runs live, through the processor, on takes whose hands are known.

Learned on the take itself, for each window; learned on the take's first half and measured on its second, where nothing
was learned; and by the score alone. Beside them stand the offline methods on the same takes.

Conventions: the score tells exact onsets and offsets, neither velocity nor pedal (condition b of
`terzetto.evaluate.hands_benchmark`); SI-SDR of the mono signal in dB, mean over takes with a 95 % bootstrap interval.
"""

from __future__ import annotations

import platform
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import terzetto
from terzetto.audio.files import ArrayTake
from terzetto.audio.stream import render
from terzetto.control.messages import Message
from terzetto.errors import InputError
from terzetto.evaluate.hands import NAMES
from terzetto.evaluate.hands_benchmark import in_condition, measure, read_hands, summarise, validate
from terzetto.hands.learning import WINDOWS, Learned, learn, live_grid
from terzetto.hands.live import HandsProcessor
from terzetto.hands.separate import separate_hands
from terzetto.hands.storage import from_bytes, to_bytes
from terzetto.score.notes import Score
from terzetto.score.read import read_score

Float = NDArray[np.float32]
OFFLINE = ("nae", "nmf")


def hear(take: Float, sample_rate: float, score: Score, learned: Learned | None, window: str) -> list[Float]:
    """Return the left and the right hand, mono, as the processor plays them alone."""
    processor = HandsProcessor()
    processor.use(score, [learned] if learned else [])
    alone = []
    for hand in ("left", "right"):
        events = [Message("/terzetto/hands/window", (window,)), Message("/terzetto/hands/solo", (hand,))]
        blocks = list(render(processor, ArrayTake(take, sample_rate), events))
        alone.append(np.concatenate(blocks, axis=1).mean(axis=0))
    return alone


def evaluate(data: Path, *, windows: tuple[str, ...] = tuple(WINDOWS), seed: int = 0) -> OrderedDict[str, Any]:
    """Measure every take of a folder.

    Returns
    -------
    OrderedDict
        ``takes``; ``latency``: window → milliseconds (of the last take); ``results`` (the whole take) and
        ``second_half``: way → hand → ``mean``, ``low``, ``high``, ``per_take``; ``seed``, ``version``, ``machine``.
    """
    unknown = set(windows) - set(WINDOWS)
    if unknown or not windows:
        raise InputError(f"windows {','.join(windows)!r} are not known; valid: some of {','.join(WINDOWS)}")
    takes = validate(data, "b")
    whole: dict[str, list[tuple[float, float]]] = {}
    half: dict[str, list[tuple[float, float]]] = {}
    latency: OrderedDict[str, float] = OrderedDict()
    for index, (pair, path) in enumerate(takes.values()):
        mix, truth, rate = read_hands(pair)
        score = in_condition(read_score(path), "b", seed + index)
        middle = mix.shape[1] // 2

        def note(name: str, stems: list[Float], truth: Float = truth, middle: int = middle) -> None:
            whole.setdefault(name, []).append(measure(truth, stems))
            half.setdefault(name, []).append(measure(truth[:, middle:], [stem[middle:] for stem in stems]))

        for method in OFFLINE:
            parted = separate_hands(mix, rate, score, method=method)
            note(method, [parted[hand].mean(axis=0) for hand in NAMES])
        for window in windows:
            latency[window] = 1000 * live_grid(rate, window).n_fft / rate
            note(window, hear(mix, rate, score, _learned(mix, rate, score, window), window))
        first = windows[0]
        stems = hear(mix, rate, score, _learned(mix[:, :middle], rate, score, first), first)
        half.setdefault("unheard", []).append(measure(truth[:, middle:], [stem[middle:] for stem in stems]))
        note("score alone", hear(mix, rate, score, None, first))
    return OrderedDict(
        takes=list(takes),
        latency=latency,
        results=OrderedDict((name, summarise(np.array(values), None)) for name, values in whole.items()),
        second_half=OrderedDict((name, summarise(np.array(values), None)) for name, values in half.items()),
        seed=seed,
        version=terzetto.__version__,
        machine=platform.platform(),
    )


def table(results: OrderedDict[str, Any]) -> str:
    """Return the results as text."""
    titles = {
        "nae": "offline, NAE",
        "nmf": "offline, NMF",
        "unheard": "live, learned on the first half",
        "score alone": "live, by the score alone",
        **{window: f"live, {window} window, {ms:.0f} ms" for window, ms in results["latency"].items()},
    }
    lines = [f"SI-SDR in dB, mean over {len(results['takes'])} takes [95 % interval]"]
    for part, title in (("results", "the whole take"), ("second_half", "its second half")):
        lines.append(f"\n{title}")
        for name, summary in results[part].items():
            cells = [_cell(hand, summary[hand]) for hand in NAMES]
            lines.append(f"  {titles[name]:32} " + "   ".join(cells))
    return "\n".join(lines)


def _cell(hand: str, summary: dict[str, Any]) -> str:
    return f"{hand[:5].rstrip('_'):5} {summary['mean']:6.2f} [{summary['low']:5.2f}, {summary['high']:5.2f}]"


def _learned(take: Float, rate: float, score: Score, window: str) -> Learned:
    """Learn, and put it through the bytes that a project keeps."""
    return from_bytes(to_bytes(learn(ArrayTake(take, rate), score, window=window)))
