"""The text of a plugin's state, wrapped the way JUCE and LV2 keep it (VST3: `terzetto_host.presets`)."""

from __future__ import annotations

import re

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


def vst3_chunk_text(raw: bytes) -> str:
    """Return the text in what JUCE's VST3 hosts keep (pedalboard's ``raw_state``, a file of DawDreamer's)."""
    found = re.search(rb"<IComponent>(.+)</IComponent>", raw)
    if raw[:4] != b"VC2!" or found is None:
        raise ValueError("not the state of a VST3 in a JUCE host")
    return juce_base64_decoded(found[1].decode()).partition(b"\0")[0].decode()


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
