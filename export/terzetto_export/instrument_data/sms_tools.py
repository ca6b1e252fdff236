"""Short solo recordings of sms-tools (Music Technology Group, Universitat Pompeu Fabra; CC BY 4.0).

A note is called ``trumpet-A4.wav``, a phrase ``cello-phrase.wav`` or ``sax-phrase-short.wav``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from terzetto_export.commands.reproduce import data_root
from terzetto_export.instrument_data.names import pitch_of_name
from terzetto_export.instrument_data.recordings import SAMPLE_RATE, Recording, Tell, audio_files, read_files

FOLDER = "instruments/sms_tools"
_CALLED = {"sax": "saxophone"}


def read_sms_tools(
    tell: Tell, *, sample_rate: int = SAMPLE_RATE, instruments: Sequence[str] | None = None, folder: Path | None = None
) -> list[Recording]:
    """Read the recordings, each its own unit; they are too few to part, so all are training.

    The phrase and its short form are one unit.

    Raises
    ------
    InputError
        There are none.
    """
    paths = audio_files(folder or data_root() / FOLDER, "*.wav")
    return read_files(_entries(paths, sample_rate, instruments), sample_rate, tell)


def _entries(
    paths: Sequence[Path], sample_rate: int, instruments: Sequence[str] | None
) -> Iterator[tuple[Path, partial[Recording]]]:
    for path in paths:
        name, _, rest = path.stem.partition("-")
        instrument = _CALLED.get(name, name)
        if instruments is not None and instrument not in instruments:
            continue
        yield (
            path,
            partial(
                Recording,
                path,
                sample_rate=sample_rate,
                instrument=instrument,
                pitch=pitch_of_name(rest),
                unit=f"sms-tools/{path.stem.removesuffix('-short')}",
                source="sms-tools",
            ),
        )
