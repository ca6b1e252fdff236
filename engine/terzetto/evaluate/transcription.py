"""How well notes are heard: a transcription against the notes that were played.

Conventions (those of MIREX and of the piano transcription papers, by `mir_eval.transcription`): a note is found if its
pitch is right and its onset is within 50 ms; with offsets, its end also within 50 ms or 20 % of its length; with
velocity, its loudness too within 0.1 after a common scale. True notes end where they stop sounding: key, pedal, or the
same key struck again. Frames are 10 ms. F1 is per take; means over takes have a 95 % bootstrap interval over takes.

Raffel et al., mir_eval: a transparent implementation of common MIR metrics, ISMIR 2014; Hawthorne et al., Onsets and
frames, ISMIR 2018.
"""

from __future__ import annotations

import platform
import time
import warnings
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import terzetto
from terzetto.audio.files import ArrayTake, Take, read_audio
from terzetto.errors import InputError, TerzettoError, TerzettoWarning
from terzetto.evaluate.intervals import interval
from terzetto.score.notes import Score
from terzetto.score.read import read_score

MEASURES = ("onset", "offset", "velocity", "frame")
_AUDIO = (".wav", ".flac", ".mp3", ".ogg", ".aif", ".aiff")
_SCORES = (".mid", ".midi", ".csv")
_HANDS = (".lh", ".rh")
_FRAME = 0.01
_SAME = 0.3


@dataclass(frozen=True)
class Source:
    """A take, as one file or the sum of two hands', and the file of its notes."""

    audio: tuple[Path, ...]
    score: Path

    def take(self) -> Take:
        """Return the take, in memory."""
        parts = [read_audio(path) for path in self.audio]
        length = min(audio.shape[1] for audio, _ in parts)
        if len({rate for _, rate in parts}) > 1:
            raise InputError(f"{self.audio[0]}: the hands have different sample rates; resample one")
        return ArrayTake(sum(audio[:, :length] for audio, _ in parts), parts[0][1])


def validate(data: Path) -> dict[str, Source]:
    """Return the takes of a folder with their notes: NAME.wav (.flac, .mp3 …) or NAME.lh.flac with NAME.rh.flac, and
    NAME.mid or NAME.csv.

    Raises
    ------
    InputError
        No folder, or no take in it with its notes.
    """  # noqa: D205
    if not data.is_dir():
        raise InputError(f"{data}: is not a folder; give one with takes (NAME.wav …) and their notes (NAME.mid, .csv)")
    takes: dict[str, Source] = {}
    for path in sorted(data.iterdir()):
        if path.suffix.lower() not in _AUDIO:
            continue
        hand = Path(path.stem).suffix
        name = Path(path.stem).stem if hand in _HANDS else path.stem
        score = next((found for end in _SCORES if (found := data / f"{name}{end}").is_file()), None)
        if score is None:
            continue
        if hand in _HANDS:
            other = path.with_name(f"{name}{_HANDS[1]}{path.suffix}")
            if hand == _HANDS[0] and other.is_file():
                takes.setdefault(name, Source((path, other), score))
        else:
            takes[name] = Source((path,), score)
    if not takes:
        raise InputError(f"{data}: has no take with its notes (NAME.wav, .flac, .mp3 … with NAME.mid or NAME.csv)")
    return takes


def sounding_ends(score: Score) -> NDArray[np.float64]:
    """Return when each note stops sounding, in seconds: its damper falls, or its key is struck again."""
    end = score.sounding_offset()
    for pitch in np.unique(score.pitch):
        index = np.flatnonzero(score.pitch == pitch)
        following = np.maximum(score.onset[index[1:]], score.onset[index[:-1]] + 1e-3)
        end[index[:-1]] = np.minimum(end[index[:-1]], following)
    return end


def measures(reference: Score, estimate: Score) -> OrderedDict[str, dict[str, float]]:
    """Return precision, recall and F1 (0..1) of `MEASURES`.

    Parameters
    ----------
    reference
        The notes that were played, with pedal.
    estimate
        What was heard; notes end where they stop sounding.
    """
    from mir_eval import transcription, transcription_velocity

    results: OrderedDict[str, dict[str, float]] = OrderedDict()
    if not len(estimate) or not len(reference):
        same = float(len(estimate) == len(reference))
        return OrderedDict((name, {"precision": same, "recall": same, "f1": same}) for name in MEASURES)
    true = np.stack([reference.onset, sounding_ends(reference)], axis=1), _hertz(reference)
    found = np.stack([estimate.onset, estimate.offset], axis=1), _hertz(estimate)
    results["onset"] = _named(transcription.precision_recall_f1_overlap(*true, *found, offset_ratio=None))
    results["offset"] = _named(transcription.precision_recall_f1_overlap(*true, *found))
    loud = reference.velocity * 127, estimate.velocity * 127
    results["velocity"] = _named(
        transcription_velocity.precision_recall_f1_overlap(*true, loud[0], *found, loud[1], offset_ratio=None)
    )
    results["frame"] = _frames(true[0], reference.pitch, found[0], estimate.pitch)
    return results


