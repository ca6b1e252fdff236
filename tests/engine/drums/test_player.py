from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from terzetto.drums.drum_map import CLASSES
from terzetto.drums.kit import SOUNDS, VOICE_OF_SOUND
from terzetto.drums.player import MOST_RINGING, Player, Sound, mixed

RATE = 48000
KICK, CLOSED, OPEN = (SOUNDS.index(name) for name in ("kick", "closed hat", "open hat"))
Float = NDArray[np.float32]


def ones(frames: int = 5000) -> list[Sound]:
    """Sounds that are nothing but one, the hats in a choke group."""
    return [
        Sound(np.ones((1, frames), np.float32), voice, "hat" if "hat" in name else "")
        for name, voice in zip(SOUNDS, VOICE_OF_SOUND, strict=True)
    ]


def test_a_hat_cuts_off_a_hat() -> None:
    player = Player(ones(), RATE)
    player.strike(OPEN, 1.0, 0)
    player.strike(KICK, 1.0, 100)
    player.strike(CLOSED, 0.5, 1000)
    heard = player.render(1, 4000)[0]
    assert heard[50] == 1.0 and heard[500] == 2.0 and heard[999] == 2.0
    assert heard[1000] == 2.25 and heard[1000 + 240] == 1.25, "gone in 5 ms; the kick rings on"
    assert np.abs(np.diff(heard[1001:1240])).max() < 0.01, "without a click"


def test_samples_do_not_depend_on_blocks_and_voices_sum_to_the_mix_to_the_last_bit() -> None:
    noise = np.random.default_rng(0)
    sounds = [
        Sound(noise.standard_normal((2, 9000)).astype(np.float32), each.voice, each.choke,
              noise.standard_normal((2, 9000)).astype(np.float32), 0.8, 9.0)
        for each in ones()
    ]  # fmt: skip
    strikes = sorted((int(noise.integers(20000)), int(noise.integers(11)), noise.uniform(0.1, 1)) for _ in range(200))

    def played(block: int) -> Float:
        player, out = Player(sounds, RATE), []
        for first in range(0, 32000, block):
            for frame, sound, velocity in strikes:
                if first <= frame < first + block:
                    player.strike(sound, velocity, frame - first)
            out.append(player.render_voices(2, block))
        return np.concatenate(out, axis=2)

    voices = played(32000)
    assert voices.shape == (8, 2, 32000) and voices.any(axis=(1, 2)).all()
    assert np.array_equal(voices, played(64)) and np.array_equal(voices, played(1000))
    player = Player(sounds, RATE)
    for frame, sound, velocity in strikes:
        player.strike(sound, velocity, frame)
    assert np.array_equal(player.render(2, 32000), mixed(voices))


def test_soft_hits_are_quieter_and_darker_the_loudest_as_it_is() -> None:
    audio, air = np.ones((1, 10), np.float32), np.full((1, 10), 0.5, np.float32)
    sound = Sound(audio, 0, "", air, 1.0, 20.0)
    player = Player([sound], RATE)
    player.strike(0, 1.0, 0)
    assert np.array_equal(player.render(1, 10), audio)
    player.strike(0, 0.5, 0)
    dull = 1 - 0.5 * (1 - 10 ** (-20.0 * 0.5 / 20))
    assert player.render(1, 10)[0, 0] == pytest.approx(0.25 * dull, rel=1e-6)
    for level, gain in ((0.0, 1.0), (0.5, 0.5), (2.0, 0.0625)):
        assert Sound(audio, velocity_level=level).gain(0.5) == pytest.approx(gain)


def test_the_oldest_of_too_many_ends_at_the_same_frame_in_every_block() -> None:
    heard = []
    for block in (100, 30000):
        player, out = Player(ones(60000), RATE), []
        for first in range(0, 30000, block):
            for frame in range(first, first + block):
                if frame % 300 == 0:
                    player.strike(KICK, 1.0, frame - first)
            out.append(player.render(1, block))
        heard.append(np.concatenate(out, axis=1)[0])
    assert np.array_equal(*heard)
    assert heard[0][250::300].tolist() == [min(count, MOST_RINGING) for count in range(1, 101)]


def test_what_rings_goes_on_when_its_sound_is_exchanged() -> None:
    player = Player(ones(), RATE)
    player.strike(KICK, 1.0, 0)
    before = player.render(1, 100)
    player.sounds[KICK] = Sound(np.full((1, 50), 0.5, np.float32), CLASSES.index("kick"))
    assert np.array_equal(player.render(1, 100), before), "no click"
    player.strike(KICK, 1.0, 0)
    assert player.render(1, 10)[0, 0] == 1.5 and player.rings_until == 5000 - 210
    player.reset()
    assert not player.render(1, 10).any() and player.rings_until == 0
