"""Temporal convolutional networks (Bai et al. 2018) before the encoder, in two readings.

*All rows at once*: the first level mixes the rows (`CausalBlock` after `CausalBlock`). *Each row a line of its own*
(`RowsApart`): one map goes in, 8, 16 and 24 come out of the levels, and are mixed into one. All rows share the
convolutions, which have no bias: where a row has been silent nothing comes out, and what comes out where it has not
depends on its last few steps alone. Events are one-hot, so these are a handful of histories: the network is run on each
that there can be and looked up. The numbers are those of running it on all rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn


class CausalBlock(nn.Module):
    """One level of a temporal convolutional network: a causal dilated convolution and a ReLU (Bai et al. 2018)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, dilation: int, *, bias: bool = True) -> None:
        super().__init__()
        self.padding = (kernel - 1) * dilation
        self.convolution = nn.Conv1d(inputs, outputs, kernel, dilation=dilation, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, inputs, time) to (n, outputs, time); nothing flows from the future."""
        return torch.relu(self.convolution(nn.functional.pad(x, (self.padding, 0))))


class RowsApart(nn.Module):
    """A causal network of one line, shared by all rows.

    Parameters
    ----------
    levels
        Feature maps of its levels; level i is dilated 2^i. The last are mixed into one.
    kernel
        Width of its convolutions.
    """

    def __init__(self, levels: Sequence[int], kernel: int) -> None:
        super().__init__()
        widths = [1, *levels]
        self.blocks = nn.Sequential(
            *(CausalBlock(a, b, kernel, 2**i, bias=False) for i, (a, b) in enumerate(pairwise(widths)))
        )
        self.mix = nn.Conv1d(widths[-1], 1, 1, bias=False)
        self.reach = 1 + (kernel - 1) * (2 ** len(levels) - 1)
        """Steps that the output depends on."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, rows, time) to the same shape; nothing flows from the future, nor from row to row."""
        lines = x.reshape(-1, 1, x.shape[2])
        mixed: Tensor = self.mix(self.blocks(lines))
        return mixed.reshape(x.shape)

    def of_histories(self) -> Tensor:
        """Return the output after each history, (2^reach,): bit i of its number is what the row was i steps ago."""
        steps = torch.arange(self.reach - 1, -1, -1, device=self.mix.weight.device)
        numbers = torch.arange(2**self.reach, device=steps.device)
        lines = ((numbers[:, None] >> steps) & 1).float()
        found: Tensor = self.mix(self.blocks(lines[:, None]))
        return found[:, 0, -1]


def active_cells(events: Tensor, reach: int) -> tuple[Tensor, Tensor]:
    """Return where rows are not silent: at each step so many rows, (steps, reach), and their histories' numbers.

    A row that came more than once within the reach is named once for each; all but the latest have history 0.
    """
    steps = len(events)
    ago = torch.arange(reach, device=events.device)
    at = torch.arange(steps, device=events.device)[:, None] - ago
    rows = torch.where(at >= 0, events[at.clamp(min=0)], -1 - ago)  # before the beginning: rows that none is equal to
    same = rows[:, :, None] == rows[:, None, :]  # (steps, reach, reach): came i and j steps ago
    history = (same.long() << ago).sum(dim=2)
    latest = ~(same & (ago[None, :] < ago[:, None])).any(dim=2) & (at >= 0)
    return rows.clamp(min=0), torch.where(latest, history, 0)
