"""From a recording to the same music in another timbre: what ``terzetto morph`` does to each file."""

from __future__ import annotations

import time
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from terzetto.audio.files import FileTake
from terzetto.audio.metadata import read_metadata
from terzetto.audio.patterns import check_pattern
from terzetto.audio.stems import CLIP_MODES, FORMATS, SampleFormat, StemFiles
from terzetto.errors import InputError, OutputError, TerzettoWarning
from terzetto.jobs import Item
from terzetto.progress import Progress
from terzetto.timbre.morph import Morph
from terzetto.timbre.repeated import Watched
from terzetto.timbre.stream import render

_SILENT = 1e-5  # of full scale
_TRIAL = 20.0  # seconds of a take by which the speed is told beforehand
_FIELDS = {"track", "ext"}


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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TerzettoWarning)  # said with every file
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
            said += self.morph.remarks(conversion, source.sample_rate)
            told = read_metadata(source.path).fitting(self.sample_format.container)
            take, frames = Watched(self.morph.lengthened(source)), 0
            form, mode = self.sample_format, self.clip_mode
            with StemFiles(
                *({"out": path}, source.sample_rate, source.channels, form),
                clip_mode=mode,
                metadata=told,
                measure=True,
            ) as files:
                for block in render(take, conversion, self.morph.controls):
                    files.write("out", block)
                    frames += block.shape[1]
                    progress("morphing", min(frames / max(take.frames, 1), 1.0))
                files.commit()
        if take.peak < _SILENT:
            warnings.warn(f"{item.title}: is silent, and so is the result", TerzettoWarning, stacklevel=2)
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
            "gain_db": files.gain_db,
            "clamped": files.clamped,
            "loudness": files.loudness(),
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
            take = self.morph.lengthened(source)
            return take.frames / take.sample_rate, take.frames * take.channels * self.sample_format.bit_depth // 8

    def _place(self, item: Item) -> PurePosixPath:
        name = self.filename.format(track=item.track, ext=self.sample_format.extension)
        return PurePosixPath(item.folder) / name
