"""From a beat's file to what is made of it: the jobs of ``terzetto drums encode``, ``denoise`` and ``simplify``."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

import numpy as np

from terzetto.drums import dictionary as dictionaries
from terzetto.drums import patterns
from terzetto.drums.dictionary import Dictionary, open_dictionary
from terzetto.drums.dictionary_edits import denoise, simplify
from terzetto.drums.grid import Hvo, hvo_to_beat
from terzetto.drums.midi import write_beat
from terzetto.drums.patterns import PatternModel, open_pattern_model
from terzetto.drums.reading import Reading
from terzetto.jobs import MIDI, Item
from terzetto.models import identity
from terzetto.progress import Progress
from terzetto.whole_file import write_whole

_BYTES_A_BAR = 800  # of JSON, 32 numbers and more


@dataclass(frozen=True)
class EncodeJob:
    """Tells where a beat lies in the latent space, bar by bar, in a JSON file; see `terzetto.jobs.Job`.

    Attributes
    ----------
    model : str
        Name or path of a pattern model; empty: the shipped one.
    reading : Reading
    """

    model: str = ""
    reading: Reading = field(default_factory=Reading)
    reads = MIDI

    def check(self) -> None:
        """Raise `ModelError` if the model cannot be used: that is said once, not for every file."""
        _patterns(self.model)

    def encode(self, path: Path, title: str) -> dict[str, Any]:
        """Return the beat's points, ready for JSON."""
        model = _patterns(self.model)
        beat, bars = self.reading.read(path)
        z = model.encode(bars)
        positions = model.pad_positions(z)
        return {
            "take": title,
            "model": model.model.name,
            "tempo": beat.tempo,
            "bars": [
                {"hits": int(bar.hits.sum()), "pad": position.tolist(), "latent": point.tolist()}
                for bar, position, point in zip(bars, positions, z, strict=True)
            ],
            "seconds": round(beat.seconds, 3),
        }

    def identity(self) -> dict[str, Any]:
        """Return all that decides on the points beside the file."""
        return {"job": "drums encode", "model": _patterns(self.model).model.sha256, **self.reading.identity()}

    def targets(self, item: Item) -> list[str]:
        """Return what would be written."""
        return [str(PurePosixPath(item.folder) / f"{item.track}.json")]

    def work(self, item: Item, out: Path, progress: Progress) -> dict[str, Any]:
        """Encode a beat and write its points."""
        began = time.perf_counter()
        target = out / self.targets(item)[0]
        result = self.encode(item.path, item.title)
        content = json.dumps(result, indent=1).encode() + b"\n"
        write_whole(target, lambda file: file.write(content))
        progress("encoded", 1.0)
        return {**result, "points": str(target), "elapsed": round(time.perf_counter() - began, 3)}

    def written(self, result: dict[str, Any]) -> list[str]:
        """Return the paths of all files that a result tells of."""
        return [result["points"]]

    def speed(self, item: Item) -> float:
        """Return how many seconds of music are encoded in a second."""
        return _speed(lambda: self.encode(item.path, item.title)["seconds"])

    def bytes_for(self, item: Item) -> tuple[float, int]:
        """Return a beat's seconds and about how many bytes its points have."""
        beat, bars = self.reading.read(item.path)
        return beat.seconds, _BYTES_A_BAR * len(bars)


class Change(Protocol):
    """What is done to a beat's bars: a dataclass, so that it travels and tells its settings."""

    def __call__(self, dictionary: Dictionary, bars: list[Hvo]) -> list[Hvo]:
        """Return the bars after it."""


@dataclass(frozen=True)
class Denoise:
    """See `terzetto.drums.dictionary_edits.denoise`."""

    keep: float | None = None
    add: float | None = None
    recurring: float | None = None

    def __call__(self, dictionary: Dictionary, bars: list[Hvo]) -> list[Hvo]:
        """Return the bars after it."""
        return denoise(dictionary, bars, keep=self.keep, add=self.add, recurring=self.recurring)


