"""How the network is trained: phrases of the targets, played by random sounds, to be given back as they were."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from terzetto.timbre.hearing import LOWEST, PER_OCTAVE, PITCH_HZ, PITCHES, Hearing
from terzetto.timbre.partials import BANDS, PARTIALS
from terzetto_export.xsynth.analysis import DENSITY_FLOOR, FLOOR
from terzetto_export.xsynth.inputs import play, play_noise
from terzetto_export.xsynth.makers import Makers
from terzetto_export.xsynth.network import XSynth
from terzetto_export.xsynth.phrases import Phrase, Target, draw
from terzetto_export.xsynth.sorter import Sorter

FRAMES, BATCH, BATCHES = 180, 12, 40
CHORDS, NOISES = 0.16, 0.08
"""Shares of phrases that are chords of up to four, and noises."""
_SILENT = -80.0  # dB: nothing is asked of what is fainter
_HEARD = -50.0  # dB: what is fainter is not sorted
_BESIDE = 1.5  # semitones beyond the target's own notes that are sorted still


@dataclass
class Batch:
    """Phrases: what is heard, (n, frames, …), and what is wanted."""

    features: Tensor
    timbre: Tensor
    pitch: Tensor  # distribution over PITCHES + 1
    pitched: Tensor  # (n, frames): a pitch, or its absence, is asked for
    harmonic: Tensor
    audible: Tensor
    partials: Tensor
    noise: Tensor
    bands: Tensor
    level: Tensor

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device."""
        return Batch(*(getattr(self, each.name).to(device) for each in fields(self)))


class Player:
    """Makes batches of the targets' phrases."""

    def __init__(self, targets: Sequence[Target], hearing: Hearing, instruments: int, places: Sequence[int]) -> None:
        self.targets, self.hearing, self.instruments, self.places = targets, hearing, instruments, places
        self.mean_bands = [_mean_bands(target) for target in targets]
        self._ranges = [_range(target) for target in targets]

    def batch(self, random: np.random.Generator, size: int = BATCH) -> Batch:
        """Return a batch."""
        return Batch(*map(torch.from_numpy, self.arrays(random, size)))

    def arrays(self, random: np.random.Generator, size: int = BATCH) -> list[NDArray[np.float32]]:
        """Return the parts of a batch in the order of its fields."""
        rows = [self._row(random) for _ in range(size)]
        return [np.stack(values) for values in zip(*rows, strict=True)]

    def _row(self, random: np.random.Generator) -> tuple[NDArray[np.float32], ...]:
        which = int(random.integers(len(self.targets)))
        target, rate = self.targets[which], self.hearing.stream.sample_rate
        kind = random.random()
        phrase = draw(target, FRAMES, rate, random)
        if kind < NOISES:
            audio = play_noise(phrase.gesture.envelope, random)
            bands = np.broadcast_to(self.mean_bands[which], phrase.bands.shape)
            phrase = Phrase(
                np.zeros_like(phrase.pitch), phrase.level, phrase.partials, phrase.noise, bands, phrase.gesture
            )
            harmonic = np.zeros(FRAMES, np.float32)
        elif kind < NOISES + CHORDS:
            others = [draw(target, FRAMES, rate, random) for _ in range(int(random.integers(1, 4)))]
            timbre = random.integers(2**32)
            audio = np.sum(
                [play(each.gesture, rate, np.random.default_rng(timbre)) for each in (phrase, *others)], axis=0
            ).astype(np.float32)
            sounding = np.sum([each.level > -60 for each in (phrase, *others)], axis=0)
            power = np.sum([10 ** ((each.bands + each.level[:, None]) / 10) for each in (phrase, *others)], axis=0)
            total = np.sum([10 ** (each.level / 10) for each in (phrase, *others)], axis=0)
            phrase.bands = (10 * np.log10(np.maximum(power, 1e-24) / total[:, None])).astype(np.float32)
            phrase.level = (10 * np.log10(total)).astype(np.float32)
            harmonic = np.where(sounding > 1, 0.0, -1.0).astype(np.float32)
        else:
            audio = play(phrase.gesture, rate, random)
            harmonic = np.where(phrase.pitch > 0, 1.0, -1.0).astype(np.float32)
        return self._seen(audio, phrase, harmonic, which, alone=kind >= NOISES + CHORDS)

    def _seen(
        self, audio: NDArray[np.float32], phrase: Phrase, harmonic: NDArray[np.float32], which: int, *, alone: bool
    ) -> tuple[NDArray[np.float32], ...]:
        spectra, ear = self.hearing.spectra(audio)
        loudness = self.hearing.level(spectra)[:FRAMES]
        features = self.hearing.hear(ear[:FRAMES], self.hearing.autocorrelation(ear[:FRAMES]), loudness)
        heard = loudness > _SILENT
        audible = heard & (phrase.level > _SILENT)
        timbre = np.zeros((FRAMES, self.instruments), np.float32)
        timbre[:, self.places[which]] = 1.0
        voiced = audible & (phrase.pitch > 0)
        wanted = np.zeros((FRAMES, PITCHES + 1), np.float32)
        step = PER_OCTAVE * np.log2(np.maximum(phrase.pitch, 20.0) / LOWEST)
        bump = np.exp(-0.5 * ((np.arange(PITCHES) - step[:, None]) / 0.7) ** 2)
        wanted[:, :PITCHES] = bump / np.maximum(bump.sum(axis=1, keepdims=True), 1e-9)
        wanted[~voiced] = 0.0
        wanted[~voiced, PITCHES] = 1.0
        lowest, highest = self._ranges[which]
        own = voiced & alone & (phrase.pitch > lowest) & (phrase.pitch < highest) & (phrase.level > _HEARD)
        is_noise = bool((harmonic == 0).all())
        asked = (voiced & alone) | ~heard | (is_noise & audible)
        return (
            features,
            timbre,
            wanted,
            asked.astype(np.float32),
            np.where(audible, harmonic, -1.0).astype(np.float32),
            np.stack([audible, voiced & alone, own], axis=1).astype(np.float32),
            phrase.partials,
            phrase.noise,
            np.ascontiguousarray(phrase.bands, np.float32),
            phrase.level[:, None],
        )


