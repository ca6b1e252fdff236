"""X-Synth's recipe: sounds taken apart, phrases of them, the network, its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from terzetto.cli import main  # noqa: E402
from terzetto.errors import InputError, ModelError  # noqa: E402
from terzetto.models import find_model  # noqa: E402
from terzetto.timbre.conversion import stream_grid  # noqa: E402
from terzetto.timbre.hearing import Hearing  # noqa: E402
from terzetto.timbre.partials import BAND_HZ  # noqa: E402
from terzetto.timbre.xsynth_model import TASK, open_timbre_model  # noqa: E402
from terzetto_export.xsynth import sorter as sorter_module  # noqa: E402
from terzetto_export.xsynth.analysis import FLOOR, Sound, take_apart  # noqa: E402
from terzetto_export.xsynth.data import analysis_grid, read_recordings  # noqa: E402
from terzetto_export.xsynth.ear import Ear  # noqa: E402
from terzetto_export.xsynth.export import take_weights, write  # noqa: E402
from terzetto_export.xsynth.inputs import Gesture, play  # noqa: E402
from terzetto_export.xsynth.makers import Makers  # noqa: E402
from terzetto_export.xsynth.network import XSynth  # noqa: E402
from terzetto_export.xsynth.pad import lay_out  # noqa: E402
from terzetto_export.xsynth.phrases import Target, draw, transposed  # noqa: E402
from terzetto_export.xsynth.recipe import FRAMES, Player, XSynthRecipe  # noqa: E402
from terzetto_export.xsynth.sorter import recall, taught  # noqa: E402
from terzetto_export.xsynth.train import Plan, train  # noqa: E402
from terzetto_export.xsynth.train import _before as went_on_from  # noqa: E402

Float = NDArray[np.float32]
RATE = 44_100
GRID = stream_grid(RATE)


def odd_tone(pitch: float, seconds: float = 0.6) -> Float:
    """A sound of odd partials only, 6 dB an octave, with faint noise."""
    time = np.arange(round(seconds * RATE)) / RATE
    sound = sum(np.sin(2 * np.pi * n * pitch * time + n) / n for n in (1, 3, 5, 7, 9))
    noise = 1e-3 * np.random.default_rng(0).standard_normal(len(time))
    return np.asarray(0.1 * (sound + noise), np.float32)


def sounds(*pitches: float) -> list[Sound]:
    return [take_apart(odd_tone(pitch), pitch * 1.01, GRID) for pitch in pitches]


@pytest.mark.parametrize("pitch", [98.0, 233.1, 880.0])
def test_a_sound_is_taken_apart(pitch: float) -> None:
    sound = take_apart(odd_tone(pitch), pitch * 1.02, GRID)
    middle = len(sound) // 2
    assert abs(1200 * np.log2(sound.pitch[middle] / pitch)) < 3.0
    relative = sound.partials[middle] - sound.partials[middle, 0]
    assert relative[[2, 4, 6, 8]] == pytest.approx(-20 * np.log10([3, 5, 7, 9]), abs=1.0)
    assert relative[[1, 3, 5]].max() < -35.0


def test_side_lobes_of_partials_are_not_noise() -> None:
    time = np.arange(round(0.5 * RATE)) / RATE
    clean = 0.1 * sum(np.sin(2 * np.pi * n * 440.0 * time + n) for n in (1, 2, 3))
    noise = take_apart(np.asarray(clean, np.float32), 440.0, GRID).noise[10:20]
    between = (BAND_HZ > 500.0) & (BAND_HZ < 1300.0)
    assert noise[:, between].max() < -75.0  # dB a Hz; with the lobes it is -61


def test_a_sound_moved_keeps_its_envelope_and_its_gaps() -> None:
    partials = take_apart(odd_tone(220.0), 220.0, GRID).partials[10:20]
    up = transposed(partials, np.full(10, 2.0, np.float32))
    # An octave up the third partial lies where the sixth lay: between the fifth and the seventh of the odd ones.
    assert np.all((up[:, 2] < partials[:, 4] + 0.1) & (up[:, 2] > partials[:, 6] - 0.1))
    assert up[:, 1].max() < up[:, 2].min() - 10.0
    assert up.min() >= FLOOR


def test_phrases_say_what_their_gestures_play() -> None:
    target = Target.of("odd", sounds(220.0, 330.0, 440.0))
    random = np.random.default_rng(3)
    hearing = Hearing(GRID)
    compared = 0
    for _ in range(4):
        phrase = draw(target, 120, RATE, random)
        audio = play(phrase.gesture, RATE, random)
        _, ear = hearing.spectra(audio)
        steady = np.flatnonzero((phrase.pitch > 60) & (phrase.level > -40))
        inside = steady[(steady > 4) & (steady < 110)]
        inside = inside[np.abs(np.log2(phrase.pitch[inside + 3] * phrase.pitch[inside - 3] + 1e-9)) < 99]
        same = np.abs(np.diff(phrase.pitch, prepend=0.0))[inside] < 1.0
        inside = inside[same & (phrase.pitch[inside - 3] > 60) & (phrase.pitch[inside + 3] > 60)]
        found = hearing.refine(hearing.autocorrelation(ear[inside]), phrase.pitch[inside])
        cents = np.abs(1200 * np.log2(found / phrase.pitch[inside]))
        compared += len(inside)
        assert len(inside) == 0 or np.median(cents) < 8.0
    assert compared > 40


def test_the_same_gesture_sounds_like_any_instrument() -> None:
    gesture = Gesture(np.full(RATE // 2, 300.0), np.full(RATE // 2, 0.1, np.float32), (0,))
    shapes = []
    for seed in range(6):
        spectrum = np.abs(np.fft.rfft(play(gesture, RATE, np.random.default_rng(seed)) * np.hanning(RATE // 2)))
        shapes.append(20 * np.log10([spectrum[round(300 * n / 2)] + 1e-6 for n in range(1, 9)]))
    assert np.std(np.array(shapes) - np.max(shapes, axis=1, keepdims=True), axis=0)[1:].min() > 4.0


@pytest.fixture(scope="module")
def player() -> Player:
    return Player([Target.of("odd", sounds(220.0, 440.0)), Target.of("odder", sounds(330.0))], Hearing(GRID), 2, (0, 1))


def test_a_step_lowers_the_loss_and_the_ear_can_be_kept(player: Player) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = XSynth(2)
    recipe = XSynthRecipe(network, Makers(player), player, batches=1, validated=1)
    batch = player.batch(np.random.default_rng(0), 2)
    assert batch.features.shape[:2] == (2, FRAMES)
    assert torch.isfinite(batch.features).all()
    network.keep_ear()
    ear = network.pitch.weight.clone()
    optimiser = torch.optim.AdamW([each for each in network.parameters() if each.requires_grad], 2e-3)
    losses = []
    for _ in range(4):
        optimiser.zero_grad()
        loss = recipe.loss(batch)
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]
    assert torch.equal(ear, network.pitch.weight)


@pytest.mark.parametrize("processes", [1, 2])
def test_who_makes_a_batch_changes_nothing_in_it(player: Player, processes: int) -> None:
    seeds = np.random.default_rng(3).integers(2**62, size=6)
    with Makers(player, processes) as makers:
        made = list(XSynthRecipe(XSynth(2), makers, player, batches=6, validated=1).batches(np.random.default_rng(3)))
    assert len(made) == 6
    for seed, batch in list(zip(seeds, made, strict=True))[::5]:
        alone = player.batch(np.random.default_rng(int(seed)))
        assert torch.equal(batch.features, alone.features) and torch.equal(batch.partials, alone.partials)


def sawtooth(pitch: float) -> Sound:
    time = np.arange(round(0.6 * RATE)) / RATE
    sound = 0.1 * np.asarray(sum(np.sin(2 * np.pi * n * pitch * time + n) / n for n in range(1, 20)))
    return take_apart(sound.astype(np.float32), pitch, GRID)


def test_a_sorter_of_real_frames_hears_the_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    monkeypatch.setattr(sorter_module, "STEPS", 40)
    targets = [
        Target.of("odd", sounds(220.0, 440.0)),
        Target.of("saw", [sawtooth(pitch) for pitch in (220.0, 330.0, 440.0)]),
    ]
    sorter = taught(targets, (0, 1), 2, np.random.default_rng(0))
    assert recall(sorter, targets, (0, 1)) > 0.95 and not any(each.requires_grad for each in sorter.parameters())
    player = Player(targets, Hearing(GRID), 2, (0, 1))
    network = XSynth(2)
    with_it = XSynthRecipe(network, Makers(player), player, batches=1, validated=1, sorter=sorter)
    batch = player.batch(np.random.default_rng(1), 4)
    own, alone = batch.audible[..., 2].bool(), batch.audible[..., 1].bool()
    assert own.any() and not (own & ~alone).any()
    with torch.no_grad():  # what is wanted is told, what an untaught voice gives out is not
        wanted = with_it._sorted(batch.partials, batch.noise, batch, batch.audible[..., 2])
        before = with_it.errors(batch)
    assert wanted["told"] > 0.9 and wanted["sorted"] < before["sorted"]
    without = XSynthRecipe(network, Makers(player), player, batches=1, validated=1)
    with torch.no_grad():  # it measures only
        assert np.isfinite(without.validate()) and without.loss(batch) == with_it.loss(batch)
    assert before.keys() - without.last.keys() == {"sorted", "told"}  # else a card would say 100 %


def test_a_file_gives_back_the_weights(player: Player, tmp_path: Path) -> None:
    torch.manual_seed(1)
    network = XSynth(2)
    features = player.batch(np.random.default_rng(0), 2).features[:, :20]
    path = tmp_path / "odd.onnx"
    difference = write(network, path, ("odd", "odder"), lay_out(player.targets), features, "none", low_latency=False)
    assert difference < 1e-5
    model = open_timbre_model(str(path))
    assert model.instruments == ("odd", "odder") and not model.low_latency
    other = XSynth(3)
    take_weights(other, path)
    for name, value in network.state_dict().items():  # rounded to half precision by `write`
        if name == "timbre.weight":
            assert torch.allclose(other.timbre.weight, value.mean(dim=1, keepdim=True).expand(-1, 3))
        else:
            assert torch.equal(other.state_dict()[name], value)
    with pytest.raises(ModelError, match="not a timbre model to go on from"):
        take_weights(other, find_model("hand-labels", "hand_labels").path)


def test_places_on_the_pad_lie_apart() -> None:
    targets = [Target.of(str(pitch), sounds(pitch)) for pitch in (110.0, 220.0, 440.0, 880.0)]
    places = lay_out(targets)
    distance = np.sqrt(np.sum((places[:, None] - places[None]) ** 2, axis=2)) + np.eye(4)
    assert distance.min() > 0.15
    assert (places >= 0).all() and (places <= 1).all()
    assert lay_out(targets[:1]).tolist() == [[0.5, 0.5]]


def test_ones_own_recording_becomes_notes(tmp_path: Path) -> None:
    import soundfile

    melody = np.concatenate([np.pad(odd_tone(pitch, 0.5), (0, 2000)) for pitch in (220.0, 247.0, 330.0, 294.0) * 2])
    path = tmp_path / "odd.wav"
    soundfile.write(path, melody, RATE)
    ear = Ear(open_timbre_model("timbre_instruments"))
    grid = analysis_grid(GRID.hop_length)
    told: list[str] = []
    with pytest.warns(UserWarning):
        data = read_recordings([path], grid, ear, told.append)
    (target,) = data.training
    assert target.name == "odd"
    found = np.sort(target.notes[target.notes > 0])
    wanted = 69 + 12 * np.log2(np.array([220.0, 247.0, 330.0, 294.0]) / 440)
    for note in wanted:
        assert np.abs(found - note).min() < 0.2
    assert len(found) <= 10
    soundfile.write(path, melody[: RATE // 2], RATE)
    with pytest.raises(InputError, match="at least"):
        read_recordings([path], grid, ear, told.append)


def test_files_of_one_instrument_keep_their_loudness(tmp_path: Path) -> None:
    import soundfile

    folder = tmp_path / "odd"
    folder.mkdir()
    for pitch, gain in ((220.0, 1.0), (247.0, 0.1), (294.0, 0.32)):  # 20 and 10 dB apart
        note = gain * np.concatenate([odd_tone(pitch, 1.4), np.zeros(2000, np.float32)])
        soundfile.write(folder / f"{pitch:.0f}.wav", note, RATE)
    ear = Ear(open_timbre_model("timbre_instruments"))
    with pytest.warns(UserWarning):
        data = read_recordings([folder], analysis_grid(GRID.hop_length), ear, lambda line: None)
    (target,) = data.training
    pitched = [(note, sound.level.max()) for note, sound in zip(target.notes, target.sounds, strict=True) if note > 0]
    by_pitch = {round(note): level for note, level in pitched}
    assert by_pitch[57] - by_pitch[59] == pytest.approx(20.0, abs=2.5)
    assert by_pitch[62] - by_pitch[59] == pytest.approx(10.0, abs=2.5)


def test_what_a_training_goes_on_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "timbre_instruments.onnx").write_bytes(b"trained here")
    for plan, name, keeps_ear in (
        (Plan(out=tmp_path), None, False),
        (Plan(out=tmp_path, low_latency=True), "timbre_instruments", False),
        (Plan(out=tmp_path, voice_only=True), "timbre_instruments", True),
        (Plan(out=tmp_path, voice_only=True, low_latency=True), "timbre_instruments_low", True),
        (Plan(out=tmp_path, data=[tmp_path]), "timbre_instruments", True),
        (Plan(out=tmp_path, data=[tmp_path], from_scratch=True), None, False),
    ):
        before = went_on_from(plan)
        assert (before and before.stem) == name and plan.goes_on is keeps_ear
        shipped = bool(plan.data or plan.voice_only)
        assert before is None or (before.parent != tmp_path) is shipped
    assert main(["train", "timbre", "--from-scratch", "--voice-only"]) == 2
    assert "--from-scratch keeps nothing" in capsys.readouterr().err


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no CUDA device"):
        train(Plan(out=tmp_path, device="cuda"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_it_learns_on_a_device(player: Player) -> None:
    torch.manual_seed(0)
    recipe = XSynthRecipe(XSynth(2), Makers(player), player, batches=1, validated=1, device=torch.device("cuda"))
    (batch,) = recipe.batches(np.random.default_rng(0))
    assert batch.features.is_cuda and recipe.loss(batch).is_cuda and np.isfinite(recipe.validate())


def test_the_task_is_timbre() -> None:
    assert find_model(TASK, "timbre_instruments").task == "timbre"
