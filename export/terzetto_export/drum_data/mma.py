"""Programmed grooves of MMA (Musical MIDI Accompaniment): ``LIBRARY/STYLE/GROOVE.mid``, four bars each."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from terzetto.drums.drum_map import DrumMap
from terzetto_export.drum_data.files import (
    DrumFile,
    Reading,
    Tell,
    midi_files,
    parted,
    read_files,
    tell_on_terminal,
)

# What a groove's name says after the style's: MamboFillBB, JazzWaltzEnd, endingJazzIntro8, 16beat1FA.
_FILL = re.compile(r"(Fill|Intro|Ending|End|Break)(?=[A-Z0-9]|$)|intro(?=\d|$)|(?<=\d)F[A-D]$")
# Folders that hold no grooves at all.
_NO_GROOVES = re.compile(r"intro|ending|count|metronome\d*", re.I)
# By the style's folder, the first that fits.
_GENRES = {
    "waltz": r"waltz|34$",
    "jazz": r"jazz|swing|bebop|bigband|evansish|basie|dixie|bald|foxtrot|charleston|quickstep|softshoe|broadway|strut",
    "latin": r"salsa|mambo|samba|bossa|rhumba|bolero|beguine|chacha|merengue|calypso|tango|son$|cuban|afro|latin|"
    r"quando|lfusion",
    "blues": r"blues|shuffle|shfl",
    "country": r"country|cntry|western|bluegrass|folk|hillc|zydeco|desert|w-rock",
    "march": r"march|polka",
    "ballad": r"ballad|serenade|slow16",
    "soul": r"soul|funk|r\+b|^rb|rb$|rnb|motown|spiritual",
    "electronic": r"techno|trance|house|dance|rave|trip|dnb|ambient|electric|^thr",
    "hip hop": r"hip-?hop|hrk",
    "reggae": r"reggae|ska",
    "rock": r"rock|metal|mtl|punk|8beat|16beat|beat8|beat16|twist|^twi$|jive|highfive",
    "pop": r"pop|boneym|fus",
}


def read_mma(folder: Path, tell: Tell = tell_on_terminal, drum_map: DrumMap | None = None) -> Reading:
    """Read MMA's grooves; the style is the folder's name, the group too: variations of a groove stay together.

    The split is ours, by group (there is no official one): 80, 10 and 10 %.

    Raises
    ------
    InputError
        No such folder, or no MIDI files in it.
    """
    entries = (
        (
            path,
            partial(
                DrumFile,
                path,
                style=path.parent.name.lower(),
                group=path.parent.relative_to(folder).as_posix(),
                split="train",
                fill=is_fill(path.stem) or _NO_GROOVES.fullmatch(path.parent.name) is not None,
            ),
        )
        for path in midi_files(folder)
    )
    return parted(read_files(entries, tell, drum_map))


def is_fill(name: str) -> bool:
    """Tell fills, intros, breaks and endings from grooves by their names.

    >>> [is_fill(name) for name in ("MamboMainA", "MamboFillBB", "16beat1FA", "endingJazz", "HipHopIntroPlus")]
    [False, True, True, False, True]
    """
    return _FILL.search(name) is not None


def genre(style: str) -> str:
    """Return the genre of a style, by its name; "other" where it says none.

    >>> genre("jazzwaltz"), genre("60srock"), genre("bossanova"), genre("worldpop"), genre("mide")
    ('waltz', 'rock', 'latin', 'pop', 'other')
    """
    return next((name for name, words in _GENRES.items() if re.search(words, style.lower())), "other")
