"""Hands as the host drives it: from files, and behind a plugin, with the same samples."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from terzetto.audio.files import ArrayTake, read_audio
from terzetto.audio.stream import Transport, render
from terzetto.cli import main
from terzetto.control.messages import Message
from terzetto.evaluate.separation import si_sdr
from terzetto.hands.live import HandsProcessor
from terzetto.score.midi import write_midi
from tests.conftest import PianoTake
from tests.host.conftest import Controller, Float, Plugin, RunningServer, until

RATE, HOP = 48000, 512
LEFT = "right_gain = -60.0\nresidual_gain = -60.0\n"


@pytest.fixture(scope="module")
def piece(make_piano: Callable[..., PianoTake]) -> PianoTake:
    return make_piano(4.0, RATE)


@pytest.fixture(scope="module")
def folder(piece: PianoTake, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The take, its score, and a chain that plays the left hand alone."""
    folder = tmp_path_factory.mktemp("piece")
    soundfile.write(folder / "take.wav", stereo(piece).T, RATE, "FLOAT")
    write_midi(piece.score, folder / "take.mid")
    (folder / "left.toml").write_text(f'[[stage]]\nplugin = "hands"\nscore = "take.mid"\n{LEFT}')
    return folder


def stereo(piece: PianoTake) -> Float:
    return np.stack([piece.mix, piece.mix])


def process(chain: Path, take: Path, out: Path, *options: str) -> Float:
    assert main(["process", str(chain), str(take), "-o", str(out), *options]) == 0
    return read_audio(out / take.name)[0]


@pytest.fixture(scope="module")
def left(folder: Path) -> Float:
    """What `terzetto process` makes of the take."""
    return process(folder / "left.toml", folder / "take.wav", folder / "out")


def test_the_command_gives_the_processors_own_samples(folder: Path, piece: PianoTake, left: Float) -> None:
    events = [
        Message("/terzetto/hands/right_gain", (-60.0,)),
        Message("/terzetto/hands/residual_gain", (-60.0,)),
        Message("/terzetto/hands/score", (str(folder / "take.mid"),)),
    ]
    direct = np.concatenate(list(render(HandsProcessor(), ArrayTake(stereo(piece), RATE), events)), axis=1)
    assert left.shape == (2, len(piece.mix)) and np.array_equal(left, direct)
    assert si_sdr(piece.left, left[0]) > si_sdr(piece.left, piece.mix) + 5


def test_scores_are_found_by_the_takes_name(folder: Path, left: Float, tmp_path: Path) -> None:
    chain = tmp_path / "chain.toml"
    chain.write_text(f'[[stage]]\nplugin = "hands"\n{LEFT}')
    score = str(folder / "{track}.mid")
    assert np.array_equal(process(chain, folder / "take.wav", tmp_path / "out", "--score", score), left)
    arguments = ["process", str(chain), str(folder / "take.wav"), "-o", str(tmp_path / "not"), "--score", "nowhere.mid"]
    assert main(arguments) == 2 and not (tmp_path / "not").exists()


def test_a_file_is_learned_before_it_is_played(folder: Path, piece: PianoTake, left: Float, tmp_path: Path) -> None:
    chain = folder / "learn.toml"
    chain.write_text(f'[[stage]]\nplugin = "hands"\nlearn_file = "take.wav"\nscore = "take.mid"\n{LEFT}')
    learned = process(chain, folder / "take.wav", tmp_path / "out")
    assert si_sdr(piece.left, learned[0]) > si_sdr(piece.left, left[0]) + 1


def test_behind_a_plugin_it_gives_the_same_samples(
    server: RunningServer, make_plugin: Callable[..., Plugin], folder: Path, piece: PianoTake, left: Float
) -> None:
    values = {"right_gain": -60.0, "residual_gain": -60.0}
    engine = {"hands": {"score": {"path": str(folder / "take.mid"), "notes": []}}}
    plugin = make_plugin(server, "hands", state=json.dumps({"values": values, "engine": engine}))
    latency = plugin.end.latency + 64
    sound = stereo(piece)
    padded = np.pad(sound, ((0, 0), (0, latency + -(sound.shape[1] + latency) % HOP)))
    blocks = []
    for at in range(0, padded.shape[1], HOP):
        block = np.ascontiguousarray(padded[:, at : at + HOP])
        blocks.append(plugin.play(block, position=at)[:, :HOP])
    heard = np.concatenate(blocks, axis=1)[:, latency:][:, : sound.shape[1]]
    assert np.array_equal(heard, left)


