"""Factorisers: V ≈ W H under the score's constraints. Each is one function behind an entry point.

To add one, write a function with the signature of `Factoriser` and name it in your package's metadata::

    [project.entry-points."terzetto.factorisers"]
    mine = "my_package:my_factoriser"

Then ``--method mine`` and ``separate_hands(…, method="mine")`` find it.

Conventions: V is frames × bins, W rows × bins, H rows × frames, all float32 and nonnegative. Zeros of W and H stay
zero: they are the score's constraints.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib.metadata import entry_points
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from terzetto import _kernel
from terzetto.errors import InputError
from terzetto.hands import encoders

Float = NDArray[np.float32]
Step = Callable[[int, int], bool | None]

LOSSES = ("kl", "euclidean")
ENCODERS = ("fitted", *encoders.STARTS)


@dataclass(frozen=True)
class Options:
    """What a factoriser may be told.

    Attributes
    ----------
    loss : {'kl', 'euclidean'}
        Kullback-Leibler divergence or squared Euclidean distance.
    iterations : int or None
        Multiplicative updates; None takes the method's default.
    eps : float
        Added to the denominators as in the thesis (1e-7 there); 0 keeps the loss from ever rising.
    encoder : {'fitted', 'informed', 'random', 'higher'}
        How the NAE's encoder comes about; see `nae`.
    lowest_partial : int
        For ``higher``: the first partial the encoder may use.
    seed : int
        For ``random``.
    threads : int
        0: as many as there are cores, where that pays.
    loss_interval : int
        Measure the loss every so many iterations; 0 never.
    progress : callable or None
        Called with (done, total) every few iterations; raise in it to stop.
    """

    loss: str = "kl"
    iterations: int | None = None
    eps: float = 0.0
    encoder: str = "fitted"
    lowest_partial: int = 5
    seed: int = 0
    threads: int = 0
    loss_interval: int = 0
    progress: Step | None = None

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise InputError(f"loss {self.loss!r} is not known; valid: {', '.join(LOSSES)}")
        if self.encoder not in ENCODERS:
            raise InputError(f"encoder {self.encoder!r} is not known; valid: {', '.join(ENCODERS)}")
        if self.iterations is not None and not 1 <= self.iterations <= 100_000:
            raise InputError(f"iterations must be 1 to 100000; given {self.iterations}")
        if self.seed < 0:
            raise InputError(f"seed must be 0 or more; given {self.seed}")
        if not 0.0 <= self.eps < np.inf:
            raise InputError(f"eps must be 0 or more; given {self.eps}")


@dataclass(frozen=True)
class Factorisation:
    """What was found.

    Attributes
    ----------
    W : float32 (rows, bins)
        Templates; the NAE's decoder.
    H : float32 (rows, frames)
        Activations.
    losses : float64 (l,)
        Loss at every ``loss_interval`` iterations.
    infer : callable
        (V, H0) → H: activations of other frames with what was learned held fixed. H0: the score's constraints there.
    encoder : float32 (rows, bins) or None
        The NAE's encoder.
    """

    W: Float
    H: Float
    losses: NDArray[np.float64]
    infer: Callable[[Float, Float], Float]
    encoder: Float | None = field(default=None)


class Factoriser(Protocol):
    """A factoriser: V (frames × bins) ≈ (W H)ᵀ from templates and activations whose zeros must stay."""

    def __call__(self, V: Float, W: Float, H: Float, options: Options) -> Factorisation:
        """Factorise; see `nmf` for the shortest example."""


def nmf(V: Float, W: Float, H: Float, options: Options) -> Factorisation:
    """Nonnegative matrix factorisation, multiplicative updates (Zunner 2021, table 2.1; KL: Lee and Seung, 2001)."""
    iterations = options.iterations or 12
    learned, H, losses = _kernel.nmf(
        V,
        W,
        H,
        iterations=iterations,
        loss=options.loss,
        eps=options.eps,
        threads=options.threads,
        loss_interval=options.loss_interval,
        progress=options.progress,
    )

    def infer(V_new: Float, H_new: Float) -> Float:
        found: Float = _kernel.nmf(
            V_new,
            learned,
            H_new,
            iterations=iterations,
            loss=options.loss,
            update_templates=False,
            eps=options.eps,
            threads=options.threads,
            loss_interval=0,
        )[1]
        return found

    return Factorisation(learned, H, losses, infer)


def nae(V: Float, W: Float, H: Float, options: Options) -> Factorisation:
    """Nonnegative autoencoder: H' = M ⊙ (W_E V), V ≈ W_D H' (Zunner 2021, table 3.1).

    The encoder is feed-forward: `Factorisation.infer` needs one product per frame, so it can run live.

    With ``options.encoder`` ``informed``, ``random`` or ``higher`` both layers are trained together by the thesis's
    multiplicative updates (section 3.4). ``fitted``, the default, first finds templates and activations by NMF and
    then fits the encoder to these activations: the joint updates let the encoder's coarse activations blur the
    decoder, which costs about 1 dB of separation.
    """
    mask = H > 0
    if options.encoder == "fitted":
        # Kullback-Leibler for the decoder as for NMF; ``iterations`` counts the encoder's updates.
        first, second = _halves(options.progress)
        teacher = nmf(V, W, H, replace(options, iterations=None, progress=first))
        encoder = _kernel.fit_encoder(
            V, teacher.W, teacher.H, iterations=options.iterations or 60, threads=options.threads, progress=second
        )
        decoder, losses = teacher.W, teacher.losses
        found = _kernel.encode(V, encoder, mask, threads=options.threads)
    else:
        encoder, decoder, found, losses = _kernel.nae(
            V,
            encoders.start(V, W, H, options.encoder, options.lowest_partial, options.seed),
            W,
            mask,
            iterations=options.iterations or 100,
            loss=options.loss,
            eps=options.eps,
            threads=options.threads,
            loss_interval=options.loss_interval,
            progress=options.progress,
        )

    def infer(V_new: Float, H_new: Float) -> Float:
        return _kernel.encode(V_new, encoder, H_new > 0)

    return Factorisation(decoder, found, losses, infer, encoder)


def _halves(progress: Step | None) -> tuple[Step | None, Step | None]:
    """Return what reports the first and the second half of the work to `progress`."""
    if progress is None:
        return None, None
    report = progress
    return (lambda done, total: report(done, 2 * total)), (lambda done, total: report(total + done, 2 * total))


def find(method: str) -> Factoriser:
    """Return the factoriser of this name.

    Raises
    ------
    InputError
        No installed package offers it; the message lists those that are offered.
    """
    points = {point.name: point for point in entry_points(group="terzetto.factorisers")}
    if method not in points:
        raise InputError(f"method {method!r} is not installed; valid: {', '.join(sorted(points))}")
    factoriser: Factoriser = points[method].load()
    return factoriser
