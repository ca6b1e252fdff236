"""Neighbouring built-ins of pedalboard's run at once: the samples of one after the other, whatever the block."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from terzetto.audio.files import ArrayTake
from terzetto.control.messages import Message
from terzetto_host.chain import Chain
from terzetto_host.file_chain import FileChain
from terzetto_host.pedalboard_stage import EQUAL
from tests.host.conftest import Float, noise

NAMES = [name for name in EQUAL if name not in ("Convolution", "Bitcrush")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "chain.toml"
    path.write_text("".join(f'[[stage]]\nplugin = "{name}"\n' for name in NAMES))
    return path


def one_by_one(chain: Chain, sound: Float, hop: int, events: dict[int, list[Message]]) -> Float:
    parts = []
    for at in range(0, sound.shape[1], hop):
        block = sound[:, at : at + hop]
        for stage in chain.stages:
            some = [event for event in events.get(at, []) if f"/{stage.spec.name}/" in event.address]
            block = stage.processor.process(block, some)
        parts.append(block)
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize("channels", [1, 2])
def test_a_board_gives_the_samples_of_its_stages_also_with_events(file: Path, channels: int) -> None:
    sound, hop = noise(channels, 40 * 512), 512
    events = {10 * hop: [Message("/terzetto/chain/gain/gain_db", (-12.0,), frame=64)]}
    together, apart = Chain.from_file(file), Chain.from_file(file)
    assert together.even and len(together._runs) == 1
    for chain in (together, apart):
        chain.prepare(48000, channels, hop)
    heard = [together.process(sound[:, at : at + hop], events.get(at, [])) for at in range(0, sound.shape[1], hop)]
    assert np.array_equal(np.concatenate(heard, axis=1), one_by_one(apart, sound, hop, events))


def test_a_file_in_long_blocks_has_the_samples_that_a_plugin_plays(file: Path) -> None:
    sound = noise(2, 200_001)
    live = Chain.from_file(file)
    live.prepare(44100, 2, 512)
    padded = np.pad(sound, ((0, 0), (0, -sound.shape[1] % 512)))
    heard = [live.process(padded[:, at : at + 512].copy()) for at in range(0, padded.shape[1], 512)]
    rendered = np.concatenate(list(FileChain.from_file(file).render(ArrayTake(sound, 44100))), axis=1)
    assert np.array_equal(rendered, np.concatenate(heard, axis=1)[:, : sound.shape[1]])


def test_what_stays_behind_is_run_alone(tmp_path: Path) -> None:
    path = tmp_path / "chain.toml"
    path.write_text(
        "".join(f'[[stage]]\nplugin = "{name}"\n' for name in ("Gain", "BrickwallLimiter", "Gain", "Delay"))
    )
    chain = Chain.from_file(path)
    assert not chain.even and [len(run.stages) for run in chain._runs] == [1, 1, 2]
