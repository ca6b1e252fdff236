"""Single notes by players of the Philharmonia Orchestra (CC BY-SA 3.0): ``cello_Fs3_05_pianissimo_arco-normal.mp3``.

The name carries instrument, pitch, length (05 is half a second, 1 one second …), dynamic and playing style. Not every
name is true: of the trombone's notes the loud ones are named an octave too high. `sounding` says what is heard.
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
_MISNAMED = (
    ("trombone", ("forte", "fortissimo"), 50, -12),
    ("clarinet", ("fortissimo",), 73, -1),
)
"""Instrument, dynamics, the lowest MIDI note from which on all names are wrong, and by how many semitones."""
_MISNAMED_ALONE = {
    "bassoon_F3_1_forte_normal": -12,
    "bassoon_F5_05_mezzo-piano_normal": -12,
    "bassoon_G5_1_mezzo-piano_normal": -20,
    "cello_F3_05_mezzo-piano_arco-normal": -1,
    "cello_F3_1_mezzo-piano_arco-normal": -1,
    "cello_Fs3_1_mezzo-piano_arco-normal": -1,
    "flute_F5_05_piano_normal": 13,
    "french-horn_F2_05_piano_normal": 12,
    "french-horn_Fs2_05_fortissimo_normal": -1,
    "oboe_As6_05_piano_normal": -1,
}


def read_philharmonia(
    tell: Tell, *, sample_rate: int = SAMPLE_RATE, instruments: Sequence[str] | None = None, folder: Path | None = None
) -> list[Recording]:
    """Read the notes. All lengths and dynamics of a pitch of an instrument are one unit, and in one split.

    Pitches are those that sound, see `sounding`.

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
        pitch = sounding(path.stem, instrument, parts[3], pitch)
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


def sounding(stem: str, instrument: str, dynamic: str, pitch: int) -> int:
    """Return the MIDI note that sounds in a file whose name says ``pitch``, by Praat's tracker and the partials."""
    for misnamed, dynamics, lowest, semitones in _MISNAMED:
        if instrument == misnamed and dynamic in dynamics and pitch >= lowest:
            return pitch + semitones
    return pitch + _MISNAMED_ALONE.get(stem, 0)
