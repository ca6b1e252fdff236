"""Terzetto Drums in DawDreamer and pedalboard, each in a process of its own.

    python -m tests.hosts.instrument JOB.json

JOB names the host, the bundle and the renders: seconds, block, notes (pitch, velocity, seconds) and parameters by the
name that the host has for them. Each render is written as an array; the latency stays in it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terzetto_host.presets import class_id, vst3_preset
from tests.hosts.place import Place

RATE = 48000
ROOT = Path(__file__).resolve().parents[2]
Float = NDArray[np.float32]


@dataclass(frozen=True)
class Performance:
    """What to render: notes are (pitch, velocity, seconds)."""

    seconds: float
    block: int = 512
    notes: tuple[tuple[int, int, float], ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    state: str | None = None  # of the plugin, restored first


def perform(host: str, place: Place, performances: list[Performance]) -> list[Float]:
    """Render them one after the other."""
    process, targets = begin(host, place, performances)
    said, _ = process.communicate(timeout=240)
    assert process.returncode == 0, said
    return [np.load(target) for target in targets]


def begin(
    host: str, place: Place, performances: list[Performance], *, slowly: bool = False
) -> tuple[subprocess.Popen[str], list[Path]]:
    """Start rendering; ``slowly``: in real time, until a file ``stop`` is there."""
    folder = place.root / host
    folder.mkdir(exist_ok=True)
    targets = [folder / f"out{number}.npy" for number in range(len(performances))]
    job = folder / "job.json"
    bundle = place.home / ".vst3/Terzetto Drums.vst3"
    renders = [{**asdict(each), "target": str(target)} for each, target in zip(performances, targets, strict=True)]
    job.write_text(json.dumps({"host": host, "bundle": str(bundle), "renders": renders, "slowly": slowly}))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.hosts.instrument", str(job)], cwd=ROOT, env=place.environment,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    return process, targets


def in_dawdreamer(job: dict[str, Any]) -> None:
    import dawdreamer

    for item in job["renders"]:
        engine = dawdreamer.RenderEngine(RATE, item["block"])
        engine.set_bpm(120)
        plugin = engine.make_plugin_processor("drums", job["bundle"])
        assert plugin.get_num_input_channels() == 0 and plugin.get_num_output_channels() == 2
        if item["state"] is not None:
            preset = Path(item["target"]).with_suffix(".vstpreset")
            preset.write_bytes(vst3_preset(class_id("drums"), item["state"]))
            assert plugin.load_vst3_preset(str(preset))
        index = {entry["name"]: entry["index"] for entry in plugin.get_plugin_parameters_description()}
        for name, value in item["settings"].items():
            plugin.set_parameter(index[name], value)
        for pitch, velocity, seconds in item["notes"]:
            plugin.add_midi_note(pitch, velocity, seconds, 0.1)
        engine.load_graph([(plugin, [])])
        engine.render(item["seconds"])
        latency = plugin.get_latency_samples()
        frames = round(item["seconds"] * RATE) - 4096
        np.save(item["target"], engine.get_audio()[:, latency : latency + frames])


def in_pedalboard(job: dict[str, Any]) -> None:
    import mido
    import pedalboard

    plugin = pedalboard.load_plugin(job["bundle"])
    assert plugin.is_instrument and not plugin.is_effect
    for item in job["renders"]:
        if item["state"] is not None:
            plugin.preset_data = vst3_preset(class_id("drums"), item["state"])
        for name, value in item["settings"].items():
            setattr(plugin, name, value)
        notes = [mido.Message("note_on", note=note, velocity=loud, time=at) for note, loud, at in item["notes"]]
        seconds, stop = item["seconds"], Path(item["target"]).with_name("stop")
        out = [plugin(notes, seconds, RATE, 2, item["block"], True)]
        while job["slowly"] and not stop.exists() and len(out) < 400:
            out.append(plugin([], seconds, RATE, 2, item["block"], False))
            time.sleep(seconds)
        np.save(item["target"], np.concatenate(out, axis=1))


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text())
    {"pedalboard": in_pedalboard, "dawdreamer": in_dawdreamer}[given["host"]](given)
