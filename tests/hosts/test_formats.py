"""Sample rates, mono and stereo: every host gets every frame of the engine, latency taken off."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.hosts.ardour import Ardour, Insert, Track
from tests.hosts.judge import Float, differences
from tests.hosts.offline import Render, render
from tests.hosts.place import Place
from tests.hosts.states import LV2_URI, inverter, plugin_state

RATES = (44100, 48000, 88200, 96000)


def test_rates_and_channels_in_pedalboard(place_with_stages: Place, take: Float) -> None:
    place = place_with_stages
    jobs = [
        Render(take[:channels, :20011], rate, block)
        for rate, block in zip(RATES, (512, 64, 1000, 8192), strict=True)
        for channels in (1, 2)
    ]
    rendered = render(
        "pedalboard", place.vst3, jobs, place.root / "job", place.environment, state=plugin_state(inverter())
    )
    for job, result in zip(jobs, rendered, strict=True):
        assert not differences(result.audio, -job.audio), (job.sample_rate, job.block, len(job.audio))


def test_rates_in_dawdreamer(place_with_stages: Place, take: Float, with_dawdreamer: None) -> None:
    place = place_with_stages
    jobs = [Render(take[:, :20011], rate, block) for rate, block in zip(RATES, (512, 64, 1000, 8192), strict=True)]
    rendered = render(
        "dawdreamer", place.vst3, jobs, place.root / "job", place.environment, state=plugin_state(inverter())
    )
    for job, result in zip(jobs, rendered, strict=True):
        assert not differences(result.audio, -job.audio), (job.sample_rate, job.block)
        assert result.latency == max(1024, job.block + 512 + extra(job.block)), job.block


def extra(block: int) -> int:
    """Frames that a block that does not fit the hop of 512 costs beyond it (docs/live.md)."""
    return max(0, 64 - int(np.gcd(block, 512)))


@pytest.mark.parametrize(("sample_rate", "block"), [(44100, 64), pytest.param(96000, 8192, marks=pytest.mark.soak)])
def test_mono_and_stereo_tracks_in_ardour(
    sample_rate: int, block: int, place_with_stages: Place, take: Float, tmp_path: Path, with_ardour: None
) -> None:
    place = place_with_stages
    ardour = Ardour(place.environment)
    state = plugin_state(inverter())
    vst3 = ardour.scan(place.vst3)
    tracks = [
        Track("stereo-vst3", take[:, :30000], [Insert("VST3", vst3, state)]),
        Track("stereo-lv2", take[:, 30000:60000], [Insert("LV2", LV2_URI, state)]),
        Track("plain", take[:, 60000:90000]),
    ]
    session = ardour.make_session(tmp_path / "song", tracks, sample_rate, block)
    expected = tracks[2].audio - tracks[0].audio - tracks[1].audio
    assert not differences(session.export(), expected, 1e-6)
    mono = [
        Track("mono-lv2", take[:1, :30000], [Insert("LV2", LV2_URI, state)]),
        Track("mono-vst3", take[:1, 30000:60000], [Insert("VST3", vst3, state)]),
    ]
    alone = ardour.make_session(tmp_path / "mono", mono, sample_rate, block)
    assert not differences(alone.export(), np.repeat(-(mono[0].audio + mono[1].audio), 2, axis=0), 1e-6)
