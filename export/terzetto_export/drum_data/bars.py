"""Files → bars to learn from: on the grid, without the empty ones, without fills and duplicates where that is asked."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

from terzetto.drums.beat import Beat
from terzetto.drums.grid import ActivationMatrix, Hvo
from terzetto.errors import InputError
from terzetto_export.drum_data.files import DrumFile, Reading, Tell, tell_on_terminal

# Fewer than these teach nothing that a copy of them would not.
FEWEST_BARS, FEWEST_FILES = 64, 8
# What makes two bars the same: nothing, their 64-step matrices, or the 16-step hits.
_SAME: dict[str, Callable[[DrumBar], Hashable]] = {
    "activations": lambda bar: bar.activations,
    "hits": lambda bar: bar.hvo.hits.tobytes(),
}


@dataclass(frozen=True)
class DrumBar:
    """One bar, in both forms.

    Attributes
    ----------
    hvo : Hvo
    activations : ActivationMatrix
    file : DrumFile
        Where it is from.
    number : int
        Which bar of the file, from 0; counted among those of four quarter notes.
    """

    hvo: Hvo
    activations: ActivationMatrix
    file: DrumFile
    number: int


@dataclass(frozen=True)
class Counts:
    """What became of the files and bars; print it with the data."""

    files: int
    unreadable: int
    fills: int
    other_meters: int
    bars: int
    empty: int
    duplicates: int
    kept: int

    def __str__(self) -> str:
        return (
            f"{self.files} files ({self.unreadable} more unreadable), {self.fills} fills left out, "
            f"{self.other_meters} without a 4/4 bar left out; {self.bars} bars, {self.empty} empty and "
            f"{self.duplicates} duplicates removed: {self.kept} kept"
        )


def read_bars(
    reading: Reading,
    *,
    fills: bool = False,
    first_only: bool = False,
    distinct: str | None = None,
    tell: Tell = tell_on_terminal,
) -> tuple[list[DrumBar], Counts]:
    """Put files on the grid, bar by bar, and say what was left out.

    Parameters
    ----------
    fills
        Keep fills, intros, breaks and endings.
    first_only
        Only the first bar of each file that is not empty.
    distinct
        Of bars that are the same keep the first: "activations" (same 64-step matrix) or "hits" (same 16-step hits).
        None keeps all.

    Raises
    ------
    InputError
        No such ``distinct``.
    """
    if distinct is not None and distinct not in _SAME:
        raise InputError(f"distinct is {' or '.join(_SAME)} or None; given: {distinct!r}")
    kept: list[DrumBar] = []
    seen: set[Hashable] = set()
    grooves = [file for file in reading.files if fills or not file.fill]
    other_meters = bars = empty = duplicates = 0
    for file in grooves:
        found = _on_grid(file.beat)
        other_meters += not found
        full = [(number, pair) for number, pair in enumerate(found) if pair[0].hits.any() or pair[1].hits.any()]
        chosen = full[:1] if first_only else full
        bars += len(chosen) if first_only else len(found)
        empty += 0 if first_only else len(found) - len(full)
        for number, (hvo, activations) in chosen:
            bar = DrumBar(hvo, activations, file, number)
            key = None if distinct is None else _SAME[distinct](bar)
            if key is not None and key in seen:
                duplicates += 1
                continue
            seen.add(key)
            kept.append(bar)
    left_out = len(reading.files) - len(grooves)
    counts = Counts(len(reading.files), reading.unreadable, left_out, other_meters, bars, empty, duplicates, len(kept))
    tell(str(counts))
    return kept, counts


def in_split(bars: Iterable[DrumBar], split: str) -> list[DrumBar]:
    """Return the bars of one of the splits."""
    return [bar for bar in bars if bar.file.split == split]


def check_enough(
    bars: list[DrumBar], where: str, fewest_bars: int = FEWEST_BARS, fewest_files: int = FEWEST_FILES
) -> None:
    """Refuse what is too little to learn from, and say how much is needed.

    Raises
    ------
    InputError
        Fewer bars or files than the minimum.
    """
    files = len({bar.file.path for bar in bars})
    if len(bars) < fewest_bars or files < fewest_files:
        raise InputError(
            f"{where}: {len(bars)} different bars of drums in 4/4 from {files} files are too little to learn from; "
            f"at least {fewest_bars} from {fewest_files} files are needed"
        )


def _on_grid(beat: Beat) -> list[tuple[Hvo, ActivationMatrix]]:
    try:
        hvo = Hvo.bars_of(beat, skip_other_meters=True)
        activations = ActivationMatrix.bars_of(beat, skip_other_meters=True)
    except InputError:  # no bar of four quarter notes at all
        return []
    return list(zip(hvo, activations, strict=True))
