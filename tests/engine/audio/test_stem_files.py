"""`StemFiles`: all stems whole, or everything as it was before."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from terzetto.audio.files import read_audio
from terzetto.audio.stems import FORMATS, SampleFormat, StemFiles
from terzetto.errors import InputError, OutputError

Float = NDArray[np.float32]


def noise(channels: int, frames: int, level: float = 0.5) -> Float:
    return np.random.default_rng(frames).uniform(-level, level, (channels, frames)).astype(np.float32)


def everything(folder: Path) -> dict[str, bytes | None]:
    """What lies in a folder: name → content, None for folders."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")
    }


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder with an older stem in it."""
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "a.wav").write_bytes(b"older stem")
    yield tmp_path


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("channels", [1, 2])
def test_stems_read_back_whole(tmp_path: Path, name: str, channels: int) -> None:
    form = FORMATS[name]
    stems = {stem: noise(channels, 5000 + channels) for stem in ("a", "b")}
    paths = {stem: tmp_path / "new" / stem / f"Prélude ♭ {stem}.{form.extension}" for stem in stems}
    with StemFiles(paths, 44100.0, channels, form) as files:
        # square blocks, single frames and empty ones too
        for start, stop in ((0, channels), (channels, channels), (channels, channels + 1), (channels + 1, 6000)):
            for stem, audio in stems.items():
                files.write(stem, audio[:, start:stop])
        assert not any(path.exists() for path in paths.values())
        files.commit()
    assert files.gain == 1.0
    for stem, path in paths.items():
        read, rate = read_audio(path)
        assert rate == 44100 and read.shape == stems[stem].shape
        assert np.abs(read - stems[stem]).max() <= (0 if name == "float32" else 2**-22)
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2


@pytest.mark.parametrize("name", FORMATS)
def test_one_gain_for_all_stems_when_one_is_too_loud(tmp_path: Path, name: str) -> None:
    form = FORMATS[name]
    stems = {"loud": noise(2, 4000, 3.0), "soft": noise(2, 4000, 0.1), "stage": noise(1, 4000)}
    paths = {stem: tmp_path / f"{stem}.{form.extension}" for stem in stems}
    with StemFiles(paths, 48000, {"loud": 2, "soft": 2, "stage": 1}, form) as files:
        for stem, audio in stems.items():
            files.write(stem, audio)
        files.commit()
    peak = float(np.abs(stems["loud"]).max())
    assert files.gain == pytest.approx(1.0 if name == "float32" else 0.999 / peak)
    read = {stem: read_audio(path)[0] for stem, path in paths.items()}
    for stem, audio in stems.items():
        np.testing.assert_allclose(read[stem], audio * files.gain, atol=2**-22)
    np.testing.assert_allclose(read["loud"] + read["soft"], (stems["loud"] + stems["soft"]) * files.gain, atol=1e-5)


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_permissions_are_those_of_any_new_file(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        for name, form in FORMATS.items():
            path = tmp_path / name / f"a.{form.extension}"
            with StemFiles({"a": path}, 44100, 1, form) as files:
                files.write("a", noise(1, 100))
                files.commit()
            assert path.stat().st_mode & 0o777 == 0o666 & ~mask
            assert path.parent.stat().st_mode & 0o777 == 0o777 & ~mask
    finally:
        os.umask(before)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, MemoryError, None])
@pytest.mark.parametrize("name", FORMATS)
def test_nothing_is_left_without_a_commit(place: Path, name: str, error: type[BaseException] | None) -> None:
    before = everything(place)
    new = place / "new" / "and newer"
    paths = {"a": place / "old" / "a.wav", "b": new / "b.wav", "c": place / "new" / "c.wav", "d": place / "other" / "d"}
    try:
        with StemFiles(paths, 44100, 1, FORMATS[name]) as files:
            files.write("a", noise(1, 1000))
            if error is not None:
                raise error
    except (KeyboardInterrupt, RuntimeError, MemoryError):
        pass
    assert everything(place) == before


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
@pytest.mark.parametrize("when", [0, 1, 2, 3])
def test_nothing_has_changed_when_moving_fails(
    place: Path, monkeypatch: pytest.MonkeyPatch, when: int, error: BaseException
) -> None:
    before = everything(place)
    paths = {"a": place / "old" / "a.wav", "b": place / "new" / "b.wav", "c": place / "old" / "c.wav"}
    replace, calls = Path.replace, iter(range(100))

    def fail_once(self: Path, target: Path) -> Path:
        if next(calls) == when:
            raise error
        return replace(self, target)

    with pytest.raises((KeyboardInterrupt, OutputError)), StemFiles(paths, 44100, 1, FORMATS["flac"]) as files:
        for name in paths:
            files.write(name, noise(1, 100))
        monkeypatch.setattr(Path, "replace", fail_once)
        files.commit()
    assert everything(place) == before


def test_older_stems_are_replaced_and_other_files_stay(place: Path) -> None:
    (place / "old" / "notes.txt").write_text("mine")
    with StemFiles({"a": place / "old" / "a.wav"}, 44100, 1, FORMATS["float32"]) as files:
        files.write("a", noise(1, 100))
        picture = files.workshop(place / "old") / "picture.png"
        picture.write_bytes(b"picture")
        files.add(picture, place / "old" / "picture.png")
        files.commit()
    assert read_audio(place / "old" / "a.wav")[0].shape == (1, 100)
    assert sorted(path.name for path in (place / "old").iterdir()) == ["a.wav", "notes.txt", "picture.png"]


def test_places_where_nothing_can_be_written(place: Path) -> None:
    (place / "file").write_text("not a folder")
    (place / "taken.wav").mkdir()
    before = everything(place)
    for path, message in (
        (place / "file" / "a.wav", "is a file, not a folder"),
        (place / "file" / "deeper" / "a.wav", "is a file, not a folder"),
        (place / "taken.wav", "is a folder"),
        (place / "new" / ("long" * 100) / "a.wav", "could not be written"),
    ):
        # the good one before must not stay behind either
        with pytest.raises(OutputError, match=message):
            StemFiles({"good": place / "other" / "a.wav", "bad": path}, 44100, 1, FORMATS["float32"])
        assert everything(place) == before
    if Path("/proc/self").is_dir():  # nobody may make folders there, not even root
        with pytest.raises(OutputError, match="/proc/nowhere: "):
            StemFiles({"a": Path("/proc/nowhere/a.wav")}, 44100, 1, FORMATS["float32"])
    with pytest.raises(InputError, match="one file"):
        StemFiles({"a": place / "a.wav", "b": place / "a.wav"}, 44100, 1, FORMATS["float32"])
    with pytest.raises(InputError, match="whole sample rate"):
        StemFiles({"a": place / "a.wav"}, 44100.5, 1, FORMATS["float32"])
    assert everything(place) == before


FULL = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from terzetto.audio.files import read_audio
from terzetto.audio.stems import FORMATS, StemFiles
from terzetto.errors import OutputError
# A file may not grow beyond this: what a full disk looks like, without one.
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
paths = {name: Path(sys.argv[1]) / "new" / name for name in ("a.wav", "b.wav")}
try:
    with StemFiles(paths, 44100, 2, FORMATS[sys.argv[2]]) as files:
        for _ in range(50):
            for name in paths:
                files.write(name, np.random.default_rng(0).uniform(-1, 1, (2, 1000)).astype(np.float32))
        files.commit()
except OutputError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no file's size")
@pytest.mark.parametrize("limit", [100, 5000, 200_000, 399_000])
@pytest.mark.parametrize("name", ["float32", "flac"])
def test_a_full_disk_leaves_nothing(place: Path, name: str, limit: int) -> None:
    before = everything(place)
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(place), name, str(limit)], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert "is the disk full?" in done.stdout and len(done.stdout.splitlines()) == 1
    assert everything(place) == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_thousands_of_stems(tmp_path: Path) -> None:
    script = f"""
