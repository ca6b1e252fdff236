"""How well a folder of separated hands matches a folder of true hands.

Conventions: a take is one recording with a left and a right hand. In a folder it is found as
``NAME/left_hand.EXT`` with ``NAME/right_hand.EXT``, as the two files themselves in the folder, or as
``NAME.lh.EXT`` with ``NAME.rh.EXT``. Stereo is mixed to mono before measuring. Measures:
`terzetto.evaluate.separation`.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from terzetto.audio.files import read_audio
from terzetto.errors import InputError
from terzetto.evaluate import separation

NAMES = ("left_hand", "right_hand")
_SHORT = {"lh": "left_hand", "rh": "right_hand"}
_EXTENSIONS = (".wav", ".flac", ".aif", ".aiff", ".mp3", ".ogg")
# Encoders and resamplers may add or drop a little at the end; more is another recording.
_LENGTH_TOLERANCE = 0.1

Pair = dict[str, Path]


def find_takes(folder: Path) -> dict[str, Pair]:
    """Return take name → hand → file for every take in a folder (see the module's conventions).

    Raises
    ------
    InputError
        The folder is missing or holds no pair of hands.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    takes: dict[str, Pair] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in _EXTENSIONS:
            continue
        stem, _, short = path.stem.rpartition(".")
        if path.stem in NAMES:
            name = path.parent.relative_to(folder).as_posix()
            takes.setdefault("" if name == "." else name, {})[path.stem] = path
        elif short in _SHORT:
            takes.setdefault(path.parent.joinpath(stem).relative_to(folder).as_posix(), {})[_SHORT[short]] = path
    pairs = {name: pair for name, pair in takes.items() if len(pair) == 2}
    if not pairs:
        raise InputError(
            f"{folder}: holds no pair of hands; expected left_hand.wav with right_hand.wav, in this folder or in one "
            "per take, or NAME.lh.flac with NAME.rh.flac"
        )
    return pairs


def validate(references: dict[str, Pair], estimates: dict[str, Pair]) -> dict[str, tuple[Pair, Pair]]:
    """Pair the takes of two folders by name; a single take on both sides is paired whatever it is called."""
    if len(references) == len(estimates) == 1:
        (name, reference), (other, estimate) = *references.items(), *estimates.items()
        return {name or other or "take": (reference, estimate)}
    missing = sorted(set(references) - set(estimates))
    if missing:
        raise InputError(
            f"no estimate for {', '.join(missing)}; the estimates are: {', '.join(sorted(estimates)) or 'none'}"
        )
    return {name: (references[name], estimates[name]) for name in sorted(references)}


def evaluate(
    references: Path, estimates: Path, *, with_bss_eval: bool = True
) -> OrderedDict[str, OrderedDict[str, OrderedDict[str, float]]]:
    """Measure every take of a folder of estimates.

    Returns
    -------
    OrderedDict
        take → hand → measure → dB, with the takes' mean under ``"mean"`` when there are several.
    """
    results: OrderedDict[str, OrderedDict[str, OrderedDict[str, float]]] = OrderedDict()
    for name, (reference, estimate) in validate(find_takes(references), find_takes(estimates)).items():
        results[name] = _evaluate_take(name, reference, estimate, with_bss_eval)
    if len(results) > 1:
        results["mean"] = OrderedDict(
            (
                hand,
                OrderedDict(
                    (measure, sum(take[hand][measure] for take in results.values()) / len(results))
                    for measure in next(iter(results.values()))[hand]
                ),
            )
            for hand in NAMES
        )
    return results


def table(results: OrderedDict[str, OrderedDict[str, OrderedDict[str, float]]]) -> str:
    """Return the results as a plain text table, dB with two decimals."""
    measures: list[str] = []
    for take in results.values():
        measures = list(next(iter(take.values())))
    titles = {"si_sdr": "SI-SDR", "si_sdr_improvement": "SI-SDRi", "sdr": "SDR", "sir": "SIR", "sar": "SAR"}
    width = max(4, *(len(name) for name in results))
    lines = [f"{'take':{width}}  {'hand':10}  " + "  ".join(f"{titles[m]:>7}" for m in measures)]
    for name, take in results.items():
        for hand, scores in take.items():
            lines.append(f"{name:{width}}  {hand:10}  " + "  ".join(f"{scores[m]:7.2f}" for m in measures))
    return "\n".join(lines)


def _evaluate_take(name: str, reference: Pair, estimate: Pair, with_bss_eval: bool) -> Any:
    signals, rates = [], set()
    for path in (*(reference[hand] for hand in NAMES), *(estimate[hand] for hand in NAMES)):
        audio, rate = read_audio(path)
        signals.append(audio.mean(axis=0))
        rates.add(rate)
    if len(rates) > 1:
        raise InputError(f"{name}: the files have different sample rates {sorted(rates)}; resample one side first")
    lengths = [len(signal) for signal in signals]
    rate = rates.pop()
    if max(lengths) - min(lengths) > _LENGTH_TOLERANCE * rate:
        raise InputError(f"{name}: the files differ in length: {[round(n / rate, 2) for n in lengths]} s")
    stack = np.stack([signal[: min(lengths)] for signal in signals])
    try:
        return separation.evaluate(stack[:2], stack[2:], rate, NAMES, with_bss_eval=with_bss_eval)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
