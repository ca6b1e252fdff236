from importlib.metadata import EntryPoint

import numpy as np
import pytest

from terzetto import _kernel
from terzetto.errors import InputError
from terzetto.hands import encoders, factorise
from terzetto.hands.factorise import Factorisation, Options, find, nae, nmf


def problem(seed: int = 0, frames: int = 60, bins: int = 40, rows: int = 6):
    rng = np.random.default_rng(seed)
    W = rng.random((rows, bins), np.float32) * (rng.random((rows, bins)) < 0.6)
    H = rng.random((rows, frames), np.float32) * (rng.random((rows, frames)) < 0.5)
    V = (H.T @ W + 1e-3).astype(np.float32)
    start_W = (W > 0) * rng.random((rows, bins), np.float32)
    start_H = (H > 0) * rng.random((rows, frames), np.float32)
    return V, start_W, start_H


@pytest.mark.parametrize("method", [nmf, nae])
@pytest.mark.parametrize("loss", ["kl", "euclidean"])
def test_constraints_hold_and_the_model_comes_near(method, loss) -> None:
    V, W, H = problem()
    options = Options(loss=loss, iterations=80, loss_interval=1, encoder="informed")
    found = method(V, W, H, options)
    assert ((found.W > 0) <= (W > 0)).all() and ((found.H > 0) <= (H > 0)).all()
    assert (np.diff(found.losses) <= 1e-5 * found.losses[:-1]).all(), "the loss rose"
    assert found.losses[-1] < 0.5 * found.losses[0]


def test_inference_repeats_what_training_found() -> None:
    V, W, H = problem()
    found = nae(V, W, H, Options(iterations=50, encoder="informed"))
    assert np.allclose(found.infer(V, H), found.H, rtol=1e-4, atol=1e-6)
    found = nmf(V, W, H, Options(iterations=300))
    again = found.infer(V, H)
    error = np.abs(again.T @ found.W - V).sum() / V.sum()
    assert error < 0.1
    assert ((again > 0) <= (H > 0)).all()


def test_inference_is_one_frame_at_a_time() -> None:
    V, W, H = problem()
    for method in (nmf, nae):
        found = method(V, W, H, Options(iterations=20))
        whole = found.infer(V, H)
        pieces = [found.infer(V[a:b].copy(), H[:, a:b].copy()) for a, b in ((0, 7), (7, 23), (23, 60))]
        assert np.allclose(np.concatenate(pieces, axis=1), whole, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("encoder", ["informed", "random", "higher"])
def test_encoders_start_as_section_3_4_says(encoder: str) -> None:
    V, W, H = problem()
    start = encoders.start(V, W, H, encoder, seed=3)
    codes = (start @ V.T) * (H > 0)
    assert (W.T @ codes).sum() == pytest.approx(V.sum(), rel=1e-4), "scaled to the energy of V"
    if encoder == "random":
        assert (start > 0).all()
        assert np.array_equal(start, encoders.start(V, W, H, encoder, seed=3))
        assert not np.array_equal(start, encoders.start(V, W, H, encoder, seed=4))
    else:
        assert ((start > 0) <= (W > 0)).all()


def test_higher_harmonics_blind_the_encoder_to_the_lower_ones() -> None:
    W = np.zeros((2, 60), np.float32)
    W[0, [5, 10, 15, 20, 25, 30, 35]] = 1
    W[1] = 1  # an onset template has no partials to leave out
    H = np.ones((2, 9), np.float32)
    start = encoders.start(H.T @ W, W, H, "higher", lowest_partial=5)
    assert not start[0, :25].any() and start[0, 25:].any()
    assert (start[1] > 0).all()


def test_the_fitted_encoder_finds_what_a_linear_encoder_can() -> None:
    rng = np.random.default_rng(0)
    V = rng.random((300, 12), np.float32)
    true = rng.random((3, 12), np.float32)
    mask = rng.random((3, 300)) < 0.5
    H = ((true @ V.T) * mask).astype(np.float32)
    encoder = _kernel.fit_encoder(V, rng.random((3, 12), np.float32), H, iterations=3000)
    error = np.abs((encoder @ V.T) * mask - H).max()
    assert error < 0.01 * H.max()


def test_the_fitted_encoder_reports_one_rising_progress() -> None:
    V, W, H = problem()
    calls: list[float] = []
    nae(V, W, H, Options(progress=lambda done, total: calls.append(done / total)))
    assert calls == sorted(calls) and calls[-1] == 1.0
    assert 0.5 in calls, "where the fit begins"


def test_a_factoriser_of_ones_own_needs_a_function_and_an_entry_point(monkeypatch, piece) -> None:
    import sys
    import types

    import terzetto

    module = types.ModuleType("my_package")
    calls = []

    def mine(V, W, H, options) -> Factorisation:
        calls.append(V.shape)
        return nmf(V, W, H, options)

    module.mine = mine  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "my_package", module)
    point = EntryPoint("mine", "my_package:mine", "terzetto.factorisers")
    monkeypatch.setattr(factorise, "entry_points", lambda group: [point])
    stems = terzetto.separate_hands(piece.mix, piece.sample_rate, piece.score, method="mine")
    assert calls and set(stems) == {"left_hand", "right_hand", "residual"}
    with pytest.raises(InputError, match=r"'nmf' is not installed; valid: mine"):
        find("nmf")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"loss": "l1"}, "valid: kl, euclidean"),
        ({"encoder": "deep"}, "valid: fitted, informed, random, higher"),
        ({"iterations": 0}, "1 to 100000"),
        ({"eps": -1.0}, "0 or more"),
        ({"seed": -1}, "0 or more"),
    ],
)
def test_options_name_what_is_valid(given, message) -> None:
    with pytest.raises(InputError, match=message):
        Options(**given)
