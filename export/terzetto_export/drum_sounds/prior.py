"""Where the sounds of a class lie in the latent space: a Gaussian about each sound, all of one shape.

The shape is that of the differences between neighbours, not of the class as a whole: a class may be several clusters
(bells and scratches are both of the class `other`), and between them lies nothing that one would keep (a manifold
Parzen estimate with one covariance: Vincent, Bengio: Manifold Parzen windows, NIPS 2002).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from terzetto.drums.drum_map import CLASSES

WIDTH = 0.5
"""Of the Gaussians, against the differences between neighbours.

Samples of the shipped model are then 0.86 times (of the whole prior: 0.92) as far from their nearest training sound as
the sounds of the validation kits are (medians, in 16 principal components of mel levels): new sounds, but typical ones.
"""
BETWEEN = 0.3
"""The same, about draws that were kept (`recognised`): they are spread themselves, and these fill the gaps."""
NEIGHBOURS = 0.05
"""Of a class's sounds, but five at least."""
MOST_CENTRES = 256
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
        Where the Gaussians are.
    around
        Of training sounds, whose neighbours tell the Gaussians' shape; the same unless given.
    width
        Of the Gaussians.
    """

    def __init__(self, latents: Latents, around: Latents | None = None, width: float = WIDTH) -> None:
        around = around or latents
        super().__init__()
        size = latents.points.shape[1]
        self.counts: list[int] = []
        centres = np.zeros((len(CLASSES), MOST_CENTRES, size))
        shapes = np.zeros((len(CLASSES), size, size))
        for each in range(len(CLASSES)):
            points = latents.of(each)
            if len(points) > MOST_CENTRES:
                points = points[np.random.default_rng(each).permutation(len(points))[:MOST_CENTRES]]
            self.counts.append(len(points))
            if len(points):
                centres[each, : len(points)] = points
                shapes[each] = shape_of(around.of(each), width)
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


def shape_of(points: Float, width: float = WIDTH) -> NDArray[np.float64]:
    """Return what makes a Gaussian of a class's shape out of normal numbers, (L, L), for its points (n, L)."""
    return np.asarray(width * np.linalg.cholesky(neighbours_covariance(points)))


def neighbours_covariance(points: Float) -> NDArray[np.float64]:
    """Return the covariance of half the difference between a point and its neighbours, (L, L), for points (n, L)."""
    points = points.astype(np.float64)
    n, size = points.shape
    ridge = 1e-4 * np.eye(size)
    if n < 2:
        return ridge
    squares = (points**2).sum(axis=1)
    distance = squares[:, None] + squares - 2 * points @ points.T
    near = np.argsort(distance, axis=1)[:, 1 : 1 + max(round(NEIGHBOURS * n), 5)]
    differences = (points[near] - points[:, None]).reshape(-1, size)
    return np.asarray(differences.T @ differences / (2 * len(differences)) + ridge)
