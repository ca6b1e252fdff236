"""Terzetto: three neural instruments. This package holds the instruments: NumPy in, NumPy out, no torch.

>>> import terzetto
>>> stems = terzetto.separate_hands(audio, sample_rate, terzetto.read_score("take.mid"))  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from terzetto.errors import InputError, TerzettoError

if TYPE_CHECKING:
    from terzetto.hands.separate import separate_hands
    from terzetto.score.notes import Score
    from terzetto.score.read import read_score

__version__ = "0.1.0"
__all__ = ["InputError", "Score", "TerzettoError", "__version__", "read_score", "separate_hands"]

# Loaded on first use, so that `import terzetto` and `terzetto --help` stay quick.
_LAZY = {
    "separate_hands": "terzetto.hands.separate",
    "read_score": "terzetto.score.read",
    "Score": "terzetto.score.notes",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'terzetto' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
