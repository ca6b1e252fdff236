"""``terzetto evaluate separation``: conditions of the score, and methods measured on a data set."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from terzetto.cli import main
from terzetto.demo.run import EXCERPT, excerpt
from terzetto.evaluate import hands_benchmark as benchmark
from terzetto.score.midi import write_midi
from terzetto.score.notes import Score
from terzetto.score.read import read_score

if TYPE_CHECKING:
    from conftest import PianoTake


def notes(count: int = 2000) -> Score:
    starts = np.arange(count) * 0.5
    rows = [(at, at + 0.4, 40 + i % 50, (1 + i % 127) / 127, ("left", "right")[i % 2]) for i, at in enumerate(starts)]
    return Score.from_notes(rows, pedal=[(1.0, 2.0)])


def write(folder: Path, take: PianoTake, name: str) -> None:
    folder.mkdir(exist_ok=True)
    for hand, audio in (("lh", take.left), ("rh", take.right)):
        soundfile.write(str(folder / f"{name}.{hand}.flac"), audio, take.sample_rate, subtype="PCM_24")
    write_midi(take.score, folder / f"{name}.mid")


def test_condition_b_knows_times_and_hands_only() -> None:
    score = notes()
    assert benchmark.in_condition(score, "a", 0) is score
    known = benchmark.in_condition(score, "b", 0)
    assert not known.has_velocity and len(known.pedal) == 0
    for name in ("onset", "offset", "pitch", "hand"):
        np.testing.assert_array_equal(getattr(known, name), getattr(score, name))


def test_condition_c_is_jittered_by_30_ms_from_a_seed() -> None:
    score = notes()
    known = benchmark.in_condition(score, "c", 7)
    assert not known.has_velocity and len(known.pedal) == 0
    # half a second between notes: jitter of 30 ms leaves their order
    for moved in (known.onset - score.onset, known.offset - score.offset):
        assert abs(moved.mean()) < 0.003 and moved.std() == pytest.approx(benchmark.JITTER, rel=0.1)
    assert abs(np.corrcoef(known.onset - score.onset, known.offset - score.offset)[0, 1]) < 0.1
    again, other = benchmark.in_condition(score, "c", 7), benchmark.in_condition(score, "c", 8)
    np.testing.assert_array_equal(known.onset, again.onset)
    assert (known.onset != other.onset).all()


def test_methods_are_measured_on_every_take(
    tmp_path: Path, make_piano: Callable[..., PianoTake], capsys: pytest.CaptureFixture[str]
) -> None:
    for name, seed in (("one", 1), ("two", 2)):
        write(tmp_path / "data", make_piano(2.5, seed=seed), name)
    command = ["evaluate", "separation", str(tmp_path / "data"), "--conditions", "bc", "--methods", "nmf,thesis"]
    assert main([*command, "--oracles", "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    results = json.loads(captured.out)
    assert results["takes"] == ["one", "two"] and results["seed"] == 0 and set(results["results"]) == {"b", "c"}
    for hand in ("left_hand", "right_hand"):
        found = results["results"]["b"]
        ours, thesis = found["nmf"][hand], found["thesis"][hand]
        assert ours["mean"] == pytest.approx(np.mean(ours["per_take"]), abs=0.001) and ours["mean"] > 6
        assert ours["low"] <= ours["mean"] <= ours["high"] and len(ours["per_take"]) == 2
        assert ours["gain"]["mean"] == pytest.approx(ours["mean"] - thesis["mean"]) and "gain" not in thesis
        best = {name: summary[hand]["mean"] for name, summary in results["oracles"].items()}
        assert set(best) == {"ratio", "wiener", "phase-sensitive"}
        assert best["phase-sensitive"] >= best["ratio"] > thesis["mean"]
    assert main([*command, "--methods", "thesis"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "mean over 2 takes" in lines[0] and sum(line.startswith("  thesis ") for line in lines) == 2


def test_condition_e_brings_nothing_but_the_take(tmp_path: Path) -> None:
    """On the shipped excerpt; the score beside it serves the other condition only."""
    folder = tmp_path / "data"
    folder.mkdir()
    with excerpt() as shipped:
        for hand in ("lh", "rh"):
            audio, rate = soundfile.read(str(shipped / f"{EXCERPT}.{hand}.flac"))
            soundfile.write(str(folder / f"a.{hand}.flac"), audio[: 12 * rate], rate)
        score = read_score(shipped / f"{EXCERPT}.mid")
    write_midi(score.select(score.onset < 11.5), folder / "a.mid")
    results = benchmark.evaluate(folder, conditions="be", methods=("nmf",))["results"]
    for hand in ("left_hand", "right_hand"):
        known, heard = (results[condition]["nmf"][hand]["mean"] for condition in "be")
        assert 2 < heard < known - 1


def test_what_is_wrong_is_one_line(
    tmp_path: Path, make_piano: Callable[..., PianoTake], capsys: pytest.CaptureFixture[str]
) -> None:
    take = make_piano(1.5)
    folders = {name: tmp_path / name for name in ("good", "noscore", "silent", "rates")}
    for folder in folders.values():
        write(folder, take, "a")
    (folders["noscore"] / "a.mid").unlink()
    soundfile.write(str(folders["silent"] / "a.rh.flac"), 0 * take.right, take.sample_rate)
    soundfile.write(str(folders["rates"] / "a.rh.flac"), take.right, 2 * take.sample_rate)
    for arguments, message in (
        ([folders["good"], "--conditions", "bf"], "conditions 'bf' are not known; valid: some of abcde"),
        ([folders["good"], "--conditions", ""], "conditions '' are not known"),
        ([folders["good"], "--methods", "magic"], "'magic' is not installed; valid: nae, nmf"),
        ([folders["noscore"]], "a.mid: no such score"),
        ([folders["silent"]], "a.rh.flac: is silent"),
        ([folders["rates"]], "a.rh.flac: has 44100 Hz, but the left hand 22050 Hz"),
        ([tmp_path / "nowhere"], "no such folder"),
    ):
        assert main(["evaluate", "separation", *map(str, arguments)]) == 2
        captured = capsys.readouterr()
        assert captured.out == "" and message in captured.err and captured.err.count("\n") == 1


@pytest.mark.data
def test_on_real_takes_far_above_the_thesis_and_robust_to_jitter(data: Path, tmp_path: Path) -> None:
    """The headline: exact onsets without velocity and pedal; a score 30 ms off costs little."""
    rendered = data / "piano" / "rendered_hands"
    for name in ("bach_bwv875_prelude", "chopin_op10no3"):
        for ending in ("lh.flac", "rh.flac", "mid"):
            (tmp_path / f"{name}.{ending}").symlink_to((rendered / f"{name}.{ending}").resolve())
    found = benchmark.evaluate(tmp_path, conditions="b", methods=("nmf", "thesis"))["results"]
    jittered = benchmark.evaluate(tmp_path, conditions="c", methods=("nmf",))["results"]
    for hand in ("left_hand", "right_hand"):
        assert found["b"]["nmf"][hand]["gain"]["mean"] >= 1.5
        assert jittered["c"]["nmf"][hand]["mean"] >= found["b"]["nmf"][hand]["mean"] - 1.0
