"""The network for live: a note's neighbourhood and the memory of all before → how likely the right hand plays it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from terzetto.score.hand_features import N_FEATURES

# In training so many batches are read as live; the others from the end as well, which teaches the first layers more.
LIVE = 0.3


class LiveNetwork(nn.Module):
    """Two layers on the neighbourhood, a recurrent memory along the notes, one number a note.

    Parameters
    ----------
    width
        Of the layers.
    memory
        Of the recurrent state.
    """

    def __init__(self, width: int = 256, memory: int = 160, dropout: float = 0.3) -> None:
        super().__init__()
        self.memory = memory
        self.look = nn.Sequential(
            nn.Linear(N_FEATURES, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, width), nn.ReLU()
        )
        self.remember = nn.GRU(width, memory)
        self.foresee = nn.GRU(width, memory)
        self.decide = nn.Sequential(nn.Dropout(dropout), nn.Linear(width + 2 * memory, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Label notes.

        Parameters
        ----------
        features : (notes, batch, N_FEATURES)
        state : (1, batch, memory)
            Zeros before the first note.

        Returns
        -------
        logit : (notes, batch)
            Of the right hand.
        state : (1, batch, memory)
            After the last note.
        """
        seen = self.look(features)
        remembered, state = self.remember(seen, state)
        foreseen = torch.zeros_like(remembered)
        if self.training and torch.rand(()) >= LIVE:
            foreseen = self.foresee(seen.flip(0))[0].flip(0)
        logit = self.decide(torch.cat([seen, remembered, foreseen], dim=-1))
        return logit.squeeze(-1), state


class LiveEnsemble(nn.Module):
    """Networks from different seeds, to the outside one: the mean of their logits, their states in a row."""

    def __init__(self, networks: Sequence[LiveNetwork]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.memories = [network.memory for network in networks]
        self.memory = sum(self.memories)

    def forward(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Label notes; see `LiveNetwork.forward`."""
        states = torch.split(state, self.memories, dim=-1)
        answers = [network(features, own) for network, own in zip(self.networks, states, strict=True)]
        logits, after = zip(*answers, strict=True)
        return torch.stack(logits).mean(dim=0), torch.cat(after, dim=-1)
