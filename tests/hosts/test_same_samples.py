"""One processor, the same samples everywhere: `terzetto process`, pedalboard, DawDreamer and an Ardour export."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.hosts.ardour import Ardour, Insert, Track
from tests.hosts.conftest import EXCERPT_SECONDS
from tests.hosts.hands_take import SETTINGS, hands_chain, read_excerpt
from tests.hosts.judge import Float, differences
from tests.hosts.offline import Render, render
from tests.hosts.place import Place
from tests.hosts.states import CLASS_ID, LV2_URI, plugin_state

BLOCKS = (64, 256, 1000, 4096, 8192)


@dataclass(frozen=True)
class Reference:
    """What `terzetto process` made of the excerpt, and the plugin's state that asks for the same."""

    audio: Float
    processed: Float
    state: str


@pytest.fixture
def reference(place: Place, learned: Path) -> Reference:
    """The chain of the issue: Hands, a compressor, a gain; the left hand turned down."""
    audio = read_excerpt(EXCERPT_SECONDS, 48000)
    chain = hands_chain(learned)
    take, chain_file, out = place.root / "take.wav", place.root / "chain.toml", place.root / "processed"
    soundfile.write(take, audio.T, 48000, subtype="FLOAT")
    chain_file.write_text(chain)
    done = place.command("process", str(chain_file), str(take), "-o", str(out))
    assert done.returncode == 0, done.stderr
    (written,) = out.rglob("*.wav")
    processed, _ = soundfile.read(written, dtype="float32", always_2d=True)
    assert np.abs(processed.T - audio).max() > 0.01, "the chain does nothing"
    return Reference(audio, processed.T.copy(), plugin_state(chain, SETTINGS))


def render_all(host: str, place: Place, reference: Reference) -> None:
    jobs = [Render(reference.audio, 48000, block) for block in BLOCKS]
    results = render(host, place.vst3, jobs, place.root / host, place.environment, state=reference.state)
    for job, result in zip(jobs, results, strict=True):
        assert not differences(result.audio, reference.processed), job.block


def test_pedalboard_gives_the_samples_of_process(place: Place, reference: Reference) -> None:
    render_all("pedalboard", place, reference)


def test_dawdreamer_gives_the_samples_of_process(place: Place, reference: Reference, with_dawdreamer: None) -> None:
    render_all("dawdreamer", place, reference)


@pytest.mark.parametrize(
    ("plugin_format", "block"),
    [
        # Small blocks, of which no whole number makes the latency: the pre-roll begins within a hop.
        ("VST3", 64),
        ("LV2", 64),
        ("VST3", 256),
        ("LV2", 1024),
        pytest.param("VST3", 1024, marks=pytest.mark.soak),
        pytest.param("LV2", 256, marks=pytest.mark.soak),
        pytest.param("VST3", 8192, marks=pytest.mark.soak),
        pytest.param("LV2", 8192, marks=pytest.mark.soak),
    ],
)
def test_ardour_exports_the_samples_of_process(
    plugin_format: str, block: int, place: Place, reference: Reference, tmp_path: Path, with_ardour: None
) -> None:
    ardour = Ardour(place.environment)
    assert ardour.scan(place.vst3) == CLASS_ID
    insert = Insert("VST3", CLASS_ID, reference.state)
    if plugin_format == "LV2":
        insert = Insert("LV2", LV2_URI, reference.state)
    session = ardour.make_session(tmp_path / "song", [Track("piano", reference.audio, [insert])], block=block)
    assert not differences(session.export(), reference.processed)
