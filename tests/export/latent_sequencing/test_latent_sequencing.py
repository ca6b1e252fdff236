from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from terzetto.drums.beat import Beat  # noqa: E402
from terzetto.errors import InputError  # noqa: E402
from terzetto_export.drum_data.files import DrumFile, Reading  # noqa: E402
from terzetto_export.latent_sequencing.bars import first_bars  # noqa: E402
from terzetto_export.latent_sequencing.network import INPUT, PaperAutoencoder, train  # noqa: E402


def reading(n: int) -> Reading:
    """Files that differ in their first bar by where the kick is; one doubles another, one is a fill."""
    files = []
    for number in [*range(n), 0]:
        beat = Beat.of([0.25 * number, 4.0], [36, 38], 0.8)
        files.append(DrumFile(Path(f"{len(files)}.mid"), beat, "rock", str(number), "train"))
    files.append(DrumFile(Path("f.mid"), Beat.of([0.5, 0.75], [38, 38], 0.8), "rock", "f", "train", fill=True))
    return Reading(files)


def test_first_bars_without_fills_and_duplicates() -> None:
    told: list[str] = []
    bars = first_bars(reading(12), told.append)
    assert bars.hits.shape == (12, 8, 64) and bars.hits.sum() == 12
    assert (bars.counts.fills, bars.counts.duplicates, bars.counts.kept) == (1, 1, 12) and told
    trained, tested = bars.split(0)
    assert (len(trained), len(tested)) == (10, 2) and not set(trained) & set(tested)
    with pytest.raises(InputError, match="3 different bars"):
        first_bars(reading(3), told.append)


def test_the_network_has_the_paper_s_sizes() -> None:
    network = PaperAutoencoder()
    assert INPUT == 512
    shapes = {name: tuple(p.shape) for name, p in network.named_parameters() if name.endswith("weight")}
    assert shapes == {
        "encoder.0.weight": (800, 512), "mean.weight": (2, 800), "log_variance.weight": (2, 800),
        "decoder.0.weight": (800, 2), "decoder.2.weight": (512, 800),
    }  # fmt: skip


def test_training_warms_beta_up_and_learns_and_repeats_itself() -> None:
    hits = first_bars(reading(16), lambda line: None).hits
    first, curves = train(hits, hits[:4], epochs=8, seed=3)
    assert curves.beta[0] == 1.0 and curves.beta[3:] == [4.0] * 5
    assert curves.train[-1] < 0.2 * curves.train[0]
    second, again = train(hits, hits[:4], epochs=8, seed=3)
    assert curves == again
    np.testing.assert_array_equal(first.place(hits), second.place(hits))


def test_the_plain_autoencoder_has_no_divergence_and_no_chance() -> None:
    network = PaperAutoencoder(variational=False)
    x = torch.ones(3, INPUT)
    first, second = network.losses(x), network.losses(x)
    assert torch.equal(first[0], second[0]) and not first[1].any()
