"""Terzetto Drums as an instrument in real hosts: notes in, patterns with the transport, a controller at the pad."""

from __future__ import annotations

import json
import socket

import numpy as np

from terzetto.audio.stream import Transport
from terzetto.control.messages import Message
from terzetto.control.osc import decode, encode
from terzetto.drums.drum_map import DRUMS
from terzetto.drums.kit_file import shipped_kit
from terzetto.drums.live import DrumsProcessor
from terzetto.drums.voice_sounds import kit_sounds
from terzetto_host import presets
from tests.hosts.instrument import RATE, Float, Performance, begin, perform
from tests.hosts.judge import differences
from tests.hosts.place import Place, wait_until
from tests.hosts.states import inverter

HOP = 512
LATENCY = 1024
DIES = 72000  # frame at which an engine does


def processor(seconds: float, settings: dict[str, float | str]) -> Float:
    """What the processor plays with the transport, without a host."""
    drums = DrumsProcessor()
    drums.prepare(RATE, 2, HOP)
    events = [Message(f"/terzetto/drums/{name}", (value,)) for name, value in settings.items()]
    out = []
    for at in range(0, round(seconds * RATE), HOP):
        out.append(drums.process(np.zeros((2, HOP), np.float32), events, Transport(at, 120.0, True, at / 24000)))
        events = []
    return np.concatenate(out, axis=1)


def test_dawdreamer_plays_the_pattern_and_the_notes_at_every_block_size(place: Place, with_dawdreamer: None) -> None:
    settings = {"Across": 0.25, "Variation": 0.5, "Swing": 0.3}
    blocks = (64, 512, 1000)
    played = perform("dawdreamer", place, [Performance(5.0, block, (), settings) for block in blocks])
    expected = processor(5.0, {"pad_x": 0.25, "variation": 0.5, "swing": float(np.float32(0.3))})
    assert np.abs(expected).max() > 0.05
    for block, audio in zip(blocks, played, strict=True):
        assert not differences(audio, expected[:, : audio.shape[1]]), block

    notes = [Performance(2.0, block, ((36, 127, 1.0),), {"Play": 0.0}) for block in (64, 1000)]
    kick = kit_sounds(shipped_kit(), RATE)[DRUMS.index("kick")].audio
    for audio in perform("dawdreamer", place, notes):
        (first, *_) = np.flatnonzero(audio.any(axis=0))
        assert abs(int(first) - RATE) <= 1, "DawDreamer's notes lie between two frames"
        assert not differences(audio[:, first : first + 4096], kick[:, :4096])


def test_a_cymbal_rings_on_when_the_engine_dies(place_with_stages: Place, with_dawdreamer: None) -> None:
    died = place_with_stages.root / "died"
    chain = '[[stage]]\nplugin = "drums"\n' + inverter(crash_at=DIES, crash_once=str(died))
    state = presets.plugin_state("drums", {"play": "off"}, {"chain": chain})
    performance = Performance(2.6, 512, ((49, 127, 0.25),), state=state)
    (audio,) = perform("dawdreamer", place_with_stages, [performance])
    assert died.exists(), "the engine never came to the frame where it dies"
    (first, *_) = np.flatnonzero(audio.any(axis=0))
    crash = kit_sounds(shipped_kit(), RATE)[DRUMS.index("crash")].audio
    rings = min(crash.shape[1], audio.shape[1] - first)
    assert np.abs(crash[:, DIES - first :]).max() > 1e-3, "it does not ring any more when the engine dies"
    assert not differences(audio[:, first : first + rings], -crash[:, :rings])


def test_pedalboard_plays_it_as_an_instrument(place: Place) -> None:
    silent, noted, pattern = perform(
        "pedalboard", place,
        [Performance(0.5), Performance(1.0, 256, ((38, 127, 0.5),)), Performance(1.0, 512, (), {"play": "always"})],
    )  # fmt: skip
    assert silent.shape == (2, RATE // 2) and not silent.any(), "no song, no pattern"
    snare = kit_sounds(shipped_kit(), RATE)[DRUMS.index("snare")].audio
    start = RATE // 2 + LATENCY  # pedalboard takes no instrument's latency off
    assert not noted[:, :start].any() and not differences(noted[:, start : start + 4096], snare[:, :4096])
    assert np.abs(pattern).max() > 0.05


def test_a_foreign_controller_moves_the_pad_of_a_running_plugin(place: Place) -> None:
    process, (target,) = begin("pedalboard", place, [Performance(0.1, 512, (), {"play": "always"})], slowly=True)
    try:
        assert wait_until(lambda: place.server() is not None, 60.0)
        server = place.server()
        assert server is not None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as controller:
            controller.settimeout(0.2)
            to = ("127.0.0.1", int(str(server["osc_port"])))

            def answer(address: str) -> object:
                """Ask for a value; what else the server says, errors while an instance starts, is passed over."""
                controller.sendto(encode(Message(address)), to)
                try:
                    while True:
                        (message,) = decode(controller.recv(4096))
                        if message.address.endswith(address.rpartition("/")[2]) and message.arguments:
                            return message.arguments[0]
                except TimeoutError:
                    return None

            assert wait_until(lambda: answer("/terzetto/drums/pad_x") == 0.5, 60.0)

            # Sent once each, whenever the host prepares the plugin anew.
            controller.sendto(encode(Message("/terzetto/drums/pad_x", (0.25,))), to)
            assert wait_until(lambda: answer("/terzetto/drums/pad_x") == 0.25, 10.0)
            controller.sendto(encode(Message("/terzetto/drums/latent", (2.0, -2.0))), to)
            assert wait_until(lambda: answer("/terzetto/drums/pad_x") == 0.75, 10.0)
            assert wait_until(lambda: answer("/terzetto/drums/pad_y") == 0.25, 10.0)
    finally:
        target.with_name("stop").touch()
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert np.abs(np.load(target)).max() > 0.05


def test_the_plugin_is_told_apart_as_an_instrument(place: Place) -> None:
    bundle = place.home / ".vst3/Terzetto Drums.vst3"
    assert bundle.is_dir()
    turtle = (place.home / ".lv2/Terzetto Drums.lv2/dsp.ttl").read_text()
    assert "lv2:InstrumentPlugin" in turtle and "midi:MidiEvent" in turtle
    assert "InstrumentPlugin" not in (place.home / ".lv2/Terzetto Hands.lv2/dsp.ttl").read_text()
    assert json.loads(place.engine_file.read_text())["command"]
