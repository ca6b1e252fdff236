"""Chain files and chains: what they say, what they refuse and where, what they do with sound, events and states."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from terzetto.audio.stream import STOPPED, Processor, Stateful, Transport
from terzetto.control.messages import Message
from terzetto.errors import InputError
from terzetto_host import chain as chain_module
from terzetto_host import chain_file, stages
from terzetto_host.chain import Chain
from tests.host.conftest import Float, noise


class Later:
    """A processor that plays its input later, and keeps what it was told."""

    def __init__(self) -> None:
        self.outbox: list[Message] = []
        self.told: list[Message] = []
        self.positions: list[int | None] = []
        self.state_changed = 0
        self.latency = 100

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> None:
        self._held = np.zeros((channels, self.latency), np.float32)

    def process(self, block: Float, events: Sequence[Message] = (), transport: Transport = STOPPED) -> Float:
        self.told += events
        self.positions.append(transport.position)
        self.state_changed += len(events)
        both = np.concatenate([self._held, block], axis=1)
        self._held = both[:, block.shape[1] :]
        return both[:, : block.shape[1]]

    def reset(self) -> None:
        self._held[:] = 0.0

    def state(self) -> dict[str, Any]:
        return {"values": {}, "told": [message.address for message in self.told]}

    def restore(self, state: dict[str, Any]) -> None:
        self.told = [Message(address) for address in state["told"]]


class Point:
    def load(self) -> type[Later]:
        return Later


@pytest.fixture(autouse=True)
def own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hands here is a processor whose latency is not zero and whose memory can be looked into."""
    for module in (chain_file, chain_module, stages):
        monkeypatch.setattr(module, "own_processors", lambda: {"hands": Point()})


def write(folder: Path, text: str) -> Path:
    path = folder / "chain.toml"
    path.write_text(text)
    return path


BOTH = """\
[[stage]]
plugin = "hands"
left_gain = -12.0
solo = "left"

[[stage]]
plugin = "Gain"
gain_db = -6.0

[[stage]]
plugin = "Gain"
name = "loud"
gain_db = 6.0

[[stage]]
plugin = "Gain"
gain_db = 0.0
"""


def test_a_chain_is_a_processor_with_a_state(tmp_path: Path) -> None:
    chain = Chain.from_file(write(tmp_path, BOTH))
    assert isinstance(chain, Stateful)
    processor: Processor = chain
    processor.prepare(48000, 2, 512)
    assert processor.latency == 100
    sound = noise(2, 2048)
    heard = np.concatenate([processor.process(sound[:, at : at + 512]) for at in range(0, 2048, 512)], axis=1)
    assert not heard[:, :100].any() and np.abs(heard[:, 100:] - sound[:, :-100]).max() < 1e-6


def test_stages_are_named_and_addressed(tmp_path: Path) -> None:
    chain = Chain.from_file(write(tmp_path, BOTH))
    assert [stage.spec.name for stage in chain.stages] == ["hands", "gain", "loud", "gain_2"]
    chain.prepare(48000, 2, 512)
    later = chain.stages[0].processor
    assert isinstance(later, Later)
    assert later.told == [Message("/terzetto/hands/left_gain", (-12.0,)), Message("/terzetto/hands/solo", ("left",))]
    events = [
        Message("/terzetto/hands/mix", (0.5,), 3),
        Message("/terzetto/chain/hands/mix", (0.25,), 5),
        Message("/terzetto/chain/loud/gain_db", (0.0,)),
        Message("/terzetto/drums/pattern", (1,)),
    ]
    chain.process(noise(2, 512), events)
    assert later.told[2:] == [Message("/terzetto/hands/mix", (0.5,), 3), Message("/terzetto/hands/mix", (0.25,), 5)]
    assert chain.state()["loud"] == {"gain_db": 0.0} and chain.state()["gain"] == {"gain_db": -6.0}
    assert next(each.address for each in chain.parameters()) == "/terzetto/chain/gain/gain_db"


def test_a_later_stage_is_told_the_time_that_its_sound_is_from(tmp_path: Path) -> None:
    chain = Chain.from_file(write(tmp_path, '[[stage]]\nplugin="hands"\n[[stage]]\nplugin="hands"\n'))
    chain.prepare(48000, 2, 512)
    chain.process(noise(2, 512), (), Transport(5000, 120.0, True))
    assert [stage.processor.positions for stage in chain.stages] == [[5000], [4900]]  # type: ignore[attr-defined]
    assert chain.latency == 200


def test_a_state_brings_back_chain_and_values(tmp_path: Path) -> None:
    chain = Chain.from_file(write(tmp_path, BOTH))
    chain.prepare(48000, 2, 512)
    chain.process(
        noise(2, 512), [Message("/terzetto/chain/loud/gain_db", (3.0,)), Message("/terzetto/hands/mix", (0.5,))]
    )
    other = Chain.of_instrument("hands")
    before = other.state_changed
    other.restore(chain.state())
    other.prepare(48000, 2, 512)
    assert other.state() == chain.state() and other.state_changed > before
    assert other.latency == chain.latency


