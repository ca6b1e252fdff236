"""The kit in real hosts: a beat from the plugin is the beat that `terzetto drums render` writes, sample for sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pedalboard.io import AudioFile

from terzetto.audio.files import FileTake
from terzetto.drums.beat import Beat
from terzetto.drums.kit import Kit
from terzetto.drums.kit_file import kit_table, read_kit, shipped_kit, write_kit
from terzetto.drums.midi import read_beat
from terzetto.drums.rendering import frame_of
from terzetto.drums.sound_sources import Morph, OneShot, Point, Sample
from terzetto_host import presets
from tests.hosts.instrument import RATE, Float, Performance, perform
from tests.hosts.judge import differences
from tests.hosts.offline import HostName
from tests.hosts.place import Place

LATENCY = 1024  # pedalboard takes no instrument's latency off
SECONDS = 4.0  # two bars at 120
PAD_X, PAD_Y = 0.25, 0.75


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    """A kit with a source of every kind."""
    noise = np.random.default_rng(5).standard_normal(4410) * np.exp(-np.arange(4410) / 600)
    with AudioFile(str(tmp_path / "clap.wav"), "w", 44100, 1) as file:
        file.write((0.3 * noise).astype(np.float32))
    made = (
        shipped_kit()
        .with_voice("kick", source=Point(pad=(0.2, 0.8)))
        .with_voice("snare", source=Sample(tmp_path / "clap.wav"), velocity_tone=12.0)
        .with_voice("closed hat", source=Morph(OneShot("closed hat"), Point(seed=3), 0.5), pan=-0.5)
        .with_voice("cymbal", decay=1.0, tune=-2.0)
    )
    write_kit(tmp_path / "kit.toml", made)
    return tmp_path / "kit.toml"


def rendered(place: Place, beat: Path, kit: Path) -> Float:
    """What the command makes of a beat."""
    out = place.root / "beat.wav"
    done = place.command("drums", "render", str(beat), "--kit", str(kit), "--sample-rate", str(RATE), "-o", str(out))
    assert done.returncode == 0, done.stderr
    with FileTake(out) as take:
        return take.read(0, take.frames)


def generated(place: Place, *words: str) -> Path:
    """A beat of the command's."""
    beat = place.root / "beat.mid"
    done = place.command("drums", "generate", "--bars", "2", *words, "-o", str(beat))
    assert done.returncode == 0, done.stderr
    return beat


def as_notes(beat: Beat) -> tuple[tuple[int, int, float], ...]:
    """A beat's notes for a host, each a little behind the frame that it is struck at: hosts round down."""
    return tuple(
        (int(note), round(127 * float(velocity)), (frame_of(beat, float(onset), RATE) + 0.25) / RATE)
        for onset, note, velocity in zip(beat.onset, beat.note, beat.velocity, strict=True)
    )


def state(kit: Kit, values: dict[str, float | str]) -> str:
    return presets.plugin_state("drums", values, {"drums": {"kit": kit_table(kit)}})


@pytest.mark.parametrize("host", ["pedalboard", "dawdreamer"])
def test_notes_from_the_host_are_the_beat_that_is_rendered(
    host: HostName, place: Place, kit: Path, request: pytest.FixtureRequest
) -> None:
    if host == "dawdreamer":
        request.getfixturevalue("with_dawdreamer")
    beat = generated(place, "--style", "funk", "--humanise", "--seed", "3")
    expected = rendered(place, beat, kit)
    plays = state(read_kit(kit), {"play": "off"})
    blocks = (64, 512) if host == "dawdreamer" else (512,)
    notes = as_notes(read_beat(beat))
    performances = [Performance(SECONDS, block, notes, state=plays) for block in blocks]
    for audio in perform(host, place, performances):
        heard = audio[:, LATENCY:] if host == "pedalboard" else audio
        frames = min(heard.shape[1], expected.shape[1])
        assert frames > 3 * RATE and np.abs(expected[:, :frames]).max() > 0.05
        assert not differences(heard[:, :frames], expected[:, :frames])


def test_the_pattern_in_the_plugin_is_the_beat_that_is_rendered(place: Place, kit: Path, with_dawdreamer: None) -> None:
    x, y = (-4.0 + 8.0 * each for each in (PAD_X, PAD_Y))
    beat = generated(place, "--latent", f"{x}", f"{y}")
    expected = rendered(place, beat, kit)
    playing = state(read_kit(kit), {"pad_x": PAD_X, "pad_y": PAD_Y, "humanise": 0.0})
    (audio,) = perform("dawdreamer", place, [Performance(SECONDS, 512, state=playing)])
    frames = audio.shape[1]
    assert 3 * RATE < frames <= expected.shape[1] and np.abs(expected[:, :frames]).max() > 0.05
    assert not differences(audio, expected[:, :frames])


def test_a_kit_as_the_knobs_have_it_is_the_kit_that_is_saved(place: Place, kit: Path, with_dawdreamer: None) -> None:
    """The pads' parameters, from the host, and the kit.toml that says the same."""
    settings = {"Kick across": 0.25, "Kick up": 0.75, "Kick from": 1.0, "Play": 0.0}
    notes = ((36, 127, 0.25), (36, 80, 0.5), (36, 40, 0.75))
    told = shipped_kit().with_voice("kick", source=Point(pad=(0.25, 0.75)))
    by_knobs, by_kit = perform(
        "dawdreamer",
        place,
        [Performance(1.5, 512, notes, settings), Performance(1.5, 512, notes, state=state(told, {"play": "off"}))],
    )
    assert np.abs(by_knobs).max() > 0.05 and not differences(by_knobs, by_kit)
    other = state(shipped_kit(), {"play": "off"})
    (shipped,) = perform("dawdreamer", place, [Performance(1.5, 512, notes, state=other)])
    assert differences(shipped, by_kit), "the pad changed nothing"
