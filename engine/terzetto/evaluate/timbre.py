"""How good a conversion of timbre is: the pitch it must keep, the timbre it should reach, attack and loudness.

Conventions: sounds are mono, float (frames,), full scale ±1, at one sample rate. Input and output of a conversion have
the same length and time. Pitch: `terzetto.evaluate.pitch_tracks`. Distances of timbre know neither loudness nor pitch
by themselves: compare notes of about the same pitch. Levels are in dB.

After Gabrielli, Cella et al., *Deep Learning for Timbre Modification and Transfer: an Evaluation Study* (AES 2018):
a note is lost there when its pitch is. Here a note is kept only if its pitch is and the target instrument is heard.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.loudness import k_weighting
from terzetto.errors import InputError
from terzetto.evaluate.intervals import interval
from terzetto.evaluate.pitch_tracks import is_kept

Sound = NDArray[np.floating]
Float = NDArray[np.float64]

COEFFICIENTS = 20
"""MFCC 1..20: the zeroth is the level."""
BLOCK = 0.025
"""Seconds over which levels are taken."""
QUIETEST = 40.0
"""dB below the input's loudest: what is quieter is not compared."""
_ATTACK = 0.25


def validate(reference: Sound, estimate: Sound) -> None:
    """Check that both are one-dimensional, finite, as long as each other, and that the reference is not silent.

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
    if len(reference) != len(estimate):
        raise InputError(f"input and output must be as long; given are {len(reference)} and {len(estimate)} frames")
    if not reference.any():
        raise InputError("the reference is silent: there is nothing to compare")


def mfcc(audio: Sound, sample_rate: float) -> Float:
    """Return the mean MFCC 1..20 of a sound over its frames within 40 dB of the loudest, float (20,).

    Frames of 46 ms, 64 mel bands from 40 Hz to 10 kHz, natural units of librosa's (dB, orthonormal DCT).
    """
    import librosa

    n_fft = 1 << round(np.log2(0.046 * sample_rate))
    power = librosa.feature.melspectrogram(
        y=np.asarray(audio, np.float32),
        sr=sample_rate,
        n_fft=n_fft,
        hop_length=n_fft // 4,
        n_mels=64,
        fmin=40.0,
        fmax=10_000.0,
    )
    loud = 10.0 * np.log10(power.sum(axis=0) + 1e-20)
    heard = power[:, loud > loud.max() - QUIETEST]
    levels = librosa.power_to_db(heard, ref=np.max, top_db=80.0)
    coefficients: Float = librosa.feature.mfcc(S=levels, n_mfcc=COEFFICIENTS + 1).mean(axis=1)
    return np.asarray(coefficients[1:], np.float64)


def mfcc_distance(reference: Sound, estimate: Sound, sample_rate: float) -> float:
    """Return the Euclidean distance of two sounds' `mfcc`: 0 for one spectrum, whatever the level."""
    return float(np.linalg.norm(mfcc(reference, sample_rate) - mfcc(estimate, sample_rate)))


