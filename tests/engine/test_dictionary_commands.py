"""``terzetto drums denoise``, ``simplify``, ``swap``, ``similar`` and ``interpolate --by atoms``.

The dictionary is made by hand: its atoms are two bars and a fill, and its encoder is their matched filter.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread

from terzetto.audio.files import read_audio
from terzetto.cli import main
from terzetto.drums.drum_map import DRUMS
from terzetto.drums.grid import Hvo, hvo_to_beat
from terzetto.drums.midi import read_beat, write_beat
from tests.engine.drums.small_dictionary import CLOSED, SNARE, busy, fill, rock, write_dictionary

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A rock beat, a busy one, and the rock beat with a stray tom and a missing hat."""
    monkeypatch.chdir(tmp_path)
    models = tmp_path_factory.mktemp("dictionary") / "models"
    write_dictionary(models / "drum_dictionary.onnx", [rock(), busy(), fill()])
    monkeypatch.setenv("TERZETTO_MODELS", str(models))
    stray = rock().hits.copy()
    stray[DRUMS.index("high tom"), 5], stray[CLOSED, 6] = True, False
    noisy = [rock(), rock(), rock(), Hvo(stray, np.full(Hvo.SHAPE, 0.7))]
    for name, bars in (("rock", [rock()] * 4), ("busy", [busy()] * 4), ("noisy", noisy)):
        write_beat(tmp_path / f"{name}.mid", hvo_to_beat(bars, tempo=104.0))
    (tmp_path / "text.mid").write_text("no MIDI file at all")
    return tmp_path


def result_of(capture: Capture, *command: str, status: int = 0) -> dict[str, Any]:
    assert main(["drums", *command, "--json"]) == status
    return dict(json.loads(capture.readouterr().out))


def bars_in(path: Path) -> list[Hvo]:
    return Hvo.bars_of(read_beat(path))


def test_denoise_takes_the_stray_hit_out_and_puts_the_missing_one_in(folder: Path, capsys: Capture) -> None:
    result = result_of(capsys, "denoise", "noisy.mid", "-o", "clean.mid")
    for clean in bars_in(folder / "clean.mid"):
        np.testing.assert_array_equal(clean.hits, rock().hits)
    assert (result["hits_removed"], result["hits_added"], result["hits"]) == (1, 1, 48)
    assert read_beat(folder / "clean.mid").tempo == pytest.approx(104.0, abs=1e-3)
    gentle = result_of(capsys, "denoise", "noisy.mid", "--keep", "-99", "--add", "99", "-o", "same.mid")
    assert gentle["hits_removed"] == gentle["hits_added"] == 0
    assert bars_in(folder / "same.mid") == bars_in(folder / "noisy.mid")
    # With a fill that comes once, recurrence alone takes it out; the dictionary alone knows it.
    write_beat(folder / "filled.mid", hvo_to_beat([rock(), rock(), rock(), fill()]))
    assert result_of(capsys, "denoise", "filled.mid", "--recurring", "0", "-o", "f.mid")["hits_removed"] == 0
    assert result_of(capsys, "denoise", "filled.mid", "--recurring", "1", "-o", "f.mid")["hits_removed"] == 8


