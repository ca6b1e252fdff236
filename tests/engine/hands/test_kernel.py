"""The kernel against plain NumPy in double precision, written exactly like tables 2.1 and 3.1 of the thesis.

Agreement is measured as the largest difference of two matrices relative to the largest entry of the reference, after
100 iterations. Everything here has the kernel's orientation at its border (V: frames x bins, W: templates x bins) and
the thesis's inside the references (V: K x N, W: K x R, W_E: R x K, H: R x N).
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from terzetto import _kernel
from terzetto.audio.spectra import FrameGrid
from terzetto.hands.templates import TemplateLayout, informed_templates

Float = NDArray[np.float32]
Double = NDArray[np.float64]

ITERATIONS = 100
TOLERANCE = 1e-4
LOSSES = ("euclidean", "kl")
LEVELS = _kernel.simd_levels()
# What the kernel's logarithm takes for nothing.
LOG_FLOOR = 1e-35
# The floats' unit of rounding.
UNIT = float(np.finfo(np.float32).eps)


# ---- references ----------------------------------------------------------------------------------------


def updated(X: Double, numerator: Double, denominator: Double, eps: float) -> Double:
    """X ⊙ (numerator ⊘ (denominator + ε)); where that divides by zero, the entry stays."""
    below = denominator + eps
    dead = below == 0
    return np.where(dead, X, X * (numerator / np.where(dead, 1.0, below)))


def quotient(V: Double, WH: Double, eps: float) -> Double:
    """V ⊘ (W H + ε); zero where nothing is modelled, which no update can see."""
    below = WH + eps
    return np.where(below > 0, V / np.where(below > 0, below, 1.0), 0.0)


def reference_nmf(V: Double, W: Double, H: Double, iterations: int, loss: str, eps: float, update_templates: bool):
    """Table 2.1; for 'kl' Lee and Seung's rules for the divergence in the same order."""
    losses = []
    one = np.ones_like(V)
    for _ in range(iterations):
        if loss == "euclidean":
            H = updated(H, W.T @ V, W.T @ W @ H, eps)
            if update_templates:
                W = updated(W, V @ H.T, W @ H @ H.T, eps)
        else:
            H = updated(H, W.T @ quotient(V, W @ H, eps), W.T @ one, eps)
            if update_templates:
                W = updated(W, quotient(V, W @ H, eps) @ H.T, one @ H.T, eps)
        losses.append(reference_loss(V, W @ H, loss))
    return W, H, np.array(losses)


def reference_nae(V: Double, W_E: Double, W_D: Double, M: Double, iterations: int, loss: str, eps: float):
    """Table 3.1; for 'kl' with V ⊘ (W_D H') in place of V and ones in place of W_D H'."""
    losses = []
    one = np.ones_like(V)
    H = (W_E @ V) * M
    for _ in range(iterations):
        if loss == "euclidean":
            W_D = updated(W_D, V @ H.T, W_D @ H @ H.T, eps)
            W_E = updated(W_E, ((W_D.T @ V) * M) @ V.T, ((W_D.T @ W_D @ H) * M) @ V.T, eps)
        else:
            W_D = updated(W_D, quotient(V, W_D @ H, eps) @ H.T, one @ H.T, eps)
            Q = quotient(V, W_D @ H, eps)
            W_E = updated(W_E, ((W_D.T @ Q) * M) @ V.T, ((W_D.T @ one) * M) @ V.T, eps)
        H = (W_E @ V) * M
        losses.append(reference_loss(V, W_D @ H, loss))
    return W_E, W_D, H, np.array(losses)


def reference_fit(V: Double, W: Double, H: Double, iterations: int) -> Double:
    """The encoder row by row, rows x bins: nonnegative least squares towards H, where a row is active."""
    allowed = H > 0
    seen = allowed @ V
    encoder = np.divide(W * (H @ quotient(V, H.T @ W, 0.0)), seen, out=np.zeros_like(W), where=seen > 0)
    for row, start in enumerate(encoder):
        frames = np.flatnonzero(allowed[row])
        if len(frames) > 256:
            frames = frames[np.linspace(0, len(frames) - 1, 256).round().astype(int)]
        bins = np.flatnonzero(start > 0.01 * start.max(initial=0))
        data, weights = V[np.ix_(frames, bins)], start[bins]
        for _ in range(iterations):
            weights = updated(weights, data.T @ H[row, frames], data.T @ (data @ weights), 0.0)
        encoder[row, bins] = weights
    return encoder


