"""A network as an ONNX file, with its instruments and their places on the pad; and back, to go on from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terzetto.errors import ModelError
from terzetto.timbre.xsynth_model import TASK, VERSION, open_timbre_model
from terzetto_export.onnx_file import Description, export
from terzetto_export.xsynth.network import XSynth


def write(
    network: XSynth,
    path: Path,
    instruments: Sequence[str],
    pad: NDArray[np.float64],
    features: Tensor,
    licence: str,
    *,
    low_latency: bool,
) -> float:
    """Write the file and return the largest difference to PyTorch; see `terzetto_export.onnx_file.export`.

    Parameters
    ----------
    pad
        Places (instruments, 2), 0..1.
    features
        Of real frames (n, frames, FEATURES), for the comparison.
    """
    network = network.cpu().eval()
    timbre = torch.zeros(*features.shape[:2], len(instruments))
    for row in range(len(features)):
        timbre[row, :, row % len(instruments)] = 1.0
    inputs = dict(zip(XSynth.INPUTS, (features, timbre, *network.start(len(features))), strict=True))
    example = {name: value[:1, :3] if value.ndim == 3 else value[:1] for name, value in inputs.items()}
    axes = {0: "streams", 1: "frames"}
    outputs = ("pitch", "harmonic", "partials", "noise", "bands", "level")
    dynamic = {name: axes for name in ("features", "timbre", *outputs)}
    dynamic |= {name: {0: "streams"} for name in (*XSynth.INPUTS[2:], *XSynth.OUTPUTS[6:])}
    constants = {
        "instruments": list(instruments),
        "pad": np.round(pad, 4).tolist(),
        "low_latency": low_latency,
    }
    description = Description(TASK, licence, constants, "xsynth", VERSION)
    states = XSynth.OUTPUTS[len(outputs) :]
    return export(network, path, description, example, XSynth.OUTPUTS, dynamic, [inputs], half=True, states=states)


def take_weights(network: XSynth, model: Path, instruments: Sequence[str] = ()) -> None:
    """Give a network the weights of an exported model, to go on from.

    Parameters
    ----------
    instruments
        The network's: one that the model knows begins with its timbre there, another with the mean of all.

    Raises
    ------
    ModelError
        The model is of another shape.
    """
    try:
        state = _weights(model)
        timbres = state["timbre.weight"]
        begins = timbres.mean(dim=1, keepdim=True).expand_as(network.timbre.weight).clone()
        known = open_timbre_model(str(model)).instruments if instruments else ()
        for place, name in enumerate(instruments):
            if name in known:
                begins[:, place] = timbres[:, known.index(name)]
        state["timbre.weight"] = begins
        network.load_state_dict(state)
    except (KeyError, RuntimeError, StopIteration) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"{model}: not a timbre model to go on from ({reason})") from None


def _weights(model: Path) -> dict[str, Tensor]:
    """Return PyTorch's weights, read back: ONNX names only the biases, and orders an LSTM's gates otherwise."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(model).graph
    held: dict[str, Tensor] = {}
    for each in graph.initializer:
        array = numpy_helper.to_array(each)
        if array.dtype.kind == "f":
            held[each.name.removesuffix(".half")] = torch.from_numpy(array.astype(np.float32))
    made_by = {name: node for node in graph.node for name in node.output}
    state: dict[str, Tensor] = {}
    for node in graph.node:
        if node.op_type == "Add":
            bias = next((name for name in node.input if name.endswith(".bias")), None)
            if bias is not None:
                product = made_by[next(name for name in node.input if name != bias)]
                state[bias] = held[bias]
                state[bias.removesuffix("bias") + "weight"] = held[product.input[1]].T.contiguous()
        elif node.op_type == "MatMul" and node.input[0] == "timbre":
            state["timbre.weight"] = held[node.input[1]].T.contiguous()
    layers = (node for node in graph.node if node.op_type == "LSTM")
    for name in ("hear", "play"):
        inner, recurrent, offset = (held[each][0] for each in next(layers).input[1:4])
        first, second = offset.chunk(2)
        for ending, values in (("weight_ih", inner), ("weight_hh", recurrent), ("bias_ih", first), ("bias_hh", second)):
            i, o, f, c = values.chunk(4)
            state[f"{name}.{ending}_l0"] = torch.cat([i, f, c, o])
    return state
