"""What `terzetto_export.training.fit` needs to train the hand networks: stretches by the hundred, on one device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from terzetto.score.hand_features import N_FEATURES
from terzetto.score.hand_reader import windows
from terzetto_export.hand_labels.attention import WholeNetwork
from terzetto_export.hand_labels.augmentation import Amount, augment
from terzetto_export.hand_labels.batched_features import features
from terzetto_export.hand_labels.data import Piece
from terzetto_export.hand_labels.recurrent import LiveNetwork
from terzetto_export.hand_labels.stretches import NO_LABEL, Pool, Stretches, in_reading_order

LENGTH, BATCH, STEPS = 256, 96, 100
# So many of the stretches are made up.
MADE_UP = 0.25
# The notes next to a stretch's ends lack their neighbours; they count less than they happen.
_EDGE = 16
# So many windows are validated at once.
_AT_ONCE = 256


@dataclass(frozen=True)
class Read:
    """Stretches as a network reads them: (stretches, notes), the features (stretches, notes, features)."""

    features: Tensor
    time: Tensor
    pitch: Tensor
    there: Tensor
    hand: Tensor


@dataclass(frozen=True)
class Cut:
    """A piece in windows that overlap: what is read, which notes of each count, and the hands in reading order."""

    read: Read
    own: list[tuple[int, int, int]]
    hand: NDArray[np.int64]


class HandRecipe:
    """Batches drawn, augmented and read on the device; validation is the mean over pieces of the share of notes right.

    Parameters
    ----------
    training, made_up, validation
        Pieces; the validation's are read as they are.
    network
        For whole performances, or for live.
    batch, steps
        Stretches in a batch, batches in an epoch; `BATCH` and `STEPS` unless told.
    """

    def __init__(
        self,
        training: Sequence[Piece],
        made_up: Sequence[Piece],
        validation: Sequence[Piece],
        network: WholeNetwork | LiveNetwork,
        device: torch.device,
        *,
        batch: int | None = None,
        steps: int | None = None,
        validation_notes: int = 60_000,
    ) -> None:
        self._network: WholeNetwork | LiveNetwork = network.to(device)
        self._device, self._batch, self._steps = device, batch or BATCH, steps or STEPS
        self._written, self._made_up = Pool(training, device), Pool(made_up, device)
        self._validation = [cut_up(piece, device) for piece in _share_of(validation, validation_notes)]
        # On a GPU products are made in half precision, but for recurrent layers.
        self._half = device.type == "cuda" and isinstance(network, WholeNetwork)

    @property
    def network(self) -> nn.Module:
        """What is trained."""
        return self._network

    def batches(self, random: np.random.Generator) -> Iterator[Read]:
        """Yield the batches of an epoch: every note as likely as any, stretches drawn by chance."""
        dice = torch.Generator(self._device).manual_seed(int(random.integers(2**62)))
        # A little longer than what is learned at once: notes get lost on the way.
        length = LENGTH + LENGTH // 10
        for _ in range(self._steps):
            with torch.no_grad():
                drawn = self._written.draw(self._batch, length, dice)
                made_up = torch.rand(self._batch, generator=dice, device=self._device) < MADE_UP
                stretches = self._made_up.draw(self._batch, length, dice).where(made_up, drawn)
                others = self._written.draw(self._batch, length, dice)
                batch = read(augment(stretches, others, Amount(), dice), LENGTH)
            yield batch

    def loss(self, batch: Read) -> Tensor:
        """Return the cross-entropy of a batch's notes."""
        logit = self._ask(batch)
        weight = ((batch.hand != NO_LABEL) & batch.there).float()
        weight[:, :_EDGE] *= 0.5
        weight[:, -_EDGE:] *= 0.5
        target = batch.hand.clamp(min=0).float()
        losses = nn.functional.binary_cross_entropy_with_logits(logit, target, reduction="none")
        return (losses * weight).sum() / weight.sum().clamp(min=1)

    def validate(self) -> float:
        """Return the mean over the pieces."""
        return float(np.mean([((self.logits(piece) > 0) == piece.hand).mean() for piece in self._validation]))

    def logits(self, piece: Cut) -> NDArray[np.float32]:
        """Return the logits of a piece's notes in reading order."""
        result = np.empty(len(piece.hand), np.float32)
        with torch.no_grad():
            for first in range(0, len(piece.own), _AT_ONCE):
                some = slice(first, first + _AT_ONCE)
                part = Read(*(getattr(piece.read, name)[some] for name in Read.__annotations__))
                for row, (start, low, high) in zip(self._ask(part).cpu().numpy(), piece.own[some], strict=True):
                    result[start + low : start + high] = row[low:high]
        return result

    def _ask(self, batch: Read) -> Tensor:
        """Return the logits of the right hand, (stretches, notes)."""
        network = self._network
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._half):
            if isinstance(network, WholeNetwork):
                logit: Tensor = network(batch.features, batch.time, batch.pitch.float(), batch.there)
                return logit.float()
            state = torch.zeros(1, len(batch.time), network.memory, device=self._device)
            logit, _ = network(batch.features[..., :N_FEATURES].transpose(0, 1), state)
            return logit.transpose(0, 1)


def read(stretches: Stretches, notes: int) -> Read:
    """Return the first so many notes in reading order, with their features."""
    ordered, event, time = in_reading_order(stretches)
    table = features(ordered.pitch, event, time, ordered.offset, ordered.there)
    return Read(*(column[:, :notes] for column in (table, time, ordered.pitch, ordered.there, ordered.hand)))


def cut_up(piece: Piece, device: torch.device) -> Cut:
    """Return a piece in windows of `LENGTH` notes."""
    begin = piece.onset[0]

    def row(column: NDArray[np.float64] | NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(column[None]).to(device)

    stretch = Stretches(
        row((piece.onset - begin).astype(np.float32)),
        row((piece.offset - begin).astype(np.float32)),
        row(piece.pitch),
        row(piece.hand),
        torch.ones(1, len(piece), dtype=torch.bool, device=device),
        torch.zeros(1, dtype=torch.bool, device=device),
    )
    whole = read(stretch, len(piece))
    own = windows(len(piece), LENGTH)
    places = torch.arange(min(LENGTH, len(piece)), device=device)[None]
    index = torch.tensor([start for start, _, _ in own], device=device)[:, None] + places
    parts = Read(*(getattr(whole, name)[0][index] for name in Read.__annotations__))
    return Cut(parts, own, whole.hand[0].cpu().numpy())


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
