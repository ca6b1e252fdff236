"""A sorter of real frames, by which is measured whether the voice is told from the other instruments.

The mean absolute error draws every frame to the median of all notes that could be meant: a class could become its
average, as the slides say. So validation also asks how often a sorter that was taught real frames hears the target in
what comes out. As a part of the loss too (the auxiliary classifier of Odena, Olah, Shlens 2017) it was pleased, and the
judges heard no difference.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from terzetto.timbre.partials import BANDS, PARTIALS
from terzetto_export.xsynth.analysis import DENSITY_FLOOR, FLOOR
from terzetto_export.xsynth.phrases import Target

STEPS, BATCH, RATE = 1500, 384, 2e-3
LOUD = 25.0
"""dB below a sound's loudest frame down to which frames are sorted."""
JITTER, TILT = 3.0, 6.0
"""dB: of each level, and from the first partial to the last."""
PLACES = 16
_LOWEST, _HIGHEST = 30.0, 98.0


class Sorter(nn.Module):
    """Partials (…, PARTIALS), noise (…, BANDS) in dB below the level, and pitch in Hz in; logits of instruments out."""

    def __init__(self, instruments: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(PARTIALS + BANDS + PLACES, 256),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(256, 128),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(128, instruments),
        )

    def forward(self, partials: Tensor, noise: Tensor, pitch: Tensor) -> Tensor:
        """Return logits (…, instruments)."""
        places = torch.linspace(_LOWEST, _HIGHEST, PLACES, device=pitch.device)
        note = 69.0 + 12.0 * torch.log2(pitch.clamp(min=20.0) / 440.0)
        near = torch.exp(-0.5 * ((note[..., None] - places) / 4.0) ** 2)
        heard = (partials.clamp(min=FLOOR) + 40.0) / 20.0, (noise.clamp(min=DENSITY_FLOOR) + 80.0) / 20.0
        logits: Tensor = self.body(torch.cat([*heard, near], dim=-1))
        return logits

    def asked(self, partials: Tensor, noise: Tensor, pitch: Tensor) -> Tensor:
        """Return logits of frames that are changed at random, as it is taught."""
        slope = TILT * (2.0 * torch.rand_like(pitch) - 1.0)[..., None]
        steps = torch.linspace(-0.5, 0.5, PARTIALS, device=pitch.device)
        partials = partials + JITTER * torch.randn_like(partials) + slope * steps
        return self.forward(partials, noise + JITTER * torch.randn_like(noise), pitch)


def taught(targets: Sequence[Target], places: Sequence[int], instruments: int, random: np.random.Generator) -> Sorter:
    """Return a sorter that was taught the targets' frames; it learns no more.

    Parameters
    ----------
    places
        Of each target among the instruments.
    """
    sorter = Sorter(instruments)
    frames = [_loud_frames(target) for target in targets]
    optimiser = torch.optim.AdamW(sorter.parameters(), lr=RATE, weight_decay=0.05)
    truth = torch.tensor(places)
    for step in range(STEPS):
        for group in optimiser.param_groups:
            group["lr"] = RATE * 0.5 * (1.0 + np.cos(np.pi * step / STEPS))
        which = random.integers(len(targets), size=BATCH)
        rows = [frames[target][random.integers(len(frames[target]))] for target in which]
        drawn = torch.from_numpy(np.stack(rows))
        parts = torch.split(drawn, [PARTIALS, BANDS, 1], dim=1)
        loss = cross_entropy(sorter.asked(parts[0], parts[1], parts[2][:, 0]), truth[torch.from_numpy(which)])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return sorter.eval().requires_grad_(False)


def recall(sorter: Sorter, targets: Sequence[Target], places: Sequence[int]) -> float:
    """Return the mean over targets of the share of their frames that are sorted right."""
    shares = []
    for target, place in zip(targets, places, strict=True):
        parts = torch.split(torch.from_numpy(_loud_frames(target)), [PARTIALS, BANDS, 1], dim=1)
        with torch.no_grad():
            shares.append(float((sorter(parts[0], parts[1], parts[2][:, 0]).argmax(dim=1) == place).float().mean()))
    return float(np.mean(shares))


def _loud_frames(target: Target) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    found = []
    for sound in target.sounds:
        here = (sound.level > sound.level.max() - LOUD) & (sound.pitch > 0)
        found.append(np.concatenate([sound.partials[here], sound.noise[here], sound.pitch[here, None]], axis=1))
    return np.asarray(np.concatenate(found), np.float32)
