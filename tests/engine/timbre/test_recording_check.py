"""What is wrong with a recording that a timbre is to be learned from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from terzetto.audio.files import ArrayTake, FileTake
from terzetto.timbre.recording_check import RecordingCheck, check_recording, faults

RATE = 22050
Float = NDArray[np.float32]


def reed(pitch: float, seconds: float, sample_rate: int = RATE) -> Float:
    """A held tone with a vibrato and a little breath."""
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    phase = 2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * (time + 2e-5 * np.sin(2 * np.pi * 5 * time))
    sound = sum(np.sin(number * phase) / number for number in range(1, 12))
    breath = np.random.default_rng(round(pitch)).standard_normal(time.size)
    return (0.1 * (sound + 0.01 * breath) * np.sin(np.pi * time / seconds) ** 0.3).astype(np.float32)


def melody(*chords: tuple[float, ...], sample_rate: int = RATE) -> Float:
    return np.concatenate([sum(reed(pitch, 0.6, sample_rate) for pitch in chord) for chord in chords])


SINGLE = [(pitch,) for pitch in (48, 52, 55, 60, 62, 64, 57, 67, 72, 59)]
CHORDS = [(pitch, pitch + 4, pitch + 7) for (pitch,) in SINGLE]


def checked(sound: Float, sample_rate: float = RATE) -> RecordingCheck:
    return check_recording(ArrayTake(sound, sample_rate), "my sax.wav")


def test_a_good_recording_is_told_nothing_about() -> None:
    check = checked(np.tile(melody(*SINGLE), 6))
    assert check.seconds == pytest.approx(36.0) and check.sounding > 30 and not check.silent
    assert check.clipped == 0.0 and check.polyphonic < 0.1
    assert faults([check]) == []


def test_chords_are_heard() -> None:
    assert checked(melody(*SINGLE)).polyphonic < 0.1
    check = checked(np.tile(melody(*CHORDS), 6))
    assert check.polyphonic > 0.9
    (fault,) = faults([check])
    assert fault.startswith("my sax.wav: more than one note at a time in ") and "record single notes" in fault
    fifths = [(pitch, pitch + 7) for (pitch,) in SINGLE]
    assert checked(melody(*fifths)).polyphonic > 0.5


@pytest.mark.parametrize("sample_rate", [22050, 44100, 96000])
@pytest.mark.parametrize("bits", [16, 32])
def test_clipping_is_heard_and_loud_is_not(sample_rate: int, bits: int) -> None:
    sound = melody(*SINGLE[:4], sample_rate=sample_rate)
    loud = sound / np.abs(sound).max()
    clipped = np.clip(1.5 * loud, -1, 1)
    if bits == 16:
        loud, clipped = (np.round(32767 * each).astype(np.float32) / 32768 for each in (loud, clipped))
    assert checked(loud, sample_rate).clipped == 0.0
    assert checked(clipped, sample_rate).clipped > 20
    both = np.stack([loud, clipped])
    assert checked(both, sample_rate).clipped > 20  # one side is enough
    # Turned down afterwards, it still is clipped.
    assert any("clips" in fault for fault in faults([checked(0.3 * clipped, sample_rate)]))
    # A full-scale sine has broad tops.
    sine = np.sin(2 * np.pi * 55 * np.arange(sample_rate) / sample_rate)
    assert checked(np.round(32767 * sine) / 32768, sample_rate).clipped == 0.0


def test_length_is_of_what_sounds() -> None:
    sound = melody(*SINGLE[:5])
    check = checked(np.concatenate([sound, np.zeros(60 * RATE, np.float32)]))
    assert check.seconds == pytest.approx(63.0, abs=0.1) and check.sounding == pytest.approx(3.0, abs=0.5)
    (fault,) = faults([check])
    assert fault.startswith("3 s of sound to learn from; 30 to 120 s are meant: expect ")
    # Of several, what they have together counts.
    assert faults([check] * 11) == []


@pytest.mark.parametrize("level", [0.0, 1e-5])
def test_silence(level: float) -> None:
    check = checked((level * np.random.default_rng(0).standard_normal(RATE)).astype(np.float32))
    assert check.silent and faults([check]) == ["my sax.wav: is silent, and is left out"]


def test_a_click_is_no_recording() -> None:
    check = checked(np.ones(3, np.float32))
    assert check.silent or check.sounding < 0.01


@pytest.mark.data
def test_real_phrases_are_one_voice_and_a_piano_is_not(data: Path) -> None:
    phrases = data / "instruments" / "sms_tools"
    for name in ("cello-phrase", "sax-phrase", "flute-A4", "violin-B3", "trumpet-A4"):
        with FileTake(phrases / f"{name}.wav") as take:
            assert faults([check_recording(take, name)], enough=0) == []
    pianos = sorted((data / "instruments" / "medley_solos").glob("*training-4_*"))
    checks = []
    for path in pianos:
        with FileTake(path) as take:
            checks.append(check_recording(take, path.name))
    assert np.mean([check.polyphonic for check in checks]) > 0.5
