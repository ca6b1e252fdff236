"""The editors, drawn into pictures by a program of the build: nothing is cut off at any size, and keys reach all."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable
from pathlib import Path

import matplotlib.image
import mido
import numpy as np
import pytest
from numpy.typing import NDArray

from terzetto.drums.live import DrumsProcessor
from terzetto.score.read import READERS
from terzetto_host.presets import plugin_state
from tests.hosts.place import Place

SCORES = sorted({*READERS, ".mid", ".midi", ".csv", ".musicxml", ".mxl", ".xml", ".krn"})
ACCENTS = {"hands": (0x55, 0xB8, 0xA6), "drums": (0xE2, 0x95, 0x4A), "timbre": (0xA5, 0x8B, 0xE0)}


@pytest.fixture(scope="session")
def editor_picture(native_program: Callable[[str], Path]) -> Path:
    """The program that draws them."""
    return native_program("editor_picture")


def draw(program: Path, place: Place, *words: str) -> NDArray[np.uint8]:
    """Run the program; returns height × width × 3."""
    return draw_and_list(program, place, *words)[0]


def draw_and_list(program: Path, place: Place, *words: str) -> tuple[NDArray[np.uint8], list[list[str]]]:
    """Return the picture, and (title, value, description) of what the keys reach, in their order."""
    done = run(program, place, *words)
    assert done.returncode == 0, done.stderr
    pixels: NDArray[np.float32] = matplotlib.image.imread(place.root / "editor.png")
    controls = [line.split("\t") for line in done.stdout.splitlines()]
    return np.round(255 * pixels[..., :3]).astype(np.uint8), controls


def run(program: Path, place: Place, instrument: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(program), instrument, str(place.root / "editor.png"), *words],
        env=place.environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.fixture
def alone(tmp_path: Path) -> Place:
    return Place(tmp_path / "nobody")


@pytest.mark.parametrize("instrument", list(ACCENTS))
def test_it_is_drawn_without_a_display(editor_picture: Path, alone: Place, instrument: str) -> None:
    picture = draw(editor_picture, alone, instrument)
    assert tuple(picture[1, picture.shape[1] // 2]) == ACCENTS[instrument]
    status = picture[-34:].astype(int)
    assert (status.max(axis=2) > 200).sum() > 300, "no status line"
    red = (status[..., 0] > 200) & (status[..., 1] < 120)
    assert red.sum() > 30, "no engine is installed here: the status light is not red"


@pytest.mark.parametrize("instrument", ["hands", "test", "timbre"])
@pytest.mark.parametrize(
    ("asked", "given"), [("", None), ("900x640", (640, 900)), ("1x1", None), ("9999x9999", (1000, 1400))]
)
def test_every_edge_stays_free_at_every_size(
    editor_picture: Path, alone: Place, instrument: str, asked: str, given: tuple[int, int] | None
) -> None:
    words = ["1", f"size={asked}"] if asked else []
    picture = draw(editor_picture, alone, instrument, *words).astype(int)
    if given is not None:
        assert picture.shape[:2] == given
    elif asked:  # no smaller than what all controls need
        assert picture.shape[1] == 520 and 270 < picture.shape[0] < (430 if instrument == "timbre" else 360)
    above_status = picture[4:-34]
    for edge in (above_status[:, :6], above_status[:, -6:]):
        assert np.ptp(edge) <= 6, "something is cut off at an edge"  # background alone
    accent = np.abs(picture[4:-34] - ACCENTS["drums" if instrument == "test" else instrument]).max(axis=2) < 3
    rows = np.flatnonzero(accent.any(axis=1))
    assert np.ptp(rows) > 0.25 * picture.shape[0], "the faders do not fill the height"


def test_keys_reach_everything_in_order_and_all_of_it_has_a_name(editor_picture: Path, alone: Place) -> None:
    _, controls = draw_and_list(editor_picture, alone, "hands")
    titles = [title for title, _, _ in controls]
    assert [title for title in titles if not title.endswith(", typed")] == [
        "Open the score", "Learn", "Left gain", "Right gain", "Residual gain", "Solo: off", "Solo: left", "Solo: right",
        "Spread", "Dry/wet", "Window: long", "Window: medium", "Window: short", "Low latency",
    ]  # fmt: skip
    assert all(title for title in titles)
    assert all(description for title, _, description in controls if not title.endswith(", typed"))


def test_keys_move_what_they_reach(editor_picture: Path, alone: Place) -> None:
    keys = ["Level@cursor down", "Level@page down", "Warmth@cursor right", "Warmth@shift + cursor left",
            "Density, Swing@cursor left", "Density, Swing@cursor up", "Shape: steep@return", "Roll@return",
            "Low latency@return"]  # fmt: skip
    _, controls = draw_and_list(editor_picture, alone, "test", "1", *(f"press={key}" for key in keys))
    values = {title: value for title, value, _ in controls}
    assert values["Level"] == "-7.0 dB" and values["Warmth"] == "52 %"
    assert values["Density, Swing"] == "0.230, 0.540"
    assert values["Shape: steep"] == "on" and values["Shape: round"] == "off"


def test_the_pad_shows_both_its_parameters(editor_picture: Path, alone: Place) -> None:
    """A table made for the test (tests/native/editor_table.hpp) has a pad, triggers and one of everything else."""

    def point(*words: str) -> NDArray[np.float64]:
        picture = draw(editor_picture, alone, "test", "1", *words).astype(int)
        pad = picture[46:-76, 110:340]  # between the fader and the rows
        accent = np.abs(pad - ACCENTS["drums"]).max(axis=2) < 3
        assert 100 < accent.sum() < 200, "one point of 14 pixels across"
        return np.argwhere(accent).mean(axis=0)

    low, right, up = point("pad_x=0.2", "pad_y=-0.6"), point("pad_x=0.8", "pad_y=-0.6"), point("pad_x=0.2", "pad_y=0.6")
    side = (right - low)[1] / 0.6
    assert side > 180 and abs((right - low)[0]) <= 1
    assert abs((low - up)[0] - 0.6 * side) <= 1.5 and abs((up - low)[1]) <= 1


@pytest.mark.parametrize("name", ["take" + ending for ending in (*SCORES, ".wav", ".flac")])
def test_scores_and_recordings_can_be_dropped(editor_picture: Path, alone: Place, name: str) -> None:
    (alone.root / name).touch()
    words = ["1", f"drop={alone.root / name}"]
    assert run(editor_picture, alone, "hands", *words).returncode == 0


def test_other_files_cannot_be_dropped(editor_picture: Path, alone: Place) -> None:
    done = run(editor_picture, alone, "hands", "1", f"drop={alone.root / 'take.txt'}")
    assert done.returncode == 1 and "nothing takes" in done.stderr


def test_a_voice_that_is_moved_is_on_its_pad(editor_picture: Path, alone: Place) -> None:
    def values(*words: str) -> dict[str, str]:
        _, controls = draw_and_list(editor_picture, alone, "drums", "1", *words)
        return {title: value for title, value, _ in controls}

    before, after = values(), values("press=Snare across, Snare up@cursor left")
    assert [before[f"Snare from: {name}"] for name in ("kit", "pad")] == ["on", "off"]
    assert [after[f"Snare from: {name}"] for name in ("kit", "pad")] == ["off", "on"]
    assert after["Snare across, Snare up"] == "0.480, 0.500" and before["Kick across, Kick up"] == "0.500, 0.500"
    changed = [title for title in before if before[title] != after[title]]
    assert changed == ["Snare across, Snare up", "Snare from: kit", "Snare from: pad"]


@pytest.mark.parametrize("name", ["kit.toml", "snare.wav", "snare.flac"])
def test_kits_and_sounds_can_be_dropped_on_a_voice(editor_picture: Path, alone: Place, name: str) -> None:
    (alone.root / name).touch()
    assert run(editor_picture, alone, "drums", "1", f"drop={alone.root / name}").returncode == 0
    assert run(editor_picture, alone, "drums", "1", f"drop={alone.root / 'kit.mid'}").returncode == 1


def saved(place: Place, **state: object) -> str:
    """The file of a project's state in which the engine of Timbre says this."""
    path = place.root / "state.json"
    path.write_text(plugin_state("timbre", engine={"timbre": state}))
    return f"state={path}"


