"""``terzetto drums``: what a user types, and what lies in the folder afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
from matplotlib.image import imread

from terzetto.cli import main
from terzetto.drums.bars import Bars, Settings
from terzetto.drums.beat import Beat
from terzetto.drums.drum_map import DRUMS, published_table
from terzetto.drums.grid import Hvo
from terzetto.drums.midi import read_beat, write_beat
from terzetto.drums.patterns import open_pattern_model

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two beats, one in 3/4, a piano piece, and files that are none."""
    monkeypatch.chdir(tmp_path)
    rock = [(quarter, note) for quarter in range(8) for note in (42, 36 if quarter % 2 == 0 else 38)]
    busy = [(sixteenth / 4, 42) for sixteenth in range(16)] + [(1.0, 38), (3.0, 38), (0.0, 36), (2.5, 36)]
    for name, hits in (("rock", rock), ("busy", busy)):
        onset, note = zip(*hits, strict=True)
        write_beat(tmp_path / f"{name}.mid", Beat.of(onset, note, 0.8, tempo=96.0))
    for name, channel, meter in (("waltz", 9, 3), ("piano", 0, 4)):
        midi = mido.MidiFile()
        midi.tracks.append(mido.MidiTrack([mido.MetaMessage("time_signature", numerator=meter, denominator=4)]))
        midi.tracks[0].append(mido.Message("note_on", note=60, channel=channel))
        midi.save(tmp_path / f"{name}.mid")
    (tmp_path / "text.mid").write_text("no MIDI file at all")
    return tmp_path


def result_of(capture: Capture, *command: str) -> dict[str, Any]:
    assert main(["drums", *command, "--json"]) == 0
    captured = capture.readouterr()
    assert captured.err == ""
    return dict(json.loads(captured.out))


def test_a_point_of_the_pad_becomes_a_beat(folder: Path, capsys: Capture) -> None:
    result = result_of(capsys, "generate", "--latent", "-1.5", "2", "--bars", "3", "--tempo", "97.5", "-o", "new/b.mid")
    beat = read_beat(folder / "new" / "b.mid")
    bars = Hvo.bars_of(beat)
    assert len(bars) == 3 == result["bars"] and len(beat) == result["hits"] > 0
    assert beat.tempo == pytest.approx(97.5, abs=1e-3)
    assert bars[0] == bars[1] == bars[2] and not bars[0].offsets.any()
    assert result["pad"] == [-1.5, 2.0]
    # The numbers it tells are a point that makes the same beat.
    result_of(capsys, "generate", "--latent", *map(str, result["latent"]), "--bars", "3", "-o", "again.mid")
    assert Hvo.bars_of(read_beat(folder / "again.mid")) == bars


def test_the_same_seed_is_the_same_file_and_another_is_not(folder: Path, capsys: Capture) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        result_of(capsys, "generate", "--random", "--seed", str(seed), "--variation", "0.5", "-o", f"{name}.mid")
    a, b, c = ((folder / f"{name}.mid").read_bytes() for name in "abc")
    assert a == b != c
    bars = Hvo.bars_of(read_beat(folder / "a.mid"))
    assert len(set(bars)) > 1  # they vary


def test_the_bars_are_those_the_plugin_plays(folder: Path, capsys: Capture) -> None:
    command = ["generate", "--latent", "1", "-2", "--variation", "0.4", "--seed", "5", "--humanise", "0.5"]
    result_of(capsys, *command, "--style", "rock", "-o", "beat.mid")
    live = Bars(open_pattern_model())
    settings = Settings(x=5 / 8, y=2 / 8, style="rock", variation=0.4, seed=5, humanise=0.5)
    played = [hit for bar in range(4) for hit in live.hits(settings, bar)]
    beat = read_beat(folder / "beat.mid")
    written = sorted(zip(beat.drum.tolist(), beat.onset, (127 * beat.velocity).round(), strict=True))
    expected = sorted((hit.drum, max(hit.quarter, 0.0), round(127 * hit.velocity)) for hit in played)
    assert len(written) == len(expected) > 10
    np.testing.assert_allclose(written, expected, atol=0.001)


def test_humanise_keeps_timing_and_loudness_and_no_other_hits(folder: Path, capsys: Capture) -> None:
    for name, flags in (("even", []), ("half", ["--humanise", "0.5"]), ("human", ["--humanise"])):
        result_of(capsys, "generate", "--latent", "0", "0", "--bars", "1", *flags, "-o", f"{name}.mid")
    even, half, human = (Hvo.bars_of(read_beat(folder / f"{name}.mid"))[0] for name in ("even", "half", "human"))
    np.testing.assert_array_equal(even.hits, human.hits)
    assert len(np.unique(even.velocities[even.hits])) == 1 < len(np.unique(human.velocities[human.hits]))
    assert not even.offsets.any() and np.abs(human.offsets).max() > 0.02
    later = slice(1, None)  # a file begins at 0: what is early on its first step is not early there
    np.testing.assert_allclose(half.offsets[:, later], human.offsets[:, later] / 2, atol=0.003)


