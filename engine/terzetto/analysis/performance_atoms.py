"""Atoms of a dictionary of performances, to look at and to hear: which of them a performance is made of."""

from __future__ import annotations

from dataclasses import dataclass

from terzetto.analysis.codes import most_active, total_activity
from terzetto.analysis.performance_dictionary import PerformanceDictionary, likely_line
from terzetto.errors import InputError
from terzetto.score.notes import Score
from terzetto.score.performance_events import NOTE_OFF, from_events, to_events


@dataclass(frozen=True)
class UsedAtom:
    """An atom in a performance.

    Attributes
    ----------
    index : int
        Its number in the dictionary.
    share : float
        Of the performance's whole activity, 0..1; activities count by their atoms' size.
    seconds : float
        When the kernel begins in which it is most active.
    """

    index: int
    share: float
    seconds: float


def used_atoms(dictionary: PerformanceDictionary, score: Score) -> list[UsedAtom]:
    """Return the atoms that a performance is made of, the most active first."""
    events = to_events(score)
    code, times = dictionary.encode_events(events), dictionary.column_times(events)
    activity = total_activity(dictionary, code)
    whole = max(float(activity.sum()), 1e-12)
    return [
        UsedAtom(int(index), float(activity[index]) / whole, float(times[code[index].argmax()]))
        for index in most_active(dictionary, code)
    ]


def atom_notes(dictionary: PerformanceDictionary, index: int) -> Score:
    """Return what is heard of an atom: the notes of the most likely line of the events that it adds.

    Raises
    ------
    InputError
        There is no such atom, or no key goes down in it.
    """
    if not 0 <= index < len(dictionary.atoms):
        raise InputError(f"there is no atom {index}; there are 0 to {len(dictionary.atoms) - 1}")
    line = likely_line(dictionary.atoms[index])
    if not (line < NOTE_OFF).any():
        raise InputError(f"atom {index}: no key goes down in it; there is no sound")
    return from_events(line)
