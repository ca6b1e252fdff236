from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from terzetto.audio.stream import Transport
from terzetto.control.messages import Message
from terzetto.drums.bars import Bars, Settings
from terzetto.drums.beat import Beat, Tempo
from terzetto.drums.clock import Span
from terzetto.drums.drum_map import CLASSES, read_drum_map
from terzetto.drums.grid import hvo_to_beat
from terzetto.drums.kit import SOUNDS, VOICE_OF_SOUND
from terzetto.drums.kit_file import shipped_kit
from terzetto.drums.live import DrumsProcessor
from terzetto.drums.player import Sound, mixed
from terzetto.drums.rendering import Rendering, frame_of, render_beat
from terzetto.drums.voice_sounds import kit_sounds
from terzetto.errors import InputError
from tests.engine.drums.groove import Groove

RATE = 48000
Float = NDArray[np.float32]
BEAT = Beat.of([0, 1, 2, 3, 0.5, 1.5, 2.5, 3.5, 3.75], [36, 38, 36, 38, 42, 42, 42, 46, 49], 0.7, tempo=97.0)


def clicks(frames: int = 1) -> list[Sound]:
    """Sounds of nothing but one."""
    return [Sound(np.ones((1, frames), np.float32), voice) for voice in VOICE_OF_SOUND]


def test_hits_sound_at_their_frames_and_tempo_changes_are_followed() -> None:
    tempi = (Tempo(0.0, 120.0), Tempo(1.0, 60.0), Tempo(2.5, 240.0))
    beat = replace(Beat.of([0, 0.5, 1, 2, 2.5, 3.5], [36] * 6, 1.0), tempi=tempi)
    seconds = [0, 0.25, 0.5, 1.5, 2.0, 2.25]
    frames = [strike.frame for strike in Rendering(beat, RATE).strikes]
    assert frames == [round(each * RATE) for each in seconds]
    (voices,) = np.concatenate(list(Rendering(beat, RATE).voices(clicks(), 1)), axis=2)[CLASSES.index("kick")]
    assert np.flatnonzero(voices).tolist() == frames
    assert len(voices) == round(2.375 * RATE), "to the end of the bar"
    assert frame_of(beat, 4.0, RATE) == len(voices)


def test_frames_are_those_of_the_plugins_clock() -> None:
    for rate, bpm in ((44100, 120.0), (48000, 97.0), (96000, 173.3)):
        span = Span(0.0, 60 * rate / bpm, False)
        beat = Beat.of(np.arange(64) / 4 + 0.01, [36] * 64, 1.0, tempo=bpm)
        assert [strike.frame for strike in Rendering(beat, rate).strikes] == [span.frame(each) for each in beat.onset]


def test_what_rings_at_the_end_rings_out() -> None:
    heard = render_beat(BEAT, RATE)
    bar, crash = frame_of(BEAT, 4.0, RATE), kit_sounds(shipped_kit(), RATE)[SOUNDS.index("crash")]
    assert heard.shape == (2, frame_of(BEAT, 3.75, RATE) + crash.frames) and heard.shape[1] > bar
    assert heard[:, -1000:].any() and np.abs(heard[:, -1]).max() < 1e-3
    assert 0.05 < np.abs(heard).max() < 1.0


def test_stems_sum_to_the_mix_to_the_last_bit() -> None:
    sounds = kit_sounds(shipped_kit(), RATE)
    voices = np.concatenate(list(Rendering(BEAT, RATE).voices(sounds)), axis=2)
    assert np.array_equal(mixed(voices), render_beat(BEAT, RATE))
    heard = {name for name, voice in zip(CLASSES, voices, strict=True) if voice.any()}
    assert heard == {"kick", "snare", "closed hat", "open hat", "cymbal"}


def test_a_loop_is_what_is_heard_when_it_goes_round() -> None:
    for beat in (BEAT, Beat.of([0.0, 3.0], [49, 46], 0.9, tempo=400.0)):  # the second is shorter than its cymbal
        whole = frame_of(beat, beat.length, RATE)
        loop = render_beat(beat, RATE, loop=True)
        assert loop.shape[1] == whole
        turns = 12
        onset = np.concatenate([beat.onset + turn * beat.length for turn in range(turns)])
        # Frames are rounded from the beginning of each turn: strikes are compared to within one.
        again = Beat.of(onset, np.tile(beat.note, turns), np.tile(beat.velocity, turns), tempo=beat.tempo)
        frames = [strike.frame - (turns - 1) * whole for strike in Rendering(again, RATE).strikes[-len(beat) :]]
        assert np.abs(np.array(frames) - [strike.frame for strike in Rendering(beat, RATE).strikes]).max() <= turns
        late = render_beat(again, RATE)[:, (turns - 1) * whole : turns * whole]
        assert np.abs(late).max() == pytest.approx(np.abs(loop).max(), rel=0.05)
        assert loop[:, :100].any(), "what rings over the end"


def test_the_plugin_plays_the_same_samples() -> None:
    def live(events: list[Message], settings: list[Message], rolling: bool) -> Float:
        drums = DrumsProcessor(lambda name: Groove())
        drums.prepare(RATE, 2, 512)
        out = []
        for first in range(0, frames - frames % 512, 512):
            here = [Message(each.address, each.arguments, each.frame - first) for each in events
                    if first <= each.frame < first + 512]  # fmt: skip
            here += settings if first == 0 else []
            transport = Transport(first, 110.0, rolling)
            out.append(drums.process(np.zeros((2, 512), np.float32), here, transport))
        return np.concatenate(out, axis=1)

    def to(name: str, *arguments: float | str, frame: int = 0) -> Message:
        return Message(f"/terzetto/drums/{name}", arguments, frame)

    bars = Bars(Groove())
    patterns = [bars.pattern(Settings(x=0.75, variation=0.5, seed=3), bar) for bar in range(2)]
    beat = hvo_to_beat(patterns, tempo=110.0)
    frames = frame_of(beat, beat.length, RATE)
    expected = render_beat(beat, RATE)[:, : frames - frames % 512]
    assert np.abs(expected).max() > 0.05
    assert np.array_equal(live([], [to("pad_x", 0.75), to("variation", 0.5), to("seed", 3.0)], True), expected)

    drum_map = read_drum_map()
    notes = replace(beat, velocity=(np.round(beat.velocity * 127) / 127).astype(np.float32))
    events = [to("note", int(drum_map.note_of_drum[strike.sound]), round(strike.velocity * 127), 10, frame=strike.frame)
              for strike in Rendering(notes, RATE).strikes]  # fmt: skip
    heard = live(events, [to("play", "off")], False)
    assert np.array_equal(heard, render_beat(notes, RATE)[:, : heard.shape[1]])


def test_beats_without_drums_and_without_end(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text('[notes]\n60 = { class = "none", drum = "none" }')
    drum_map = read_drum_map(tmp_path / "map.toml")
    with pytest.raises(InputError, match=r"none of its notes \(60\) is a drum; give a drum map"):
        Rendering(Beat.of([0.0], [60], 1.0, drum_map=drum_map), RATE)
    assert Rendering(Beat.of([0.0, 1.0], [60, 36], 1.0, drum_map=drum_map), RATE).left_out == [60]
    with pytest.raises(InputError, match=r"the beat lasts 16.7 hours"):
        Rendering(Beat.of([0.0], [36], 1.0, tempo=4.0, bars=1000), RATE)
    early = Rendering(Beat.of([-0.02, 0.0], [36, 38], 1.0), RATE)
    assert [strike.frame for strike in early.strikes] == [0, 0]
