"""A small rival with a synthesiser in it, after DDSP (Engel, Hantrakul, Gu, Roberts 2020): partials and filtered noise.

It is told pitch (pYIN) and loudness rather than spectra, so it plays one note at a time, and its pitch is right where
the tracker is. Same data and epochs as the autoencoders (which takes it longer); much smaller than the paper's, and its
loss has three scales of their six.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from terzetto_export.training import History, Schedule
from terzetto_export.xsynth_paper.pitch import track
from terzetto_export.xsynth_paper.sounds import GRID, SAMPLE_RATE, Float
from terzetto_export.xsynth_paper.training import fit_once

PARTIALS, BANDS, HIDDEN = 40, 65, 96
LENGTH, BATCH, BATCHES = 43, 4, 20
SCALES = (2048, 512, 128)
QUIETEST = -70.0


@dataclass(frozen=True)
class Played:
    """What the network is told of a sound: pitch in MIDI and level in dB under its loudest frame, (frames,) each."""

    pitch: Float
    level: Float
    audio: Float

    @classmethod
    def of(cls, audio: Float) -> Played:
        """Analyse a sound (n,): where there is no pitch, it goes on as a line between those beside it."""
        midi = track(audio)
        frames = np.arange(len(midi))
        voiced = ~np.isnan(midi)
        pitch = np.interp(frames, frames[voiced], midi[voiced]) if voiced.any() else np.full(len(midi), 60.0)
        padded = np.pad(audio, GRID.n_fft // 2)
        rms = np.array([np.sqrt((padded[i * 512 : i * 512 + GRID.n_fft] ** 2).mean()) for i in frames])
        level = np.maximum(20 * np.log10(np.maximum(rms / max(rms.max(), 1e-9), 1e-9)), QUIETEST)
        whole = np.zeros(len(midi) * GRID.hop_length, np.float32)
        whole[: len(audio)] = audio[: len(whole)] / max(float(rms.max()), 1e-9) * 0.2
        return cls(pitch.astype(np.float32), level.astype(np.float32), whole)


class HarmonicNoise(nn.Module):
    """Pitch and level (n, frames) → audio (n, frames · 512)."""

    def __init__(self) -> None:
        super().__init__()
        self.read = nn.Sequential(nn.Linear(2, HIDDEN), nn.LayerNorm(HIDDEN), nn.ELU())
        self.memory = nn.GRU(HIDDEN, HIDDEN, batch_first=True)
        self.play = nn.Sequential(nn.Linear(HIDDEN + 2, HIDDEN), nn.LayerNorm(HIDDEN), nn.ELU())
        self.out = nn.Linear(HIDDEN, 1 + PARTIALS + BANDS)
        with torch.no_grad():
            self.out.bias[1 + PARTIALS :] = -4.0

    def forward(self, pitch: Tensor, level: Tensor) -> Tensor:
        """Return audio (n, frames · 512)."""
        told = torch.stack([(pitch - 60.0) / 12.0, level / 20.0 + 1.0], dim=2)
        hidden = self.memory(self.read(told))[0]
        out = self.out(self.play(torch.cat([hidden, told], dim=2)))
        loud = nn.functional.softplus(out[..., :1]) * 0.2
        share = torch.softmax(out[..., 1 : 1 + PARTIALS], dim=2)
        frequency = 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)
        harmonics = _harmonics(frequency, loud * share)
        return harmonics + _noise(nn.functional.softplus(out[..., 1 + PARTIALS :]) * 0.05)


def _harmonics(frequency: Tensor, amplitude: Tensor) -> Tensor:
    """Return partials of a frequency (n, frames); their amplitudes (n, frames, 40) are lines between frames."""
    count, frames, hop = *frequency.shape, GRID.hop_length
    number = torch.arange(1, PARTIALS + 1, dtype=torch.float32)
    amplitude = amplitude * (frequency[..., None] * number < 0.95 * SAMPLE_RATE / 2)
    ahead = torch.cat([amplitude[:, 1:], amplitude[:, -1:]], dim=1)
    along = torch.arange(hop) / hop
    with torch.no_grad():  # the pitch is given: nothing is learned through the phase
        after = torch.cat([frequency[:, 1:], frequency[:, -1:]], dim=1)
        samples = (frequency[..., None] + (after - frequency)[..., None] * along).flatten(1).double()
        turns = torch.cumsum(samples / SAMPLE_RATE, dim=1) % 1.0
        sines = torch.sin((2 * np.pi * turns).float()[..., None] * number).view(count, frames, hop, PARTIALS)
    played = sines @ torch.stack([amplitude, ahead], dim=3)
    return ((1 - along) * played[..., 0] + along * played[..., 1]).flatten(1)


def _noise(bands: Tensor) -> Tensor:
    """Return noise (n, frames · 512) through the filters that the bands (n, frames, 65) describe."""
    hop, size = GRID.hop_length, 2 * (BANDS - 1)
    response = torch.fft.fftshift(torch.fft.irfft(bands.to(torch.complex64), n=size), dim=-1) * torch.hann_window(size)
    white = torch.rand(*bands.shape[:2], hop) * 2 - 1
    length = 1024
    pieces = torch.fft.irfft(torch.fft.rfft(white, n=length) * torch.fft.rfft(response, n=length), n=length)
    first, second = pieces[..., :hop], pieces[..., hop:]
    whole = first + nn.functional.pad(second, (0, 0, 1, 0))[:, :-1]
    return torch.flatten(whole, 1)


def spectral_loss(made: Tensor, wanted: Tensor) -> Tensor:
    """Return the loss of DDSP (section 4.2.1): linear and logarithmic magnitudes at several scales, absolute error."""
    total = torch.zeros(())
    for size in SCALES:
        window = torch.hann_window(size)
        first, second = (
            torch.stft(x, size, size // 4, window=window, return_complex=True).abs() for x in (made, wanted)
        )
        total = (
            total + (first - second).abs().mean() + (torch.log(first + 1e-4) - torch.log(second + 1e-4)).abs().mean()
        )
    return total


class Stretches:
    """Stretches of 1 s; validation is minus the loss on the sounds held out."""

    def __init__(self, network: HarmonicNoise, training: Sequence[Played], validation: Sequence[Played]) -> None:
        self.network: nn.Module = network
        self._training, self._validation = training, validation

    def batches(self, random: np.random.Generator) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Yield the batches of an epoch, stretches drawn by chance."""
        frames = np.array([len(each.pitch) for each in self._training], float)
        for _ in range(BATCHES):
            chosen = random.choice(len(frames), BATCH, p=frames / frames.sum())
            rows = [_stretch(self._training[i], random) for i in chosen]
            pitch, level, audio = (torch.stack(part) for part in zip(*rows, strict=True))
            yield pitch, level, audio

    def loss(self, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """Return the multi-scale spectral loss."""
        pitch, level, audio = batch
        return spectral_loss(self.network(pitch, level), audio)

    def validate(self) -> float:
        """Return minus the loss on what is held out, the same noise every time."""
        torch.manual_seed(0)
        random = np.random.default_rng(0)
        rows = [_stretch(each, random) for each in self._validation[:16]]
        pitch, level, audio = (torch.stack(part) for part in zip(*rows, strict=True))
        return -float(spectral_loss(self.network(pitch, level), audio))


def learn(
    training: Sequence[Float],
    validation: Sequence[Float],
    *,
    epochs: int,
    seed: int,
    kept: Path | None = None,
) -> tuple[HarmonicNoise, History]:
    """Train on sounds (n,); the arguments are those of `terzetto_export.xsynth_paper.training.learn`."""
    torch.manual_seed(seed)
    network = HarmonicNoise()
    played, held = ([Played.of(each) for each in part if len(each) > GRID.n_fft] for part in (training, validation))
    schedule = Schedule(epochs, learning_rate=3e-3, weight_decay=1e-4)
    recipe = Stretches(network, played, held)
    return network, fit_once(recipe, schedule, seed=seed, kept=kept)


def convert(network: HarmonicNoise, audio: Float) -> Float:
    """Play a sound's pitch and loudness with the instrument learned; noise by seed 0."""
    played = Played.of(audio)
    torch.manual_seed(0)
    with torch.no_grad():
        made = network(torch.from_numpy(played.pitch)[None], torch.from_numpy(played.level)[None])[0].numpy()
    loud = float(np.sqrt((audio**2).mean())) / max(float(np.sqrt((made[: len(audio)] ** 2).mean())), 1e-9)
    return np.asarray(made[: len(audio)] * loud, np.float32)


def _stretch(played: Played, random: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    hop = GRID.hop_length
    first = int(random.integers(max(len(played.pitch) - LENGTH, 0) + 1))
    short = max(LENGTH - len(played.pitch), 0)
    pitch = np.pad(played.pitch[first : first + LENGTH], (0, short), mode="edge")
    level = np.pad(played.level[first : first + LENGTH], (0, short), constant_values=QUIETEST)
    audio = np.pad(played.audio[first * hop : (first + LENGTH) * hop], (0, short * hop))
    return torch.from_numpy(pitch), torch.from_numpy(level), torch.from_numpy(audio)
