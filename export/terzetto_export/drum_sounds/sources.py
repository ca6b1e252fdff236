"""Where the one-shots come from and under which licence, for the cards of the models made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from terzetto_export.drum_sounds.one_shots import OneShot

SOURCES = {
    "hydrogen": (
        "Drum kits of the Hydrogen drum machine, Debian's hydrogen-drumkits",
        "per kit: GPL-2.0, CC BY 3.0, CC BY-SA 3.0, CC0",
    ),
    "hydrogen-data": ("The kits that Hydrogen comes with, Debian's hydrogen-data", "GPL-2.0, CC BY"),
    "sonicpi": ("Samples of Sonic Pi, Debian's sonic-pi-samples", "CC0"),
    "oramicsDM": ("oramics/sampled, drum machines", "public domain or stated free; TR-808 and TR-909 not stated"),
    "oramicsDRUMS": ("oramics/sampled, drums", "public domain or stated free"),
    "uzu": ("tidalcycles/uzu-drumkit", "public domain"),
    "FluidR3_GM": ("Fluid R3 GM sound font (Frank Wen), its drums", "MIT"),
    "MuseScore_General_Full": ("MuseScore General HQ sound font (S. Christian Collins), its drums", "MIT"),
    "sf_GMbank": ("Csound's GM bank, its drums", "public domain"),
    "TimGM6mb": ("TimGM6mb sound font (Tim Brechbill), its drums", "GPL-2.0"),
    "tidal_drum_machines": ("ritchse/tidal-drum-machines", "not stated"),
}


def rows(sounds: Sequence[OneShot], own: Sequence[str] | None = None) -> list[tuple[str, str, str]]:
    """Return source, licence and what of it was used, for a card; ``own`` are the names of one's own folders."""
    if own is not None:
        return [(", ".join(own), "its own", f"{len(sounds)} sounds")]
    number = Counter(sound.source for sound in sounds)
    kits = {source: sorted({s.kit.rpartition("/")[2] for s in sounds if s.source == source}) for source in number}
    return [
        (*SOURCES.get(source, (source, "not stated")), f"{count} sounds of {_listed(kits[source])}")
        for source, count in sorted(number.items())
    ]


def _listed(kits: Sequence[str]) -> str:
    return ", ".join(kits) if len(kits) <= 12 else f"{len(kits)} kits"
