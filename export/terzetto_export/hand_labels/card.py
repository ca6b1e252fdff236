"""The card of a hand-labelling model: what it learned from and how many held-out notes it gets right."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from terzetto.evaluate import hand_labels as evaluation
from terzetto.models import Model, find_model
from terzetto.score.hand_features import FUTURE
from terzetto.score.hand_labels import LIVE_TASK, LOOK_AHEAD, TASK
from terzetto.score.notes import Score
from terzetto_export.card import Card
from terzetto_export.hand_labels.data import Piece, Split, share_of_left
from terzetto_export.hand_labels.recipe import LENGTH

_SOURCES = {
    "scores": (
        "Chopin First Editions, Narodowy Instytut Fryderyka Chopina (NIFC), encoded in Humdrum: notes and staves",
        "CC BY 4.0",
    ),
    "performances": ("nASAP (aligned performances, partly MAESTRO's): notes and staves", "CC BY-NC-SA 4.0"),
}

_WHOLE = (
    "Onsets, offsets and pitches of piano notes in, the hand of each out: `terzetto.score.hand_labels.label_hands`. "
    f"It reads a whole performance, {LENGTH} notes at a time, chords (onsets within 30 ms) low to high."
)
_LIVE = (
    "Onsets and pitches of piano notes in, the hand of each out while they are played: "
    f"`terzetto.score.hand_labels.HandLabeller`, {LOOK_AHEAD:g} s or {FUTURE} notes behind at the latest, with a "
    "memory of all before. It reads chords (onsets within 30 ms) low to high."
)

_CHOPIN_ALONE = (
    " It learned from Chopin and made-up textures alone: on other composers it is not far above the moving midpoint "
    "(docs/hands.md)."
)


def write_card(
    model: Path,
    recipe: str,
    live: bool,
    licence: str,
    folders: Sequence[Path] | None,
    split: Split,
    facts: Sequence[tuple[str, str]],
    command: str,
) -> Path:
    """Measure an exported model on what it never saw and write its card; ``folders`` are one's own data, if any."""
    opened = find_model(LIVE_TASK if live else TASK, str(model), threads=1)
    parts = {"works held out": split.test, "composers held out": split.other_composers}
    metrics = "\n\n".join(
        f"{name[0].upper()}{name[1:]} ({len({piece.work.opus for piece in pieces})} opuses, hash of the name):\n\n"
        f"```\n{report(opened, pieces)}\n```"
        for name, pieces in parts.items()
        if pieces
    )
    used = [*split.training, *split.validation]
    what = (
        f"{len(used)} files, {sum(map(len, used)):,} notes, {100 * share_of_left(used):.0f} % left; "
        f"for validation: {', '.join(split.works('validation'))}; held out: {', '.join(split.works('test'))}"
    )
    if folders:
        sources = [(", ".join(folder.name for folder in folders), "its own", what)]
    else:
        sources = [(*_SOURCES[recipe], what)]
    return Card(
        title=f"Which hand plays which note ({model.stem})",
        summary=_LIVE if live else _WHOLE,
        licence=licence,
        data=sources,
        metrics=metrics,
        limits=(
            "The truth is the staff a note is written on, not the hand that played it. Notes across the staves are "
            "wrong far more often (see above), and so are inner voices of fugues that pass from hand to hand. "
            "A piece for one hand alone is split in two. Pedal and velocity are not used."
            + (_CHOPIN_ALONE if recipe == "scores" and not folders else "")
        ),
        command=command,
        facts=facts,
        sources=[
            "Nakamura, Ono, Sagayama: Merged-output HMM for piano fingering of both hands, ISMIR 2014 (the baseline "
            "hmm; its parameters are in the model's metadata)",
        ],
    ).write(model)


def report(model: Model, pieces: Sequence[Piece]) -> str:
    """Return the table of agreement on some pieces."""
    truths = [evaluation.Truth(piece.work, _score(piece)) for piece in pieces]
    return evaluation.table(evaluation.summarise(truths, [evaluation.count(truth, model) for truth in truths]))


def _score(piece: Piece) -> Score:
    n = len(piece)
    return Score(piece.onset, piece.offset, piece.pitch, np.full(n, 0.5), piece.hand, np.zeros(n, np.int64))
