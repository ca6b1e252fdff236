"""A pad for each class: a smooth map of the unit square into the latent space.

Each sound of the class gets a place by its rank in brightness (x) and in length (y), so that a class's sounds fill the
square; the map is the weighted mean of the sounds' latent points about a place, written as a sum of radial functions
(a generative topographic map's form: Bishop et al. 1998), so that neighbours sound alike.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from terzetto.drums.drum_map import CLASSES
from terzetto.drums.sound_maps import COLUMNS
from terzetto_export.drum_sounds.prior import Latents

RANGE = (0.0, 1.0)
_NODES = 7  # radial functions on each side
_WIDTH = 1.0 / (_NODES - 1)
_REACH = 0.09  # how far a sound is felt
Float = NDArray[np.float32]


def brightness_and_length(images: NDArray[np.floating], strips: Float) -> NDArray[np.float64]:
    """Return for each sound, (n, 2), its mean row, where rows weigh as their energy does, and how long it rings.

    How long is the mean column, weighted by the level above -60 dB of its loudest row or body.
    """
    level = images[:, 0].astype(np.float64)
    power = 10.0 ** (10.0 * (level - 1.0))
    rows = np.arange(level.shape[1])
    body = 10.0 ** (8.0 * (strips[:, :COLUMNS].astype(np.float64) - 1.0))
    # The body stands below the lowest row.
    bright = (power.sum(axis=2) @ rows - 12.0 * body.sum(axis=1)) / (power.sum(axis=(1, 2)) + body.sum(axis=1) + 1e-12)
    loudest = np.maximum(level.max(axis=1), strips[:, :COLUMNS])
    audible = np.clip(loudest - loudest.max(axis=1, keepdims=True) + 0.6, 0.0, None)
    return np.stack([bright, audible.sum(axis=1)], axis=1)


def places(measured: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks in 0..1, (n, 2); the second among those alike in the first, so that the square is filled."""
    n = len(measured)
    x = _ranks(measured[:, 0])
    strips = max(int(np.sqrt(n / 2)), 1)
    y = np.zeros(n)
    for rows in np.array_split(np.argsort(x), strips):
        y[rows] = _ranks(measured[rows, 1])
    return np.stack([x, y], axis=1)


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return (np.argsort(np.argsort(values)) + 0.5) / len(values)


class Pads(nn.Module):
    """The pads of all classes.

    Parameters
    ----------
    latents
        Of sounds.
    measured
        See `brightness_and_length`, (n, 2).
    """

    def __init__(self, latents: Latents, measured: NDArray[np.float64]) -> None:
        super().__init__()
        axis = torch.linspace(0.0, 1.0, _NODES)
        self.register_buffer("nodes", torch.cartesian_prod(axis, axis))
        self.nodes: Tensor
        fine = np.linspace(0.0, 1.0, 17)
        grid = np.stack(np.meshgrid(fine, fine, indexing="ij"), axis=-1).reshape(-1, 2)
        functions = self.functions(torch.from_numpy(grid).float()).double().numpy()
        weights = np.zeros((len(CLASSES), functions.shape[1], latents.points.shape[1]))
        for each in range(len(CLASSES)):
            points = latents.of(each).astype(np.float64)
            if len(points):
                place = places(measured[latents.classes == each])
                distance = ((grid[:, None] - place[None]) ** 2).sum(axis=2)
                near = np.exp(-0.5 * (distance - distance.min(axis=1, keepdims=True)) / _REACH**2)
                wanted = near @ points / near.sum(axis=1, keepdims=True)
                gram = functions.T @ functions + 1e-3 * np.eye(functions.shape[1])
                weights[each] = np.linalg.solve(gram, functions.T @ wanted)
        self.register_buffer("weights", torch.from_numpy(weights).float())
        self.weights: Tensor

    def functions(self, places: Tensor) -> Tensor:
        """Return the radial functions at places (n, 2), normalised, (n, 49)."""
        distance = ((places[:, None] - self.nodes[None]) ** 2).sum(dim=2)
        return torch.softmax(-0.5 * distance / _WIDTH**2, dim=1)

    def forward(self, places: Tensor, sound_class: Tensor) -> Tensor:
        """Return the points of the latent space, (n, L), under places (n, 2) of a class's pad, one-hot (n, 8)."""
        weights = self.weights[sound_class.argmax(dim=1)]
        return torch.as_tensor((self.functions(places)[:, None] @ weights)[:, 0])
