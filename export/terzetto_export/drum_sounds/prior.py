"""Where the sounds of a class lie in the latent space: a Gaussian about each sound, all of one shape.

The centres are drawn in towards the class's mean so that the mixture keeps the class's covariance (West: Mixture
models, Monte Carlo, Bayesian updating and dynamic models, 1993); how wide the Gaussians are is chosen by the likelihood
of held-out kits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from terzetto.drums.drum_map import CLASSES

WIDTHS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Of the Gaussians, as a share of the class's own spread; with 1 the mixture is a single Gaussian."""
MOST_CENTRES = 256
_SHRINKAGE = 0.1
Float = NDArray[np.float32]


@dataclass(frozen=True)
class Latents:
    """Encoded sounds: points (n, L) and their classes (n,)."""

    points: Float
    classes: NDArray[np.int64]

    def of(self, sound_class: int) -> Float:
        """Return the points of a class."""
        return np.asarray(self.points[self.classes == sound_class])


class Prior(nn.Module):
    """The mixtures of all classes, as a network that draws from them.

    Parameters
    ----------
    latents
        Of training sounds.
    width
        Of the Gaussians, one of `WIDTHS`.
    """

    def __init__(self, latents: Latents, width: float) -> None:
        super().__init__()
        size = latents.points.shape[1]
        spread = float(np.sqrt(1 - width**2))
        self.counts: list[int] = []
        centres = np.zeros((len(CLASSES), MOST_CENTRES, size))
        shapes = np.zeros((len(CLASSES), size, size))
        for each in range(len(CLASSES)):
            points = latents.of(each)
            if len(points) > MOST_CENTRES:
                points = points[np.random.default_rng(each).permutation(len(points))[:MOST_CENTRES]]
            self.counts.append(len(points))
            if len(points):
                centres[each, : len(points)] = points.mean(axis=0) + spread * (points - points.mean(axis=0))
                shapes[each] = width * np.linalg.cholesky(covariance(latents.of(each), latents.points))
        # In half precision the file is half as large.
        self.register_buffer("centres", torch.from_numpy(centres).half().float())
        self.register_buffer("shapes", torch.from_numpy(shapes).half().float())
        self.centres: Tensor
        self.shapes: Tensor

    def forward(self, centre: Tensor, normal: Tensor, sound_class: Tensor) -> Tensor:
        """Return a point for the number of a centre (n, 1), a normal vector (n, L) and a class, one-hot (n, 8)."""
        each = sound_class.argmax(dim=1)
        drawn = (self.shapes[each] @ normal[:, :, None])[:, :, 0]
        return torch.as_tensor(self.centres[each, centre[:, 0]] + drawn)

    def log_density(self, points: Float, sound_class: int) -> NDArray[np.float64]:
        """Return log p(point | class) in nats, (n,)."""
        count = self.counts[sound_class]
        centres, shape = self.centres[sound_class, :count].double(), self.shapes[sound_class].double()
        difference = torch.from_numpy(points).double()[:, None] - centres
        white = torch.linalg.solve_triangular(shape, difference.flatten(0, 1).T, upper=False)
        energy = -0.5 * (white**2).sum(dim=0).reshape(difference.shape[:2])
        normaliser = torch.log(shape.diagonal()).sum() + 0.5 * points.shape[1] * np.log(2 * np.pi) + np.log(count)
        return np.asarray((torch.logsumexp(energy, dim=1) - normaliser).numpy())


def covariance(points: Float, others: Float) -> NDArray[np.float64]:
    """Return a class's covariance, drawn towards that of all sounds the more, the fewer it has."""
    whole = np.cov(others.T) if len(others) > 1 else np.eye(others.shape[1])
    whole = whole + 1e-4 * np.eye(len(whole))
    if len(points) < 2:
        return np.asarray(whole)
    trust = (1 - _SHRINKAGE) * len(points) / (len(points) + 20)
    return np.asarray(trust * np.cov(points.T) + (1 - trust) * whole)


def fit_prior(training: Latents, validation: Latents) -> tuple[Prior, float]:
    """Return the prior whose width makes held-out sounds likeliest, the mean over classes, and that width."""
    best: tuple[float, float, Prior] | None = None
    for width in WIDTHS:
        prior = Prior(training, width)
        classes = [each for each in np.unique(validation.classes) if prior.counts[each]]
        value = float(np.mean([prior.log_density(validation.of(each), each).mean() for each in classes]))
        if best is None or value > best[0]:
            best = value, width, prior
    assert best is not None
    return best[2], best[1]
