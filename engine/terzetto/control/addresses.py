"""OSC addresses: ``/terzetto/<instrument>/<name>`` for all instances, ``/terzetto/i1/<instrument>/<name>`` for one."""

from __future__ import annotations

import re
from dataclasses import dataclass

ROOT = "/terzetto"
_INSTANCE = re.compile(r"i[1-9][0-9]{0,5}")


@dataclass(frozen=True, slots=True)
class Address:
    """An address taken apart.

    Attributes
    ----------
    instrument, name : str
    instance : str or None
        None: every instance.
    """

    instrument: str
    name: str
    instance: str | None = None

    def __str__(self) -> str:
        parts = (ROOT, self.instance, self.instrument, self.name)
        return "/".join(part for part in parts if part is not None)

    @classmethod
    def parse(cls, text: str) -> Address | None:
        """Take an address apart; None if it is none of an instrument.

        >>> Address.parse("/terzetto/i2/hands/left_gain")
        Address(instrument='hands', name='left_gain', instance='i2')
        >>> Address.parse("/terzetto/ping") is None
        True
        """
        root, *parts = text.split("/")[1:] or [""]
        if f"/{root}" != ROOT or not all(parts):
            return None
        instance = parts.pop(0) if len(parts) == 3 and is_instance(parts[0]) else None
        return cls(parts[0], parts[1], instance) if len(parts) == 2 else None


def is_instance(text: str) -> bool:
    """Whether a text names an instance: ``i1``, ``i2`` and so on."""
    return _INSTANCE.fullmatch(text) is not None
