"""What the product's model learns from: Groove and MMA's grooves, or a user's own folders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from terzetto.errors import InputError
from terzetto_export.commands.reproduce import data_root
from terzetto_export.drum_data.bars import DrumBar, check_enough, in_split, read_bars
from terzetto_export.drum_data.files import SPLITS, Reading, Tell
from terzetto_export.drum_data.folder import read_folder
from terzetto_export.drum_data.groove import check_drummer, read_groove
from terzetto_export.drum_data.mma import read_mma
from terzetto_export.drum_patterns.corpus import Corpus

FEWEST_BARS, FEWEST_FILES = 200, 10
FEWEST_BARS_OF_A_STYLE = 40


@dataclass(frozen=True)
class Data:
    """Bars to train on, more (programmed) ones for the autoencoder only, to choose by, and to measure with."""

    training: Corpus
    more: Corpus | None
    validation: Corpus
    test: Corpus
    styles: list[str] = field(default_factory=list)


def read_data(folders: Sequence[Path] | None, without: str | None, tell: Tell) -> Data:
    """Read a user's folders, or Groove (4/4 beats, official split) and MMA.

    Parameters
    ----------
    folders
        A user's own; None for Groove and MMA, where TERZETTO_DATA says.
    without
        A drummer of whom all bars are held out, and none trained on.

    Raises
    ------
    InputError
        They are not there, or too few.
    """
    if folders:
        bars = [bar for folder in folders for bar in _not_empty(read_folder(folder, tell), tell)]
        more = None
    else:
        root = data_root() / "drums"
        if without:
            check_drummer(root / "groove", without)
        bars = _not_empty(read_groove(root / "groove", tell), tell)
        more = Corpus.of(_not_empty(read_mma(root / "mma", tell), tell, fills=True))
    if without:
        bars = without_drummer(bars, without)
    where = ", ".join(map(str, folders)) if folders else "Groove"
    check_enough(bars, where, FEWEST_BARS, FEWEST_FILES)
    parts = {split: in_split(bars, split) for split in SPLITS}
    tell(", ".join(f"{name}: {len(part)} bars" for name, part in parts.items()))
    empty = [name for name, part in parts.items() if not part]
    if empty:
        raise InputError(f"{where}: no bars for {empty[0]}; give more files")
    styles = styles_of(Counter(bar.file.style for bar in parts["train"]))
    training, validation, test = (Corpus.of(parts[name]) for name in SPLITS)
    return Data(training, more, validation, test, styles)


def _not_empty(reading: Reading, tell: Tell, *, fills: bool = False) -> list[DrumBar]:
    """Return bars with a hit on 64 steps; one just ahead of a bar is in it on 16 steps only, and makes no bar alone."""
    bars, _ = read_bars(reading, fills=fills, tell=tell)
    return [bar for bar in bars if bar.activations.hits.any()]


def without_drummer(bars: Sequence[DrumBar], drummer: str) -> list[DrumBar]:
    """Return bars split so that the test is all of one drummer's, who is in no other part.

    Raises
    ------
    InputError
        There is no such drummer.
    """
    names = {bar.file.drummer for bar in bars} - {""}
    if drummer not in names:
        raise InputError(
            f"there is no drummer {drummer!r} in the data; there are: {', '.join(sorted(names)) or 'none'}"
        )
    others = [bar for bar in bars if bar.file.drummer != drummer and bar.file.split != "test"]
    return others + [replace(bar, file=replace(bar.file, split="test")) for bar in bars if bar.file.drummer == drummer]


def styles_of(bars: Counter[str]) -> list[str]:
    """Return the styles with enough bars to learn them, by name.

    >>> styles_of(Counter({"funk": 50, "odd": 3}))
    ['funk']
    """
    return sorted(name for name, count in bars.items() if name and count >= FEWEST_BARS_OF_A_STYLE)
