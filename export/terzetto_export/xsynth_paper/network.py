"""The slides' autoencoder on STFT magnitudes, and the two networks it is compared with in their notes.

"A simple STFT autoencoder did not get quite close to the point. Two modifications improved the results: input context,
LSTM hidden layer." The slides give no sizes; ours follow their picture (an encoding and a decoding section around a
hidden layer that is smaller): 1025 bins → 256 → 64 → 256 → 1025. Magnitudes are compressed by a square root, as the
mean squared error of plain ones is that of the loudest partial alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

WIDE, HIDDEN = 256, 64
CONTEXT = 4


@dataclass(frozen=True)
class Kind:
    """One network of the ablation.

    Attributes
    ----------
    name : str
    context : int
        Frames before the present one that are read with it.
    recurrent : bool
        Whether the hidden layer is an LSTM.
    """

    name: str
    context: int = 0
    recurrent: bool = False


PLAIN = Kind("plain autoencoder")
WITH_CONTEXT = Kind("+ context", CONTEXT)
X_SYNTH = Kind("+ context + LSTM", CONTEXT, True)
KINDS = (PLAIN, WITH_CONTEXT, X_SYNTH)


class Autoencoder(nn.Module):
    """Compressed magnitudes (n, frames, bins) in and out.

    Parameters
    ----------
    kind : Kind
    bins : int
    """

    def __init__(self, kind: Kind, bins: int) -> None:
        super().__init__()
        self.kind = kind
        self.encoder = nn.Sequential(nn.Linear(bins * (1 + kind.context), WIDE), nn.ELU())
        self.hidden = nn.LSTM(WIDE, HIDDEN, batch_first=True) if kind.recurrent else nn.Linear(WIDE, HIDDEN)
        self.decoder = nn.Sequential(nn.Linear(HIDDEN, WIDE), nn.ELU(), nn.Linear(WIDE, bins), nn.Softplus(beta=20.0))

    def forward(self, x: Tensor) -> Tensor:
        """Return what the network makes of ``x``; frame i of the output has heard the frames up to i."""
        hidden = self.hidden(self.encoder(with_context(x, self.kind.context)))
        return torch.as_tensor(self.decoder(hidden[0] if self.kind.recurrent else torch.tanh(hidden)))


def with_context(x: Tensor, context: int) -> Tensor:
    """Return frames (n, frames, bins) with those before them beside them, (n, frames, bins · (1 + context))."""
    earlier = nn.functional.pad(x, (0, 0, context, 0))
    return torch.cat([earlier[:, i : i + x.shape[1]] for i in range(context + 1)], dim=2)
