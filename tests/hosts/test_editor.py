"""The editors, drawn into pictures by a program of the build: nothing is clipped away, at either scale."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import NO_HOST
from tests.hosts.place import Place

ROOT = Path(__file__).resolve().parents[2]
ACCENTS = {"hands": (0x55, 0xB8, 0xA6), "drums": (0xE2, 0x95, 0x4A), "timbre": (0xA5, 0x8B, 0xE0)}


@pytest.fixture(scope="session")
def editor_picture() -> Path:
    """The program, built in this installation's build folder."""
    cmake = shutil.which("cmake", path=str(Path(sys.executable).parent)) or shutil.which("cmake")
    builds = [cache.parent for cache in ROOT.glob("build/cp*/CMakeCache.txt") if "JUCE_DIR" in cache.read_text()]
    if cmake is None or not builds:
        pytest.skip(f"{NO_HOST} no build with JUCE here: make builds one")
    newest = max(builds, key=lambda folder: folder.stat().st_mtime)
    done = subprocess.run(
        [cmake, "--build", str(newest), "--target", "editor_picture"], capture_output=True, text=True, check=False
    )
    if "unknown target" in done.stdout + done.stderr:
        pytest.skip(f"{NO_HOST} this installation was built without the plugins")
    assert done.returncode == 0, done.stdout + done.stderr
    return newest / "native/plugin/editor_picture"


def draw(program: Path, place: Place, *words: str) -> NDArray[np.uint8]:
    """Run the program; returns height × width × 3."""
    target = place.root / "editor.png"
    instrument, *rest = words
    done = subprocess.run(
        [str(program), instrument, str(target), *rest],
        env=place.environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pixels: NDArray[np.float32] = matplotlib.image.imread(target)
    return np.round(255 * pixels[..., :3]).astype(np.uint8)


@pytest.fixture
def alone(tmp_path: Path) -> Place:
    return Place(tmp_path / "nobody")


@pytest.mark.parametrize("instrument", list(ACCENTS))
def test_it_is_drawn_without_a_display(editor_picture: Path, alone: Place, instrument: str) -> None:
    picture = draw(editor_picture, alone, instrument)
    assert tuple(picture[1, picture.shape[1] // 2]) == ACCENTS[instrument]
    status = picture[-34:].astype(int)
    assert (status.max(axis=2) > 200).sum() > 300, "no status line"
    red = (status[..., 0] > 200) & (status[..., 1] < 120)
    assert red.sum() > 30, "no engine is installed here: the status light is not red"


def test_every_edge_stays_free(editor_picture: Path, alone: Place) -> None:
    picture = draw(editor_picture, alone, "hands").astype(int)
    above_status = picture[4:-34]
    for edge in (above_status[:, :6], above_status[:, -6:]):
        assert np.ptp(edge) <= 6, "something is cut off at an edge"  # background alone


def test_twice_the_scale_is_the_same_picture(editor_picture: Path, alone: Place) -> None:
    small, large = (draw(editor_picture, alone, "hands", scale).astype(float) for scale in ("1", "2"))
    assert large.shape == (2 * small.shape[0], 2 * small.shape[1], 3)
    halved = large.reshape(small.shape[0], 2, small.shape[1], 2, 3).mean(axis=(1, 3))
    assert np.abs(halved - small).mean() < 4.0


def test_faders_show_their_values(editor_picture: Path, alone: Place) -> None:
    before, after = (draw(editor_picture, alone, "hands", "1", f"left_gain={value}") for value in ("0", "-60"))
    changed = np.argwhere((before != after).any(axis=2))
    top, left = changed.min(axis=0)
    bottom, right = changed.max(axis=0)
    assert right < 120 and left > 16, "another control than the left fader changed"
    assert bottom - top > 80, "the fader did not move"