class XSynthRecipe:
    """For `terzetto_export.training.fit`; validation is minus the error in dB."""

    def __init__(
        self,
        network: XSynth,
        training: Makers,
        validation: Player,
        *,
        batches: int = BATCHES,
        validated: int = 4,
        sorter: Sorter | None = None,
        device: torch.device | None = None,
    ) -> None:
        self._device = device or torch.device("cpu")
        self.network, self._batches = network.to(self._device), batches
        self._makers = training
        self._sorter = None if sorter is None else sorter.to(self._device)
        self.last: dict[str, float] = {}
        random = np.random.default_rng(99)
        self._validation = [validation.batch(random, 20).to(self._device) for _ in range(validated)]

    def batches(self, random: np.random.Generator) -> Iterator[Batch]:
        """Yield an epoch's batches."""
        # The next ones are made while the network learns this one; each has a seed, so it does not matter by whom.
        seeds = [int(seed) for seed in random.integers(2**62, size=self._batches)]
        coming = deque(self._makers.begin(seed) for seed in seeds[: self._makers.ahead])
        for seed in [*seeds[self._makers.ahead :], *[None] * len(coming)]:
            made = coming.popleft().result()
            if seed is not None:
                coming.append(self._makers.begin(seed))
            yield Batch(*map(torch.from_numpy, made)).to(self._device)

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss of a batch."""
        parts = self.errors(batch)
        return torch.as_tensor(
            2.0 * parts["pitch"]
            + 1.0 * parts["harmonic"]
            + 0.25 * parts["partials"]
            + 0.1 * parts["noise"]
            + 0.1 * parts["bands"]
            + 0.03 * parts["level"]
        )

    def errors(self, batch: Batch) -> dict[str, Tensor]:
        """Return the parts of the loss, those of levels in dB."""
        state = self.network.start(len(batch.features))
        logits, harmonic, (code, *_) = self.network.listen(batch.features, *state[:3])
        given = batch.pitch[..., :PITCHES]
        partials, noise, bands, level, *_ = self.network.decode(given, code, batch.features, batch.timbre, *state[3:])
        entropy = -(batch.pitch * torch.log_softmax(logits, dim=2)).sum(dim=2)
        known = (batch.harmonic >= 0).float()
        unsure = binary_cross_entropy_with_logits(harmonic[..., 0], batch.harmonic.clamp(min=0), reduction="none")
        audible, alone = batch.audible[..., 0], batch.audible[..., 1]
        own = batch.audible[..., 2]
        right = (logits.argmax(dim=2) - batch.pitch.argmax(dim=2)).abs() <= 1
        return {
            "pitch": _mean(entropy, batch.pitched),
            "harmonic": _mean(unsure, known),
            "partials": _mean(_weighted(partials, batch.partials, FLOOR, 25.0), alone),
            "noise": _mean(_weighted(noise, batch.noise, DENSITY_FLOOR, 50.0), alone),
            "bands": _mean(_weighted(bands, batch.bands, DENSITY_FLOOR, 50.0), audible),
            "level": _mean((level - batch.level)[..., 0].abs(), audible),
            "right": _mean(right.float(), batch.pitched),
            **self._sorted(partials, noise, batch, own),
        }

    def _sorted(self, partials: Tensor, noise: Tensor, batch: Batch, own: Tensor) -> dict[str, Tensor]:
        """Return the sorter's cross-entropy and the share of frames in which it hears the target, if there is one."""
        if self._sorter is None:
            return {}
        pitch = torch.as_tensor(PITCH_HZ, dtype=torch.float32, device=self._device)
        hertz = pitch[batch.pitch[..., :PITCHES].argmax(dim=2)]
        truth = batch.timbre.argmax(dim=2)
        said = self._sorter(partials, noise, hertz)
        entropy = cross_entropy(said.transpose(1, 2), truth, reduction="none")
        return {"sorted": _mean(entropy, own), "told": _mean((said.argmax(dim=2) == truth).float(), own)}

    def validate(self) -> float:
        """Return minus the errors in dB, of pitch in per cent, and of what the sorter does not hear as the target."""
        found = [self.errors(batch) for batch in self._validation]
        mean = {name: float(np.mean([float(each[name]) for each in found])) for name in found[0]}
        self.last = mean
        decibels = mean["partials"] + 0.3 * mean["noise"] + 0.2 * mean["bands"]
        return -(decibels + 30.0 * (1.0 - mean["right"]) + 20.0 * (1.0 - mean.get("told", 1.0)))


