"""The pictures of an analysis show this take: its notes, hands, pitches, losses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import same_color, to_rgba

from terzetto.audio.files import ArrayTake
from terzetto.errors import OutputError, TerzettoWarning
from terzetto.hands import drawing, plots
from terzetto.hands.analysis import magnitudes
from terzetto.hands.factorise import Options
from terzetto.hands.separate import Separation
from terzetto.hands.settings import Settings
from terzetto.score.notes import Score

RATE = 8000.0
NOTES = [
    (0.2, 0.9, 48, 0.6, "left"),
    (1.0, 1.8, 52, 0.6, "left"),
    (0.2, 0.6, 72, 0.7, "right"),
    (0.6, 1.0, 74, 0.7, "right"),
    (1.0, 1.8, 72, 0.7, "right"),
]


def play(notes: list[tuple[float, float, int, float, str]], seconds: float) -> np.ndarray:
    """Decaying harmonic tones."""
    audio = np.zeros(int(seconds * RATE))
    for onset, offset, pitch, level, _ in notes:
        time = np.arange(int((offset - onset) * RATE)) / RATE
        frequency = 440.0 * 2 ** ((pitch - 69) / 12)
        tone = sum(np.sin(2 * np.pi * h * frequency * time) / h for h in range(1, 4))
        start = int(onset * RATE)
        audio[start : start + len(time)] += 0.2 * level * np.exp(-2.0 * time) * tone
    return audio


def separate(
    notes: list[tuple[float, float, int, float, str]] = NOTES, seconds: float = 2.0, **settings: object
) -> Separation:
    score = Score.from_notes(notes)
    return Separation(ArrayTake(play(notes, seconds), RATE), score, Settings(jobs=1, **settings))


@pytest.fixture(scope="module")
def separation() -> Separation:
    return separate(options=Options(iterations=6, loss_interval=1))


@pytest.fixture(scope="module")
def figures(separation: Separation) -> dict:
    return plots.figures(separation)


def tick_names(axis) -> list[str]:
    return [label.get_text() for label in axis.get_ticklabels()]


def test_writes_whole_pngs_and_nothing_else(separation: Separation, tmp_path: Path) -> None:
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "hands.png").write_bytes(b"an older picture, to be replaced")
    paths = plots.plot_analysis(separation, tmp_path / "plots")
    assert [path.name for path in paths] == ["piano_roll.png", "decomposition.png", "hands.png", "loss.png"]
    assert sorted((tmp_path / "plots").iterdir()) == sorted(paths)
    for path in paths:
        content = path.read_bytes()
        assert content.startswith(b"\x89PNG\r\n\x1a\n") and content.rstrip().endswith(b"IEND\xaeB`\x82")
        assert int.from_bytes(content[16:20], "big") >= 1600  # width


def test_a_file_in_place_of_the_folder_leaves_nothing(separation: Separation, tmp_path: Path) -> None:
    (tmp_path / "plots").write_text("mine")
    with pytest.raises(OutputError, match="plots: the pictures could not be written"):
        plots.plot_analysis(separation, tmp_path / "plots")
    assert [path.name for path in tmp_path.iterdir()] == ["plots"]


def test_loss_only_when_recorded() -> None:
    assert "loss.png" not in plots.figures(separate(options=Options(iterations=2)))


def test_loss_curve_is_the_recorded_one_on_a_logarithmic_axis(separation: Separation, figures: dict) -> None:
    (axes,) = figures["loss.png"].axes
    (curve,) = axes.lines
    assert axes.get_yscale() == "log"
    np.testing.assert_array_equal(curve.get_xdata(), np.arange(1, 7))
    np.testing.assert_array_equal(curve.get_ydata(), separation.analysis.found.losses)


def test_loss_interval_counts_iterations_and_ends_at_the_last() -> None:
    figure = plots.figures(separate(options=Options(iterations=5, loss_interval=2)))["loss.png"]
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_xdata(), [2, 4, 5])


def test_piano_roll_has_a_box_per_note_in_its_hands_colour(figures: dict) -> None:
    axes = figures["piano_roll.png"].axes[0]
    boxes = {collection.get_label(): collection for collection in axes.collections}
    assert {name: len(c.get_paths()) for name, c in boxes.items()} == {"left hand": 2, "right hand": 3}
    for name, colour in (("left hand", drawing.LEFT_COLOUR), ("right hand", drawing.RIGHT_COLOUR)):
        assert same_color(boxes[name].get_facecolor()[0], colour)
    extents = boxes["left hand"].get_paths()[1].get_extents()
    assert (extents.x0, extents.x1) == pytest.approx((1.0, 1.8))
    assert extents.y0 < 52 < extents.y1
    assert tick_names(axes.yaxis) == ["C3", "E3", "C5", "D5"]


def test_decomposition_names_pitches_and_shows_v(separation: Separation, figures: dict) -> None:
    panels = figures["decomposition.png"].axes
    assert len(panels) == 6
    for templates, activations in ((panels[0], panels[1]), (panels[3], panels[4])):
        assert tick_names(templates.xaxis) == tick_names(activations.yaxis) == ["C3", "E3", "C5", "D5"]
    shown = np.asarray(panels[2].images[0].get_array())
    V = separation.analysis.V
    loudest_frame, loudest_bin = np.unravel_index(V.argmax(), V.shape)
    assert shown[loudest_bin, loudest_frame] == shown.max() == pytest.approx(1.0)


def test_templates_are_grouped_by_pitch_onset_last(figures: dict) -> None:
    harmonic, onset = (np.ma.asarray(image.get_array()) for image in figures["decomposition.png"].axes[0].images)
    assert harmonic.shape[1] == 4 * 4  # pitches × (three stages and an onset)
    np.testing.assert_array_equal(np.flatnonzero(~np.ma.getmaskarray(onset)[0]), [3, 7, 11, 15])
    np.testing.assert_array_equal(np.ma.getmaskarray(harmonic), ~np.ma.getmaskarray(onset))


def test_hands_show_only_their_own_notes_in_their_colours(figures: dict) -> None:
    left, _, left_mask, right, _, right_mask = figures["hands.png"].axes[:6]
    lowest, highest = (np.ma.getdata(panel.images[0].get_array()) for panel in (left, right))
    assert lowest[:4].any() and not lowest[4:].any()  # two rows per pitch, low pitches first
    assert highest[4:].any() and not highest[:4].any()
    both = left_mask.images[0].get_array() + right_mask.images[0].get_array()
    assert both.max() == pytest.approx(1.0, abs=1e-5)
    for panel, colour in ((left_mask, drawing.LEFT_COLOUR), (right_mask, drawing.RIGHT_COLOUR)):
        assert panel.images[0].get_cmap()(1.0) == pytest.approx(to_rgba(colour), abs=1e-3)
        assert same_color(panel._left_title.get_color(), colour)


def test_a_silent_take_has_empty_pictures() -> None:
    with pytest.warns(TerzettoWarning, match="silent"):
        separation = Separation(
            ArrayTake(np.zeros((2, 16000)), RATE),
            Score.from_notes(NOTES),
            Settings(jobs=1, options=Options(iterations=3, loss_interval=1)),
        )
    figures = plots.figures(separation)
    assert not np.asarray(figures["decomposition.png"].axes[5].images[0].get_array()).any()
    for figure in figures.values():
        figure.draw_without_rendering()


def test_no_hands_without_hands_in_the_score() -> None:
    score = Score.from_notes(NOTES).with_hands(np.full(len(NOTES), -1))
    separation = Separation(
        ArrayTake(play(NOTES, 2.0), RATE), score, Settings(by="pitch", mask="wiener", options=Options(iterations=2))
    )
    figures = plots.figures(separation)
    assert set(figures) == {"piano_roll.png", "decomposition.png"}
    (notes,) = figures["piano_roll.png"].axes[0].collections
    assert notes.get_label() == "hand not known" and len(notes.get_paths()) == len(NOTES)


def test_frequency_axis_goes_to_1500_hz_and_higher_for_high_notes(separation: Separation) -> None:
    assert plots.view(separation).highest == 1500.0
    high = [(0.2, 1.0, 91, 0.6, "right"), (0.2, 1.0, 48, 0.6, "left")]  # G6, 1568 Hz
    assert plots.view(separate(high, options=Options(iterations=2))).highest == 3500.0


def test_long_takes_show_their_beginning_and_say_so() -> None:
    notes = [(float(i), i + 0.8, 60 + i % 3, 0.5, ("left", "right")[i % 2]) for i in range(34)]
    separation = separate(notes, 35.0, options=Options(iterations=2))
    figures = plots.figures(separation)
    for name, title in (
        ("piano_roll.png", figures["piano_roll.png"].axes[0]._left_title.get_text()),
        ("hands.png", figures["hands.png"].get_suptitle()),
    ):
        assert title.endswith("first 30 s of 35 s"), name
    assert figures["hands.png"].axes[0].get_xlim() == (0.0, 30.0)


def test_takes_learned_from_chosen_frames_are_shown_from_the_start() -> None:
    notes = [(float(i), i + 0.8, 60 + i % 3, 0.5, ("left", "right")[i % 2]) for i in range(290)]
    separation = separate(notes, 291.0, options=Options(iterations=4))
    assert len(separation.analysis.frame_numbers) < separation.frames
    shown = plots.view(separation, longest=10.0)
    frames = int(10.0 / shown.hop) + 1
    assert shown.V.shape[0] == shown.H.shape[1] == shown.H0.shape[1] == frames
    np.testing.assert_array_equal(shown.V, magnitudes(separation.spectra(0, frames)))
    model = shown.H.T @ shown.W
    assert np.corrcoef(model.ravel(), shown.V.ravel())[0, 1] > 0.8
