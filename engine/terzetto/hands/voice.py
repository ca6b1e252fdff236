"""One window's way from the take to the output: delay, spectra, splitter, faders.

All times are samples since the last reset; the output is ``latency`` behind.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.overlap_add import StreamingSTFT
from terzetto.hands.faders import Faders, FaderValues, Gate
from terzetto.hands.learning import live_grid
from terzetto.hands.splitter import Splitter

Float = NDArray[np.float32]
Complex = NDArray[np.complex64]

_FADE = 0.05
"""Seconds in which the stems give way to the take, and come back."""
_SWITCH = 0.01
"""Seconds in which one window gives way to another."""


class Voice:
    """Parts and mixes a stream with one window.

    Parameters
    ----------
    sample_rate : float
        In Hz.
    channels : int
    window : str
        See `terzetto.hands.learning.WINDOWS`.
    values : FaderValues
    """

    def __init__(self, sample_rate: float, channels: int, window: str, values: FaderValues) -> None:
        self.window, self.grid = window, live_grid(sample_rate, window)
        self._channels = channels
        self._stft = StreamingSTFT(self.grid, channels, 2, self._split)
        self._faders = Faders(channels, sample_rate, values)
        self._gate = Gate(_FADE, sample_rate)
        self._splitter: Splitter | None = None
        self._fresh = False
        self._stopped = False
        self.reset(values)

    @property
    def latency(self) -> int:
        """Samples by which the output is behind."""
        return self._stft.latency

    @property
    def cold(self) -> int:
        """How many samples it takes until the output no longer depends on what was not heard."""
        return max(2 * self.latency - self._stft.time, 0)

    @property
    def untouched(self) -> bool:
        """Whether nothing has been heard since the last reset."""
        return self._stft.time == 0

    @property
    def splitter(self) -> Splitter | None:
        """What parts the frames."""
        return self._splitter

    @property
    def matches(self) -> bool:
        """Whether the audio is still the take that was learned, as far as one can tell."""
        return self._splitter is None or self._splitter.recogniser.matches

    def use(self, splitter: Splitter | None) -> None:
        """Part with this from the next frame on; overlapping frames make it a crossfade. None: play the take."""
        if splitter is None or self._splitter is None:
            self._fresh = splitter is not None
            self._hear(False)
        self._splitter = splitter
        if self._stft.time == 0:
            self.reset(self._values)

    def reset(self, values: FaderValues) -> None:
        """Forget the stream's past."""
        self._values = values
        self._stft.reset()
        self._faders.reset(values)
        self._delayed = np.zeros((self._channels, self.latency), np.float32)
        self._gate.reset(self._splitter is not None)
        self._heard, self._fresh = self._splitter is not None, False
        if self._splitter is not None:
            self._splitter.reset()

    def move(self, frame: int, values: FaderValues) -> None:
        """Move the faders for the take's samples from ``frame`` of the next block on."""
        self._values = values
        if self._stft.time + frame == 0:
            self._faders.reset(values)
        else:
            self._faders.move(self._stft.time + frame + self.latency, values)

    def process(self, block: Float, position: int, stopped: bool = False) -> Float:
        """Return the next block; ``position`` counts from the take's beginning, and means nothing while stopped."""
        self._stopped = stopped
        if stopped:
            self._hear(False)
        finite = block if np.isfinite(block).all() else np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
        left, residual = self._stft.process(finite, position)
        line = np.concatenate([self._delayed, block], axis=1)
        frames = block.shape[1]
        self._delayed = line[:, frames:]
        return self._faders.mix(line[:, :frames], left, residual, self._gate.next(frames))

    def _split(self, spectra: Complex, center: int) -> tuple[Complex | None, Complex | None]:
        if self._splitter is None or self._stopped:
            return None, None
        parts = self._splitter.split(spectra, round(center / self.grid.hop_length))
        self._hear(self._splitter.recogniser.matches)
        return parts

    def _hear(self, stems: bool) -> None:
        """Open or close the gate; stems of which frames are missing stay behind it until they are whole."""
        if stems == self._heard:
            return
        self._heard = stems
        self._gate.move(self._stft.time + (self.latency if stems and self._fresh else 0), stems)
        self._fresh = not stems and self._stopped


class Voices:
    """The voice that is heard, and, while the window changes, the next one warming up beside it."""

    def __init__(
        self, sample_rate: float, channels: int, window: str, values: FaderValues, splitter: Splitter | None
    ) -> None:
        self._format = (sample_rate, channels)
        self._switch = max(round(_SWITCH * sample_rate), 1)
        self._now = self._make(window, values, splitter)
        self._next: Voice | None = None
        self._done = 0  # samples of the switch

    @property
    def latency(self) -> int:
        """Samples by which the output is behind."""
        return self._now.latency

    @property
    def windows(self) -> set[str]:
        """The windows in use."""
        return {voice.window for voice in self._all()}

    @property
    def untouched(self) -> bool:
        """Whether nothing has been heard since the last reset."""
        return self._now.untouched

    @property
    def matches(self) -> bool:
        """Whether the audio is still the take that was learned, as far as one can tell."""
        return self._now.matches

    def use(self, splitters: Callable[[str], Splitter | None]) -> None:
        """Part with these from now on, by window."""
        for voice in self._all():
            voice.use(splitters(voice.window))

    def reset(self, values: FaderValues) -> None:
        """Forget the stream's past; a new window holds at once."""
        if self._next is not None:
            self._now, self._next = self._next, None
        self._now.reset(values)

    def move(self, frame: int, values: FaderValues) -> None:
        """Move the faders for the take's samples from ``frame`` of the next block on."""
        for voice in self._all():
            voice.move(frame, values)

    def change_window(self, window: str, values: FaderValues, splitters: Callable[[str], Splitter | None]) -> None:
        """Change the window: at once where nothing has been heard, else when the new one is warm."""
        if window == (self._next or self._now).window:
            return
        if window == self._now.window:
            self._next = None
        elif self._now.untouched:
            self._now = self._make(window, values, splitters(window))
        else:
            self._next, self._done = self._make(window, values, splitters(window)), 0

    def process(self, block: Float, position: int, stopped: bool) -> Float:
        """Return the next block; see `Voice.process`."""
        result = self._now.process(block, position, stopped)
        if self._next is None:
            return result
        frames = block.shape[1]
        begin = 0 if self._done else min(self._next.cold, frames)
        other = self._next.process(block, position, stopped)
        course = np.clip((self._done + np.arange(1, frames - begin + 1)) / self._switch, 0.0, 1.0)
        result[:, begin:] += course.astype(np.float32) * (other[:, begin:] - result[:, begin:])
        self._done += frames - begin
        if self._done >= self._switch:
            self._now, self._next, self._done = self._next, None, 0
        return result

    def _make(self, window: str, values: FaderValues, splitter: Splitter | None) -> Voice:
        voice = Voice(*self._format, window, values)
        voice.use(splitter)
        return voice

    def _all(self) -> list[Voice]:
        return [self._now] if self._next is None else [self._now, self._next]
