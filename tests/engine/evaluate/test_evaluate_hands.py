"""``terzetto evaluate hands``: folders of takes, paired and measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from terzetto.cli import main
from terzetto.errors import InputError
from terzetto.evaluate.hands import NAMES, evaluate, find_takes, table, validate

RATE = 4000


def write(path: Path, seed: int, *, level: float = 0.0, seconds: float = 1.5, rate: int = RATE) -> Path:
    """A noise of its own for every seed, with other noise of some level added."""
    audio = np.random.default_rng(seed).uniform(-0.5, 0.5, round(seconds * rate))
    audio += np.random.default_rng(seed + 1000).uniform(-0.5, 0.5, len(audio)) * level
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(str(path), audio, rate)
    return path


def takes(folder: Path, *names: str, level: float = 0.0) -> Path:
    for number, name in enumerate(names):
        for hand_number, hand in enumerate(NAMES):
            write(folder / name / f"{hand}.wav", 10 * number + hand_number, level=level)
    return folder


def test_all_three_layouts_are_found(tmp_path: Path) -> None:
    takes(tmp_path, "etude", "deep/prelude")
    takes(tmp_path, "")
    for ending in ("lh.flac", "rh.flac"):
        write(tmp_path / f"op.28 no.4.{ending}", 1)
        write(tmp_path / "more" / f"walzer.{ending}", 1)
    write(tmp_path / "lonely" / "left_hand.wav", 1)
    write(tmp_path / "etude" / "residual.wav", 1)
    (tmp_path / "left_hand.txt").write_text("no sound")
    found = find_takes(tmp_path)
    assert sorted(found) == ["", "deep/prelude", "etude", "more/walzer", "op.28 no.4"]
    assert found["op.28 no.4"] == {hand: tmp_path / f"op.28 no.4.{hand[0]}h.flac" for hand in NAMES}
    assert found["etude"]["left_hand"] == tmp_path / "etude" / "left_hand.wav"


def test_folders_without_takes(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        find_takes(tmp_path / "missing")
    write(tmp_path / "left_hand.wav", 1)
    with pytest.raises(InputError, match="no pair of hands"):
        find_takes(tmp_path)


def test_takes_are_paired_by_name(tmp_path: Path) -> None:
    true = find_takes(takes(tmp_path / "true", "b", "a"))
    other = find_takes(takes(tmp_path / "other", "a", "b", "c"))
    assert list(validate(true, other)) == ["a", "b"]
    with pytest.raises(InputError, match="no estimate for c; the estimates are: a, b"):
        validate(other, true)
    # one take on each side needs no name
    assert list(validate(find_takes(takes(tmp_path / "x", "")), find_takes(takes(tmp_path / "y", "e")))) == ["e"]


def test_the_table_and_the_mean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    true, made = takes(tmp_path / "true", "a", "b"), takes(tmp_path / "made", "a", level=0.1)
    for number, hand in enumerate(NAMES):
        write(made / "b" / f"{hand}.wav", 10 + number, level=0.01)
    assert main(["evaluate", "hands", str(true), str(made)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["take", "hand", "SI-SDR", "SI-SDRi", "SDR", "SIR", "SAR"]
    rows = {tuple(line.split()[:2]): [float(cell) for cell in line.split()[2:]] for line in lines[1:]}
    for hand in NAMES:
        assert rows["a", hand][0] == pytest.approx(20, abs=0.5) and rows["b", hand][0] == pytest.approx(40, abs=0.5)
        assert rows["mean", hand][0] == pytest.approx(30, abs=0.5)
    assert len({len(line) for line in lines}) == 1  # columns are aligned, however short the names
    assert main(["evaluate", "hands", str(true), str(made), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["a", "b", "mean"]
    assert found["b"]["left_hand"]["si_sdr"] == pytest.approx(rows["b", "left_hand"][0], abs=0.01)


def test_json_has_no_infinities(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    true = takes(tmp_path / "true", "a", "b")
    made = takes(tmp_path / "made", "a", "b")
    soundfile.write(str(made / "a" / "left_hand.wav"), np.zeros(round(1.5 * RATE)), RATE)
    assert main(["evaluate", "hands", str(true), str(made), "--json"]) == 0

    def refuse(word: str) -> None:
        raise AssertionError(word)

    found = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert found["a"]["left_hand"]["si_sdr"] is None and found["a"]["left_hand"]["sir"] is None
    assert main(["evaluate", "hands", str(true), str(made)]) == 0
    assert "-inf" in capsys.readouterr().out


def test_stereo_is_mixed_and_small_differences_in_length_are_cut(tmp_path: Path) -> None:
    true, made = takes(tmp_path / "true", ""), takes(tmp_path / "made", "", level=0.1)
    for hand in NAMES:
        audio, _ = soundfile.read(str(made / f"{hand}.wav"))
        longer = np.concatenate([audio, np.zeros(300)])
        soundfile.write(str(made / f"{hand}.wav"), np.stack([1.5 * longer, 0.5 * longer], axis=1) / 2, RATE)
    results = evaluate(true, made, with_bss_eval=False)
    assert results["take"]["left_hand"]["si_sdr"] == pytest.approx(20, abs=0.5)
    assert "SI-SDRi" in table(results) and "SIR" not in table(results)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seconds": 1.0}, "e: the files differ in length"),
        ({"rate": 8000}, "e: the files have different sample rates"),
    ],
)
def test_files_that_are_not_of_one_take(tmp_path: Path, change: dict[str, float], message: str) -> None:
    true, made = takes(tmp_path / "true", "e"), takes(tmp_path / "made", "e")
    write(made / "e" / "left_hand.wav", 0, **change)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=message):
        evaluate(true, made)


def test_what_is_wrong_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    true, made = takes(tmp_path / "true", "e"), takes(tmp_path / "made", "e")
    soundfile.write(str(true / "e" / "left_hand.wav"), np.zeros(round(1.5 * RATE)), RATE)
    assert main(["evaluate", "hands", str(true), str(made)]) == 2
    assert main(["evaluate", "hands", str(true), str(tmp_path / "nowhere")]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    silent, missing = captured.err.splitlines()
    assert "e: reference 1 is silent" in silent and "nowhere: no such folder" in missing
