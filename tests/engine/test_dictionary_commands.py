"""``terzetto drums denoise``, ``simplify``, ``swap``, ``similar`` and ``interpolate --by atoms``, as shipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from terzetto.cli import main
from terzetto.drums.dictionary import open_dictionary
from terzetto.drums.drum_map import DRUMS
from terzetto.drums.grid import Hvo, hvo_to_beat
from terzetto.drums.midi import read_beat, write_beat

Capture = pytest.CaptureFixture[str]
KICK, SNARE, CLOSED = (DRUMS.index(name) for name in ("kick", "snare", "closed hat"))


def rock() -> Hvo:
    hits = np.zeros(Hvo.SHAPE, np.bool_)
    hits[CLOSED, ::2] = hits[KICK, [0, 8]] = hits[SNARE, [4, 12]] = True
    return Hvo(hits, np.full(Hvo.SHAPE, 0.7))


def busy() -> Hvo:
    hits = np.zeros(Hvo.SHAPE, np.bool_)
    hits[DRUMS.index("ride"), ::3] = hits[KICK, [0, 3, 6, 10, 13]] = hits[SNARE, [4, 7, 9, 12, 15]] = True
    return Hvo(hits, np.full(Hvo.SHAPE, 0.7))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A rock beat, a busy one, and the rock beat with a stray tom and a missing hat."""
    monkeypatch.chdir(tmp_path)
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


def test_denoise_takes_the_stray_hit_out_and_tells_what_it_did(folder: Path, capsys: Capture) -> None:
    result = result_of(capsys, "denoise", "noisy.mid", "-o", "clean.mid")
    clean, before = bars_in(folder / "clean.mid"), bars_in(folder / "noisy.mid")
    assert len(clean) == 4 and not clean[3].hits[DRUMS.index("high tom"), 5]
    removed = sum(int((one.hits & ~other.hits).sum()) for one, other in zip(before, clean, strict=True))
    added = sum(int((other.hits & ~one.hits).sum()) for one, other in zip(before, clean, strict=True))
    assert (result["hits_removed"], result["hits_added"]) == (removed, added) and removed >= 1
    assert read_beat(folder / "clean.mid").tempo == pytest.approx(104.0, abs=1e-3)
    gentle = result_of(capsys, "denoise", "noisy.mid", "--keep", "-99", "--add", "99", "-o", "same.mid")
    assert gentle["hits_removed"] == gentle["hits_added"] == 0
    assert bars_in(folder / "same.mid") == before


def test_simplify_keeps_so_many_atoms(folder: Path, capsys: Capture) -> None:
    result = result_of(capsys, "simplify", "busy.mid", "--keep", "1", "-o", "simple.mid")
    simple = bars_in(folder / "simple.mid")
    dictionary = open_dictionary()
    assert sum(int(bar.hits.sum()) for bar in simple) == result["hits"]
    kept_all = dictionary.decode(dictionary.encode(bars_in(folder / "busy.mid")))
    result_of(capsys, "simplify", "busy.mid", "--keep", "9999", "-o", "all.mid")
    for one, other in zip(bars_in(folder / "all.mid"), kept_all, strict=True):
        np.testing.assert_array_equal(one.hits, other.hits)


def test_swap_brings_the_others_atoms(folder: Path, capsys: Capture) -> None:
    result_of(capsys, "swap", "rock.mid", "busy.mid", "--atoms", "4", "-o", "swapped.mid")
    result_of(capsys, "swap", "rock.mid", "rock.mid", "--atoms", "4", "-o", "itself.mid")
    swapped, itself = bars_in(folder / "swapped.mid"), bars_in(folder / "itself.mid")
    assert len(swapped) == len(itself) == 4
    assert any((one.hits ^ other.hits).any() for one, other in zip(swapped, itself, strict=True))


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
    assert first[:2] == last[:2] and first[2] != last[2]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("simplify rock.mid --keep 0 -o new.mid", "0 atoms: keep at least 1"),
        ("swap rock.mid busy.mid --atoms 0 -o new.mid", "0 atoms: swap at least 1"),
        ("swap rock.mid text.mid -o new.mid", "text.mid: not a readable MIDI file"),
        ("denoise text.mid -o new.mid", "text.mid: not a readable MIDI file"),
        ("denoise rock.mid --model drum_patterns -o new.mid", "needed is one for 'drum-dictionary'"),
        ("similar rock.mid text.mid", "none of the 1 beats of the library can be read"),
        ("similar rock.mid busy.mid --top 0", "--top 0: give 1 or more"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(
    folder: Path, capsys: Capture, command: str, message: str
) -> None:
    before = sorted(folder.iterdir())
    assert main(["drums", *command.split()]) == 2
    captured = capsys.readouterr()
    assert message in captured.err and captured.out == "" and sorted(folder.iterdir()) == before