def test_the_pad_of_timbre_has_the_instruments_of_its_model(editor_picture: Path, alone: Place) -> None:
    places = [{"name": "french_horn", "x": 0.25, "y": 0.75}, {"name": "oboe", "x": 0.75, "y": 0.25}]
    state = saved(alone, model="winds", other_model="brass", instruments=places, installed=["winds", "brass"])
    picture, controls = draw_and_list(editor_picture, alone, "timbre", "1", state, "pad_x=0.25", "pad_y=0.75")
    values = {title: value for title, value, _ in controls}
    assert values["Across, Up"] == "0.250, 0.750: french horn"
    plain = draw(editor_picture, alone, "timbre", "1", "pad_x=0.25", "pad_y=0.75")
    changed = np.argwhere((picture != plain).any(axis=2))
    pad = changed[(changed[:, 0] > 120) & (changed[:, 1] < 370)]
    assert len(pad) > 100, "the instruments are not drawn"
    panel = changed[changed[:, 0] < 110]
    assert panel[:, 1].min() < 100 and panel[:, 1].max() > 420, "the names of the two models are not drawn"


@pytest.mark.parametrize("instruments", [3, ["x"], [{"name": 1}], [{"name": "a", "x": 7, "y": 0.5}], [{"x": 0.1}]])
def test_a_state_of_timbre_that_makes_no_sense_is_passed_over(
    editor_picture: Path, alone: Place, instruments: object
) -> None:
    state = saved(alone, model=4, instruments=instruments, installed=instruments)
    plain = draw(editor_picture, alone, "timbre")
    assert np.array_equal(draw(editor_picture, alone, "timbre", "1", state), plain)


