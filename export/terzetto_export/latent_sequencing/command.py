"""``terzetto reproduce latent-sequencing``."""

from __future__ import annotations

import argparse

from terzetto.commands import whole_number

HELP = (
    "Chemla--Romeu-Santos et al. 2019: figures 2, 4 and 7 to 11 on Groove and on mma; the sounds' training, with curves"
)
DATA = ("drums/groove", "drums/mma", "drums/one_shots")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    patterns = parser.add_argument_group("patterns (section 3)")
    patterns.add_argument(
        "--epochs", type=whole_number, default=200, help="0: leave them out (default: 200, the paper's)"
    )
    patterns.add_argument("--seed", type=whole_number, default=0, help="of the first run (default: 0)")
    patterns.add_argument(
        "--seeds", type=int, default=1, metavar="N", help="train N times for the numbers (default: 1)"
    )
    sounds = parser.add_argument_group("sounds (section 4)")
    sounds.add_argument(
        "--sound-epochs",
        type=whole_number,
        default=500,
        metavar="N",
        help="0: leave them out (default: 500, the paper's)",
    )
    sounds.add_argument("--sound-minutes", type=float, metavar="M", help="stop training after M minutes")
    sounds.add_argument("--resume", action="store_true", help="go on from the sounds' checkpoint in the folder")
    sounds.add_argument("-d", "--device", default="auto", choices=["auto", "cpu", "cuda"], help="(default: auto)")
    sounds.add_argument(
        "--sound-batch", type=whole_number, default=200, metavar="N", help="(default: 200, the paper's)"
    )
    sounds.add_argument(
        "--nan-seeds",
        type=whole_number,
        default=10,
        metavar="N",
        help="look for NaN with N seeds (default: 10; 0: do not)",
    )
    sounds.add_argument(
        "--nan-steps", type=whole_number, default=400, metavar="N", help="for so many steps each (default: 400)"
    )
    sounds.add_argument(
        "--nan-batch", type=whole_number, default=10, metavar="N", help="of so many sounds (default: 10)"
    )
    sounds.add_argument(
        "--tier",
        action="append",
        choices=("licensed", "research"),
        help="one-shots to train on; may be given twice (default: licensed)",
    )
    sounds.add_argument("--sounds", type=whole_number, metavar="N", help="take only N one-shots, to try it out")


def run(arguments: argparse.Namespace) -> int:
    """Train on all data sets, draw the figures, print the numbers."""
    from terzetto_export.commands.reproduce import data_root
    from terzetto_export.latent_sequencing.reproduce import Plan, reproduce
    from terzetto_export.latent_sequencing.sound_long_run import SoundPlan
    from terzetto_export.training import tell_on_terminal

    sounds = SoundPlan(
        epochs=arguments.sound_epochs,
        minutes=arguments.sound_minutes,
        seed=arguments.seed,
        batch=arguments.sound_batch,
        nan_seeds=arguments.nan_seeds,
        nan_steps=arguments.nan_steps,
        nan_batch=arguments.nan_batch,
        tiers=tuple(dict.fromkeys(arguments.tier or ["licensed"])),
        most=arguments.sounds,
        device=arguments.device,
        resume=arguments.resume,
    )
    plan = Plan(data_root() / "drums", arguments.out, arguments.epochs, arguments.seed, arguments.seeds, sounds)
    print(reproduce(plan, tell_on_terminal))
    return 0