def evaluate(data: Path, transcribe: Callable[[Take], Score], *, shift: bool = False) -> OrderedDict[str, Any]:
    """Transcribe every take of a folder and measure.

    Parameters
    ----------
    shift
        Move each transcription by its `lateness` first, where a take and its notes begin at different moments (an MP3
        begins some 50 ms late).

    Returns
    -------
    OrderedDict
        ``takes``: name → measure → precision, recall, f1, and ``lateness`` (s, before it was moved), ``notes``,
        ``seconds_per_minute`` (time taken per minute of audio), or ``error``; ``mean``: measure → mean, low, high of
        F1; ``version``, ``machine``.
    """
    takes: OrderedDict[str, Any] = OrderedDict()
    for name, source in validate(data).items():
        take, reference = source.take(), read_score(source.score, need_hands=False)
        began = time.perf_counter()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", TerzettoWarning)
                estimate = transcribe(take)
        except TerzettoError as error:
            takes[name] = {"error": str(error)}
            continue
        minutes = take.frames / take.sample_rate / 60
        spent = (time.perf_counter() - began) / minutes
        reference = reference.select(reference.onset < take.frames / take.sample_rate)
        late = lateness(reference, estimate)
        if shift:
            estimate = replace(estimate, onset=estimate.onset - late, offset=estimate.offset - late)
        takes[name] = {**measures(reference, estimate), "lateness": late, "notes": len(reference)}
        takes[name]["seconds_per_minute"] = spent
    results: OrderedDict[str, Any] = OrderedDict(takes=takes, mean=OrderedDict())
    measured = [take for take in takes.values() if "error" not in take]
    for measure in MEASURES:
        if measured:
            results["mean"][measure] = interval(np.array([take[measure]["f1"] for take in measured]))
    results.update(version=terzetto.__version__, machine=platform.platform())
    return results


def lateness(reference: Score, estimate: Score) -> float:
    """Return by how many seconds onsets are heard late: the median over notes that were heard within 0.3 s."""
    late = []
    for pitch in np.unique(reference.pitch):
        heard = estimate.onset[estimate.pitch == pitch]
        if len(heard):
            off = heard[None] - reference.onset[reference.pitch == pitch][:, None]
            late.append(off[np.arange(len(off)), np.abs(off).argmin(axis=1)])
    found = np.concatenate(late) if late else np.zeros(0)
    found = found[np.abs(found) < _SAME]
    return float(np.median(found)) if len(found) else 0.0


def by_model(name: str) -> Callable[[Take], Score]:
    """Return what transcribes by a model, opened once."""
    from terzetto.models import find_model
    from terzetto.score.transcription import TASK, transcribe_with

    model = find_model(TASK, name)
    return lambda take: transcribe_with(model, take)


def table(results: OrderedDict[str, Any]) -> str:
    """Return the results as text."""
    width = max(map(len, results["takes"]), default=4) + 2
    head = f"{'F1':{width}}" + "".join(f"{name:>10}" for name in MEASURES) + "  late ms   s/min"
    lines = [head]
    for name, take in results["takes"].items():
        if "error" in take:
            lines.append(f"{name:{width}}  {take['error']}")
            continue
        cells = "".join(f"{take[measure]['f1']:10.3f}" for measure in MEASURES)
        lines.append(f"{name:{width}}{cells}{1000 * take['lateness']:9.0f}{take['seconds_per_minute']:8.2f}")
    if results["mean"]:
        cells = "".join(f"{results['mean'][measure]['mean']:10.3f}" for measure in MEASURES)
        lines.append(f"{'mean':{width}}{cells}")
        for bound in ("low", "high"):
            cells = "".join(f"{results['mean'][measure][bound]:10.3f}" for measure in MEASURES)
            lines.append(f"{'95 % ' + bound:{width}}{cells}")
    return "\n".join(lines)


def _hertz(score: Score) -> NDArray[np.float64]:
    return np.asarray(440.0 * 2.0 ** ((score.pitch - 69) / 12))


def _named(values: tuple[float, ...]) -> dict[str, float]:
    return {"precision": float(values[0]), "recall": float(values[1]), "f1": float(values[2])}


def _frames(
    true: NDArray[np.float64], true_pitch: NDArray[np.int64], found: NDArray[np.float64], found_pitch: NDArray[np.int64]
) -> dict[str, float]:
    length = int(max(true.max(), found.max()) / _FRAME) + 2
    rolls = []
    for times, pitches in ((true, true_pitch), (found, found_pitch)):
        roll = np.zeros((length, 128), bool)
        for (start, stop), pitch in zip(times, pitches, strict=True):
            roll[round(start / _FRAME) : max(round(stop / _FRAME), round(start / _FRAME) + 1), pitch] = True
        rolls.append(roll)
    both = float((rolls[0] & rolls[1]).sum())
    precision, recall = both / max(rolls[1].sum(), 1), both / max(rolls[0].sum(), 1)
    return {"precision": precision, "recall": recall, "f1": 2 * both / max(rolls[0].sum() + rolls[1].sum(), 1)}