@dataclass(frozen=True)
class Simplify:
    """See `terzetto.drums.dictionary_edits.simplify`."""

    atoms: int

    def __call__(self, dictionary: Dictionary, bars: list[Hvo]) -> list[Hvo]:
        """Return the bars after it."""
        return simplify(dictionary, bars, self.atoms)


@dataclass(frozen=True)
class EditJob:
    """Changes a beat by the dictionary: one beat in, one out, as long as it was; see `terzetto.jobs.Job`.

    Attributes
    ----------
    change : Change
    model : str
        Name or path of a dictionary; empty: the shipped one.
    reading : Reading
    """

    change: Change
    model: str = ""
    reading: Reading = field(default_factory=Reading)
    reads = MIDI

    def check(self) -> None:
        """Raise what the model or the settings are refused with: that is said once, not for every file."""
        silence = Hvo(np.zeros(Hvo.SHAPE, np.bool_), np.zeros(Hvo.SHAPE, np.float32))
        self.change(_dictionary(self.model), [silence])

    def edit(self, path: Path, title: str, target: Path) -> dict[str, Any]:
        """Read a beat, change its bars, write them at its tempo, and return what became of the hits.

        Raises
        ------
        InputError, OutputError
            Nothing is written then.
        """
        dictionary = _dictionary(self.model)
        beat, before = self.reading.read(path)
        after = self.change(dictionary, before)[: len(before)]
        write_beat(target, hvo_to_beat(after, tempo=beat.tempo, drum_map=beat.drum_map))
        was, now = (sum(int(bar.hits.sum()) for bar in bars) for bars in (before, after))
        stayed = sum(int((one.hits & other.hits).sum()) for one, other in zip(before, after, strict=True))
        return {
            "take": title,
            "midi": str(target),
            "model": dictionary.model.name,
            "bars": len(after),
            "hits_before": was,
            "hits": now,
            "hits_removed": was - stayed,
            "hits_added": now - stayed,
            "seconds": round(beat.seconds, 3),
        }

    def identity(self) -> dict[str, Any]:
        """Return all that decides on the beats that are written, beside those that are read."""
        what = {"job": type(self.change).__name__, **asdict(self.change)}  # type: ignore[call-overload]
        return {**what, "model": _dictionary(self.model).model.sha256, **self.reading.identity()}

    def targets(self, item: Item) -> list[str]:
        """Return what would be written."""
        return [item.key]

    def work(self, item: Item, out: Path, progress: Progress) -> dict[str, Any]:
        """Change a beat; see `edit`."""
        began = time.perf_counter()
        result = self.edit(item.path, item.title, out / item.key)
        progress("changed", 1.0)
        return {**result, "elapsed": round(time.perf_counter() - began, 3)}

    def written(self, result: dict[str, Any]) -> list[str]:
        """Return the paths of all files that a result tells of."""
        return [result["midi"]]

    def speed(self, item: Item) -> float:
        """Return how many seconds of music are changed in a second."""

        def trial() -> float:
            beat, bars = self.reading.read(item.path)
            self.change(_dictionary(self.model), bars)
            return beat.seconds

        return _speed(trial)

    def bytes_for(self, item: Item) -> tuple[float, int]:
        """Return a beat's seconds and about how many bytes it will have: as many as it has."""
        return self.reading.read(item.path)[0].seconds, item.size


def _speed(trial: Callable[[], float]) -> float:
    began = time.perf_counter()
    seconds = trial()
    return seconds / max(time.perf_counter() - began, 1e-6)


# A worker does thousands of files with one model; it is known by its content, since names may come to mean another.
def _patterns(name: str) -> PatternModel:
    return _opened_patterns(name, identity(name or patterns.MODEL))


def _dictionary(name: str) -> Dictionary:
    return _opened_dictionary(name, identity(name or dictionaries.MODEL))


@functools.lru_cache(maxsize=1)
def _opened_patterns(name: str, sha256: str | None) -> PatternModel:
    return open_pattern_model(name)


@functools.lru_cache(maxsize=1)
def _opened_dictionary(name: str, sha256: str | None) -> Dictionary:
    return open_dictionary(name)
