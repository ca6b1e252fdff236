import numpy as np
import pytest

pytest.importorskip("torch")

from terzetto_export.instrument_data.sound_font_notes import Note
from terzetto_export.xsynth_paper import measures
from terzetto_export.xsynth_paper.note_loss import kept_notes, random_notes
from terzetto_export.xsynth_paper.pitch import track
from terzetto_export.xsynth_paper.pitch_cases import held_b4, peak_near
from terzetto_export.xsynth_paper.sounds import HIGHEST, SAMPLE_RATE, _below, noise, vowel
from terzetto_export.xsynth_paper.tables import Section, shown, table


def still(seconds: float, pitch: float) -> np.ndarray:
    return vowel(np.zeros(int(seconds * SAMPLE_RATE)), pitch)


def test_the_vowel_has_the_pitch_that_was_asked_for() -> None:
    cents = 400 * np.linspace(0, 1, SAMPLE_RATE)
    midi = track(vowel(cents, 60.0))
    truth = 60 + np.interp(np.arange(len(midi)) * 512, np.arange(len(cents)), cents) / 100
    assert np.nanmedian(np.abs(midi - truth)) < 0.12
    assert np.isnan(track(np.zeros(SAMPLE_RATE, np.float32))).all()


def test_pitch_is_kept_by_a_tone_lost_by_its_octave_and_by_noise() -> None:
    wanted = track(still(0.8, 60.0))
    assert measures.pitch_kept(wanted, still(0.8, 60.2)).kept > 0.9
    octave = measures.pitch_kept(wanted, still(0.8, 72.0))
    assert octave.kept == 0.0 and octave.voiced > 0.9 and octave.cents == pytest.approx(1200, abs=20)
    assert measures.pitch_kept(wanted, noise()[: int(0.8 * SAMPLE_RATE)]).kept < 0.1


def test_swing_says_how_much_of_a_vibrato_is_left() -> None:
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    wave = np.sin(2 * np.pi * 4 * time)
    wanted = track(vowel(60 * wave, 62.0))
    assert measures.pitch_kept(wanted, vowel(60 * wave, 62.0)).swing == pytest.approx(1.0, abs=0.02)
    assert measures.pitch_kept(wanted, vowel(30 * wave, 62.0)).swing == pytest.approx(0.5, abs=0.1)
    assert measures.pitch_kept(wanted, still(1.0, 62.0)).swing == pytest.approx(0.0, abs=0.1)


def test_loudness_bandwidth_flatness_and_chroma() -> None:
    tone = still(1.0, 60.0)
    swell = tone * np.linspace(0.05, 1, len(tone), dtype=np.float32)
    assert measures.loudness_slope(swell, 3 * swell) == pytest.approx(1.0)
    assert abs(measures.loudness_slope(swell, tone)) < 0.1
    rumble = np.sin(2 * np.pi * 300 * np.arange(SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32)
    assert measures.bandwidth(rumble) == pytest.approx(300, abs=50)
    assert measures.bandwidth(noise()) > 5000
    assert measures.flatness(noise()) > 5 * measures.flatness(tone)
    chord = still(3.0, 60.0) + still(3.0, 64.0)
    assert measures.chroma_likeness(chord, 0.5 * chord) == pytest.approx(1.0, abs=1e-6)
    assert measures.chroma_likeness(chord, still(3.0, 61.0)) < 0.5


def test_timbre_measures_tell_the_same_from_another() -> None:
    tone, other = still(1.0, 60.0), noise()[:SAMPLE_RATE]
    assert measures.jumps(tone) < 0.5 * measures.jumps(other)
    assert measures.timbre_spread([tone, other]) > 2 * measures.timbre_spread([tone])
    assert measures.log_spectral_distance(tone, tone) == 0.0


def test_the_peak_beside_a_frequency() -> None:
    frequency = 440 * 2 ** ((71.13 - 69) / 12)
    cents, level = peak_near(still(1.0, 71.33), 0.5, frequency)
    assert cents == pytest.approx(20, abs=3) and level > -15
    second, found = held_b4(np.concatenate([still(0.6, 65.0), still(0.6, 71.13)]))
    assert second > 0.6 and found == pytest.approx(frequency, rel=2e-3)


def test_what_lies_too_high_is_cut_out_of_the_recording() -> None:
    melody = np.concatenate([still(0.6, HIGHEST - 3), still(0.6, HIGHEST + 4), still(0.6, HIGHEST)])
    kept = _below(melody, HIGHEST)
    assert 0.9 < len(kept) / SAMPLE_RATE < 1.25
    assert np.nanmax(track(kept)) < HIGHEST + 0.6


def test_a_note_is_kept_if_most_of_it_has_its_pitch() -> None:
    notes = [Note(0.0, 0.8, 60), Note(0.8, 0.8, 67), Note(1.6, 0.8, 62)]
    audio = np.concatenate([still(0.8, 60.0), still(0.8, 67.7), np.zeros(int(0.8 * SAMPLE_RATE), np.float32)])
    assert kept_notes(audio, notes).tolist() == [True, False, False]


def test_the_notes_are_the_seed_s() -> None:
    files = random_notes(3)
    assert len(files) == 5 and all(len(notes) == 20 for notes in files.values())
    assert files == random_notes(3) != random_notes(4)


def test_tables() -> None:
    assert table(["", "a"], [["x", shown(float("nan"))], ["y", shown(1.234)]]) == [
        "|  | a |", "| --- | --- |", "| x | – |", "| y | 1.23 |", "",
    ]  # fmt: skip
    assert Section("S", ["line"]).text() == "## S\n\nline\n"
