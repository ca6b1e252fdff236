"""The judge, opened: which instrument a note is heard as, and where it lies among all notes.

It is made on one's own machine by ``terzetto train instrument-judge`` and stays there. It shares no recording with the
models that it judges (see `fonts`) and nothing is ever trained, or chosen, on its verdicts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terzetto.models import Model
from terzetto_export.instrument_judge.features import features, spectra

TASK = "instrument-judge"
MODEL = "instrument_judge"


@dataclass(frozen=True)
class Verdict:
    """What the judge says of some notes.

    Attributes
    ----------
    order : tuple of tuple of str
        Of each note the judge's classes, the likeliest first.
    likelihood : float64 (n, classes)
        Log probabilities of the classes, in the judge's order of them.
    embeddings : float64 (n, d)
        Unit length; notes that are alike lie near each other.
    """

    order: tuple[tuple[str, ...], ...]
    likelihood: NDArray[np.float64]
    embeddings: NDArray[np.float64]

    @property
    def instruments(self) -> tuple[str, ...]:
        """The likeliest of each note."""
        return tuple(order[0] for order in self.order)

    def rank(self, note: int, instrument: str) -> int:
        """Return which guess of a note an instrument is, 1 for the first."""
        return self.order[note].index(instrument) + 1


class Judge:
    """An opened judge; `terzetto_export.timbre_notes.judges.open_judges` finds them."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.classes: tuple[str, ...] = tuple(model.constants["classes"])

    def hear(
        self, notes: Sequence[NDArray[np.floating]], sample_rate: float, pitches: Sequence[int | None] = ()
    ) -> Verdict:
        """Return the verdict on notes, mono (frames,) each, that begin where they begin.

        Parameters
        ----------
        notes, sample_rate
        pitches
            MIDI note of each, for a judge that asks for it; this one does not.

        Raises
        ------
        InputError
            A note is empty, silent, not finite or not mono.
        """
        heard = features(np.stack([spectra(note, sample_rate) for note in notes]))
        logits, embedding = self.model.session.run(["logits", "embedding"], {"features": heard})
        return verdict_of(self.classes, np.asarray(logits, np.float64), np.asarray(embedding, np.float64))


def verdict_of(classes: Sequence[str], logits: NDArray[np.float64], embedding: NDArray[np.float64]) -> Verdict:
    """Return the verdict of log probabilities (n, classes) and embeddings (n, d) of any length."""
    length = np.maximum(np.linalg.norm(embedding, axis=1, keepdims=True), 1e-12)
    order = tuple(tuple(classes[i] for i in row) for row in np.argsort(-logits, axis=1, kind="stable"))
    return Verdict(order, logits, embedding / length)
