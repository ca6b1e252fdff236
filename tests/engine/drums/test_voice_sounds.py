from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from terzetto.drums.kit import SOUNDS, Kit
from terzetto.drums.kit_file import shipped_kit
from terzetto.drums.sound_sources import Morph, OneShot, Point, Sample, Source
from terzetto.drums.source_audio import LOUDNESS, loudness, source_audio, source_latent
from terzetto.drums.voice_sounds import kit_sounds, voice_sounds
from terzetto.errors import InputError
from tests.engine.drums.sound_space import Tones

RATE = 48000
SNARE = SOUNDS.index("snare")
Float = NDArray[np.float32]
TONES = Tones()


def opened(name: str) -> Tones:
    assert name in ("", "mine")
    return TONES


def snare(source: Source, rate: float = RATE, channels: int = 1, **settings: float) -> Float:
    """The snare of a kit at full scale that has nothing set but what is given."""
    kit = Kit(shipped_kit().voices, gain_db=0.0)
    plain = {"gain_db": 0.0, "pan": 0.0, "velocity_tone": 0.0}
    return voice_sounds(
        kit.with_voice("snare", source=source, **{**plain, **settings}), "snare", rate, channels, opened
    )[SNARE].audio


def loudest(audio: Float, rate: float = RATE) -> float:
    """The frequency that is loudest, in Hz."""
    magnitude = np.abs(np.fft.rfft(audio.mean(axis=0), 1 << 17))
    return float(magnitude.argmax() * rate / (1 << 17))


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    """Half a second of 1 kHz in the left side and 2 kHz, half as loud, in the right, at 32 kHz."""
    time = np.arange(16000) / 32000
    sides = np.stack([np.sin(2000 * np.pi * time), 0.5 * np.sin(4000 * np.pi * time)], axis=1)
    soundfile.write(tmp_path / "tone.wav", 0.2 * sides, 32000, subtype="FLOAT")
    return tmp_path / "tone.wav"


@pytest.mark.parametrize(("rate", "channels"), [(44100, 1), (48000, 2), (96000, 2)])
def test_every_sound_of_the_shipped_kit_is_heard_and_ends_in_silence(rate: int, channels: int) -> None:
    sounds = kit_sounds(shipped_kit(), rate, channels)
    assert len(sounds) == len(SOUNDS)
    for sound in sounds:
        assert sound.audio.dtype == np.float32 and sound.audio.shape[0] == channels
        assert 0.05 * rate < sound.frames < 2.2 * rate
        assert 0.01 < np.abs(sound.audio).max() < 1.0 and not sound.audio[:, -1].any()
        assert sound.air is not None and sound.air.shape == sound.audio.shape
    again = kit_sounds(shipped_kit(), rate, channels)
    assert all(np.array_equal(one.audio, two.audio) for one, two in zip(sounds, again, strict=True))


def test_a_sample_comes_at_the_streams_rate_and_keeps_its_sides(tone: Path) -> None:
    heard = snare(Sample(tone), channels=2)
    assert heard.shape == (2, 24000)
    assert loudest(heard[:1]) == pytest.approx(1000, abs=1) and loudest(heard[1:]) == pytest.approx(2000, abs=1)
    left, right = np.abs(heard).max(axis=1)
    assert right == pytest.approx(left / 2, rel=0.01), "the right side stays half as loud"
    assert np.abs(snare(Sample(tone))).max() == pytest.approx(0.65 * left, rel=0.02), "mono: the sides' mean"


