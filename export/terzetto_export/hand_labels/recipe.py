"""What `terzetto_export.training.fit` needs to train the hand network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from terzetto.score.hand_features import N_FEATURES, features, order_notes
from terzetto_export.hand_labels.augmentation import NO_LABEL, Amount, Notes, augment, is_mechanical, recombine
from terzetto_export.hand_labels.data import Piece
from terzetto_export.hand_labels.network import HandNetwork
from terzetto_export.hand_labels.textures import make_texture

LENGTH, BATCH = 256, 32
# The first notes of a stretch are labelled without a memory; they count less than they happen.
WARM_UP = 16
# So many stretches are read as live: without what comes after the look-ahead.
LIVE = 0.3
Batch = tuple[Tensor, Tensor, Tensor]


class HandRecipe:
    """Stretches of 256 notes, augmented anew each time; validation is the share of notes right in whole pieces."""

    def __init__(
        self,
        training: Sequence[Piece],
        validation: Sequence[Piece],
        amount: Amount,
        *,
        network: HandNetwork | None = None,
        device: torch.device | None = None,
        validation_notes: int = 60_000,
    ) -> None:
        self.device = device or torch.device("cpu")
        self.network: nn.Module = (network or HandNetwork()).to(self.device)
        self._training, self._amount = training, amount
        self._validation = [prepare(piece) for piece in _share_of(validation, validation_notes)]

    def batches(self, random: np.random.Generator) -> Iterator[Batch]:
        """Yield as many notes as the training set has, stretches drawn by chance."""
        notes = sum(map(len, self._training))
        weight = np.array([len(piece) for piece in self._training]) / notes
        for _ in range(max(notes // (LENGTH * BATCH), 4)):
            chosen = random.choice(len(self._training), BATCH, p=weight)
            whole = torch.from_numpy((random.random((1, BATCH, 1)) >= LIVE).astype(np.float32))
            x, y = self._collate([self._stretch(self._training[i], random) for i in chosen])
            yield x, y, whole.to(self.device)

    def _stretch(self, piece: Piece, random: np.random.Generator) -> Notes:
        kind, amount = random.random(), self._amount
        if kind < amount.made_up:
            return augment(make_texture(LENGTH + 24, random), amount, random)
        notes = cut_out(piece, random)
        if kind < amount.made_up + amount.recombine and is_mechanical(notes):
            other = cut_out(self._training[int(random.integers(len(self._training)))], random)
            if is_mechanical(other):
                notes = recombine(notes, other, random)
        return augment(notes, amount, random)

    def _collate(self, stretches: Sequence[Notes]) -> tuple[Tensor, Tensor]:
        x = torch.zeros(LENGTH, len(stretches), N_FEATURES)
        y = torch.full((LENGTH, len(stretches)), float(NO_LABEL))
        for i, notes in enumerate(stretches):
            table, hand = describe(notes)
            n = min(len(hand), LENGTH)
            x[:n, i], y[:n, i] = torch.from_numpy(table[:n]), torch.from_numpy(hand[:n].astype(np.float32))
        return x.to(self.device), y.to(self.device)

    def loss(self, batch: Batch) -> Tensor:
        """Return the cross-entropy of a batch's notes."""
        x, y, whole = batch
        logit, _ = self.network(x, self._state(x.shape[1]), whole)
        weight = (y != NO_LABEL).float()
        weight[:WARM_UP] *= 0.5
        losses = nn.functional.binary_cross_entropy_with_logits(logit, y.clamp(min=0), reduction="none")
        return (losses * weight).sum() / weight.sum().clamp(min=1)

    def validate(self) -> float:
        """Return the share of notes right, each piece with the weight of its notes."""
        right = total = 0
        for table, hand in self._validation:
            right += int((self.predict(table) == hand).sum())
            total += len(hand)
        return right / max(total, 1)

    def predict(self, table: NDArray[np.floating[Any]]) -> NDArray[np.int64]:
        """Return the hands of one piece's notes, in the order of its features."""
        x = torch.from_numpy(table.astype(np.float32))[:, None].to(self.device)
        with torch.no_grad():
            logit, _ = self.network(x, self._state(1), torch.ones(1, 1, 1, device=self.device))
        return np.asarray((logit[:, 0] > 0).cpu().numpy(), np.int64)

    def _state(self, batch: int) -> Tensor:
        return torch.zeros(1, batch, int(self.network.memory), device=self.device)  # type: ignore[arg-type]


def cut_out(piece: Piece, random: np.random.Generator) -> Notes:
    """Return a stretch of a piece, a little longer than what is learned at once: notes get lost on the way."""
    length = LENGTH + 24
    first = int(random.integers(0, max(len(piece) - length, 0) + 1))
    part = slice(first, first + length)
    return Notes(piece.onset[part], piece.pitch[part], piece.hand[part])


def describe(notes: Notes) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return features and hands in the order in which a model reads the notes."""
    order, event, time = order_notes(notes.onset, notes.pitch)
    return features(notes.pitch[order], event, time, slice(None)), notes.hand[order]


def prepare(piece: Piece) -> tuple[NDArray[np.float16], NDArray[np.int64]]:
    """Return a piece's features, small, and its hands."""
    table, hand = describe(Notes(piece.onset, piece.pitch, piece.hand))
    return table.astype(np.float16), hand


def _share_of(pieces: Sequence[Piece], notes: int) -> list[Piece]:
    """Return pieces with about so many notes, one edition or performance of each before a second of any."""
    chosen: dict[str, list[Piece]] = {}
    for piece in pieces:
        chosen.setdefault(f"{piece.work.composer} {piece.work.title}", []).append(piece)
    result: list[Piece] = []
    for turn in range(max(map(len, chosen.values()), default=0)):
        for same in chosen.values():
            if turn < len(same) and sum(map(len, result)) < notes:
                result.append(same[turn])
    return result
