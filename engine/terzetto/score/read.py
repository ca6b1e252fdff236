"""Read a score of any supported format and find out which hand plays each note."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from terzetto.errors import InputError, TerzettoWarning
from terzetto.score.midi import read_midi
from terzetto.score.notes import HANDS, LEFT, RIGHT, UNKNOWN, Score
from terzetto.score.sheet import ENDINGS, read_sheet
from terzetto.score.table import read_csv

READERS: dict[str, Callable[[Path], Score]] = {
    ".mid": read_midi,
    ".midi": read_midi,
    ".csv": read_csv,
    **dict.fromkeys(ENDINGS, read_sheet),
}

# Whole words, where "_" and digits part words too: "left_hand", "Piano LH 1".
_WORD = r"(?<![^\W\d_])(?:{})(?![^\W\d_])"
_LEFT_NAME = re.compile(
    _WORD.format(r"left(?:hand)?|lh|l\.? ?h\.?|linke?s?|gauche|m\.? ?g\.?|sinistra|izquierda|lower|bass"), re.I
)
_RIGHT_NAME = re.compile(
    _WORD.format(r"right(?:hand)?|rh|r\.? ?h\.?|rechte?s?|droite|m\.? ?d\.?|destra|derecha|upper|treble"), re.I
)
_HOW = "--left-track and --right-track, or --split-pitch, say it"


def read_score(
    path: str | os.PathLike[str],
    *,
    left_track: str | int | None = None,
    right_track: str | int | None = None,
    split_pitch: int | None = None,
    need_hands: bool = True,
    repeats: bool = False,
) -> Score:
    """Read a score (MIDI, the FMP notebooks' ``.csv``, MusicXML, kern) with the hand of each note.

    Parameters
    ----------
    path
        The file.
    left_track, right_track
        Which part each hand plays: its number from 1 (tracks with notes are counted; channels in a one-track
        file), or its name. With one of them, all the other parts belong to the other hand.
    split_pitch
        Notes below this MIDI pitch (0..127) belong to the left hand; overrides what the file says.
    need_hands
        Whether each note needs a hand: then the notes of a score that does not tell the hands are given to them by
        `terzetto.score.hand_labels`, with a warning.
    repeats
        Play the repeats of a sheet (MusicXML, kern); other formats know none.

    Raises
    ------
    InputError
        The file is missing, damaged, has no notes, or no part of the name that was given.
    """
    path = Path(path)
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            f"{path}: a score must be one of {', '.join(READERS)}; this ends in {path.suffix or 'nothing'!r}"
        )
    if repeats and reader is not read_sheet:
        raise InputError(f"{path}: only sheets ({', '.join(ENDINGS)}) have repeat signs to play; leave out --repeats")
    score = read_sheet(path, repeats=True) if repeats else reader(path)
    if split_pitch is not None:
        if left_track is not None or right_track is not None:
            raise InputError("give either --split-pitch or --left-track/--right-track, not both")
        score = score.split_at(split_pitch)
    elif left_track is not None or right_track is not None:
        score = _hands_from_choice(score, left_track, right_track)
    elif not score.has_hands and need_hands:
        score = _hands_from_parts(score, path)
    for hand, name in enumerate(HANDS):
        if need_hands and not (score.hand == hand).any():
            warnings.warn(f"{path}: the score has no notes for the {name} hand", TerzettoWarning, stacklevel=2)
    return score


def _hands_from_choice(score: Score, left: str | int | None, right: str | int | None) -> Score:
    left_part = None if left is None else _find_part(score, left)
    right_part = None if right is None else _find_part(score, right)
    if left_part is not None and left_part == right_part:
        raise InputError(f"--left-track and --right-track both name {_describe(score, left_part)}")
    hand = np.full(len(score), UNKNOWN)
    if left_part is not None:
        hand[score.track == left_part] = LEFT
    if right_part is not None:
        hand[score.track == right_part] = RIGHT
    if left_part is None or right_part is None:
        hand[hand == UNKNOWN] = LEFT if left_part is None else RIGHT
    return score.with_hands(hand).select(hand != UNKNOWN)


def _find_part(score: Score, choice: str | int) -> int:
    names = score.track_names
    text = str(choice).strip()
    if text.isdecimal() and 1 <= int(text) <= len(names):
        return int(text) - 1
    matches = [i for i, name in enumerate(names) if name.lower() == text.lower()]
    if len(matches) == 1:
        return matches[0]
    problem = "is the name of several parts, give its number" if matches else "is not in the score"
    raise InputError(f"track {text!r} {problem}; its parts are: {_list_parts(score)}")


def _hands_from_parts(score: Score, path: Path) -> Score:
    """Two parts are two hands: by their names if these tell, else the lower one is the left."""
    parts = np.unique(score.track)
    if len(parts) != 2:
        from terzetto.score.hand_labels import label_hands  # ONNX Runtime is not for those whose score tells the hands

        what = "one part only" if len(parts) == 1 else f"{len(parts)} parts ({_list_parts(score)})"
        warnings.warn(
            f"{path}: the score has {what}, so which hand plays what was told by the notes; {_HOW}",
            TerzettoWarning,
            stacklevel=3,
        )
        return label_hands(score)
    first, second = (int(part) for part in parts)
    called_left = [bool(_LEFT_NAME.search(score.track_names[part])) for part in (first, second)]
    called_right = [bool(_RIGHT_NAME.search(score.track_names[part])) for part in (first, second)]
    if called_left[0] != called_left[1]:
        left = first if called_left[0] else second
    elif called_right[0] != called_right[1]:
        left = second if called_right[0] else first
    else:
        left = min((first, second), key=lambda part: float(score.pitch[score.track == part].mean()))
        warnings.warn(
            f"{path}: the parts' names do not tell the hands; taking {_describe(score, left)}, the lower one, "
            "as the left hand (--left-track says otherwise)",
            TerzettoWarning,
            stacklevel=3,
        )
    return score.with_hands(np.where(score.track == left, LEFT, RIGHT))


def _describe(score: Score, part: int) -> str:
    name = score.track_names[part]
    return f"part {part + 1}" + (f" ({name!r})" if name else "")


def _list_parts(score: Score) -> str:
    return ", ".join(
        f"{part + 1} {name!r} ({int((score.track == part).sum())} notes)" for part, name in enumerate(score.track_names)
    )
