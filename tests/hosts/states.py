"""States of Terzetto Hands as a project holds them (docs/live.md), with chains for tests."""

from __future__ import annotations

import json
from typing import Any

LV2_URI = "https://terzetto.audio/plugins/hands"
# JUCE's class ids: a prefix of its own, then the codes of maker and plugin.
CLASS_ID = "ABCDEF019182FAEB" + b"TerzTzHa".hex().upper()
SLOW = 10.0  # times slower than real time


def plugin_state(
    chain: str | None = None, values: dict[str, Any] | None = None, engine: dict[str, Any] | None = None
) -> str:
    """Write a state: the text of a chain file (None: Hands alone), parameters' values, what the stages saved."""
    engine = dict(engine or {})
    if chain is not None:
        engine["chain"] = chain
    state = {
        "format": "terzetto-plugin",
        "version": 1,
        "instrument": "hands",
        "values": values or {},
        "engine": engine,
    }
    return json.dumps(state)


def inverter(**settings: float | str) -> str:
    """Write the chain file of the test's inverter, with settings."""
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    return "\n".join(["[[stage]]", 'plugin = "inverter"', *lines, ""])
