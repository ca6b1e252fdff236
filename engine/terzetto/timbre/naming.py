"""What a timbre comes from, by its name: a model, one of its instruments, or a recording."""

from __future__ import annotations

from pathlib import Path

from terzetto.jobs import AUDIO


def is_recording(name: str) -> bool:
    """Whether a name is a recording's, be it there or not; models end in ``.onnx`` or have no ending."""
    path = Path(name)
    return path.suffix.lower() in AUDIO.endings or (path.suffix.lower() != ".onnx" and path.is_file())


def method_for(name: str) -> str:
    """Return the method that is meant where none is named: ``envelope`` for a recording, ``xsynth`` for a model."""
    return "envelope" if is_recording(name) else "xsynth"


def split_instrument(name: str) -> tuple[str, str]:
    """Return a model's name or path, and the instrument behind its last colon (a drive's letter has none).

    >>> split_instrument("winds:oboe"), split_instrument("C:/models/winds.onnx")
    (('winds', 'oboe'), ('C:/models/winds.onnx', ''))
    """
    model, colon, instrument = name.rpartition(":")
    if not colon or set(instrument) & set("./\\"):
        return name, ""
    return model, instrument
