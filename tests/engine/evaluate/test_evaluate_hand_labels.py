"""Staff agreement: what is counted, over what, and what is told apart."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from terzetto.cli import main
from terzetto.errors import InputError, ModelError
from terzetto.evaluate import hand_labels as evaluation
from terzetto.score.notes import LEFT, RIGHT, Score
from terzetto.score.works import Work, identify, read_index


def _truth(composer: str, title: str, guessed: int = 0) -> evaluation.Truth:
    score = Score.from_notes([(0.0, 1.0, 50, 0.5, "left"), (0.0, 1.0, 70, 0.5, "right")])
    return evaluation.Truth(Work(composer, title, f"{composer} {title}"), score, guessed)


def _counts(notes: tuple[int, int], model: tuple[int, int], others: tuple[int, int]) -> evaluation.Counts:
    names = ("hmm", "midpoint", "middle-c")
    return {"notes": np.array(notes), "model": np.array(model), **{name: np.array(others) for name in names}}


def test_across_the_staves() -> None:
    score = Score.from_notes(
        [
            (0.0, 1.0, 50, 0.5, "left"),
            (0.0, 1.0, 60, 0.5, "right"),
            (1.0, 2.0, 72, 0.5, "left"),  # above the right hand's 65, a quarter of a second later
            (1.25, 2.0, 65, 0.5, "right"),
            (3.0, 4.0, 80, 0.5, "left"),  # high, but nothing else is near
        ]
    )
    across = evaluation.across_staves(score)
    assert [(int(p), int(h)) for p, h, a in zip(score.pitch, score.hand, across, strict=True) if a] == [
        (72, LEFT),
        (65, RIGHT),
    ]


def test_performances_of_a_piece_count_once_and_composers_apart() -> None:
    truths = [_truth("Bach", "a", 3), _truth("Bach", "a"), _truth("Bach", "b"), _truth("Liszt", "c")]
    counts = [
        _counts((0, 100), (0, 100), (0, 50)),
        _counts((0, 100), (0, 80), (0, 50)),
        _counts((10, 90), (5, 65), (0, 50)),
        _counts((0, 50), (0, 50), (0, 50)),
    ]
    results = evaluation.summarise(truths, counts)
    assert (results["pieces"], results["files"], results["notes"]) == (3, 4, 350)
    assert results["all"]["model"]["mean"] == pytest.approx((0.9 + 0.7 + 1.0) / 3)
    assert results["of_all_notes"]["model"] == pytest.approx(300 / 350)
    assert results["by_composer"]["Bach"]["model"]["mean"] == pytest.approx(0.8)
    assert results["across_staves"]["notes"] == 10 and results["across_staves"]["model"] == pytest.approx(0.5)
    assert results["all"]["model"]["low"] <= results["all"]["model"]["mean"] <= results["all"]["model"]["high"]
    text = evaluation.table(results)
    assert "3 labels (0.9 %) of the truth were guessed" in text and "Liszt (1)" in text


def test_works_are_known_by_index_by_edition_and_by_name(tmp_path: Path) -> None:
    (tmp_path / "index.csv").write_text(
        "composer,title,midi\nBach,Fugue_bwv_846,bach/x__me01.mid\nBeethoven,Piano_Sonatas_31-3_4,b.mid\n"
        "Chopin,Etudes_op_10_2,c.mid\nChopin,Sonata_2_3rd,d.mid\nChopin,Ballades_1,e.mid\n"
    )
    index = read_index(tmp_path)

    def opus(name: str) -> str:
        return identify(tmp_path / name, tmp_path, index).opus

    names = ("bach/x__me01.mid", "b.mid", "c.mid", "d.mid")
    assert [opus(name) for name in names] == [
        "Bach bwv_846",
        "Beethoven Piano_Sonatas_31",
        "Chopin op. 10",
        "Chopin op. 35",
    ]
    assert opus("010-1b-Sm-005.mid") == opus("010_1-6-1b-KI-004.mid") == "Chopin op. 10"
    assert opus("mine.mid") == "mine"
    reserved = ("e.mid", "028_1-12-1a-C-004.mid", "010-1-XX-003.mid", "bach_bwv875_fugue.mid")
    assert all(identify(tmp_path / name, tmp_path, index).reserved for name in reserved)
    assert not identify(tmp_path / "028_1-12-1a-C-005.mid", tmp_path, index).reserved


def test_nothing_to_measure(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        evaluation.evaluate(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no scores"):
        evaluation.evaluate(tmp_path)
    with pytest.raises(ModelError, match="there is no model 'none_such'"):
        evaluation.evaluate(tmp_path, "none_such")


@pytest.mark.data
def test_the_command_on_the_published_takes(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "hand-labels", str(data / "piano/rendered_hands"), "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert results["pieces"] == 6 and results["notes"] == 1689 and results["left_out"] == []
    assert results["all"]["model"]["mean"] > results["all"]["middle-c"]["mean"]
    assert set(results["all"]) == set(evaluation.METHODS)
