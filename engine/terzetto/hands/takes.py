"""From a take's file to its stems' files."""

from __future__ import annotations

import argparse
import contextlib
import string
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from terzetto.audio.files import FileTake
from terzetto.audio.stems import FORMATS, SampleFormat, StemFiles
from terzetto.errors import InputError, OutputError
from terzetto.hands.factorise import Options
from terzetto.hands.separate import Separation, Settings
from terzetto.progress import choose
from terzetto.score.read import read_score

STAGE = "stage"
_FIELDS = {"track", "stem", "ext"}


@dataclass(frozen=True)
class Job:
    """What `terzetto separate` does to each take.

    Attributes
    ----------
    score : str
        Path of the score; ``{track}`` stands for the take's name without its ending.
    score_options : dict
        Passed to `read_score`.
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

    score: str
    score_options: dict[str, Any]
    settings: Settings
    out: Path
    filename: str = "{track}/{stem}.{ext}"
    sample_format: SampleFormat = FORMATS["float32"]
    stage: bool = False
    plots: bool = False
    progress: str = "none"

    def __post_init__(self) -> None:
        _check_pattern("--filename", self.filename, _FIELDS)
        if "{stem}" not in self.filename:
            raise InputError(f"--filename {self.filename!r} needs {{stem}}, else all stems get one name")
        _check_pattern("--score", self.score, {"track"})
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
        if not arguments.score:
            raise InputError("no score given; --score FILE says which notes are played (MIDI, or CSV with lh/rh)")
        if len(arguments.takes) > 1 and "{track}" not in arguments.score:
            raise InputError("several takes need a score each: --score 'scores/{track}.mid' names them")
        if len(arguments.takes) > 1 and "{track}" not in arguments.filename:
            raise InputError(f"several takes need {{track}} in --filename; given {arguments.filename!r}")
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
            arguments.score,
            {name: getattr(arguments, name) for name in ("left_track", "right_track", "split_pitch")},
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
        with FileTake(path) as take, choose(self.progress, path.name) as progress:
            score = read_score(self.score.format(track=path.stem), **self.score_options)
            separation = Separation(take, score, self.settings, progress)
            names = separation.names + ((STAGE,) if self.stage else ())
            paths = {name: self._path(path, name) for name in names}
            self._protect(path, paths)
            with (
                StemFiles({n: p for n, p in paths.items() if n != STAGE}, take.sample_rate, take.channels, self.sample_format) as files,
                self._stage_file(paths, take.sample_rate) as stage,
            ):
                left = None
                for name, block in separation.stems():
                    files.write(name, block)
                    if stage is not None and name == "left_hand":
                        left = block.mean(axis=0)
                    elif stage is not None and name == "right_hand":
                        stage.write(STAGE, np.stack([left, block.mean(axis=0)]))
                plots = self._plot(separation, paths)
                files.commit()
                if stage is not None:
                    stage.commit()
        return {
            "take": str(path),
            "score": self.score.format(track=path.stem),
            "stems": {name: str(target) for name, target in paths.items()},
            "plots": [str(plot) for plot in plots],
            "seconds": round(take.frames / take.sample_rate, 3),
            "sample_rate": take.sample_rate,
            "notes": len(separation.score),
            "tuning_cents": round(100 * separation.analysis.tuning, 1),
            "gain_db": round(20 * np.log10(files.gain), 3) if files.gain != 1.0 else 0.0,
            "method": self.settings.method,
            "elapsed": round(time.perf_counter() - began, 3),
        }

    def _path(self, take: Path, stem: str) -> Path:
        return self.out / self.filename.format(track=take.stem, stem=stem, ext=self.sample_format.extension)

    def _protect(self, take: Path, paths: dict[str, Path]) -> None:
        """A stem must never replace the take it comes from."""
        for path in paths.values():
            if path.exists() and path.samefile(take):
                raise OutputError(f"{path}: a stem would replace its own take; choose another --out or --filename")

    def _stage_file(
        self, paths: dict[str, Path], sample_rate: float
    ) -> contextlib.AbstractContextManager[StemFiles | None]:
        if not self.stage:
            return contextlib.nullcontext()
        return StemFiles({STAGE: paths[STAGE]}, sample_rate, 2, self.sample_format)

    def _plot(self, separation: Separation, paths: dict[str, Path]) -> list[Path]:
        if not self.plots:
            return []
        from terzetto.hands.plots import plot_analysis

        return plot_analysis(separation, next(iter(paths.values())).parent)


def _check_pattern(option: str, pattern: str, fields: set[str]) -> None:
    try:
        used = {name for _, name, _, _ in string.Formatter().parse(pattern) if name is not None}
    except ValueError as error:
        raise InputError(f"{option} {pattern!r} is not a pattern ({error})") from None
    unknown = used - fields
    if unknown:
        valid = ", ".join(f"{{{name}}}" for name in sorted(fields))
        raise InputError(f"{option} {pattern!r} has the unknown field {{{sorted(unknown)[0]}}}; valid: {valid}")
