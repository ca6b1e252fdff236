"""What the tests of recipes share: a judge of instruments that was taught made notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from terzetto_export.instrument_judge.judge import Judge


@pytest.fixture(scope="session")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    """A judge that hears the notes of `tests.export.instrument_judge.instruments` apart."""
    torch = pytest.importorskip("torch")
    from terzetto_export.instrument_judge.network import JudgeNetwork
    from terzetto_export.instrument_judge.notes import CLASSES, Notes
    from terzetto_export.instrument_judge.recipe import JudgeRecipe
    from terzetto_export.instrument_judge.train import export_judge
    from terzetto_export.timbre_notes.judges import open_judges
    from terzetto_export.training import Schedule, fit

    from .instrument_judge.instruments import recordings

    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = JudgeNetwork(len(CLASSES))
    validation = Notes.of(recordings(3, 2))
    recipe = JudgeRecipe(network, Notes.of(recordings(12, 1)), validation, torch.device("cpu"))
    assert fit(recipe, Schedule(1, 5e-3), seed=0, tell=lambda line: None).best > 0.8
    path = tmp_path_factory.mktemp("judge") / "judge.onnx"
    assert export_judge(network, path, validation) <= 1e-5
    return open_judges([str(path)])["judge"]
