"""A hand-labelling model reads a whole performance at once: every note with all that is around it.

It reads it twice, once with the keyboard turned around and the hands exchanged. Over a stretch in which both readings
agree about most notes the mean counts, else the first alone: turned around, a whole piece may be taken for another
kind. How fast it reads is among its constants: a model that learned from players more exact than people reads faster
than is played, so that what is not quite together is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terzetto.models import Model
from terzetto.score.hand_features import FUTURE, PAST, features, held_features, order_notes
from terzetto.score.hand_path import decide, probabilities
from terzetto.score.notes import LEFT, RIGHT

# Turned around, a key and its counterpart add up to this: the middle of the keyboard stays where it is.
_TURN = 128
# So many notes on either side are the stretch over which two readings are compared.
_STRETCH = 32
# So many windows are read at once, which bounds the memory.
_AT_ONCE = 8


def read_whole(
    model: Model, onset: NDArray[np.float64], offset: NDArray[np.float64], pitch: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return each note's hand in a performance that is read and decided as a whole.

    Parameters
    ----------
    model
        Opened.
    onset, offset : float64 (n,)
        Seconds; onsets rising. Where an offset is its onset, nothing is known of the note's end.
    pitch : int64 (n,)

    Returns
    -------
    hand : int64 (n,)
        In the best way to play it all.
    right : float64 (n,)
        How likely the right hand plays each note, over all ways to play it.
    """
    speed = float(model.constants["speed"])
    order, event, time = order_notes(onset / speed, pitch)
    known = np.where(offset > onset, offset, -np.inf)
    keys, ends = pitch[order], np.maximum(known[order] / speed, time)
    logits = _logits(model, keys, event, time, ends)
    turned = _turned(model, keys, event, time, ends)
    share = _trust(logits, turned)
    logits = (logits + share * turned) / (1 + share)
    hand, right = np.empty(len(keys), np.int64), np.empty(len(keys))
    hand[order] = np.where(decide(logits, keys, event, time), RIGHT, LEFT)
    right[order] = probabilities(logits, keys, event, time)
    return hand, right


def _turned(
    model: Model,
    pitch: NDArray[np.int64],
    event: NDArray[np.int64],
    time: NDArray[np.float64],
    offset: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the logits read with low for high and left for right."""
    mirrored = (_TURN - pitch).clip(0, 127)
    order = np.lexsort((mirrored, event))
    logits = np.empty(len(pitch))
    logits[order] = -_logits(model, mirrored[order], event, time, offset[order])
    return logits


def _trust(logits: NDArray[np.float64], turned: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much the turned reading counts beside the first, 0..1: by their agreement over a stretch of notes."""
    agree = np.concatenate([[0.0], np.cumsum((logits > 0) == (turned > 0))])
    first = np.maximum(np.arange(len(logits)) - _STRETCH, 0)
    after = np.minimum(np.arange(len(logits)) + _STRETCH + 1, len(logits))
    around = (agree[after] - agree[first]) / (after - first)
    return np.asarray(np.clip((around - 0.5) / 0.2, 0.0, 1.0))


def windows(notes: int, length: int) -> list[tuple[int, int, int]]:
    """Return where each window starts, and from which to which of its notes it has the word.

    Windows overlap by half; what lies in a quarter next to an end that is not the performance's is the neighbour's.

    >>> windows(10, 8)
    [(0, 0, 6), (2, 4, 8)]
    """
    size = min(length, notes)
    last, quarter = notes - size, size // 4
    starts = [*range(0, last, max(size // 2, 1)), last]
    first, result = 0, []
    for start in starts:
        after = size if start == last else size - quarter
        result.append((start, first - start, after))
        first = start + after
    return result


def _logits(
    model: Model,
    pitch: NDArray[np.int64],
    event: NDArray[np.int64],
    time: NDArray[np.float64],
    offset: NDArray[np.float64],
) -> NDArray[np.float64]:
    logits = np.empty(len(pitch))
    cut = windows(len(pitch), int(model.constants["window"]))
    size = min(int(model.constants["window"]), len(pitch))
    for some in (cut[i : i + _AT_ONCE] for i in range(0, len(cut), _AT_ONCE)):
        first, after = some[0][0], some[-1][0] + size
        context = slice(max(first - PAST, 0), after + FUTURE)
        chosen = slice(first - context.start, after - context.start)
        near = pitch[context], event[context], time[context]
        table = np.concatenate([features(*near, chosen), held_features(*near, offset[context], chosen)], axis=1)
        place = np.array([start for start, _, _ in some])[:, None] + np.arange(size)
        given = {
            "features": table[place - first],
            # From each window's own beginning: single precision does not carry hours.
            "time": (time[place] - time[place[:, :1]]).astype(np.float32),
            "pitch": pitch[place].astype(np.float32),
        }
        (answer,) = model.session.run(None, given)
        for (start, low, high), row in zip(some, answer, strict=True):
            logits[start + low : start + high] = row[low:high]
    return logits
