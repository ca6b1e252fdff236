"""The shared loop, the way to ONNX, and the card: on a network small enough to train in a test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from terzetto.cli import main
from terzetto.errors import InputError, ModelError
from terzetto.models import find_model
from terzetto_export.card import Card, data_hash
from terzetto_export.onnx_file import Description, export
from terzetto_export.training import Schedule, fit


class Line:
    """y = 2 x + 1, from noisy examples; counts the epochs it was asked for."""

    def __init__(self, stop_after: int = 100) -> None:
        torch.manual_seed(0)
        self.network = nn.Linear(1, 1)
        self.epochs, self._stop_after = 0, stop_after

    def batches(self, random: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        if self.epochs == self._stop_after:
            raise KeyboardInterrupt
        self.epochs += 1
        for _ in range(100):
            x = torch.from_numpy(random.normal(0, 1, (32, 1)).astype(np.float32))
            yield x, 2 * x + 1

    def loss(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        return (self.network(batch[0]) - batch[1]).square().mean()

    def validate(self) -> float:
        return -float((self.network(torch.ones(1, 1)) - 3).abs())


def _silent(line: str) -> None:
    pass


def test_it_learns() -> None:
    line = Line()
    history = fit(line, Schedule(8, learning_rate=0.05, weight_decay=0.0), tell=_silent)
    assert history.loss[-1] < 1e-3 < history.loss[0]
    assert history.best == max(history.validation) == history.validation[history.best_epoch - 1]
    np.testing.assert_allclose([line.network.weight.item(), line.network.bias.item()], [2, 1], atol=0.02)


def test_a_run_that_was_interrupted_ends_like_one_that_was_not(tmp_path: Path) -> None:
    schedule, checkpoint = Schedule(6, learning_rate=0.05), tmp_path / "line.ckpt"
    whole = Line()
    fit(whole, schedule, seed=3, tell=_silent)
    with pytest.raises(KeyboardInterrupt):
        fit(Line(stop_after=4), schedule, seed=3, checkpoint=checkpoint, tell=_silent)
    rest = Line()
    fit(rest, schedule, seed=3, checkpoint=checkpoint, resume=True, tell=_silent)
    assert rest.epochs == 2
    assert torch.equal(rest.network.weight, whole.network.weight)


def test_a_checkpoint_of_something_else(tmp_path: Path) -> None:
    checkpoint = tmp_path / "line.ckpt"
    torch.save({"network": {}}, checkpoint)
    with pytest.raises(InputError, match="not a checkpoint of this recipe"):
        fit(Line(), Schedule(1), checkpoint=checkpoint, resume=True, tell=_silent)


def test_patience() -> None:
    class Hopeless(Line):
        def validate(self) -> float:
            return 1.0

    hopeless = Hopeless()
    fit(hopeless, Schedule(50, patience=3), tell=_silent)
    assert hopeless.epochs == 4


def test_no_number_is_said() -> None:
    class Broken(Line):
        def loss(self, batch: tuple[Tensor, Tensor]) -> Tensor:
            return super().loss(batch) * float("nan")

    with pytest.raises(InputError, match="lower the learning rate"):
        fit(Broken(), Schedule(1), tell=_silent)


@pytest.fixture
def description() -> Description:
    return Description("doubling", "CC0", {"factor": 2})


def test_to_onnx_and_back(tmp_path: Path, description: Description) -> None:
    network, path = nn.Linear(3, 2), tmp_path / "line.onnx"
    batch = {"x": torch.randn(5, 3)}
    difference = export(
        network, path, description, {"x": torch.zeros(1, 3)}, ["y"], {"x": {0: "n"}, "y": {0: "n"}}, [batch]
    )
    assert difference < 1e-5
    model = find_model("doubling", str(path))
    assert (model.task, model.licence, model.constants) == ("doubling", "CC0", {"factor": 2})
    found = model.session.run(None, {"x": batch["x"].numpy()})[0]
    np.testing.assert_allclose(found, network(batch["x"]).detach().numpy(), rtol=1e-5, atol=1e-6)
    with pytest.raises(ModelError, match="a model for 'doubling'; needed is one for 'hand-labels'"):
        find_model("hand-labels", str(path))


def test_what_onnx_computes_differently_is_not_written(tmp_path: Path, description: Description) -> None:
    class Counting(nn.Module):
        """Gives something else at every call, as an export that froze a random number would."""

        calls = 0

        def forward(self, x: Tensor) -> Tensor:
            self.calls += 1
            return x + self.calls

    x = {"x": torch.ones(2, 3)}
    with pytest.raises(ModelError, match="differs from PyTorch's"):
        export(Counting(), tmp_path / "counting.onnx", description, x, ["y"], {}, [x])
    assert list(tmp_path.iterdir()) == []


def test_a_state_is_not_compared_but_outputs_are(tmp_path: Path, description: Description) -> None:
    class Counting(nn.Module):
        calls = 0

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            self.calls += 1
            return x + 1, x + self.calls

    x, names = {"x": torch.ones(2, 3)}, ["y", "state"]
    assert export(Counting(), tmp_path / "counting.onnx", description, x, names, {}, [x], states=["state"]) < 1e-5
    with pytest.raises(ModelError, match="differs from PyTorch's"):
        export(Counting(), tmp_path / "other.onnx", description, x, names, {}, [x], states=["y"])


def test_models_are_found_by_name_and_the_first_folder_wins(
    tmp_path: Path, description: Description, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = {"x": torch.ones(2, 3)}
    for folder in ("one", "two"):
        export(nn.Linear(3, 1), tmp_path / folder / "doubler.onnx", description, x, ["y"], {}, [x])
    monkeypatch.setenv("TERZETTO_MODELS", f"{tmp_path / 'one'}:{tmp_path / 'two'}")
    model = find_model("doubling", "doubler")
    assert model.path == tmp_path / "one" / "doubler.onnx" and len(model.sha256) == 64
    with pytest.raises(ModelError, match=r"no model 'tripler'; installed: .*doubler"):
        find_model("doubling", "tripler")


def test_the_card_says_it_all(tmp_path: Path) -> None:
    card = Card("Line", "Fits.", "CC0", [("a", "CC0", "all")], "good", "curves", "terzetto train line", [("seed", "0")])
    written = card.write(tmp_path / "line.onnx")
    assert written == tmp_path / "line.md"
    text = written.read_text()
    for part in ("# Line", "CC0", "| a | CC0 | all |", "good", "curves", "terzetto train line", "| seed | 0 |"):
        assert part in text


def test_the_hash_of_data_is_of_names_and_contents(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("1")
    second.write_text("2")
    whole = data_hash([first, second])
    assert whole == data_hash([second, first]) != data_hash([first])
    second.write_text(json.dumps(3))
    assert data_hash([first, second]) != whole


@pytest.mark.parametrize("task", ["timbre", "sounds", "hand-labels", "drum-dictionary", "transcription"])
@pytest.mark.parametrize(("flag", "value"), [("--minutes", "0"), ("--minutes", "-3"), ("--epochs", "0")])
def test_a_training_of_nothing_is_refused(task: str, flag: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["train", task, flag, value])
    assert end.value.code == 2
    assert f"argument {flag}: '{value}' is not" in capsys.readouterr().err
