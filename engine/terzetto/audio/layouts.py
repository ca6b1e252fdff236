"""Which speaker each channel is for: channel masks as WAVE files have them."""

from __future__ import annotations

SPEAKERS = (
    *("FL", "FR", "FC", "LFE", "BL", "BR", "FLC", "FRC", "BC", "SL", "SR", "TC", "TFL", "TFC", "TFR", "TBL", "TBC"),
    *("TBR",),
)
"""Names of a mask's bits, from the lowest on: front, back, side, top; left, right, centre."""

# mono, stereo, 3.0, 4.0 (quad), 5.0, 5.1, 6.1, 7.1
_DEFAULTS = {1: 0x4, 2: 0x3, 3: 0x7, 4: 0x33, 5: 0x37, 6: 0x3F, 7: 0x70F, 8: 0x63F}


def default_mask(channels: int) -> int:
    """Return the usual mask for a number of channels; 0 (no speakers are told) beyond 7.1."""
    return _DEFAULTS.get(channels, 0)


def speakers(mask: int) -> list[str]:
    """Return the speakers of a mask in the order of their channels."""
    return [name for bit, name in enumerate(SPEAKERS) if mask >> bit & 1]
