"""A tape deck on JACK: plays a file into a plugin and records what comes out, at the pace of the server.

A program of its own, so that nothing else holds the interpreter up:

    python -m tests.hosts.jack_deck IN.npy OUT.npy FROM_PORT... -- TO_PORT...

IN holds channels × frames (float32); OUT what was recorded in the same cycles, so a plugin's latency is its delay.
Of MIDI ports the notes are recorded, each at its frame. TERZETTO_DECK_TEMPO (beats a minute) lets the deck say JACK's
transport what bar and beat it is at; without it there is no tempo. Prints one JSON object: the server's rate and block,
how many times it ran over (xruns), notes as (frame, status, pitch, velocity). Two clients: one that both
fed the plugin and listened to it would be a loop, which JACK opens with a delay of its own.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jack
import numpy as np

WARM_UP = 0.3  # seconds: the first callbacks are slow


def run(audio: np.ndarray, sources: Sequence[str], sinks: Sequence[str]) -> tuple[np.ndarray, dict[str, object]]:
    """Play and record; ``sources`` are the plugin's outputs, ``sinks`` its inputs.

    The tape follows JACK's transport: song position 0 is its first frame.
    """
    channels, frames = audio.shape
    player, recorder = jack.Client("deck-play"), jack.Client("deck-record")
    out_ports = [player.outports.register(f"out_{c}") for c in range(channels)]
    with_notes = [source for source in sources if recorder.get_port_by_name(source).is_midi]
    sources = [source for source in sources if source not in with_notes]
    in_ports = [recorder.inports.register(f"in_{c}") for c in range(len(sources))]
    note_ports = [recorder.midi_inports.register(f"notes_{c}") for c in range(len(with_notes))]
    recorded = np.zeros((len(sources), frames), np.float32)
    notes: list[tuple[int, ...]] = []
    tally = {"xruns": 0, "cycles": 0, "rolling": 0}
    done = threading.Event()

    def place(client: jack.Client) -> int:
        state, position = client.transport_query_struct()
        return int(position.frame) if state == jack.ROLLING else frames

    @player.set_process_callback
    def play(count: int) -> None:
        at = place(player)
        for port, samples in zip(out_ports, audio, strict=True):
            piece = samples[at : at + count]
            buffer = port.get_array()
            buffer[: len(piece)] = piece
            buffer[len(piece) :] = 0.0

    @recorder.set_process_callback
    def record(count: int) -> None:
        at = place(recorder)
        if at < frames:
            tally["rolling"] = 1
            tally["cycles"] += 1
            for port, samples in zip(in_ports, recorded, strict=True):
                piece = samples[at : at + count]
                piece[:] = port.get_array()[: len(piece)]
            for port in note_ports:
                notes.extend((at + offset, *bytes(event)) for offset, event in port.incoming_midi_events())
        elif tally["rolling"]:
            done.set()

    @recorder.set_xrun_callback
    def xrun(_delayed: float) -> None:
        tally["xruns"] += tally["rolling"]

    tempo = float(os.environ.get("TERZETTO_DECK_TEMPO", "0"))
    if tempo > 0:

        @player.set_timebase_callback
        def beat(_state: int, _block: int, position: Any, _new: bool) -> None:
            tell_beat(position, tempo)

    with player, recorder:
        for number, sink in enumerate(sinks):
            player.connect(out_ports[number % channels], sink)
        for number, source in enumerate(sources):
            recorder.connect(source, in_ports[number])
        for number, source in enumerate(with_notes):
            recorder.connect(source, note_ports[number])
        time.sleep(WARM_UP)
        gc.disable()  # a collection may take longer than a block
        player.transport_locate(0)
        player.transport_start()
        if not done.wait(frames / player.samplerate * 2 + 20):
            raise SystemExit("jack_deck: the server stands still")
        player.transport_stop()
        report: dict[str, object] = {"sample_rate": player.samplerate, "block": player.blocksize}
    report["notes"] = notes
    return recorded, report | tally


def tell_beat(position: Any, tempo: float) -> None:
    """Fill in bar, beat and tick of a position in 4/4."""
    ticks = 1920
    beats = position.frame * tempo / 60 / position.frame_rate
    position.valid = jack.POSITION_BBT
    position.beats_per_bar, position.beat_type = 4.0, 4.0
    position.ticks_per_beat, position.beats_per_minute = float(ticks), tempo
    position.bar, position.beat = 1 + int(beats) // 4, 1 + int(beats) % 4
    position.tick = int((beats - int(beats)) * ticks)
    position.bar_start_tick = float((position.bar - 1) * 4 * ticks)


def main() -> None:
    source_file, target_file, *ports = sys.argv[1:]
    middle = ports.index("--")
    recorded, report = run(np.load(source_file), ports[:middle], ports[middle + 1 :])
    np.save(Path(target_file), recorded)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
