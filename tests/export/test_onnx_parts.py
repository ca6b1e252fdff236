"""A file of several networks, of which those run that are asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from terzetto.models import find_model
from terzetto.onnx_session import open_model
from terzetto_export.onnx_file import Description, export
from terzetto_export.onnx_parts import Part, all_initializers

onnx = pytest.importorskip("onnx")

PARTS = (Part(("sound", "which"), ("near", "far")), Part(("point",), ("place",)))


class Two(nn.Module):
    """Two networks that know nothing of each other."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv1d(2, 3, 3), nn.Linear(4, 5)

    def forward(self, sound: Tensor, which: Tensor, point: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        near = self.first(sound) * which[:, :, None]
        return near, near.mean(dim=2), torch.tanh(self.second(point))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    inputs = {"sound": torch.randn(2, 2, 8), "which": torch.rand(2, 3), "point": torch.randn(2, 4)}
    outputs = ("near", "far", "place")
    rows = {name: {0: f"{name}_rows"} for name in (*inputs, *outputs)}
    path = tmp_path / "two.onnx"
    export(Two(), path, Description("two", "GPL-3.0-or-later", {}), inputs, outputs, rows, [inputs], parts=PARTS)
    return path


def test_a_part_without_rows_gives_none_and_the_others_what_they_gave_before(file: Path) -> None:
    assert find_model("two", str(file)).constants == {"on_demand": True}
    session = open_model(file, threads=1)
    sound, which, point = (np.random.default_rng(0).random(shape, np.float32) for shape in ((3, 2, 8), (3, 3), (1, 4)))
    none = {"sound": sound[:0], "which": which[:0], "point": point[:0]}
    near, far, place = session.run(None, {**none, "sound": sound, "which": which})
    assert near.shape == (3, 3, 6) and np.allclose(near.mean(axis=2), far, atol=1e-6) and not len(place)
    near, far, place = session.run(None, {**none, "point": point})
    assert (len(near), len(far)) == (0, 0) and place.shape == (1, 5) and np.abs(place).max() > 0


def test_nothing_is_computed_but_in_the_branches_and_each_has_its_weights(file: Path) -> None:
    graph = onnx.load(file).graph
    assert [node.op_type for node in graph.node] == ["Size", "Cast", "If"] * 2 and not graph.initializer
    weights = {each.name for each in all_initializers(graph)}
    assert {"first.weight", "first.bias", "second.bias"} <= weights
    first, second = (node.attribute for node in graph.node if node.op_type == "If")
    inside = [[each.name for branch in part for each in branch.g.initializer] for part in (first, second)]
    assert "first.weight" in inside[0] and not any(name.startswith("first") for name in inside[1])
