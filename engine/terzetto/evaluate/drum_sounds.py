"""How good drum sounds are: how near a reconstruction is, whether they are recognised, whether anything is broken.

Conventions: a sound is mono, float (frames,), full scale ±1. Distances do not know loudness: both sounds are brought to
one energy. The unit of independence of real sounds is the kit: intervals are 95 % bootstrap over kits. Classes are
indices; a macro recall is the mean of the classes' recalls, so that few claps count as much as many kicks.

Log-spectral distance: Gray and Markel, *Distance measures for speech processing* (IEEE TASSP 1976). Fréchet distance
between Gaussians: Dowson and Landau (1982), as in Heusel et al. 2017 for pictures and Kilgour et al. 2019 for audio.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.spectra import FrameGrid
from terzetto.errors import InputError
from terzetto.evaluate.intervals import RESAMPLES

Sound = NDArray[np.floating]
Float = NDArray[np.float64]
Int = NDArray[np.int64]

N_FFT, HOP_LENGTH = 1024, 256
FLOOR = 60.0
"""dB below the loudest value of the reference at which nothing is told apart any more."""
BANDS = 64


def validate(reference: Sound, estimate: Sound) -> None:
    """Check that both are one-dimensional, finite, and not silent.

    Raises
    ------
    InputError
        They are not.
    """
    for name, sound in (("reference", reference), ("estimate", estimate)):
        if sound.ndim != 1 or not len(sound):
            raise InputError(f"the {name} must be one sound (frames,); given is the shape {sound.shape}")
        if not np.isfinite(sound).all():
            raise InputError(f"the {name} has samples that are not finite numbers")
        if not sound.any():
            raise InputError(f"the {name} is silent: it has no spectrum to compare")


def log_spectral_distance(
    reference: Sound, estimate: Sound, sample_rate: float = 44_100, bands: int | None = None
) -> float:
    """Return the distance of two sounds' spectra in dB: over frames, the mean of the RMS difference over bins.

    Frames have 1024 samples (Hann), 256 apart. Values more than 60 dB below the reference's loudest are raised to that
    floor, and frames count in which either sound is above it; the shorter sound is followed by silence.

    Parameters
    ----------
    bands
        None for each bin (two noises of one spectrum are some 7 dB apart then), or a number of mel bands from 30 Hz to
        18 kHz (some 4 dB).

    Raises
    ------
    InputError
        A sound is empty, silent or not finite.
    """
    validate(reference, estimate)
    frames = max(len(reference), len(estimate))
    first, second = (_levels(sound, frames, sample_rate, bands) for sound in (reference, estimate))
    floor = float(first.max()) - FLOOR
    heard = (first.max(axis=1) > floor) | (second.max(axis=1) > floor)
    difference = np.maximum(first[heard], floor) - np.maximum(second[heard], floor)
    return float(np.sqrt(np.mean(difference**2, axis=1)).mean())


def _levels(sound: Sound, frames: int, sample_rate: float, bands: int | None) -> Float:
    """Return the levels (frames, bins or bands) in dB of a sound of unit energy, followed by silence."""
    grid = FrameGrid(sample_rate, N_FFT, HOP_LENGTH)
    padded = np.zeros(N_FFT + HOP_LENGTH * -(-frames // HOP_LENGTH), np.float32)
    padded[N_FFT // 2 : N_FFT // 2 + len(sound)] = sound / np.sqrt(np.sum(np.square(sound, dtype=np.float64)))
    power = np.abs(grid.stft(padded)).astype(np.float64) ** 2
    if bands is not None:
        import librosa

        power = power @ librosa.filters.mel(sr=sample_rate, n_fft=N_FFT, n_mels=bands, fmin=30.0, fmax=18_000.0).T
    return np.asarray(10.0 * np.log10(np.maximum(power, 1e-20)))


def recalls(truth: Int, found: Int, classes: int) -> Float:
    """Return the share of each class that is found as such, (classes,); NaN for a class that is not there.

    Raises
    ------
    InputError
        There are not as many of one as of the other, or none.
    """
    if truth.shape != found.shape or not len(truth):
        raise InputError(f"{len(truth)} classes cannot be compared with {len(found)}; give as many, and at least one")
    total = np.bincount(truth, minlength=classes)
    right = np.bincount(truth[truth == found], minlength=classes)
    return np.where(total > 0, right / np.maximum(total, 1), np.nan)


def macro_recall(truth: Int, found: Int, unit: Sequence[str] | Int, classes: int) -> dict[str, float]:
    """Return the mean of the classes' recalls with its interval over units, as `intervals.interval` does.

    Units (kits) are drawn with replacement, 10,000 times; a class that no drawn unit has is left out of that mean.
    """
    total, right = _by_unit(truth, truth == found, unit, classes)
    draws = _macro(total, right)
    low, high = np.percentile(draws, (2.5, 97.5))
    return {"mean": float(np.nanmean(recalls(truth, found, classes))), "low": float(low), "high": float(high)}


def recall_lost(truth: Int, before: Int, after: Int, unit: Sequence[str] | Int, classes: int) -> dict[str, float]:
    """Return by how much the macro recall falls from one finding to another of the same sounds, with its interval."""
    total, right = _by_unit(truth, truth == before, unit, classes)
    _, still = _by_unit(truth, truth == after, unit, classes)
    low, high = np.percentile(_macro(total, right) - _macro(total, still), (2.5, 97.5))
    lost = recalls(truth, before, classes) - recalls(truth, after, classes)
    return {"mean": float(np.nanmean(lost)), "low": float(low), "high": float(high)}


def _by_unit(truth: Int, right: NDArray[np.bool_], unit: Sequence[str] | Int, classes: int) -> tuple[Float, Float]:
    """Return how many sounds each unit has of each class, and how many of them are right: (units, classes) each."""
    _, index = np.unique(np.asarray(unit), return_inverse=True)
    cell = index * classes + truth
    size = (int(index.max()) + 1) * classes
    total = np.asarray(np.bincount(cell, minlength=size), np.float64)
    hits = np.asarray(np.bincount(cell, right, minlength=size), np.float64)
    return total.reshape(-1, classes), hits.reshape(-1, classes)


def _macro(total: Float, right: Float) -> Float:
    """Return macro recalls of drawn units, (draws,)."""
    units = len(total)
    weight = np.random.default_rng(0).multinomial(units, np.full(units, 1.0 / units), RESAMPLES).astype(np.float64)
    number = weight @ total
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nanmean((weight @ right) / np.where(number > 0, number, np.nan), axis=1))


def frechet_distance(first: Float, second: Float) -> float:
    """Return the Fréchet distance of two sets of embeddings, each taken for a Gaussian: 0 where they are alike.

    |μ₁ - μ₂|² + tr(Σ₁ + Σ₂ - 2 (Σ₁ Σ₂)^½). It falls with the number of sounds, so only sets of like size are compared.

    Parameters
    ----------
    first, second
        (sounds, dimensions), with more sounds than dimensions.

    Raises
    ------
    InputError
        Other shapes, or too few sounds.
    """
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1]:
        raise InputError(f"embeddings are (sounds, dimensions); given {first.shape} and {second.shape}")
    if min(len(first), len(second)) <= first.shape[1]:
        raise InputError(f"{min(len(first), len(second))} sounds have no covariance in {first.shape[1]} dimensions")
    a, b = (np.cov(np.asarray(each, np.float64), rowvar=False).reshape(each.shape[1], -1) for each in (first, second))
    values, vectors = np.linalg.eigh(a)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    product = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ b @ root), 0.0)).sum()
    apart = float(np.sum((first.mean(axis=0) - second.mean(axis=0)) ** 2))
    return max(apart + float(np.trace(a) + np.trace(b)) - 2.0 * float(product), 0.0)


def evaluate(
    references: Sequence[Sound], estimates: Sequence[Sound], unit: Sequence[str], sample_rate: float = 44_100
) -> OrderedDict[str, dict[str, float]]:
    """Return the log-spectral distances of reconstructions, in bins and in bands: means over kits with intervals.

    Raises
    ------
    InputError
        There are not as many references as estimates and kits, or a sound is unusable.
    """
    from terzetto.evaluate.intervals import interval

    if not len(references) == len(estimates) == len(unit):
        raise InputError(f"{len(references)} sounds, {len(estimates)} reconstructions, {len(unit)} kits: give as many")
    results: OrderedDict[str, dict[str, float]] = OrderedDict()
    _, index = np.unique(np.asarray(unit), return_inverse=True)
    for name, bands in (("log-spectral distance, dB", None), (f"log-spectral distance in {BANDS} bands, dB", BANDS)):
        values = [
            log_spectral_distance(reference, estimate, sample_rate, bands)
            for reference, estimate in zip(references, estimates, strict=True)
        ]
        results[name] = interval(np.bincount(index, values) / np.bincount(index))
    return results
