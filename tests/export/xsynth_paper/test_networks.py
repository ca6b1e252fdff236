from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from terzetto.errors import InputError  # noqa: E402
from terzetto.evaluate.timbre import loudness_error  # noqa: E402
from terzetto_export.xsynth_paper import ddsp, training  # noqa: E402
from terzetto_export.xsynth_paper.conversion import through  # noqa: E402
from terzetto_export.xsynth_paper.image_style import transfer  # noqa: E402
from terzetto_export.xsynth_paper.network import (  # noqa: E402
    CONTEXT,
    KINDS,
    PLAIN,
    X_SYNTH,
    Autoencoder,
    with_context,
)
from terzetto_export.xsynth_paper.sounds import GRID, SAMPLE_RATE, vowel  # noqa: E402
from terzetto_export.xsynth_paper.training import Energy, learn, parted  # noqa: E402


def still(seconds: float, pitch: float = 60.0) -> np.ndarray:
    return vowel(np.zeros(int(seconds * SAMPLE_RATE)), pitch)


def test_how_far_back_each_network_hears() -> None:
    x = torch.rand(1, 12, 33, generator=torch.Generator().manual_seed(0))
    changed = x.clone()
    changed[:, 3] += 1.0
    for kind in KINDS:
        torch.manual_seed(0)
        network = Autoencoder(kind, 33)
        heard = (network(x) != network(changed)).any(dim=2)[0].nonzero()[:, 0].tolist()
        assert heard == list(range(3, 12 if kind.recurrent else 4 + kind.context)), kind.name


def test_context_lies_beside_its_frame_oldest_first() -> None:
    x = torch.arange(1.0, 7.0).reshape(1, 6, 1)
    wide = with_context(x, CONTEXT)
    assert wide[0, 5].tolist() == [2.0, 3.0, 4.0, 5.0, 6.0] and wide[0, 0].tolist() == [0.0, 0.0, 0.0, 0.0, 1.0]


def test_energy_around_gives_back_the_level_and_through_it_the_network_must() -> None:
    magnitude = np.random.default_rng(0).random((5, 9)).astype(np.float32) * np.array([[1], [9], [0.1], [4], [2]], "f4")
    around = Energy(True)
    compressed, norm = around.compress(magnitude)
    np.testing.assert_allclose((compressed**4).sum(axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(around.expand(compressed, norm), magnitude, rtol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(around.expand(compressed[::-1], norm), axis=1), norm[:, 0], rtol=1e-4)
    through_it = Energy(False, 3.0)
    read, ignored = through_it.compress(magnitude)
    np.testing.assert_allclose(through_it.expand(read, 0 * ignored), magnitude, rtol=1e-5)


def test_a_network_learns_repeats_itself_and_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "BATCHES", 10)
    sounds = [still(1.5, pitch) for pitch in (57.0, 60.0, 64.0)]
    first, second = (
        learn(sounds, sounds[:1], PLAIN, epochs=3, seed=1, kept=tmp_path / name) for name in ("a.pt", "b.pt")
    )
    assert first.history.validation == second.history.validation
    assert first.history.validation[-1] > 0.8 * first.history.validation[0]
    monkeypatch.setattr(training, "fit", None)  # not asked again
    again = learn(sounds, sounds[:1], PLAIN, epochs=3, seed=1, kept=tmp_path / "a.pt")
    assert again.history == first.history
    np.testing.assert_array_equal(through(again, "input")(sounds[0]), through(first, "input")(sounds[0]))
    with pytest.raises(InputError, match="remove it"):
        learn(sounds, sounds[:1], X_SYNTH, epochs=3, seed=1, kept=tmp_path / "a.pt")
    made = through(first)(sounds[0])
    assert made.shape == sounds[0].shape and made.dtype == np.float32
    assert loudness_error(sounds[0], through(first, "input")(sounds[0]), SAMPLE_RATE) < 4.0
    silence = np.zeros(SAMPLE_RATE, np.float32)
    np.testing.assert_array_equal(through(first, "input")(silence), silence)


def test_too_little_to_learn_from() -> None:
    with pytest.raises(InputError, match="less than a second"):
        learn([still(0.5)], [still(2.0)], X_SYNTH, epochs=1, seed=0)


def test_a_recording_is_parted_into_what_is_learned_and_what_is_held_out() -> None:
    recording = np.arange(27 * SAMPLE_RATE, dtype=np.float32)
    learned, held = parted(recording)
    assert sum(map(len, learned)) + sum(map(len, held)) == len(recording)
    assert 0.08 < sum(map(len, held)) / len(recording) < 0.16
    assert not set(np.concatenate(learned)) & set(np.concatenate(held))


def test_the_rival_plays_partials_at_multiples_of_the_pitch_below_half_the_rate() -> None:
    frequency = torch.full((1, 20), 440.0)
    played = ddsp._harmonics(frequency, torch.ones(1, 20, ddsp.PARTIALS))[0].numpy()
    assert len(played) == 20 * GRID.hop_length
    spectrum = np.abs(np.fft.rfft(played[: SAMPLE_RATE // 5] * np.hanning(SAMPLE_RATE // 5)))
    loud = np.flatnonzero(spectrum > 0.2 * spectrum.max()) * 5
    assert set(np.round(loud / 440).astype(int)) == set(range(1, int(0.95 * SAMPLE_RATE / 2 / 440) + 1))


def test_the_rival_learns_and_follows_a_pitch_it_never_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ddsp, "BATCHES", 2)
    sounds = [still(1.2, 57.0)]
    network, history = ddsp.learn(sounds, sounds, epochs=3, seed=0)
    assert history.validation[-1] > history.validation[0]
    sung = still(1.0, 64.0)
    made = ddsp.convert(network, sung)
    assert made.shape == sung.shape
    np.testing.assert_array_equal(made, ddsp.convert(network, sung))
    np.testing.assert_allclose(np.sqrt((made**2).mean()), np.sqrt((sung**2).mean()), rtol=1e-3)


def test_pictures_take_on_the_style_of_pictures() -> None:
    content, style = still(0.5), np.random.default_rng(0).standard_normal(SAMPLE_RATE // 2).astype(np.float32) * 0.1
    made = transfer(content, style, steps=10, seed=0)
    assert made.audio.shape == content.shape and np.isfinite(made.audio).all()
    assert made.style[-1] < 0.9 * made.style[0] and made.content[0] == 0.0
