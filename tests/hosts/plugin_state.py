"""The text of a plugin's state, wrapped the way each format keeps it in presets and sessions."""

from __future__ import annotations

import struct

JUCE_BASE64 = ".ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+"


def juce_base64(data: bytes) -> str:
    """Encode as `juce::MemoryBlock::toBase64Encoding`: the size, a full stop, then 6 bits a sign, lowest first."""
    number = int.from_bytes(data, "little")
    signs = [JUCE_BASE64[number >> shift & 63] for shift in range(0, 8 * len(data), 6)]
    return f"{len(data)}.{''.join(signs)}"


def juce_base64_decoded(text: str) -> bytes:
    """Undo `juce_base64`."""
    size, _, signs = text.partition(".")
    number = sum(JUCE_BASE64.index(sign) << 6 * place for place, sign in enumerate(signs))
    return (number & (1 << 8 * int(size)) - 1).to_bytes(int(size), "little")


def lv2_state(uri: str, text: str) -> str:
    """Write the Turtle of an LV2 state: what `jalv -l` and Ardour load."""
    return f"""@prefix lv2: <http://lv2plug.in/ns/lv2core#> .
@prefix pset: <http://lv2plug.in/ns/ext/presets#> .
@prefix state: <http://lv2plug.in/ns/ext/state#> .

<>
\ta pset:Preset ;
\tlv2:appliesTo <{uri}> ;
\tstate:state [
\t\t<{uri}:StateString> "{juce_base64(text.encode())}"
\t] .
"""


def vst3_preset(class_id: str, text: str) -> bytes:
    """Write a .vstpreset: what Ardour keeps in a session, and what pedalboard and DawDreamer load.

    Parameters
    ----------
    class_id : str
        32 hexadecimal digits.
    text : str
        The plugin's state.
    """
    component = text.encode()
    head = b"VST3" + struct.pack("<i", 1) + class_id.encode("ascii")
    start = len(head) + 8
    entry = b"Comp" + struct.pack("<qq", start, len(component))
    return head + struct.pack("<q", start + len(component)) + component + b"List" + struct.pack("<i", 1) + entry


def vst3_state(preset: bytes) -> str:
    """Read the plugin's state out of a .vstpreset, without what JUCE keeps behind it."""
    start = struct.unpack_from("<q", preset, 40)[0]
    count = struct.unpack_from("<i", preset, start + 4)[0]
    for number in range(count):
        name, offset, size = struct.unpack_from("<4sqq", preset, start + 8 + 20 * number)
        if name == b"Comp":
            component = preset[offset : offset + size]
            return component.partition(b"\0")[0].decode()
    raise ValueError("the preset holds no component state")
