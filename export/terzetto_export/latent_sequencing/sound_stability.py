"""Why the paper's decoder gave NaN, and what helps: the same training with and without the remedy, seed by seed.

Two exponentials of the loss take what the network gives them, without a bound: the variance of the latents and the
inverse of the decoder's. Each of the latents' log-variances is a sum over 8,320 activations. Adam moves every weight
by its learning rate in a step, however long the gradient, so the sum moves by a thousandth of all activations
together, which grow as well; and the divergence that would hold it back counts for little while β warms up. Within
five steps the log-variance is 3 to 10. Latents so wide throw the decoder's log-variance far down, the squared error
is divided by it, and the gradient leaps. How near that is to an overflow is a matter of the magnitudes' scale: as
levels or as the package gives them for float audio, a leap and a recovery; of audio that was read as 16-bit integers,
the first pass is no number. With bounds on both (see `SoundAutoencoder`) no weights can make either exponential
overflow. Numbers: docs/drums.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from terzetto_export.latent_sequencing.sound_run import Run
from terzetto_export.latent_sequencing.sound_spectrograms import Float, package_magnitudes, to_levels
from terzetto_export.latent_sequencing.sound_training import Tell, train


@dataclass(frozen=True)
class Variant:
    """A way to train.

    Attributes
    ----------
    name : str
    inputs : callable
        Makes of magnitudes what the network is trained on.
    bounded : bool
        See `SoundAutoencoder`.
    """

    name: str
    inputs: Callable[[Float], Tensor]
    bounded: bool


def integer_magnitudes(magnitude: Float) -> Tensor:
    """Return the package's magnitudes of audio that was read as 16-bit integers (``scipy.io.wavfile`` does)."""
    return package_magnitudes(magnitude) * 32768


REMEDY = Variant("levels, bounded", to_levels, True)
VARIANTS = (
    Variant("16-bit magnitudes, as written", integer_magnitudes, False),
    Variant("16-bit magnitudes, bounded", integer_magnitudes, True),
    Variant("magnitudes, as written", package_magnitudes, False),
    Variant("levels, as written", to_levels, False),
    REMEDY,
)


def stability(magnitude: Float, seeds: Sequence[int], steps: int, batch: int, tell: Tell) -> dict[str, Any]:
    """Train each variant with each seed for so many steps; return how often and where it ended in what is no number."""
    found: dict[str, Any] = {}
    for variant in VARIANTS:
        x = variant.inputs(magnitude)
        runs = []
        for seed in seeds:
            run = train(x, x[:0], bounded=variant.bounded, epochs=steps, seed=seed, batch=batch, steps=steps)
            runs.append(run)
            tell(f"{variant.name}, seed {seed}: {_ending(run)}")
        failed = [run.failure for run in runs if run.failure is not None]
        found[variant.name] = {
            "seeds": len(runs),
            "failed": len(failed),
            "failed at step": [failure.step for failure in failed],
            "first not finite": dict(Counter(failure.where for failure in failed)),
            "least log variance": min(run.watch.least_log_variance for run in runs),
            "largest latent log variance": max(run.watch.largest_latent for run in runs),
            "largest gradient": max(run.watch.largest_gradient for run in runs),
            "runs": [asdict(run.watch) for run in runs],
        }
    return {"steps": steps, "batch": batch, "sounds": len(magnitude), "variants": found}


def _ending(run: Run) -> str:
    watch = (
        f"log-variance from {run.watch.least_log_variance:.1f}, latents' to {run.watch.largest_latent:.1f}, "
        f"gradient to {run.watch.largest_gradient:.2g}"
    )
    if run.failure is None:
        return f"{run.steps} steps, all finite; {watch}"
    return f"step {run.failure.step}: the {run.failure.where} is no number; {watch}"


def table(found: dict[str, Any]) -> list[str]:
    """Return the results as lines of text."""
    lines = [f"NaN within {found['steps']} steps of {found['batch']} sounds (of {found['sounds']}):"]
    for name, row in found["variants"].items():
        lines.append(
            f"  {name:32}{row['failed']:3} of {row['seeds']} seeds; log-variance from {row['least log variance']:.1f}, "
            f"latents' to {row['largest latent log variance']:.1f}, gradient to {row['largest gradient']:.2g}"
        )
    return lines