def test_density_says_how_full_and_style_changes_the_beat(folder: Path, capsys: Capture) -> None:
    counts = []
    for density in ("0", "0.3", "0.8"):
        command = ["generate", "--latent", "1", "1", "--density", density, "--bars", "1", "-o", "d.mid"]
        counts.append(result_of(capsys, *command)["hits"])
    assert counts[0] == 0 and counts == sorted(counts) and len(set(counts)) == 3
    funk = result_of(capsys, "generate", "--style", "funk", "-o", "funk.mid")
    jazz = result_of(capsys, "generate", "--style", "jazz", "-o", "jazz.mid")
    assert funk["style"] == "funk" and funk["latent"] != jazz["latent"]
    assert Hvo.bars_of(read_beat(folder / "funk.mid"))[0] != Hvo.bars_of(read_beat(folder / "jazz.mid"))[0]


def test_a_point_outside_the_map_is_clipped_and_that_is_said(folder: Path, capsys: Capture) -> None:
    assert main(["drums", "generate", "--latent", "99", "1", "-o", "edge.mid"]) == 0
    assert "the pad goes from -4 to 4" in capsys.readouterr().err
    result_of(capsys, "generate", "--latent", "4", "1", "-o", "same.mid")
    assert (folder / "edge.mid").read_bytes() == (folder / "same.mid").read_bytes()


def test_encode_tells_every_bar_and_goes_on_after_bad_files(folder: Path, capsys: Capture) -> None:
    result = result_of(capsys, "encode", "rock.mid")
    (done,) = result["done"]
    assert [bar["hits"] for bar in done["bars"]] == [8, 8] and done["tempo"] == pytest.approx(96.0)
    assert done["bars"][0]["latent"] == done["bars"][1]["latent"]  # the same bar twice
    assert main(["drums", "encode", str(folder)]) == 1
    captured = capsys.readouterr()
    assert captured.out.count("rock.mid bar") == 2 and captured.out.count("busy.mid bar") == 1
    errors = captured.err.splitlines()
    assert len(errors) == 3 and all(line.startswith("terzetto: error: ") for line in errors)
    assert sorted(Path(line.split(": ")[2]).name for line in errors) == ["piano.mid", "text.mid", "waltz.mid"]


def test_interpolate_goes_from_one_beat_to_the_other(folder: Path, capsys: Capture) -> None:
    result = result_of(capsys, "interpolate", "rock.mid", "busy.mid", "--steps", "5", "-o", "way")
    files = sorted((folder / "way").iterdir())
    assert [Path(path) for path in result["midi"]] == [Path("way") / path.name for path in files]
    assert [path.name for path in files] == [f"step_{number}.mid" for number in range(1, 6)]
    steps = [Hvo.bars_of(read_beat(path))[0].hits for path in files]
    first, last = (Hvo.bars_of(read_beat(folder / f"{name}.mid"))[0].hits for name in ("rock", "busy"))
    to_first = [int((step ^ first).sum()) for step in steps]
    assert to_first[0] < to_first[-1] and (steps[-1] ^ last).sum() < (steps[0] ^ last).sum()
    assert result["hits"][0] < result["hits"][-1]
    result = result_of(capsys, "interpolate", "rock.mid", "busy.mid", "--steps", "3", "-o", "way.mid")
    whole = read_beat(folder / "way.mid")
    assert len(Hvo.bars_of(whole)) == 6 and whole.tempo == pytest.approx(96.0, abs=1e-3)


def test_only_the_chosen_bars_change_on_the_way(folder: Path, capsys: Capture) -> None:
    command = ["interpolate", "rock.mid", "busy.mid", "--steps", "2", "--only", "2", "-o", "way"]
    assert result_of(capsys, *command)["bars"] == 2
    start, stop = (Hvo.bars_of(read_beat(folder / "way" / f"step_{number}.mid")) for number in (1, 2))
    assert start[0] == stop[0] and start[1] != stop[1]


def test_the_map_shows_styles_and_beats(folder: Path, capsys: Capture) -> None:
    result = result_of(capsys, "map", "rock.mid", "busy.mid", "-o", "map.png")
    picture = imread(folder / "map.png")
    assert picture.shape[0] > 600 and picture.std() > 0.05
    assert {point["style"] for point in result["points"]} <= {*result["styles"], ""} and len(result["points"]) > 100
    assert [len(beat["pad"]) for beat in result["beats"]] == [2, 1]
    bare = result_of(capsys, "map", "-o", "bare.png")
    assert bare["beats"] == [] and (folder / "bare.png").is_file()


