"""The card of a pattern model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from terzetto.drums.patterns import PatternModel
from terzetto_export.card import Card
from terzetto_export.drum_patterns.measures import measure, table
from terzetto_export.training import tell_on_terminal

if TYPE_CHECKING:
    from terzetto_export.drum_patterns.data import Data

GROOVE = (
    "Groove MIDI Dataset 1.0.0 (Gillick, Roberts, Engel, Eck, Bamman: Learning to Groove with Inverse Sequence "
    "Transformations, ICML 2019)",
    "CC BY 4.0",
)
MMA = ("Grooves of MMA, the Musical MIDI Accompaniment (Bob van der Poel), drums only", "GPL-2.0-or-later")


def write_card(
    model: PatternModel,
    data: Data,
    licence: str,
    folders: Sequence[Path] | None,
    facts: Sequence[tuple[str, str]],
    command: str,
) -> Path:
    """Measure an exported model on its test bars and write its card; ``folders`` are one's own data, if any."""
    results = measure(model, data.training, data.validation, data.test, tell_on_terminal)
    split = (
        f"{len(data.training)} bars of {len(data.training.sources)} files to train, {len(data.validation)} of "
        f"{len(data.validation.sources)} to choose by, {len(data.test)} of {len(data.test.sources)} held out"
    )
    if folders:
        rows = [(", ".join(folder.name for folder in folders), "its own", split)]
    else:
        more = 0 if data.more is None else len(data.more)
        rows = [
            (*GROOVE, f"4/4 beats, no fills, the official split: {split}"),
            (*MMA, f"{more} bars, for the autoencoder only, a tenth of each batch"),
        ]
    styles = ", ".join(model.styles) or "none"
    return Card(
        title=f"Drum patterns ({model.model.name})",
        summary=(
            f"One bar of drums in, {model.latent_size} numbers out, and back: hits, velocities and micro-timing of "
            "nine drums on 16 steps, and hits of eight classes on 64. A flow knows where the bars of a style and "
            "density lie; a pad of two dimensions is laid over the latent space. Use: `terzetto.drums.patterns`. "
            f"Styles: {styles}."
        ),
        licence=licence,
        data=rows,
        metrics=f"```\n{table(results)}\n```",
        limits=(
            "Bars of four quarter notes only, each on its own: there is no memory from bar to bar, and fills were left "
            "out. A pad of two dimensions cannot hold all bars: it has the common ones, and blurs rare ones. Styles "
            "are unevenly played (rock is a third of all bars), some by one drummer alone; a judge that knows only "
            "a bar's hits often confuses them, in real bars too. Swing of triplets lies between steps of 64 and "
            "is rounded to it there; in the HVO form it is kept. Two strokes of a drum within one sixteenth (flams, "
            "buzzes) become one in the HVO form."
        ),
        command=command,
        facts=facts,
        sources=[
            "Chemla--Romeu-Santos et al.: Latent sequencing for dynamic musical patterns, 2019 (sections 2 and 3)",
            "Bishop, Svensén, Williams: GTM, the generative topographic mapping, Neural Computation 1998 (the pad)",
            "Dinh, Sohl-Dickstein, Bengio: Density estimation using Real NVP, ICLR 2017 (the flow)",
            "Tolstikhin et al.: MLP-Mixer, NeurIPS 2021 (encoder and decoder)",
        ],
    ).write(model.model.path)
