"""The non-stationary Gabor transform: a spectrogram with bands on a scale of one's choice that can be turned back.

A signal's spectrum is cut into overlapping windows, as wide as the scale says, and each window is transformed back
into a band of coefficients over time. If a band has at least as many coefficients as its window has frequencies, the
frame operator is diagonal (the *painless* case: Balazs, Dörfler, Jaillet, Holighaus, Velasco 2011, "Theory,
implementation and applications of nonstationary Gabor frames", theorem 1). Here all bands have the same number of
coefficients, so that they make a matrix for networks, and the windows are cosines over the scale's own coordinate:
between two centres their squares sum to 1, the frame is tight, and its dual is itself.
"""

from __future__ import annotations

from typing import Any, Literal, cast

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from terzetto.errors import InputError

Scale = Literal["mel", "log", "linear"]
Real = NDArray[np.floating[Any]]
Complex = NDArray[np.complexfloating[Any, Any]]
SCALES: tuple[Scale, ...] = ("mel", "log", "linear")
_KNEE = 700.0  # Hz: below it the mel scale is nearly linear, above nearly logarithmic
_FLOOR = 1e-7  # of the largest magnitude: the logarithm's
_GAUSSIAN = 0.5543  # exp(-π 0.5543 x²) is the Gaussian nearest to cos(π x / 2) on -1..1, in mean square


