"""Model cards: what a model is, what it was made of, how good it is, and the command that makes it again."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from terzetto.errors import OutputError


@dataclass(frozen=True)
class Card:
    """The card of one model.

    Attributes
    ----------
    title, summary : str
        What it is; what it does, takes and gives.
    licence : str
        Of the model.
    data : sequence of (str, str, str)
        What it was trained on: source, licence, what of it.
    metrics : str
        Tables and sentences, on held-out data.
    limits : str
        Where it fails.
    command : str
        That makes it again.
    facts : sequence of (str, str)
        Parameters, seed, epochs, time, data hash …
    sources : sequence of str
        Papers.
    """

    title: str
    summary: str
    licence: str
    data: Sequence[tuple[str, str, str]]
    metrics: str
    limits: str
    command: str
    facts: Sequence[tuple[str, str]] = field(default_factory=tuple)
    sources: Sequence[str] = field(default_factory=tuple)

    def text(self) -> str:
        """Return the card as Markdown."""
        parts = [
            f"# {self.title}\n\n{self.summary}",
            f"Licence: {self.licence}",
            "## Data\n\n| source | licence | what of it |\n|---|---|---|\n"
            + "\n".join(f"| {' | '.join(row)} |" for row in self.data),
            f"## How good\n\n{self.metrics}",
            f"## Where it fails\n\n{self.limits}",
            f"## Make it again\n\n```\n{self.command}\n```\n\n| | |\n|---|---|\n"
            + "\n".join(f"| {name} | {value} |" for name, value in self.facts),
        ]
        if self.sources:
            parts.append("## Sources\n\n" + "\n".join(f"- {source}" for source in self.sources))
        return "\n\n".join(parts) + "\n"

    def write(self, model: Path) -> Path:
        """Write the card beside its model and return its path."""
        path = model.with_suffix(".md")
        try:
            path.write_text(self.text(), encoding="utf-8")
        except OSError as error:
            raise OutputError(f"{path}: could not be written ({error.strerror or error})") from None
        return path


def data_hash(files: Iterable[Path]) -> str:
    """Return one SHA-256 (its first 16 digits) for the names and contents of files, whatever their order."""
    whole = hashlib.sha256()
    for path in sorted(files, key=lambda path: path.name):
        whole.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()[:16]


def commit() -> str:
    """Return the commit of the source tree this runs from, or ``unknown``."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def machine() -> str:
    """Return the processor's kind, for the card."""
    return f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
