from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from terzetto.drums.grid import ActivationMatrix, Hvo  # noqa: E402
from terzetto.drums.midi import Beat  # noqa: E402
from terzetto.drums.pattern_features import features  # noqa: E402
from terzetto.errors import InputError  # noqa: E402
from terzetto_export.drum_data.bars import DrumBar  # noqa: E402
from terzetto_export.drum_data.files import DrumFile  # noqa: E402
from terzetto_export.drum_patterns.augmentation import Amount, draw  # noqa: E402
from terzetto_export.drum_patterns.corpus import Corpus  # noqa: E402
from terzetto_export.drum_patterns.data import without_drummer  # noqa: E402
from terzetto_export.drum_patterns.flow import ConditionalFlow  # noqa: E402
from terzetto_export.drum_patterns.losses import divergence, hit_loss, shape_loss, targets  # noqa: E402
from terzetto_export.drum_patterns.network import Raw  # noqa: E402


def bars(n: int, drummer: str = "a", split: str = "train") -> list[DrumBar]:
    """Bars of one file in which the kick of bar k is on step k."""
    file = DrumFile(Path(f"{drummer}.mid"), Beat.of([0.0], [36], 1.0), "funk", drummer, split, drummer=drummer)
    found = []
    for number in range(n):
        hits, fine = np.zeros((9, 16), bool), np.zeros((8, 64), bool)
        hits[0, number], fine[1, 4 * number] = True, True
        found.append(DrumBar(Hvo(hits, hits * 0.5), ActivationMatrix(fine), file, number))
    return found


def test_a_window_that_begins_later_goes_on_into_the_next_bar() -> None:
    corpus = Corpus.of(bars(4))
    assert corpus.following.tolist() == [1, 2, 3, 3]
    shifted = draw(corpus, np.zeros(200, np.int64), Amount(1.0, 0.0, 0.0), np.random.default_rng(0))
    # Bar 1 has its kick on step 1: in a window that begins s steps after bar 0 it is on 17 - s where that is below 16.
    steps = {tuple(np.flatnonzero(bar[0])) for bar in shifted.hits}
    assert steps <= {(17 - s,) for s in range(2, 16)} | {()} and len(steps) > 3
    for fine, hits in zip(shifted.fine, shifted.hits, strict=True):
        assert (np.flatnonzero(fine[1]) // 4).tolist() == np.flatnonzero(hits[0]).tolist()


def test_crossed_and_thinned_bars_change_both_forms_alike() -> None:
    corpus = Corpus.of(bars(8))
    changed = draw(corpus, np.arange(8), Amount(0.0, 1.0, 1.0), np.random.default_rng(3))
    assert not np.array_equal(changed.hits, corpus.bars.hits)
    np.testing.assert_array_equal(changed.fine[:, 1].reshape(8, 16, 4).any(axis=2), changed.hits[:, 0] > 0)
    np.testing.assert_array_equal(changed.velocities, 0.5 * changed.hits)


def test_the_flow_is_its_own_inverse_and_its_density_is_one() -> None:
    torch.manual_seed(0)
    flow = ConditionalFlow(2, 3).eval()
    for parameter in flow.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    condition = torch.tensor([[1.0, 0.0, -0.5]])
    latent = torch.randn(50, 2)
    normal, _ = flow.to_normal(latent, condition.expand(50, 3))
    torch.testing.assert_close(flow.from_normal(normal, condition.expand(50, 3)), latent, atol=1e-3, rtol=1e-3)
    # Importance sampling with a wide Gaussian: the density integrates to 1.
    points = 6 * torch.randn(100_000, 2)
    log_proposal = torch.distributions.Normal(0.0, 6.0).log_prob(points).sum(dim=1)
    with torch.no_grad():
        log_density = flow.log_density(points, condition.expand(len(points), 3))
    assert torch.exp(log_density - log_proposal).mean().item() == pytest.approx(1.0, abs=0.05)


def test_losses_are_least_where_all_is_right() -> None:
    corpus = Corpus.of(bars(3))
    truth = targets(torch.from_numpy(features(corpus.bars)))
    right = Raw(*(40 * each - 20 for each in truth[:2]), torch.logit(truth.velocities.clamp(1e-6)), truth.offsets)
    assert hit_loss(right, truth).max() < 1e-4 and shape_loss(right, truth).max() < 1e-6
    wrong = right._replace(hits=-right.hits, velocities=-right.velocities + 3)
    assert hit_loss(wrong, truth).min() > 100 and shape_loss(wrong, truth).min() > 0.5
    zeros = torch.zeros(2, 4)
    assert divergence(zeros, zeros).tolist() == [0, 0] and divergence(zeros + 1, zeros).tolist() == [2, 2]


def test_a_drummer_held_out_is_the_whole_test_and_in_nothing_else() -> None:
    everything = [*bars(3, "a"), *bars(2, "b", "validation"), *bars(2, "c"), *bars(1, "d", "test")]
    parts = without_drummer(everything, "c")
    assert sorted((bar.file.drummer, bar.file.split) for bar in parts) == [
        *[("a", "train")] * 3, *[("b", "validation")] * 2, *[("c", "test")] * 2,
    ]  # fmt: skip
    with pytest.raises(InputError, match="no drummer 'z' in the data; there are: a, b, c, d"):
        without_drummer(everything, "z")


def test_styles_of_a_corpus_are_indices_into_given_ones() -> None:
    first, second = bars(2, "a"), bars(1, "b")
    second = [replace(bar, file=replace(bar.file, style="odd")) for bar in second]
    corpus = Corpus.of([*first, *second])
    assert corpus.style(["bossa", "funk"]).tolist() == [1, 1, -1]
    assert corpus.density.tolist() == pytest.approx([1 / 40] * 3)
