"""What came out of a plugin: which of it is wet and which dry, and whether anything clicked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
FADE = 64  # frames


def delayed(audio: Float, frames: int) -> Float:
    """Delay by some frames, keeping the length."""
    out = np.zeros_like(audio)
    if frames < audio.shape[1]:
        out[:, frames:] = audio[:, : audio.shape[1] - frames]
    return out


@dataclass(frozen=True)
class Verdict:
    """How a stretch of output relates to the dry and the wet signal, each already at the output's latency.

    Attributes
    ----------
    dry, wet, fading, foreign : int
        Frames that equal the dry signal, the wet one, a mix of both, or neither. Frames where dry and wet are the
        same count as both.
    clicks : int
        Frames whose step from the one before is larger than any step of the dry or wet signal.
    sharpest : float
        The largest step, over the largest of the dry and wet signals.
    abrupt : int
        Changes from dry to wet or back with less than a fade between them. In a loud noise no step tells them.
    """

    dry: int
    wet: int
    fading: int
    foreign: int
    clicks: int
    sharpest: float
    abrupt: int


def judge(output: Float, dry: Float, wet: Float, tolerance: float = 1e-6) -> Verdict:
    """Judge an output; all three channels × frames, aligned."""
    is_dry = np.all(np.abs(output - dry) <= tolerance, axis=0)
    is_wet = np.all(np.abs(output - wet) <= tolerance, axis=0)
    low, high = np.minimum(dry, wet) - tolerance, np.maximum(dry, wet) + tolerance
    between = np.all((low <= output) & (output <= high), axis=0)
    largest = max(step(dry).max(), step(wet).max())
    steps = step(output).max(axis=0)
    return Verdict(
        dry=int(is_dry.sum()),
        wet=int(is_wet.sum()),
        fading=int((between & ~is_dry & ~is_wet).sum()),
        foreign=int((~between).sum()),
        clicks=int((steps > largest + tolerance).sum()),
        sharpest=float(steps.max() / largest),
        abrupt=abrupt_changes(is_dry & ~is_wet, is_wet & ~is_dry),
    )


def abrupt_changes(dry: NDArray[np.bool_], wet: NDArray[np.bool_]) -> int:
    """Count changes between frames that are dry only and frames that are wet only that take less than a fade."""
    frames = np.flatnonzero(dry | wet)
    changed = np.flatnonzero(dry[frames[1:]] != dry[frames[:-1]])
    between = frames[changed + 1] - frames[changed] - 1
    return int((between < FADE - 1).sum())  # a fade that begins with nothing shows one frame less


def step(audio: Float) -> Float:
    """Return how far each sample is from the one before."""
    steps: Float = np.abs(np.diff(audio, axis=1))
    return steps


def latency_of(output: Float, reference: Float) -> int:
    """Find the delay at which an output is most alike a reference, up to its sign."""
    size = 1 << (output.shape[1] + reference.shape[1]).bit_length()
    product = np.fft.rfft(output[0], size) * np.conj(np.fft.rfft(reference[0], size))
    likeness = np.abs(np.fft.irfft(product, size))
    return int(np.argmax(likeness[: output.shape[1]]))


def differences(output: Float, expected: Float, tolerance: float = 0.0) -> str:
    """Say where an output is not what was expected; empty if it is."""
    if output.shape != expected.shape:
        return f"{output.shape} instead of {expected.shape}"
    apart = np.abs(output - expected).max(axis=0)
    where = np.flatnonzero(~(apart <= tolerance))
    if where.size == 0:
        return ""
    silent = int((np.abs(output[:, where]).max(axis=0) == 0).sum())
    dry = int((np.abs(output + expected)[:, where].max(axis=0) <= 1e-6).sum())
    return (
        f"{where.size} of {apart.size} frames differ by up to {apart.max():g}, from frame {where[0]} to {where[-1]}; "
        f"{silent} of them are silent, {dry} upside down"
    )
