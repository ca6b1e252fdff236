"""What one can do with piano performances that are sums of few atoms (CONV-WTA paper, 3.3 to 3.5).

Those functions that take codes and give codes are the same for all music: `terzetto.analysis.codes`. Nothing here draws
by chance: the same arguments give the same music.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terzetto.analysis.codes import keep_atoms
from terzetto.analysis.dictionary import Float
from terzetto.analysis.performance_dictionary import PerformanceDictionary
from terzetto.errors import InputError
from terzetto.score.notes import Score
from terzetto.score.performance_events import NOTE_OFF, STEPS_PER_SECOND, times_of, to_events


def note_values(score: Score, values: Float) -> NDArray[np.float64]:
    """Return each note's value: what was decoded at the step at which its key goes down, float64 (notes,).

    Parameters
    ----------
    values : float32 (388, n)
        Of the score's n events, such as `PerformanceDictionary.values` gives.
    """
    events = to_events(score)
    keys = np.flatnonzero(events < NOTE_OFF)
    moment = np.rint(times_of(events)[keys] * STEPS_PER_SECOND).astype(np.int64)
    step = {(int(m), int(p)): int(k) for m, p, k in zip(moment, events[keys], keys, strict=True)}
    onset = np.rint(score.onset * STEPS_PER_SECOND).astype(np.int64)
    # Of keys struck twice within 10 ms one is left; both have its value.
    return np.array([values[p, step[int(t), int(p)]] for t, p in zip(onset, score.pitch, strict=True)], np.float64)


def denoise(dictionary: PerformanceDictionary, score: Score, keep: float | None = None) -> Score:
    """Take out the notes that the dictionary does not know; what stays is played as it was.

    Parameters
    ----------
    keep
        A note stays where its value is at least this: higher takes out more. The model's own unless given.
    """
    values = note_values(score, dictionary.values(to_events(score)))
    return score.select(values >= (dictionary.keep if keep is None else keep))


def simplify(dictionary: PerformanceDictionary, score: Score, atoms: int, share: float = 0.5) -> Score:
    """Return the notes that a piece's most active atoms explain; see `terzetto.analysis.codes.keep_atoms`.

    Parameters
    ----------
    share
        A note stays where these atoms alone give it at least this share, above 0, of the value that all give it.

    Raises
    ------
    InputError
        Fewer than one atom, or a share not above 0.
    """
    if share <= 0:
        raise InputError(f"share = {share:g}: give a share above 0")
    code = dictionary.encode(score)
    whole = note_values(score, dictionary.rows(code))
    alone = note_values(score, dictionary.rows(keep_atoms(dictionary, code, atoms)))
    return score.select((whole > 0) & (alone >= share * whole))


def shift_variance(dictionary: PerformanceDictionary, score: Score) -> tuple[NDArray[np.float64], Float]:
    """Return where a performance leaves what the dictionary knows: times in seconds, and the error from each on.

    The squared error of an event, summed over its 388 rows, as the mean of each column (kernel) of the code; 1 is what
    silence would give. High where what is played is none of what comes again (3.3).
    """
    events = to_events(score)
    error = dictionary.error(dictionary.whole(events)) * dictionary.height
    # The last column may be half empty: there the mean is over what is played.
    counts = np.full(len(error) // dictionary.kernel, dictionary.kernel)
    counts[-1] = (len(events) - 1) % dictionary.kernel + 1
    sums = error.reshape(-1, dictionary.kernel).sum(axis=1)
    return dictionary.column_times(events), np.asarray(sums / counts, np.float32)


def columns_between(dictionary: PerformanceDictionary, score: Score, start: float, stop: float) -> slice:
    """Return the columns of a code that hold what is played from one time (s) to another.

    Raises
    ------
    InputError
        Nothing lies between.
    """
    times = dictionary.column_times(to_events(score))
    if not 0 <= start < stop or start >= score.end:
        raise InputError(f"{start:g} to {stop:g} s: give two times within the performance's 0 to {score.end:.1f} s")
    first = max(int(np.searchsorted(times, start, side="right")) - 1, 0)
    return slice(first, max(int(np.searchsorted(times, stop, side="left")), first + 1))
