from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from terzetto.cli import main  # noqa: E402
from terzetto.errors import InputError  # noqa: E402
from terzetto_export.latent_sequencing import sound_long_run, sound_stability, sound_training  # noqa: E402
from terzetto_export.latent_sequencing.sound_network import LEAST, SoundAutoencoder, surprise  # noqa: E402
from terzetto_export.latent_sequencing.sound_spectrograms import (  # noqa: E402
    LEAD,
    SAMPLES,
    fitted,
    to_levels,
    to_magnitude,
    transform,
)
from terzetto_export.latent_sequencing.sound_training import evaluate, train  # noqa: E402


def small(n: int = 12, seed: int = 0) -> torch.Tensor:
    """Levels of 100 bands and 17 frames: a stripe each, and silence."""
    x = torch.zeros(n, 100, 17)
    place = np.random.default_rng(seed).integers(0, 90, n)
    for sound, band in zip(x, place, strict=True):
        sound[band : band + 4] = torch.linspace(0.9, 0.0, 17)
    return x


def test_the_network_is_the_paper_s() -> None:
    network = SoundAutoencoder(True)
    shapes = {name: tuple(p.shape) for name, p in network.named_parameters() if name.endswith("weight")}
    assert shapes == {
        "encoder.0.weight": (8, 1, 11, 5), "encoder.2.weight": (16, 8, 11, 5), "encoder.4.weight": (32, 16, 11, 5),
        "latent_mean.weight": (128, 8320), "latent_log_variance.weight": (128, 8320), "spread.0.weight": (8320, 128),
        "decoder.0.weight": (32, 16, 11, 5), "decoder.2.weight": (16, 8, 11, 5), "out.weight": (8, 2, 11, 5),
    }  # fmt: skip
    layers = [m for m in network.modules() if isinstance(m, (torch.nn.Conv2d, torch.nn.ConvTranspose2d))]
    assert {(m.stride, m.padding) for m in layers} == {((3, 2), (2, 2))}
    assert [m.output_padding for m in layers[3:]] == [(0, 1), (2, 0), (1, 0)]
    assert network.inner == (32, 13, 20)
    coded = network(torch.zeros(2, 410, 157))
    assert coded.mean.shape == coded.log_variance.shape == (2, 410, 157) and coded.latent_mean.shape == (2, 128)


def test_the_surprise_is_torch_s() -> None:
    x, mean, log_variance = torch.randn(3, 5, 4, 3, generator=torch.Generator().manual_seed(0))
    each = torch.nn.functional.gaussian_nll_loss(mean, x, log_variance.exp(), full=True, eps=0, reduction="none")
    torch.testing.assert_close(surprise(x, mean, log_variance), each.flatten(1).sum(1))


def test_the_bounds_hold_whatever_the_weights_are() -> None:
    for bounded in (False, True):
        torch.manual_seed(0)
        network = SoundAutoencoder(bounded, 100, 17)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter *= 30.0
        coded = network(small())
        reconstruction, divergence = network.losses(small())
        assert bool((coded.latent_log_variance <= 0).all()) == bounded
        assert bool((coded.log_variance >= 2 * np.log(LEAST) - 1e-5).all()) == bounded
        assert bool(torch.isfinite(reconstruction + divergence).all()) == bounded


def test_loud_magnitudes_end_in_nan_and_levels_do_not() -> None:
    loud = sound_stability.integer_magnitudes(to_magnitude(small()))
    naive = train(loud, loud[:0], bounded=False, epochs=14, seed=0, batch=4)
    assert naive.failure is not None and naive.failure.step == naive.steps == 1
    bounded = train(small(), small()[:0], bounded=True, epochs=40, seed=0, batch=4)
    assert bounded.failure is None and bounded.steps == 120
    assert bounded.watch.least_log_variance >= 2 * np.log(LEAST) - 1e-5
    assert bounded.watch.largest_latent <= 0
    assert bounded.train[-1].loss < bounded.train[5].loss


def test_what_is_not_finite_is_named_and_nothing_is_learned_from_it() -> None:
    x = small()
    x[3, 2, 2] = torch.nan
    run = train(x, x[:0], bounded=True, epochs=2, seed=0, batch=12)
    assert run.failure is not None and astuple(run.failure) == (1, "latent")
    assert all(bool(torch.isfinite(p).all()) for p in run.network.parameters())


def test_parts_add_up_to_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    networks = []
    for part in (3, 12):
        monkeypatch.setattr(sound_training, "PART", part)
        monkeypatch.setattr(torch, "randn_like", torch.zeros_like)
        run = train(small(), small(4, seed=1), bounded=True, epochs=2, seed=5, batch=12)
        networks.append(run)
    for first, second in zip(networks[0].network.parameters(), networks[1].network.parameters(), strict=True):
        torch.testing.assert_close(first, second, atol=2e-5, rtol=1e-3)
    assert networks[0].test[-1].loss == pytest.approx(networks[1].test[-1].loss, rel=1e-4)


