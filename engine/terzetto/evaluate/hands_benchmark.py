"""A method's quality on takes whose hands are known, under the conditions a user meets.

Conditions of the score: (a) the exact performance with velocity and pedal, an upper bound; (b) exact onsets and
offsets, no velocity, no pedal: the headline; (c) as (b), onsets and offsets moved by N(0, 30 ms); (d) a sheet: as (b),
played in another tempo, drawn anew every 5 s of the take from 0.7 to 1.3 of its own (evenly in the logarithm), with
onsets and offsets rounded to a grid of 62.5 ms of the sheet (a 32nd at 120 quarters a minute), and then aligned with
the take by `terzetto.score.alignment.align`; (e) none: notes and hands are told by
`terzetto.score.hearing.hear`. All methods get the same aligned or heard score.

Conventions: SI-SDR of the mono signal in dB; the mean over takes with a 95 % bootstrap interval over takes; gains over
the thesis's method are paired by take.
"""

from __future__ import annotations

import platform
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import terzetto
from terzetto.audio.files import ArrayTake, read_audio
from terzetto.errors import InputError
from terzetto.evaluate.hands import NAMES, find_takes
from terzetto.evaluate.intervals import interval
from terzetto.evaluate.separation import si_sdr
from terzetto.hands.separate import separate_hands
from terzetto.hands.thesis import SAMPLE_RATE, separate_as_in_thesis
from terzetto.score.alignment import align
from terzetto.score.hearing import hear
from terzetto.score.notes import Score
from terzetto.score.read import read_score

Float = NDArray[np.float32]
CONDITIONS = {
    "a": "exact performance: velocity and pedal known",
    "b": "exact onsets and offsets, no velocity, no pedal",
    "c": "as b, onsets and offsets jittered by N(0, 30 ms)",
    "d": "a quantised sheet whose tempo differs by up to 30 %, aligned with the take",
    "e": "nothing: notes and hands are heard from the take",
}
JITTER = 0.03
GRID = 0.0625  # seconds of a sheet
_TEMPI = (0.7, 1.3)
_TEMPO_HOLDS = 5.0  # seconds
_SHORTEST = 0.03


def validate(data: Path, conditions: str) -> dict[str, tuple[dict[str, Path], Path]]:
    """Return the takes of a folder with their scores; raise `InputError` for unknown conditions or missing scores."""
    unknown = set(conditions) - set(CONDITIONS)
    if unknown or not conditions:
        raise InputError(f"conditions {conditions!r} are not known; valid: some of {''.join(CONDITIONS)}")
    takes = {}
    for name, pair in find_takes(data).items():
        score = data / f"{name}.mid"
        if not score.is_file():
            raise InputError(f"{score}: no such score; every take of {data} needs one")
        takes[name] = (pair, score)
    return takes


def read_hands(pair: dict[str, Path]) -> tuple[Float, Float, float]:
    """Return a take (channels, frames), its true hands in mono (2, frames), and the sample rate.

    Raises
    ------
    InputError
        The hands have different sample rates, or one is silent.
    """
    (left, rate), (right, other_rate) = (read_audio(pair[hand]) for hand in NAMES)
    if rate != other_rate:
        raise InputError(f"{pair[NAMES[1]]}: has {other_rate:g} Hz, but the left hand {rate:g} Hz; resample one")
    length = min(left.shape[1], right.shape[1])
    truth = np.stack([left[:, :length].mean(axis=0), right[:, :length].mean(axis=0)])
    for hand, signal in zip(NAMES, truth, strict=True):
        if not signal.any():
            raise InputError(f"{pair[hand]}: is silent: no ratio to it can be measured")
    return left[:, :length] + right[:, :length], truth, rate


def in_condition(score: Score, condition: str, seed: int) -> Score:
    """Return what a user in this condition would know of the score; in (d), before it is aligned."""
    if condition == "a":
        return score
    score = replace(score, velocity=np.full(len(score), 0.5), pedal=np.zeros((0, 2)))
    if condition == "b":
        return score
    random = np.random.default_rng(seed)
    if condition == "d":
        return _sheet(score, random)
    onset = np.maximum(score.onset + random.normal(0, JITTER, len(score)), 0.0)
    offset = np.maximum(score.offset + random.normal(0, JITTER, len(score)), onset + _SHORTEST)
    return replace(score, onset=onset, offset=offset)


def _sheet(score: Score, random: np.random.Generator) -> Score:
    edges = np.arange(0.0, score.end + 2 * _TEMPO_HOLDS, _TEMPO_HOLDS)
    tempi = np.exp(random.uniform(np.log(_TEMPI[0]), np.log(_TEMPI[1]), len(edges) - 1))
    written = np.concatenate([[0.0], np.cumsum(tempi * _TEMPO_HOLDS)])

    def round_to_grid(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.round(np.interp(seconds, edges, written) / GRID) * GRID)

    onset = round_to_grid(score.onset)
    return replace(score, onset=onset, offset=np.maximum(round_to_grid(score.offset), onset + GRID))


