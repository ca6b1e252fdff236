"""Terzetto Hands in pedalboard with no engine: parameters, the delayed dry signal, and what the state is."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import numpy as np
import pytest

from terzetto_host.presets import vst3_preset, vst3_state
from tests.hosts.judge import Float
from tests.hosts.offline import Render, render
from tests.hosts.place import Place
from tests.hosts.plugin_state import juce_base64, juce_base64_decoded
from tests.hosts.states import CLASS_ID

BLOCKS = (64, 100, 256, 512, 1000, 2048, 8192)
AUTOMATED = {"left_gain_db", "right_gain_db", "residual_gain_db", "solo", "spread", "dry_wet", "learn"}


@pytest.fixture
def lonely(place: Place) -> Place:
    """A user who has the plugins and no engine."""
    place.engine_file.unlink()
    return place


def run(place: Place, script: str) -> str:
    """Run a script with ``plugin`` loaded; returns what it prints."""
    load = f"import json, pedalboard\nplugin = pedalboard.load_plugin({str(place.vst3)!r})\n"
    done = subprocess.run(
        [sys.executable, "-c", load + script], env=place.environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_input_comes_back_at_every_rate_width_and_block(lonely: Place) -> None:
    noise = np.random.default_rng(1)
    renders = [
        Render((0.1 * noise.standard_normal((channels, 30000))).astype(np.float32), rate, block)
        for rate in (44100, 48000, 88200, 96000)
        for channels in (1, 2)
        for block in BLOCKS
    ]
    rendered = render("pedalboard", lonely.vst3, renders, lonely.root / "job", lonely.environment)
    for asked, given in zip(renders, rendered, strict=True):
        where = f"{asked.sample_rate} Hz, {asked.audio.shape[0]} channels, blocks of {asked.block}"
        assert np.array_equal(asked.audio, given.audio), where


def test_parameters_are_those_of_the_table(lonely: Place) -> None:
    shown = json.loads(run(lonely, "print(json.dumps({n: str(getattr(plugin, n)) for n in plugin.parameters}))"))
    assert set(shown) >= AUTOMATED | {"window", "low_latency", "engine_status", "late_blocks", "bypass"}
    assert (shown["left_gain_db"], shown["solo"], shown["dry_wet"]) == ("0.0", "off", "1.0")
    assert shown["engine_status"] == "absent"


def test_loading_leaves_nothing_behind(lonely: Place) -> None:
    run(lonely, "")
    assert not lonely.leftover_segments()
    assert not lonely.processes()


def test_a_state_goes_round(lonely: Place, take: Float) -> None:
    state = {
        "format": "terzetto-plugin",
        "version": 1,
        "instrument": "hands",
        "values": {"left_gain": -6.1, "solo": "right", "spread": 7, "of_a_later_version": 3},
        "engine": {"hands": {"score": {"path": "take.mid", "notes": []}, "take_start": 1.5}},
        "of_a_later_version": [1, {"two": None}],
    }
    back = lonely.root / "state.json"
    text = json.dumps(state)
    render(
        "pedalboard", lonely.vst3, [Render(take)], lonely.root / "job", lonely.environment,
        state=text, state_file=str(back),
    )  # fmt: skip
    saved = json.loads(back.read_text())
    assert saved["engine"] == state["engine"]
    assert saved["of_a_later_version"] == state["of_a_later_version"]
    assert saved["values"]["of_a_later_version"] == 3
    assert (saved["values"]["left_gain"], saved["values"]["solo"]) == (-6.1, "right")
    assert saved["values"]["spread"] == 1.0  # clipped
    assert "engine_status" not in saved["values"]


@pytest.mark.parametrize(
    "damaged",
    ["", "{", "[]", '{"format": "another"}', '{"format": "terzetto-plugin", "version": 99, "instrument": "hands"}',
     '{"format": "terzetto-plugin", "version": 1, "instrument": "drums"}', "[" * 100000],
    ids=["empty", "cut", "list", "foreign", "newer", "drums", "deep"],
)  # fmt: skip
def test_a_damaged_state_changes_nothing(lonely: Place, damaged: str) -> None:
    preset = lonely.root / "damaged.vstpreset"
    preset.write_bytes(vst3_preset(CLASS_ID, damaged))
    script = f"""
plugin.left_gain_db = -6.0
with open({str(preset)!r}, "rb") as file:
    data = file.read()
try:
    plugin.preset_data = data
except RuntimeError:
    pass
print(plugin.left_gain_db)
"""
    assert float(run(lonely, script)) == -6.0


def test_raw_state_is_juces_xml_around_the_text(lonely: Place) -> None:
    out = run(lonely, "plugin.left_gain_db = -6.0\nprint(plugin.raw_state.hex(), plugin.preset_data.hex())")
    raw, preset = (bytes.fromhex(word) for word in out.split())
    assert raw[:4] == b"VC2!"
    found = re.search(rb"<IComponent>(.+)</IComponent>", raw)
    assert found
    component = juce_base64_decoded(found[1].decode())
    text = component.partition(b"\0")[0].decode()
    assert text == vst3_state(preset)
    assert json.loads(text)["values"]["left_gain"] == -6.0

    # The same way back.
    changed = juce_base64(component.replace(b'"left_gain":-6.0', b'"left_gain":-9.5'))
    xml = raw[8:].replace(found[1], changed.encode()).rstrip(b"\0")
    state = b"VC2!" + len(xml).to_bytes(4, "little") + xml + b"\0"
    assert float(run(lonely, f"plugin.raw_state = bytes.fromhex({state.hex()!r})\nprint(plugin.left_gain_db)")) == -9.5