import resource
from pathlib import Path
import numpy as np
from terzetto.audio.stems import FORMATS, StemFiles
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
with StemFiles({{n: Path({str(tmp_path)!r}) / f"{{n}}.wav" for n in map(str, range(400))}}, 44100, 1,
               FORMATS["float32"]) as files:
    for name in files.paths:
        files.write(name, np.zeros((1, 4), np.float32))
    files.commit()
try:
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
    StemFiles({{n: Path({str(tmp_path)!r}) / "b" / n for n in map(str, range(400))}}, 44100, 1, FORMATS["float32"])
except OSError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr == "" and "400 stems are more than the 256 files" in done.stdout
    assert len(list(tmp_path.iterdir())) == 400


@pytest.mark.parametrize("name", ["int24", "flac"])
def test_integer_stems_are_rounded_not_cut_off(tmp_path: Path, name: str) -> None:
    audio = noise(1, 50_000, 1.0)
    path = tmp_path / f"a.{FORMATS[name].extension}"
    with StemFiles({"a": path}, 44100.0, 1, FORMATS[name]) as files:
        files.write("a", audio)
        files.write("a", np.zeros((1, 100), np.float32))
        files.commit()
    read, _ = read_audio(path)
    steps = (read[:, :50_000].astype(np.float64) - audio) * 2**23
    assert abs(steps.mean()) < 0.1 and np.abs(steps).max() <= 1.0
    assert not read[:, 50_000:].any()


@pytest.mark.parametrize("mode", ["clamp", "rescale", "none"])
@pytest.mark.parametrize("level", [0.9, 1.5])
def test_what_happens_to_values_beyond_full_scale(place: Path, mode: str, level: float) -> None:
    before, audio = everything(place), noise(2, 5000, level)
    loud = int(np.count_nonzero(np.abs(audio) > 1))
    with StemFiles({"a": place / "new" / "a.wav"}, 44100, 2, SampleFormat("wav", 16), clip_mode=mode) as files:
        files.write("a", audio)
        if mode == "none" and loud:
            with pytest.raises(
                OutputError, match=r"peaks at \+3\.5\d dBFS, too much for 16-bit WAV; choose --clip-mode"
            ):
                files.commit()
        else:
            files.commit()
    assert files.peak == pytest.approx(np.abs(audio).max())
    if mode == "none" and loud:
        assert everything(place) == before
        return
    read, _ = read_audio(place / "new" / "a.wav")
    assert files.clamped == (loud if mode == "clamp" else 0)
    assert files.gain == pytest.approx(0.999 / np.abs(audio).max() if mode == "rescale" and loud else 1.0)
    np.testing.assert_allclose(read, np.clip(audio * files.gain, -1, 1), atol=2**-15)


def test_unknown_clip_modes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one of rescale, clamp, none; given 'wrap'"):
        StemFiles({"a": tmp_path / "a.wav"}, 44100, 1, FORMATS["int24"], clip_mode="wrap")