def reference_loss(V: Double, WH: Double, loss: str) -> float:
    if loss == "euclidean":
        return float(((V - WH) ** 2).sum())
    heard = V > 0
    return float((V[heard] * np.log(V[heard] / np.maximum(WH[heard], LOG_FLOOR))).sum() - V.sum() + WH.sum())


# ---- problems ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Problem:
    """What goes into the kernel. W also starts the decoder; the zeros of H are the mask."""

    V: Float
    W: Float
    W_E: Float
    H: Float

    @property
    def M(self) -> NDArray[np.bool_]:
        return self.H > 0

    @property
    def scale(self) -> dict[str, float]:
        """What each loss is measured against: that of V with nothing modelled, or its constant part."""
        V = self.V.astype(np.float64)
        return {"euclidean": float((V**2).sum()), "kl": float(V.sum())}

    def reference(self, method: str, loss: str, eps: float, iterations: int) -> dict[str, Double]:
        V, W, H = (x.astype(np.float64) for x in (self.V.T, self.W.T, self.H))
        if method == "nae":
            found = reference_nae(V, self.W_E.astype(np.float64), W, self.M.astype(np.float64), iterations, loss, eps)
            return {"W_E": found[0], "W": found[1].T, "H": found[2], "losses": found[3]}
        found = reference_nmf(V, W, H, iterations, loss, eps, method == "nmf")
        return {"W": found[0].T, "H": found[1], "losses": found[2]}

    def run(self, method: str, iterations: int = ITERATIONS, **options: Any) -> dict[str, NDArray[Any]]:
        if method == "nae":
            names = ("W_E", "W", "H", "losses")
            return dict(
                zip(
                    names,
                    _kernel.nae(self.V, self.W_E, self.W, self.M, iterations=iterations, **options),
                    strict=True,
                )
            )
        if method == "fixed":
            options["update_templates"] = False
        found = _kernel.nmf(self.V, self.W, self.H, iterations=iterations, **options)
        return dict(zip(("W", "H", "losses"), found, strict=True))


METHODS = ("nmf", "fixed", "nae")


def random_problem(
    bins: int, frames: int, templates: int, density: float = 0.5, seed: int = 0, sparse_templates: bool = True
) -> Problem:
    random = np.random.default_rng(seed)
    V = random.random((frames, bins), np.float32)
    W = random.random((templates, bins), np.float32)
    if sparse_templates:
        W *= random.random((templates, bins)) < 0.7
    W_E = random.random((templates, bins), np.float32) / np.float32(bins)
    H = random.random((templates, frames), np.float32) * (random.random((templates, frames)) < density)
    return Problem(V, W, W_E, H)


def piano_problem(frames: int = 130, seed: int = 0) -> Problem:
    """Like Hands's: harmonic and onset templates, a piano roll as mask, a synthetic spectrogram near both."""
    random = np.random.default_rng(seed)
    grid = FrameGrid(11025, 256, 64)
    layout = TemplateLayout(np.array([52, 57, 60, 64, 69]))
    W = informed_templates(layout, grid, grid.bins)
    stages, pitches = layout.stages, len(layout.pitches)
    H = np.zeros((layout.rows, frames), np.float32)
    for pitch in range(pitches):
        at = int(random.integers(0, 20))
        while at < frames:
            length = int(random.integers(6, 30))
            decay = np.exp(-np.arange(min(length, frames - at)) / 12.0)
            H[pitch * stages : (pitch + 1) * stages, at : at + length] = decay
            H[layout.harmonic_rows + pitch, at : at + 4] = 0.3
            at += length + int(random.integers(5, 30))
    level = (0.5 + random.random(H.shape, np.float32)) * H
    true = W * (0.3 + random.random(W.shape, np.float32))
    V = (level.T @ true * (0.8 + 0.4 * random.random((frames, grid.bins)))).astype(np.float32)
    V /= V.max()
    return Problem(V, W, W / np.float32(W.sum()), H)


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "random": lambda: random_problem(67, 83, 13),
    "dense": lambda: random_problem(65, 50, 9, density=1.0, sparse_templates=False),
    "sparse": lambda: random_problem(131, 101, 19, density=0.06, seed=4),
    "piano": piano_problem,
}


