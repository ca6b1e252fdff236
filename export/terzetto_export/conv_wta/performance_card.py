"""The card of a performance dictionary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from terzetto.analysis.performance_dictionary import PerformanceDictionary
from terzetto.score.performance_events import times_of
from terzetto_export.card import Card
from terzetto_export.conv_wta.performance_measures import measure, table_of
from terzetto_export.conv_wta.performances import Split

_NASAP = (
    "nASAP: 253 piano performances as MIDI, many of them MAESTRO's (Peter, Cancino-Chacón, Foscarin, McLeod, Henkel, "
    "Karystinaios, Widmer: Automatic note-level score-to-performance alignments in the ASAP dataset, TISMIR 2023; "
    "Hawthorne et al.: MAESTRO, ICLR 2019)",
    "CC BY-NC-SA 4.0",
)
_READING = (
    "How the paper was read. *Kernel*: it gives none; here {kernel} events, about {seconds:.1f} s. *k*: in each column "
    "the k most active of the 1000 atoms win, 100 at first, 75 in the end. The other reading, k columns of each atom "
    "over the piece, means another sparsity for each length of music, and none for pieces of fewer than 75 columns; it "
    "is the recipe `of-each-atom`. *TCN [1, 8, 16, 24]*: each of the 388 rows is a line of its own, one map, and 8, 16 "
    "and 24 are the feature maps of three causal levels of width 2, dilated 1, 2 and 4, without skip connections, that "
    "all rows share. Ours: they have no bias, so that silence stays silence, and the 24 maps are mixed into one, since "
    "the dictionary's encoder would else have 149 million weights. "
)
_RECIPES = {
    "plain": "Here without the TCN, which the paper calls not required (figure 1). ",
    "paper": "",
    "of-each-atom": "Here without the TCN, and k counts columns of each atom. ",
}


def write_card(
    dictionary: PerformanceDictionary,
    split: Split,
    recipe: str,
    folder: Path | None,
    facts: Sequence[tuple[str, str]],
    command: str,
    tell: Callable[[str], None],
) -> Path:
    """Measure an exported dictionary on its test works and write its card; ``folder`` is one's own data, if any."""
    counts = [
        f"{len(part)} performances of {len({line.work for line in part})} works {what}"
        for part, what in ((split.training, "to train"), (split.validation, "to choose by"), (split.test, "held out"))
    ]
    what = "split by work: " + ", ".join(counts)
    source = (folder.name, "its own", what) if folder else (*_NASAP, what)
    seconds = float(np.mean([times_of(line.events)[-1] / len(line.events) for line in split.training]))
    return Card(
        title=f"A dictionary of piano performances ({dictionary.model.name})",
        summary=(
            f"Performances as sums of {len(dictionary.atoms)} atoms of {dictionary.kernel} events (388 kinds: keys "
            "down and up, time, velocity). Reconstructs, de-noises, reduces, interpolates, mixes and compares "
            "performances, and lays composers out by the atoms they use. Use: `terzetto piano`, "
            "`terzetto.analysis.performance_dictionary`.\n\n"
            "**Made on your machine, not shipped**: what it is learned from may not be used commercially.\n\n"
            + _READING.format(kernel=dictionary.kernel, seconds=dictionary.kernel * seconds)
            + _RECIPES[recipe]
        ),
        licence=dictionary.model.licence,
        data=[source],
        metrics=f"```\n{table_of(measure(dictionary, split, tell))}\n```",
        limits=(
            "Atoms begin every so many events, wherever the music's beats are, so the same bar played twice falls on "
            "other places of the kernel: one wrong event shifts all after it. Decoded performances have wrong keys and "
            "times; the commands that keep notes as they were played are of more use than the plain decoder."
        ),
        command=command,
        facts=facts,
        sources=[
            "Shift-Invariant Dictionary Learning using Temporal CONV-WTA Autoencoders for Discovering Music Relations, "
            "NLP4MusA",
            "Oore, Simon, Dieleman, Eck, Simonyan: This time with feeling: learning expressive musical performance, "
            "2018",
            "Makhzani, Frey: A winner-take-all method for training sparse convolutional autoencoders, 2014",
        ],
    ).write(dictionary.model.path)