def levels(audio: Sound, sample_rate: float) -> Float:
    """Return K-weighted levels (ITU-R BS.1770) in dB of blocks of 25 ms."""
    import scipy.signal

    weighted = scipy.signal.sosfilt(k_weighting(sample_rate), np.asarray(audio, np.float64))
    length = round(BLOCK * sample_rate)
    blocks = weighted[: len(weighted) // length * length].reshape(-1, length)
    return np.asarray(10.0 * np.log10(np.mean(blocks**2, axis=1) + 1e-12))


def loudness_error(reference: Sound, estimate: Sound, sample_rate: float) -> float:
    """Return how far the estimate's loudness strays from the input's: mean absolute difference in dB.

    Over blocks of 25 ms in which the input is within 40 dB of its loudest; an overall gain counts as an error too.

    Raises
    ------
    InputError
        See `validate`.
    """
    validate(reference, estimate)
    wanted, found = levels(reference, sample_rate), levels(estimate, sample_rate)
    heard = wanted > wanted.max() - QUIETEST
    floor = wanted.max() - QUIETEST - 20.0
    return float(np.mean(np.abs(wanted[heard] - np.maximum(found[heard], floor))))


def attack_time(audio: Sound, sample_rate: float, onset: float) -> float:
    """Return how long a note's envelope takes from 10 to 90 % of its largest value, in seconds.

    The envelope is the RMS of 5 ms, every millisecond, from 50 ms before the onset to 0.25 s after it.
    """
    first = max(round((onset - 0.05) * sample_rate), 0)
    piece = np.asarray(audio[first : round((onset + _ATTACK) * sample_rate)], np.float64)
    hop, size = round(0.001 * sample_rate), round(0.005 * sample_rate)
    if len(piece) < 2 * size or not piece.any():
        return float("nan")
    energy = np.concatenate([[0.0], np.cumsum(piece**2)])
    starts = np.arange(0, len(piece) - size, hop)
    envelope = np.sqrt((energy[starts + size] - energy[starts]) / size)
    top = int(np.argmax(envelope >= 0.9 * envelope.max()))
    below = np.flatnonzero(envelope[: top + 1] <= 0.1 * envelope.max())
    return float((top - (below[-1] if len(below) else 0)) * hop / sample_rate)


@dataclass(frozen=True)
class NoteResult:
    """What was measured on one converted note.

    Attributes
    ----------
    unit : str
        The unit of independence: the input note, whatever it was turned into.
    target : str
        The instrument it should sound like.
    in_range : bool
        Whether the target was trained on this pitch.
    cents : dict of float
        By tracker: how far the pitch is off, NaN where there is none.
    heard : str
        The instrument that the judge hears; empty where there is silence.
    rank : int
        Which of the judge's guesses the target is, 1 for the first.
    accepted : bool
        Whether the judge finds the target as likely as it finds it in 96 % of real notes.
    mfcc, embedding : float
        Distance to real notes of the target.
    attack : float
        Seconds by which the attack is longer than the input's.
    loudness : float
        dB.
    """

    unit: str
    target: str
    in_range: bool
    cents: dict[str, float]
    heard: str
    rank: int
    accepted: bool
    mfcc: float
    embedding: float
    attack: float
    loudness: float

    @property
    def pitch_kept(self) -> bool:
        """Whether pYIN is voiced and within 50 cents."""
        return is_kept(next(iter(self.cents.values())))

    @property
    def recognised(self) -> bool:
        """Whether the judge hears the target."""
        return self.heard == self.target

    @property
    def kept(self) -> bool:
        """Whether pitch and target instrument are both heard."""
        return self.pitch_kept and self.recognised


def evaluate(notes: Sequence[NoteResult]) -> OrderedDict[str, dict[str, float]]:
    """Return shares of notes lost and mean distances, each with its 95 % interval over input notes.

    Raises
    ------
    InputError
        There are no notes.
    """
    if not notes:
        raise InputError("no notes were converted: there is nothing to measure")
    units = sorted({note.unit for note in notes})
    index = np.array([units.index(note.unit) for note in notes])

    def over_units(values: Sequence[float]) -> dict[str, float]:
        known = np.isfinite(np.asarray(values, np.float64))
        total = np.bincount(index[known], np.asarray(values, np.float64)[known], minlength=len(units))
        number = np.bincount(index[known], minlength=len(units))
        if not number.any():
            return {"mean": float("nan"), "low": float("nan"), "high": float("nan"), "units": 0}
        return {**interval(total[number > 0] / number[number > 0]), "units": int(np.sum(number > 0))}

    results: OrderedDict[str, dict[str, float]] = OrderedDict()
    results["lost, %"] = over_units([100.0 * (not note.kept) for note in notes])
    for tracker in notes[0].cents:
        results[f"pitch lost by {tracker}, %"] = over_units([100.0 * (not is_kept(n.cents[tracker])) for n in notes])
    results["not heard as the target, %"] = over_units([100.0 * (not note.recognised) for note in notes])
    results["target not among the first two guesses, %"] = over_units([100.0 * (note.rank > 2) for note in notes])
    results["not accepted as the target, %"] = over_units([100.0 * (not note.accepted) for note in notes])
    results["pitch lost or not accepted, %"] = over_units(
        [100.0 * (not (note.pitch_kept and note.accepted)) for note in notes]
    )
    first = next(iter(notes[0].cents))
    results["pitch error where kept, cents"] = over_units(
        [abs(n.cents[first]) if n.pitch_kept else float("nan") for n in notes]
    )
    results["MFCC distance"] = over_units([note.mfcc for note in notes])
    results["embedding distance"] = over_units([note.embedding for note in notes])
    results["attack longer by, ms"] = over_units([1000.0 * note.attack for note in notes])
    results["loudness error, dB"] = over_units([note.loudness for note in notes])
    return results
