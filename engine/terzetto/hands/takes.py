"""From a take's file to its stems' files."""

from __future__ import annotations

import argparse
import contextlib
import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from terzetto.audio.files import FileTake
from terzetto.audio.patterns import check_pattern
from terzetto.audio.stems import FORMATS, SampleFormat, StemFiles
from terzetto.errors import InputError, OutputError, TerzettoWarning
from terzetto.hands.factorise import Options
from terzetto.hands.parts import RESIDUAL, group
from terzetto.hands.score_source import ScoreSource
from terzetto.hands.separate import Separation, within_take
from terzetto.hands.settings import Settings
from terzetto.progress import between, choose
from terzetto.score.midi import write_midi

STAGE = "stage"
_FIELDS = {"track", "stem", "ext"}


@dataclass(frozen=True)
class Job:
    """What `terzetto separate` does to each take.

    Attributes
    ----------
    source : ScoreSource
    settings : Settings
    out : Path
        Folder of the stems.
    filename : str
        Pattern below it, of ``{track}``, ``{stem}`` and ``{ext}``.
    sample_format : SampleFormat
    stage, plots : bool
        Add a stereo file with a hand on each side; add pictures.
    progress : str
        See `terzetto.progress.choose`.
    """

    source: ScoreSource
    settings: Settings
    out: Path
    filename: str = "{track}/{stem}.{ext}"
    sample_format: SampleFormat = FORMATS["float32"]
    stage: bool = False
    plots: bool = False
    progress: str = "none"

    def __post_init__(self) -> None:
        if "stem" not in check_pattern("--filename", self.filename, _FIELDS):
            raise InputError(f"--filename {self.filename!r} needs {{stem}}, else all stems get one name")
        extension = self.sample_format.extension
        if self._path(Path("take.wav"), "stem").suffix.lower() != f".{extension}":
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
        choices = {name: getattr(arguments, name) for name in ("left_track", "right_track", "split_pitch")}
        source = ScoreSource(arguments.score or "", choices)
        source.check(several=len(arguments.takes) > 1)
        if len(arguments.takes) > 1:
            if "track" not in check_pattern("--filename", arguments.filename, _FIELDS):
                raise InputError(f"several takes need {{track}} in --filename; given {arguments.filename!r}")
            tracks = [take.stem for take in arguments.takes]
            twice = next((track for track in tracks if tracks.count(track) > 1), None)
            if twice is not None:
                raise InputError(
                    f"two takes are called {twice!r}: their stems would replace each other; separate them one by one "
                    "with an --out each"
                )
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
            Settings(arguments.method, arguments.by, mask, options, arguments.jobs),
            arguments.out,
            arguments.filename,
            FORMATS[arguments.format],
            arguments.stereo_stage,
            arguments.plots,
            arguments.progress,
        )

    def separate(self, path: Path) -> dict[str, Any]:
        """Separate one take and return what was done, ready for JSON.

        Raises
        ------
        InputError, OutputError
            Nothing is left behind then.
        """
        began = time.perf_counter()
        with FileTake(path) as take, choose(self.progress, path.name) as shown:
            found = self.source.get(path, take, self.settings.by == "hand", between(shown, 0.0, 0.5))
            progress = between(shown, 0.5 if found.made else 0.0, 1.0)
            with _warnings_about(path):
                score = within_take(found.score, take)
            names = (*group(score, self.settings.by).names, RESIDUAL) + ((STAGE,) if self.stage else ())
            paths = {name: self._path(path, name) for name in names}
            midi = self._path(path, "score").with_suffix(".mid") if found.made else None
            self._protect(path, [*paths.values(), *([midi] if midi else [])])
            channels = {name: 2 if name == STAGE else take.channels for name in names}
            # The files come first: better to hear at once that a folder cannot be written.
            with StemFiles(paths, take.sample_rate, channels, self.sample_format) as files:
                with _warnings_about(path):
                    separation = Separation(take, score, self.settings, progress)
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
            "take": str(path),
            "score": found.path or None,
            "score_made": str(midi) if midi else None,
            **found.report,
            "stems": {name: str(target) for name, target in paths.items()},
            "plots": [str(plot) for plot in plots],
            "seconds": round(take.frames / take.sample_rate, 3),
            "sample_rate": take.sample_rate,
            "notes": len(separation.score),
            "tuning_cents": round(100 * separation.analysis.tuning, 1),
            "gain_db": round(20 * np.log10(files.gain), 6) if files.gain != 1.0 else 0.0,
            "method": self.settings.method,
            "elapsed": round(time.perf_counter() - began, 3),
        }

    def _path(self, take: Path, stem: str) -> Path:
        return self.out / self.filename.format(track=take.stem, stem=stem, ext=self.sample_format.extension)

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
def _warnings_about(path: Path) -> Iterator[None]:
    """Name the take in our own warnings: of a batch, one wants to know which."""
    with warnings.catch_warnings(record=True) as caught:
        yield
    for warning in caught:
        about = f"{path}: " if issubclass(warning.category, TerzettoWarning) else ""
        warnings.warn_explicit(f"{about}{warning.message}", warning.category, warning.filename, warning.lineno)
