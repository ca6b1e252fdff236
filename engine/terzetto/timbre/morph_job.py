"""From a recording to the same music in another timbre: what ``terzetto morph`` does to each file.

The words are Caetano's, as Cella's slides on style transfer have them: a *hybrid* inherits features from both sounds
(its notes from one, its timbre from the other); a *morph* lies between them, its features are interpolated.
"""

from __future__ import annotations

import functools
import json
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from terzetto.audio.files import FileTake, Take
from terzetto.audio.loudness import Meter
from terzetto.audio.metadata import read_metadata
from terzetto.audio.patterns import check_pattern
from terzetto.audio.stems import CLIP_MODES, FORMATS, SampleFormat, StemFiles
from terzetto.errors import InputError, OutputError, TerzettoWarning
from terzetto.jobs import Item, content_hash
from terzetto.models import identity, noting_models
from terzetto.progress import Progress
from terzetto.timbre.between import open_between
from terzetto.timbre.conversion import Controls, Conversion
from terzetto.timbre.naming import is_recording, split_instrument
from terzetto.timbre.repeated import Repeated, Watched
from terzetto.timbre.stream import render

_SILENT = 1e-5  # of full scale
_TRIAL = 20.0  # seconds of a take by which the speed is told beforehand
_FIELDS = {"track", "ext"}


@dataclass(frozen=True)
class Morph:
    """How a sound is given another timbre.

    Attributes
    ----------
    method : str
        See `terzetto.timbre.methods`.
    to : (str,) or (str, str)
        What the timbre comes from; with two, ``controls.balance`` says what lies between.
    controls : Controls
        For the whole recording.
    low_latency : bool
        The window that the plugin uses for half the latency.
    options : dict
        The method's own.
    longest : bool
        Whether the result is as long as the longer of the two sounds, the other repeated (as the slides have it);
        else it is as long as the source.

    Raises
    ------
    InputError
        Options that do not go together.
    """

    method: str
    to: tuple[str, ...]
    controls: Controls = field(default_factory=Controls)
    low_latency: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    longest: bool = False

    def __post_init__(self) -> None:
        if not 1 <= len(self.to) <= 2:
            raise InputError(f"--to is given once, or twice with --balance between; given {len(self.to)} times")
        if len(self.to) == 1 and self.controls.balance:
            raise InputError("--balance lies between two timbres: give --to twice")
        if self.longest and not all(map(is_recording, self.to)):
            raise InputError("--length longest is for recordings: a model has no length")

    @property
    def kind(self) -> str:
        """``source`` (nothing is changed), ``hybrid`` or ``morph``."""
        if self.controls.amount == 0.0:
            return "source"
        whole = self.controls.amount == 1.0 and self.controls.balance in (0.0, 1.0) and self.controls.pad is None
        return "hybrid" if whole else "morph"

    def identity(self) -> dict[str, Any]:
        """Return all that decides on the samples beside the source; models and recordings by content."""
        return {**asdict(self), "to": list(self.to), "content": [_content(name) for name in self.to]}

    def opened(self, sample_rate: float, channels: int) -> tuple[Conversion, dict[str, str]]:
        """Open what it takes, and return it with the models that were opened, name → SHA-256.

        Kept, since a batch gives thousands of files one timbre.

        Raises
        ------
        InputError, ModelError
            It cannot be opened.
        """
        return _opened(_Same(self, json.dumps(self.identity(), sort_keys=True)), sample_rate, channels)


@dataclass(frozen=True)
class _Same:
    """A morph that is the same as another if all that decides on it is."""

    morph: Morph = field(compare=False)
    identity: str = ""


@functools.lru_cache(maxsize=2)
def _opened(same: _Same, sample_rate: float, channels: int) -> tuple[Conversion, dict[str, str]]:
    morph = same.morph
    to, other = (*morph.to, "")[:2]
    with noting_models() as noted:
        conversion = open_between(
            *(morph.method, to, other),
            sample_rate=sample_rate,
            channels=channels,
            low_latency=morph.low_latency,
            **morph.options,
        )
    return conversion, dict(noted)