def test_the_shipped_dictionary_puts_the_missing_hit_in_and_takes_the_stray_one_out(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TERZETTO_MODELS")
    result_of(capsys, "denoise", "noisy.mid", "--keep", "0.3", "-o", "clean.mid")
    for clean in bars_in(folder / "clean.mid"):
        np.testing.assert_array_equal(clean.hits, rock().hits)
    assert result_of(capsys, "denoise", "noisy.mid", "-o", "clean.mid")["hits_added"] == 1
    counts = [
        result_of(capsys, "simplify", "busy.mid", "--keep", keep, "-o", "plain.mid")["hits"]
        for keep in ("2", "8", "99")
    ]
    assert counts == sorted(counts) and counts[0] < counts[2]


def test_simplify_keeps_so_many_atoms(folder: Path, capsys: Capture) -> None:
    write_beat(folder / "filled.mid", hvo_to_beat([rock(), rock(), rock(), fill()]))
    result = result_of(capsys, "simplify", "filled.mid", "--keep", "1", "-o", "simple.mid")
    simple = bars_in(folder / "simple.mid")
    assert [int(bar.hits.sum()) for bar in simple] == [12, 12, 12, 0] and result["hits_removed"] == 8
    assert result_of(capsys, "simplify", "filled.mid", "--keep", "2", "-o", "all.mid")["hits"] == 44


def test_swap_brings_the_others_atoms(folder: Path, capsys: Capture) -> None:
    result_of(capsys, "swap", "rock.mid", "busy.mid", "--atoms", "1", "-o", "swapped.mid")
    result_of(capsys, "swap", "rock.mid", "rock.mid", "--atoms", "1", "-o", "itself.mid")
    for swapped, itself in zip(bars_in(folder / "swapped.mid"), bars_in(folder / "itself.mid"), strict=True):
        np.testing.assert_array_equal(swapped.hits, busy().hits)
        np.testing.assert_array_equal(itself.hits, rock().hits)


def test_similar_finds_the_same_beat_first_and_goes_on_after_a_bad_file(folder: Path, capsys: Capture) -> None:
    result = result_of(capsys, "similar", "rock.mid", str(folder), "--top", "3", status=1)
    found = [(Path(each["take"]).name, each["cosine"]) for each in result["similar"]]
    assert dict(found)["rock.mid"] == pytest.approx(1.0, abs=1e-5) and found[-1][0] == "busy.mid"
    cosines = [cosine for _, cosine in found]
    assert cosines == sorted(cosines, reverse=True) and result["library"] == 3


def test_interpolate_by_atoms_changes_only_the_chosen_bars(folder: Path, capsys: Capture) -> None:
    command = ["interpolate", "rock.mid", "busy.mid", "--by", "atoms", "--steps", "3", "--only", "3-4", "-o", "way"]
    assert result_of(capsys, *command)["steps"] == 3
    first, last = (bars_in(folder / "way" / f"step_{number}.mid") for number in (1, 3))
    assert first == first[:1] * 4 and last[:2] == first[:2] and last[2] == last[3]
    np.testing.assert_array_equal(last[2].hits, busy().hits)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("denoise rock.mid --recurring 2 -o new.mid", "recurring = 2: give 0"),
        ("simplify rock.mid --keep 0 -o new.mid", "0 atoms: keep at least 1"),
        ("swap rock.mid busy.mid --atoms 0 -o new.mid", "0 atoms: swap at least 1"),
        ("swap rock.mid text.mid -o new.mid", "text.mid: not a readable MIDI file"),
        ("denoise text.mid -o new.mid", "text.mid: not a readable MIDI file"),
        ("denoise rock.mid --model drum_patterns -o new.mid", "needed is one for 'drum-dictionary'"),
        ("atoms text.mid -o new.png", "text.mid: not a readable MIDI file"),
        ("atoms rock.mid --top 0", "--top 0: give 1 or more"),
        ("shift-variance text.mid -o new.png", "text.mid: not a readable MIDI file"),
        ("similar rock.mid text.mid", "none of the 1 beats of the library can be read"),
        ("similar rock.mid busy.mid --top 0", "--top 0: give 1 or more"),
        ("denoise rock.mid -o rock.mid", "rock.mid: would replace what it is made from"),
        ("swap rock.mid busy.mid -o busy.mid", "busy.mid: would replace what it is made from"),
        ("interpolate rock.mid busy.mid -o rock.mid", "rock.mid: would replace what it is made from"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(
    folder: Path, capsys: Capture, command: str, message: str
) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert main(["drums", *command.split()]) == 2
    captured = capsys.readouterr()
    assert message in captured.err and captured.out == ""
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_atoms_are_told_drawn_and_heard(folder: Path, capsys: Capture) -> None:
    write_beat(folder / "filled.mid", hvo_to_beat([rock(), rock(), rock(), fill()], tempo=96.0))
    result = result_of(capsys, "atoms", "filled.mid", "-o", "atoms")
    assert [(each["atom"], each["bars"]) for each in result["atoms"]] == [(0, [1, 2, 3]), (2, [4])]
    assert sum(each["share"] for each in result["atoms"]) == pytest.approx(1.0, abs=1e-3) and result["atoms_used"] == 2
    names = ["atom_000.mid", "atom_000.wav", "atom_002.mid", "atom_002.wav", "atoms.png"]
    assert sorted(path.name for path in (folder / "atoms").iterdir()) == names
    (heard,) = bars_in(folder / "atoms" / "atom_002.mid")
    np.testing.assert_array_equal(heard.hits, fill().hits)
    assert imread(folder / "atoms" / "atoms.png").std() > 0.02
    sound, rate = read_audio(folder / "atoms" / "atom_002.wav")
    half_a_bar = round(2 * 60 / 96 * rate)
    assert not sound[:, : half_a_bar - 8].any() and 0.01 < np.abs(sound).max() <= 1.0
    assert result_of(capsys, "atoms", "filled.mid", "--top", "1", "-o", "one.mid")["files"] == ["one.mid"]
    assert [bar.hits.tolist() for bar in bars_in(folder / "one.mid")] == [rock().hits.tolist()]
    assert len(result_of(capsys, "atoms")["atoms"]) == 3
    assert main(["drums", "atoms", "filled.mid"]) == 0
    assert "in bars 1-3\n" in capsys.readouterr().out


def test_shift_variance_is_high_where_a_bar_is_no_pattern(folder: Path, capsys: Capture) -> None:
    odd = np.zeros(Hvo.SHAPE, np.bool_)
    odd[DRUMS.index("crash"), [1, 5, 11]] = odd[SNARE, [2, 3]] = True
    bars = [rock(), busy(), Hvo(odd, np.full(Hvo.SHAPE, 0.7)), rock()]
    write_beat(folder / "odd.mid", hvo_to_beat(bars))
    result = result_of(capsys, "shift-variance", "odd.mid", "-o", "error.png")
    assert int(np.argmax(result["bars"])) == 2 and result["bars"][0] < 0.1 * result["bars"][2]
    assert len(result["steps"]) == 64 and imread(folder / "error.png").std() > 0.02