def test_beta_is_warmed_up_and_the_same_seed_learns_the_same() -> None:
    first, second = (train(small(), small(4, 1), bounded=True, epochs=8, seed=3, batch=6) for _ in range(2))
    assert first.beta == [1.0, 2.0, 3.0, 4.0, 4.0, 4.0, 4.0, 4.0]
    assert first.train == second.train and first.test == second.test and len(first.test) == 8
    last = first.test[-1]
    assert last.loss == pytest.approx(last.reconstruction + 4 * last.divergence)
    assert evaluate(first.network, small(), 0.0, chance=False).loss < first.train[0].reconstruction


def test_a_training_that_was_cut_off_ends_like_one_that_was_not(tmp_path: Path) -> None:
    whole = train(small(), small(4, 1), bounded=True, epochs=6, seed=3, batch=6)
    told: list[str] = []
    for _ in range(3):
        run = train(
            small(), small(4, 1), bounded=True, epochs=6, seed=3, batch=6, minutes=1e-9, checkpoint=tmp_path / "a.ckpt",
            resume=True, tell=told.append,
        )  # fmt: skip
    assert len(run.train) == 3 and "going on after epoch 2" in told
    run = train(
        small(), small(4, 1), bounded=True, epochs=6, seed=3, batch=6, checkpoint=tmp_path / "a.ckpt", resume=True
    )
    assert run.train == whole.train and run.test == whole.test and run.beta == whole.beta and run.steps == whole.steps
    assert run.watch == whole.watch and run.seconds > 0
    for first, second in zip(run.network.parameters(), whole.network.parameters(), strict=True):
        torch.testing.assert_close(first, second, rtol=0, atol=0)


def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    train(small(), small(4, 1), bounded=True, epochs=1, seed=0, checkpoint=path)
    with pytest.raises(InputError, match="not a checkpoint of this network"):
        train(torch.rand(4, 120, 17), small()[:0], bounded=True, epochs=1, seed=0, checkpoint=path, resume=True)
    before = path.read_bytes()
    with pytest.raises(InputError, match="begun with seed 0, not 1; give what it was begun with"):
        train(small(), small(4, 1), bounded=True, epochs=1, seed=1, checkpoint=path, resume=True)
    with pytest.raises(InputError, match="epochs 1, not 2; batch 200, not 6; sounds 12, not 10"):
        train(small()[:10], small(4, 1), bounded=True, epochs=2, seed=0, batch=6, checkpoint=path, resume=True)
    assert path.read_bytes() == before
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match="remove it or train without --resume"):
        train(small(), small(4, 1), bounded=True, epochs=1, seed=0, checkpoint=path, resume=True)
    assert path.read_bytes() == b"nothing"


def test_levels_and_back() -> None:
    magnitude = np.array([1.0, 0.1, 1e-3, 1e-5, 0.0], np.float32)
    level = to_levels(magnitude)
    np.testing.assert_allclose(level, [1.0, 0.75, 0.25, 0.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(to_magnitude(level), [1.0, 0.1, 1e-3, 0.0, 0.0], rtol=1e-5)


def test_sounds_are_cut_and_faded_to_what_the_paper_s_frames_hold() -> None:
    long, short = fitted(np.ones(SAMPLES + 5, np.float32)), fitted(np.ones(100, np.float32))
    assert len(long) == len(short) == SAMPLES == transform().samples
    assert long[-1] == 0.0 and long[-500] == 1.0 and short.sum() == 100
    assert not long[:LEAD].any() and long[LEAD] == short[LEAD] == 1.0


def test_stability_is_counted_for_each_variant() -> None:
    told: list[str] = []
    magnitude = to_magnitude(small())
    found = sound_stability.stability(magnitude, range(2), 3, 4, told.append)
    assert len(told) == 10 and [row["seeds"] for row in found["variants"].values()] == [2] * 5
    worst, *_, best = found["variants"].values()
    assert worst["failed"] == 2 and worst["failed at step"] == [1, 1] and best["failed"] == 0
    text = "\n".join(sound_stability.table(found))
    assert "2 of 2 seeds" in text and "levels, bounded" in text


@pytest.mark.data
def test_the_sounds_half_is_reproduced(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERZETTO_DATA", str(data))
    sitting = "--epochs 2 --batch 20 --sounds 60 --minutes 1e-6"
    assert sound_long_run.main([*sitting.split(), "--data", str(data), "-o", str(tmp_path)]) == 0
    assert "1 of 2 epochs, 2 steps" in capsys.readouterr().out
    assert (tmp_path / "sounds" / "training.ckpt").is_file()
    brief = (
        "--epochs 0 --sound-epochs 2 --sound-batch 20 --sounds 60 --nan-seeds 1 --nan-steps 1 --nan-batch 2 --resume"
    )
    assert main(["reproduce", "latent-sequencing", *brief.split(), "-o", str(tmp_path)]) == 0
    told = capsys.readouterr()
    assert "going on after epoch 1" in told.err and "2 epochs, 4 steps" in told.out
    assert "NaN within 1 steps" in told.out and "the mean training sound" in told.out
    for name in ("training.png", "spectrograms.png", "kick.wav", "kick_network.wav", "kick_prior.wav"):
        assert (tmp_path / "sounds" / name).stat().st_size > 5000
    assert main(["reproduce", "latent-sequencing", "--epochs", "0", "--sound-epochs", "0", "-o", str(tmp_path)]) == 2
    assert "at least 1 epoch of one" in capsys.readouterr().err
