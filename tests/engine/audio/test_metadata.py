"""What a file says beside its sound, and its samples: through a copy in every format, and past every kind of damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from terzetto.audio import metadata as module
from terzetto.audio import writers
from terzetto.audio.chunks import content, read_chunks
from terzetto.audio.files import FileTake, blocks
from terzetto.audio.formats import SampleFormat
from terzetto.audio.metadata import Metadata, read_metadata
from terzetto.audio.stems import StemFiles
from terzetto.errors import InputError
from tests.engine.audio.wave_bytes import AFTER, BEFORE, Wave, bext, chunk, cue, labels, steps

KEPT = [(b"bext", bext()[:412] + b"\xff\x7f" * 5 + bext()[422:]), BEFORE[1]]


def copy(source: Path, target: Path, sample_format: SampleFormat | None = None) -> Metadata:
    """Write a file again, in its own format or another."""
    with FileTake(source, most_channels=8, empty=True) as take:
        chosen = sample_format or take.sample_format
        assert chosen is not None
        told = read_metadata(source)
        with StemFiles({"a": target}, take.sample_rate, take.channels, chosen, mask=take.mask, metadata=told) as files:
            for block in blocks(take, 7777):
                files.write("a", block)
            files.commit()
    return told.fitting(chosen.container)


def entries(path: Path) -> list[tuple[bytes, bytes]]:
    """All chunks of a file that say anything about more than samples."""
    found = read_chunks(path)
    assert found is not None and not found.cut and not found.missing
    return [
        (each.name, content(path, each, each.size))
        for each in found.chunks
        if each.name not in (b"JUNK", b"fmt ", b"fact", b"ds64", b"data", b"COMM", b"SSND")
    ]


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
@pytest.mark.parametrize("channels", [1, 2, 6, 8])
def test_a_wave_comes_back_to_the_bit(tmp_path: Path, bits: int, channels: int) -> None:
    values = steps(30_001, channels, bits)
    mask = {6: 0x60F, 8: 0x63F}.get(channels)
    if bits == 32:  # what passes has the 24 bits of float32
        values &= ~0x1FF
    stored = values + 128 if bits == 8 else values
    (tmp_path / "a.wav").write_bytes(Wave(stored, 48000, bits, mask).riff())
    copy(tmp_path / "a.wav", tmp_path / "b.wav")
    first, second = (soundfile.read(tmp_path / name, dtype="int32", always_2d=True)[0] for name in ("a.wav", "b.wav"))
    assert np.array_equal(first, second)
    assert soundfile.info(tmp_path / "b.wav").subtype == soundfile.info(tmp_path / "a.wav").subtype
    with FileTake(tmp_path / "b.wav", most_channels=8) as take:
        assert take.mask == mask
    assert entries(tmp_path / "b.wav") == KEPT + AFTER
    sound = read_chunks(tmp_path / "b.wav")
    assert sound is not None
    names = [each.name for each in sound.chunks]
    assert names.index(b"bext") < names.index(b"data") < names.index(b"cue ")


@pytest.mark.parametrize(
    ("container", "subtype", "exact"),
    [
        ("RF64", "PCM_16", True), ("RF64", "FLOAT", True), ("W64", "PCM_24", True), ("W64", "DOUBLE", False),
        ("AIFF", "PCM_S8", True), ("AIFF", "PCM_16", True), ("AIFF", "PCM_24", True), ("AIFF", "FLOAT", True),
        ("FLAC", "PCM_16", True), ("FLAC", "PCM_24", True), ("WAVEX", "FLOAT", True), ("WAV", "DOUBLE", False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_every_format_is_kept(tmp_path: Path, container: str, subtype: str, exact: bool, channels: int) -> None:
    sound = np.random.default_rng(0).uniform(-1, 1, (20_001, channels)).astype(np.float32)
    source = tmp_path / f"a.{'wav' if container in ('RF64', 'WAVEX') else container.lower()}"
    soundfile.write(source, sound, 44100, subtype, format=container)
    target = tmp_path / f"b{source.suffix}"
    copy(source, target)
    before, after = soundfile.info(source), soundfile.info(target)
    for name in ("subtype", "frames", "channels", "samplerate"):
        assert getattr(after, name) == getattr(before, name)
    assert after.format == ("WAVEX" if container == "WAV" and channels > 2 else before.format)
    first, second = (soundfile.read(path, dtype="float64")[0] for path in (source, target))
    assert np.array_equal(first, second) if exact else np.allclose(first, second, atol=1e-7)


@pytest.mark.parametrize("container", ["wav", "rf64", "w64"])
def test_chunks_survive_in_the_whole_family(tmp_path: Path, container: str) -> None:
    (tmp_path / "a.wav").write_bytes(Wave(steps(1001, 2, 24), mask=0x3).riff())
    told = copy(tmp_path / "a.wav", tmp_path / "b", SampleFormat(container, 24, False, "x"))
    assert not told.left_out
    copy(tmp_path / "b", tmp_path / "c.wav", SampleFormat("wav", 24))
    found = [(b"LIST" if name == b"list" else name, data) for name, data in entries(tmp_path / "b")]
    for kept in (found, entries(tmp_path / "c.wav")):
        assert sorted(kept) == sorted(KEPT + AFTER) and kept[0] == KEPT[0]
    values = [soundfile.read(tmp_path / name, dtype="int32")[0] for name in ("a.wav", "b", "c.wav")]
    assert np.array_equal(values[0], values[1]) and np.array_equal(values[0], values[2])


def test_flac_holds_a_waves_chunks_and_names(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(Wave(steps(5001, 6, 24), mask=0x60F).riff())
    told = copy(tmp_path / "a.wav", tmp_path / "b.flac", SampleFormat("flac", 24))
    assert not told.left_out
    with soundfile.SoundFile(tmp_path / "b.flac") as file:
        assert (file.title, file.artist) == ("A name", "Künstlerin")
    copy(tmp_path / "b.flac", tmp_path / "c.flac")
    told = copy(tmp_path / "c.flac", tmp_path / "d.wav", SampleFormat("wav", 24))
    assert not told.left_out and entries(tmp_path / "d.wav") == KEPT + AFTER
    with FileTake(tmp_path / "d.wav", most_channels=8) as take:
        assert take.mask == 0x60F
    values = [soundfile.read(tmp_path / name, dtype="int32")[0] for name in ("a.wav", "c.flac", "d.wav")]
    assert np.array_equal(values[0], values[1]) and np.array_equal(values[0], values[2])


def test_flacs_own_comments_become_names(tmp_path: Path) -> None:
    with soundfile.SoundFile(tmp_path / "a.flac", "w", 44100, 1, "PCM_16") as file:
        file.title = "Prélude"
        file.write(np.zeros(100))
    copy(tmp_path / "a.flac", tmp_path / "b.flac")
    copy(tmp_path / "b.flac", tmp_path / "c.wav", SampleFormat("wav", 16))
    for name in ("b.flac", "c.wav"):
        with soundfile.SoundFile(tmp_path / name) as file:
            assert file.title == "Prélude"


def test_aiff_keeps_its_own_chunks_and_says_what_others_cannot(tmp_path: Path) -> None:
    sound = np.random.default_rng(0).uniform(-1, 1, 1001)
    soundfile.write(tmp_path / "a.aif", sound, 44100, "PCM_24", format="AIFF")
    whole = (tmp_path / "a.aif").read_bytes()
    marker = b"MARK\0\0\0\x0c\0\1\0\1\0\0\1\0\3one"  # one marker, at frame 256
    assert len(marker) == 8 + 12
    (tmp_path / "a.aif").write_bytes(b"FORM" + (len(whole) - 8 + len(marker)).to_bytes(4, "big") + whole[8:] + marker)
    assert not copy(tmp_path / "a.aif", tmp_path / "b.aif").left_out
    assert entries(tmp_path / "b.aif") == entries(tmp_path / "a.aif") == [(b"MARK", marker[8:])]
    assert not copy(tmp_path / "a.aif", tmp_path / "c.wav", SampleFormat("wav", 24)).left_out
    assert entries(tmp_path / "c.wav") == [(b"cue ", cue(256)), (b"LIST", labels(b"one"))]
    assert np.array_equal(soundfile.read(tmp_path / "a.aif")[0], soundfile.read(tmp_path / "c.wav")[0])


def test_aiffs_markers_and_texts_in_a_wave() -> None:
    marks = b"\0\2" + b"\0\1\0\0\3\xe8\5Verse" + b"\0\2\0\0\x4e\x20\6Chorus\0"
    texts = [(b"NAME", b"A name"), (b"AUTH", "Künstlerin".encode()), (b"COMT", b"\0\0"), (b"MIDI", b"?")]
    told = Metadata("aiff", after=[(b"MARK", marks), *texts], left_out=["cut"]).fitting("wav")
    assert told.after == [(b"cue ", cue(1000, 20_000)), (b"LIST", labels(b"Verse", b"Chorus")), AFTER[3]]
    assert told.left_out == ["cut", "COMT", "MIDI"]
    assert Metadata("aiff", after=texts).fitting("flac").comments == [b"TITLE=A name", "ARTIST=Künstlerin".encode()]
    for length in range(len(marks) - 1):  # cut anywhere
        damaged = Metadata("aiff", after=[(b"MARK", marks[:length])]).fitting("wav")
        assert damaged.after == [] and damaged.left_out == ["MARK"]


def test_a_wav_that_grows_too_large_becomes_rf64(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "LARGEST_RIFF", 50_000)
    (tmp_path / "a.wav").write_bytes(Wave(steps(20_001, 1, 24)).riff())
    copy(tmp_path / "a.wav", tmp_path / "b.wav")
    assert soundfile.info(tmp_path / "b.wav").format == "RF64" and (tmp_path / "b.wav").read_bytes()[:4] == b"RF64"
    assert entries(tmp_path / "b.wav") == KEPT + AFTER
    assert np.array_equal(soundfile.read(tmp_path / "a.wav")[0], soundfile.read(tmp_path / "b.wav")[0])


def test_older_bext_and_large_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_BYTES", 2000)
    wave = Wave(
        steps(10, 1, 16), bits=16, before=[(b"bext", bext(version=1))], after=[(b"big ", bytes(3000)), AFTER[0]]
    )
    (tmp_path / "a.wav").write_bytes(wave.riff())
    told = copy(tmp_path / "a.wav", tmp_path / "b.wav")
    assert entries(tmp_path / "b.wav") == [(b"bext", bext(version=1)), AFTER[0]]
    assert len(told.left_out) == 1 and told.left_out[0].startswith("big (")


@pytest.mark.parametrize("container", ["wav", "rf64", "w64", "aiff"])
def test_files_without_samples(tmp_path: Path, container: str) -> None:
    (tmp_path / "a.wav").write_bytes(Wave(steps(0, 2, 16), bits=16).riff())
    copy(tmp_path / "a.wav", tmp_path / "b", SampleFormat(container, 16, False, "x"))
    with FileTake(tmp_path / "b", empty=True) as take:
        assert (take.frames, take.channels, take.read(0, 10).any()) == (0, 2, False)
    with pytest.raises(InputError, match="no samples"):
        FileTake(tmp_path / "b")


WHOLE = Wave(steps(300, 2, 16), bits=16).riff()


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    cut=st.integers(0, len(WHOLE)),
    changes=st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=4),
)
def test_damage_gives_a_clear_error_or_a_whole_file(tmp_path: Path, cut: int, changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(WHOLE)
    for at, value in changes:
        damaged[at] = value
    _survives(tmp_path, bytes(damaged[:cut] if cut % 2 else damaged))


@settings(
    max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    names=st.lists(
        st.sampled_from([b"bext", b"LIST", b"cue ", b"data", b"fmt ", b"ds64", b"\0\0\0\0", b"list"]), max_size=6
    ),
    sizes=st.lists(st.sampled_from([0, 1, 7, 23, 24, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1]), min_size=6, max_size=6),
    kind=st.sampled_from(["wav", "rf64", "w64", "aiff"]),
)
def test_chunks_whose_sizes_lie(tmp_path: Path, names: list[bytes], sizes: list[int], kind: str) -> None:
    extra = b""
    for name, size in zip(names, sizes, strict=False):
        extra += (
            name
            + (size.to_bytes(8, "little").rjust(20, b"\1") if kind == "w64" else size.to_bytes(4, "little"))
            + b"abc"
        )
    source = tmp_path / "whole"
    (tmp_path / "a.wav").write_bytes(WHOLE)
    copy(tmp_path / "a.wav", source, SampleFormat(kind, 16, False, "x"))
    _survives(tmp_path, source.read_bytes() + extra)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(4, 700), value=st.integers(0, 255), cut=st.booleans())
def test_damaged_flac_blocks(tmp_path: Path, at: int, value: int, cut: bool) -> None:
    (tmp_path / "a.wav").write_bytes(WHOLE)
    copy(tmp_path / "a.wav", tmp_path / "whole.flac", SampleFormat("flac", 16))
    damaged = bytearray((tmp_path / "whole.flac").read_bytes())
    damaged[at] = value
    _survives(tmp_path, bytes(damaged[:at] if cut else damaged))


def _survives(folder: Path, data: bytes) -> None:
    """Whatever the file is: one clear error and nothing written, or a whole file with the samples that were read."""
    source, target = folder / "damaged.wav", folder / "out" / "copy.wav"
    target.unlink(missing_ok=True)
    source.write_bytes(data)
    try:
        read_metadata(source)
        copy(source, target, SampleFormat("wav", 32, True))
    except InputError as error:
        assert str(source) in str(error) and "\n" not in str(error)
        assert not target.exists()
        return
    found = read_chunks(target)
    assert found is not None and not found.cut and not found.missing
    with FileTake(source, most_channels=8, empty=True) as take, FileTake(target, most_channels=8, empty=True) as other:
        assert (take.frames, take.channels, take.sample_rate) == (other.frames, other.channels, other.sample_rate)
        assert np.array_equal(take.read(0, take.frames), other.read(0, take.frames))
    assert chunk(b"data", b"")[:4] in target.read_bytes()
