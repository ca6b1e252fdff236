import numpy as np
import pytest

from terzetto.audio.spectra import FrameGrid
from terzetto.hands.templates import (
    TemplateLayout,
    estimate_tuning,
    harmonic_template,
    informed_templates,
    inharmonicity,
    partials,
)

GRID = FrameGrid(22050, 4096, 1024)
BINS = 2049


def test_partials_of_a4_start_at_the_tuning_and_are_stretched() -> None:
    frequencies = partials(69, 0.0, 11025.0)
    assert frequencies[0] == pytest.approx(440.0, rel=1e-3)
    ratios = frequencies / (440.0 * np.arange(1, len(frequencies) + 1))
    assert (np.diff(ratios) > 0).all()
    assert frequencies[-1] <= 11025.0
    assert partials(69, 1.0, 11025.0)[0] == pytest.approx(frequencies[0] * 2 ** (1 / 12))


def test_inharmonicity_is_least_in_the_middle_of_the_keyboard() -> None:
    values = [inharmonicity(pitch) for pitch in (21, 45, 108)]
    assert values[1] < values[0] < values[2]


def test_a_harmonic_template_is_zero_between_partials_and_peaks_on_them() -> None:
    template = harmonic_template(48, GRID, BINS)
    assert template.sum() == pytest.approx(1.0, rel=1e-5)
    places = np.round(partials(48, 0.0, 3000.0) / GRID.bin_hz).astype(int)
    between = ((places[1:] + places[:-1]) // 2)[:4]
    assert (template[places] > 0).all()
    assert (template[between] == 0).all()
    assert template[places[0]] > template[places[3]] > template[places[8]]


def test_higher_harmonics_leave_out_the_lower_partials() -> None:
    template = harmonic_template(48, GRID, BINS, lowest_partial=5)
    first = np.flatnonzero(template)[0] * GRID.bin_hz
    assert first > partials(48, 0.0, 3000.0)[3]


def test_the_layout_counts_stages_and_an_onset_row_per_pitch() -> None:
    layout = TemplateLayout(np.array([48, 60]), (0.1, 0.4))
    W = informed_templates(layout, GRID, BINS)
    assert W.shape == (8, BINS) == (layout.rows, BINS)
    assert layout.rows_of(1).tolist() == [3, 4, 5, 7]
    assert np.array_equal(W[0], W[2]) and not np.array_equal(W[2], W[3])
    assert (W[6:] > 0).all(), "onset templates are broadband"


@pytest.mark.parametrize("cents", [-101.0, -37.0, 0.0, 12.0, 55.0, 100.0])
def test_tuning_is_found_even_a_semitone_away(cents: float) -> None:
    pitches = np.array([43, 52, 59, 67, 74])
    layout = TemplateLayout(pitches)
    rng = np.random.default_rng(1)
    sounding = rng.random((len(pitches), 200)) < 0.5
    # Real spectra: windowed sinusoids at the stretched partials of a piano tuned off by so many cents.
    time = np.arange(GRID.n_fft) / GRID.sample_rate
    window = GRID.window()
    spectra = []
    for pitch in pitches:
        frequencies = partials(int(pitch), cents / 100, 6000.0)
        tone = sum(np.exp(-f / 3000) / (h + 1) * np.sin(2 * np.pi * f * time) for h, f in enumerate(frequencies))
        spectra.append(np.abs(np.fft.rfft(tone * window)))
    V = (sounding.T.astype(np.float32) @ np.array(spectra)).astype(np.float32)
    assert estimate_tuning(V, sounding, layout, GRID) * 100 == pytest.approx(cents, abs=4.0)


def test_tuning_of_silence_is_zero() -> None:
    layout = TemplateLayout(np.array([60]))
    assert estimate_tuning(np.zeros((10, BINS), np.float32), np.ones((1, 10), bool), layout, GRID) == 0.0
