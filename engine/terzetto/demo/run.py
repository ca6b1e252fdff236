"""Separate the shipped excerpt through files, measure the result, and write a folder to listen to."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from terzetto.audio.files import FileTake, blocks
from terzetto.audio.stems import FORMATS, StemFiles
from terzetto.demo import page, timbres
from terzetto.errors import OutputError
from terzetto.evaluate import hands
from terzetto.hands.factorise import Options
from terzetto.hands.plots import plot_analysis
from terzetto.hands.separate import Separation
from terzetto.hands.settings import Settings
from terzetto.progress import Progress, between, silent
from terzetto.score.read import read_score

EXCERPT = "chopin_op28no4_opening"
PAGE = "index.html"
SEPARATED = {
    "mix": "mix.flac",
    **{name: f"separated/{name}.flac" for name in (*hands.NAMES, "residual")},
    **{f"true_{name}": f"true/{name}.flac" for name in hands.NAMES},
}
AUDIO = SEPARATED | timbres.AUDIO
"""Where each recording lies below the demo's folder."""

_TRUE = {"left_hand": f"{EXCERPT}.lh.flac", "right_hand": f"{EXCERPT}.rh.flac"}


def run_demo(out: Path, method: str = "nmf", progress: Progress = silent) -> dict[str, Any]:
    """Separate the excerpt into the folder ``out`` and return what was done, ready for JSON.

    An earlier demo in that folder is replaced.

    Returns
    -------
    dict
        ``page``, ``method``, ``take``, ``seconds`` of audio, ``elapsed`` seconds of separation, ``scores``
        (hand → measure → dB) and ``files`` (name → path).

    Raises
    ------
    OutputError
        The folder cannot be written, or it holds other files of these names.
    InputError
        The method is not installed.
    """
    with _staged(out) as stage:
        seconds, elapsed, plots = _separate(stage, method, between(progress, 0.0, 0.7))
        melody, accompaniment = (stage / SEPARATED[name] for name in ("right_hand", "left_hand"))
        timbres.write_timbres(stage, melody, accompaniment, between(progress, 0.7, 0.9))
        progress("measuring", 0.9)
        measured = hands.evaluate(stage / "true", stage / "separated")
        (scores,) = measured.values()
        links = [path.relative_to(stage).as_posix() for path in plots]
        (stage / PAGE).write_text(page.render(method, elapsed, AUDIO, scores, links), encoding="utf-8")
    progress("done", 1.0)
    return {
        "page": str(out / PAGE),
        "method": method,
        "take": EXCERPT,
        "seconds": round(seconds, 3),
        "elapsed": round(elapsed, 3),
        "scores": scores,
        "files": {name: str(out / link) for name, link in AUDIO.items()}
        | {Path(link).stem: str(out / link) for link in links},
    }


def table(scores: Mapping[str, Mapping[str, float]]) -> str:
    """Return the numbers as a plain text table."""
    return hands.table({"demo": scores})  # type: ignore[arg-type]


@contextlib.contextmanager
def excerpt() -> Iterator[Path]:
    """Give the folder of the shipped excerpt: the mix, each hand and the notes."""
    with as_file(files("terzetto.demo").joinpath("excerpt")) as folder:
        yield folder


def _separate(stage: Path, method: str, progress: Progress) -> tuple[float, float, list[Path]]:
    """Write the recordings and the pictures; return seconds of audio, seconds taken, and the pictures."""
    settings = Settings(method, options=Options(loss_interval=1))
    with excerpt() as source, FileTake(source / f"{EXCERPT}.flac") as take:
        paths = {name: stage / link for name, link in SEPARATED.items()}
        with StemFiles(paths, take.sample_rate, take.channels, FORMATS["flac"]) as stems:
            began = time.perf_counter()
            score = read_score(source / f"{EXCERPT}.mid")
            separation = Separation(take, score, settings, between(progress, 0.0, 0.8))
            for name, block in separation.stems():
                stems.write(name, block)
            elapsed = time.perf_counter() - began
            for block in blocks(take):
                stems.write("mix", block)
            for name, file in _TRUE.items():
                with FileTake(source / file) as true:
                    for block in blocks(true):
                        stems.write(f"true_{name}", block)
            stems.commit()
        progress("drawing", 0.9)
        plots = plot_analysis(separation, stage / "plots")
        return take.frames / take.sample_rate, elapsed, plots


@contextlib.contextmanager
def _staged(out: Path) -> Iterator[Path]:
    """Give a folder to write to; in the end its files move to ``out``, the page last, or nothing does."""
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    stage: Path | None = None
    try:
        out.mkdir(parents=True, exist_ok=True)
        _protect(out, map(Path, (PAGE, *AUDIO.values())))
        stage = Path(tempfile.mkdtemp(prefix=".demo.", dir=out))
        yield stage
        produced = sorted(
            (path.relative_to(stage) for path in stage.rglob("*") if path.is_file()),
            key=lambda path: path == Path(PAGE),
        )
        _protect(out, produced)
        for path in produced:
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            (stage / path).replace(out / path)
        made.clear()
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        if isinstance(error, (FileExistsError, NotADirectoryError)):
            raise OutputError(f"{out}: is a file, not a folder; choose another --out") from None
        reason = error.strerror or str(error)
        raise OutputError(f"{out}: the demo could not be written ({reason}); choose another --out") from None
    finally:
        if stage is not None:
            shutil.rmtree(stage, ignore_errors=True)
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()


def _protect(out: Path, produced: Iterable[Path]) -> None:
    """Replace an earlier demo, but never anything else."""
    taken = [path for path in produced if (out / path).exists() or (out / path.parent).is_file()]
    if not taken:
        return
    mine = out / PAGE
    if not (mine.is_file() and os.access(mine, os.R_OK) and page.MARK in mine.read_text("utf-8", "replace")):
        raise OutputError(f"{out}: holds another {taken[0]}, which is kept; choose another --out")
