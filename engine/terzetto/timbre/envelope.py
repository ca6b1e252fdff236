"""Spectral-envelope hybridisation: the fine structure of one sound under the spectral envelope of another.

The envelope is the low quefrencies of the cepstrum (Cella's slides on style transfer, equation 1):
E = DFT(W_LP · DFT⁻¹(log|DFT(s)|)), and the true envelope (Röbel and Rodet, "Efficient spectral envelope estimation and
its application to pitch shifting and envelope preservation", DAFx 2005) is its iteration that rests on the partials.

The slides flatten the *target* and impose the source's envelope on it: the target's notes are heard, played round and
round, speaking with the source's voice (the vocoder's carrier and modulator). The other way round, with
``flatten="source"``, the source keeps its notes and takes the target's envelope.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from terzetto.audio.spectra import FrameGrid
from terzetto.errors import InputError
from terzetto.timbre.conversion import Complex, Controls, stream_grid
from terzetto.timbre.loudness import Loudness
from terzetto.timbre.target import Target, read_target

Float = NDArray[np.float32]

FLATTEN = ("target", "source")
LIFTER = 0.0008
"""Seconds of quefrency that make the envelope: shorter than the periods below 1250 Hz, so partials there stay."""
DEPTH = np.log(1e3)
"""How far below its highest point an envelope may fall: 60 dB. Beyond, flattening would dig up only noise."""
_FLOOR = np.float32(1e-7)
_CLOSE = np.log(10.0) / 20 * 2.0  # the true envelope may lie 2 dB below a partial
_ROUNDS = 40
_SUBSONIC = 30.0  # Hz
_MOST_GAIN = 16.0  # a carrier's pauses stay pauses


class CepstralEnvelope:
    """Envelopes of the log magnitudes on a grid.

    Parameters
    ----------
    grid : FrameGrid
    lifter : float
        Quefrency in seconds up to which the cepstrum is kept: 0.0002 to half a window.
    true_envelope : bool
        Iterate until no partial stands out by more than 2 dB.

    Raises
    ------
    InputError
        The lifter is out of range.
    """

    def __init__(self, grid: FrameGrid, lifter: float = LIFTER, true_envelope: bool = False) -> None:
        longest = grid.n_fft / grid.sample_rate / 2
        if not 0.0002 <= lifter <= longest:
            raise InputError(f"lifter must be from 0.0002 to {longest:.4f} s of quefrency; given {lifter}")
        self._n_fft, self._true_envelope = grid.n_fft, true_envelope
        self._kept = int(lifter * grid.sample_rate) + 1
        # What is as smooth as the envelope needs no more points than this: iterate on every fourth, where it will do.
        self._stride = next(stride for stride in (4, 2, 1) if stride == 1 or 4 * self._kept * stride <= grid.n_fft)

    def __call__(self, magnitudes: Float) -> Float:
        """Return the natural logarithm of the envelopes (…, bins) of magnitudes (…, bins)."""
        peak = magnitudes.max(axis=-1, keepdims=True)
        level = np.log(np.maximum(magnitudes, np.maximum(peak * 1e-5, _FLOOR)))
        cepstrum = self._iterated(level) if self._true_envelope else self._lifted(level, self._n_fft)
        envelope = self._drawn(cepstrum, self._n_fft)
        return cast(Float, np.maximum(envelope, envelope.max(axis=-1, keepdims=True) - np.float32(DEPTH)))

    def _iterated(self, level: Float) -> Float:
        """Lift the envelope until it rests on the partials (Röbel and Rodet 2005, equation 3)."""
        size = self._n_fft // self._stride
        level = _highest(level, self._stride)
        cepstrum = self._lifted(level, size)
        for _ in range(_ROUNDS):
            envelope = self._drawn(cepstrum, size)
            if np.all(level - envelope < _CLOSE):
                break
            cepstrum = self._lifted(np.maximum(level, envelope), size)
        return cepstrum

    def _lifted(self, level: Float, size: int) -> Float:
        """Return the low quefrencies. The cepstrum is even: its first half says all."""
        cepstrum = cast(Float, scipy.fft.irfft(level, size, axis=-1))[..., : self._kept]
        cepstrum[..., 1:] *= 2.0
        return cepstrum

    def _drawn(self, cepstrum: Float, size: int) -> Float:
        return cast(Float, scipy.fft.rfft(cepstrum, size, axis=-1).real)


def _highest(level: Float, stride: int) -> Float:
    """Return every ``stride``-th bin, as high as the highest of those around it."""
    if stride == 1:
        return level
    half = stride // 2
    padded = np.concatenate([level[..., half:0:-1], level, level[..., -2 : -2 - half : -1]], axis=-1)
    coarse = padded[..., ::stride].copy()
    for offset in range(1, stride):
        shifted = padded[..., offset::stride]
        np.maximum(coarse[..., : shifted.shape[-1]], shifted, out=coarse[..., : shifted.shape[-1]])
    return coarse[..., : (level.shape[-1] - 1) // stride + 1]


class EnvelopeConversion:
    """Hybridises frames of a stream with those of a target.

    Parameters
    ----------
    target : Target
        On the stream's grid; its frames go round and round.
    flatten : {'target', 'source'}
        Which one's envelope is taken away; the other's takes its place.
    lifter, true_envelope
        See `CepstralEnvelope`.
    """

    look_ahead = 0

    def __init__(
        self, target: Target, *, flatten: str = "target", lifter: float = LIFTER, true_envelope: bool = False
    ) -> None:
        if flatten not in FLATTEN:
            raise InputError(f"flatten {flatten!r} is not known; valid: {', '.join(FLATTEN)}")
        self.grid = target.grid
        self._target = target
        self._envelope = CepstralEnvelope(target.grid, lifter, true_envelope)
        self._loudness = Loudness(target.grid)
        self._flatten_source = flatten == "source"
        # What lies there is no sound: flattening must not make it one.
        self._subsonic = max(target.grid.bins_up_to(_SUBSONIC), 2)
        # In its pauses the target has no timbre: the last one that sounded stays.
        places = np.where(target.sounding, np.arange(len(target)), -1)
        places[0] = int(np.argmax(target.sounding))
        self._sounding = np.maximum.accumulate(places)
        self._typical = float(np.quantile(target.loudness[target.sounding], 0.9))
        self.reset()

    def reset(self) -> None:
        """Begin with the target's first frame."""
        self._next = 0

    def convert(self, spectra: Complex, controls: Controls) -> Complex:
        """Return the next hybrid frame; see `terzetto.timbre.conversion.Conversion`."""
        frame = self._next
        self._next = (frame + 1) % len(self._target)
        if controls.amount == 0.0:
            return spectra
        if self._flatten_source:
            return self._with_targets_envelope(spectra, frame, controls)
        hybrid = self._with_sources_envelope(spectra, frame)
        return self._loudness.mixed(spectra, hybrid, controls.amount, controls.follow, _MOST_GAIN)

    def _with_targets_envelope(self, spectra: Complex, frame: int, controls: Controls) -> Complex:
        amount = np.float32(controls.amount)
        other = self._target.spectrum(int(self._sounding[frame]))
        # The root mean square of the channels: the mid of a wide sound may be empty where the sound is not.
        magnitude = np.sqrt(np.mean(spectra.real**2 + spectra.imag**2, axis=0))
        here, there = self._envelope(np.stack([magnitude, np.abs(other)]))
        here[: self._subsonic] = here.max()
        hybrid = _without_offset(spectra, amount) * np.exp(amount * (there - here))
        own = np.float32((self._target.loudness[frame] / self._target.loudness[self._sounding[frame]]) ** 0.5)
        carried = self._loudness.gain(spectra, hybrid, controls.follow)
        return cast(Complex, hybrid * (carried * own ** (amount * np.float32(1.0 - controls.follow))))

    def _with_sources_envelope(self, spectra: Complex, frame: int) -> Complex:
        carrier = self._target.spectrum(frame)
        envelopes = self._envelope(np.abs(np.concatenate([spectra, carrier[None]])))
        envelopes[-1, : self._subsonic] = envelopes[-1].max()
        hybrid = _without_offset(carrier) * np.exp(envelopes[:-1] - envelopes[-1])
        # Its dynamics belong to the carrier, its spectrum is flattened: in a pause there is nothing to flatten.
        own = np.float32(min((self._target.loudness[frame] / self._typical) ** 0.5, 1.0))
        return cast(Complex, own * hybrid)


def _without_offset(spectra: Complex, share: float | np.float32 = 1.0) -> Complex:
    """Return spectra (…, bins) without what a constant leaves in them: a Hann window spreads it over two bins."""
    result = spectra.copy()
    result[..., 0] -= np.float32(share) * spectra[..., 0]
    result[..., 1] += np.float32(0.5 * share) * spectra[..., 0]
    return result


def open_envelope(
    to: str,
    *,
    sample_rate: float,
    channels: int = 2,
    low_latency: bool = False,
    flatten: str = "target",
    lifter: float = LIFTER,
    true_envelope: bool = False,
) -> EnvelopeConversion:
    """Open a hybridisation with a recording; see `EnvelopeConversion` and `terzetto.timbre.methods.open_conversion`.

    Raises
    ------
    InputError
        The file cannot be used, or an option is not valid.
    """
    target = read_target(to, stream_grid(sample_rate, low_latency))
    return EnvelopeConversion(target, flatten=flatten, lifter=lifter, true_envelope=true_envelope)