def test_the_drum_map_is_printed_and_an_edited_copy_is_used(folder: Path, capsys: Capture) -> None:
    assert main(["drums", "drum-map"]) == 0
    assert capsys.readouterr().out == published_table()
    assert main(["drums", "drum-map", "-o", "mine.toml"]) == 0
    mine = folder / "mine.toml"
    assert main(["drums", "drum-map", "-o", "mine.toml"]) == 2  # never over somebody's changes
    assert "already there" in capsys.readouterr().err
    mine.write_text(mine.read_text().replace("kick = 36", "kick = 35").replace("snare = 38", "snare = 40"))
    result_of(capsys, "generate", "--latent", "0", "-2", "--drum-map", "mine.toml", "-o", "mapped.mid")
    result_of(capsys, "generate", "--latent", "0", "-2", "-o", "plain.mid")
    mapped, plain = read_beat(folder / "mapped.mid"), read_beat(folder / "plain.mid")
    assert DRUMS.index("kick") in plain.drum and 36 not in mapped.note and 35 in mapped.note
    np.testing.assert_array_equal(np.sort(mapped.drum), np.sort(plain.drum))


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("generate --latent 1 2 3 -o new.mid", "3 latent numbers: give two, x and y on the pad (-4 to 4), or the 32"),
        ("generate --style polka -o new.mid", "has no style 'polka'; it knows: afrobeat"),
        ("generate --density 1.5 -o new.mid", "density 1.5: give 0 to 1"),
        ("generate --humanise 2 -o new.mid", "humanise 2: give 0 to 1"),
        ("generate --bars 0 -o new.mid", "0 bars: give 1 to 1024"),
        ("generate --model hand_labels -o new.mid", "a model for 'hand-labels'; needed is one for 'drum-patterns'"),
        ("generate --model none -o new.mid", "there is no model 'none'; installed: "),
        ("generate --drum-map none.toml -o new.mid", "none.toml: the drum map cannot be read"),
        ("encode text.mid", "text.mid: not a readable MIDI file"),
        ("encode piano.mid", "piano.mid: no drums: no notes on channel 10, but 1 on channel 1"),
        ("encode waltz.mid", "waltz.mid: bar 1 is in 3/4"),
        ("encode none.mid", "none.mid: no such MIDI file"),
        ("encode rock.mid -o points.json", "--out points.json: give a folder"),
        ("encode rock.mid --model drum_dictionary", "a model for 'drum-dictionary'; needed is one for 'drum-patterns'"),
        ("encode . --model none -o points", "there is no model 'none'; installed: "),
        ("denoise rock.mid busy.mid -o new.mid", "--out new.mid is one file; for several beats give a folder"),
        ("simplify . --keep 0 -o plain", "0 atoms: keep at least 1"),
        ("denoise . -o .", "would replace the take"),
        ("interpolate rock.mid piano.mid -o new.mid", "piano.mid: no drums"),
        ("interpolate rock.mid busy.mid --steps 1 -o new.mid", "1 steps: give 2"),
        ("interpolate rock.mid busy.mid --only 2-5 -o new.mid", "--only: there is no bar 5; the longer beat has 2"),
        ("map waltz.mid -o new.png", "bar 1 is in 3/4"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line_and_nothing_is_written(
    folder: Path, capsys: Capture, command: str, message: str
) -> None:
    before = sorted(folder.iterdir())
    assert main(["drums", *command.split()]) == 2
    captured = capsys.readouterr()
    assert message in captured.err and captured.err.count("\n") == 1 and captured.out == ""
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("generate --latent nan 2 -o beat.mid", "'nan' is not a number"),
        ("generate --latent 1 2 --random -o beat.mid", "not allowed with argument"),
        ("generate --tempo 0 -o beat.mid", "a tempo is 4 to 1000"),
        ("generate --latent 1 2", "required: -o/--out"),
        ("encode rock.mid --channel 17", "'17' is no MIDI channel; give 1 to 16, or all"),
        ("interpolate rock.mid busy.mid --only 0-1 -o new.mid", "'0-1': give bars as 3 or 3-4, from 1"),
        ("simplify rock.mid -o new.mid", "required: --keep"),
        ("map -o map.jpg", "the name of a picture ends in .png"),
    ],
)
def test_what_is_typed_wrongly_is_explained(folder: Path, capsys: Capture, command: str, message: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["drums", *command.split()])
    assert stopped.value.code == 2 and message in capsys.readouterr().err
