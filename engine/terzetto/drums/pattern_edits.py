"""What the dictionary makes of the pattern that plays: de-noised, plainer, on its way to another beat.

Each bar is changed for itself; only de-noising looks at the four bars of its section, for what comes again. A changed
bar is a function of the edits, the bars as they were, and its number, so a bounce plays what was heard.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from terzetto.analysis.codes import keep_atoms, swap_atoms
from terzetto.analysis.dictionary import Float
from terzetto.drums.dictionary import Dictionary
from terzetto.drums.dictionary_edits import denoise
from terzetto.drums.grid import SECTION_BARS, STEPS, Hvo
from terzetto.errors import InputError

MOST_BARS = 64
"""Bars of another beat that are taken; the rest of a longer one is left out."""


@dataclass(frozen=True, eq=False)
class OtherBeat:
    """The beat that `Edits.interpolate` and `Edits.swap` take from.

    Attributes
    ----------
    path : str
        Where it came from.
    bars : tuple of Hvo
    code : float32 (atoms, bars)
    """

    path: str
    bars: tuple[Hvo, ...]
    code: Float

    @classmethod
    def of(cls, dictionary: Dictionary, path: str, bars: Sequence[Hvo]) -> Self:
        """Encode a beat, at most `MOST_BARS` of it; raises `InputError` for one without bars."""
        taken = tuple(bars[:MOST_BARS])
        return cls(path, taken, dictionary.encode(taken))

    def state(self) -> dict[str, Any]:
        """Return it ready for JSON: its hits as (bar, drum, step, velocity, offset)."""
        hits = [
            [number, int(drum), int(step), float(bar.velocities[drum, step]), float(bar.offsets[drum, step])]
            for number, bar in enumerate(self.bars)
            for drum, step in np.argwhere(bar.hits)
        ]
        return {"path": self.path, "bars": len(self.bars), "hits": hits}

    @classmethod
    def restored(cls, dictionary: Dictionary, state: dict[str, Any]) -> Self:
        """Return what a state holds.

        Raises
        ------
        InputError
            The state is damaged.
        """
        try:
            count = int(state["bars"])
            if not 1 <= count <= MOST_BARS:
                raise ValueError(count)
            rows = np.zeros((count, 3, *Hvo.SHAPE), np.float32)
            for bar, drum, step, velocity, offset in state["hits"]:
                if min(bar, drum, step) < 0 or not (math.isfinite(velocity) and math.isfinite(offset)):
                    raise ValueError([bar, drum, step, velocity, offset])
                rows[bar, :, drum, step] = 1.0, velocity, offset
            bars = [Hvo(hits > 0.5, velocities, offsets) for hits, velocities, offsets in rows]
            return cls.of(dictionary, str(state["path"]), bars)
        except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
            raise InputError(f"the saved beat is damaged ({error})") from None


@dataclass(frozen=True, slots=True)
class Edits:
    """What is done to the pattern, in this order.

    Attributes
    ----------
    interpolate : float
        0..1: from the pattern's code to the other beat's, whose bars go round.
    swap : int
        So many of each bar's most active atoms give way to the other beat's most active ones; 0 for none.
    simplify : int
        So many of each bar's most active atoms stay; 0 for all.
    denoise : bool
        Hits that nothing explains go, missing ones come.
    other : OtherBeat or None
    """

    interpolate: float = 0.0
    swap: int = 0
    simplify: int = 0
    denoise: bool = False
    other: OtherBeat | None = None

    @property
    def of_codes(self) -> bool:
        """Whether a bar is made anew from its code."""
        return self.simplify > 0 or (self.other is not None and (self.interpolate > 0 or self.swap > 0))

    @property
    def nothing(self) -> bool:
        """Whether the pattern stays as it is."""
        return not (self.of_codes or self.denoise)

    @property
    def varies(self) -> bool:
        """Whether bars that were alike may differ after it."""
        return self.other is not None and self.interpolate > 0 and len(self.other.bars) > 1


def edited(dictionary: Dictionary, edits: Edits, number: int, plain: Callable[[int], Hvo]) -> Hvo:
    """Return a bar of the song after the edits.

    Parameters
    ----------
    dictionary
        Whose atoms last a bar; see `check`.
    number
        The bar's; the song's first one is 0.
    plain
        Gives a bar as it was, by its number.
    """
    if not edits.denoise:
        return _recoded(dictionary, edits, plain(number), number)
    first = number - number % SECTION_BARS
    section = [_recoded(dictionary, edits, plain(each), each) for each in range(first, first + SECTION_BARS)]
    return denoise(dictionary, section)[number - first]


def check(dictionary: Dictionary) -> Dictionary:
    """Return a dictionary that patterns can be edited by; raise `InputError` for another one."""
    if dictionary.kernel != STEPS:
        raise InputError(
            f"the atoms of {dictionary.model.name} last {dictionary.kernel} sixteenths; patterns are edited by atoms "
            f"of a bar, {STEPS}"
        )
    return dictionary


def _recoded(dictionary: Dictionary, edits: Edits, bar: Hvo, number: int) -> Hvo:
    if not edits.of_codes:
        return bar
    code = dictionary.encode([bar])
    other = edits.other
    if other is not None and edits.interpolate > 0:
        column = number % other.code.shape[1]
        code = code + np.float32(edits.interpolate) * (other.code[:, column : column + 1] - code)
    if other is not None and edits.swap > 0:
        code = swap_atoms(dictionary, code, other.code, edits.swap)
    if edits.simplify > 0:
        code = keep_atoms(dictionary, code, edits.simplify)
    return dictionary.decode(code)[0]