@dataclass(frozen=True)
class MorphJob:
    """What ``terzetto morph`` does to each file; see `terzetto.jobs.Job`.

    Attributes
    ----------
    morph : Morph
    filename : str
        Pattern below the folder of results, of ``{track}`` and ``{ext}``; or a name, for a single file.
    sample_format : SampleFormat
    clip_mode : str
        One of `terzetto.audio.stems.CLIP_MODES`.
    """

    morph: Morph
    filename: str = "{track}.{ext}"
    sample_format: SampleFormat = FORMATS["float32"]
    clip_mode: str = CLIP_MODES[0]

    def __post_init__(self) -> None:
        check_pattern("--filename", self.filename, _FIELDS)
        extension = self.sample_format.extension
        if self._place(Item("", Path("take.wav"))).suffix != f".{extension}":
            raise InputError(
                f"--filename {self.filename!r} must end in .{{ext}} or .{extension}, the format that is written"
            )

    def check(self) -> None:
        """Raise what the method or what it takes is refused with: that is said once, not for every file."""
        self.morph.opened(48000, 1)

    def identity(self) -> dict[str, Any]:
        """Return all that decides on the results beside the files."""
        settings = {"filename": self.filename, "format": repr(self.sample_format), "clip_mode": self.clip_mode}
        return {"job": "morph", **self.morph.identity(), **settings}

    def targets(self, item: Item) -> list[str]:
        """Return what would be written."""
        return [self._place(item).as_posix()]

    def written(self, result: dict[str, Any]) -> list[str]:
        """Return the paths of all files that a result tells of."""
        return [result["out"]]

    def work(self, item: Item, out: Path, progress: Progress) -> dict[str, Any]:
        """Give one file another timbre and return what was done, ready for JSON.

        Raises
        ------
        InputError, ModelError, OutputError
            Nothing is left behind then.
        """
        began = time.perf_counter()
        path, said = out / self._place(item), list[str]()
        with FileTake(item.path) as source:
            if path.exists() and path.samefile(item.path):
                raise OutputError(f"{path}: would replace its own take; choose another --out or --filename")
            conversion, models = self.morph.opened(source.sample_rate, source.channels)
            said += _resampled(self.morph.to, source.sample_rate)
            told = read_metadata(source.path).fitting(self.sample_format.container)
            take, meter, frames = Watched(self._lengthened(source)), Meter(source.sample_rate, source.channels), 0
            form, mode = self.sample_format, self.clip_mode
            with StemFiles(
                {"out": path}, source.sample_rate, source.channels, form, clip_mode=mode, metadata=told
            ) as files:
                for block in render(take, conversion, self.morph.controls):
                    files.write("out", block)
                    meter.add(np.clip(block, -1.0, 1.0) if files.clamps else block)
                    frames += block.shape[1]
                    progress("morphing", min(frames / max(take.frames, 1), 1.0))
                files.commit()
        if take.peak < _SILENT:
            warnings.warn(f"{item.title}: is silent, and so is the result", TerzettoWarning, stacklevel=2)
        gain_db = round(20 * float(np.log10(files.gain)), 6) if files.gain != 1.0 else 0.0
        controls = asdict(self.morph.controls)
        return {
            "take": item.title,
            "out": str(path),
            "kind": self.morph.kind,
            "method": self.morph.method,
            "to": list(self.morph.to),
            "models": models,
            **controls,
            "seconds": round(frames / source.sample_rate, 3),
            "sample_rate": source.sample_rate,
            "channels": source.channels,
            "format": str(self.sample_format),
            "gain_db": gain_db,
            "clamped": files.clamped,
            "loudness": {"out": _loudness(meter, gain_db)},
            "said": said,
            "elapsed": round(time.perf_counter() - began, 3),
        }

    def speed(self, item: Item) -> float:
        """Return how many seconds of sound are worked on in a second, from the file's beginning."""
        with FileTake(item.path) as take:
            conversion, _ = self.morph.opened(take.sample_rate, take.channels)
            began, frames = time.perf_counter(), 0
            for block in render(take, conversion, self.morph.controls):
                frames += block.shape[1]
                if frames > _TRIAL * take.sample_rate:
                    break
            return frames / take.sample_rate / max(time.perf_counter() - began, 1e-6)

    def bytes_for(self, item: Item) -> tuple[float, int]:
        """Return a file's seconds and how many bytes its result would have."""
        with FileTake(item.path) as source:
            take = self._lengthened(source)
            return take.frames / take.sample_rate, take.frames * take.channels * self.sample_format.bit_depth // 8

    def _lengthened(self, take: Take) -> Take:
        if not self.morph.longest:
            return take
        frames = [take.frames]
        for name in self.morph.to:
            with FileTake(name) as target:
                frames.append(round(target.frames * take.sample_rate / target.sample_rate))
        return Repeated(take, max(frames))

    def _place(self, item: Item) -> PurePosixPath:
        name = self.filename.format(track=item.track, ext=self.sample_format.extension)
        return PurePosixPath(item.folder) / name


def _content(name: str) -> str:
    """Return the SHA-256 of a recording or a model; empty if there is no such model, which opening it tells."""
    if is_recording(name):
        return content_hash(Path(name))
    return identity(split_instrument(name)[0]) or ""


def _resampled(to: tuple[str, ...], sample_rate: float) -> Iterator[str]:
    """Yield, for each recording of another sample rate, that it is converted."""
    for name in to:
        if not is_recording(name):
            continue
        with FileTake(name) as target:
            if target.sample_rate != sample_rate:
                yield f"{name}: resampled from {target.sample_rate:g} Hz to the source's {sample_rate:g} Hz"


def _loudness(meter: Meter, gain_db: float) -> dict[str, float | None]:
    """Return what was measured before the common gain as it is after it; None where there is silence."""
    values = {"lufs": meter.lufs + gain_db, "true_peak_dbtp": meter.true_peak_db + gain_db}
    return {name: round(value, 2) if np.isfinite(value) else None for name, value in values.items()}