def expect_agreement(found: dict[str, NDArray[Any]], reference: dict[str, Double], scale: float, tolerance=TOLERANCE):
    for name, expected in reference.items():
        assert found[name].shape == expected.shape, name
        if name == "losses":
            largest = max(scale, float(expected.max(initial=0.0)))
        else:
            largest = float(np.abs(expected).max(initial=0.0))
        difference = float(np.abs(found[name] - expected).max(initial=0.0))
        assert difference <= tolerance * largest, f"{name}: {difference / max(largest, 1e-300):.2e} of the maximum"


# ---- agreement -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("eps", [0.0, 1e-7, 1e-2])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", PROBLEMS)
def test_agrees_with_the_tables(kind: str, method: str, loss: str, eps: float) -> None:
    problem = PROBLEMS[kind]()
    reference = problem.reference(method, loss, eps, ITERATIONS)
    for level in LEVELS:
        found = problem.run(method, loss=loss, eps=eps, simd=level)
        expect_agreement(found, reference, problem.scale[loss])
        assert ((found["H"] > 0) <= problem.M).all() and ((found["W"] > 0) <= (problem.W > 0)).all()


@st.composite
def degenerate_problems(draw: st.DrawFn) -> Problem:
    """Small and odd, with holes."""
    bins = draw(st.sampled_from([1, 2, 3, 7, 15, 16, 17, 31, 33, 50, 67]))
    frames = draw(st.sampled_from([1, 2, 3, 4, 5, 15, 16, 17, 33, 61]))
    templates = draw(st.sampled_from([1, 2, 3, 5, 8, 13]))
    density = draw(st.sampled_from([0.0, 0.05, 0.3, 1.0]))
    seed = draw(st.integers(0, 2**16))
    problem = random_problem(bins, frames, templates, density, seed, draw(st.booleans()))
    V, W, W_E, H = (x.copy() for x in (problem.V, problem.W, problem.W_E, problem.H))
    if draw(st.booleans()):
        H[draw(st.integers(0, templates - 1))] = 0
    if draw(st.booleans()):
        H[:, draw(st.integers(0, frames - 1)) :] = 0
    if draw(st.booleans()):
        W[draw(st.integers(0, templates - 1))] = 0
    if draw(st.booleans()):
        W_E[draw(st.integers(0, templates - 1)), : draw(st.integers(0, bins))] = 0
    silence = draw(st.sampled_from(["none", "none", "all", "a frame", "a bin", "some"]))
    if silence == "all":
        V[:] = 0
    elif silence == "a frame":
        V[draw(st.integers(0, frames - 1))] = 0
    elif silence == "a bin":
        V[:, draw(st.integers(0, bins - 1))] = 0
    elif silence == "some":
        V[V < 0.5] = 0
    return Problem(V, W, W_E, H)


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    problem=degenerate_problems(),
    method=st.sampled_from(METHODS),
    loss=st.sampled_from(LOSSES),
    eps=st.sampled_from([0.0, 1e-7, 1e-3]),
)
def test_agrees_where_little_is_left(problem: Problem, method: str, loss: str, eps: float) -> None:
    reference = problem.reference(method, loss, eps, ITERATIONS)
    for level in LEVELS:
        expect_agreement(problem.run(method, loss=loss, eps=eps, simd=level), reference, problem.scale[loss])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("loss", LOSSES)
