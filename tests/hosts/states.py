"""States of Terzetto Hands as a project holds them (docs/live.md), with chains for tests."""

from __future__ import annotations

import json
from typing import Any

from terzetto_host import presets
from terzetto_host.presets import class_id

LV2_URI = "https://terzetto.audio/plugins/hands"
CLASS_ID = class_id("hands")
SLOW = 10.0  # times slower than real time


def plugin_state(
    chain: str | None = None, values: dict[str, Any] | None = None, engine: dict[str, Any] | None = None
) -> str:
    """Write a state: the text of a chain file (None: Hands alone), parameters' values, what the stages saved."""
    chains = {} if chain is None else {"chain": chain}
    return presets.plugin_state("hands", values, {**(engine or {}), **chains})


def inverter(**settings: float | str) -> str:
    """Write the chain file of the test's inverter, with settings."""
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    return "\n".join(["[[stage]]", 'plugin = "inverter"', *lines, ""])
