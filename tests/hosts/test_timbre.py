"""Terzetto Timbre in real hosts: a bounce is what `terzetto morph` makes, and a controller is at the pad."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import soundfile

from terzetto.control.messages import Message
from terzetto.control.osc import decode, encode
from terzetto_host.presets import plugin_state
from tests.engine.timbre.stage import RATE, Float, recording, tone
from tests.hosts.ardour import Ardour, Insert, Track
from tests.hosts.judge import differences
from tests.hosts.offline import HostName, Render, render, start
from tests.hosts.place import Place, wait_until

BLOCKS, PIPELINE = (64, 1000), 1024
MODEL = "timbre_instruments"


def bundle(place: Place) -> Path:
    return place.home / ".vst3/Terzetto Timbre.vst3"


def morphed(place: Place, take: Float, *arguments: str) -> Float:
    """What `terzetto morph` makes of a take."""
    source, out = place.root / "take.wav", place.root / "morphed.wav"
    soundfile.write(source, take.T, RATE, subtype="FLOAT")
    done = place.command("morph", str(source), *arguments, "-o", str(out))
    assert done.returncode == 0, done.stderr
    audio, _ = soundfile.read(out, dtype="float32", always_2d=True)
    return audio.T.copy()


@pytest.mark.parametrize(
    ("host", "window", "latency"),
    [
        ("pedalboard", "long", 2048),
        pytest.param("dawdreamer", "long", 2048, marks=pytest.mark.soak),
        ("dawdreamer", "short", 1024),
    ],
)
def test_hosts_bounce_what_morph_makes_of_a_model(
    place: Place, with_dawdreamer: None, host: HostName, window: str, latency: int
) -> None:
    low = ["--low-latency"] if window == "short" else []
    take = tone(RATE // 2)
    expected = morphed(place, take, "--to", MODEL, "--pad", "0.25", "0.75", "--amount", "0.75", *low)
    assert np.abs(expected - take).max() > 0.01
    state = plugin_state("timbre", {"pad_x": 0.25, "pad_y": 0.75, "amount": 0.75, "window": window})
    jobs = [Render(take, RATE, block) for block in BLOCKS]
    done = render(host, bundle(place), jobs, place.root / host, place.environment, state=state)
    for job, result in zip(jobs, done, strict=True):
        assert not differences(result.audio, expected), job.block
    if host == "dawdreamer":  # pedalboard does not tell
        assert done[0].latency == PIPELINE + latency


@pytest.mark.parametrize(("kind", "block"), [("VST3", 64), pytest.param("LV2", 1024, marks=pytest.mark.soak)])
def test_ardour_exports_what_morph_makes_of_a_model(
    kind: Literal["VST3", "LV2"], block: int, place: Place, tmp_path: Path, with_ardour: None
) -> None:
    take, values = tone(2 * RATE), {"pad_x": 0.25, "pad_y": 0.75}
    expected = morphed(place, take, "--to", MODEL, "--pad", "0.25", "0.75")
    ardour = Ardour(place.environment)
    identity = ardour.scan(bundle(place)) if kind == "VST3" else "https://terzetto.audio/plugins/timbre"
    state = plugin_state("timbre", values, {"timbre": {"values": values}})
    track = Track("voice", take, [Insert(kind, identity, state)])
    assert not differences(ardour.make_session(tmp_path / "song", [track], RATE, block).export(), expected)


def test_pedalboard_bounces_what_morph_makes_of_a_recording(place: Place) -> None:
    take, target = tone(RATE // 2), recording(place.root / "target.wav")
    expected = morphed(place, take, "--to", target, "--method", "mosaic")
    assert np.abs(expected - take).max() > 0.01
    state = plugin_state("timbre", {"method": "mosaic"}, {"timbre": {"target": target}})
    (result,) = render("pedalboard", bundle(place), [Render(take)], place.root / "host", place.environment, state=state)
    assert not differences(result.audio, expected)


def test_a_foreign_controller_moves_the_pad_of_a_running_plugin(place: Place) -> None:
    take = np.tile(tone(RATE), (1, 20))
    process, (target,) = start("pedalboard", bundle(place), [Render(take)], place.root / "host", place.environment)
    try:
        assert wait_until(lambda: place.server() is not None, 60.0)
        server = place.server()
        assert server is not None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as controller:
            controller.settimeout(0.2)
            to = ("127.0.0.1", int(str(server["osc_port"])))

            def answer(address: str) -> tuple[object, ...]:
                controller.sendto(encode(Message(address)), to)
                try:
                    while True:
                        (message,) = decode(controller.recv(4096))
                        if message.address.endswith(address.rpartition("/")[2]) and message.arguments:
                            return message.arguments
                except TimeoutError:
                    return ()

            assert wait_until(lambda: answer("/terzetto/timbre/pad_x") == (0.5,), 60.0)
            controller.sendto(encode(Message("/terzetto/timbre/pad", (0.25, 0.75))), to)
            assert wait_until(lambda: answer("/terzetto/timbre/pad_x") == (0.25,), 10.0)
            assert wait_until(lambda: answer("/terzetto/timbre/pad_y") == (0.75,), 10.0)
    finally:
        said, _ = process.communicate(timeout=240)
    assert process.returncode == 0, said
    assert np.abs(np.load(target)).max() > 0.01
