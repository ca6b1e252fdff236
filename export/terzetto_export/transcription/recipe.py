"""Training: crops of recordings, moved in pitch, level and tone as they are drawn; note F1 decides what is best."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from terzetto.audio.pitch_spectra import BINS, BINS_PER_SEMITONE, FLOOR, FRAME_RATE
from terzetto.score.note_picking import OFFSET, ONSET, SOUNDING, VELOCITY, Thresholds, pick_notes
from terzetto_export.transcription.dataset import HILL, STEPS, Item, read, targets
from terzetto_export.transcription.network import Network

Float = NDArray[np.float32]
Batch = tuple[Tensor, Tensor]
# How much an onset or an offset weighs over the many frames without one.
_WEIGHTS = {ONSET: 4.0, SOUNDING: 1.0, OFFSET: 2.0}
_SHARES = {ONSET: 4.0, SOUNDING: 1.0, OFFSET: 0.7}


class TranscriptionRecipe:
    """What `terzetto_export.training.fit` trains.

    Parameters
    ----------
    train, validation
        Items made by `terzetto_export.transcription.dataset.prepare`.
    crop : int
        Frames.
    per_epoch : int
        Batches.
    """

    def __init__(
        self,
        train: Sequence[Path],
        validation: Sequence[Path],
        device: torch.device,
        *,
        channels: int = 32,
        crop: int = 200,
        batch: int = 8,
        per_epoch: int = 150,
    ) -> None:
        self.transcriber = Network(channels)
        self.network: nn.Module = self.transcriber.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._train = [read(path) for path in train]
        self._validation = [read(path) for path in validation]
        self._device, self._crop, self._batch, self._per_epoch = device, crop, batch, per_epoch

    def batches(self, random: np.random.Generator) -> Iterable[Batch]:
        """Yield an epoch's batches: spectra (batch, 2, frames, 300) and targets (batch, 4, frames, 88)."""
        lengths = np.array([item.features.shape[1] for item in self._train], np.float64)
        for _ in range(self._per_epoch):
            chosen = random.choice(len(self._train), self._batch, p=lengths / lengths.sum())
            crops = [self._draw(self._train[index], random) for index in chosen]
            spectra, wanted = (np.stack(part) for part in zip(*crops, strict=True))
            yield torch.from_numpy(spectra).to(self._device), torch.from_numpy(wanted).to(self._device)

    def loss(self, batch: Batch) -> Tensor:
        """Return the weighted cross entropy, and the velocities' where a key is struck."""
        spectra, wanted = batch
        with torch.autocast(self._device.type, torch.bfloat16):
            logits = self.network(spectra.to(memory_format=torch.channels_last))
        edge = min(self.transcriber.margin // 2, spectra.shape[2] // 4)  # what lies beyond a crop is not known there
        logits, wanted = (part[:, :, edge : part.shape[2] - edge] for part in (logits.float(), wanted))
        total = torch.zeros((), device=logits.device)
        for head, weight in _WEIGHTS.items():
            each = nn.functional.binary_cross_entropy_with_logits(
                logits[:, head], wanted[:, head], pos_weight=torch.tensor(weight, device=logits.device)
            )
            total = total + _SHARES[head] * each
        struck = (wanted[:, ONSET] > 0.5).float()
        off = (torch.sigmoid(logits[:, VELOCITY]) - wanted[:, VELOCITY]) ** 2
        return total + 0.3 * (struck * off).sum() / struck.sum().clamp(min=1.0)

    def validate(self) -> float:
        """Return the notes' F1 (onset within 50 ms) at thresholds in the middle."""
        found = [notes_f1(item, self.probabilities(item), Thresholds()) for item in self._validation]
        return float(np.mean(found))

    def probabilities(self, item: Item) -> Float:
        """Return the network's answer for a whole item, (4, frames, 88)."""
        with torch.no_grad(), torch.autocast(self._device.type, torch.bfloat16):
            spectra = torch.from_numpy(item.features.astype(np.float32) / STEPS)[None]
            logits = self.network(spectra.to(self._device, memory_format=torch.channels_last))
            return np.asarray(torch.sigmoid(logits.float())[0].cpu().numpy(), np.float32)

    def choose_thresholds(self) -> tuple[Thresholds, float]:
        """Return the thresholds that suit the validation set best, and the notes' F1 with them."""
        answers = [(item, self.probabilities(item)) for item in self._validation]

        def mean(thresholds: Thresholds, with_offsets: bool) -> float:
            return float(np.mean([notes_f1(item, answer, thresholds, with_offsets) for item, answer in answers]))

        onset = max(np.arange(0.3, 0.71, 0.05), key=lambda value: mean(Thresholds(onset=float(value)), False))
        late = [_lateness(item, answer, Thresholds(onset=float(onset))) for item, answer in answers]
        delay = float(np.median(np.concatenate(late)))
        choices = [
            Thresholds(round(float(onset), 3), sounding, offset, round(delay, 4))
            for sounding in (0.2, 0.3, 0.4)
            for offset in (0.2, 0.3, 0.5)
        ]
        best = max(choices, key=lambda thresholds: mean(thresholds, True))
        return best, mean(best, False)

    def _draw(self, item: Item, random: np.random.Generator) -> tuple[Float, Float]:
        length = item.features.shape[1]
        first = int(random.integers(0, max(length - self._crop, 0) + 1))
        shift = int(random.integers(-3, 4)) if random.random() < 0.5 else 0
        spectra = np.zeros((2, self._crop, BINS), np.float32)
        part = item.features[:, first : first + self._crop].astype(np.float32) / np.float32(STEPS)
        low, high = max(shift, 0) * BINS_PER_SEMITONE, min(shift, 0) * BINS_PER_SEMITONE
        spectra[:, : part.shape[1], low : BINS + high] = part[..., -high : BINS - low]
        tone = np.interp(np.arange(BINS), np.linspace(0, BINS, 5), random.normal(0, 2.5, 5)) + random.normal(0, 3)
        heard = spectra > 0
        spectra = np.maximum(spectra + heard * (tone / FLOOR).astype(np.float32), 0.0)
        return np.asarray(spectra, np.float32), targets(item.notes, first, self._crop, shift)


def notes_f1(item: Item, answer: Float, thresholds: Thresholds, with_offsets: bool = False) -> float:
    """Return the F1 of notes: same pitch, onset within 50 ms, and if asked for, offset within 20 % or 50 ms."""
    from mir_eval.transcription import precision_recall_f1_overlap

    score, _ = pick_notes(answer, thresholds)
    if not len(score) or not len(item.notes):
        return float(len(score) == len(item.notes))
    hertz = 440.0 * 2.0 ** ((score.pitch - 69) / 12)
    true = item.notes.astype(np.float64)
    ratio = 0.2 if with_offsets else None
    return float(
        precision_recall_f1_overlap(
            true[:, :2],
            440.0 * 2.0 ** ((true[:, 2] - 69) / 12),
            np.stack([score.onset, score.offset], axis=1),
            hertz,
            offset_ratio=ratio,
        )[2]
    )


def _lateness(item: Item, answer: Float, thresholds: Thresholds) -> NDArray[np.float64]:
    """Return by how many seconds found onsets come after the true ones."""
    score, _ = pick_notes(answer, thresholds)
    late = []
    for onset, _, pitch, _ in item.notes:
        same = score.onset[score.pitch == round(float(pitch))]
        if len(same):
            off = float((same - onset)[np.abs(same - onset).argmin()])
            if abs(off) < HILL / FRAME_RATE:
                late.append(off)
    return np.array(late or [0.0])
