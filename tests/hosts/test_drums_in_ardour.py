"""Terzetto Drums on a MIDI track of an Ardour session: an export is what the processor plays without a host."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from terzetto.audio.stream import Transport
from terzetto.drums.live import DrumsProcessor
from terzetto_host.presets import plugin_state
from tests.hosts.ardour import Ardour, Insert, Track
from tests.hosts.judge import Float, differences
from tests.hosts.place import Place

RATE, HOP, SECONDS = 48000, 512, 5
URI = "https://terzetto.audio/plugins/drums"
VALUES = {"pad_x": 0.25, "variation": 0.5, "swing": 0.25, "level": -3.0}  # exact as float32


def bounced(frames: int) -> Float:
    """What the processor plays with a transport that starts at 0, at 120 bpm."""
    drums = DrumsProcessor()
    drums.restore({"values": VALUES})
    drums.prepare(RATE, 2, HOP)
    out = [
        drums.process(np.zeros((2, HOP), np.float32), [], Transport(at, 120.0, True, at / (RATE / 2)))
        for at in range(0, frames + HOP, HOP)
    ]
    return np.concatenate(out, axis=1)[:, :frames]


@pytest.mark.parametrize(
    ("kind", "block"), [("VST3", 64), ("LV2", 1024), pytest.param("VST3", 1024, marks=pytest.mark.soak)]
)
def test_an_export_is_what_the_processor_plays(
    kind: Literal["VST3", "LV2"], block: int, place: Place, tmp_path: Path, with_ardour: None
) -> None:
    ardour = Ardour(place.environment)
    identity = ardour.scan(place.home / ".vst3/Terzetto Drums.vst3") if kind == "VST3" else URI
    silence = np.zeros((2, SECONDS * RATE), np.float32)
    text = plugin_state("drums", VALUES, {"drums": {"version": 1, "values": VALUES}})
    track = Track("beat", silence, [Insert(kind, identity, text)], midi=True)
    exported = ardour.make_session(tmp_path / "song", [track], RATE, block).export()
    expected = bounced(SECONDS * RATE)
    assert np.abs(expected).max() > 0.05
    assert not differences(exported, expected)
