"""The judge, opened: which instrument a note is heard as, and where it lies among all notes.

It is made on one's own machine by ``terzetto train instrument-judge`` and stays there. It shares no recording with the
models that it judges (see `fonts`) and nothing is ever trained, or chosen, on its verdicts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terzetto.errors import ModelError
from terzetto.models import Model, find_model, installed
from terzetto_export.instrument_judge.features import judged

TASK = "instrument-judge"
MODEL = "instrument_judge"
_AT_ONCE = 128


@dataclass(frozen=True)
class Verdict:
    """What the judge says of some notes.

    Attributes
    ----------
    instruments : tuple of str
        The likeliest of each, one of the judge's classes.
    embeddings : float64 (n, d)
        Unit length; notes that are alike lie near each other.
    """

    instruments: tuple[str, ...]
    embeddings: NDArray[np.float64]


class Judge:
    """An opened judge; `open_judge` finds one."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.classes: tuple[str, ...] = tuple(model.constants["classes"])

    def hear(self, notes: Sequence[NDArray[np.floating]], sample_rate: float) -> Verdict:
        """Return the verdict on notes, mono (frames,) each, that begin where they begin.

        Raises
        ------
        InputError
            A note is empty, silent, not finite or not mono.
        """
        features = np.stack([judged(note, sample_rate) for note in notes])
        parts = [
            self.model.session.run(["logits", "embedding"], {"levels": features[first : first + _AT_ONCE]})
            for first in range(0, len(features), _AT_ONCE)
        ]
        logits, embedding = (np.concatenate(each).astype(np.float64) for each in zip(*parts, strict=True))
        length = np.maximum(np.linalg.norm(embedding, axis=1, keepdims=True), 1e-12)
        return Verdict(tuple(self.classes[i] for i in logits.argmax(axis=1)), embedding / length)


def open_judge(name: str = "") -> Judge:
    """Open the judge, or another by name or path.

    Raises
    ------
    ModelError
        There is none.
    """
    if not name and MODEL not in {path.stem for path in installed()}:
        raise ModelError(
            "there is no judge of instruments yet; `terzetto train instrument-judge` makes one from sound fonts and "
            "the recordings of the folder that TERZETTO_DATA names"
        )
    return Judge(find_model(TASK, name or MODEL, threads=1))
