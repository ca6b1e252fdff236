"""pedalboard's built-ins in a stream, each measured: equal frame counts, the whole file's samples, its latency."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pedalboard
import pytest
import soundfile

from terzetto.control.messages import Message
from terzetto.errors import InputError
from terzetto_host.pedalboard_stage import (
    BUILT_IN,
    EQUAL,
    LATER,
    MONO_AND_STEREO,
    WHOLE_FILE_ONLY,
    PedalboardStage,
    check_kind,
    parameter_names,
)
from tests.host.conftest import Float, noise

# Not plugins of their own: bases and containers.
ABSTRACT = {
    "Plugin",
    "ExternalPlugin",
    "VST3Plugin",
    "AudioUnitPlugin",
    "PluginContainer",
    "Pedalboard",
    "Chain",
    "Mix",
}
ABSTRACT |= {"IIRFilter"}


@pytest.fixture(scope="session")
def impulse_response(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("impulse") / "response.wav"
    soundfile.write(path, np.r_[1.0, np.zeros(99), 0.5], 48000)
    return str(path)


def make(kind: str, impulse_response: str) -> PedalboardStage:
    return PedalboardStage(kind, impulse_response if kind == "Convolution" else None)


def stream(stage: PedalboardStage, sound: Float, hop: int) -> Float:
    blocks = [stage.process(sound[:, at : at + hop]) for at in range(0, sound.shape[1], hop)]
    assert all(block.shape == (sound.shape[0], hop) for block in blocks)
    return np.concatenate(blocks, axis=1)


def whole(kind: str, sound: Float, sample_rate: float, impulse_response: str) -> Float:
    plugin = make(kind, impulse_response)._plugin
    result: Float = plugin.process(sound, sample_rate, reset=True)
    return result


def test_the_table_knows_every_built_in() -> None:
    kinds = {
        name
        for name, kind in vars(pedalboard).items()
        if inspect.isclass(kind) and issubclass(kind, pedalboard.Plugin) and not name.startswith("_")
    }
    assert kinds - ABSTRACT == {*EQUAL, *LATER, *WHOLE_FILE_ONLY}


@pytest.mark.parametrize("kind", BUILT_IN)
@pytest.mark.parametrize(("channels", "hop", "sample_rate"), [(2, 512, 48000), (1, 256, 44100)])
def test_a_stream_gives_the_whole_files_samples_at_the_latency(
    kind: str, channels: int, hop: int, sample_rate: int, impulse_response: str
) -> None:
    stage = make(kind, impulse_response)
    stage.prepare(sample_rate, channels, hop)
    assert (stage.latency == 0) == (kind in EQUAL)
    sound = noise(channels, 80 * hop)
    heard = stream(stage, sound, hop)
    assert not heard[:, : stage.latency].any()
    expected = whole(kind, sound, sample_rate, impulse_response)[:, : heard.shape[1] - stage.latency]
    assert np.abs(heard[:, stage.latency :] - expected).max() <= 1e-7
    stage.reset()
    assert np.array_equal(stream(stage, sound, hop), heard)


@pytest.mark.parametrize("kind", WHOLE_FILE_ONLY)
def test_what_is_refused_does_give_other_samples_in_a_stream(kind: str) -> None:
    sound = noise(2, 96 * 1024)
    plugin = getattr(pedalboard, kind)()
    plugin.reset()
    hops = [plugin.process(sound[:, at : at + 512], 48000, reset=False) for at in range(0, sound.shape[1], 512)]
    heard = np.concatenate(hops, axis=1)
    expected = getattr(pedalboard, kind)().process(sound, 48000, reset=True)
    assert np.abs(heard - expected[:, : heard.shape[1]]).max() > 0.01
    with pytest.raises(InputError, match=f"{kind} cannot be played as a stream"):
        check_kind(kind)


def test_a_plugin_that_takes_no_such_format_says_so() -> None:
    stage = PedalboardStage("MP3Compressor")
    with pytest.raises(InputError, match="MP3Compressor does not take 2 channels at 96000 Hz"):
        stage.prepare(96000, 2, 512)


@pytest.mark.parametrize(("frame", "quiet_from"), [(0, 0), (100, 96), (511, 480)])
def test_events_count_from_their_frame_in_steps_of_32(frame: int, quiet_from: int) -> None:
    stage = PedalboardStage("Bitcrush")
    stage.prepare(48000, 2, 512)
    ramp = np.tile(np.linspace(-0.9, 0.9, 512, dtype=np.float32), (2, 1))
    fine = stage.process(ramp, [Message("/terzetto/chain/b/bit_depth", (32.0,))])
    heard = stage.process(ramp, [Message("/terzetto/chain/b/bit_depth", (1.0,), frame)])
    differs = np.flatnonzero(heard[0] != fine[0])
    assert differs[0] == quiet_from and stage.state() == {"bit_depth": 1.0} and stage.state_changed == 2


def test_a_setting_that_changes_the_latency_is_measured_anew() -> None:
    stage = PedalboardStage("BrickwallLimiter")
    stage.prepare(48000, 2, 512)
    assert stage.latency == 240
    stage.process(noise(2, 512), [Message("/terzetto/chain/b/lookahead_ms", (10.0,), 256)])
    assert stage.latency == 480


def test_choices_are_taken_by_name_or_number() -> None:
    stage = PedalboardStage("LadderFilter")
    stage.set("mode", "HPF24")
    assert stage.get("mode") == "HPF24" and stage.choices("mode")[4] == "HPF24"
    stage.set("mode", 0)
    assert stage.get("mode") == "LPF12"
    with pytest.raises(InputError, match="LPF12, HPF12"):
        stage.set("mode", "nonsense")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("nonsense", 1.0, "valid: damping, dry_level"),
        ("room_size", 3.0, "between 0.0 and 1.0"),
        ("room_size", "big", "takes no 'big'"),
        ("room_size", None, "takes no None"),
    ],
)
def test_bad_values_are_explained_and_change_nothing(name: str, value: object, message: str) -> None:
    stage = PedalboardStage("Reverb")
    before = stage.state()
    with pytest.raises(InputError, match=message):
        stage.set(name, value)
    stage.prepare(48000, 2, 512)
    stage.process(noise(2, 512), [Message(f"/terzetto/chain/reverb/{name}", (value,), 7)])  # type: ignore[arg-type]
    (said,) = stage.outbox
    assert said.address == "/terzetto/error" and message in str(said.arguments[0]) and stage.state() == before


def test_a_state_brings_the_values_back() -> None:
    stage, other = PedalboardStage("Reverb"), PedalboardStage("Reverb")
    stage.set("room_size", 0.875)
    other.restore({**stage.state(), "nonsense": 3})
    assert other.state() == stage.state()
    assert "nonsense" in str(other.outbox[0].arguments[0])


def test_a_convolution_needs_its_impulse_response(tmp_path: Path, impulse_response: str) -> None:
    assert parameter_names("Convolution") == ("mix",)
    (tmp_path / "text.wav").write_text("no sound")
    for path in (None, "nowhere.wav", str(tmp_path), str(tmp_path / "text.wav")):
        with pytest.raises(InputError, match=r"Convolution|text\.wav"):
            PedalboardStage("Convolution", path)


@pytest.mark.parametrize("there", [True, False])
def test_what_is_no_vst3_is_refused(tmp_path: Path, there: bool) -> None:
    path = tmp_path / "Some.vst3"
    if there:
        path.write_text("no plugin")
    with pytest.raises(InputError, match="cannot be loaded as a VST3" if there else "no such VST3 plugin"):
        PedalboardStage(str(path), external=True)


@pytest.mark.parametrize("kind", [*BUILT_IN, *WHOLE_FILE_ONLY])
def test_more_than_two_channels_are_treated_alike_or_refused(kind: str, impulse_response: str) -> None:
    stage = PedalboardStage(kind, impulse_response if kind == "Convolution" else None, whole_file=True)
    if kind in MONO_AND_STEREO:
        with pytest.raises(InputError, match=f"{kind} takes mono and stereo; given 6 channels"):
            stage.check_channels(6)
        return
    stage.check_channels(6)
    same = np.repeat(noise(1, 60_000), 6, axis=0)
    heard = stage.whole(same, 48000)
    alone = stage.whole(same[:1], 48000)
    assert heard.shape == same.shape and np.abs(heard).max() > 0.01
    for channel in range(6):
        np.testing.assert_allclose(heard[channel], alone[0], atol=1e-6)