class Nsgt:
    """The transform of signals of one length.

    Parameters
    ----------
    sample_rate : float
        In Hz.
    samples : int
        Length of the signals. The transform is circular, what goes over one end comes in at the other: append silence
        to a sound that is cut off, and put 20 ms before an onset if the phase is to be found again.
    bands : int
        From 0 Hz to half the sample rate, both included.
    scale : {"mel", "log", "linear"}
        Where the bands lie. ``log`` has one band at 0 Hz, the next at ``lowest`` and the others at equal ratios.
    frames : int, optional
        Coefficients of each band; at least `frames_needed`, which is not far below what is chosen without it.
    lowest : float
        In Hz; only for ``log``.

    Attributes
    ----------
    frames_needed : int
        Frequencies in the widest band, so the fewest frames from which the signal can be had back.
    shape : tuple of int
        (bands, frames).
    frequency : float (bands,)
        Centres in Hz.

    Raises
    ------
    InputError
        An unknown scale, too few frames, or bands so narrow that one holds no frequency of so short a signal.
    """

    def __init__(
        self,
        sample_rate: float,
        samples: int,
        bands: int,
        scale: Scale = "mel",
        *,
        frames: int | None = None,
        lowest: float = 32.7,
    ) -> None:
        nyquist = sample_rate / 2
        if scale not in SCALES:
            raise InputError(f"scale {scale!r}: there are {', '.join(SCALES)}")
        if samples < 2 or bands < 3:
            raise InputError(f"{samples} samples and {bands} bands: give at least 2 samples and 3 bands")
        if scale == "log" and not 0.0 < lowest < nyquist:
            raise InputError(f"lowest {lowest:g} Hz: it must lie between 0 and half the sample rate, {nyquist:g} Hz")
        self.sample_rate, self.samples = sample_rate, samples
        self.frequency = _frequency(np.arange(bands), scale, bands, nyquist, lowest)
        bins = np.arange(samples // 2 + 1)
        place = np.clip(_place(bins * (sample_rate / samples), scale, bands, nyquist, lowest), 0.0, bands - 1.0)
        self._band = np.minimum(place.astype(np.int64), bands - 2)  # each bin lies in this band and in the next
        falling = 0.5 * np.pi * (place - self._band)
        self._weight = np.cos(falling), np.sin(falling)
        lower, upper = np.floor(place).astype(np.int64), np.ceil(place).astype(np.int64)
        held = np.bincount(lower, minlength=bands) + np.bincount(upper[upper > lower], minlength=bands)
        self.frames_needed = int(held.max())
        if held.min() == 0:
            raise InputError(
                f"{bands} {scale} bands: the one at {self.frequency[held.argmin()]:.1f} Hz is too narrow for {samples} "
                f"samples, which resolve {sample_rate / samples:.1f} Hz; take fewer bands or append silence"
            )
        if frames is not None and frames < self.frames_needed:
            raise InputError(
                f"{frames} frames: with {bands} {scale} bands, {samples} samples at {sample_rate:g} Hz come back whole "
                f"from {self.frames_needed} frames or more; give more frames, more bands or fewer samples"
            )
        self.shape = (bands, frames or scipy.fft.next_fast_len(self.frames_needed))
        self._slot = bins % self.shape[1]

    def forward(self, samples: Real) -> Complex:
        """Return the coefficients (…, bands, frames) of signals (…, samples).

        Frame m is at ``m * samples / frames`` samples; a full-scale sine at a band's centre has magnitude 1. float32
        gives complex64, float64 complex128.
        """
        samples = np.asarray(samples)
        if samples.shape[-1] != self.samples:
            raise InputError(f"a signal of {samples.shape[-1]} samples: this transform is for {self.samples}")
        spectrum = scipy.fft.rfft(samples, axis=-1)
        windowed = np.zeros((*samples.shape[:-1], *self.shape), spectrum.dtype)
        for side, weight in enumerate(self._weights(spectrum.real.dtype)):
            windowed[..., self._band + side, self._slot] += spectrum * weight
        windowed *= 2 * self.shape[1] / self.samples
        return cast(Complex, scipy.fft.ifft(windowed, axis=-1, overwrite_x=True))

    def inverse(self, coefficients: Complex) -> Real:
        """Return signals (…, samples); of coefficients that are no signal's, the nearest signal in mean square."""
        coefficients = np.asarray(coefficients)
        if coefficients.shape[-2:] != self.shape:
            raise InputError(f"coefficients of shape {coefficients.shape}: this transform's are (…, bands, frames), "
                             f"{self.shape}")  # fmt: skip
        windowed = scipy.fft.fft(coefficients, axis=-1)
        spectrum = np.zeros((), windowed.dtype)
        for side, weight in enumerate(self._weights(windowed.real.dtype)):
            spectrum = spectrum + windowed[..., self._band + side, self._slot] * weight
        spectrum *= self.samples / (2 * self.shape[1])
        return cast(Real, scipy.fft.irfft(spectrum, self.samples, axis=-1))

    def phase_gradient(self, magnitude: Real) -> tuple[Real, Real]:
        """Return how the phase changes to the next band and to the next frame, (bands, frames) each, in radians.

        In time, a steady tone between two centres shows in their two bands as the cosine and the sine of its place,
        so the place is an arctangent. In frequency, each band takes the Gaussian nearest to its window, whose group
        delay is the slope of the logarithm (Průša & Holighaus 2017, "Non-iterative filter bank phase
        (re)construction", equation 9): with windows that reach no further than the next centre, the Gaussian's relation
        would be far off for the first.
        """
        step = self.samples / self.sample_rate / self.shape[1]  # of a frame, in seconds
        spacing = np.gradient(self.frequency)[:, None]
        edges = np.pad(magnitude, ((1, 1), (0, 0)))
        place = (np.arctan2(edges[2:], magnitude) - np.arctan2(edges[:-2], magnitude)) * (2 / np.pi)
        by_frame = 2 * np.pi * (np.remainder(self.frequency[:, None] * step, 1.0) + place * (spacing * step))
        level = np.log(np.maximum(magnitude, max(_FLOOR * float(magnitude.max()), 1e-30)))
        delay = _GAUSSIAN / spacing * np.gradient(level, step, axis=1)
        return -delay, by_frame

    def _weights(self, dtype: np.dtype[Any]) -> tuple[Real, Real]:
        return self._weight[0].astype(dtype), self._weight[1].astype(dtype)


def _place(frequency: Real, scale: Scale, bands: int, nyquist: float, lowest: float) -> Real:
    """Return where frequencies in Hz lie on the scale: at 0 the first band, at bands - 1 the last."""
    if scale == "mel":
        return cast(Real, np.log1p(frequency / _KNEE) * ((bands - 1) / np.log1p(nyquist / _KNEE)))
    if scale == "log":
        above = np.log(np.maximum(frequency, lowest) / lowest) * ((bands - 2) / np.log(nyquist / lowest))
        return cast(Real, np.where(frequency < lowest, frequency / lowest, 1.0 + above))
    return frequency * ((bands - 1) / nyquist)


def _frequency(place: NDArray[np.int64], scale: Scale, bands: int, nyquist: float, lowest: float) -> Real:
    """Return the frequency in Hz of whole places on the scale, the inverse of `_place`."""
    if scale == "mel":
        return cast(Real, _KNEE * np.expm1(place * (np.log1p(nyquist / _KNEE) / (bands - 1))))
    if scale == "log":
        return cast(Real, np.where(place < 1, 0.0, lowest * (nyquist / lowest) ** ((place - 1) / (bands - 2))))
    return place * (nyquist / (bands - 1))