def test_no_iterations_change_nothing(method: str, loss: str) -> None:
    problem = random_problem(33, 21, 5)
    found = problem.run(method, 0, loss=loss, eps=1e-3)
    assert np.array_equal(found["W"], problem.W)
    assert found["losses"].shape == (0,) and found["losses"].dtype == np.float64
    if method == "nae":
        assert np.array_equal(found["W_E"], problem.W_E)
        expect_agreement(found, {"H": (problem.W_E.astype(np.float64) @ problem.V.T) * problem.M}, 1.0, 1e-6)
    else:
        assert np.array_equal(found["H"], problem.H)


@pytest.mark.parametrize("kind", PROBLEMS)
@pytest.mark.parametrize("dtype", [np.bool_, np.uint8])
def test_encode_is_the_masked_product(kind: str, dtype: type) -> None:
    problem = PROBLEMS[kind]()
    expected = {"H": (problem.W_E.astype(np.float64) @ problem.V.T.astype(np.float64)) * problem.M}
    # Any other number than 0 lets an activation through, too.
    mask = (problem.M * (1 if dtype is np.bool_ else 3)).astype(dtype)
    for level in LEVELS:
        found = {"H": _kernel.encode(problem.V, problem.W_E, mask, simd=level)}
        expect_agreement(found, expected, 1.0, 1e-6)


@pytest.mark.parametrize("kind", [*PROBLEMS, "long"])
def test_the_encoder_fit_is_least_squares_row_by_row(kind: str) -> None:
    # "long": rows with more frames than are needed.
    problem = random_problem(67, 1100, 5) if kind == "long" else PROBLEMS[kind]()
    reference = reference_fit(*(x.astype(np.float64) for x in (problem.V, problem.W, problem.H)), ITERATIONS)
    for level in LEVELS:
        found = _kernel.fit_encoder(problem.V, problem.W, problem.H, iterations=ITERATIONS, simd=level)
        expect_agreement({"W_E": found}, {"W_E": reference}, 1.0)
        two = _kernel.fit_encoder(problem.V, problem.W, problem.H, iterations=ITERATIONS, simd=level, threads=2)
        assert np.array_equal(found, two)


def test_the_encoder_fit_reports_rows_and_may_stop() -> None:
    problem = random_problem(67, 120, 11)
    calls: list[tuple[int, int]] = []
    options: dict[str, Any] = {"iterations": 9, "progress_interval": 4}
    whole = _kernel.fit_encoder(
        problem.V, problem.W, problem.H, progress=lambda done, total: calls.append((done, total)), **options
    )
    assert calls == [(4, 11), (8, 11), (11, 11)]
    stopped = _kernel.fit_encoder(problem.V, problem.W, problem.H, progress=lambda done, total: done < 8, **options)
    assert np.array_equal(stopped[:8], whole[:8]) and not np.array_equal(stopped[8:], whole[8:])

    def fail(done: int, total: int) -> bool:
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        _kernel.fit_encoder(problem.V, problem.W, problem.H, progress=fail, **options)
    with pytest.raises(ValueError, match=r"W has shape \(11, 66\); it must be \(11, 67\)"):
        _kernel.fit_encoder(problem.V, problem.W[:, :66].copy(), problem.H, iterations=1)


@pytest.mark.parametrize("shape", [(0, 5, 3), (4, 0, 3), (4, 5, 0)])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("loss", LOSSES)
def test_empty_matrices_come_back_empty(shape: tuple[int, int, int], method: str, loss: str) -> None:
    frames, bins, templates = shape
    V, W, H = (np.ones(s, np.float32) for s in ((frames, bins), (templates, bins), (templates, frames)))
    found = Problem(V, W, W, H).run(method, 3, loss=loss)
    assert found["W"].shape == W.shape and found["H"].shape == H.shape
    assert found["losses"].shape == (3,) and np.isfinite(found["losses"]).all()
    assert _kernel.encode(V, W, H > 0).shape == H.shape
    assert _kernel.fit_encoder(V, W, H, iterations=3).shape == W.shape


