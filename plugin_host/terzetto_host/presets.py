"""A plugin's state as a VST3 preset: how a Python program hands it to a plugin that pedalboard has loaded.

    plugin = pedalboard.load_plugin("Terzetto Hands.vst3")
    state = plugin_state("hands", {"left_gain": -60.0}, {"hands": processor.state()})
    plugin.preset_data = vst3_preset(class_id("hands"), state)

(`plugin.raw_state` is JUCE's own wrapping of it.) The state's text is described in docs/live.md.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

from terzetto.control.table import table
from terzetto.errors import InputError

# JUCE's class ids: a prefix of its own, then the codes of maker and plugin.
_CLASS_PREFIX = "ABCDEF019182FAEB"
_CODES = {"hands": b"TerzTzHa", "drums": b"TerzTzDr", "timbre": b"TerzTzTi"}


def plugin_state(
    instrument: str, values: Mapping[str, Any] | None = None, engine: Mapping[str, Any] | None = None
) -> str:
    """Return the state's text.

    Parameters
    ----------
    values
        Parameters by name; the others keep their defaults.
    engine
        A state per stage of the chain, for example ``{"hands": processor.state()}``; ``chain`` holds the text of a
        chain file.
    """
    return json.dumps(
        {
            "format": "terzetto-plugin",
            "version": 1,
            "instrument": instrument,
            "values": dict(values or {}),
            "engine": dict(engine or {}),
        }
    )


def class_id(instrument: str) -> str:
    """Return the VST3 class id of an instrument's plugin, 32 hexadecimal digits.

    Raises
    ------
    InputError
        There is no such instrument.
    """
    if instrument not in _CODES:
        raise InputError(f"instrument {instrument!r} is not known; valid: {', '.join(table())}")
    return _CLASS_PREFIX + _CODES[instrument].hex().upper()


def vst3_preset(identity: str, state: str) -> bytes:
    """Return a ``.vstpreset`` that holds a state: what hosts keep in projects and what pedalboard loads.

    Parameters
    ----------
    identity
        The plugin's class id (`class_id`).
    state
        Its text (`plugin_state`).
    """
    component = state.encode()
    head = b"VST3" + struct.pack("<i", 1) + identity.encode("ascii")
    start = len(head) + 8
    entry = b"Comp" + struct.pack("<qq", start, len(component))
    return head + struct.pack("<q", start + len(component)) + component + b"List" + struct.pack("<i", 1) + entry


def vst3_state(preset: bytes) -> str:
    """Return the state's text out of a ``.vstpreset``, without what JUCE keeps behind it.

    Raises
    ------
    InputError
        It is no preset, or holds no component.
    """
    try:
        start = struct.unpack_from("<q", preset, 40)[0]
        count = struct.unpack_from("<i", preset, start + 4)[0]
        for number in range(count):
            name, offset, size = struct.unpack_from("<4sqq", preset, start + 8 + 20 * number)
            if name == b"Comp":
                return preset[offset : offset + size].partition(b"\0")[0].decode()
    except (struct.error, UnicodeDecodeError):
        pass
    raise InputError("these bytes are no VST3 preset with a component state; give a plugin's preset_data")
