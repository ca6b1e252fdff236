"""The demo excerpt, learned by Hands: as a file that chains name, and as long as one likes, for real-time pace."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import soundfile

from terzetto.audio.files import ArrayTake
from terzetto.audio.stream import render
from terzetto.control.messages import Message
from terzetto.hands.learning import learn
from terzetto.hands.live import HandsProcessor
from terzetto.score.notes import Score
from terzetto.score.read import read_score
from tests.hosts.judge import Float
from tests.hosts.states import plugin_state

EXCERPT = Path(__file__).resolve().parents[2] / "engine/terzetto/demo/excerpt"
NAME = "chopin_op28no4_opening"
# What the tests turn: the same for a chain file and for the plugin's own parameters.
SETTINGS: dict[str, Any] = {"left_gain": -18.0, "right_gain": 2.0, "spread": 0.25}


def read_excerpt(seconds: float, sample_rate: int) -> Float:
    """Read the first seconds of the excerpt, in stereo, at a rate."""
    samples, rate = soundfile.read(EXCERPT / f"{NAME}.flac", dtype="float32", always_2d=True)
    mono = samples[: round(seconds * rate), 0]
    if rate != sample_rate:
        mono = librosa.resample(mono, orig_sr=rate, target_sr=sample_rate)
    out: Float = np.stack([0.9 * mono, 0.8 * mono]).astype(np.float32)
    return out


def read_excerpt_score() -> Score:
    """Read its score, with the hands."""
    return read_score(EXCERPT / f"{NAME}.mid")


def learned_state(audio: Float, sample_rate: int, score: Score) -> dict[str, Any]:
    """Learn a take; returns the state of Hands."""
    hands = HandsProcessor()
    hands.use(score, [learn(ArrayTake(audio, sample_rate), score)])
    return hands.state()


def hands_chain(learned: Path) -> str:
    """Write a chain file: Hands with what it has learned, then pedalboard's compressor and gain."""
    settings = "\n".join(f"{name} = {value}" for name, value in SETTINGS.items())
    return f"""[[stage]]
plugin = "hands"
learned = {json.dumps(str(learned))}
{settings}

[[stage]]
plugin = "Compressor"
threshold_db = -24.0
ratio = 3.0

[[stage]]
plugin = "Gain"
gain_db = 2.5
"""


@dataclass(frozen=True)
class HandsTake:
    """A long take, the plugin's state that plays it, and what then comes out (latency taken off)."""

    sample_rate: int
    audio: Float
    wet: Float
    state: str
    latency: int

    @property
    def seconds(self) -> float:
        return self.audio.shape[1] / self.sample_rate


def repeated(score: Score, times: int, length: float, end: float) -> Score:
    """Repeat a score every ``length`` seconds, up to ``end``."""
    parts = [replace(score, onset=score.onset + n * length, offset=score.offset + n * length) for n in range(times)]
    columns = ("onset", "offset", "pitch", "velocity", "hand", "track")
    joined = Score(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in columns},
        track_names=score.track_names,
        pedal=np.concatenate([score.pedal + n * length for n in range(times)]),
    )
    return joined.select(joined.onset < end)


def hands_take(seconds: float, sample_rate: int) -> HandsTake:
    """Repeat the excerpt, learn it, and render it through Hands offline."""
    once, score = read_excerpt(1e3, sample_rate), read_excerpt_score()
    length = once.shape[1] / sample_rate
    repeats = int(np.ceil(seconds / length))
    audio = np.tile(once, repeats)[:, : round(seconds * sample_rate)]
    state = learned_state(audio, sample_rate, repeated(score, repeats, length, seconds))
    hands = HandsProcessor()
    hands.restore(state)
    events = [Message(f"/terzetto/hands/{name}", (value,)) for name, value in SETTINGS.items()]
    wet = np.concatenate(list(render(hands, ArrayTake(audio, sample_rate), events)), axis=1)
    return HandsTake(sample_rate, audio, wet, plugin_state(None, SETTINGS, {"hands": state}), hands.latency)
