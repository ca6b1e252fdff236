"""The whole sound model as one ONNX file: encoder, decoder, prior and pads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from terzetto.drums.drum_map import CLASSES
from terzetto.drums.sounds import TASK
from terzetto.errors import ModelError
from terzetto_export.drum_sounds.network import SoundAutoencoder
from terzetto_export.drum_sounds.pad import RANGE, Pads
from terzetto_export.drum_sounds.prior import Prior
from terzetto_export.drum_sounds.recipe import Batch
from terzetto_export.onnx_file import Description, export
from terzetto_export.onnx_parts import Part, all_initializers


class WholeModel(nn.Module):
    """All parts side by side, each with its own inputs and outputs."""

    PARTS = (
        Part(("image", "strip", "image_class"), ("latent_mean",)),
        Part(("latent", "latent_class"), ("decoded_image", "decoded_strip")),
        Part(("centre", "normal", "sampled_class"), ("sampled",)),
        Part(("pad", "pad_class"), ("pad_latent",)),
    )
    INPUTS = tuple(name for part in PARTS for name in part.inputs)
    OUTPUTS = tuple(name for part in PARTS for name in part.outputs)

    def __init__(self, autoencoder: SoundAutoencoder, prior: Prior, pads: Pads) -> None:
        super().__init__()
        self.autoencoder, self.prior, self.pads = autoencoder, prior, pads

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs for the inputs, in their order."""
        image, strip, image_class, latent, latent_class, centre, normal, sampled_class, pad, pad_class = given
        return (
            self.autoencoder.encoder(image, strip, image_class)[0],
            *self.autoencoder.decoder(latent, latent_class),
            self.prior(centre, normal, sampled_class),
            self.pads(pad, pad_class),
        )


def write(network: WholeModel, path: Path, real: Batch, licence: str, more: Mapping[str, Any] | None = None) -> float:
    """Write the file and return the largest difference to PyTorch; see `terzetto_export.onnx_file.export`.

    Parameters
    ----------
    real
        Sounds for the comparison.
    more
        Further constants.
    """
    network = network.cpu().eval()
    counts = network.prior.counts
    constants = {
        "classes": [name for name, count in zip(CLASSES, counts, strict=True) if count],
        "centres": counts,
        "latent_size": network.autoencoder.latent_size,
        "pad_range": list(RANGE),
        "typical_first": True,
        **(more or {}),
    }
    rows = {name: {0: f"{name}_rows"} for name in (*WholeModel.INPUTS, *WholeModel.OUTPUTS)}
    inputs = _inputs(network, real)
    example = {name: value[:2] for name, value in inputs.items()}
    description = Description(TASK, licence, constants)
    return export(
        network, path, description, example, WholeModel.OUTPUTS, rows, [inputs], half=True, parts=WholeModel.PARTS
    )


def take_weights(autoencoder: SoundAutoencoder, model: Path) -> None:
    """Give an autoencoder the weights of an exported model, to go on from.

    Raises
    ------
    ModelError
        The model is of another size.
    """
    import onnx
    from onnx import numpy_helper

    found = {each.name.removesuffix(".half"): each for each in all_initializers(onnx.load(model).graph)}
    try:
        state = {
            name: torch.from_numpy(numpy_helper.to_array(found[f"autoencoder.{name}"]).astype(np.float32))
            for name in autoencoder.state_dict()
        }
        autoencoder.load_state_dict(state)
    except (KeyError, RuntimeError) as error:
        raise ModelError(f"{model}: not a sound model to go on from ({' '.join(str(error).split())[:200]})") from None


def _inputs(network: WholeModel, real: Batch) -> dict[str, Tensor]:
    """Return inputs of all parts, made from real sounds."""
    random = torch.Generator().manual_seed(0)
    each, n = real.sound_class, len(real.sound_class)
    with torch.no_grad():
        latent = network.autoencoder.encoder(real.image, real.strip, each)[0]
    counts = torch.tensor(network.prior.counts)[each.argmax(dim=1)]
    centre = (torch.rand(n, generator=random) * counts).long()[:, None]
    normal = torch.randn(n, latent.shape[1], generator=random)
    pad = torch.rand(n, 2, generator=random)
    values = (real.image, real.strip, each, latent, each, centre, normal, each, pad, each)
    assert np.isfinite(latent.numpy()).all()
    return dict(zip(WholeModel.INPUTS, values, strict=True))