def test_a_saved_chain_that_cannot_be_read_here_is_kept() -> None:
    chain = Chain.of_instrument("hands")
    chain.prepare(48000, 2, 512)
    saved = {"chain": '[[stage]]\nplugin = "of tomorrow"\n', "hands": {"told": ["/x"]}}
    chain.restore(saved)
    assert "of tomorrow" in str(chain.outbox[-1].arguments[0])
    state = chain.state()
    assert state["chain"] == saved["chain"] and state["hands"]["told"] == ["/x"] and chain.latency == 100


def test_an_instrument_alone_needs_no_chain_file_in_its_state() -> None:
    chain = Chain.of_instrument("hands")
    assert list(chain.state()) == ["hands"] and chain.instruments() == ["hands"]


def test_an_instrument_without_a_processor_passes_the_sound_and_says_so() -> None:
    chain = Chain.of_instrument("timbre")  # here Hands alone has one
    assert not chain.stages and chain.latency == 0
    chain.prepare(48000, 2, 512)
    sound = noise(2, 512)
    assert np.array_equal(chain.process(sound), sound)
    assert "Terzetto Timbre passes the sound on; it has no processor yet" in str(chain.outbox[0].arguments[0])


def test_loading_keeps_what_hands_has_learned(tmp_path: Path) -> None:
    chain = Chain.of_instrument("hands")
    chain.prepare(48000, 2, 512)
    chain.process(noise(2, 512), [Message("/terzetto/hands/score", ("a.mid",))])
    before = chain.state_changed
    path = write(tmp_path, '[[stage]]\nplugin="hands"\n[[stage]]\nplugin="BrickwallLimiter"\n')
    chain.process(noise(2, 512), [Message("/terzetto/chain/load", (str(path),))])
    assert chain.latency == 340 and chain.state_changed > before
    assert chain.state()["hands"]["told"] == ["/terzetto/hands/score"]
    for bad in (str(tmp_path / "nowhere.toml"), 3):
        chain.outbox.clear()
        chain.process(noise(2, 512), [Message("/terzetto/chain/load", (bad,))])
        assert chain.outbox[0].address == "/terzetto/error" and chain.latency == 340


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 0, r"has no \[\[stage\]\]"),
        ("stage = 3", 0, r"write \[\[stage\]\]"),
        ("x = [", 0, "not valid TOML"),
        ('\n\n[chain]\nname = "x"\n', 3, "unknown entry 'chain'"),
        ("[[stage]]\n", 1, "either plugin or vst3"),
        ('[[stage]]\nplugin = "Gain"\nvst3 = "a.vst3"\n', 1, "either plugin or vst3"),
        ("[[stage]]\n# more\nplugin = 3\n", 3, "plugin is a text"),
        ('[[stage]]\nplugin = "Gian"\n', 2, r"no plugin 'Gian'.*Gain.*own: hands"),
        ('[[stage]]\nplugin = "Gain"\n\n[[stage]]\nplugin = "PitchShift"\n', 5, "PitchShift cannot be played"),
        ('[[stage]]\nplugin = "Gain"\ngain = 3\n', 3, "no parameter 'gain'; valid: gain_db"),
        ('[[stage]]\nplugin = "Gain"\ngain_db = "x"\n', 3, "takes no 'x'"),
        ('[[stage]]\nplugin = "Gain"\ngain_db = [3]\n', 3, "gain_db is a number, a text or true/false"),
        ('[[stage]]\nplugin = "Gain"\nname = "A b"\n', 3, "lower case"),
        ('[[stage]]\nplugin="Gain"\nname="a"\n[[stage]]\nplugin="Gain"\nname="a"\n', 6, "two stages are called 'a'"),
        ('[[stage]]\nplugin = "hands"\nleft = 3\n', 3, "hands has no 'left'; valid: left_gain"),
        ('[[stage]]\nplugin = "hands"\nleft_gain = "loud"\n', 3, "takes a number from -60 to 12 dB"),
        ('[[stage]]\nplugin = "hands"\nleft_gain = 100\n', 3, "left_gain is a number from -60 to 12 dB"),
        ('[[stage]]\nplugin = "hands"\nsolo = "up"\n', 3, "off, left, right"),
        ('[[stage]]\nplugin = "hands"\nscore = 3\n', 3, "score is a text"),
        ('[[stage]]\nplugin = "hands"\nlearned = "nowhere.json"\n', 3, "not a saved state"),
        ('[[stage]]\nplugin = "Gain"\n' * 40, 0, "at most 32"),
        ('[[stage]]\nplugin = "Convolution"\n', 1, "needs impulse_response_filename"),
        ('[[stage]]\nvst3 = "nowhere.vst3"\n', 1, "nowhere.vst3: no such VST3 plugin"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InputError, match=message) as error:
        Chain.from_file(path)
    assert str(error.value).startswith(f"{path}:{line}: " if line else f"{path}: ")


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"x" * (1 << 20) + b"x"])
def test_what_is_no_chain_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "chain.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"chain\.toml: "):
        Chain.from_file(path)


def test_paths_are_as_seen_from_the_file(tmp_path: Path) -> None:
    _, (spec,) = chain_file.read(write(tmp_path, '[[stage]]\nplugin = "hands"\nscore = "takes/a.mid"\n'))
    assert spec.settings["score"] == str(tmp_path / "takes/a.mid")
