"""The sound model's parts, and a model of one's own from a folder, through the command."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

torch = pytest.importorskip("torch")

from terzetto.cli import main  # noqa: E402
from terzetto.drums.drum_map import CLASSES  # noqa: E402
from terzetto.drums.sounds import MODEL, TASK, open_sound_model  # noqa: E402
from terzetto.models import find_model  # noqa: E402
from terzetto_export.drum_sounds import train  # noqa: E402
from terzetto_export.drum_sounds.export import take_weights  # noqa: E402
from terzetto_export.drum_sounds.network import SoundAutoencoder, coarse  # noqa: E402
from terzetto_export.drum_sounds.pad import places  # noqa: E402
from terzetto_export.drum_sounds.pool import Pool, make_pool  # noqa: E402
from terzetto_export.drum_sounds.prior import Latents, Prior  # noqa: E402
from terzetto_export.drum_sounds.recipe import errors, moved, tensors  # noqa: E402
from terzetto_export.drum_sounds.recognised import recognised  # noqa: E402
from terzetto_export.drum_sounds.strangers import strangers  # noqa: E402
from terzetto_export.drum_sounds.typical import typical  # noqa: E402

RATE = 44_100
KICK, HAT = CLASSES.index("kick"), CLASSES.index("closed hat")
CPU = torch.device("cpu")


def drum(name: str, random: np.random.Generator) -> NDArray[np.float32]:
    time = np.arange(int(random.uniform(0.1, 0.2) * RATE)) / RATE
    if name == "kick":
        low = random.uniform(40, 70)
        wave = np.sin(2 * np.pi * (low * time - 3 * np.exp(-time / 0.02))) * np.exp(-15 * time)
    else:
        wave = np.diff(random.standard_normal(len(time) + 1)) * np.exp(-random.uniform(30, 60) * time)
    return (0.5 * wave / np.abs(wave).max()).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """22 kicks and 22 closed hats of one's own, in folders named after them, and a file that is none."""
    folder = tmp_path_factory.mktemp("My Kit")
    random = np.random.default_rng(0)
    for name, part in (("kick", "Kicks"), ("hat", "Closed Hats")):
        (folder / part).mkdir()
        for number in range(22):
            soundfile.write(folder / part / f"{number}.wav", drum(name, random), RATE)
    (folder / "Kicks" / "broken.wav").write_bytes(b"RIFF?")
    return folder