def _weighted(found: Tensor, wanted: Tensor, floor: float, half: float) -> Tensor:
    """Return mean absolute differences in dB; what lies ``half`` dB below the loudest weighs half of it."""
    loud = torch.maximum(wanted, found.detach().clamp(max=0.0))
    weight = torch.sigmoid((loud - loud.amax(dim=2, keepdim=True) + half) / 6.0) + 0.03
    return (weight * (found.clamp(min=floor) - wanted).abs()).sum(dim=2) / weight.sum(dim=2)


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    return (values * weight).sum() / weight.sum().clamp(min=1.0)


def _range(target: Target) -> tuple[float, float]:
    """Return the lowest and highest pitch in Hz at which a target's own sounds tell what it is like."""
    pitched = target.notes[target.notes > 0]
    if not pitched.size:
        return 0.0, 0.0
    ends = np.array([pitched.min() - _BESIDE, pitched.max() + _BESIDE])
    lowest, highest = 440.0 * 2.0 ** ((ends - 69.0) / 12.0)
    return float(lowest), float(highest)


def _mean_bands(target: Target) -> NDArray[np.float32]:
    """Return the spectral envelope of a target, the mean over what is loud in it."""
    loud = np.concatenate([sound.bands[sound.level > sound.level.max() - 15] for sound in target.sounds])
    assert loud.shape[1] == BANDS and PARTIALS > 0
    power = np.mean(10 ** (loud / 10), axis=0)
    return np.asarray(10 * np.log10(power), np.float32)
