"""From a file through a chain to a file: the live path, driven as fast as it goes and trimmed by its latency."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from terzetto.audio.files import FileTake
from terzetto.audio.formats import kept_extension, kept_format
from terzetto.audio.metadata import read_metadata
from terzetto.audio.patterns import check_pattern
from terzetto.audio.stems import CLIP_MODES, FORMATS, SampleFormat, StemFiles
from terzetto.audio.tails import parse_tail
from terzetto.control.messages import Message
from terzetto.errors import InputError, OutputError
from terzetto.jobs import Item
from terzetto.models import identity
from terzetto.progress import Progress
from terzetto.timbre.naming import content_of
from terzetto.timbre.sources import MODEL
from terzetto_host.batch.fingerprint import content_hash
from terzetto_host.chain_file import PATHS, StageSpec, is_path, read
from terzetto_host.file_chain import FileChain

HOP = 512
"""Frames of a block, as a plugin's hops have."""
_MOST_CHANNELS = 8  # 7.1
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
    sample_format : SampleFormat or None
        None: as each recording has it.
    clip_mode : str
        One of `terzetto.audio.stems.CLIP_MODES`.
    tail : float or None
        Seconds that are appended for what sounds on; None: until it has died away.
    """

    chain: Path
    filename: str = "{track}.{ext}"
    sample_format: SampleFormat | None = None
    clip_mode: str = CLIP_MODES[0]
    tail: float | None = 0.0

    def __post_init__(self) -> None:
        check_pattern("--filename", self.filename, _FIELDS)
        if self.sample_format is None:
            if not self.filename.endswith(".{ext}"):
                raise InputError(
                    f"--filename {self.filename!r} must end in .{{ext}}: results keep their takes' formats"
                )
            return
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
        chain = FileChain.from_file(arguments.chain)  # what is wrong with it is said once, not for every file
        if arguments.score is not None and "hands" not in chain.instruments():
            raise InputError(f'--score is for a stage with plugin = "hands"; {arguments.chain} has none')
        return cls(
            arguments.chain.resolve(),
            arguments.filename,
            FORMATS[arguments.format] if arguments.format else None,
            arguments.clip_mode,
            parse_tail(arguments.tail),
        )

    @property
    def delicate(self) -> bool:
        """Whether other people's code runs in the chain: then even a single file is better worked on by a worker."""
        return any(spec.external for spec in read(self.chain, whole_file=True)[1])

    def identity(self) -> dict[str, Any]:
        """Return all that decides on the results beside the takes: the chain with the contents of its files."""
        stages = []
        for spec in read(self.chain, whole_file=True)[1]:
            kind = content_hash(spec.kind) if spec.external else spec.kind
            stages.append({"name": spec.name, "plugin": kind, **spec.settings, "files": _contents(spec)})
        settings = {"clip_mode": self.clip_mode, "tail": self.tail, "hop": HOP}
        return {"chain": stages, "filename": self.filename, "format": repr(self.sample_format), **settings}

    def targets(self, item: Item) -> list[str]:
        """Return what would be written below the folder of results."""
        extension = self.sample_format.extension if self.sample_format else kept_extension(item.path)
        name = self.filename.format(track=item.track, ext=extension)
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
        chain = FileChain.from_file(self.chain)
        said: list[str] = []

        def listen(message: Message) -> None:
            if message.address in ("/terzetto/status", "/terzetto/error"):
                said.append(str(message.arguments[0]))

        try:
            with FileTake(item.path, most_channels=_MOST_CHANNELS, empty=True) as take:
                target = out / self.targets(item)[0]
                if target.exists() and target.samefile(item.path):
                    raise OutputError(f"{target}: would replace its own take; choose another --out or --filename")
                with self._files(take, target, said) as files:
                    chain.prepare(take.sample_rate, take.channels, HOP)
                    self._give_score(chain, item.score)
                    chain.wait(_LONGEST_WAIT)
                    frames = 0
                    for block in chain.render(take, hop=HOP, tail=self.tail, listen=listen, progress=progress):
                        files.write("out", block)
                        frames += block.shape[1]
                    latency = chain.latency
                    files.commit()
                if files.sample_format.container == "wav" and _is_rf64(target):
                    said.append("more than a WAV holds: written as RF64")
                return {
                    "take": item.title,
                    "out": str(target),
                    "stages": chain.names,
                    "seconds": round(frames / take.sample_rate, 3),
                    "sample_rate": take.sample_rate,
                    "channels": take.channels,
                    "format": str(files.sample_format),
                    "latency": latency,
                    "gain_db": files.gain_db,
                    "clamped": files.clamped,
                    "loudness": files.loudness(),
                    "said": list(dict.fromkeys(said)),
                    "elapsed": round(time.perf_counter() - began, 3),
                }
        finally:
            chain.close()

    def speed(self, item: Item) -> float:
        """Return how many seconds of audio are processed in a second, from the take's beginning."""
        chain = FileChain.from_file(self.chain)
        try:
            with FileTake(item.path, most_channels=_MOST_CHANNELS, empty=True) as take:
                began, frames = time.perf_counter(), 0
                for block in chain.render(take, hop=HOP):
                    frames += block.shape[1]
                    if frames > _TRIAL * take.sample_rate:
                        break
                return max(frames, 1) / take.sample_rate / (time.perf_counter() - began)
        finally:
            chain.close()

    def bytes_for(self, item: Item) -> tuple[float, int]:
        """Return a take's seconds and how many bytes its result would have."""
        with FileTake(item.path, most_channels=_MOST_CHANNELS, empty=True) as take:
            frames = take.frames + round((self.tail or 0.0) * take.sample_rate)
            bits = (self.sample_format or kept_format(take)[0]).bit_depth
            return frames / take.sample_rate, frames * take.channels * bits // 8

    def _files(self, take: FileTake, target: Path, said: list[str]) -> StemFiles:
        """Open the result; what of the take it cannot keep is said."""
        sample_format, remark = (self.sample_format, "") if self.sample_format else kept_format(take)
        told = read_metadata(take.path).fitting(sample_format.container)
        if told.left_out:
            remark = f"{remark}; " if remark else ""
            remark += f"left out, as {sample_format} cannot hold it or it is damaged: {', '.join(told.left_out)}"
        said += [remark] if remark else []
        channels, clip_mode = take.channels, self.clip_mode
        return StemFiles(
            *({"out": target}, take.sample_rate, channels, sample_format),
            clip_mode=clip_mode,
            mask=take.mask,
            metadata=told,
            measure=True,
        )

    def _give_score(self, chain: FileChain, score: str | None) -> None:
        if score is None:
            return
        from terzetto.score.read import read_score

        read_score(score, need_hands=False)  # what is wrong with it is an error here, not a status
        chain.set("hands", "score", score)


def _contents(spec: StageSpec) -> dict[str, str | None]:
    """Return the hashes of the files and models that a stage names, and of the model that Timbre plays unasked."""
    named = {name: str(value) for name, value in spec.settings.items() if value and is_path(spec.kind, name)}
    if spec.kind == "timbre":
        named.setdefault("model", MODEL)
        return {name: content_of(value, spec.settings.get("window") == "short") for name, value in named.items()}
    return {
        name: content_hash(value) if name in PATHS or Path(value).exists() else identity(value)
        for name, value in named.items()
    }


def _is_rf64(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"RF64"