def test_every_source_is_as_loud_as_every_other(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).standard_normal(4410) * np.exp(-np.arange(4410) / 500)
    for name, audio in (("quiet", 0.01 * noise), ("sides", np.stack([noise, noise], axis=1) / 8)):
        soundfile.write(tmp_path / f"{name}.wav", audio, 44100, subtype="FLOAT")
    samples = [Sample(tmp_path / f"{name}.wav") for name in ("quiet", "sides")]
    for source in (*samples, OneShot("kick"), OneShot("cymbal"), Point(seed=2), Morph(*samples, 0.5, "mix")):
        audio, rate = source_audio(source, "snare", opened)
        assert loudness(audio, rate) == pytest.approx(LOUDNESS, abs=1e-3)
    click = np.zeros(4410)
    click[0] = 0.1
    soundfile.write(tmp_path / "click.wav", click, 44100, subtype="FLOAT")
    assert np.abs(source_audio(Sample(tmp_path / "click.wav"), "snare")[0]).max() == pytest.approx(2.0)
    # A tone of 997 Hz at full scale is -3.01 LUFS in one channel.
    tone = np.sin(2 * np.pi * 997 * np.arange(44100) / 44100)[None].astype(np.float32)
    assert loudness(tone, 44100) == pytest.approx(-3.01, abs=0.1)


def test_an_impulse_stays_at_its_frame_whatever_the_rate(tmp_path: Path) -> None:
    click = np.zeros(4410)
    click[441] = 1.0
    soundfile.write(tmp_path / "click.wav", click, 44100)
    for rate in (44100, 48000, 96000, 22050):
        heard = snare(Sample(tmp_path / "click.wav"), rate)[0]
        assert int(np.abs(heard).argmax()) == rate // 100 and len(heard) == rate // 10


def test_tuning_decay_gain_and_pan(tone: Path) -> None:
    heard = snare(Sample(tone), tune=12.0)
    assert heard.shape[1] == 12000 and loudest(heard) == pytest.approx(2000, abs=3)
    as_it_is, damped = snare(Sample(tone)), snare(Sample(tone), decay=0.3)
    later = slice(14300, 14500)  # 0.3 s in
    assert np.abs(damped[:, later]).max() == pytest.approx(0.001 * np.abs(as_it_is[:, later]).max(), rel=0.05)
    assert np.allclose(snare(Sample(tone), gain_db=-6.0), 10 ** (-6 / 20) * as_it_is, atol=1e-6)
    left, right = snare(OneShot("snare"), channels=2, pan=-0.5)
    middle = snare(OneShot("snare"), channels=2)
    assert (
        np.allclose(left**2 + right**2, (middle**2).sum(axis=0), atol=1e-6) and np.abs(left).max() > np.abs(right).max()
    )
    assert not snare(OneShot("snare"), channels=2, pan=1.0)[0].round(6).any()


def test_toms_are_one_voice_at_three_tunings(tone: Path) -> None:
    kit = shipped_kit().with_voice("tom", source=Sample(tone))
    found = {SOUNDS[index]: loudest(sound.audio) for index, sound in voice_sounds(kit, "tom", RATE, 1).items()}
    assert found == {"low tom": pytest.approx(749, abs=3), "mid tom": pytest.approx(1000, abs=3),
                     "high tom": pytest.approx(1335, abs=3)}  # fmt: skip


def test_what_goes_from_soft_hits_lies_above_the_centroid(tmp_path: Path) -> None:
    time = np.arange(RATE) / RATE
    soundfile.write(
        tmp_path / "two.wav", np.sin(400 * np.pi * time) + np.sin(16000 * np.pi * time), RATE, subtype="FLOAT"
    )
    kit = shipped_kit().with_voice("snare", source=Sample(tmp_path / "two.wav"), velocity_tone=20.0)
    sound = voice_sounds(kit, "snare", RATE, 1)[SNARE]
    assert sound.air is not None
    before, after = (np.abs(np.fft.rfft(each[0])) for each in (sound.audio, sound.audio - sound.air))
    kept = after / before
    assert kept[200] > 0.99 and kept[8000] < 0.65


def test_points_are_what_the_model_makes_of_them(tone: Path) -> None:
    for source, hertz in (
        (Point(pad=(0.5, 0.5)), 700), (Point(latent=(0.9, 0.2)), 900), (Point(seed=3), 500),
        (Point(latent=(0.9, 0.2), model="mine"), 900), (Point(encoded=tone), 1000),
        (Morph(Point(pad=(0.0, 0.0)), Point(seed=4), 0.5), 400), (Morph(Sample(tone), Point(seed=4), 0.25), 900),
    ):  # fmt: skip
        heard = snare(source)
        assert loudest(heard) == pytest.approx(hertz, abs=15), source
    # Partials tell the class: the snare is CLASSES' first, a pure tone.
    magnitude = np.abs(np.fft.rfft(snare(Point(latent=(1.0, 0.5), sound_class="kick"))[0], RATE))
    assert magnitude[2000] == pytest.approx(magnitude[1000] / 2, rel=0.01)
    assert source_latent(Morph(Point(latent=(1, 1)), Point(latent=(2, 2)), 0.25), "snare", opened).tolist() == [
        1.25,
        1.25,
    ]


