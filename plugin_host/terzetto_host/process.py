"""From a file through a chain to a file: the live path, driven as fast as it goes and trimmed by its latency."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from terzetto.audio.files import FileTake
from terzetto.audio.patterns import check_pattern
from terzetto.audio.stems import FORMATS, SampleFormat, StemFiles
from terzetto.audio.stream import render
from terzetto.control.messages import Message
from terzetto.errors import InputError, OutputError
from terzetto.jobs import Item
from terzetto.progress import Progress
from terzetto_host.batch.fingerprint import content_hash
from terzetto_host.chain import Chain
from terzetto_host.chain_file import PATHS, read

HOP = 512
"""Frames of a block, as a plugin's hops have."""
_FIELDS = {"track", "ext"}
_LONGEST_WAIT = 3600.0  # seconds for what a chain learns from a file
_TRIAL = 20.0  # seconds of a take by which the speed is told beforehand


@dataclass(frozen=True)
class Job:
    """What `terzetto process` does to each file; see `terzetto.jobs.Job`.

    Attributes
    ----------
    chain : Path
        The chain file; every recording gets a chain of its own.
    filename : str
        Pattern below the folder of results, of ``{track}`` and ``{ext}``.
    sample_format : SampleFormat
    """

    chain: Path
    filename: str = "{track}.{ext}"
    sample_format: SampleFormat = FORMATS["float32"]

    def __post_init__(self) -> None:
        check_pattern("--filename", self.filename, _FIELDS)
        extension = self.sample_format.extension
        if PurePosixPath(self.targets(Item("", Path("take.wav")))[0]).suffix.lower() != f".{extension}":
            raise InputError(
                f"--filename {self.filename!r} must end in .{{ext}} or .{extension}, the format that is written"
            )

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace) -> Job:
        """Build the job from the command line.

        Raises
        ------
        InputError
            Options that do not go together, or a chain that cannot be used.
        """
        chain = Chain.from_file(arguments.chain)  # what is wrong with it is said once, not for every file
        if arguments.score is not None and "hands" not in chain.instruments():
            raise InputError(f'--score is for a stage with plugin = "hands"; {arguments.chain} has none')
        return cls(arguments.chain.resolve(), arguments.filename, FORMATS[arguments.format])

    @property
    def delicate(self) -> bool:
        """Whether other people's code runs in the chain: then even a single file is better worked on by a worker."""
        return any(spec.external for spec in read(self.chain)[1])

    def identity(self) -> dict[str, Any]:
        """Return all that decides on the results beside the takes: the chain with the contents of its files."""
        stages = []
        for spec in read(self.chain)[1]:
            files = {name: content_hash(value) for name, value in spec.settings.items() if name in PATHS}
            kind = content_hash(spec.kind) if spec.external else spec.kind
            stages.append({"name": spec.name, "plugin": kind, **spec.settings, **files})
        return {"chain": stages, "filename": self.filename, "format": repr(self.sample_format), "hop": HOP}

    def targets(self, item: Item) -> list[str]:
        """Return what would be written below the folder of results."""
        name = self.filename.format(track=item.track, ext=self.sample_format.extension)
        return [(PurePosixPath(item.folder) / name).as_posix()]

    def written(self, result: dict[str, Any]) -> list[str]:
        """Return the paths of all files that a result tells of."""
        return [result["out"]]

    def work(self, item: Item, out: Path, progress: Progress) -> dict[str, Any]:
        """Process one file and return what was done, ready for JSON.

        Raises
        ------
        InputError, OutputError
            Nothing is left behind then.
        """
        began = time.perf_counter()
        chain = Chain.from_file(self.chain)
        said: list[str] = []

        def listen(message: Message) -> None:
            if message.address in ("/terzetto/status", "/terzetto/error"):
                said.append(str(message.arguments[0]))

        try:
            with FileTake(item.path) as take:
                target = out / self.targets(item)[0]
                if target.exists() and target.samefile(item.path):
                    raise OutputError(f"{target}: would replace its own take; choose another --out or --filename")
                with StemFiles({"out": target}, take.sample_rate, take.channels, self.sample_format) as files:
                    chain.prepare(take.sample_rate, take.channels, HOP)
                    self._give_score(chain, item.score)
                    chain.wait(_LONGEST_WAIT)
                    done, due = 0, 0.0
                    for block in render(chain, take, hop=HOP, listen=listen):
                        files.write("out", np.ascontiguousarray(block))
                        done += block.shape[1]
                        if done >= due:  # a bar need not move for every hop
                            progress("processing", done / take.frames)
                            due = done + take.frames / 200
                    latency = chain.latency
                    files.commit()
                return {
                    "take": item.title,
                    "out": str(target),
                    "stages": [stage.spec.name for stage in chain.stages],
                    "seconds": round(take.frames / take.sample_rate, 3),
                    "sample_rate": take.sample_rate,
                    "latency": latency,
                    "gain_db": round(20 * np.log10(files.gain), 6) if files.gain != 1.0 else 0.0,
                    "said": list(dict.fromkeys(said)),
                    "elapsed": round(time.perf_counter() - began, 3),
                }
        finally:
            chain.close()

    def speed(self, item: Item) -> float:
        """Return how many seconds of audio are processed in a second, from the take's beginning."""
        chain = Chain.from_file(self.chain)
        try:
            with FileTake(item.path) as take:
                began, frames = time.perf_counter(), 0
                for block in render(chain, take, hop=HOP):
                    frames += block.shape[1]
                    if frames > _TRIAL * take.sample_rate:
                        break
                return frames / take.sample_rate / (time.perf_counter() - began)
        finally:
            chain.close()

    def bytes_for(self, item: Item) -> tuple[float, int]:
        """Return a take's seconds and how many bytes its result would have."""
        with FileTake(item.path) as take:
            size = take.frames * take.channels * self.sample_format.bit_depth // 8
            return take.frames / take.sample_rate, size

    def _give_score(self, chain: Chain, score: str | None) -> None:
        if score is None:
            return
        from terzetto.score.read import read_score

        read_score(score, need_hands=False)  # what is wrong with it is an error here, not a status
        chain.set("hands", "score", score)
