"""Training an autoencoder of the slides on one recording or on a class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from terzetto.audio.spectra import Stft
from terzetto.errors import InputError
from terzetto.whole_file import write_whole
from terzetto_export.training import History, Recipe, Schedule, fit
from terzetto_export.xsynth_paper.network import Autoencoder, Kind
from terzetto_export.xsynth_paper.sounds import GRID, SAMPLE_RATE, Float

LENGTH, BATCH = 32, 4
BATCHES = 50
"""Of an epoch, however much there is to learn from: what is compared has learned for as long."""
HELD_OUT = 8
"""One stretch of a recording in so many is not learned from."""
QUIET = 1e-3


@dataclass(frozen=True)
class Energy:
    """How loudness goes past or through the network.

    Attributes
    ----------
    around : bool
        True, as the slides say: every frame is normalised, and what comes out is as loud as what went in. False: frames
        keep their levels, and the network must give back those.
    scale : float
        The norm by which all frames are divided where energy goes through.
    """

    around: bool
    scale: float = 1.0

    def compress(self, magnitude: Float) -> tuple[Float, Float]:
        """Return what the network reads of magnitudes (frames, bins), and each frame's norm (frames, 1)."""
        norm = np.linalg.norm(magnitude, axis=-1, keepdims=True)
        divisor = np.maximum(norm, 1e-6) if self.around else np.float32(self.scale)
        return np.sqrt(magnitude / divisor).astype(np.float32), norm.astype(np.float32)

    def expand(self, compressed: Float, norm: Float) -> Float:
        """Return magnitudes (frames, bins), as loud as ``norm`` where energy goes around."""
        magnitude = compressed.astype(np.float32) ** 2
        if not self.around:
            return np.asarray(magnitude * np.float32(self.scale))
        loud = np.linalg.norm(magnitude, axis=-1, keepdims=True)
        return np.asarray(magnitude * (norm / np.maximum(loud, 1e-6)))


@dataclass(frozen=True)
class Learned:
    """A trained network, how it reads loudness, and how training went."""

    network: Autoencoder
    energy: Energy
    history: History

    def magnitudes(self, magnitude: Float) -> Float:
        """Return what the network makes of magnitudes (frames, bins)."""
        compressed, norm = self.energy.compress(magnitude)
        with torch.no_grad():
            out = self.network(torch.from_numpy(compressed)[None])[0].numpy()
        return self.energy.expand(out, norm)


class Stretches:
    """Stretches of 32 frames drawn from sounds; validation is minus the error on those held out."""

    def __init__(self, network: Autoencoder, training: Sequence[Float], validation: Sequence[Float]) -> None:
        self.network: nn.Module = network
        self._training = [torch.from_numpy(frames) for frames in training]
        self._validation = [torch.from_numpy(frames) for frames in validation]

    def batches(self, random: np.random.Generator) -> Iterator[Tensor]:
        """Yield the batches of an epoch; long sounds are drawn more often."""
        frames = np.array([len(each) for each in self._training], float)
        for _ in range(BATCHES):
            chosen = random.choice(len(frames), BATCH, p=frames / frames.sum())
            yield torch.stack([self._stretch(self._training[i], random) for i in chosen])

    @staticmethod
    def _stretch(frames: Tensor, random: np.random.Generator) -> Tensor:
        if len(frames) <= LENGTH:
            return nn.functional.pad(frames, (0, 0, 0, LENGTH - len(frames)))
        first = int(random.integers(len(frames) - LENGTH))
        return frames[first : first + LENGTH]

    def loss(self, batch: Tensor) -> Tensor:
        """Return the mean squared error of a frame: the network gives back what it reads."""
        return torch.as_tensor(((self.network(batch) - batch) ** 2).sum(dim=2).mean())

    def validate(self) -> float:
        """Return minus the mean squared error of a frame held out."""
        errors = [((self.network(each[None])[0] - each) ** 2).sum(dim=1) for each in self._validation]
        return -float(torch.cat(errors).mean())


def learn(
    training: Sequence[Float],
    validation: Sequence[Float],
    kind: Kind,
    *,
    around: bool = True,
    epochs: int,
    seed: int,
    kept: Path | None = None,
) -> Learned:
    """Train a network to give back sounds (n,) at 22,050 Hz.

    Parameters
    ----------
    training, validation
        What the network has after training is what gave back the latter best.
    around
        See `Energy`.
    kept
        See `fit_once`.

    Raises
    ------
    InputError
        Less than two seconds of sound, or the loss is no number.
    """
    if min(sum(map(len, training)), sum(map(len, validation))) < SAMPLE_RATE:
        raise InputError("there is less than a second of sound to learn from or to validate on; slides: 30 to 120 s")
    spectra, held = ([np.abs(Stft(GRID, len(each)).forward(each)) for each in part] for part in (training, validation))
    energy = Energy(around, float(max(np.linalg.norm(each, axis=1).max() for each in spectra)))
    torch.manual_seed(seed)
    network = Autoencoder(kind, GRID.bins)
    recipe = Stretches(network, _frames(spectra, energy), _frames(held, energy))
    history = fit_once(recipe, Schedule(epochs, learning_rate=2e-3, weight_decay=1e-4), seed=seed, kept=kept)
    return Learned(network, energy, history)


def fit_once(recipe: Recipe, schedule: Schedule, *, seed: int, kept: Path | None) -> History:
    """Train a recipe's network, or take what an earlier run has left in the file ``kept``; leave it there.

    Raises
    ------
    InputError
        The file is there, but is not of this network.
    """
    if kept is not None and kept.is_file():
        try:
            content = torch.load(kept, weights_only=True)
            recipe.network.load_state_dict(content["network"])
            recipe.network.eval()
            return History(**content["history"])
        except Exception as error:
            raise InputError(f"{kept}: not of this network ({str(error)[:100]}); remove it to train anew") from None
    history = fit(recipe, schedule, seed=seed, tell=lambda line: None)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        content = {"network": recipe.network.state_dict(), "history": vars(history)}
        write_whole(kept, partial(torch.save, content))
    return history


def parted(recording: Float, seconds: float = 1.5) -> tuple[list[Float], list[Float]]:
    """Cut one recording into stretches; every eighth is held out to validate on."""
    parts = np.array_split(recording, max(round(len(recording) / (seconds * SAMPLE_RATE)), HELD_OUT))
    held = range(HELD_OUT // 2, len(parts), HELD_OUT)
    return [each for i, each in enumerate(parts) if i not in held], [parts[i] for i in held]


def _frames(spectra: Sequence[Float], energy: Energy) -> list[Float]:
    """Return what the network reads of spectra; silence (60 dB below the loudest) is left out."""
    kept = [each[np.linalg.norm(each, axis=1) > QUIET * energy.scale] for each in spectra]
    return [energy.compress(each)[0] for each in kept if len(each)]
