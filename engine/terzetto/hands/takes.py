"""From a take's file to its stems' files."""

from __future__ import annotations

import argparse
import contextlib
import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from terzetto.audio.files import ArrayTake, FileTake
from terzetto.audio.metadata import read_metadata
from terzetto.audio.patterns import check_pattern
from terzetto.audio.stems import CLIP_MODES, FORMATS, SampleFormat, StemFiles
from terzetto.errors import InputError, OutputError, TerzettoWarning
from terzetto.hands.factorise import Options
from terzetto.hands.parts import RESIDUAL, group
from terzetto.hands.score_source import ScoreSource
from terzetto.hands.separate import Separation, within_take
from terzetto.hands.settings import Settings
from terzetto.jobs import Item
from terzetto.progress import Progress, between, silent
from terzetto.score.midi import write_midi

STAGE = "stage"
_MEASURED = ("hand", "track")  # few stems: measuring one for each note would take longer than making them
SCORE_CHOICES = ("left_track", "right_track", "split_pitch", "repeats")
_FIELDS = {"track", "stem", "ext"}


@dataclass(frozen=True)
class Job:
    """What `terzetto separate` does to each take; see `terzetto.jobs.Job`.

    Attributes
    ----------
    source : ScoreSource
    settings : Settings
    filename : str
        Pattern below the folder of results, of ``{track}``, ``{stem}`` and ``{ext}``.
    sample_format : SampleFormat
    stage, plots : bool
        Add a stereo file with a hand on each side; add pictures.
    clip_mode : str
        One of `terzetto.audio.stems.CLIP_MODES`; with ``clamp``, loud stems no longer sum to the take.
    """

    source: ScoreSource
    settings: Settings
    filename: str = "{track}/{stem}.{ext}"
    sample_format: SampleFormat = FORMATS["float32"]
    stage: bool = False
    plots: bool = False
    clip_mode: str = CLIP_MODES[0]

    def __post_init__(self) -> None:
        if "stem" not in check_pattern("--filename", self.filename, _FIELDS):
            raise InputError(f"--filename {self.filename!r} needs {{stem}}, else all stems get one name")
        extension = self.sample_format.extension
        if self._place(Item("", Path("take.wav")), "stem").suffix.lower() != f".{extension}":
            raise InputError(
                f"--filename {self.filename!r} must end in .{{ext}} or .{extension}, the format that is written"
            )
        if self.stage and self.settings.by != "hand":
            raise InputError("--stereo-stage puts a hand on each side; it goes with --by hand only")

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace) -> Job:
        """Build the job from the command line.

        Raises
        ------
        InputError
            Options that do not go together, or a missing score.
        """
        choices = {name: getattr(arguments, name) for name in SCORE_CHOICES}
        source = ScoreSource(arguments.score or "", choices, arguments.align)
        source.check()
        options = Options(
            loss=arguments.loss,
            iterations=arguments.iterations,
            eps=arguments.eps,
            encoder=arguments.encoder,
            seed=arguments.seed,
            loss_interval=1 if arguments.plots else 0,
        )
        mask = arguments.mask or ("coherent" if arguments.by == "hand" else "wiener")
        return cls(
            source,
            Settings(arguments.method, arguments.by, mask, options, arguments.threads, arguments.doubt),
            arguments.filename,
            FORMATS[arguments.format],
            arguments.stereo_stage,
            arguments.plots,
            arguments.clip_mode,
        )

    def identity(self) -> dict[str, Any]:
        """Return all that decides on the stems beside the take and its score."""
        same = replace(self, source=self.source.of(""), settings=replace(self.settings, jobs=0))
        decided = {each.name: repr(getattr(same, each.name)) for each in fields(self)}
        return {**decided, "models": self.source.models()}

    def targets(self, item: Item) -> list[str]:
        """Return what would be written; which stems there are is known beforehand for the hands only."""
        names = ("left_hand", "right_hand", RESIDUAL, *((STAGE,) if self.stage else ()))
        stems = names if self.settings.by == "hand" else ("{stem}",)
        targets = [self._place(item, stem) for stem in stems]
        if self._source(item).makes_score:
            targets.append(self._place(item, "score").with_suffix(".mid"))
        return [target.as_posix() for target in targets]

    def written(self, result: dict[str, Any]) -> list[str]:
        """Return the paths of all files that a result tells of."""
        made = result["score_made"]
        return [*result["stems"].values(), *result["plots"], *([made] if made else [])]

    def work(self, item: Item, out: Path, progress: Progress) -> dict[str, Any]:
        """Separate one take and return what was done, ready for JSON.

        Raises
        ------
        InputError, OutputError
            Nothing is left behind then.
        """
        began = time.perf_counter()
        source = self._source(item)
        with FileTake(item.path) as take:
            with _warnings_about(item.title):
                found = source.get(item.path, take, self.settings.by == "hand", between(progress, 0.0, 0.5))
            rest = between(progress, 0.5 if found.made else 0.0, 1.0)
            with _warnings_about(item.title):
                score = within_take(found.score, take)
            names = (*group(score, self.settings.by).names, RESIDUAL) + ((STAGE,) if self.stage else ())
            paths = {name: out / self._place(item, name) for name in names}
            midi = (out / self._place(item, "score")).with_suffix(".mid") if found.made else None
            self._protect(item.path, [*paths.values(), *([midi] if midi else [])])
            channels = {name: 2 if name == STAGE else take.channels for name in names}
            # The files come first: better to hear at once that a folder cannot be written.
            # Time code and markers too: stems lie in the session where the take lay.
            told = read_metadata(take.path)
            form, mode = self.sample_format, self.clip_mode
            measure = self.settings.by in _MEASURED
            with StemFiles(
                paths, take.sample_rate, channels, form, clip_mode=mode, metadata=told, measure=measure
            ) as files:
                with _warnings_about(item.title):
                    separation = Separation(take, score, self.settings, rest)
                left = np.zeros(0, np.float32)
                for name, block in separation.stems():
                    files.write(name, block)
                    if self.stage and name == "left_hand":
                        left = block.mean(axis=0)
                    elif self.stage and name == "right_hand":
                        files.write(STAGE, np.stack([left, block.mean(axis=0)]))
                plots = self._plot(separation, files, next(iter(paths.values())).parent)
                if midi:
                    written = files.workshop(midi.parent) / midi.name
                    write_midi(found.score, written)
                    files.add(written, midi)
                files.commit()
        return {
            "take": item.title,
            "score": found.path or None,
            "score_made": str(midi) if midi else None,
            **found.report,
            "stems": {name: str(target) for name, target in paths.items()},
            "plots": [str(plot) for plot in plots],
            "seconds": round(take.frames / take.sample_rate, 3),
            "sample_rate": take.sample_rate,
            "notes": len(separation.score),
            "tuning_cents": round(100 * separation.analysis.tuning, 1),
            "gain_db": files.gain_db,
            "clamped": files.clamped,
            "loudness": files.loudness(),
            "method": self.settings.method,
            "elapsed": round(time.perf_counter() - began, 3),
        }

    def speed(self, item: Item) -> float:
        """Return how many seconds of audio are separated in a second, from the take's first minute."""
        source = self._source(item)
        with FileTake(item.path) as take:
            frames = min(take.frames, round(60 * take.sample_rate))
            beginning = ArrayTake(take.read(0, frames), take.sample_rate)
        began = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TerzettoWarning)
            score = source.get(item.path, beginning, self.settings.by == "hand", silent).score
            for _ in Separation(beginning, within_take(score, beginning), self.settings).stems():
                pass
        return frames / beginning.sample_rate / (time.perf_counter() - began)

    def bytes_for(self, item: Item) -> tuple[float, int]:
        """Return a take's seconds and how many bytes its stems would have, if they are the hands'."""
        with FileTake(item.path) as take:
            channels = take.channels * 3 + 2 * self.stage
            return take.frames / take.sample_rate, take.frames * channels * self.sample_format.bit_depth // 8

    def _source(self, item: Item) -> ScoreSource:
        """Return where a take's score comes from: its own, if it is paired with one."""
        return self.source if item.score is None else self.source.of(item.score)

    def _place(self, item: Item, stem: str) -> PurePosixPath:
        return PurePosixPath(item.folder) / self.filename.format(
            track=item.track, stem=stem, ext=self.sample_format.extension
        )

    def _protect(self, take: Path, paths: Iterable[Path]) -> None:
        """Refuse stems that would replace the take they come from."""
        for path in paths:
            if path.exists() and path.samefile(take):
                raise OutputError(f"{path}: a stem would replace its own take; choose another --out or --filename")

    def _plot(self, separation: Separation, files: StemFiles, folder: Path) -> list[Path]:
        """Draw the pictures beside the stems; they come to their places together with them."""
        if not self.plots:
            return []
        from terzetto.hands.plots import plot_analysis

        plots = []
        for made in plot_analysis(separation, files.workshop(folder)):
            plots.append(folder / made.name)
            files.add(made, plots[-1])
        return plots


@contextlib.contextmanager
def _warnings_about(title: str) -> Iterator[None]:
    """Name the take in our own warnings: of a batch, one wants to know which."""
    with warnings.catch_warnings(record=True) as caught:
        yield
    for warning in caught:
        about = f"{title}: " if issubclass(warning.category, TerzettoWarning) else ""
        warnings.warn_explicit(f"{about}{warning.message}", warning.category, warning.filename, warning.lineno)
