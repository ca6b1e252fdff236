"""How samples are stored in a file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from terzetto.audio.files import FileTake

SUFFIXES = {"wav": "wav", "rf64": "wav", "w64": "w64", "aiff": "aiff", "flac": "flac"}
_ENDINGS = dict.fromkeys(("wav", "wave", "bwf", "rf64"), "wav") | {"w64": "w64", "flac": "flac"}
_ENDINGS |= dict.fromkeys(("aif", "aiff", "aifc"), "aiff")
_BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32, "FLOAT": 32, "DOUBLE": 64}


@dataclass(frozen=True)
class SampleFormat:
    """How samples are stored.

    Attributes
    ----------
    container : str
        ``wav`` (RF64 beyond 4 GiB), ``rf64``, ``w64``, ``aiff`` or ``flac``.
    bit_depth : int
    floating : bool
        Whether values beyond full scale survive.
    extension : str
        The file's ending, without the dot.
    """

    container: str
    bit_depth: int
    floating: bool = False
    extension: str = ""

    def __post_init__(self) -> None:
        if not self.extension:
            object.__setattr__(self, "extension", SUFFIXES[self.container])

    def __str__(self) -> str:
        return f"{self.bit_depth}-bit {'float ' if self.floating else ''}{self.container.upper()}"


FORMATS = {
    "float32": SampleFormat("wav", 32, True),
    "int24": SampleFormat("wav", 24),
    "flac": SampleFormat("flac", 24),
}
"""What can be asked for by name."""


def format_like(container: str, subtype: str, extension: str) -> SampleFormat | None:
    """Return the format of a file by libsndfile's names; None for a lossy codec, or a container that is only read."""
    container = {"wavex": "wav"}.get(container.lower(), container.lower())
    if container not in SUFFIXES or subtype not in _BITS:
        return None
    return SampleFormat(container, _BITS[subtype], subtype in ("FLOAT", "DOUBLE"), extension)


def kept_extension(path: Path) -> str:
    """Return the ending of a result that keeps its take's format: the take's own, or ``wav`` if that is not written."""
    return path.suffix[1:] if path.suffix[1:].lower() in _ENDINGS else "wav"


def kept_format(take: FileTake) -> tuple[SampleFormat, str]:
    """Return the format of a result that keeps its take's, and what there is to say about it.

    What was coded with loss, or is of a kind that is not written, becomes 32-bit float.
    """
    extension = kept_extension(take.path)
    if take.sample_format is not None:
        return replace(take.sample_format, extension=extension), ""
    container = _ENDINGS.get(extension.lower(), "wav")
    made = SampleFormat("wav" if container == "flac" else container, 32, True, extension)
    return made, f"{take.codec} is not written: the result is {made}"
