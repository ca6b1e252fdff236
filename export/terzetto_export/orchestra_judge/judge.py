"""The second judge, opened; it answers as `terzetto_export.instrument_judge.judge.Judge` does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from terzetto.errors import ModelError
from terzetto.models import Model
from terzetto_export.instrument_judge.judge import Judge, Verdict, verdict_of
from terzetto_export.orchestra_judge.features import frames, shape
from terzetto_export.orchestra_judge.network import FOLDS
from terzetto_export.orchestra_judge.recipe import by_fold

MODEL = "orchestra_judge"
HEARS = "frames"
"""In the model's constants: what tells it from the first judge, which is for the same task."""


class OrchestraJudge(Judge):
    """An opened second judge. Each note is judged by the fold that never heard a player's note of its pitch.

    Raises
    ------
    ModelError
        It was trained by an earlier recipe, with other folds.
    """

    def __init__(self, model: Model) -> None:
        folds = model.session.get_outputs()[0].shape[0]
        if folds != FOLDS:
            raise ModelError(
                f"{model.path}: a judge of {folds} networks, of an earlier version; needed are {FOLDS}, else it judges "
                "notes that it has learned. Train it anew: terzetto train orchestra-judge"
            )
        super().__init__(model)

    def hear(
        self, notes: Sequence[NDArray[np.floating]], sample_rate: float, pitches: Sequence[int | None] = ()
    ) -> Verdict:
        """Return the verdict on notes; see `Judge.hear`.

        Parameters
        ----------
        pitches
            MIDI note of each; where it is None, or none are given, all folds judge.
        """
        pitch = np.array([-1 if each is None else each for each in pitches or [None] * len(notes)], np.int64)
        heard = shape(np.stack([frames(note, sample_rate) for note in notes]))
        said = self.model.session.run(["logits", "embedding"], {"spectra": heard})
        logits, embedding = (by_fold(np.asarray(each, np.float64), pitch) for each in said)
        return verdict_of(self.classes, logits, embedding)
