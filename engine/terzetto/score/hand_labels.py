"""Which hand plays which note of an unlabelled performance, offline and live.

Trained models (`terzetto train hand-labels`) read the notes. Offline one reads the whole performance. Live another
labels each note when it has seen its future for a second or 32 notes, whichever comes first; its memory of all earlier
notes is an explicit input and output, so a performance can be of any length.

The baselines of `terzetto.score.hand_baselines` can be chosen by name in a model's place.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terzetto.errors import InputError, ModelError
from terzetto.models import Model, find_model
from terzetto.score import hand_baselines as baselines
from terzetto.score.hand_features import CHORD, FUTURE_SECONDS, N_FEATURES, N_HELD
from terzetto.score.hand_reader import read_whole
from terzetto.score.hand_stream import NoteReader
from terzetto.score.notes import Score

TASK, LIVE_TASK = "hand-labels", "hand-labels-live"
DEFAULT_MODEL, LIVE_MODEL = "hand_labels", "hand_labels_live"
BASELINES = ("middle-c", "midpoint", "hmm")
# By task: the features that this version reads, what else a model must say of itself, and how it is trained.
_MUST = {
    TASK: (N_FEATURES + N_HELD, "speed", "terzetto train hand-labels"),
    LIVE_TASK: (N_FEATURES, "memory", "terzetto train hand-labels --live"),
}
# A label is known this many seconds after its note at the latest: the look-ahead, and the end of the last chord in it.
LOOK_AHEAD = FUTURE_SECONDS + CHORD


class Label(NamedTuple):
    """A note's label: its number in the order it was given (from 0), its hand, and the right hand's probability.

    The hand is not always the likelier one: what could be played counts too (`terzetto.score.hand_path`).
    """

    note: int
    hand: int
    right: float


def label_hands(score: Score, model: str | Model = DEFAULT_MODEL) -> Score:
    """Return a score with every note's hand told by a model, and how likely that is; labels it had are replaced.

    Parameters
    ----------
    score
        Of any length; onsets, offsets and pitches are all that counts.
    model
        A model's name, the path of its file, or an opened one; or a baseline: ``middle-c``, ``midpoint``, ``hmm``.

    Raises
    ------
    ModelError
        There is no such model, or it is none for hands.
    """
    if not len(score):
        return score
    if isinstance(model, str) and model in BASELINES:
        return score.with_hands(_baseline(score, model))
    opened = open_labeller_model(model) if isinstance(model, str) else _checked(model, TASK)
    return score.with_hands(*read_whole(opened, score.onset, score.offset, score.pitch))


def open_labeller_model(name: str = DEFAULT_MODEL) -> Model:
    """Find and open a model that reads whole performances, and make sure that it reads this version's features.

    Raises
    ------
    ModelError
        There is none of that name, or it is for another task or version.
    """
    return _checked(find_model(TASK, name, threads=1), TASK)


def open_live_model(name: str = LIVE_MODEL) -> Model:
    """Find and open a model that reads note by note; see `open_labeller_model`."""
    return _checked(find_model(LIVE_TASK, name, threads=1), LIVE_TASK)


def _checked(model: Model, task: str) -> Model:
    n_features, needed, command = _MUST[task]
    if model.task != task:
        raise ModelError(f"{model.path}: this is a model for {model.task!r}; needed is one for {task!r}")
    if model.constants.get("features") != n_features or needed not in model.constants:
        raise ModelError(
            f"{model.path}: made for another version of Terzetto; remove the file, or train it again: {command}"
        )
    return model


class HandLabeller:
    """Labels notes while they are played, a little less surely than `label_hands` does, which knows what follows.

    Give the notes in the order of their onsets; what `add`, `advance` and `flush` return are the labels that have
    become known. A note's label is known as soon as the 32 notes after its chord are, or the time is 1.03 s later.

    Parameters
    ----------
    model
        A model's name, the path of its file, or an opened one.

    Raises
    ------
    ModelError
        There is no such model, or it is none for hands.
    """

    def __init__(self, model: str | Model = LIVE_MODEL) -> None:
        opened = open_live_model(model) if isinstance(model, str) else _checked(model, LIVE_TASK)
        self._reader = NoteReader(opened)
        self.reset()

    def reset(self) -> None:
        """Forget everything; the next note is a performance's first, and number 0."""
        self._reader.reset()
        self._given = 0
        self._now = -math.inf

    def add(self, onset: float, pitch: int) -> list[Label]:
        """Take one note; ``onset`` in seconds, not before the last one's.

        Raises
        ------
        InputError
            The onset is before an earlier one or no finite number, or the pitch is no MIDI pitch.
        """
        self._take(onset, pitch)
        return self._label()

    def extend(self, onset: NDArray[np.float64], pitch: NDArray[np.int64]) -> list[Label]:
        """Take many notes at once; the labels are those that `add` gives one by one."""
        for when, key in zip(onset.tolist(), pitch.tolist(), strict=True):
            self._take(when, key)
        return self._label()

    def advance(self, time: float) -> list[Label]:
        """Say that no note comes before ``time``: labels do not have to wait for the next note."""
        if time > self._now:
            self._now = time
            self._reader.advance(time)
        return self._label()

    def flush(self) -> list[Label]:
        """Label the notes that are left; the performance has ended."""
        return self._label(last=True)

    def _take(self, onset: float, pitch: int) -> None:
        if not math.isfinite(onset) or not 0 <= pitch <= 127:
            raise InputError(f"a note has a finite onset and a pitch of 0..127; given {onset} s and {pitch}")
        if onset < self._now:
            raise InputError(
                f"note {self._given} starts at {onset:.3f} s, before {self._now:.3f} s that were reached; notes are "
                "given in the order of their onsets"
            )
        self._now = onset
        self._reader.take(onset, pitch, self._given)
        self._given += 1

    def _label(self, last: bool = False) -> list[Label]:
        labels = []
        for note, logit, hand in self._reader.read(last):
            labels.append(Label(note, hand, 1.0 / (1.0 + math.exp(-min(max(logit, -30.0), 30.0)))))
        return sorted(labels)


def _baseline(score: Score, name: str, model: str = DEFAULT_MODEL) -> NDArray[np.int64]:
    if name == "middle-c":
        return baselines.split_at_middle_c(score.pitch)
    if name == "midpoint":
        return baselines.split_at_midpoint(score.onset, score.pitch)
    return baselines.merged_output_hmm(score.onset, score.pitch, baseline_parameters(open_labeller_model(model)))


def baseline_parameters(model: Model) -> baselines.Parameters:
    """Return the two-hand HMM's parameters; a model carries those that were counted in its own training data.

    Raises
    ------
    ModelError
        The model has none, or they are damaged.
    """
    try:
        return baselines.Parameters.from_json(model.constants["hmm"])
    except (KeyError, TypeError, ValueError):
        raise ModelError(f"{model.path}: has no parameters of the two-hand HMM; train it again") from None
