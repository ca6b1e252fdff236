"""A dictionary of piano performances: lines of the 388 events as sums of few atoms; see `terzetto.analysis.dictionary`.

A step is one event of `terzetto.score.performance_events`, and a column of the code so many events as the kernel is
long, however long they last. No such model is shipped: what it is learned from may not be used commercially, so it is
made on one's own machine by `MAKE_IT`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terzetto.analysis.dictionary import Float, SparseDictionary
from terzetto.errors import InputError, ModelError
from terzetto.models import Model, find_model, installed
from terzetto.score.notes import Score
from terzetto.score.performance_events import (
    EVENTS,
    NOTE_OFF,
    TIME_SHIFT,
    VELOCITY,
    from_events,
    one_hot,
    times_of,
    to_events,
)

TASK = "performance-dictionary"
MODEL = "performance_dictionary"
MAKE_IT = "terzetto train performance-dictionary"


class PerformanceDictionary(SparseDictionary):
    """An opened dictionary of performances; `open_performance_dictionary` finds one by its name.

    Attributes
    ----------
    keep : float
        From which decoded value a note is one that the dictionary knows; chosen on the validation set.
    """

    def __init__(self, model: Model) -> None:
        super().__init__(model, EVENTS)
        self.keep = float(model.constants["keep"])

    def encode(self, score: Score, k: int | None = None) -> Float:
        """Return the sparse code of a performance, float32 (atoms, columns); see `encode_events`.

        Raises
        ------
        InputError
            No notes, notes before time 0, or k below 1.
        """
        return self.encode_events(to_events(score), k)

    def encode_events(self, events: ArrayLike, k: int | None = None) -> Float:
        """Return the sparse code of events, float32 (atoms, columns); the last column may be half empty."""
        return self.encode_rows(self.whole(events), k)

    def whole(self, events: ArrayLike) -> Float:
        """Return events one-hot, filled up with empty steps to whole kernels, float32 (388, columns × kernel)."""
        rows = one_hot(events)
        if not rows.shape[1]:
            raise InputError("there are no events; give at least one")
        return np.pad(rows, ((0, 0), (0, -rows.shape[1] % self.kernel)))

    def values(self, events: ArrayLike) -> Float:
        """Return what the dictionary makes of events: the value of each of the 388 at each step, float32 (388, n)."""
        line = np.asarray(events)
        return self.rows(self.encode_events(line))[:, : len(line)]

    def decode(self, code: ArrayLike, steps: int | None = None) -> Score:
        """Return the performance that a code stands for, its most likely line of events; see `likely_line`.

        Parameters
        ----------
        code : (atoms, columns)
        steps
            Events to write; all unless given.
        """
        return from_events(likely_line(self.rows(code)[:, :steps]))

    def column_times(self, events: ArrayLike) -> NDArray[np.float64]:
        """Return when each column of the code begins, in seconds, float64 (columns,)."""
        return times_of(events)[:: self.kernel]


def likely_line(values: Float) -> NDArray[np.int64]:
    """Return the events that values (388, n) make most likely, step by step, int64 (up to n,).

    At each step the largest value wins among the events that make sense there: only a key that is down can come up,
    only one that is up can go down, and after a velocity a key goes down. A step with nothing above 0 is passed over.
    """
    down = np.zeros(NOTE_OFF, bool)
    line: list[int] = []
    expects_key = False
    allowed = np.ones(EVENTS, bool)
    for column in np.ascontiguousarray(values.T):
        if column.max() <= 0:
            continue
        allowed[:NOTE_OFF] = ~down
        allowed[NOTE_OFF:TIME_SHIFT] = down
        allowed[NOTE_OFF:] &= not expects_key
        event = int(np.where(allowed, column, -np.inf).argmax())
        allowed[TIME_SHIFT:] = True
        line.append(event)
        expects_key = event >= VELOCITY
        if event < TIME_SHIFT:
            down[event % NOTE_OFF] = event < NOTE_OFF
    return np.array(line, np.int64)


def open_performance_dictionary(name: str = "") -> PerformanceDictionary:
    """Open a dictionary by its name, or from an ``.onnx`` file; the one made by `MAKE_IT` unless given.

    Raises
    ------
    ModelError
        There is none of that name yet, it is damaged, or it is for another task.
    """
    wanted = name or MODEL
    if not wanted.endswith(".onnx") and wanted not in {path.stem for path in installed()}:
        raise ModelError(
            f"there is no model {wanted!r}: dictionaries of piano performances are not shipped (what they are learned "
            f"from may not be used commercially); make one with: {MAKE_IT}"
        )
    return PerformanceDictionary(find_model(TASK, wanted, threads=1))
