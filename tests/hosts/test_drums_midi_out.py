"""What Terzetto Drums plays goes out as MIDI: recorded in a real-time host (jalv on JACK), to the frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from terzetto.audio.stream import Transport
from terzetto.drums.live import DrumsProcessor
from terzetto_host.presets import plugin_state
from tests.hosts.jalv import Jack
from tests.hosts.place import Place, wait_until

RATE, HOP, SECONDS, TEMPO = 48000, 512, 6, 120.0
PIPELINE = 1024  # frames at a block of 256
URI = "https://terzetto.audio/plugins/drums"
VALUES = {"pad_x": 0.25, "swing": 0.25, "level": -3.0}
ENOUGH, TAPES = 12, 5


def notes_of_the_song() -> set[tuple[int, int, int]]:
    """Which notes the pattern has with a transport that starts at 0: (frame, pitch, velocity)."""
    drums = DrumsProcessor()
    drums.restore({"values": VALUES})
    drums.prepare(RATE, 2, HOP)
    found = set()
    for at in range(0, SECONDS * RATE, HOP):
        drums.process(np.zeros((2, HOP), np.float32), [], Transport(at, TEMPO, True, at * TEMPO / 60 / RATE))
        for message in drums.outbox:
            if message.address.endswith("/played"):
                pitch, velocity, _ = (int(str(each)) for each in message.arguments)
                found.add((at + message.frame, pitch, velocity))
        drums.outbox.clear()
    assert drums.wait(30.0)
    return {note for note in found if note[2] > 0}


def test_the_notes_are_heard_in_a_real_time_host_when_they_sound(place: Place, tmp_path: Path, with_jack: None) -> None:
    expected = notes_of_the_song()
    text = plugin_state("drums", VALUES, {"drums": {"version": 1, "values": VALUES}})
    heard: set[tuple[int, int, int]] = set()
    with Jack(tmp_path / "jack", place.environment) as jack:
        jack.load(URI, text)
        assert wait_until(lambda: bool(place.workers()), 60.0)
        # A busy machine loses hops, and with them what they would have played: what does come has to be right.
        for _ in range(TAPES):
            recorded = jack.play(np.zeros((1, SECONDS * RATE), np.float32), tempo=TEMPO).result()
            begun = [each for each in recorded.notes if each[1] >> 4 == 9 and each[3] > 0]
            assert {status & 15 for _, status, _, _ in begun} <= {9}, "drums are on channel 10"
            came = {(frame - PIPELINE, pitch, velocity) for frame, _, pitch, velocity in begun}
            assert came <= expected, sorted(came - expected)
            for frame, _, pitch, _ in begun:
                ends = [at for at, status, note, _ in recorded.notes if status >> 4 == 8 and note == pitch]
                assert any(at > frame for at in ends) or frame > (SECONDS - 1) * RATE, "a note that never ends"
            heard |= came
            if len(heard) >= ENOUGH:
                break
    assert len(heard) >= ENOUGH, f"{len(heard)} of {len(expected)} notes"
    assert np.abs(recorded.audio).max() > 0.01