def evaluate(
    data: Path,
    *,
    conditions: str = "abc",
    methods: tuple[str, ...] = ("nmf", "nae", "thesis"),
    mask: str = "coherent",
    doubt: str = "share",
    oracles: bool = False,
    seed: int = 0,
) -> OrderedDict[str, Any]:
    """Measure methods on every take of a folder in every condition.

    Returns
    -------
    OrderedDict
        ``takes``; ``results``: condition → method → hand → ``mean``, ``low``, ``high``, ``per_take`` (and ``gain``
        over the thesis's method, with its interval); ``oracles`` if asked for; ``seed``, ``version``, ``machine``.
    """
    takes = validate(data, conditions)
    scores: dict[str, dict[str, list[tuple[float, float]]]] = {c: {m: [] for m in methods} for c in conditions}
    best: dict[str, list[tuple[float, float]]] = {}
    for index, (pair, path) in enumerate(takes.values()):
        mix, truth, rate = read_hands(pair)
        score = read_score(path)
        for condition in conditions:
            known = in_condition(score, condition, seed + index)
            if condition == "d":
                known = align(ArrayTake(mix, rate), known).score
            elif condition == "e":
                known = hear(ArrayTake(mix, rate))
            for method in methods:
                if method == "thesis":
                    values = _measure_thesis(mix, truth, rate, known)
                else:
                    stems = separate_hands(mix, rate, known, method=method, mask=mask, doubt=doubt)
                    values = measure(truth, [stems[hand].mean(axis=0) for hand in NAMES])
                scores[condition][method].append(values)
        if oracles:
            for name, values in _oracles(truth).items():
                best.setdefault(name, []).append(values)
    results: OrderedDict[str, Any] = OrderedDict(takes=list(takes), results=OrderedDict())
    for condition, by_method in scores.items():
        thesis = by_method.get("thesis")
        results["results"][condition] = {
            method: summarise(np.array(values), np.array(thesis) if thesis and method != "thesis" else None)
            for method, values in by_method.items()
        }
    if oracles:
        results["oracles"] = {name: summarise(np.array(values), None) for name, values in best.items()}
    results.update(mask=mask, doubt=doubt, seed=seed, version=terzetto.__version__, machine=platform.platform())
    return results


def table(results: OrderedDict[str, Any]) -> str:
    """Return the results as text."""
    lines = [f"SI-SDR in dB, mean over {len(results['takes'])} takes [95 % interval]; +: over the thesis's NMF"]
    for condition, by_method in results["results"].items():
        lines.append(f"\n({condition}) {CONDITIONS[condition]}")
        lines += [_row(method, summary) for method, summary in by_method.items()]
    if "oracles" in results:
        lines.append("\noracle masks from the true hands")
        lines += [_row(name, summary) for name, summary in results["oracles"].items()]
    return "\n".join(lines)


def _row(name: str, summary: dict[str, dict[str, Any]]) -> str:
    cells = []
    for hand in NAMES:
        s = summary[hand]
        gain = f" {s['gain']['mean']:+5.2f}" if "gain" in s else " " * 6
        cells.append(f"{hand[:5].rstrip('_')} {s['mean']:6.2f} [{s['low']:5.2f}, {s['high']:5.2f}]{gain}")
    return f"  {name:16} " + "   ".join(cells)


def summarise(values: NDArray[np.float64], baseline: NDArray[np.float64] | None) -> dict[str, dict[str, Any]]:
    """Return each hand's mean, interval and values of (takes, hands), and the gain over a baseline, paired by take."""
    summary: dict[str, dict[str, Any]] = {}
    for i, hand in enumerate(NAMES):
        summary[hand] = {**interval(values[:, i]), "per_take": values[:, i].round(3).tolist()}
        if baseline is not None:
            summary[hand]["gain"] = interval(values[:, i] - baseline[:, i])
    return summary


def measure(truth: Float, estimates: list[Float]) -> tuple[float, float]:
    """Return both hands' SI-SDR in dB."""
    return si_sdr(truth[0], estimates[0]), si_sdr(truth[1], estimates[1])


def _measure_thesis(mix: Float, truth: Float, rate: float, score: Score) -> tuple[float, float]:
    import librosa

    def resample(signal: Float) -> Float:
        return np.asarray(librosa.resample(signal, orig_sr=rate, target_sr=SAMPLE_RATE), np.float32)

    stems = separate_as_in_thesis(resample(mix.mean(axis=0)), score)
    return measure(resample(truth), [stems[hand] for hand in NAMES])


def _oracles(truth: Float) -> dict[str, tuple[float, float]]:
    """Masks made from the true hands: what no mask of this kind can beat (window 4096 at 22.05 kHz and alike)."""
    import librosa

    n_fft, hop = 8192, 2048
    left, right = (librosa.stft(hand, n_fft=n_fft, hop_length=hop) for hand in truth)
    mix = left + right
    energy = np.maximum(np.abs(mix) ** 2, 1e-12)
    a, b = np.abs(left), np.abs(right)
    tiny = 1e-12
    choices: dict[str, Callable[[], tuple[Any, Any]]] = {
        "ratio": lambda: (a / (a + b + tiny), b / (a + b + tiny)),
        "wiener": lambda: (a**2 / (a**2 + b**2 + tiny), b**2 / (a**2 + b**2 + tiny)),
        "phase-sensitive": lambda: (
            np.clip((left * mix.conj()).real / energy, 0, 1),
            np.clip((right * mix.conj()).real / energy, 0, 1),
        ),
    }
    return {
        name: measure(truth, [librosa.istft(mix * mask, hop_length=hop, length=truth.shape[1]) for mask in make()])
        for name, make in choices.items()
    }
