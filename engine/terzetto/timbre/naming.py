"""What a timbre comes from, by its name: a model, one of its instruments, or a recording."""

from __future__ import annotations

from pathlib import Path

from terzetto.jobs import AUDIO, content_hash
from terzetto.models import identity

LOW_LATENCY = "_low"
"""What the name of a model's sibling with the short window ends in."""


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


def sibling(model: str, low_latency: bool) -> str:
    """Return the name or path of the model that is meant: with low latency its sibling, unless it is one itself."""
    stem, ending = (model[:-5], ".onnx") if model.lower().endswith(".onnx") else (model, "")
    return f"{stem}{LOW_LATENCY}{ending}" if low_latency and not stem.endswith(LOW_LATENCY) else model


def content_of(name: str, low_latency: bool = False) -> str:
    """Return the SHA-256 of the recording or the model that a timbre comes from.

    Empty if there is no such model: whoever opens it says so.

    Raises
    ------
    InputError
        The recording cannot be read.
    """
    if is_recording(name):
        return content_hash(Path(name))
    return identity(sibling(split_instrument(name)[0], low_latency)) or ""
