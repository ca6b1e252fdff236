"""From a file through a chain to a file: the live path, driven as fast as it goes and trimmed by its latency."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from terzetto.audio.files import FileTake
from terzetto.audio.patterns import check_pattern
from terzetto.audio.stems import FORMATS, SampleFormat, StemFiles
from terzetto.audio.stream import render
from terzetto.control.messages import Message
from terzetto.errors import InputError, OutputError
from terzetto.progress import choose
from terzetto_host.chain import Chain

HOP = 512
"""Frames of a block, as a plugin's hops have."""
_FIELDS = {"track", "ext"}
_LONGEST_WAIT = 3600.0  # seconds for what a chain learns from a file


@dataclass(frozen=True)
class Job:
    """What `terzetto process` does to each file.

    Attributes
    ----------
    chain : Path
        The chain file; every recording gets a chain of its own.
    out : Path
        Folder of the results.
    filename : str
        Pattern below it, of ``{track}`` and ``{ext}``.
    sample_format : SampleFormat
    score : str or None
        Path of the score for the chain's Hands, of ``{track}``; None: as the chain file says.
    progress : str
        See `terzetto.progress.choose`.
    """

    chain: Path
    out: Path
    filename: str = "{track}.{ext}"
    sample_format: SampleFormat = FORMATS["float32"]
    score: str | None = None
    progress: str = "none"

    def __post_init__(self) -> None:
        check_pattern("--filename", self.filename, _FIELDS)
        extension = self.sample_format.extension
        if self._path(Path("take.wav")).suffix.lower() != f".{extension}":
            raise InputError(
                f"--filename {self.filename!r} must end in .{{ext}} or .{extension}, the format that is written"
            )
        if self.score is not None:
            check_pattern("--score", self.score, {"track"})

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace) -> Job:
        """Build the job from the command line.

        Raises
        ------
        InputError
            Options that do not go together, or a chain that cannot be used.
        """
        if len(arguments.files) > 1:
            if "track" not in check_pattern("--filename", arguments.filename, _FIELDS):
                raise InputError(f"several files need {{track}} in --filename; given {arguments.filename!r}")
            tracks = [file.stem for file in arguments.files]
            twice = next((track for track in tracks if tracks.count(track) > 1), None)
            if twice is not None:
                raise InputError(
                    f"two files are called {twice!r}: their results would replace each other; process them one by one "
                    "with an --out each"
                )
        chain = Chain.from_file(arguments.chain)  # what is wrong with it is said once, not for every file
        if arguments.score is not None and "hands" not in chain.instruments():
            raise InputError(f'--score is for a stage with plugin = "hands"; {arguments.chain} has none')
        return cls(
            arguments.chain,
            arguments.out,
            arguments.filename,
            FORMATS[arguments.format],
            arguments.score,
            arguments.progress,
        )

    def process(self, path: Path) -> dict[str, Any]:
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
            with FileTake(path) as take, choose(self.progress, path.name) as progress:
                target = self._path(path)
                if target.exists() and target.samefile(path):
                    raise OutputError(f"{target}: would replace its own take; choose another --out or --filename")
                with StemFiles({"out": target}, take.sample_rate, take.channels, self.sample_format) as files:
                    chain.prepare(take.sample_rate, take.channels, HOP)
                    self._give_score(chain, path)
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
                    "take": str(path),
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

    def _give_score(self, chain: Chain, path: Path) -> None:
        if self.score is None:
            return
        from terzetto.score.read import read_score

        score = self.score.format(track=path.stem)
        read_score(score, need_hands=False)  # what is wrong with it is an error here, not a status
        chain.set("hands", "score", score)

    def _path(self, take: Path) -> Path:
        return self.out / self.filename.format(track=take.stem, ext=self.sample_format.extension)
