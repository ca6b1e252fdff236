"""From a drum sound's maps to audio: a sine for the body and for every ridge of the partials, and shaped noise."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft
from scipy.signal import butter, sosfilt

from terzetto.drums.sound_maps import (
    BODY_PITCH,
    COLUMN_FRAMES,
    COLUMNS,
    FLOOR,
    FREQUENCIES,
    HOP,
    ROWS,
    SAMPLE_RATE,
    SPECTRA,
    SoundMaps,
)
from terzetto.drums.sound_ridges import FAINTEST, Ridge, ridges

Float = NDArray[np.float32]

PEAK = 0.95
"""Of every sound."""
_SIZE = 256  # samples, of the window that noise is shaped in
_BLOCK = 64  # samples over which a sine's frequency and amplitude go in a straight line
_FADE_IN, _FADE_OUT, _SILENCE = 32, 260, 48  # samples, at the start, at the end, and behind it
_SHORTEST = 0.02  # seconds


def synthesise(maps: SoundMaps, seed: int = 0) -> Float:
    """Return the sound of maps, float32 (frames,) at 44.1 kHz.

    It starts and ends at 0, has no DC and a peak of 0.95. The seed draws the noise.
    """
    seconds = max(maps.seconds, _SHORTEST)
    hops = min(int(np.ceil(seconds * SAMPLE_RATE / HOP)) + 1, SPECTRA)
    frames = min(round(seconds * SAMPLE_RATE), (hops - 1) * HOP)
    audio = shape_noise(maps.noise, hops, seed)[:frames] + sum_sines(maps, hops)[:frames]
    audio = sosfilt(_high_pass(), audio)
    return finish(audio)


def finish(audio: NDArray[np.floating]) -> Float:
    """Fade a sound in within 0.7 ms and out within 6 ms, to silence, and bring its peak to 0.95."""
    envelope = np.ones(len(audio))
    envelope[:_FADE_IN] = np.sin(np.pi / 2 * np.arange(_FADE_IN) / _FADE_IN) ** 4
    envelope[-_SILENCE:] = 0.0
    envelope[-_SILENCE - _FADE_OUT : -_SILENCE] = 0.5 + 0.5 * np.cos(np.pi * np.arange(_FADE_OUT) / _FADE_OUT)
    audio = audio * envelope
    # What is left of DC goes where the sound is, so that both ends stay at 0.
    audio = audio - envelope * (audio.sum() / envelope.sum())
    peak = float(np.abs(audio).max())
    return np.asarray(audio * (PEAK / peak) if peak > 1e-9 else np.zeros(len(audio)), np.float32)


def shape_noise(noise: Float, hops: int, seed: int) -> Float:
    """Return white noise with the power densities of a map, float32 (hops · 128,)."""
    step = _SIZE // 4
    windows = hops * HOP // step
    white = np.random.default_rng(seed).standard_normal((windows - 1) * step + _SIZE, dtype=np.float32)
    window = _window()
    spectra = rfft(np.lib.stride_tricks.sliding_window_view(white, _SIZE)[::step] * window, axis=1)
    decibels = (_to_bins() @ noise) @ _to_windows(windows)
    gains = np.exp(np.float32(np.log(10) / 20) * decibels) - np.float32(10 ** (FLOOR / 20))
    gains[0] = gains[-1] = 0.0
    pieces = irfft(spectra * np.maximum(gains, 0.0).T, n=_SIZE, axis=1) * window
    # Everything lies under four windows, whose squares sum to 3/2.
    out = np.zeros((windows + 3, step), np.float32)
    for part in range(4):
        out[part : part + windows] += pieces[:, part * step : (part + 1) * step]
    return out.reshape(-1)[_SIZE // 2 :][: hops * HOP] / np.float32(1.5)


def sum_sines(maps: SoundMaps, hops: int) -> Float:
    """Return body and partials as sines that start at phase 0, float32 (hops · 128,)."""
    blocks = hops * HOP // _BLOCK
    out = np.zeros((blocks, _BLOCK), np.float32)
    body = Ridge(np.arange(COLUMNS), BODY_PITCH * 2.0 ** maps.pitch.astype(np.float64), maps.body.astype(np.float64))
    for ridge in (body, *ridges(maps.partials)):
        if ridge.decibels.max() <= FAINTEST:
            continue
        first = COLUMN_FRAMES[ridge.columns[0] - 1] if ridge.columns[0] else -1.0
        last = COLUMN_FRAMES[min(ridge.columns[-1] + 1, COLUMNS - 1)]
        begin, end = max(int(first * HOP / _BLOCK), 0), min(int(np.ceil(last * HOP / _BLOCK)), blocks)
        if end > begin:
            at = np.arange(begin, end + 1) * (_BLOCK / HOP)
            times = COLUMN_FRAMES[ridge.columns]
            edges = np.concatenate(([first], times, [last + 1e-6]))
            loud = np.interp(at, edges, np.concatenate(([FLOOR], ridge.decibels, [FLOOR])))
            amplitude = np.maximum(10 ** (loud / 20) - 10 ** (FLOOR / 20), 0.0)
            _add_sine(out[begin:end], np.interp(at, times, ridge.frequencies), amplitude)
    return out.reshape(-1)


def _add_sine(out: Float, frequency: NDArray[np.float64], amplitude: NDArray[np.float64]) -> None:
    """Add a sine to blocks, (n, 64), given what it is at their edges, (n + 1,) each."""
    step = frequency * (2 * np.pi / SAMPLE_RATE)
    phase = np.zeros(len(out))
    np.cumsum(0.5 * (step[1:-1] + step[:-2]) * _BLOCK, out=phase[1:])
    phase %= 2 * np.pi
    n = np.arange(_BLOCK, dtype=np.float32)
    bend = (np.diff(step) / (2 * _BLOCK)).astype(np.float32)[:, None]
    angle = phase.astype(np.float32)[:, None] + n * (step[:-1].astype(np.float32)[:, None] + n * bend)
    rise = (np.diff(amplitude) / _BLOCK).astype(np.float32)[:, None]
    out += np.sin(angle) * (amplitude[:-1].astype(np.float32)[:, None] + n * rise)


@functools.cache
def _window() -> Float:
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_SIZE) / _SIZE), np.float32)


@functools.cache
def _to_bins() -> Float:
    """Return the weights of the rows in each bin of the noise's spectrum, (bins, rows)."""
    frequencies = np.maximum(np.arange(_SIZE // 2 + 1) * SAMPLE_RATE / _SIZE, 1.0)
    return _hats(np.interp(frequencies, FREQUENCIES, np.arange(ROWS)), ROWS)


@functools.cache
def _to_windows(windows: int) -> Float:
    """Return the weights of the columns in each window, (columns, windows)."""
    at = np.arange(windows) * (_SIZE // 4 / HOP)
    return np.ascontiguousarray(_hats(np.interp(at, COLUMN_FRAMES, np.arange(COLUMNS)), COLUMNS).T)


def _hats(positions: NDArray[np.float64], n: int) -> Float:
    return np.asarray(np.clip(1 - np.abs(positions[:, None] - np.arange(n)), 0, None), np.float32)


@functools.cache
def _high_pass() -> NDArray[np.float64]:
    return np.asarray(butter(2, 22.0, "highpass", fs=SAMPLE_RATE, output="sos"))