# ---- promises ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("level", LEVELS)
def test_threads_do_not_change_a_bit(method: str, loss: str, level: str) -> None:
    problem = random_problem(101, 1571, 9, density=0.3)  # long enough for several parts
    one, two, three = (problem.run(method, 6, loss=loss, threads=n, simd=level) for n in (1, 2, 3))
    for name, expected in one.items():
        assert np.array_equal(expected, two[name]) and np.array_equal(expected, three[name]), name
    codes = [_kernel.encode(problem.V, problem.W_E, problem.M, threads=n, simd=level) for n in (1, 2, 3)]
    assert np.array_equal(codes[0], codes[1]) and np.array_equal(codes[0], codes[2])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("kind", ["random", "sparse", "piano", "quiet", "exact"])
def test_the_loss_never_rises(method: str, loss: str, kind: str) -> None:
    if kind == "quiet":  # the thesis's rise: a signal that is small against its ε
        loud = piano_problem()
        problem = replace(loud, V=loud.V * np.float32(1e-4))
    elif kind == "exact":  # what can be fitted perfectly: the loss nearly vanishes
        start = random_problem(40, 120, 4)
        problem = replace(start, V=np.ascontiguousarray(start.H.T @ start.W))
    else:
        problem = PROBLEMS[kind]()
    losses = problem.run(method, 400, loss=loss)["losses"]
    assert len(losses) == 400 and (losses >= 0).all()
    rise = np.diff(losses)
    # Rounding: of the loss itself and, where it is a difference of products, of these.
    allowed = 8 * UNIT * losses[:-1] + UNIT * problem.scale[loss]
    assert (rise <= allowed).all(), f"by {(rise / problem.scale[loss]).max():.2e} at {int(rise.argmax()) + 2}"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("loss", LOSSES)
def test_losses_belong_to_their_iterations(method: str, loss: str) -> None:
    problem = random_problem(129, 400, 9)  # large enough for both ways of computing the Euclidean loss
    every = problem.run(method, 23, loss=loss)["losses"]
    reference = problem.reference(method, loss, 0.0, 23)["losses"]
    assert np.abs(every - reference).max() <= 1e-5 * reference.max()
    some = problem.run(method, 23, loss=loss, loss_interval=5)["losses"]
    assert len(some) == 5
    assert some == pytest.approx(every[[4, 9, 14, 19, 22]], rel=1e-5)
    assert problem.run(method, 20, loss=loss, loss_interval=5)["losses"] == pytest.approx(every[4:20:5], rel=1e-5)
    assert problem.run(method, 3, loss=loss, loss_interval=100)["losses"] == pytest.approx(every[2:3], rel=1e-5)
    assert len(problem.run(method, 23, loss=loss, loss_interval=0)["losses"]) == 0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("loss", LOSSES)
def test_measuring_the_loss_changes_nothing(method: str, loss: str) -> None:
    problem = random_problem(129, 400, 9)
    silent = problem.run(method, 12, loss=loss, loss_interval=0)
    measured = problem.run(method, 12, loss=loss, loss_interval=1)
    watched = problem.run(method, 12, loss=loss, progress=lambda done, total: None, progress_interval=1)
    for name in silent.keys() - {"losses"}:
        assert np.array_equal(silent[name], measured[name]) and np.array_equal(silent[name], watched[name]), name


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("loss", LOSSES)
def test_progress_is_reported_and_may_stop(method: str, loss: str) -> None:
    problem = random_problem(61, 200, 7)
    calls: list[tuple[int, int]] = []
    problem.run(method, 13, loss=loss, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(5, 13), (10, 13), (13, 13)]

    stopped = problem.run(method, 100, loss=loss, progress=lambda done, total: done < 9, progress_interval=3)
    whole = problem.run(method, 9, loss=loss)
    assert len(stopped["losses"]) == 9
    assert stopped["losses"] == pytest.approx(whole["losses"], rel=1e-6)
    for name in whole.keys() - {"losses"}:
        assert np.array_equal(stopped[name], whole[name]), name


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("threads", [1, 2])
def test_an_exception_stops_and_arrives(method: str, threads: int) -> None:
    problem = random_problem(61, 600, 7)
    seen: list[int] = []

    def progress(done: int, total: int) -> bool:
        seen.append(done)
        if done >= 20:
            raise LookupError("enough")
        return True

    with pytest.raises(LookupError, match="enough"):
        problem.run(method, 1000, threads=threads, progress=progress)
    assert seen == [5, 10, 15, 20]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("loss", LOSSES)
