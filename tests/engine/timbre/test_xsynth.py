"""X-Synth with the shipped models: pitch and loudness are the input's, the timbre is not."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from terzetto.audio.files import ArrayTake
from terzetto.errors import InputError, ModelError
from terzetto.evaluate.pitch_tracks import praat
from terzetto.models import find_model
from terzetto.timbre.conversion import Controls
from terzetto.timbre.hearing import FEATURES, Hearing
from terzetto.timbre.loudness import Loudness
from terzetto.timbre.methods import open_conversion
from terzetto.timbre.partials import Partials
from terzetto.timbre.resynthesis import Resynthesis
from terzetto.timbre.stream import ConversionStream, render
from terzetto.timbre.xsynth_model import TASK, open_timbre_model
from tests.engine.timbre.sounds import level_db, tone

Float = NDArray[np.float32]
RATE = 44_100
MODEL = "timbre_instruments"


def converted(audio: Float, to: str = "oboe", low_latency: bool = False, **controls: object) -> Float:
    audio = np.atleast_2d(audio)
    conversion = open_conversion(
        "xsynth", f"{MODEL}:{to}", sample_rate=RATE, channels=len(audio), low_latency=low_latency
    )
    blocks = render(ArrayTake(audio, RATE), conversion, Controls(**controls))  # type: ignore[arg-type]
    return np.concatenate(list(blocks), axis=1)


def pitches(audio: Float, about: Float) -> Float:
    """Pitch of each frame near what is expected there, in Hz."""
    hearing = Hearing(open_timbre_model(MODEL).grid(RATE))
    _, ear = hearing.spectra(audio)
    hop = hearing.stream.hop_length
    expected = about[np.minimum(np.arange(len(ear)) * hop, len(about) - 1)].astype(np.float32)
    return hearing.refine(hearing.autocorrelation(ear), expected, reach=300.0)


def course(kind: str) -> Float:
    time = np.arange(2 * RATE) / RATE
    if kind == "vibrato":
        return (440.0 * 2 ** (50 * np.sin(2 * np.pi * 6 * time) / 1200)).astype(np.float32)
    if kind == "glissando":
        return (165.0 * 2 ** (time / 2)).astype(np.float32)
    return np.full(len(time), {"low": 98.0, "middle": 311.1, "high": 1568.0}[kind], np.float32)


@pytest.mark.parametrize("low_latency", [False, True])
@pytest.mark.parametrize("kind", ["low", "middle", "high", "vibrato", "glissando"])
def test_the_pitch_is_the_inputs(kind: str, low_latency: bool) -> None:
    pitch = course(kind)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    audio = 0.1 * sum(np.sin(n * phase) / n for n in range(1, 10))
    result = converted(np.asarray(audio, np.float32), low_latency=low_latency)[0]
    found = pitches(result, pitch)[12:-12]
    wanted = pitches(np.asarray(audio, np.float32), pitch)[12:-12]
    cents = np.abs(1200 * np.log2(found / wanted))
    assert np.median(cents) < 5.0
    assert np.quantile(cents, 0.95) < 25.0


def test_another_instrument_has_another_spectrum_on_the_same_pitch() -> None:
    audio = tone(261.6, 1.0, RATE)
    middle = slice(RATE // 3, 2 * RATE // 3)
    spectra = []
    for instrument in ("flute", "clarinet", "oboe"):
        sound = converted(audio, instrument)[0, middle]
        magnitude = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
        place = np.round(261.6 * np.arange(1, 11) * len(sound) / RATE).astype(int)
        spectra.append([20 * np.log10(magnitude[at - 3 : at + 4].max()) for at in place])
    flute, clarinet, oboe = np.array(spectra) - np.max(spectra, axis=1, keepdims=True)
    assert clarinet[1] < -12.0  # its second partial is weak, and the input's is not
    assert np.mean(oboe[4:]) > np.mean(flute[4:]) + 5.0


def test_amount_0_is_the_input_exactly() -> None:
    audio = tone(300.0, 0.5, RATE)
    conversion = open_conversion("xsynth", MODEL, sample_rate=RATE, channels=1)
    spectra = conversion.grid.stft(audio)[:, None]
    for frame in spectra:
        assert np.array_equal(conversion.convert(frame, Controls(amount=0.0)), frame)


def test_amounts_lead_from_the_input_to_the_other_timbre() -> None:
    audio = tone(300.0, 0.6, RATE)
    ends = converted(audio, amount=1.0)[0], audio
    distance = [
        float(np.mean((converted(audio, amount=amount)[0] - ends[0])[RATE // 5 : RATE // 2] ** 2))
        for amount in (1.0, 0.99, 0.7, 0.3, 0.01)
    ]
    assert distance == sorted(distance)
    close = converted(audio, amount=1e-3)[0] - audio
    assert level_db(close[2000:-2000]) < level_db(audio) - 30


@pytest.mark.parametrize("gain", [0.02, 1.0])
def test_it_is_as_loud_as_the_input(gain: float) -> None:
    swelling = tone(220.0, 1.5, RATE) * np.linspace(0.1, 1.0, round(1.5 * RATE)).astype(np.float32) * gain
    result = converted(swelling)[0]
    loudness = Loudness(open_timbre_model(MODEL).grid(RATE))
    grid = open_timbre_model(MODEL).grid(RATE)
    was, now = (10 * np.log10(loudness.of(grid.stft(sound)[:, None])) for sound in (swelling, result))
    assert np.quantile(np.abs(was - now)[4:-4], 0.9) < 1.5


def test_an_attack_stays_sharp() -> None:
    audio = np.concatenate([np.zeros(RATE // 2, np.float32), tone(330.0, 0.5, RATE)])
    result = converted(audio, "cello")[0]
    before = result[RATE // 2 - RATE // 20 : RATE // 2 - RATE // 100]
    assert level_db(before) < level_db(result[RATE // 2 + RATE // 20 :]) - 20.0


def test_silence_stays_silence() -> None:
    assert np.abs(converted(np.zeros(RATE, np.float32))).max() < 1e-5


def test_noise_stays_unpitched() -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
    result = converted(noise)[0, RATE // 4 : -RATE // 4]
    spectrum = np.abs(np.fft.rfft(result * np.hanning(len(result)))) ** 2
    smooth = np.convolve(spectrum, np.full(200, 1 / 200), "same")
    assert (spectrum / np.maximum(smooth, 1e-12)).max() < 40.0  # no partial stands out


@pytest.mark.parametrize("instrument", ["oboe", "cello", "saxophone"])
@pytest.mark.parametrize("notes", [(262.0, 311.0, 370.0), (196.0, 247.0, 294.0), (330.0, 440.0)])
def test_chords_keep_their_notes(instrument: str, notes: tuple[float, ...]) -> None:
    chord = sum(tone(each, 1.0, RATE) for each in notes) / len(notes)
    result = converted(np.asarray(chord, np.float32), instrument)[0, RATE // 4 : -RATE // 4]
    spectrum = np.abs(np.fft.rfft(result * np.hanning(len(result))))
    for note in notes:
        places = [round(number * note * len(result) / RATE) for number in (1, 2, 3)]
        loudest = max(spectrum[place - 3 : place + 4].max() for place in places)
        assert 20 * np.log10(loudest / spectrum.max()) > -9.0


@pytest.mark.parametrize("low_latency", [False, True])
def test_noise_that_the_network_takes_for_a_tone_stays_noise(low_latency: bool) -> None:
    # In noise of about an octave the network is sure of a pitch; nothing repeats there, though.
    white = np.fft.rfft(np.random.default_rng(0).standard_normal(2 * RATE))
    octaves = np.log2(np.maximum(np.fft.rfftfreq(2 * RATE, 1 / RATE), 1.0) / 1000)
    noise = np.fft.irfft(white * np.exp(-0.5 * (octaves / 0.5) ** 2))
    noise *= 0.1 / noise.std()
    result = converted(noise.astype(np.float32), "saxophone", low_latency)[0, RATE // 4 : -RATE // 4]
    assert np.isfinite(praat(result, RATE).f0).mean() < 0.1
    assert level_db(result) == pytest.approx(level_db(noise), abs=6.0)


def test_a_pitch_heard_an_octave_too_low_is_played_right() -> None:
    model = open_timbre_model(MODEL)
    grid = model.grid(RATE)
    hearing = Hearing(grid)
    stream, ear = hearing.spectra(tone(800.0, 0.3, RATE))
    heard = hearing.hear(ear, hearing.autocorrelation(ear), hearing.level(stream))
    wanted = [model.next(each, model.share("oboe")) for each in heard][-10]
    made = Resynthesis(grid, hearing.loudness).frame(stream[-10], wanted, 400.0, 1.0, -20.0, 1.0)
    partials = Partials(grid)
    odd, even = (np.abs(partials.read(made, partials.at(np.arange(first, 9, 2) * 400.0))) for first in (1, 2))
    assert 20 * np.log10(odd.max() / even.max()) < -30.0


def test_stereo_keeps_the_sides_loudness() -> None:
    audio = tone(300.0, 0.5, RATE)
    left, right = converted(np.stack([audio, 0.1 * audio]))
    assert level_db(left) - level_db(right) == pytest.approx(20.0, abs=0.5)
    opposite = converted(np.stack([audio, -audio]))
    assert level_db(opposite[0]) == pytest.approx(level_db(audio), abs=4.0)


def test_the_pad_leads_from_one_instrument_to_another() -> None:
    model = open_timbre_model(MODEL)
    for name, (x, y) in zip(model.instruments, model.pad, strict=True):
        assert np.allclose(model.shares(x, y), model.share(name), atol=1e-4)
    between = model.shares(*model.pad[:2].mean(axis=0))
    assert between.sum() == pytest.approx(1.0) and between[0] == pytest.approx(between[1], rel=1e-3)
    oboe = tuple(model.pad[model.instruments.index("oboe")])
    audio = tone(300.0, 0.4, RATE)
    assert np.allclose(converted(audio, "flute", pad=oboe), converted(audio, "oboe"), atol=1e-4)


def test_a_stream_is_the_same_however_it_is_cut() -> None:
    audio = tone(300.0, 0.5, RATE)[None]
    results = []
    for cuts in ([len(audio[0])], [100, 7000, 7001, 12_345]):
        stream = ConversionStream(open_conversion("xsynth", MODEL, sample_rate=RATE, channels=1), 1)
        parts = np.split(audio, cuts, axis=1)
        places = [0, *cuts]
        results.append(
            np.concatenate([stream.process(part, at) for part, at in zip(parts, places, strict=True)], axis=1)
        )
    assert np.array_equal(results[0], results[1])


@pytest.mark.parametrize("low_latency", [False, True])
def test_what_no_sound_can_be_leaves_no_trace(low_latency: bool) -> None:
    """An effect before it that runs away, for a block: finite values whose squares are not."""
    audio = np.tile(tone(300.0, 1.0, RATE), (2, 1))
    runaway = audio.copy()
    runaway[:, 8000:8512] = 1e25
    runaway[0, 8600] = np.nan
    played = []
    for sound in (audio, runaway):
        conversion = open_conversion("xsynth", MODEL, sample_rate=RATE, low_latency=low_latency)
        stream = ConversionStream(conversion, 2)
        played.append(
            np.concatenate([stream.process(sound[:, at : at + 512], at) for at in range(0, RATE, 512)], axis=1)
        )
    assert np.isfinite(played[1]).all()
    later = slice(30_000, None)
    assert abs(level_db(played[1][0, later]) - level_db(played[0][0, later])) < 1.0


def test_frame_by_frame_the_network_says_the_same_as_at_once() -> None:
    model = find_model(TASK, MODEL, threads=1)
    hearing = Hearing(open_timbre_model(MODEL).grid(RATE))
    stream, ear = hearing.spectra(tone(300.0, 0.5, RATE))
    features = hearing.hear(ear, hearing.autocorrelation(ear), hearing.level(stream))
    streaming = open_timbre_model(MODEL)
    share = streaming.share("cello")
    states = {
        each.name: each.shape[1] for each in model.session.get_inputs() if each.name not in ("features", "timbre")
    }
    feed = {
        "features": features.reshape(1, -1, FEATURES),
        "timbre": np.broadcast_to(share, (1, len(features), len(share))).copy(),
        **{name: np.zeros((1, size), np.float32) for name, size in states.items()},
    }
    names = [each.name for each in model.session.get_outputs()]
    at_once = dict(zip(names, model.session.run(None, feed), strict=True))
    for frame, heard in enumerate(features):
        wanted = streaming.next(heard, share)
        for name in ("partials", "noise", "bands"):
            expected = at_once[name][0, frame]
            assert np.abs(getattr(wanted, name) - expected).max() <= 1e-5 * np.abs(at_once[name]).max()


def test_an_instrument_that_a_model_has_not_is_told() -> None:
    with pytest.raises(InputError, match="no instrument 'kazoo'; it has: bassoon, cello"):
        open_conversion("xsynth", f"{MODEL}:kazoo", sample_rate=RATE)


def test_a_model_of_another_task_is_refused_by_name() -> None:
    with pytest.raises(ModelError, match="a model for 'hand-labels'; needed is one for 'timbre'"):
        open_conversion("xsynth", "hand_labels", sample_rate=RATE)


def test_a_model_without_a_sibling_has_no_low_latency(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    shutil.copy(find_model(TASK, MODEL).path, path)
    with pytest.raises(ModelError, match=r"has no sibling .*mine_low.onnx for low latency"):
        open_timbre_model(str(path), low_latency=True)
