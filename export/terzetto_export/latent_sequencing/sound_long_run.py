"""The paper's 500 epochs of sounds, in as many sittings as one likes: each goes on from the last one's checkpoint.

``terzetto reproduce latent-sequencing`` calls `long_run`. As ``python -m`` it trains and does nothing else, with NumPy,
SciPy, PyTorch, mido and soundfile, from the source tree alone: for a machine with a GPU where Terzetto is not
installed. Bring the folder of results back, and ``reproduce --resume`` draws and plays what was learned::

    PYTHONPATH=engine:export python -m terzetto_export.latent_sequencing.sound_long_run --data DIR --minutes 8
    terzetto reproduce latent-sequencing --epochs 0 --resume
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from terzetto.commands import at_least_one, duration, whole_number
from terzetto.errors import InputError, TerzettoError
from terzetto_export.drum_sounds.data import TIERS
from terzetto_export.latent_sequencing.sound_run import Run
from terzetto_export.latent_sequencing.sound_spectrograms import read_spectrograms, to_levels
from terzetto_export.latent_sequencing.sound_training import BATCH, EPOCHS, Tell, train
from terzetto_export.training import choose_device, tell_on_terminal

CHECKPOINT = "training.ckpt"
FOLDER = "sounds"
"""In the folder of a paper's results."""


@dataclass(frozen=True)
class SoundPlan:
    """How long, how often and on what to train; the defaults are the paper's.

    Attributes
    ----------
    epochs : int
        Of the long run; 0 leaves the sounds out.
    minutes : float or None
        Stop the long run after the epoch in which they are over; ``resume`` goes on.
    seed : int
        Of the long run, and the first of the short ones.
    batch : int
        Of the long run.
    nan_seeds, nan_steps, nan_batch : int
        How many short runs of each variant look for NaN, and how long they are; 0 seeds for none.
    tiers : sequence of str
        Of the collection.
    most : int or None
        Take only so many sounds, to try it out.
    device : str
        Of the long run: ``auto``, ``cpu`` or ``cuda``.
    resume : bool
        Let the long run go on from `CHECKPOINT` in the folder of results, if it is there.
    """

    epochs: int = EPOCHS
    minutes: float | None = None
    seed: int = 0
    batch: int = BATCH
    nan_seeds: int = 10
    nan_steps: int = 400
    nan_batch: int = 10
    tiers: tuple[str, ...] = ("licensed",)
    most: int | None = None
    device: str = "auto"
    resume: bool = False


def long_run(plan: SoundPlan, learned: Tensor, held_out: Tensor, out: Path, tell: Tell) -> Run:
    """Train as planned, with a checkpoint in ``out``.

    Raises
    ------
    InputError
        It met what is no number, or the checkpoint is of something else.
    """
    run = train(
        learned,
        held_out,
        bounded=True,
        epochs=plan.epochs,
        seed=plan.seed,
        batch=plan.batch,
        minutes=plan.minutes,
        device=choose_device(plan.device),
        checkpoint=out / CHECKPOINT,
        resume=plan.resume,
        tell=tell,
    )
    if run.failure is not None:
        raise InputError(f"step {run.failure.step}: the {run.failure.where} is no number; try another --seed")
    return run


def main(words: Sequence[str] | None = None) -> int:
    """Train, and say how far it is."""
    parser = argparse.ArgumentParser(prog="sound_long_run", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of the data sets (default: TERZETTO_DATA)")
    parser.add_argument("-o", "--out", type=Path, default=Path("reproduced/latent-sequencing"), metavar="FOLDER")
    parser.add_argument("--epochs", type=at_least_one, default=EPOCHS, help="(default: 500, the paper's)")
    parser.add_argument("--batch", type=at_least_one, default=BATCH, help="(default: 200, the paper's)")
    parser.add_argument("--minutes", type=duration, help="stop after so many; call again to go on")
    parser.add_argument("--tier", action="append", choices=TIERS, help="may be given twice (default: licensed)")
    parser.add_argument("--sounds", type=at_least_one, metavar="N", help="take only N one-shots, to try it out")
    parser.add_argument("--seed", type=whole_number, default=0, help="(default: 0)")
    parser.add_argument("-d", "--device", default="auto", choices=["auto", "cpu", "cuda"])
    given = parser.parse_args(words)
    if given.data is not None:
        os.environ["TERZETTO_DATA"] = str(given.data)
    tiers = tuple(dict.fromkeys(given.tier or ["licensed"]))
    plan = SoundPlan(
        epochs=given.epochs,
        minutes=given.minutes,
        seed=given.seed,
        batch=given.batch,
        tiers=tiers,
        most=given.sounds,
        device=given.device,
        resume=True,
    )
    try:
        data = read_spectrograms(plan.tiers, plan.most, tell_on_terminal)
        x, trained = to_levels(data.magnitude), torch.from_numpy(data.trained)
        run = long_run(plan, x[trained], x[~trained], given.out / FOLDER, tell_on_terminal)
    except TerzettoError as problem:
        tell_on_terminal(str(problem))
        return 2
    print(f"{len(run.beta)} of {plan.epochs} epochs, {run.steps} steps, {run.seconds / 60:.1f} min")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