def test_other_threads_run_meanwhile_and_ctrl_c_gets_through(method: str, loss: str) -> None:
    """No callback. The thread can only count and send its signal while the kernel runs without the interpreter."""
    problem = random_problem(129, 600, 16)
    counted = 0

    def count_and_interrupt() -> None:
        nonlocal counted
        while counted < 20:
            time.sleep(0.003)
            counted += 1
        os.kill(os.getpid(), signal.SIGINT)

    other = threading.Thread(target=count_and_interrupt)
    with pytest.raises(KeyboardInterrupt):
        other.start()
        # Many minutes, if nobody interrupts.
        problem.run(method, 1_000_000, loss=loss, loss_interval=0)
    other.join()
    assert counted == 20


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("loss", LOSSES)
def test_inputs_are_untouched_and_may_be_read_only(method: str, loss: str) -> None:
    problem = random_problem(33, 40, 6)
    before = [x.copy() for x in (problem.V, problem.W, problem.W_E, problem.H)]
    for x in (problem.V, problem.W, problem.W_E, problem.H):
        x.flags.writeable = False
    found = problem.run(method, 5, loss=loss)
    _kernel.encode(problem.V, problem.W_E, problem.M)
    for x, expected in zip((problem.V, problem.W, problem.W_E, problem.H), before, strict=True):
        assert np.array_equal(x, expected)
    assert not np.shares_memory(found["H"], problem.H)
    assert found["H"].flags.writeable and found["H"].dtype == np.float32
    assert np.shares_memory(found["W"], problem.W) == (method == "fixed")


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("level", LEVELS)
def test_with_fixed_templates_a_frame_is_on_its_own(loss: str, level: str) -> None:
    problem = random_problem(67, 90, 11, density=0.4)
    options: dict[str, Any] = {"iterations": 30, "loss": loss, "update_templates": False, "loss_interval": 0}
    whole = _kernel.nmf(problem.V, problem.W, problem.H, simd=level, **options)[1]

    disturbed = problem.V.copy()
    disturbed[::2] = np.random.default_rng(1).random(disturbed[::2].shape) * 100
    disturbed[6] = np.nan
    found = _kernel.nmf(disturbed, problem.W, problem.H, simd=level, **options)[1]
    assert np.array_equal(found[:, 1::2], whole[:, 1::2])

    # In other company the sums run over other zeros: the same up to rounding.
    for first, end in ((0, 1), (1, 6), (6, 23), (23, 90)):
        part = [np.ascontiguousarray(x) for x in (problem.V[first:end], problem.H[:, first:end])]
        found = _kernel.nmf(part[0], problem.W, part[1], simd=level, **options)[1]
        assert np.abs(found - whole[:, first:end]).max() <= 1e-5 * whole.max()


# ---- bad input -----------------------------------------------------------------------------------------