def test_offline_a_score_and_what_is_learned_count_from_the_next_hop_on(
    server: RunningServer, make_plugin: Callable[..., Plugin], folder: Path, piece: PianoTake
) -> None:
    """However long reading and learning take, each render gives the same samples: nothing goes on beside a hop."""
    sound = stereo(piece)[:, : len(piece.mix) // HOP * HOP]
    start, end = 20, 200  # hops
    told = {
        5: [Message("/terzetto/hands/score", (str(folder / "take.mid"),))],
        start: [Message("/terzetto/hands/learn", (True,))],
        end: [Message("/terzetto/hands/learn", (False,))],
    }
    plugin, hands = make_plugin(server, "hands", state=json.dumps({"values": {"right_gain": -60.0}})), HandsProcessor()
    hands.prepare(RATE, 2, HOP)
    hands.process(np.zeros((2, HOP), np.float32), [Message("/terzetto/hands/right_gain", (-60.0,))])
    hands.reset()
    heard, direct = [], []
    for number, at in enumerate(range(0, sound.shape[1], HOP)):
        block, events = np.ascontiguousarray(sound[:, at : at + HOP]), told.get(number, [])
        heard.append(plugin.play(block, *events, position=at)[:, 64:])
        assert hands.wait(120.0)
        direct.append(hands.process(block, events, Transport(at, 0.0, True)))
    hands.close()
    assert np.array_equal(np.concatenate(heard, axis=1), np.concatenate(direct, axis=1))
    assert hands.state()["learned"]


def test_a_controller_moves_a_fader_that_the_plugin_then_shows(
    server: RunningServer,
    make_plugin: Callable[..., Plugin],
    make_controller: Callable[[RunningServer], Controller],
    folder: Path,
) -> None:
    plugin, controller = make_plugin(server, "hands"), make_controller(server)
    controller.send("/terzetto/hands/left_gain", -600)
    plugin.play_until(lambda: plugin.told("/terzetto/hands/left_gain") == (-60.0,), "the fader")
    controller.send("/terzetto/i1/hands/solo", "left")
    plugin.play_until(lambda: plugin.told("/terzetto/hands/solo") == (1,), "the switch, as an index")
    until(lambda: controller.ask("/terzetto/i1/hands/solo") == ("left",), "the value")
    controller.send("/terzetto/i1/hands/window", "short")
    before = plugin.end.latency
    plugin.play_until(lambda: plugin.end.latency < before / 3, "the shorter latency")
    controller.send("/terzetto/i1/hands/score", str(folder / "take.mid"))
    plugin.play_until(lambda: "take.mid" in (plugin.told("/terzetto/status") or ("",))[0], "the score")
    until(lambda: '"notes":[[' in (plugin.end.take_state() or "").replace(" ", ""), "a state with the score's notes")
    until(lambda: "take.mid" in str(controller.ask("/terzetto/i1/status")), "the status")


@pytest.mark.parametrize("setting", ["score", "learn_file"])
def test_a_file_that_a_chain_names_and_is_not_there_is_an_error(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], setting: str
) -> None:
    chain = tmp_path / "chain.toml"
    chain.write_text(f'[[stage]]\nplugin = "hands"\nleft_gain = -6.0\n{setting} = "gone.mid"\n')
    out = tmp_path / "out"
    assert main(["process", str(chain), str(folder / "take.wav"), "-o", str(out)]) == 2
    said = capsys.readouterr().err
    assert f"{chain}:4:" in said and "gone.mid" in said and said.count("\n") == 1
    assert not out.exists()
    assert main(["chain", "check", str(chain)]) == 2
