"""Chains over files: what streams is driven as it is live, what cannot stream gets the whole recording at once.

Live, a chain with such a stage is refused (`terzetto_host.chain.Chain`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from terzetto.audio.files import Take
from terzetto.audio.stream import Float, render
from terzetto.audio.tails import LONGEST, Extended, until_quiet
from terzetto.control.messages import Message
from terzetto.progress import Progress, between, silent
from terzetto_host.chain import Chain
from terzetto_host.chain_file import StageSpec, read
from terzetto_host.pedalboard_stage import WHOLE_FILE_ONLY
from terzetto_host.whole_file import WholeFileStage, WholeTake, collect

_GATHERED = 16384  # frames
Part = Chain | WholeFileStage
LONG_HOP = 1 << 13
"""Frames of a block where they make no difference."""


class FileChain:
    """The stages of a chain file, for recordings.

    Raises
    ------
    InputError
        A stage cannot be made; the message names its file and line.
    """

    def __init__(self, specs: list[StageSpec]) -> None:
        self.names = [spec.name for spec in specs]
        self.parts: list[Part] = []
        for whole, some in groupby(specs, is_whole_file):
            run = list(some)
            self.parts += [WholeFileStage(spec) for spec in run] if whole else [Chain(run)]

    @classmethod
    def from_file(cls, path: Path) -> FileChain:
        """Make the chain of a file; raises `InputError` as `read` does, or if a stage cannot be made."""
        return cls(read(path, whole_file=True)[1])

    @property
    def chains(self) -> list[Chain]:
        """The parts that stream."""
        return [part for part in self.parts if isinstance(part, Chain)]

    @property
    def latency(self) -> int:
        """Frames of all stages that stream; a result is trimmed by them."""
        return sum(chain.latency for chain in self.chains)

    def instruments(self) -> list[str]:
        """Return the names of Terzetto's own processors in it."""
        return list(dict.fromkeys(name for chain in self.chains for name in chain.instruments()))

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> None:
        """Prepare every stage; raises `InputError` if one does not take this format."""
        for part in self.parts:
            part.prepare(sample_rate, channels, max_frames)

    def set(self, kind: str, name: str, value: float | str) -> None:
        """Set a parameter, or send a message, to all stages of one of Terzetto's instruments."""
        for chain in self.chains:
            chain.set(kind, name, value)

    def wait(self, seconds: float) -> None:
        """Wait until nothing is being learned any more; raises `InputError` if that takes longer."""
        for chain in self.chains:
            chain.wait(seconds)

    def close(self) -> None:
        """End what goes on in the background."""
        for chain in self.chains:
            chain.close()

    def description(self) -> dict[str, Any]:
        """Return stages, latencies and addresses, ready for JSON."""
        stages = [stage for part in self.parts for stage in part.description()["stages"]]
        return {"latency": self.latency, "stages": stages}

    def render(
        self,
        take: Take,
        *,
        hop: int = 512,
        tail: float | None = 0.0,
        listen: Callable[[Message], None] | None = None,
        progress: Progress = silent,
    ) -> Iterator[Float]:
        """Send a take through the chain.

        Parameters
        ----------
        take
            What goes in.
        hop
            Frames of a block.
        tail
            Seconds that are appended to let the sound die away; None: until it has, `LONGEST` at most.
        listen
            Told what stages say.
        progress
            Told how far it is.

        Yields
        ------
        float32 (channels, frames)
            Blocks; together as long as take and tail.

        Raises
        ------
        InputError
            A stage that needs the whole recording would need too much memory.
        """
        if tail:
            take = Extended(take, round(tail * take.sample_rate))
        count = len(self.parts)
        for number, part in enumerate(self.parts):
            shown = between(progress, number / count, (number + 1) / count)
            if isinstance(part, WholeFileStage):
                blocks = iter([part.render(take)])
            else:
                blocks = self._stream(part, take, hop, tail is None, listen)
            if number + 1 == count:
                yield from _told(blocks, take.frames, shown)
            elif isinstance(part, WholeFileStage):
                take = WholeTake(next(blocks), take.sample_rate)
            else:
                parts = _told(blocks, take.frames, shown)
                after = next(each for each in self.parts[number + 1 :] if isinstance(each, WholeFileStage))
                take = WholeTake(collect(parts, take, after), take.sample_rate)

    def _stream(
        self, chain: Chain, take: Take, hop: int, auto: bool, listen: Callable[[Message], None] | None
    ) -> Iterator[Float]:
        if not auto:
            return render(chain, take, hop=max(hop, LONG_HOP) if chain.even else hop, listen=listen)
        longer = Extended(take, round(LONGEST * take.sample_rate))
        return until_quiet(render(chain, longer, hop=hop, listen=listen), take.frames, take.sample_rate)


def is_whole_file(spec: StageSpec) -> bool:
    """Return whether a stage needs the whole recording at once."""
    return not spec.own and not spec.external and spec.kind in WHOLE_FILE_ONLY


def _gathered(blocks: Iterator[Float]) -> Iterator[Float]:
    """Put hops together: what writes and measures them costs as much for a hop as for many."""
    held, frames = list[Float](), 0
    for block in blocks:
        if not held and block.shape[1] >= LONG_HOP:
            yield block
            continue
        held.append(block)
        frames += block.shape[1]
        if frames >= _GATHERED:
            yield np.concatenate(held, axis=1)
            held, frames = [], 0
    if held:
        yield np.concatenate(held, axis=1)


def _told(blocks: Iterator[Float], frames: int, progress: Progress) -> Iterator[Float]:
    """Pass blocks on, gathered, and tell how far they are."""
    done, due = 0, 0.0
    for block in _gathered(blocks):
        yield block
        done += block.shape[1]
        if done >= due:
            progress("processing", min(done / max(frames, 1), 1.0))
            due = done + frames / 200
