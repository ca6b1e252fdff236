"""The two hosts that are Python modules: pedalboard and DawDreamer, each in a process of its own.

    python -m tests.hosts.offline JOB.json

JOB names the host, the VST3 bundle, the state, and what to render; prints one JSON object. A plugin reads its
environment when it is loaded, and a host may be killed: neither is for the process that runs the tests.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import mido
import numpy as np
from numpy.typing import NDArray

from terzetto_host.presets import class_id, vst3_preset, vst3_state
from tests.hosts.failure import HostFailedError
from tests.hosts.plugin_state import vst3_chunk_text

Float = NDArray[np.float32]
HostName = Literal["pedalboard", "dawdreamer"]
ROOT = Path(__file__).resolve().parents[2]
TAIL = 0.7  # seconds that DawDreamer renders beyond the end, for the latency to pass


@dataclass(frozen=True)
class Render:
    """What to render: audio (channels × frames) at a rate, in blocks.

    DawDreamer also takes ``notes``, (pitch, velocity, first frame, frames, channel 1 to 16), and parameters by their
    title: ``settings``, or ``automation``, a value for every frame.
    """

    audio: Float
    sample_rate: int = 48000
    block: int = 512
    notes: Sequence[tuple[int, int, int, int, int]] = ()
    settings: dict[str, float] = field(default_factory=dict)
    automation: dict[str, NDArray[np.float32]] = field(default_factory=dict)


@dataclass(frozen=True)
class Rendered:
    """What came out: as many frames as went in, latency taken off; and what the plugin said it was."""

    audio: Float
    latency: int
    parameters: dict[str, str]


def render(
    host: HostName, bundle: Path, renders: Sequence[Render], folder: Path, environment: dict[str, str], **job: Any
) -> list[Rendered]:
    """Render one after the other; ``state`` is the text to restore first. Raises HostFailedError.

    pedalboard has one plugin for all, DawDreamer one each, or one for all with ``one_plugin``. ``state_file``: where
    the state is written afterwards, by DawDreamer when it holds the text ``state_with``.
    """
    process, targets = start(host, bundle, renders, folder, environment, **job)
    try:
        said, _ = process.communicate(timeout=240)
    except subprocess.TimeoutExpired:
        process.kill()
        said, _ = process.communicate()
        raise HostFailedError(f"{host} did not end:\n{said}") from None
    if process.returncode != 0:
        raise HostFailedError(f"{host} ended with {process.returncode}:\n{said}")
    notes = [json.loads(line) for line in said.splitlines() if line.startswith('{"latency"')]
    return [
        Rendered(np.load(target), note["latency"], note["parameters"])
        for target, note in zip(targets, notes, strict=True)
    ]


def start(
    host: HostName, bundle: Path, renders: Sequence[Render], folder: Path, environment: dict[str, str], **job: Any
) -> tuple[subprocess.Popen[str], list[Path]]:
    """Start rendering; returns the process and the files that it will write."""
    folder.mkdir(parents=True, exist_ok=True)
    listed: list[dict[str, Any]] = []
    for number, item in enumerate(renders):
        source = folder / f"in{number}.npy"
        np.save(source, item.audio)
        listed.append(
            {
                "source": str(source),
                "target": str(folder / f"out{number}.npy"),
                "sample_rate": item.sample_rate,
                "block": item.block,
                "notes": list(item.notes),
                "settings": item.settings,
                "automation": [],
            }
        )
        for name, values in item.automation.items():
            curve = folder / f"automation{number}-{len(listed[-1]['automation'])}.npy"
            np.save(curve, values)
            listed[-1]["automation"].append([name, str(curve)])
    job_file = folder / "job.json"
    job_file.write_text(json.dumps({"host": host, "bundle": str(bundle), "renders": listed} | job))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.hosts.offline", str(job_file)],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return process, [Path(item["target"]) for item in listed]


def identity_of(bundle: str) -> str:
    """The class id of the plugin in a bundle, such as ``Terzetto Hands.vst3``."""
    return class_id(Path(bundle).stem.rpartition(" ")[2].lower())


def in_pedalboard(job: dict[str, Any]) -> None:
    """Render as a pedalboard program does: one plugin, a call per file."""
    import pedalboard

    plugin = pedalboard.load_plugin(job["bundle"])
    if job.get("state") is not None:
        plugin.preset_data = vst3_preset(identity_of(job["bundle"]), job["state"])
    for name, value in job.get("parameters", {}).items():
        setattr(plugin, name, value)
    for item in job["renders"]:
        audio = np.load(item["source"])
        out = plugin(audio, item["sample_rate"], buffer_size=item["block"], reset=True)
        np.save(item["target"], out)
        shown = {name: str(getattr(plugin, name)) for name in plugin.parameters}
        # pedalboard takes the latency off by itself and does not tell it.
        print(json.dumps({"latency": -1, "parameters": shown}), flush=True)
    if "state_file" in job:
        Path(job["state_file"]).write_text(vst3_state(plugin.preset_data))


def in_dawdreamer(job: dict[str, Any]) -> None:
    """Render as a DawDreamer script does; the latency is taken off here, DawDreamer leaves it."""
    import dawdreamer

    engine = plugin = None
    for item in job["renders"]:
        audio = np.load(item["source"])
        if plugin is None or not job.get("one_plugin"):
            engine = dawdreamer.RenderEngine(item["sample_rate"], item["block"])
            playback = engine.make_playback_processor("take", audio)
            plugin = engine.make_plugin_processor("plugin", job["bundle"])
            engine.load_graph([(playback, []), (plugin, ["take"])])
            if job.get("state") is not None:
                preset = Path(item["target"]).with_suffix(".vstpreset")
                preset.write_bytes(vst3_preset(identity_of(job["bundle"]), job["state"]))
                if not plugin.load_vst3_preset(str(preset)):
                    raise SystemExit("DawDreamer did not take the preset")
        playback.set_data(audio)
        steer(plugin, item)
        # The latency may still change when the engine has come up: render, then cut by what is reported at the end.
        engine.render(audio.shape[1] / item["sample_rate"] + TAIL)
        latency = plugin.get_latency_samples()
        np.save(item["target"], engine.get_audio()[:, latency : latency + audio.shape[1]])
        shown = {entry["name"]: entry["text"] for entry in plugin.get_plugin_parameters_description()}
        print(json.dumps({"latency": latency, "parameters": shown}), flush=True)
    if "state_file" in job:
        keep_state(plugin, Path(job["state_file"]), job["state_with"])


def steer(plugin: Any, item: dict[str, Any]) -> None:
    """Give DawDreamer's plugin the notes and parameters of a render."""
    index = {entry["name"]: entry["index"] for entry in plugin.get_plugin_parameters_description()}
    for name, value in item["settings"].items():
        plugin.set_parameter(index[name], value)
    for name, curve in item["automation"]:
        plugin.set_automation(index[name], np.load(curve))
    plugin.clear_midi()
    if item["notes"]:
        # A file, because add_midi_note knows one channel only.
        path = Path(item["target"]).with_suffix(".mid")
        write_notes(path, item["notes"], item["sample_rate"])
        if not plugin.load_midi(str(path)):
            raise SystemExit("DawDreamer did not take the notes")


