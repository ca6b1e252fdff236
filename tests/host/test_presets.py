"""Presets: a plugin's state in the form that pedalboard and hosts keep it in."""

from __future__ import annotations

import json

import pytest

from terzetto.errors import InputError
from terzetto_host.presets import class_id, plugin_state, vst3_preset, vst3_state


def test_a_state_comes_back_out_of_its_preset() -> None:
    state = plugin_state("hands", {"left_gain": -6.0}, {"hands": {"take_start": 1.5, "title": "Prélude ♭"}})
    assert vst3_state(vst3_preset(class_id("hands"), state)) == state
    assert json.loads(state)["values"] == {"left_gain": -6.0}


def test_instruments_have_ids_of_their_own() -> None:
    ids = {class_id(name) for name in ("hands", "drums", "timbre")}
    assert len(ids) == 3 and all(len(identity) == 32 for identity in ids)
    with pytest.raises(InputError, match=r"piano.*hands"):
        class_id("piano")


@pytest.mark.parametrize("damaged", [b"", b"VST3", bytes(64), vst3_preset(class_id("hands"), "{}")[:50]])
def test_what_is_no_preset_is_refused(damaged: bytes) -> None:
    with pytest.raises(InputError, match="no VST3 preset"):
        vst3_state(damaged)
