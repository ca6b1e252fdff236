"""What is installed: every model that can be found by name, with what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from terzetto import models
from terzetto.errors import ModelError

METHODS = {
    "drum-classes": "convolutional network",
    "drum-dictionary": "CONV-WTA",
    "drum-patterns": "VAE",
    "drum-sounds": "VAE",
    "hand-labels": "attention",
    "hand-labels-live": "GRU",
    "performance-dictionary": "CONV-WTA",
    "timbre": "xsynth",
    "transcription": "convolutional network",
}
"""By which method models do their task that do not say it themselves."""


@dataclass(frozen=True)
class Entry:
    """One model of the list.

    Attributes
    ----------
    name : str
        By which commands find it.
    task, method, licence : str
        Empty if the file cannot be opened.
    version : int
        Of the models for its task; 0 if the file cannot be opened.
    size : int
        Bytes.
    sha256 : str
    where : Path
        Its file.
    instruments : tuple of str
        What a timbre model of several instruments knows: ``NAME:instrument`` is one of them.
    problem : str
        Why it cannot be used here: damaged, not one of Terzetto's, of another version. Empty: it can.
    """

    name: str
    task: str
    method: str
    licence: str
    version: int
    size: int
    sha256: str
    where: Path
    instruments: tuple[str, ...] = ()
    problem: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        changed = {"where": str(self.where), "instruments": list(self.instruments), "problem": self.problem or None}
        return {**{each.name: getattr(self, each.name) for each in fields(self)}, **changed}


def describe(path: Path) -> Entry:
    """Open a model's file and return what it says of itself; what is wrong with it becomes its ``problem``."""
    try:
        size = path.stat().st_size
        model = models.read_model(path, threads=1)
    except OSError as error:
        return Entry(path.stem, "", "", "", 0, 0, "", path, problem=f"cannot be read ({error.strerror or error})")
    except ModelError as error:
        return Entry(path.stem, "", "", "", 0, size, "", path, problem=str(error).removeprefix(f"{path}: "))
    problem = models.explain_version(model) if model.task else "not one of Terzetto's models"
    method = model.method or METHODS.get(model.task, "")
    instruments = tuple(map(str, model.constants.get("instruments", ())))
    return Entry(
        *(model.name, model.task, method, model.licence, model.version, size, model.sha256, path),
        instruments=instruments,
        problem=problem or "",
    )


def listed() -> list[Entry]:
    """Return all installed models, sorted by name."""
    return [describe(path) for path in models.installed()]