def write_notes(path: Path, notes: Sequence[Sequence[int]], sample_rate: int) -> None:
    """Write notes as a MIDI file with two ticks a frame; a note lies between two frames, for DawDreamer rounds down."""
    events = []
    for pitch, velocity, start, frames, channel in notes:
        common = {"note": pitch, "channel": channel - 1}
        events.append((2 * start + 1, 1, mido.Message("note_on", velocity=velocity, **common)))
        events.append((2 * (start + frames) + 1, 0, mido.Message("note_off", velocity=0, **common)))
    beats = 8  # a second; a beat has 32,767 ticks at most
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=1_000_000 // beats)])
    now = 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        track.append(message.copy(time=tick - now))
        now = tick
    mido.MidiFile(type=0, ticks_per_beat=2 * sample_rate // beats, tracks=[track]).save(path)


def keep_state(plugin: Any, target: Path, needed: str) -> None:
    """Write the plugin's state when it holds a text: the engine hands its part over a moment after the last hop."""
    raw = target.with_suffix(".raw")
    deadline = time.monotonic() + 20.0
    while True:
        plugin.save_state(str(raw))
        text = vst3_chunk_text(raw.read_bytes())
        if needed in text or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    target.write_text(text)


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text())
    {"pedalboard": in_pedalboard, "dawdreamer": in_dawdreamer}[given["host"]](given)
