"""From sections to a trained network: seeded, full batch, k falling."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from terzetto_export.conv_wta.drum_sections import Sections
from terzetto_export.conv_wta.network import ConvWta
from terzetto_export.conv_wta.recipe import Design, DrumRecipe
from terzetto_export.training import History, Schedule, epochs_done, fit

LEARNING_RATE = 3e-3
EPOCHS = 1000
_TOLD = 50


def learn(
    training: Sections,
    validation: Sections,
    design: Design,
    *,
    epochs: int = EPOCHS,
    seed: int = 0,
    minutes: float | None = None,
    device: torch.device | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
    tell: Callable[[str], None],
) -> tuple[ConvWta, History]:
    """Train a network and return it with what happened."""
    torch.manual_seed(seed)
    recipe = DrumRecipe(training.rows, validation.rows, design, epochs, device)
    if resume and checkpoint is not None and checkpoint.is_file():
        recipe.at_epoch(epochs_done(checkpoint))
    # With fewer winners the error rises, so the best epoch by the last k is near the end; weights are decayed little.
    schedule = Schedule(epochs, learning_rate=LEARNING_RATE, weight_decay=1e-4, minutes=minutes)
    count = 0

    def sometimes(line: str) -> None:
        nonlocal count
        count += 1
        if count % _TOLD == 0 or not line.startswith("epoch"):
            tell(line)

    history = fit(recipe, schedule, seed=seed, checkpoint=checkpoint, resume=resume, tell=sometimes)
    return recipe.network.cpu().eval(), history


def activities(network: ConvWta, sections: Sections) -> np.ndarray:
    """Return the activities of all sections, float32 (n, atoms, columns)."""
    with torch.no_grad():
        return np.asarray(network.activity(torch.from_numpy(sections.rows)).numpy(), np.float32)
