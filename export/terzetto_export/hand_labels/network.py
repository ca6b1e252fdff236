"""The network: a note's neighbourhood, and what the hands do before and after → how likely the right hand plays it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from terzetto.score.hand_features import N_FEATURES


class HandNetwork(nn.Module):
    """Two layers on the neighbourhood, a recurrent memory along the notes each way, one number a note.

    Parameters
    ----------
    width
        Of the layers.
    memory
        Of each recurrent state.
    """

    def __init__(self, width: int = 128, memory: int = 96, dropout: float = 0.3) -> None:
        super().__init__()
        self.memory = memory
        self.look = nn.Sequential(
            nn.Linear(N_FEATURES, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, width), nn.ReLU()
        )
        self.remember = nn.GRU(width, memory)
        self.foresee = nn.GRU(width, memory)
        self.decide = nn.Sequential(nn.Dropout(dropout), nn.Linear(width + 2 * memory, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, features: Tensor, state: Tensor, whole: Tensor) -> tuple[Tensor, Tensor]:
        """Label notes.

        Parameters
        ----------
        features : (notes, batch, N_FEATURES)
        state : (1, batch, memory)
            Zeros before the first note.
        whole : (1, batch, 1)
            1 to read from the end as well, 0 to go by the features' own look-ahead alone, as live.

        Returns
        -------
        logit : (notes, batch)
            Of the right hand.
        state : (1, batch, memory)
            After the last note.
        """
        seen = self.look(features)
        remembered, state = self.remember(seen, state)
        foreseen = self.foresee(seen.flip(0))[0].flip(0) * whole
        logit = self.decide(torch.cat([seen, remembered, foreseen], dim=-1))
        return logit.squeeze(-1), state


class HandEnsemble(nn.Module):
    """Networks from different seeds, to the outside one: the mean of their logits, their states in a row."""

    def __init__(self, networks: Sequence[HandNetwork]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.memories = [network.memory for network in networks]
        self.memory = sum(self.memories)

    def forward(self, features: Tensor, state: Tensor, whole: Tensor) -> tuple[Tensor, Tensor]:
        """Label notes; see `HandNetwork.forward`."""
        states = torch.split(state, self.memories, dim=-1)
        answers = [network(features, own, whole) for network, own in zip(self.networks, states, strict=True)]
        logits, after = zip(*answers, strict=True)
        return torch.stack(logits).mean(dim=0), torch.cat(after, dim=-1)
