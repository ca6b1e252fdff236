"""The network for whole performances: every note looks at all others near it, by how far they are in pitch and time."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from terzetto.score.hand_features import N_FEATURES, N_HELD

# Wavelengths by which an attention head tells distances: seconds, and semitones.
_SECONDS, _SEMITONES = (0.08, 40.0), (2.5, 160.0)


class Turned(nn.Module):
    """Self-attention with rotary places (Su et al. 2021) in two dimensions: half of a head by time, half by pitch."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.ask = nn.Linear(width, 3 * width)
        self.answer = nn.Linear(width, width)

    def forward(self, notes: Tensor, cosine: Tensor, sine: Tensor, mask: Tensor | None) -> Tensor:
        """Attend; ``notes`` (stretches, notes, width), cosine and sine (stretches, 1, notes, half a head)."""
        stretches, length, width = notes.shape
        query, key, value = (
            part.reshape(stretches, length, self.heads, width // self.heads).transpose(1, 2)
            for part in self.ask(notes).chunk(3, dim=-1)
        )
        heard = nn.functional.scaled_dot_product_attention(
            _turn(query, cosine, sine),
            _turn(key, cosine, sine),
            value,
            attn_mask=mask,
            dropout_p=self.dropout if self.training else 0.0,
        )
        answer: Tensor = self.answer(heard.transpose(1, 2).reshape(stretches, length, width))
        return answer


def _turn(what: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    first, second = what.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1).to(what.dtype)


class Block(nn.Module):
    """Attention, then two dense layers, each on what was normalised and added to what was."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Turned(width, heads, dropout)
        self.dense = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * width, width)
        )
        self.drop = nn.Dropout(dropout)

    def forward(self, notes: Tensor, cosine: Tensor, sine: Tensor, mask: Tensor | None) -> Tensor:
        """See `Turned.forward`."""
        notes = notes + self.drop(self.attention(self.before(notes), cosine, sine, mask))
        after: Tensor = notes + self.drop(self.dense(self.between(notes)))
        return after


class WholeNetwork(nn.Module):
    """Each note's neighbourhood, then what all notes of the stretch say to each other; one number a note.

    Parameters
    ----------
    width, heads, blocks
        Of the layers; ``width / heads`` must be divisible by 4.
    """

    by_time: Tensor
    by_pitch: Tensor

    def __init__(self, width: int = 192, heads: int = 6, blocks: int = 5, dropout: float = 0.15) -> None:
        super().__init__()
        pairs = width // heads // 4
        self.register_buffer("by_time", 2 * torch.pi / _ladder(*_SECONDS, pairs), persistent=False)
        self.register_buffer("by_pitch", 2 * torch.pi / _ladder(*_SEMITONES, pairs), persistent=False)
        self.look = nn.Sequential(
            nn.Linear(N_FEATURES + N_HELD, width), nn.GELU(), nn.Dropout(dropout), nn.Linear(width, width)
        )
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(blocks))
        self.decide = nn.Sequential(nn.LayerNorm(width), nn.Dropout(dropout), nn.Linear(width, 1))

    def forward(self, features: Tensor, time: Tensor, pitch: Tensor, there: Tensor | None = None) -> Tensor:
        """Label notes.

        Parameters
        ----------
        features : (stretches, notes, N_FEATURES + N_HELD)
        time, pitch : (stretches, notes)
            Seconds from anywhere, semitones.
        there : bool (stretches, notes), optional
            Which places hold notes; without it all do.

        Returns
        -------
        (stretches, notes)
            Logits of the right hand.
        """
        angle = torch.cat([time[..., None] * self.by_time, (pitch[..., None] - 64.0) * self.by_pitch], dim=-1)
        cosine, sine = torch.cos(angle)[:, None], torch.sin(angle)[:, None]
        mask = None if there is None else there[:, None, None, :]
        notes = self.look(features).float()
        for block in self.blocks:
            notes = block(notes, cosine, sine, mask)
        logit: Tensor = self.decide(notes).squeeze(-1)
        return logit


class WholeEnsemble(nn.Module):
    """Networks from different seeds: the mean of their logits."""

    def __init__(self, networks: Sequence[WholeNetwork]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, features: Tensor, time: Tensor, pitch: Tensor) -> Tensor:
        """Label notes; see `WholeNetwork.forward`."""
        return torch.stack([network(features, time, pitch) for network in self.networks]).mean(dim=0)


def _ladder(low: float, high: float, steps: int) -> Tensor:
    return torch.exp(torch.linspace(float(torch.log(torch.tensor(low))), float(torch.log(torch.tensor(high))), steps))
