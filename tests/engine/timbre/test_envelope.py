"""Spectral-envelope hybridisation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from terzetto.audio.files import ArrayTake
from terzetto.audio.spectra import FrameGrid
from terzetto.errors import InputError, TerzettoWarning
from terzetto.timbre import target as target_module
from terzetto.timbre.conversion import Controls, stream_grid
from terzetto.timbre.envelope import CepstralEnvelope, EnvelopeConversion, open_envelope
from terzetto.timbre.methods import open_conversion
from terzetto.timbre.stream import render
from terzetto.timbre.target import Target, read_target
from tests.engine.timbre.sounds import level_db, strongest, tone

Float = NDArray[np.float32]
RATE = 24000
GRID = stream_grid(RATE)


def converted(sound: Float, conversion: EnvelopeConversion, controls: Controls | None = None) -> Float:
    take = ArrayTake(sound, RATE)
    return np.concatenate(list(render(take, conversion, controls)), axis=1)


def test_the_envelope_is_the_slides_equation() -> None:
    magnitudes = np.abs(GRID.stft(tone(200, 0.5, RATE))) + np.float32(1e-3)
    lifter = 0.001
    expected = []
    for row in magnitudes:
        both_sides = np.concatenate([row, row[-2:0:-1]])
        cepstrum = np.fft.ifft(np.log(both_sides)).real
        quefrency = np.minimum(np.arange(GRID.n_fft), GRID.n_fft - np.arange(GRID.n_fft)) / RATE
        expected.append(np.fft.fft(cepstrum * (quefrency <= lifter)).real[: GRID.bins])
    np.testing.assert_allclose(CepstralEnvelope(GRID, lifter)(magnitudes), expected, atol=1e-3)


def test_the_true_envelope_rests_on_the_partials_and_the_plain_one_lies_below() -> None:
    magnitudes = np.abs(GRID.stft(tone(400, 0.5, RATE, slope=0.5)))[3:4]
    partials = [round(400 * number / GRID.bin_hz) for number in range(2, 20)]
    level = np.log(magnitudes[0, partials])
    plain = CepstralEnvelope(GRID, 0.00125)(magnitudes)[0, partials]
    true = CepstralEnvelope(GRID, 0.00125, true_envelope=True)(magnitudes)[0, partials]
    assert (level - true).max() < 0.25  # 2 dB
    assert np.abs(true - level).max() < 0.5
    assert np.median(level - plain) > 1.0  # 9 dB


@pytest.mark.parametrize("lifter", [0.0, 0.5, np.nan])
def test_a_lifter_out_of_range_is_refused(lifter: float) -> None:
    with pytest.raises(InputError, match=r"lifter must be from 0\.0002 to 0\.02"):
        CepstralEnvelope(GRID, lifter)


def test_the_flattened_target_sounds_with_the_sources_envelope() -> None:
    source, carrier = tone(150, 2, RATE, 0.3, formant=1200), tone(220, 1.2, RATE, 1.5)
    result = converted(source, EnvelopeConversion(Target(carrier, GRID)))[0, 8000:40000]
    assert strongest(result, RATE) == pytest.approx(1100, abs=3)  # the carrier's partial nearest to the formant
    assert strongest(carrier, RATE) == pytest.approx(220, abs=3)


def test_the_flattened_source_keeps_its_notes_and_takes_the_targets_envelope() -> None:
    source, other = tone(220, 2, RATE, 1.5), tone(150, 1, RATE, 0.3, formant=2000)
    result = converted(source, EnvelopeConversion(Target(other, GRID), flatten="source"))[0, 8000:40000]
    assert strongest(result, RATE) == pytest.approx(1980, abs=3)
    half = EnvelopeConversion(Target(other, GRID), flatten="source")
    between = converted(source, half, Controls(0.5))[0, 8000:40000]
    power = np.abs(np.fft.rfft(np.stack([source[8000:40000], between, result]) * np.hanning(32000))) ** 2
    bin_of = [round(frequency * 32000 / RATE) for frequency in (220, 1980)]
    shares = np.log(power[:, bin_of[1]] / power[:, bin_of[0]])
    assert shares[1] == pytest.approx((shares[0] + shares[2]) / 2, abs=0.5)  # the envelopes' logarithms are morphed


@pytest.mark.parametrize("flatten", ["target", "source"])
def test_an_amount_of_zero_is_the_input_and_silence_stays_silent(flatten: str) -> None:
    conversion = EnvelopeConversion(Target(tone(220, 1, RATE), GRID), flatten=flatten)
    sound = np.stack([tone(150, 1, RATE), tone(300, 1, RATE)])
    np.testing.assert_allclose(converted(sound, conversion, Controls(0.0)), sound, atol=1e-6)
    conversion.reset()
    assert np.abs(converted(np.zeros((2, RATE), np.float32), conversion)).max() < 1e-5


@pytest.mark.parametrize("flatten", ["target", "source"])
def test_loudness_is_carried_around_the_method(flatten: str) -> None:
    source = tone(220, 2, RATE, level=0.02)
    source[RATE:] *= 5
    target = Target(tone(150, 1, RATE, level=0.3), GRID)
    result = converted(source, EnvelopeConversion(target, flatten=flatten))[0]
    steps = level_db(result[RATE + 4000 :]) - level_db(result[4000 : RATE - 4000])
    assert steps == pytest.approx(20 * np.log10(5), abs=0.5)
    assert level_db(result) == pytest.approx(level_db(source), abs=2.5)  # K-weighted it is as loud


def test_the_targets_own_loudness_is_heard_without_follow() -> None:
    other = tone(150, 2, RATE, level=0.2)
    other[RATE:] *= 0.1
    source = tone(220, 2, RATE, level=0.05)
    result = converted(source, EnvelopeConversion(Target(other, GRID), flatten="source"), Controls(follow=0.0))[0]
    assert level_db(result[4000:20000]) - level_db(result[RATE + 4000 : RATE + 20000]) == pytest.approx(20, abs=2)


@pytest.mark.parametrize("true_envelope", [False, True])
@pytest.mark.parametrize("flatten", ["target", "source"])
def test_an_offset_is_not_flattened_into_sound(flatten: str, true_envelope: bool) -> None:
    """Where one sound has nothing but an offset, the other has its loudest partial."""
    low, high = tone(150, 2, RATE, 2.0), tone(1760, 2, RATE, 0.3) + np.float32(1e-3)
    source, other = (low, high) if flatten == "target" else (high, low)
    conversion = EnvelopeConversion(Target(other, GRID), flatten=flatten, true_envelope=true_envelope)
    assert abs(converted(source, conversion)[0, 4000:44000].mean()) < 1e-4


def test_a_pause_of_the_target_has_no_timbre() -> None:
    other = tone(150, 2, RATE, formant=2000)
    other[RATE:] = 1e-6 * np.random.default_rng(0).standard_normal(RATE)
    source = tone(220, 2, RATE)
    result = converted(source, EnvelopeConversion(Target(other, GRID), flatten="source"))[0]
    for part in (result[4000:20000], result[RATE + 4000 :]):
        assert strongest(part, RATE) == pytest.approx(2000, abs=300)


def test_channels_keep_their_place() -> None:
    sound = np.stack([tone(150, 1, RATE), np.zeros(RATE, np.float32)])
    for flatten in ("target", "source"):
        result = converted(sound, EnvelopeConversion(Target(tone(220, 1, RATE), GRID), flatten=flatten))
        assert level_db(result[0]) - level_db(result[1]) > 60
    wide = np.stack([sound[0], -sound[0]])  # its mid is empty
    result = converted(wide, EnvelopeConversion(Target(tone(220, 1, RATE), GRID), flatten="source"))
    assert level_db(result[0]) == pytest.approx(level_db(wide[0]), abs=2)
    np.testing.assert_allclose(result[0], -result[1], atol=1e-6)


def test_the_targets_frames_go_round_and_a_reset_begins_anew() -> None:
    conversion = EnvelopeConversion(Target(tone(220, 0.5, RATE), GRID))
    long = tone(150, 3, RATE)
    once = converted(long, conversion)
    conversion.reset()
    np.testing.assert_array_equal(converted(long, conversion), once)


def test_a_target_is_read_at_the_streams_rate(tmp_path: Path) -> None:
    path = tmp_path / "target.wav"
    soundfile.write(path, np.stack([tone(220, 1, 44100)] * 2, axis=1), 44100)
    target = read_target(path, GRID)
    assert strongest(target.samples, RATE) == pytest.approx(220, abs=2)
    assert len(target.samples) == RATE
    conversion = open_conversion("envelope", str(path), sample_rate=RATE, low_latency=True, flatten="source")
    assert conversion.grid == stream_grid(RATE, low_latency=True)
    with pytest.raises(InputError, match="flatten 'both' is not known; valid: target, source"):
        open_envelope(str(path), sample_rate=RATE, flatten="both")
    with pytest.raises(InputError, match="has no option 'colour'; valid: flatten, lifter, true_envelope"):
        open_conversion("envelope", str(path), sample_rate=RATE, colour=1)


def test_a_target_without_a_timbre_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="too short to take a timbre from"):
        Target(tone(220, 0.01, RATE), GRID, "short.wav")
    with pytest.raises(InputError, match="silent: there is no timbre in it"):
        Target(np.zeros(RATE, np.float32), GRID)
    monkeypatch.setattr(target_module, "LONGEST", 0.5)
    soundfile.write(tmp_path / "long.wav", tone(220, 1, RATE), RATE)
    with pytest.warns(TerzettoWarning, match="of its 1 s the first 0 s are used"):
        assert len(read_target(tmp_path / "long.wav", GRID).samples) == RATE // 2


def test_the_frames_of_a_target_are_those_of_the_grid() -> None:
    grid = FrameGrid(8000, 400, 100)
    target = Target(tone(220, 1, 8000), grid)
    spectra = grid.stft(target.samples)
    assert len(target) == len(spectra)
    np.testing.assert_array_equal(np.concatenate(list(target.pieces())), spectra)
    np.testing.assert_array_equal(target.spectrum(len(target) + 2), spectra[2])
