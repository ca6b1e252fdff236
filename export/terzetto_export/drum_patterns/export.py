"""The whole model as one ONNX file: encoder, decoder, flow both ways, and pad."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from terzetto.drums.grid import STEPS
from terzetto.drums.pattern_features import WIDTH, Bars, features
from terzetto.drums.patterns import TASK
from terzetto_export.drum_patterns.corpus import FULL_DENSITY
from terzetto_export.drum_patterns.network import WholeModel
from terzetto_export.drum_patterns.pad import RANGE
from terzetto_export.onnx_file import Description, export

Map = list[tuple[float, float, int]]


@dataclass(frozen=True)
class Settings:
    """What was chosen on the validation set.

    Attributes
    ----------
    fine, hits, pad : float
        Thresholds of probability on the fine grid, in the HVO form, and on the fine grid for points of the pad.
    temperature : float
        Of samples: the spread of the normal space they are drawn in.
    style_strength : float
        How much a style's name weighs; with 1 samples of a style can become its caricature.
    """

    fine: float = 0.4
    hits: float = 0.4
    pad: float = 0.3
    temperature: float = 1.0
    style_strength: float = 1.0


def write(
    network: WholeModel,
    path: Path,
    styles: Sequence[str],
    settings: Settings,
    real: Bars,
    licence: str,
    *,
    points: Map | None = None,
    more: Mapping[str, Any] | None = None,
) -> float:
    """Write the file and return the largest difference to PyTorch on real bars; see `terzetto_export.onnx_file.export`.

    Parameters
    ----------
    real
        Bars for the comparison.
    points
        Training bars on the pad: x, y, index of the style or -1.
    more
        Further constants.
    """
    network = network.cpu().eval()
    size = network.autoencoder.latent_size
    constants = {
        "styles": list(styles),
        "latent_size": size,
        "pad_range": list(RANGE),
        "full_density": FULL_DENSITY,
        "thresholds": {"fine": settings.fine, "hits": settings.hits, "pad": settings.pad},
        "temperature": settings.temperature,
        "style_strength": settings.style_strength,
        "map": points or [],
        **(more or {}),
    }
    rows = {name: {0: f"{name}_rows"} for name in (*WholeModel.INPUTS, *WholeModel.OUTPUTS)}
    return export(
        network,
        path,
        Description(TASK, licence, constants),
        _inputs(network, real.at(slice(0, 2)), len(styles)),
        WholeModel.OUTPUTS,
        rows,
        [_inputs(network, real, len(styles))],
        half=True,
    )


def _inputs(network: WholeModel, bars: Bars, styles: int) -> dict[str, Tensor]:
    """Return inputs of all parts, made from real bars."""
    n, size = len(bars), network.autoencoder.latent_size
    read = torch.from_numpy(features(bars))
    assert read.shape[1:] == (STEPS, WIDTH)
    with torch.no_grad():
        latent = network.autoencoder.encoder(read)[0]
    condition = torch.zeros(n, styles + 2)
    condition[:, -2:] = 1.0
    random = np.random.default_rng(0)
    normal = torch.from_numpy(random.standard_normal((n, size)).astype(np.float32))
    pad = torch.from_numpy(random.uniform(*RANGE, (n, 2)).astype(np.float32))
    values = (read, latent, latent, torch.zeros_like(condition), normal, condition, pad)
    return dict(zip(WholeModel.INPUTS, values, strict=True))
