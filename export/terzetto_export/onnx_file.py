"""From a network to an ONNX file: exported, with its metadata, and checked against PyTorch before it gets its name."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from terzetto.errors import ModelError, OutputError
from terzetto.models import user_folder
from terzetto.onnx_session import open_model
from terzetto_export.onnx_parts import ON_DEMAND, Part, on_demand

PARITY = 1e-5
OPSET = 18


def file_of_model(name: str, folder: Path | None) -> Path:
    """Return the file of a model by its name, in a folder or, without one, in the user's; odd signs become ``_``."""
    return (folder or user_folder()) / f"{re.sub(r'[^A-Za-z0-9._-]+', '_', name).removesuffix('.onnx')}.onnx"


@dataclass(frozen=True)
class Description:
    """What the file says of itself; see `terzetto.models`."""

    task: str
    licence: str
    constants: Mapping[str, Any]
    method: str = ""
    version: int = 1


def export(
    network: nn.Module,
    path: Path,
    description: Description,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    dynamic: Mapping[str, Mapping[int, str]],
    real: Sequence[Mapping[str, Tensor]],
    *,
    half: bool = False,
    parts: Sequence[Part] = (),
    states: Sequence[str] = (),
) -> float:
    """Write a network as ONNX and return the largest difference to PyTorch on real data.

    Parameters
    ----------
    network
        Called with the inputs in their order; gives the outputs in theirs.
    inputs
        Example by name.
    outputs
        Names.
    dynamic
        For inputs and outputs, which axes may have any length, with a name each.
    real
        Inputs from real data, for the comparison.
    half
        Store weights in half precision, which halves the file: the network's own are rounded to it first. Computed is
        in single precision all the same.
    states
        Outputs that are only handed on, and not compared: the others follow from them frame by frame. A cell of an LSTM
        that has counted to a hundred is as exact as single precision allows, and less so than its output when that is
        near 0.
    parts
        Let each of these run only where its inputs have rows, and note it among the constants as ``on_demand``.

    Raises
    ------
    ModelError
        ONNX Runtime computes something else (by more than 1e-5 of the output's largest value); nothing is written.
    OutputError
        The file cannot be written.
    """
    import onnx

    network = network.cpu().eval()
    if half:
        _round_weights(network)
    path.parent.mkdir(parents=True, exist_ok=True)
    unproved = path.with_name(f".{path.name}.part.onnx")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter's own deprecations
            torch.onnx.export(
                network,
                tuple(inputs.values()),
                str(unproved),
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_axes={name: dict(axes) for name, axes in dynamic.items()},
                opset_version=OPSET,
                dynamo=False,
            )
        model = onnx.load(unproved)
        constants = {**description.constants, **({ON_DEMAND: True} if parts else {})}
        for key, value in (
            ("task", description.task),
            ("licence", description.licence),
            ("constants", json.dumps(constants, sort_keys=True)),
            ("method", description.method),
            ("version", str(description.version)),
        ):
            entry = model.metadata_props.add()
            entry.key, entry.value = key, value
        if half:
            _halve(model)
        if parts:
            on_demand(model, parts)
        onnx.checker.check_model(model)
        onnx.save(model, unproved)
        difference = largest_difference(network, unproved, real, [name not in states for name in outputs])
        if difference > PARITY:
            raise ModelError(
                f"{path}: ONNX Runtime's output differs from PyTorch's by {difference:.1e} of its largest value; at "
                f"most {PARITY:.0e} is allowed, so nothing was written"
            )
        unproved.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: could not be written ({error.strerror or error})") from None
    finally:
        unproved.unlink(missing_ok=True)
    return difference


def largest_difference(
    network: nn.Module, path: Path, real: Sequence[Mapping[str, Tensor]], compared: Sequence[bool]
) -> float:
    """Return the largest difference between PyTorch's and ONNX Runtime's outputs, as a share of the largest output.

    Parameters
    ----------
    compared
        Which of the outputs.
    """
    session = open_model(path, threads=1)
    worst = 0.0
    for inputs in real:
        with torch.no_grad():
            expected = network(*inputs.values())
        if isinstance(expected, Tensor):
            expected = (expected,)
        found: list[NDArray[np.float32]] = session.run(None, {name: value.numpy() for name, value in inputs.items()})
        for ours, theirs, counts in zip(expected, found, compared, strict=True):
            if not counts:
                continue
            scale = max(float(ours.abs().max()), 1e-12)
            worst = max(worst, float(np.abs(ours.numpy() - theirs).max()) / scale)
    return worst


def _round_weights(network: nn.Module) -> None:
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(parameter.half().float())


def _halve(model: Any) -> None:
    """Store matrices that half precision holds exactly as such, and cast them where they are used."""
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    casts = []
    for initializer in graph.initializer:
        if initializer.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(initializer)
        halved = values.astype(np.float16)
        if values.ndim < 2 or not np.array_equal(halved.astype(np.float32), values):
            continue
        name = initializer.name
        initializer.CopyFrom(numpy_helper.from_array(halved, f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        graph.node.insert(0, cast)
