"""How loud a stream is: integrated loudness and true peak, measured as it passes, in constant memory.

Conventions: ITU-R BS.1770-5 and EBU R 128 (gates at -70 LUFS and 10 LU below the loudness of what passes the first).
Blocks are channels × frames, full scale ±1. Levels are LUFS and dB relative to full scale (dBTP); silence is minus
infinity, and so is the loudness of anything shorter than one gating block (400 ms).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.layouts import default_mask, speakers
from terzetto.errors import InputError

Double = NDArray[np.float64]

_WORK = 16384  # frames that are measured at once
_OFFSET = -0.691  # dB: a sine of 997 Hz at full scale in one channel is -3.01 LUFS
_ABSOLUTE_GATE, _RELATIVE_GATE = -70.0, -10.0
# Gating blocks are counted by level. A class knows its energy exactly: only blocks in the very class that the relative
# gate cuts through could fall on the wrong side.
_CLASS, _CLASSES = 0.01, 12_000  # LU wide; up to +50 LUFS
_STEPS = 4  # a gating block begins every quarter of one
_TAPS = 16  # samples that a value between two samples is made of


class Meter:
    """Integrated loudness and true peak of a stream.

    Parameters
    ----------
    sample_rate : float
        In Hz.
    channels : int
    mask : int, optional
        Which speakers the channels are, as in a WAVE file's channel mask; by default as usual for their number. Side
        speakers, and back speakers where there are no side ones, count 1.41, LFE not at all.

    Raises
    ------
    InputError
        No channel, or not a sample rate.

    Examples
    --------
    >>> meter = Meter(48000, 1)
    >>> meter.add(np.sin(2 * np.pi * 997 / 48000 * np.arange(48000))[None])
    >>> round(meter.lufs, 1)
    -3.0
    """

    def __init__(self, sample_rate: float, channels: int, mask: int | None = None) -> None:
        if channels < 1 or not 4000 <= sample_rate <= 384_000:
            raise InputError(f"cannot measure {channels} channels at {sample_rate} Hz; valid: 1.., 4000 to 384000 Hz")
        self.channels = channels
        self._weights = channel_weights(channels, mask)
        self._filter = k_weighting(sample_rate)
        self._memory = np.zeros((self._filter.shape[0], channels, 2))
        self._step = round(sample_rate / 10)
        self._steps: deque[float] = deque(maxlen=_STEPS)  # weighted energies of the last complete steps
        self._partial, self._partial_frames = 0.0, 0
        self._counts = np.zeros(_CLASSES, np.int64)
        self._energies = np.zeros(_CLASSES)
        self._interpolator = _interpolator(4 if sample_rate < 96_000 else 2 if sample_rate < 192_000 else 1)
        # Between samples a signal is at most this much larger than its samples.
        self._overshoot = float(np.abs(self._interpolator).sum(axis=1).max(initial=0.0))
        self._past = np.zeros((channels, _TAPS - 1))
        self._peak = self._sample_peak = 0.0
        self._waiting = np.zeros((channels, _WORK), np.float32)
        self._filled = 0

    def add(self, block: NDArray[np.floating]) -> None:
        """Measure the next block (channels, frames) of any length."""
        if block.ndim != 2 or block.shape[0] != self.channels:
            raise InputError(f"the meter takes blocks of {self.channels} channels × frames; given {block.shape}")
        at = 0
        while at < block.shape[1]:  # small blocks are collected: the cost of a call hardly depends on its length
            count = min(_WORK - self._filled, block.shape[1] - at)
            self._waiting[:, self._filled : self._filled + count] = block[:, at : at + count]
            self._filled += count
            at += count
            if self._filled == _WORK:
                self._measure()

    @property
    def lufs(self) -> float:
        """Integrated loudness of what has been added, in LUFS."""
        self._measure()
        count, energy = int(self._counts.sum()), float(self._energies.sum())
        if not count:
            return -np.inf
        gate = _loudness(energy / count) + _RELATIVE_GATE
        means = np.divide(self._energies, self._counts, out=np.zeros(_CLASSES), where=self._counts > 0)
        loud = means > 10.0 ** ((gate - _OFFSET) / 10.0)
        return _loudness(float(self._energies[loud].sum()) / int(self._counts[loud].sum()))

    @property
    def true_peak_db(self) -> float:
        """Largest value on and between the samples, in dBTP (4 times oversampled, twice from 96 kHz, not from 192)."""
        self._measure()
        rest = np.concatenate([self._past, np.zeros((self.channels, _TAPS - 1))], axis=1)
        return _decibels(max(self._peak, self._between(rest)))

    @property
    def peak_db(self) -> float:
        """Largest sample, in dBFS."""
        self._measure()
        return _decibels(self._sample_peak)

    def _measure(self) -> None:
        import scipy.signal  # half a second: not for every command, nor for an engine that starts

        sound = self._waiting[:, : self._filled].astype(np.float64)
        self._filled = 0
        if sound.shape[1]:
            self._find_peak(sound)
            weighted, self._memory = scipy.signal.sosfilt(self._filter, sound, zi=self._memory)
            self._gate(np.einsum("c,cn,cn->n", self._weights, weighted, weighted))

    def _gate(self, energy: Double) -> None:
        first = self._step - self._partial_frames
        if len(energy) < first:
            self._partial += float(energy.sum())
            self._partial_frames += len(energy)
            return
        ends = np.arange(first, len(energy) + 1, self._step)
        sums = np.add.reduceat(energy, np.concatenate([[0], ends[:-1]]))
        sums[-1] = energy[ends[-2] if len(ends) > 1 else 0 : ends[-1]].sum()
        sums[0] += self._partial
        self._partial, self._partial_frames = float(energy[ends[-1] :].sum()), len(energy) - int(ends[-1])
        for step in sums:
            self._steps.append(float(step))
            if len(self._steps) == _STEPS:
                self._count(sum(self._steps) / (_STEPS * self._step))

    def _count(self, energy: float) -> None:
        level = _loudness(energy)
        if level > _ABSOLUTE_GATE:
            number = min(int((level - _ABSOLUTE_GATE) / _CLASS), _CLASSES - 1)
            self._counts[number] += 1
            self._energies[number] += energy

    def _find_peak(self, sound: Double) -> None:
        self._sample_peak = max(self._sample_peak, float(np.abs(sound).max()))
        self._peak = max(self._peak, self._sample_peak)
        both = np.concatenate([self._past, sound], axis=1)
        size = 1024
        for start in range(0, sound.shape[1], size):
            part = both[:, start : start + size + _TAPS - 1]
            if np.abs(part).max() * self._overshoot > self._peak:  # elsewhere no new peak can be
                self._peak = max(self._peak, self._between(part))
        self._past = both[:, both.shape[1] - (_TAPS - 1) :]

    def _between(self, sound: Double) -> float:
        if len(self._interpolator) == 0 or sound.shape[1] < _TAPS:
            return 0.0
        windows = np.lib.stride_tricks.sliding_window_view(sound, _TAPS, axis=1)
        return float(np.abs(windows @ self._interpolator.T).max())


def k_power(sample_rate: float, frequencies: NDArray[np.floating]) -> Double:
    """Return by how much the K-weighting changes the power at frequencies in Hz."""
    delay = np.exp(-2j * np.pi * frequencies / sample_rate)
    powers = np.stack([np.ones_like(delay), delay, delay**2])
    sections = [np.abs((row[:3] @ powers) / (row[3:] @ powers)) ** 2 for row in k_weighting(sample_rate)]
    return np.asarray(np.prod(sections, axis=0))


def k_weighting(sample_rate: float) -> Double:
    """Return the K-weighting filter of BS.1770 as two second-order sections, for any sample rate.

    The standard gives coefficients for 48 kHz only; these are the analogue filters behind them.
    """
    sections = []
    for frequency, quality, gain in (
        (1681.974450955533, 0.7071752369554196, 3.999843853973347),
        (38.13547087602444, 0.5003270373238773, None),
    ):
        k = np.tan(np.pi * frequency / sample_rate)
        a0 = 1.0 + k / quality + k * k
        if gain is None:
            numerator = [1.0, -2.0, 1.0]
        else:
            high = 10.0 ** (gain / 20.0)
            middle = high**0.4996667741545416
            numerator = [
                (high + middle * k / quality + k * k) / a0,
                2.0 * (k * k - high) / a0,
                (high - middle * k / quality + k * k) / a0,
            ]
        sections.append([*numerator, 1.0, 2.0 * (k * k - 1.0) / a0, (1.0 - k / quality + k * k) / a0])
    return np.array(sections)


def channel_weights(channels: int, mask: int | None = None) -> Double:
    """Return how much each channel's energy counts (BS.1770-5, annex 1 and 3)."""
    names: Sequence[str] = speakers(default_mask(channels) if mask is None else mask)
    beside = {"SL", "SR"} if {"SL", "SR"} & set(names) else {"BL", "BR"}
    weights = [0.0 if name in ("LFE", "LFE2") else 1.41 if name in beside else 1.0 for name in names]
    return np.array([*weights, *[1.0] * channels][:channels])


def _interpolator(factor: int) -> Double:
    """Return the weights (phases, taps) that make the values between two samples."""
    phases = np.arange(1, factor) / factor
    at = np.arange(_TAPS) - (_TAPS // 2 - 1) - phases[:, None]
    weights = np.sinc(at) * np.i0(5.0 * np.sqrt(1.0 - (at / (_TAPS / 2)) ** 2))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True)) if factor > 1 else np.zeros((0, _TAPS))


def _loudness(energy: float) -> float:
    return _OFFSET + 10.0 * float(np.log10(energy)) if energy > 0 else -np.inf


def _decibels(value: float) -> float:
    return 20.0 * float(np.log10(value)) if value > 0 else -np.inf
