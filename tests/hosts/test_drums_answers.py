"""What the dictionary says of the pattern that a running plugin plays, asked by a controller over UDP."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from terzetto.control.messages import Message
from terzetto.control.osc import decode, encode
from terzetto.drums.beat import Beat
from terzetto.drums.midi import write_beat
from tests.hosts.instrument import Performance, begin
from tests.hosts.place import Place, wait_until

PATIENCE, AGAIN = 120.0, 2.0  # seconds; a controller in motion sends again and again


def test_a_controller_hears_what_the_pattern_is_made_of_and_like(place: Place, tmp_path: Path) -> None:
    for number, note in enumerate((36, 38, 42)):
        write_beat(tmp_path / "loops" / f"{number}.mid", Beat.of([0.0, 1.0, 2.0, 3.0], [note] * 4, 0.8, bars=1))
    missing = str(tmp_path / "none.mid")
    asked = [
        Message("/terzetto/drums/simplify", (6.0,)),
        Message("/terzetto/drums/atoms"),
        Message("/terzetto/drums/shift_variance"),
        Message("/terzetto/drums/similar", (str(tmp_path / "loops"),)),
        Message("/terzetto/drums/denoise_file", (missing, str(tmp_path / "new.mid"))),
    ]
    wanted = {f"/terzetto/i1/{name}" for name in ("drums/atoms", "drums/shift_variance", "drums/similar", "error")}
    process, (target,) = begin("pedalboard", place, [Performance(0.1, 512, (), {"play": "always"})], slowly=True)
    heard: dict[str, tuple[object, ...]] = {}
    try:
        assert wait_until(lambda: place.server() is not None, 60.0)
        server = place.server()
        assert server is not None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as controller:
            controller.settimeout(0.2)
            controller.bind(("127.0.0.1", 0))
            to = ("127.0.0.1", int(str(server["osc_port"])))
            port = controller.getsockname()[1]
            end, next_time = time.monotonic() + PATIENCE, 0.0
            while not wanted <= set(heard) and time.monotonic() < end:
                if time.monotonic() > next_time:
                    next_time = time.monotonic() + AGAIN
                    for message in (Message("/terzetto/subscribe", (port, "/terzetto")), *asked):
                        controller.sendto(encode(message), to)
                try:
                    (answer,) = decode(controller.recv(16384))
                except TimeoutError:
                    continue
                heard[answer.address] = answer.arguments
    finally:
        target.with_name("stop").touch()
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert wanted <= set(heard), sorted(heard)
    numbers, shares = heard["/terzetto/i1/drums/atoms"][::2], heard["/terzetto/i1/drums/atoms"][1::2]
    assert (
        all(isinstance(number, int) for number in numbers)
        and list(shares) == sorted(map(float, map(str, shares)))[::-1]
    )
    assert len(heard["/terzetto/i1/drums/shift_variance"]) == 16
    similar = heard["/terzetto/i1/drums/similar"]
    assert {Path(str(path)).name for path in similar[::2]} == {"0.mid", "1.mid", "2.mid"}
    text, address = heard["/terzetto/i1/error"]
    assert f"{missing}: no such MIDI file" in str(text) and address == "/terzetto/drums/denoise_file"
    assert not (tmp_path / "new.mid").exists()
