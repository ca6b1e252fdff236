from pathlib import Path

import pytest

from terzetto.cli import main

pytest.importorskip("torch")


@pytest.mark.data
def test_all_figures_are_drawn(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERZETTO_DATA", str(data))
    assert main(["reproduce", "--list"]) == 0
    assert "latent-sequencing" in capsys.readouterr().out
    assert main(["reproduce", "latent-sequencing", "--epochs", "1", "--sound-epochs", "0", "-o", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "mma: files" in told and "majority style" in told
    for name in ("groove", "mma"):
        for number in ("7", "8", "9", "10", "11", "s_2_and_4"):
            assert (tmp_path / name / f"figure{'' if number[0] == 's' else '_'}{number}.png").stat().st_size > 5000


def test_which_paper(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce"]) == 2
    assert "latent-sequencing" in capsys.readouterr().err
