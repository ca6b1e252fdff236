"""The card of a drum dictionary."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from terzetto.analysis.winners import OF_EACH_ATOM
from terzetto.drums.dictionary import Dictionary
from terzetto_export.card import Card
from terzetto_export.conv_wta.drum_sections import Split
from terzetto_export.conv_wta.measures import measure, table
from terzetto_export.conv_wta.recipe import Design
from terzetto_export.training import tell_on_terminal

_GROOVE = (
    "Groove MIDI Dataset 1.0.0 (Gillick, Roberts, Engel, Eck, Bamman: Learning to Groove with Inverse Sequence "
    "Transformations, ICML 2019)",
    "CC BY 4.0",
)
_READING = (
    "How the paper was read: its 27 × 64 are hits, velocities and offsets of nine drums at 64 sixteenths, which is "
    "four bars (GrooVAE's four-bar form, though the paper also says one bar); the kernel, and stride, is one bar of "
    "16 steps, so a section has four columns. Tempo plays no part: the grid is in sixteenths, which is what setting "
    "all to 120 bpm does. "
)
_WINNERS = {
    True: "k is counted over the four columns for each atom (2.4): from all four down to one.",
    False: (
        "k is counted over the atoms in each column, so that a bar is the sum of k atoms; the paper's own, k of "
        "four columns for each atom, is the recipe `paper`: in the end no atom may return within four bars."
    ),
}


def write_card(
    dictionary: Dictionary,
    split: Split,
    design: Design,
    folder: Path | None,
    licence: str,
    facts: Sequence[tuple[str, str]],
    command: str,
) -> Path:
    """Measure an exported dictionary on its test sections and write its card; ``folder`` is one's own data, if any."""
    what = (
        f"4/4 grooves, no fills: {len(split.training)} sections of four bars from {len(split.training.paths)} files to "
        f"train, {len(split.validation)} from {len(split.validation.paths)} to choose by, {len(split.test)} from "
        f"{len(split.test.paths)} held out"
    )
    source = (folder.name, "its own", what) if folder else (*_GROOVE, f"the official split; {what}")
    taken = f"{design.k_first} at first, {design.k_last} in the end, {design.winners}, {design.taken} training"
    return Card(
        title=f"A dictionary of drum music ({dictionary.model.name})",
        summary=(
            f"Bars as sums of {len(dictionary.atoms)} atoms of {design.kernel} sixteenths: hits, velocities and "
            "micro-timing of nine drums. De-noises, simplifies, interpolates, mixes and compares beats. Use: "
            f"`terzetto.drums.dictionary`, `terzetto.drums.dictionary_edits`. Winners: {taken}.\n\n"
            + _READING
            + _WINNERS[design.winners == OF_EACH_ATOM]
        ),
        licence=licence,
        data=[source],
        metrics=f"```\n{table(measure(dictionary, split, tell_on_terminal))}\n```",
        limits=(
            "4/4 only, and atoms begin at the bar line: a beat that is shifted against it is not recognised "
            "(the stride is the kernel). A bar of many drums is more than a few atoms; rare hits are lost first, "
            "velocities and timing are smoothed. Each bar is coded for itself; only de-noising also asks which "
            "hits come again in the section's other bars."
        ),
        command=command,
        facts=facts,
        sources=[
            "Shift-Invariant Dictionary Learning using Temporal CONV-WTA Autoencoders for Discovering Music Relations, "
            "NLP4MusA",
            "Makhzani, Frey: A winner-take-all method for training sparse convolutional autoencoders, 2014",
        ],
    ).write(dictionary.model.path)