def test_a_mix_fades_one_sound_over_to_the_other(tone: Path) -> None:
    ends = Sample(tone), Point(latent=(3.0, 0.25))
    first, second = (snare(end) for end in ends)
    for amount, end in ((0.0, first), (1.0, second)):
        mixed = snare(Morph(*ends, amount, "mix"))[:, : end.shape[1] - 200]
        scale = np.abs(end).max() / np.abs(mixed).max()
        assert np.corrcoef(mixed[0], end[0, : mixed.shape[1]])[0, 1] > 0.98 and 0.6 < scale < 1.7
    between = np.abs(np.fft.rfft(snare(Morph(*ends, 0.5, "mix"))[0], RATE))
    assert min(between[1000], between[3000]) > 0.2 * between.max()


def test_what_cannot_be_used_names_its_voice_and_file(tmp_path: Path) -> None:
    def write(name: str, audio: NDArray[np.float64], rate: int = 44100) -> Sample:
        soundfile.write(tmp_path / name, audio, rate, subtype="FLOAT")
        return Sample(tmp_path / name)

    (tmp_path / "text.wav").write_text("no sound at all")
    for source, message in (
        (write("silent.wav", np.full(1000, 1e-5)), "silent.wav: the sample is silent"),
        (write("empty.wav", np.zeros(0)), "empty.wav: has no samples"),
        (write("three.wav", np.ones((100, 3))), "three.wav: has 3 channels"),
        (write("nan.wav", np.full(100, np.nan)), "nan.wav: sample 0 .* is not a finite number"),
        (write("long.wav", np.ones(31 * 4000), 4000), "long.wav: 31.0 s; a sample has at most 30 s"),
        (Sample(tmp_path / "none.wav"), "none.wav: no such file"),
        (Sample(tmp_path / "text.wav"), "text.wav"),
        (Point(latent=(1.0,)), "points have 2 numbers; given 1"),
        (Morph(Point(seed=1, model="mine"), Point(seed=1, model="other")), "given mine and other"),
        (Morph(Point(seed=1), Point(seed=1, model="mine")), "given drum_sounds and mine: take one"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=f"voice snare: .*{message}"):
            snare(source)


@pytest.mark.filterwarnings("error")
def test_what_is_silent_once_it_is_played_stays_silent(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "one.wav", np.array([0.5]), RATE, subtype="FLOAT")
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 4800)
    soundfile.write(tmp_path / "sides.wav", np.stack([noise, -noise], axis=1), RATE, subtype="FLOAT")
    for name in ("one.wav", "sides.wav"):
        kit = shipped_kit().with_voice("snare", source=Sample(tmp_path / name), velocity_tone=12.0)
        sound = voice_sounds(kit, "snare", RATE, 1)[SNARE]
        assert sound.air is not None and not sound.audio.any() and not sound.air.any()


def test_what_is_too_short_for_its_tune_or_cancels_out_is_named(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "one.wav", np.full(1, 0.5), RATE, subtype="FLOAT")
    with pytest.raises(InputError, match=r"^voice snare: .* too short to be played \+36 semitones higher"):
        snare(Sample(tmp_path / "one.wav"), tune=36.0, velocity_tone=12.0)
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 4800)
    soundfile.write(tmp_path / "sides.wav", np.stack([noise, -noise], axis=1), RATE, subtype="FLOAT")
    with pytest.raises(InputError, match=r"^voice snare: .*sides\.wav: its sides cancel each other out in mono"):
        snare(Point(encoded=tmp_path / "sides.wav"))