@pytest.mark.parametrize("name", ["sax.onnx", "violin.wav", "violin.flac"])
def test_models_and_recordings_can_be_dropped(editor_picture: Path, alone: Place, name: str) -> None:
    (alone.root / name).touch()
    assert run(editor_picture, alone, "timbre", "1", f"drop={alone.root / name}").returncode == 0
    assert run(editor_picture, alone, "timbre", "1", f"drop={alone.root / 'take.mid'}").returncode == 1


def test_the_pattern_is_dragged_out_as_the_engine_made_it(editor_picture: Path, alone: Place) -> None:
    copy, saved = alone.root / "copy.mid", alone.root / "state.json"
    none = run(editor_picture, alone, "drums", "1", f"drag={copy}")
    assert none.returncode == 1 and not copy.exists(), "there is no pattern without an engine"
    drums = DrumsProcessor()
    drums.prepare(48000, 2, 512)
    saved.write_text(plugin_state("drums", engine={"drums": drums.state()}))
    dragged = run(editor_picture, alone, "drums", "1", f"state={saved}", f"drag={copy}")
    assert dragged.returncode == 0, dragged.stderr
    assert copy.read_bytes() == base64.b64decode(drums.state()["midi"])
    assert mido.MidiFile(copy).length == pytest.approx(2.0), "a bar at 120"


def test_twice_the_scale_is_the_same_picture(editor_picture: Path, alone: Place) -> None:
    small, large = (draw(editor_picture, alone, "hands", scale).astype(float) for scale in ("1", "2"))
    assert large.shape == (2 * small.shape[0], 2 * small.shape[1], 3)
    halved = large.reshape(small.shape[0], 2, small.shape[1], 2, 3).mean(axis=(1, 3))
    assert np.abs(halved - small).mean() < 4.0


def test_faders_show_their_values(editor_picture: Path, alone: Place) -> None:
    before, after = (draw(editor_picture, alone, "hands", "1", f"left_gain={value}") for value in ("0", "-60"))
    changed = np.argwhere((before != after).any(axis=2))
    top, left = changed.min(axis=0)
    bottom, right = changed.max(axis=0)
    assert right < 120 and left > 16, "another control than the left fader changed"
    assert bottom - top > 80, "the fader did not move"
