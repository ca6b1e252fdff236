"""The judge of drum sounds: perceptrons on features made by hand, taught by drum machines and sound fonts.

It shares no data with the models it judges and no shape with the sorter. It is made on one's own machine by ``terzetto
train drum-judge``, stays there, and nothing is ever trained on its verdicts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terzetto.errors import ModelError
from terzetto.models import Model, find_model, installed
from terzetto_export.drum_sounds.judge_features import SIZE, judged

TASK = "drum-judge"
MODEL = "drum_judge"


@dataclass(frozen=True)
class Verdict:
    """What the judge says of some sounds.

    Attributes
    ----------
    classes : int64 (n,)
        The likeliest, indices into `terzetto.drums.drum_map.CLASSES`.
    embeddings : float64 (n, 16)
        Each -1..1; sounds that are alike lie near each other.
    """

    classes: NDArray[np.int64]
    embeddings: NDArray[np.float64]


class Judge:
    """An opened judge; `open_judge` finds one.

    Raises
    ------
    ModelError
        It was taught other features than `judged` gives.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        asked = model.session.get_inputs()[0].shape[1]
        if asked != SIZE:
            raise ModelError(
                f"{model.path}: this judge hears {asked} features of a sound, and here are {SIZE}; make it anew: "
                "terzetto train drum-judge"
            )

    def hear(self, sounds: Sequence[NDArray[np.floating]]) -> Verdict:
        """Return the verdict on sounds, mono (frames,) each at 44.1 kHz.

        Raises
        ------
        InputError
            A sound is empty, silent, not finite or not mono.
        """
        features = np.stack([judged(sound) for sound in sounds])
        logits, embeddings = self.model.session.run(["logits", "embedding"], {"features": features})
        return Verdict(np.asarray(logits).argmax(axis=1), np.asarray(embeddings, np.float64))


def open_judge(name: str = "") -> Judge:
    """Open the judge, or another by name or path.

    Raises
    ------
    ModelError
        There is none, or it is an old one.
    """
    if not name and MODEL not in {path.stem for path in installed()}:
        raise ModelError(
            "there is no judge of drum sounds yet; `terzetto train drum-judge` makes one in a few minutes from the "
            "research one-shots of the folder that TERZETTO_DATA names"
        )
    return Judge(find_model(TASK, name or MODEL, threads=1))
