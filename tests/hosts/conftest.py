"""Fixtures of the tests in real hosts: a user of one's own, the excerpt, and which hosts are here."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import NO_HOST
from tests.hosts import ardour, jalv, screen
from tests.hosts.hands_take import learned_state, read_excerpt, read_excerpt_score
from tests.hosts.judge import Float
from tests.hosts.place import Place

ROOT = Path(__file__).resolve().parents[2]
EXCERPT_SECONDS = 4.0
NOT_BUILT = "no plugins here"  # what `terzetto plugins install` says then


@pytest.fixture(scope="session")
def native_program() -> Callable[[str], Path]:
    """Build a program that links the plugins' adapter, in this installation's build folder; returns where it is."""

    def build(target: str) -> Path:
        cmake = shutil.which("cmake", path=str(Path(sys.executable).parent)) or shutil.which("cmake")
        builds = [cache.parent for cache in ROOT.glob("build/cp*/CMakeCache.txt") if "JUCE_DIR" in cache.read_text()]
        if cmake is None or not builds:
            pytest.skip(f"{NO_HOST} no build with JUCE here: make builds one")
        newest = max(builds, key=lambda folder: folder.stat().st_mtime)
        done = subprocess.run(
            [cmake, "--build", str(newest), "--target", target], capture_output=True, text=True, check=False
        )
        if "unknown target" in done.stdout + done.stderr:
            pytest.skip(f"{NO_HOST} this installation was built without the plugins")
        assert done.returncode == 0, done.stdout + done.stderr
        return newest / "native/plugin" / target

    return build


@pytest.fixture(scope="session")
def _installs(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Empty if this installation has the plugins, else why not."""
    place = Place(tmp_path_factory.mktemp("install"))
    try:
        place.install()
    except RuntimeError as error:
        if NOT_BUILT not in str(error):
            raise
        return "this installation was built without the plugins (Debian: juce-modules-source, lv2-dev)"
    finally:
        place.close()
    return "" if place.vst3.is_dir() else "terzetto plugins install put no VST3 bundle into ~/.vst3"


@pytest.fixture
def make_place(_installs: str, tmp_path: Path) -> Iterator[Callable[..., Place]]:
    """Make places (``stages``: with the test's processors); afterwards nothing may be left of them."""
    if _installs:
        pytest.skip(f"{NO_HOST} {_installs}")
    places: list[Place] = []

    def make(stages: bool = False) -> Place:
        place = Place(tmp_path / f"user{len(places)}")
        places.append(place)
        place.install(stages)
        return place

    yield make
    left = [item for place in places for item in place.close()]
    assert not left, f"left behind: {left}"


@pytest.fixture
def place(make_place: Callable[..., Place]) -> Place:
    """A user with the plugins installed."""
    return make_place()


@pytest.fixture
def place_with_stages(make_place: Callable[..., Place]) -> Place:
    """A user whose engine also knows the test's processors."""
    return make_place(stages=True)


@pytest.fixture
def bare_environment(tmp_path: Path) -> dict[str, str]:
    """An environment with a home of its own and no plugins."""
    return Place(tmp_path / "nobody").environment


@pytest.fixture(scope="session")
def with_ardour() -> None:
    """Skip where Ardour is not."""
    if not ardour.available():
        pytest.skip(f"{NO_HOST} no Ardour here: {ardour.WANTED}")


@pytest.fixture(scope="session")
def with_jack() -> None:
    """Skip where jalv, JACK or its Python module are not."""
    if not jalv.available():
        pytest.skip(f"{NO_HOST} no real-time host here: {jalv.WANTED}")


@pytest.fixture(scope="session")
def with_display() -> None:
    """Skip where no display can be made, or no window to drop files on."""
    if not screen.available():
        pytest.skip(f"{NO_HOST} no display here: {screen.WANTED}")


@pytest.fixture(scope="session")
def with_dawdreamer() -> None:
    """Skip where DawDreamer is not."""
    if importlib.util.find_spec("dawdreamer") is None:
        pytest.skip(f"{NO_HOST} no DawDreamer here: pip install dawdreamer")


@pytest.fixture(scope="session")
def take() -> Float:
    """Two seconds of noise in stereo, 48 kHz: every sample differs."""
    noise: Float = (0.1 * np.random.default_rng(3).standard_normal((2, 96000))).astype(np.float32)
    return noise


@pytest.fixture(scope="session")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Hands learned of the excerpt's first seconds, as a file that a chain names."""
    audio, score = read_excerpt(EXCERPT_SECONDS, 48000), read_excerpt_score()
    path = tmp_path_factory.mktemp("learned") / "excerpt.json"
    path.write_text(json.dumps(learned_state(audio, 48000, score.select(score.onset < EXCERPT_SECONDS))))
    return path
