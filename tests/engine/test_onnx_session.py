"""Opening models: on what really works, silently, and one clear error for what is no model."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from terzetto import models, onnx_session
from terzetto.errors import ModelError, TerzettoWarning


@pytest.fixture
def tiny_model(tmp_path: Path) -> Path:
    """A model that doubles four numbers."""
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "x"], ["y"])],
        "twice",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4])],
    )
    path = tmp_path / "twice.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def test_a_model_opens_and_runs_without_a_word(tiny_model: Path) -> None:
    # In a process of its own: native libraries write past Python to the terminal.
    script = f"""
from pathlib import Path
import numpy as np
from terzetto.onnx_session import cuda_works, open_model, providers
session = open_model(Path({str(tiny_model)!r}), threads=1)
assert session.run(None, {{"x": np.arange(4, dtype=np.float32)}})[0].tolist() == [0, 2, 4, 6]
print(cuda_works(), *session.get_providers())
print(*providers())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    opened, offered = (line.split() for line in done.stdout.splitlines())
    assert offered[-1] == "CPUExecutionProvider" and opened[-1] == "CPUExecutionProvider"
    if opened[0] == "False":
        assert offered == ["CPUExecutionProvider"] == opened[1:]


@pytest.mark.skipif(onnx_session.cuda_libraries_load(), reason="CUDA's libraries are installed")
def test_a_driver_without_cuda_libraries_means_the_cpu_without_a_word(tiny_model: Path) -> None:
    # As on most machines with a graphics card for games: the driver answers, nothing else of CUDA is there.
    script = f"""
from terzetto import onnx_session
onnx_session.cuda_works = lambda: True
print(*onnx_session.open_model({str(tiny_model)!r}, threads=1).get_providers())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "CPUExecutionProvider\n", "")


def test_a_path_may_be_text(tiny_model: Path) -> None:
    session = onnx_session.open_model(str(tiny_model), threads=1)
    np.testing.assert_array_equal(session.run(None, {"x": np.ones(4, np.float32)})[0], 2 * np.ones(4))


def test_what_is_no_model(tiny_model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    whole = tiny_model.read_bytes()
    contents = {
        "empty.onnx": b"",
        "cut.onnx": whole[: len(whole) // 2],
        "noise.onnx": np.random.default_rng(0).bytes(500),
        "pickle.onnx": pickle.dumps({"weights": [1, 2]}),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelError, match=f"{name}: not a usable ONNX model") as caught:
            onnx_session.open_model(tmp_path / name)
        assert "\n" not in str(caught.value)
    with pytest.raises(ModelError, match="no such model"):
        onnx_session.open_model(tmp_path / "missing.onnx")
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(ModelError, match="no such model"):
        onnx_session.open_model(tmp_path / "folder.onnx")
    assert capfd.readouterr().err == ""


class _Bomb:
    exploded = False

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return setattr, (_Bomb, "exploded", True)


@pytest.mark.parametrize("name", ["model.pkl", "model.pt", "model.pth", "model", "model.onnx"])
def test_pickles_are_never_opened(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(pickle.dumps(_Bomb()))
    with pytest.raises(ModelError, match=r"is an .onnx file|not a usable ONNX model"):
        onnx_session.open_model(tmp_path / name)
    assert not _Bomb.exploded


def test_two_runtimes_at_once_are_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    assert onnx_session.explain_runtimes({"onnxruntime-gpu": "1.20"}) is None
    assert onnx_session.explain_runtimes({}) is None
    both = {"onnxruntime": "1.20.1", "onnxruntime-gpu": "1.22.0"}
    text = onnx_session.explain_runtimes(both)
    assert text is not None and "\n" not in text
    for part in ("onnxruntime 1.20.1 and onnxruntime-gpu 1.22.0", "pip uninstall onnxruntime onnxruntime-gpu"):
        assert part in text
    monkeypatch.setattr(onnx_session, "installed_runtimes", lambda: both)
    with pytest.warns(TerzettoWarning, match="overwrite each other"):
        assert onnx_session.providers()[-1] == "CPUExecutionProvider"


def test_what_is_installed_is_found() -> None:
    installed = onnx_session.installed_runtimes()
    assert len(installed) == 1 and onnx_session.explain_runtimes(installed) is None


@pytest.mark.skipif(not onnx_session.cuda_works(), reason="no CUDA device to compare with the CPU")
@pytest.mark.parametrize("path", sorted(models.shipped_folder().glob("*.onnx")), ids=lambda path: path.stem)
def test_on_cuda_every_shipped_model_gives_what_it_gives_on_the_cpu(path: Path) -> None:
    import onnxruntime

    fast = onnx_session.open_model(path)
    assert fast.get_providers()[0] == "CUDAExecutionProvider"
    slow = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0)
    inputs = {}
    for each in slow.get_inputs():
        shape = [size if isinstance(size, int) else 16 for size in each.shape]
        floating = each.type == "tensor(float)"
        inputs[each.name] = random.standard_normal(shape).astype(np.float32) if floating else np.zeros(shape, np.int64)
    for on_cuda, on_cpu in zip(fast.run(None, inputs), slow.run(None, inputs), strict=True):
        np.testing.assert_allclose(on_cuda, on_cpu, rtol=0, atol=1e-5 * float(np.abs(on_cpu).max()))
