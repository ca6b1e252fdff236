"""Recordings in files and arrays: what can be read, and one clear error for what cannot."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from pedalboard.io import AudioFile

from terzetto.audio.chunks import read_chunks
from terzetto.audio.files import ArrayTake, FileTake, blocks, read_audio
from terzetto.audio.formats import SampleFormat
from terzetto.audio.writers import open_writer
from terzetto.errors import InputError

Float = NDArray[np.float32]


def noise(channels: int, frames: int, seed: int = 0) -> Float:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (channels, frames)).astype(np.float32)


def write(path: Path, audio: Float, sample_rate: int = 22050, subtype: str | None = None) -> Path:
    soundfile.write(str(path), audio.T, sample_rate, subtype=subtype)
    return path


@pytest.mark.parametrize("sample_rate", [4000, 8000, 11025, 44100, 96000, 192_000, 384_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_any_sample_rate_mono_and_stereo(tmp_path: Path, sample_rate: int, channels: int) -> None:
    audio = noise(channels, 1000)
    path = write(tmp_path / "a.wav", audio, sample_rate, "FLOAT")
    read, rate = read_audio(path)
    assert rate == sample_rate and read.dtype == np.float32
    np.testing.assert_array_equal(read, audio)


@pytest.mark.parametrize(
    ("name", "subtype", "exact"),
    [
        ("a.wav", "PCM_16", 1e-4), ("a.wav", "PCM_24", 1e-6), ("a.wav", "DOUBLE", 1e-7), ("a.flac", "PCM_24", 1e-6),
        ("a.aiff", "PCM_16", 1e-4), ("a.ogg", None, 0.5), ("a.mp3", None, 0.5),
    ],
)  # fmt: skip
def test_formats(tmp_path: Path, name: str, subtype: str | None, exact: float) -> None:
    audio = np.sin(np.arange(44100) * 0.05, dtype=np.float32)[None] * np.float32(0.5)
    read, _ = read_audio(write(tmp_path / name, audio, 44100, subtype))
    if name == "a.mp3":  # padded by the encoder
        assert read.shape[1] >= 44100 and 0.3 < np.abs(read).max() < 0.7
    else:
        assert read.shape == audio.shape and np.abs(read - audio).max() < exact


def test_reading_reaches_over_the_ends_as_silence(tmp_path: Path) -> None:
    audio = noise(2, 100)
    with FileTake(write(tmp_path / "a.wav", audio, subtype="FLOAT")) as file:
        for take in (file, ArrayTake(audio, 22050)):
            np.testing.assert_array_equal(take.read(-5, 110), np.pad(audio, ((0, 0), (5, 10))))
            np.testing.assert_array_equal(take.read(95, 96), audio[:, 95:96])
            assert not take.read(100, 103).any() and not take.read(-8, -2).any() and take.read(7, 7).shape == (2, 0)
            np.testing.assert_array_equal(np.concatenate(list(blocks(take, 33)), axis=1), audio)


def test_a_name_in_any_script_or_none(tmp_path: Path) -> None:
    audio = noise(1, 50)
    for name in ("Prélude ♭ 前奏曲 🎹.wav", "with 'quotes' {and} braces.wav", os.fsdecode(b"not unicode \xff.wav")):
        source = write(tmp_path / "source.wav", audio, subtype="FLOAT")
        source.rename(tmp_path / name)
        np.testing.assert_array_equal(read_audio(tmp_path / name)[0], audio)


def test_what_is_no_audio_file(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("this is a shopping list " * 50)
    (tmp_path / "header.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVE")
    (tmp_path / "folder.wav").mkdir()
    for path, message in (
        (tmp_path / "missing.wav", "no such file"),
        (tmp_path / "empty.wav" / "a.wav", "no such file"),
        (tmp_path / ("long" * 100 + ".wav"), "cannot be read"),
        (tmp_path / "empty.wav", "is empty"),
        (tmp_path / "folder.wav", "is a folder"),
        (tmp_path / "text.wav", "not an audio file"),
        (tmp_path / "header.wav", "not an audio file|no samples"),
        (write(tmp_path / "nothing.wav", noise(1, 0)), "no samples"),
        (write(tmp_path / "three.wav", noise(3, 100)), "3 channels; mono and stereo"),
        (write(tmp_path / "slow.wav", noise(1, 100), 3999), "sample rate of 3999"),
        (write(tmp_path / "fast.wav", noise(1, 100), 384_001), "sample rate of 384001"),
    ):
        with pytest.raises(InputError, match=message) as caught:
            read_audio(path)
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("keep", [0.97, 0.5, 0.1])
@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.aiff", "a.mp3", "tagged.mp3", "pedalboard.mp3"])
def test_a_file_cut_short(tmp_path: Path, name: str, keep: float, capfd: pytest.CaptureFixture[str]) -> None:
    audio = noise(2, 100_000)
    path = tmp_path / name
    if name == "pedalboard.mp3":
        with AudioFile(str(path), "w", 44100, 2) as file:
            file.write(audio)
    else:
        write(path, audio, 44100)
    content = path.read_bytes()
    if name == "tagged.mp3":  # 300 bytes of ID3 tag before the sound
        content = b"ID3\x04\x00\x00" + bytes((0, 0, 2, 44)) + bytes(300) + content
        path.write_bytes(content)
    read_audio(path)
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(InputError, match=r"cut short|not an audio file"):
        read_audio(path)
    assert capfd.readouterr() == ("", "")  # decoders like to remark on standard error


@pytest.mark.parametrize("bad", [[np.nan], [np.inf], [-np.inf], [np.inf, -np.inf], [1e30]])
def test_samples_that_are_no_sound_are_found_where_they_are(tmp_path: Path, bad: list[float]) -> None:
    audio = noise(2, 300_000)
    audio[1, 280_000 : 280_000 + len(bad)] = bad
    message = r"sample 280000 \(12\.698 s\)"
    with pytest.raises(InputError, match=message):
        ArrayTake(audio, 22050)
    with FileTake(write(tmp_path / "a.wav", audio, subtype="FLOAT")) as take:
        take.read(0, 280_000)
        with pytest.raises(InputError, match=message):
            list(blocks(take))


@pytest.mark.parametrize(
    ("audio", "sample_rate", "message"),
    [
        (np.zeros((1000, 2)), 44100, r"audio\.T"),
        (np.zeros((3, 100)), 44100, "3 channels"),
        (np.zeros((2, 2, 100)), 44100, "channels, frames"),
        (np.zeros(0), 44100, "no samples"),
        (np.zeros(100, np.int16), 44100, "floating point"),
        (np.zeros(100, complex), 44100, "of numbers"),
        (["a", "b"], 44100, "of numbers"),
        (np.zeros(100), 100, "sample rate"),
        (np.zeros(100), np.nan, "sample rate"),
    ],
)
def test_arrays_that_are_no_recording(audio: object, sample_rate: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ArrayTake(audio, sample_rate)  # type: ignore[arg-type]


@pytest.mark.parametrize("channels", [3, 6, 8])
@pytest.mark.parametrize("form", ["WAV", "WAVEX", "RF64", "W64", "AIFF", "FLAC"])
def test_surround_where_it_is_asked_for(tmp_path: Path, form: str, channels: int) -> None:
    audio, path = noise(channels, 5000), tmp_path / "a"
    soundfile.write(path, audio.T, 48000, "PCM_24", format=form)
    with FileTake(path, most_channels=8) as take:
        assert (take.channels, take.frames, take.codec) == (channels, 5000, "PCM_24")
        assert np.abs(take.read(0, 5000) - audio).max() < 1e-6
        assert take.sample_format is not None and take.sample_format.bit_depth == 24
    with pytest.raises(InputError, match=f"{channels} channels; mono and stereo"):
        FileTake(path)
    if channels == 8:
        with pytest.raises(InputError, match="8 channels; at most 6"):
            FileTake(path, most_channels=6)


@pytest.mark.parametrize("container", ["rf64", "w64"])
def test_a_day_of_surround_in_constant_memory(tmp_path: Path, container: str) -> None:
    frames, channels = 24 * 3600 * 96_000, 6  # 149 GB, a hole but for the last frames
    path, audio = tmp_path / "day", noise(channels, 4800)
    writer = open_writer(path, SampleFormat(container, 24), 96_000, channels)
    writer.write(audio)
    writer.close()
    sound = read_chunks(path).sound  # type: ignore[union-attr]
    assert sound is not None
    size = frames * channels * 3
    with path.open("r+b") as file:
        file.seek(sound.start)
        end = file.read(sound.size)
        file.seek(sound.start)
        file.write(bytes(sound.size))
        file.seek(28 if container == "rf64" else sound.start - 8)
        file.write((size if container == "rf64" else size + 24).to_bytes(8, "little"))
        file.seek(sound.start + size - sound.size)
        file.write(end)
    tracemalloc.start()
    try:
        with FileTake(path, most_channels=8) as take:
            assert take.frames == frames > 2**32
            assert not take.read(0, 100_000).any() and not take.read(2**32 - 50, 2**32 + 50).any()
            assert np.abs(take.read(frames - 4800, frames) - audio).max() < 1e-6
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()
    with path.open("r+b") as file:
        file.truncate(sound.start + size - 18)
    with pytest.raises(InputError, match="cut short"):
        FileTake(path, most_channels=8)


def test_a_recorder_that_never_came_back(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", noise(1, 1000), subtype="PCM_16")
    whole = path.read_bytes()
    path.write_bytes(whole[:40] + bytes(4) + whole[44:])  # the length of the sound was not filled in
    with pytest.raises(InputError, match="cut short: its header promises more"):
        FileTake(path)
    path.write_bytes(whole[:40] + b"\xff" * 4 + whole[44:])  # nor could it be: a pipe
    with FileTake(path) as take:
        assert take.frames == 1000
