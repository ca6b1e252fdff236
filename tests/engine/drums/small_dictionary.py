"""A dictionary made by hand: its atoms are bars, and its encoder is their matched filter."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from terzetto.drums.drum_map import DRUMS
from terzetto.drums.grid import Hvo

KICK, SNARE, CLOSED = (DRUMS.index(name) for name in ("kick", "snare", "closed hat"))


def rock() -> Hvo:
    hits = np.zeros(Hvo.SHAPE, np.bool_)
    hits[CLOSED, ::2] = hits[KICK, [0, 8]] = hits[SNARE, [4, 12]] = True
    return Hvo(hits, np.full(Hvo.SHAPE, 0.7))


def busy() -> Hvo:
    hits = np.zeros(Hvo.SHAPE, np.bool_)
    hits[DRUMS.index("ride"), ::3] = hits[KICK, [0, 3, 6, 10, 13]] = hits[SNARE, [4, 7, 9, 12, 15]] = True
    return Hvo(hits, np.full(Hvo.SHAPE, 0.7))


def fill() -> Hvo:
    hits = np.zeros(Hvo.SHAPE, np.bool_)
    hits[DRUMS.index("mid tom"), 8:] = True
    return Hvo(hits, np.full(Hvo.SHAPE, 0.7))


def write_dictionary(path: Path, bars: list[Hvo]) -> None:
    """Write a dictionary whose atoms are these bars."""
    atoms = np.stack([bar.as_rows() for bar in bars])
    encoder = atoms / (atoms**2).sum(axis=(1, 2), keepdims=True)
    nodes = [
        helper.make_node("Conv", ["rows", "encoder"], ["match"], strides=[16], kernel_shape=[16]),
        helper.make_node("Relu", ["match"], ["activity"]),
        helper.make_node("Identity", ["kernels"], ["atoms"]),
    ]
    shapes = {"rows": (1, 27, "steps"), "activity": (1, len(bars), "columns"), "atoms": atoms.shape}
    values = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()}
    weights = [numpy_helper.from_array(encoder, "encoder"), numpy_helper.from_array(atoms, "kernels")]
    graph = helper.make_graph(nodes, "dictionary", [values["rows"]], [values["activity"], values["atoms"]], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    constants = {"kernel": 16, "k": 1, "winners": "in each column", "section": 4, "threshold": 0.5}
    constants["denoising"] = [0.3, 0.7, 0.5]
    helper.set_model_props(model, {"task": "drum-dictionary", "constants": json.dumps(constants)})
    path.parent.mkdir()
    onnx.save(model, path)
