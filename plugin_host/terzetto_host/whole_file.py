"""pedalboard's plugins that give other samples in a stream: over whole recordings they can be had."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from terzetto.audio.files import Float, Take
from terzetto.errors import InputError
from terzetto_host.chain_file import StageSpec
from terzetto_host.pedalboard_stage import PedalboardStage

_LARGEST = 1 << 30  # bytes of samples; by measurement, four times as many are needed
_SHORTEST = 64  # frames; pedalboard mistakes the channels of what is very short


class WholeTake:
    """A recording in memory, with any number of channels."""

    def __init__(self, audio: Float, sample_rate: float) -> None:
        self._audio, self.sample_rate = audio, sample_rate
        self.channels, self.frames = audio.shape

    def read(self, start: int, stop: int) -> Float:
        """Return channels × (stop − start); zero outside the recording."""
        block = np.zeros((self.channels, stop - start), np.float32)
        first, last = max(start, 0), min(stop, self.frames)
        if last > first:
            block[:, first - start : last - start] = self._audio[:, first:last]
        return block


class WholeFileStage:
    """A plugin that gets the whole recording at once.

    Raises
    ------
    InputError
        It cannot be made; the message names file and line.
    """

    def __init__(self, spec: StageSpec) -> None:
        self.spec = spec
        self._plugin = PedalboardStage(spec.kind, whole_file=True)
        for key, value in spec.settings.items():
            try:
                self._plugin.set(key, value)
            except InputError as error:
                raise InputError(f"{spec.where(key)}: {error}") from None

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> None:
        """Raise `InputError` if it does not take this format."""
        try:
            self._plugin.check_channels(channels)
        except InputError as error:
            raise InputError(f"{self.spec.where()}: {error}") from None

    def description(self) -> dict[str, Any]:
        """Return its values, ready for JSON; it has no addresses."""
        values = {name: self._plugin.get(name) for name in self._plugin.names}
        stage = {"name": self.spec.name, "plugin": self.spec.kind, "latency": 0, "whole_file": True}
        return {"stages": [{**stage, "parameters": values}]}

    def check_size(self, frames: int, channels: int, sample_rate: float) -> None:
        """Raise `InputError` if a recording is too long to be held in memory."""
        if 4 * frames * channels > _LARGEST:
            raise InputError(
                f"{self.spec.where()}: {self.spec.kind} works on the whole recording at once, and {channels} channels "
                f"of {frames / sample_rate / 3600:.1f} hours are too much; at most "
                f"{_LARGEST / 4 / channels / sample_rate / 3600:.1f} hours: cut it up, or take the stage out"
            )

    def render(self, take: Take) -> Float:
        """Return what it makes of a recording (channels, frames), as long as that."""
        self.check_size(take.frames, take.channels, take.sample_rate)
        if not take.frames:
            return np.zeros((take.channels, 0), np.float32)
        return self._plugin.whole(take.read(0, max(take.frames, _SHORTEST)), take.sample_rate)[:, : take.frames]


def collect(blocks: Iterable[Float], take: Take, stage: WholeFileStage) -> Float:
    """Return the blocks that come of a take in one piece, for a stage that needs them so."""
    stage.check_size(take.frames, take.channels, take.sample_rate)
    parts = list(blocks)
    return np.concatenate(parts, axis=1) if parts else np.zeros((take.channels, 0), np.float32)
