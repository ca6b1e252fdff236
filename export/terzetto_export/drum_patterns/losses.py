"""What the decoder is trained for."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from terzetto.drums.drum_map import DRUMS
from terzetto.drums.pattern_features import HIT_SCALE, N_FINE, OFFSET_SCALE, VELOCITY_SCALE
from terzetto_export.drum_patterns.network import Raw

# One hit's squared error of velocity or offset weighs this much in nats: an error of 0.1 is a tenth of a nat.
TIMING_AND_LOUDNESS = 10.0
UNIT = 20.0  # recipes give their loss in so many nats, which suits the clipping of gradients in `fit`
_N = len(DRUMS)


def targets(features: Tensor) -> Raw:
    """Return the parts of features (n, 16, 59) in the decoder's units."""
    fine, hits, velocities, offsets = torch.split(features, [N_FINE, _N, _N, _N], dim=2)
    return Raw(fine, hits / HIT_SCALE, velocities / VELOCITY_SCALE, offsets / OFFSET_SCALE)


def hit_loss(raw: Raw, truth: Raw) -> Tensor:
    """Return each bar's negative log-likelihood of the hits, both forms together, in nats (n,)."""
    loss = nn.functional.binary_cross_entropy_with_logits
    fine = loss(raw.fine, truth.fine, reduction="none").sum(dim=(1, 2))
    return fine + loss(raw.hits, truth.hits, reduction="none").sum(dim=(1, 2))


def shape_loss(raw: Raw, truth: Raw) -> Tensor:
    """Return each bar's weighted squared error of velocities and offsets where there are hits, (n,)."""
    loudness = (torch.sigmoid(raw.velocities) - truth.velocities) ** 2
    timing = (0.5 * torch.tanh(raw.offsets) - truth.offsets) ** 2
    return TIMING_AND_LOUDNESS * ((loudness + timing) * truth.hits).sum(dim=(1, 2))


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return each bar's Kullback-Leibler divergence from the standard normal prior in nats, (n,)."""
    return 0.5 * (mean**2 + log_variance.exp() - 1.0 - log_variance).sum(dim=1)
