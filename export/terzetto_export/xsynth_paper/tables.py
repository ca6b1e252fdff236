"""Tables and sections of the page that a reproduction writes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Section:
    """One experiment: what the slides say, what was found, and its numbers for ``results.json``.

    Attributes
    ----------
    title : str
    lines : list of str
        Markdown.
    numbers : dict
    """

    title: str
    lines: list[str] = field(default_factory=list)
    numbers: dict[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """Return it as Markdown."""
        return "\n".join([f"## {self.title}", "", *self.lines, ""])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a Markdown table and an empty line."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines] + [""]


def spread(value: dict[str, float], digits: int = 2) -> str:
    """Return a mean with its 95 % interval."""
    return f"{shown(value['mean'], digits)} [{shown(value['low'], digits)}, {shown(value['high'], digits)}]"


def shown(value: float, digits: int = 2) -> str:
    """Return a number, or a dash where there is none."""
    return "–" if math.isnan(value) else f"{value:.{digits}f}"
