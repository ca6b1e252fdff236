"""What the tests in hosts rely on: presets as the formats keep them, the judge, and hosts that alter nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from terzetto_host.presets import vst3_preset, vst3_state
from tests.hosts.ardour import Ardour, Track
from tests.hosts.judge import FADE, Float, delayed, judge, latency_of
from tests.hosts.plugin_state import juce_base64, juce_base64_decoded

CLASS_ID = "ABCDEF019182FAEB5465727A54687231"


def test_juce_base64_is_what_juce_writes() -> None:
    assert juce_base64(b'{"gain": 0.000000}') == "18.6IxYgklahnCHv3BLv.CLv.Se"
    for size in range(20):
        data = bytes(range(200, 200 + size))
        assert juce_base64_decoded(juce_base64(data)) == data


def test_a_preset_gives_its_state_back() -> None:
    text = '{"values": {"left_gain": -6.0}, "name": "Flügel"}'
    assert vst3_state(vst3_preset(CLASS_ID, text)) == text


def faded(dry: Float, wet: Float, at: int, frames: int = FADE) -> Float:
    weight = np.clip((np.arange(dry.shape[1]) - at) / frames, 0, 1).astype(np.float32)
    return wet * (1 - weight) + dry * weight


def slow_wave() -> Float:
    wave: Float = (0.3 * np.sin(np.arange(4800) * 0.2) * np.ones((2, 1))).astype(np.float32)
    return wave


def test_a_fade_is_no_click() -> None:
    dry = slow_wave()
    verdict = judge(faded(dry, -dry, 2400), dry, -dry)
    assert verdict.clicks == 0 and verdict.foreign == 0
    assert verdict.wet > 2300 and verdict.dry > 2200 and 0 < verdict.fading <= FADE


def test_a_switch_without_a_fade_is_a_click() -> None:
    dry = slow_wave()
    at = 2400 + int(np.argmax(np.abs(dry[0, 2400:2600])))
    assert judge(faded(dry, -dry, at, 1), dry, -dry).clicks == 1


@pytest.mark.parametrize(("frames", "abrupt"), [(FADE, 0), (FADE // 2, 1), (1, 1)])
def test_in_noise_too_a_switch_is_told_from_a_fade(take: Float, frames: int, abrupt: int) -> None:
    dry = take + np.copysign(np.float32(0.05), take)
    verdict = judge(faded(dry, -dry, 2400, frames), dry, -dry)
    assert verdict.abrupt == abrupt and verdict.foreign == 0


def test_silence_is_neither_dry_nor_wet() -> None:
    dry = slow_wave()
    wet = dry * np.float32(0.5)
    out = dry.copy()
    out[:, 1000:1200] = 0
    verdict = judge(out, dry, wet)
    assert verdict.foreign > 150 and verdict.clicks >= 1


def test_latency_is_found_in_either_polarity(take: Float) -> None:
    assert latency_of(delayed(take, 1234), take) == 1234
    assert latency_of(-delayed(take, 77), take) == 77


@pytest.mark.parametrize(("sample_rate", "block"), [(44100, 64), (96000, 1024)])
def test_ardour_without_plugins_exports_every_sample(
    sample_rate: int, block: int, take: Float, tmp_path: Path, bare_environment: dict[str, str], with_ardour: None
) -> None:
    tracks = [Track("stereo", take), Track("mono", take[:1, :50001] * 0.5)]
    session = Ardour(bare_environment).make_session(tmp_path / "song", tracks, sample_rate, block)
    expected = take.copy()
    expected[:, :50001] += tracks[1].audio
    assert np.array_equal(session.export(), expected)
