"""Single notes by players of the Philharmonia Orchestra (CC BY-SA 3.0): ``cello_Fs3_05_pianissimo_arco-normal.mp3``.

The name carries instrument, pitch, length (05 is half a second, 1 one second …), dynamic and playing style.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from terzetto_export.commands.reproduce import data_root
from terzetto_export.instrument_data.names import pitch_of_name
from terzetto_export.instrument_data.recordings import (
    SAMPLE_RATE,
    Recording,
    Tell,
    audio_files,
    read_files,
    split_by_unit,
)

FOLDER = "instruments/philharmonia"
_PARTS = 5


def read_philharmonia(
    tell: Tell, *, sample_rate: int = SAMPLE_RATE, instruments: Sequence[str] | None = None, folder: Path | None = None
) -> list[Recording]:
    """Read the notes. All lengths and dynamics of a pitch of an instrument are one unit, and in one split.

    Parameters
    ----------
    instruments
        Those wanted, None for all; ``french-horn`` is called ``french_horn``.
    folder
        Where they are; None for the folder that TERZETTO_DATA names.

    Raises
    ------
    InputError
        There are none.
    """
    paths = audio_files(folder or data_root() / FOLDER, "*.mp3")
    return split_by_unit(read_files(_entries(paths, sample_rate, instruments, tell), sample_rate, tell))


def _entries(
    paths: Sequence[Path], sample_rate: int, instruments: Sequence[str] | None, tell: Tell
) -> Iterator[tuple[Path, partial[Recording]]]:
    for path in paths:
        parts = path.stem.split("_")
        pitch = pitch_of_name(parts[1]) if len(parts) == _PARTS else None
        if pitch is None:
            tell(f"{path}: skipped: its name is not INSTRUMENT_PITCH_LENGTH_DYNAMIC_STYLE")
            continue
        instrument = parts[0].replace("-", "_")
        if instruments is not None and instrument not in instruments:
            continue
        yield (
            path,
            partial(
                Recording,
                path,
                sample_rate=sample_rate,
                instrument=instrument,
                pitch=pitch,
                dynamic=parts[3],
                unit=f"philharmonia/{instrument}/{pitch}",
                source="philharmonia",
            ),
        )
