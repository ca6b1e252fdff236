"""MFCC mosaicing."""

from __future__ import annotations

from pathlib import Path

import librosa
import numpy as np
import pytest
import scipy.fft
import soundfile
from numpy.typing import NDArray

from terzetto.audio.files import ArrayTake
from terzetto.errors import InputError
from terzetto.timbre.conversion import Controls, stream_grid
from terzetto.timbre.methods import open_conversion
from terzetto.timbre.mfcc import COEFFICIENTS, Mfcc
from terzetto.timbre.mosaic import MosaicConversion
from terzetto.timbre.stream import render
from terzetto.timbre.target import Target
from tests.engine.timbre.sounds import level_db, tone

Float = NDArray[np.float32]
RATE = 24000
GRID = stream_grid(RATE)


def converted(sound: Float, conversion: MosaicConversion, controls: Controls | None = None) -> Float:
    return np.concatenate(list(render(ArrayTake(sound, RATE), conversion, controls)), axis=1)


def scale() -> Float:
    """Four notes, bright and dull by turns."""
    notes = [tone(frequency, 1, RATE, slope) for frequency, slope in ((220, 0.5), (262, 2.5), (330, 0.5), (392, 2.5))]
    return np.concatenate(notes)


def test_the_coefficients_are_librosas() -> None:
    spectra = GRID.stft(tone(220, 0.3, RATE))
    mel = librosa.feature.melspectrogram(
        S=np.abs(spectra.T) ** 2, sr=RATE, n_fft=GRID.n_fft, n_mels=40, fmin=50.0, fmax=10_000.0
    )
    log = np.log(np.maximum(mel, mel.max(axis=0) * 1e-8))
    expected = scipy.fft.dct(log, axis=0, norm="ortho")[1 : COEFFICIENTS + 1].T
    np.testing.assert_allclose(Mfcc(GRID)(spectra), expected, atol=2e-3)


@pytest.mark.parametrize("rate", [8000, 44100])
def test_the_coefficients_do_not_hear_the_loudness(rate: int) -> None:
    grid = stream_grid(rate, low_latency=True)
    spectra = grid.stft(tone(220, 0.3, rate))
    mfcc = Mfcc(grid)
    np.testing.assert_allclose(mfcc(spectra), mfcc(spectra * np.float32(0.01)), atol=1e-3)
    np.testing.assert_allclose(mfcc(np.zeros_like(spectra)), 0.0, atol=1e-4)


def noise(slope: float, seconds: float = 1.0) -> Float:
    """Noise whose spectrum falls as 1 / f^slope."""
    frames = round(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(frames))
    sound = np.fft.irfft(spectrum / np.arange(1, len(spectrum) + 1) ** slope, frames)
    return np.asarray(0.1 * sound / sound.std(), np.float32)


def test_a_take_as_a_mosaic_of_itself_is_itself() -> None:
    sound = noise(0.5, 2.0)
    target = Target(np.concatenate([np.zeros(GRID.n_fft, np.float32), sound]), GRID)
    result = converted(sound, MosaicConversion(target))[0]
    inner = slice(GRID.n_fft, len(sound) - GRID.n_fft)
    assert level_db(result[inner] - sound[inner]) - level_db(sound) < -60


def test_a_bright_sound_is_made_of_bright_frames_and_a_dull_one_of_dull_ones() -> None:
    target = Target(np.concatenate([tone(220, 1, RATE, 0.1), tone(330, 1, RATE, 2.0)]), GRID)
    for slope, pitch in ((0.0, 220), (1.5, 330)):
        result = converted(noise(slope), MosaicConversion(target))[0]
        power = np.abs(np.fft.rfft(result[4000:20000] * np.hanning(16000))) ** 2
        of_pitch = [power[round(16000 * note / RATE)] for note in (220, 330)]
        assert (of_pitch[0] > 100 * of_pitch[1]) == (pitch == 220)
        assert (of_pitch[1] > 100 * of_pitch[0]) == (pitch == 330)