GOOD = random_problem(8, 6, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"V": GOOD.V.astype(np.float64)}, r"V has dtype float64; it must be float32"),
        ({"V": GOOD.V[0]}, r"V has shape \(8,\); it must be \(frames, bins\)"),
        ({"V": np.asfortranarray(GOOD.V)}, r"V is not C-contiguous; pass numpy\.ascontiguousarray\(V\)"),
        ({"V": GOOD.V[:, ::2]}, r"V is not C-contiguous"),
        ({"W": GOOD.W.astype(np.int32)}, r"W has dtype int32; it must be float32"),
        ({"W": GOOD.W[:, :7].copy()}, r"W has shape \(3, 7\); it must be \(3, 8\)"),
        ({"W": GOOD.W.T}, r"W is not C-contiguous"),
        ({"H": GOOD.H[:2]}, r"H has shape \(2, 6\); it must be \(3, 6\)"),
        ({"H": np.ones((3, 7), np.float32)}, r"H has shape \(3, 7\); it must be \(3, 6\)"),
        ({"H": GOOD.H.astype(np.float16)}, r"H has dtype float16; it must be float32"),
        ({"iterations": -1}, r"iterations is -1; it must be at least 0"),
        ({"loss": "l1"}, r"loss is 'l1'; it must be 'euclidean' or 'kl'"),
        ({"eps": -1e-3}, r"eps is -0\.001\d*; it must be finite and not negative"),
        ({"eps": float("nan")}, r"eps is -?nan; it must be finite"),
        ({"eps": float("inf")}, r"eps is inf; it must be finite"),
        ({"threads": -1}, r"threads is -1; it must be at least 0"),
        ({"loss_interval": -1}, r"loss_interval is -1; it must be at least 0"),
        ({"progress_interval": 0}, r"progress_interval is 0; it must be at least 1"),
        ({"progress": 5}, r"progress is not callable; it must be None or a function of \(done, total\)"),
        ({"simd": "mmx"}, "simd is 'mmx'; this machine has: " + ", ".join(LEVELS)),
    ],
)
def test_nmf_names_what_is_valid(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"V": GOOD.V, "W": GOOD.W, "H": GOOD.H, "iterations": 1, **change}
    with pytest.raises(ValueError, match=message):
        _kernel.nmf(**arguments)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"W_E": GOOD.W_E[:, :7].copy()}, r"W_E has shape \(3, 7\); it must be \(3, 8\)"),
        ({"W_D": GOOD.W[:2]}, r"W_D has shape \(2, 8\); it must be \(3, 8\)"),
        ({"W_D": GOOD.W.astype(np.float64)}, r"W_D has dtype float64; it must be float32"),
        ({"M": GOOD.H}, r"M has dtype float32; it must be bool or uint8"),
        ({"M": GOOD.M[:, :5].copy()}, r"M has shape \(3, 5\); it must be \(3, 6\)"),
        ({"M": GOOD.M.T.copy().T}, r"M is not C-contiguous"),
        ({"loss": "KL"}, r"loss is 'KL'; it must be 'euclidean' or 'kl'"),
        ({"simd": "AVX2"}, r"simd is 'AVX2'; this machine has: plain"),
    ],
)
def test_nae_and_encode_name_what_is_valid(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"V": GOOD.V, "W_E": GOOD.W_E, "W_D": GOOD.W, "M": GOOD.M, "iterations": 1, **change}
    with pytest.raises(ValueError, match=message):
        _kernel.nae(**arguments)
    if change.keys() <= {"W_E", "M", "simd"}:
        del arguments["W_D"], arguments["iterations"]
        with pytest.raises(ValueError, match=message):
            _kernel.encode(**arguments)


def test_the_fastest_level_is_the_default() -> None:
    assert LEVELS[0] == "plain" and len(set(LEVELS)) == len(LEVELS)
    problem = random_problem(67, 90, 11)
    assert np.array_equal(problem.run("nmf", 5)["W"], problem.run("nmf", 5, simd=LEVELS[-1])["W"])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -1.0, 3e38, 1e-45])
@pytest.mark.parametrize("where", ["V", "W", "W_E", "H"])
def test_numbers_out_of_the_ordinary_end_in_numbers(method: str, loss: str, value: float, where: str) -> None:
    """Nothing is promised about the results but that they come, in their shapes, on time."""
    good = random_problem(35, 25, 5)
    bad = getattr(good, where).copy()
    bad[1, 3] = bad[-1, -1] = value
    problem = replace(good, **{where: bad})
    for level in LEVELS:
        for eps in (0.0, 1e-7):
            found = problem.run(method, 10, loss=loss, eps=eps, simd=level)
            assert found["W"].shape == good.W.shape and found["H"].shape == good.H.shape
            assert len(found["losses"]) == 10
        _kernel.fit_encoder(problem.V, problem.W, problem.H, iterations=10, simd=level)
