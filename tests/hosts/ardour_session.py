"""Ardour's session files: audio, and the states of plugins, written where Ardour's Lua host has no call for them."""

from __future__ import annotations

import base64
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile
from numpy.typing import NDArray

from terzetto_host.presets import vst3_preset, vst3_state
from tests.hosts.failure import HostFailedError
from tests.hosts.plugin_state import juce_base64_decoded, lv2_state

Float = NDArray[np.float32]
SUPERCLOCK = 282_240_000  # Ardour's ticks a second: a multiple of all common rates


@dataclass(frozen=True)
class Insert:
    """A plugin on a track.

    Attributes
    ----------
    format : 'LV2' or 'VST3'
    identity : str
        LV2: the plugin's URI. VST3: its class id as Ardour shows it, 32 hexadecimal digits.
    state : str or None
        The text that the plugin's state is restored from; None leaves it as it starts.
    """

    format: Literal["LV2", "VST3"]
    identity: str
    state: str | None = None


@dataclass(frozen=True)
class Track:
    """A track: audio from the song's start, channels × frames, and the plugins on it.

    With ``midi`` it is a MIDI track, the first plugin its instrument, and the audio says only how long the song is.
    """

    name: str
    audio: Float
    inserts: Sequence[Insert] = field(default_factory=tuple)
    midi: bool = False


@dataclass(frozen=True)
class SessionFile:
    """A saved session, in the folder of its name."""

    folder: Path
    sample_rate: int
    block: int

    @property
    def file(self) -> Path:
        return self.folder / f"{self.folder.name}.ardour"

    def fill(self, tracks: Sequence[Track]) -> None:
        """Write the tracks' audio and their plugins' states into the saved session."""
        tree = ElementTree.parse(self.file)
        root = tree.getroot()
        ids = iter(range(1_000_000, 2_000_000))
        frames = max(track.audio.shape[1] for track in tracks)
        for track in tracks:
            route = one(root, f"Routes/Route[@name='{track.name}']")
            if not track.midi:
                playlist = one(root, f"Playlists/Playlist[@id='{route.attrib['audio-playlist']}']")
                self._add_region(root, playlist, track, ids)
            for shell in route.iter("PannerShell"):
                shell.set("bypassed", "1")
            found = [p for p in route.findall("Processor") if p.get("type") in ("lv2", "vst3")]
            for insert, processor in zip(track.inserts, found, strict=True):
                if insert.state is not None:
                    self._set_state(processor, insert)
        ElementTree.SubElement(
            one(root, "Locations"),
            "Location",
            {
                "id": str(next(ids)),
                "name": "session",
                "start": "a0",
                "end": self._time(frames),
                "flags": "IsSessionRange",
                "locked": "0",
                "position-lock-style": "AudioTime",
            },
        )
        root.set("id-counter", str(next(ids)))
        tree.write(self.file, encoding="UTF-8", xml_declaration=True)

    def _time(self, frames: int) -> str:
        return f"a{frames * (SUPERCLOCK // self.sample_rate)}"

    def _add_region(
        self, root: ElementTree.Element, playlist: ElementTree.Element, track: Track, ids: Iterator[int]
    ) -> None:
        sources = []
        folder = self.folder / "interchange" / self.folder.name / "audiofiles"
        for channel, samples in enumerate(track.audio):
            name = f"{track.name}-{channel}.wav"
            soundfile.write(folder / name, samples, self.sample_rate, subtype="FLOAT")
            identity = str(next(ids))
            sources.append(identity)
            ElementTree.SubElement(
                one(root, "Sources"),
                "Source",
                {
                    "name": name,
                    "take-id": "",
                    "type": "audio",
                    "flags": "",
                    "id": identity,
                    "channel": "0",
                    "origin": "",
                    "natural-position": "a0",
                    "gain": "1",
                },
            )
        region = {
            "name": track.name,
            "type": "audio",
            "id": str(next(ids)),
            "start": "a0",
            "length": f"{self._time(track.audio.shape[1])}@a0",
            "muted": "0",
            "opaque": "1",
            "fade-in-active": "0",
            "fade-out-active": "0",
            "default-fade-in": "0",
            "default-fade-out": "0",
            "envelope-active": "0",
            "scale-amplitude": "1",
            "channels": str(len(sources)),
        }
        for channel, identity in enumerate(sources):
            region[f"source-{channel}"] = region[f"master-source-{channel}"] = identity
        ElementTree.SubElement(playlist, "Region", region)

    def _set_state(self, processor: ElementTree.Element, insert: Insert) -> None:
        if insert.format == "LV2":
            file = self._lv2_state(processor)
            file.write_text(lv2_state(insert.identity, insert.state or ""))
            return
        keeper = one(processor, "vst3")
        for port in keeper.findall("Port"):  # these would overrule the state
            keeper.remove(port)
        for control in processor.findall("Controllable"):
            processor.remove(control)
        chunk = one(keeper, "chunk")
        chunk.text = base64.b64encode(vst3_preset(insert.identity, insert.state or "")).decode()

    def _lv2_state(self, processor: ElementTree.Element) -> Path:
        folder = one(processor, "lv2").attrib["state-dir"]
        return self.folder / "plugins" / processor.attrib["id"] / folder / "state.ttl"

    def states(self) -> list[str]:
        """Return the text of every plugin's state, as the session holds it."""
        found = []
        for processor in ElementTree.parse(self.file).getroot().iter("Processor"):
            if processor.get("type") == "vst3":
                found.append(vst3_state(base64.b64decode(one(processor, "vst3/chunk").text or "")))
            elif processor.get("type") == "lv2":
                turtle = self._lv2_state(processor).read_text()
                found.append(juce_base64_decoded(turtle.split(':StateString> "')[1].split('"')[0]).decode())
        return found


def one(root: ElementTree.Element, path: str) -> ElementTree.Element:
    """Find the one element at a path."""
    found = root.findall(path)
    if len(found) != 1:
        raise HostFailedError(f"the session has {len(found)} elements {path}, not one")
    return found[0]
