"""Which class of drum a folder or a file is named after: ``Kick``, ``BD``, ``OpenHats``, ``hh-closed``, ``Claps 2``.

Names come from sample packs and drum machines; a name that says two things (``Kick+Clap``) says nothing.
"""

from __future__ import annotations

import re
from itertools import pairwise

from terzetto.drums.drum_map import CLASSES, NONE

# Whole words, without a plural's s.
_WORDS = {
    "snare": "snare snaredrum sd sn snr",
    "kick": "kick kik kck bd bassdrum kickdrum",
    "open hat": "oh ohh hho openhat openhihat openhh hatopen hihatopen hhopen hhopened",
    "closed hat": "ch chh hhc hh hat hihat closedhat closedhihat closedhh hatclosed hihatclosed hhclosed pedalhat",
    "cymbal": "cymbal cym cy crash cr ride rd splash china",
    "clap": "clap handclap cp clp",
    "tom": "tom tomtom lt mt ht lowtom midtom hightom hitom lotom floortom ltom mtom htom racktom",
    "other": (
        "other perc percussion misc fx sfx cowbell cb cow rim rimshot rs sidestick shaker sh tambourine tamb tb conga "
        "bongo clave maraca cabasa guiro agogo triangle timbale woodblock block djembe snap fingersnap whistle bell"
    ),
}
_CLASS_OF_WORD = {word: CLASSES.index(name) for name, words in _WORDS.items() for word in words.split()}
_HATS = {CLASSES.index("open hat"), CLASSES.index("closed hat")}
_RIM = {"rim", "rimshot", "rs", "sidestick"}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def class_of_name(name: str) -> int:
    """Return the class (index into `CLASSES`) that a name says, or `NONE`.

    >>> [CLASSES[class_of_name(name)] for name in ("Kicks", "OpenHat", "hi-hat (closed)", "BD_01", "Snare Rimshot")]
    ['kick', 'open hat', 'closed hat', 'kick', 'other']
    >>> class_of_name("My sounds") == class_of_name("Kick+Clap") == NONE
    True
    """
    words = [_singular(word.lower()) for word in _WORD.findall(name)]
    pairs = [a + b for a, b in pairwise(words)]
    found = {_CLASS_OF_WORD[word] for word in (*words, *pairs) if word in _CLASS_OF_WORD}
    if _RIM & {*words, *pairs}:  # on a snare's rim, not its head
        found.discard(CLASSES.index("snare"))
    if found & _HATS:
        is_open = {"open", "opened"} & set(words) or CLASSES.index("open hat") in found
        found = (found - _HATS) | {CLASSES.index("open hat" if is_open else "closed hat")}
    return found.pop() if len(found) == 1 else NONE


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