def jumps(continuity: float, neighbours: int = 8) -> int:
    """How often a mosaic leaves its passage."""
    random = np.random.default_rng(0)
    noise = 0.1 * random.standard_normal(2 * RATE).astype(np.float32)
    conversion = MosaicConversion(Target(scale(), GRID), continuity=continuity, neighbours=neighbours)
    played = []
    for spectrum in GRID.stft(noise + tone(300, 2, RATE)):
        conversion.convert(spectrum[None], Controls())
        played.append(conversion._played)
    return int(np.sum(np.diff(np.array(played, int)) != 1))


def test_continuity_plays_passages_on() -> None:
    assert jumps(0.9) < jumps(0.4) < jumps(0.0)
    assert jumps(1.0) <= 3  # only at the end of a passage


def test_no_few_frames_are_played_again_and_again() -> None:
    conversion = MosaicConversion(Target(scale(), GRID), continuity=0.0)
    played = []
    for spectrum in GRID.stft(noise(0.5)):
        conversion.convert(spectrum[None], Controls())
        played.append(conversion._played)
    assert all(len(set(played[at : at + 16])) == 16 for at in range(len(played) - 16))


def test_of_the_neighbours_the_one_that_goes_on_is_taken() -> None:
    """Where many frames are alike, the choice among them keeps the waves of overlapping frames in step."""
    target = Target(tone(220, 3, RATE) + 0.02 * noise(0.0, 3.0), GRID)
    source = tone(225, 2, RATE, 1.1) + 0.02 * noise(0.5, 2.0)
    levels = []
    for neighbours in (1, 30):
        conversion = MosaicConversion(target, neighbours=neighbours, continuity=0.0)
        levels.append(level_db(converted(source, conversion, Controls(follow=0.0))[0][5000:-5000]))
    assert levels[1] > levels[0] + 2.0  # dB that do not cancel


def test_amount_silence_and_reset() -> None:
    conversion = MosaicConversion(Target(scale(), GRID))
    sound = np.stack([tone(150, 1, RATE), tone(300, 1, RATE)])
    once = converted(sound, conversion)
    conversion.reset()
    np.testing.assert_array_equal(converted(sound, conversion), once)
    conversion.reset()
    np.testing.assert_allclose(converted(sound, conversion, Controls(0.0)), sound, atol=1e-6)
    conversion.reset()
    assert not converted(np.zeros((2, RATE), np.float32), conversion, Controls(follow=0.0)).any()


@pytest.mark.parametrize("amount", [0.5, 1.0])
def test_loudness_is_carried_around_the_method(amount: float) -> None:
    source = tone(220, 2, RATE, 0.6, level=0.02)
    source[RATE:] *= 5
    target = Target(scale(), GRID)
    result = converted(source, MosaicConversion(target), Controls(amount))[0]
    for part in (slice(4000, RATE - 4000), slice(RATE + 4000, -4000)):
        assert level_db(result[part]) == pytest.approx(level_db(source[part]), abs=2.5)
    own = converted(source, MosaicConversion(target), Controls(follow=0.0))[0]
    assert level_db(own[4000:-4000]) == pytest.approx(level_db(scale()), abs=1.5)


def test_channels_keep_their_place() -> None:
    sound = np.stack([tone(150, 1, RATE), 0.1 * tone(150, 1, RATE)])
    result = converted(sound, MosaicConversion(Target(scale(), GRID)))
    assert level_db(result[0]) - level_db(result[1]) == pytest.approx(20, abs=0.2)


def test_it_opens_by_its_name(tmp_path: Path) -> None:
    path = str(tmp_path / "target.wav")
    soundfile.write(path, scale(), RATE)
    conversion = open_conversion("mosaic", path, sample_rate=48000, neighbours=3)
    assert conversion.grid == stream_grid(48000)
    for options, told in (({"neighbours": 0}, "neighbours must be from 1"), ({"continuity": 2.0}, "continuity must")):
        with pytest.raises(InputError, match=told):
            open_conversion("mosaic", path, sample_rate=48000, **options)
