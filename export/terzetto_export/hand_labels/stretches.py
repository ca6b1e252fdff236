"""Stretches of notes side by side, as tensors: what is drawn from pieces, augmented and read all at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terzetto.score.hand_features import CHORD
from terzetto_export.hand_labels.data import Piece

# Marks notes that nobody wrote: they are seen, but nothing is learned from their label.
NO_LABEL = -1
# Where a place holds no note its onset is so late, s: sorting puts it last.
NEVER = 1e4


@dataclass(frozen=True)
class Stretches:
    """Notes in rows, one stretch a row.

    Attributes
    ----------
    onset, offset : float32 (stretches, notes)
        Seconds from the stretch's first note; the onset is ``NEVER`` where there is no note, the offset of no meaning.
    pitch, hand : int64 (stretches, notes)
        The hand is ``LEFT``, ``RIGHT`` or ``NO_LABEL``.
    there : bool (stretches, notes)
        Whether a place holds a note.
    written : bool (stretches,)
        Whether a stretch comes straight from a score.
    """

    onset: Tensor
    offset: Tensor
    pitch: Tensor
    hand: Tensor
    there: Tensor
    written: Tensor

    def take(self, index: Tensor, there: Tensor | None = None) -> Stretches:
        """Return the notes in another order or selection, (stretches, notes)."""
        columns = {name: getattr(self, name).gather(1, index) for name in ("onset", "offset", "pitch", "hand")}
        return replace(self, **columns, there=self.there.gather(1, index) if there is None else there)

    def where(self, chosen: Tensor, other: Stretches) -> Stretches:
        """Return these stretches where ``chosen``, (stretches,), else those of the other."""
        row = chosen[:, None]
        columns = {
            name: torch.where(row, getattr(self, name), getattr(other, name))
            for name in ("onset", "offset", "pitch", "hand", "there")
        }
        return Stretches(**columns, written=torch.where(chosen, self.written, other.written))

    def keep(self, kept: Tensor) -> Stretches:
        """Return the stretches without the notes that are not kept, still in place."""
        there = self.there & kept
        return replace(self, there=there, onset=torch.where(there, self.onset, NEVER))

    def sorted(self) -> Stretches:
        """Return the notes by onset, then pitch."""
        by_pitch = torch.argsort(self.pitch, dim=1, stable=True)
        onset = torch.where(self.there, self.onset, NEVER).gather(1, by_pitch)
        return self.take(by_pitch.gather(1, torch.argsort(onset, dim=1, stable=True)))

    def first(self, notes: int) -> Stretches:
        """Return the first places of every stretch."""
        columns = {name: getattr(self, name)[:, :notes] for name in ("onset", "offset", "pitch", "hand", "there")}
        return replace(self, **columns)


def is_mechanical(onset: NDArray[np.float64]) -> bool:
    """Say whether notes come straight from a score: no player strikes a tenth of them at exactly the same time."""
    return len(onset) > 1 and bool((np.diff(np.sort(onset)) == 0).mean() > 0.1)


class Pool:
    """Many notes on a device, from which stretches are drawn.

    Parameters
    ----------
    pieces
        Their notes, sorted by onset.
    """

    def __init__(self, pieces: Sequence[Piece], device: torch.device) -> None:
        self.device = device
        self._length = torch.tensor([len(piece) for piece in pieces], device=device)
        self._start = torch.cumsum(self._length, 0) - self._length
        self._weight = self._length.double()
        self._written = torch.tensor([is_mechanical(piece.onset) for piece in pieces], device=device)

        def column(name: str, kind: type) -> Tensor:
            return torch.from_numpy(np.concatenate([getattr(piece, name) for piece in pieces]).astype(kind)).to(device)

        self._onset, self._offset = column("onset", np.float64), column("offset", np.float64)
        self._pitch, self._hand = column("pitch", np.int64), column("hand", np.int64)
        self.notes = len(self._pitch)

    def draw(self, stretches: int, notes: int, random: torch.Generator) -> Stretches:
        """Return stretches of so many notes, each note as likely as any; short pieces leave places empty."""
        piece = torch.multinomial(self._weight, stretches, replacement=True, generator=random)
        room = (self._length[piece] - notes).clamp(min=0)
        first = (torch.rand(stretches, device=self.device, generator=random) * (room + 1)).long()
        place = torch.arange(notes, device=self.device)[None]
        there = place < self._length[piece][:, None]
        index = (self._start[piece] + first)[:, None] + torch.minimum(place, self._length[piece][:, None] - 1)
        begin = self._onset[index[:, :1]]
        onset = torch.where(there, (self._onset[index] - begin).float(), NEVER)
        offset = (self._offset[index] - begin).float()
        return Stretches(onset, offset, self._pitch[index], self._hand[index], there, self._written[piece])


def group_events(onset: Tensor) -> Tensor:
    """Return each note's event; onsets, (stretches, notes), are sorted. As `terzetto.score.hand_features.group_events`.

    Every note's next event begins at the first onset over 30 ms later; the events' first notes are where these steps
    lead from the first note, found by doubling the step.
    """
    stretches, notes = onset.shape
    step = torch.searchsorted(onset.contiguous(), (onset + CHORD).contiguous(), right=True)
    step = torch.cat([step, torch.full((stretches, 1), notes, device=onset.device)], 1)
    begins = torch.zeros(stretches, notes + 1, dtype=torch.bool, device=onset.device)
    begins[:, 0] = True
    for _ in range(int(np.ceil(np.log2(notes + 1)))):
        reached = torch.where(begins, step, notes)
        begins = begins.scatter(1, reached, True)
        step = step.gather(1, step)
    return torch.cumsum(begins[:, :notes].long(), 1) - 1


def in_reading_order(stretches: Stretches) -> tuple[Stretches, Tensor, Tensor]:
    """Return the notes by event, then pitch; each note's event, and its event's time, (stretches, notes)."""
    stretches = stretches.sorted()
    event = group_events(stretches.onset)
    first = torch.full_like(stretches.onset, NEVER).scatter_reduce(1, event, stretches.onset, "amin")
    order = torch.argsort(event * 128 + stretches.pitch, dim=1, stable=True)
    event = event.gather(1, order)
    return stretches.take(order), event, first.gather(1, event)
