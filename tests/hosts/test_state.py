"""What a project keeps: values, chain and what the engine holds, through save and reload in Ardour."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.ardour import Ardour, Insert, Track
from tests.hosts.judge import Float, differences
from tests.hosts.place import Place
from tests.hosts.states import LV2_URI, inverter, plugin_state

VALUES: dict[str, Any] = {
    "left_gain": -6.5,
    "right_gain": 3.0,
    "solo": "left",
    "spread": 0.25,
    "mix": 0.75,
    "low_latency": True,
}


def same_values(state: str) -> bool:
    values = json.loads(state)["values"]
    return all(
        values[name] == value if isinstance(value, bool | str) else values[name] == pytest.approx(value, abs=1e-4)
        for name, value in VALUES.items()
    )


def test_ardour_saves_and_recalls(place_with_stages: Place, take: Float, tmp_path: Path, with_ardour: None) -> None:
    place = place_with_stages
    ardour = Ardour(place.environment)
    state = plugin_state(inverter(pace=0.001), VALUES, {"inverter": {"pace": 0.001, "mark": "Flügel ♭"}})
    tracks = [
        Track("vst3", take[:, :40000], [Insert("VST3", ardour.scan(place.vst3), state)]),
        Track("lv2", take[:, 40000:80000], [Insert("LV2", LV2_URI, state)]),
    ]
    session = ardour.make_session(tmp_path / "song", tracks, block=256)
    before = session.export()
    session.save()
    saved = session.states()
    assert len(saved) == 2
    for text in saved:
        assert same_values(text), text
        assert json.loads(text)["engine"]["inverter"]["mark"] == "Flügel ♭"
        assert "inverter" in json.loads(text)["engine"]["chain"]
    assert not differences(session.export(), before)
    assert not differences(before, -(tracks[0].audio + tracks[1].audio))
