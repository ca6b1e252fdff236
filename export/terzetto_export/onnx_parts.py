"""A file of several networks, each of which runs only when it is asked.

ONNX Runtime computes a whole graph whichever outputs are wanted. So each part becomes the branch of an ``If`` that is
taken where its inputs have rows; with none, its outputs have none. A branch holds its own weights: those of the graph
around it ONNX Runtime would not lay out for the processor, which costs a quarter of the speed.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

ON_DEMAND = "on_demand"
"""The constant that says that parts without rows are not run."""


@dataclass(frozen=True)
class Part:
    """Which inputs lead to which outputs, by name; the first axis of all is rows."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def on_demand(model: Any, parts: Sequence[Part]) -> None:
    """Let every part of an ONNX model run only where its last input has rows.

    Parameters
    ----------
    model : onnx.ModelProto
        Changed in place.
    parts
        They share no inputs and no outputs; together they have all of the graph's.
    """
    from onnx import TensorProto, helper

    graph = model.graph
    maker = {name: index for index, node in enumerate(graph.node) for name in node.output}
    nodes = []
    for number, part in enumerate(parts):
        asked = f"asked_{number}"
        nodes.append(helper.make_node("Size", [part.inputs[-1]], [f"{asked}_numbers"]))
        nodes.append(helper.make_node("Cast", [f"{asked}_numbers"], [asked], to=TensorProto.BOOL))
        there, none = _branch(graph, part, maker, number), _nothing(graph, part, number)
        nodes.append(helper.make_node("If", [asked], part.outputs, then_branch=there, else_branch=none))
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)


def all_initializers(graph: Any) -> list[Any]:
    """Return a graph's weights, those of its branches too."""
    from onnx import AttributeProto

    branches = [each.g for node in graph.node for each in node.attribute if each.type == AttributeProto.GRAPH]
    return [*graph.initializer, *(found for branch in branches for found in all_initializers(branch))]


def _branch(graph: Any, part: Part, maker: dict[str, int], number: int) -> Any:
    """Return what computes a part's outputs, as a graph of its own with its weights in it."""
    from onnx import TensorProto, helper

    needed: set[int] = set()
    names = list(part.outputs)
    while names:
        index = maker.get(names.pop())
        if index is not None and index not in needed:
            needed.add(index)
            names.extend(graph.node[index].input)
    nodes = [copy.deepcopy(graph.node[index]) for index in sorted(needed)]
    inner = {name: f"{name}_{number}" for name in part.outputs}
    for node in nodes:
        node.input[:] = [inner.get(name, name) for name in node.input]
        node.output[:] = [inner.get(name, name) for name in node.output]
    read = {name for node in nodes for name in node.input}
    weights = [copy.deepcopy(each) for each in graph.initializer if each.name in read]
    outputs = [helper.make_tensor_value_info(inner[name], TensorProto.FLOAT, None) for name in part.outputs]
    return helper.make_graph(nodes, f"part_{number}", [], outputs, initializer=weights)


def _nothing(graph: Any, part: Part, number: int) -> Any:
    """Return a graph that gives a part's outputs without rows."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    shape_of = {
        each.name: [0, *(axis.dim_value for axis in each.type.tensor_type.shape.dim[1:])] for each in graph.output
    }
    nodes, outputs = [], []
    for name in part.outputs:
        empty = numpy_helper.from_array(np.zeros(shape_of[name], np.float32))
        nodes.append(helper.make_node("Constant", [], [f"no_{name}_{number}"], value=empty))
        outputs.append(helper.make_tensor_value_info(f"no_{name}_{number}", TensorProto.FLOAT, shape_of[name]))
    return helper.make_graph(nodes, f"nothing_{number}", [], outputs)
