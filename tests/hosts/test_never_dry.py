"""Offline the plugin waits: whatever the engine's speed, and even if it dies, no rendered frame is dry."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hosts.ardour import Ardour, Insert, Track
from tests.hosts.hands_take import read_excerpt
from tests.hosts.judge import Float, differences
from tests.hosts.offline import HostName, Render, render
from tests.hosts.place import Place
from tests.hosts.states import LV2_URI, SLOW, inverter, plugin_state


@pytest.fixture(params=["pedalboard", "dawdreamer"])
def host(request: pytest.FixtureRequest) -> HostName:
    if request.param == "dawdreamer":
        request.getfixturevalue("with_dawdreamer")
    name: HostName = request.param
    return name


def test_an_engine_ten_times_slower_than_real_time(host: HostName, place_with_stages: Place, take: Float) -> None:
    place = place_with_stages
    short = take[:, :24000]
    state = plugin_state(inverter(pace=SLOW))
    rendered = render(host, place.vst3, [Render(short)], place.root / "job", place.environment, state=state)
    assert not differences(rendered[0].audio, -short)


def test_a_slow_engine_in_an_ardour_export(
    place_with_stages: Place, take: Float, tmp_path: Path, with_ardour: None
) -> None:
    place = place_with_stages
    ardour = Ardour(place.environment)
    # Ardour's export begins with two seconds of silence, which the engine is as slow with.
    state = plugin_state(inverter(pace=SLOW))
    tracks = [
        Track("lv2", take[:, :24000], [Insert("LV2", LV2_URI, state)]),
        Track("vst3", take[:, 24000:48000], [Insert("VST3", ardour.scan(place.vst3), state)]),
    ]
    session = ardour.make_session(tmp_path / "song", tracks)
    assert not differences(session.export(), -(tracks[0].audio + tracks[1].audio))


def test_an_engine_that_dies_in_the_middle(host: HostName, place_with_stages: Place, take: Float) -> None:
    place = place_with_stages
    died = place.root / "died"
    state = plugin_state(inverter(crash_at=30000, crash_once=str(died)))
    rendered = render(host, place.vst3, [Render(take)], place.root / "job", place.environment, state=state)
    assert died.exists(), "the engine never came to the frame where it dies"
    assert not differences(rendered[0].audio, -take)


def test_without_an_engine_it_plays_dry_and_says_so(host: HostName, place: Place) -> None:
    place.engine_file.unlink()
    audio = read_excerpt(2.0, 48000)
    rendered = render(host, place.vst3, [Render(audio)], place.root / "job", place.environment)
    assert not differences(rendered[0].audio, audio)
    assert engine_status(rendered[0].parameters) == "absent"


def engine_status(parameters: dict[str, str]) -> str:
    """Return what the plugin's meter shows, in whichever way the host writes parameters' names."""
    found = [value for name, value in parameters.items() if name.lower().replace(" ", "_") == "engine_status"]
    assert len(found) == 1, parameters
    return found[0].lower()