def test_a_producers_folder_becomes_a_model(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "OWN_VARIANTS", 3)
    monkeypatch.setattr(train, "OWN_CENTRES", 8)
    assert main(["train", "sounds", "--data", str(folder), "--name", "mine", "--epochs", "1", "-o", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert "broken.wav: skipped" in said.err
    assert said.out.strip() == str(tmp_path / "mine.onnx")
    model = open_sound_model(str(tmp_path / "mine.onnx"))
    assert model.classes == ("kick", "closed hat")
    low, high = (
        np.argmax(np.abs(np.fft.rfft(model.decode(model.sample(name), name), RATE))) for name in ("kick", "closed hat")
    )
    assert low < 200 and high > 1000
    card = (tmp_path / "mine.md").read_text()
    assert "log-spectral distance" in card and "--data My" in card and "kick 22" not in card


def test_too_few_sounds_are_refused_with_the_least_number(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "sounds", "--data", str(folder / "Kicks"), "-o", str(tmp_path)]) != 0
    assert "at least 40" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_an_exported_models_weights_can_be_taken_up() -> None:
    autoencoder = SoundAutoencoder().eval()
    path = find_model(TASK, MODEL).path
    take_weights(autoencoder, path)
    model = open_sound_model()
    z = model.sample("tom", 3)
    one_hot = torch.eye(8)[CLASSES.index("tom")][None]
    with torch.no_grad():
        image, _ = autoencoder.decoder(torch.from_numpy(z)[None], one_hot)
    theirs = model._run("decoded_image", latent=z[None], latent_class=one_hot.numpy())[0]
    np.testing.assert_allclose(image.numpy(), theirs, atol=1e-5)


@pytest.fixture(scope="module")
def pool() -> Pool:
    from terzetto_export.drum_sounds.one_shots import OneShot

    random = np.random.default_rng(1)
    named = [("kick", KICK), ("hat", HAT), ("hat", HAT)]
    return make_pool([OneShot(Path(n), drum(n, random), each, "kit") for n, each in named], 12)


def test_the_linear_parts_begin_by_keeping_what_sounds_have_in_common(pool: Pool) -> None:
    network = SoundAutoencoder()
    batch = tensors(pool, slice(0, 12), CPU)
    seen = coarse(batch.image, batch.strip)
    network.begin(seen)
    with torch.no_grad():
        back = network.decoder.linear(network.encoder.linear(seen))
    assert float((back - seen).abs().max()) < 0.02  # twelve sounds have eleven axes


def test_rarer_classes_have_more_variants_of_each_sound(pool: Pool) -> None:
    assert (pool.classes == KICK).sum() == 6 and (pool.classes == HAT).sum() == 6
    assert pool.plain.sum() == 3
    assert len({image.tobytes() for image in pool.images}) == 12


def test_a_batch_moved_up_is_the_sound_moved_up(pool: Pool) -> None:
    batch = tensors(pool, slice(0, 12), CPU)
    same = errors(batch, batch.image, batch.strip)
    assert float(same.max()) < 0.05  # the entropy of the share that is partials' stays
    random = np.random.default_rng(5)
    other = moved(batch, random)
    assert other.image.shape == batch.image.shape and bool((errors(batch, other.image, other.strip) > same).all())
    # Kicks' pitch goes where their rows go; what is silent stays so.
    assert float((other.strip[:, 64:128] - batch.strip[:, 64:128]).abs().max()) == pytest.approx(
        3 * np.log2(100) / 95 / 4.5, rel=1e-3
    )
    assert not bool(
        other.image[:, 0][batch.image[:, 0].max(dim=1, keepdim=True)[0].expand_as(batch.image[:, 0]) == 0].any()
    )


def test_samples_of_two_clusters_lie_in_them_and_not_between() -> None:
    random = np.random.default_rng(0)
    side = np.where(random.random(400) < 0.5, -20.0, 20.0)
    points = (random.standard_normal((400, 5)) @ np.diag([1, 2, 0.5, 1, 1]) + side[:, None]).astype(np.float32)
    prior = Prior(Latents(points, np.full(400, KICK)))
    draws = 3000
    centre = torch.from_numpy(random.integers(0, prior.counts[KICK], (draws, 1)))
    normal = torch.from_numpy(random.standard_normal((draws, 5)).astype(np.float32))
    drawn = prior(centre, normal, torch.eye(8)[KICK].expand(draws, 8)).numpy()
    assert np.abs(drawn).min(axis=1).min() > 10
    assert np.abs((drawn[:, 0] > 0).mean() - 0.5) < 0.1
    # New points, and about as wide as the clusters are.
    widths = (drawn - 20 * np.sign(drawn)).std(axis=0) / [1, 2, 0.5, 1, 1]
    assert (widths > 1.0).all() and (widths < 1.4).all()


def test_the_prior_has_the_likeliest_draws_of_every_original_the_most_typical_first() -> None:
    """By one to whom the first number of a point says it all."""
    asked: list[tuple[int, int, int]] = []

    def hear(points: NDArray[np.float32], sound_class: int, original: int) -> NDArray[np.float32]:
        asked.append((len(points), sound_class, original))
        return points[:, 0]

    random = np.random.default_rng(0)
    originals = np.repeat(np.arange(6), 5)
    latents = Latents(random.standard_normal((30, 2)).astype(np.float32), np.repeat([KICK, HAT], 15))
    latents.points[:, 1] = 100.0 * originals
    kept = recognised(latents, originals, hear, most=9, draws=4)
    assert asked == [(12, KICK if original < 3 else HAT, original) for original in range(6)]
    for each, mine in ((KICK, (0, 1, 2)), (HAT, (3, 4, 5))):
        points = kept.of(each)
        assert sorted(np.round(points[:, 1] / 100.0).astype(int)) == sorted(np.repeat(mine, 3))
        assert (np.diff(points[:, 0]) <= 0).all()
        assert points[:, 0].mean() > latents.of(each)[:, 0].mean()


def test_who_says_what_is_drawn_does_not_know_its_kit() -> None:
    """One of three kits calls its hats kicks: the others do not believe it."""
    from terzetto_export.drum_sounds.one_shots import OneShot

    random = np.random.default_rng(3)
    sounds = [
        OneShot(Path(name), drum(name, random), named, kit)
        for kit in "abc"
        for name, named in (("kick", KICK), ("hat", HAT if kit != "c" else KICK))
        for _ in range(6)
    ]
    pool = make_pool(sounds, 0)
    network = SoundAutoencoder(32).eval()
    batch = tensors(pool, slice(0, len(pool)), CPU)
    network.begin(coarse(batch.image, batch.strip))
    with torch.no_grad():
        points = network.encoder.linear(coarse(batch.image, batch.strip)).numpy()
    hear = strangers(network, sounds)
    asked = [float(hear(points[[row]], KICK, row)[0]) for row in range(len(sounds))]
    is_kick = np.array([sound.path.name == "kick" for sound in sounds])
    kit = np.array([ord(sound.kit) for sound in sounds])
    assert np.mean(np.array(asked)[is_kick]) > 0.75
    assert np.mean(np.array(asked)[~is_kick & (kit == ord("c"))]) < 0.25
    assert hear(points[:2], CLASSES.index("tom"), 0).tolist() == [0, 0], "a class that nobody has told it of"


def test_a_classs_sounds_fill_its_pad() -> None:
    random = np.random.default_rng(0)
    bright = random.standard_normal(100)
    place = places(np.stack([bright, bright + 0.3 * random.standard_normal(100)], axis=1))
    quarters = np.histogram2d(*place.T, bins=2, range=[[0, 1], [0, 1]])[0]
    assert quarters.min() >= 20
    assert np.corrcoef(place[:, 0], bright)[0, 1] > 0.9


def test_a_sound_that_other_kits_know_as_another_class_is_not_typical() -> None:
    random = np.random.default_rng(0)
    classes = np.repeat([KICK, HAT], 60)
    features = random.standard_normal((120, 6)) + 3.0 * (classes == KICK)[:, None]
    kits = np.tile(np.arange(4), 30)
    features[:5] -= 3.0  # five kicks that are hats
    good = typical(features, classes, kits, np.arange(120))
    assert not good[:5].any() and good[5:].mean() > 0.95
    assert typical(features[:60], classes[:60], kits[:60], np.arange(60)).all()
