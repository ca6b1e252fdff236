"""The demo's part of Timbre: the separated melody in other timbres."""

from __future__ import annotations

from pathlib import Path

from terzetto.audio.files import FileTake
from terzetto.audio.stems import FORMATS, StemFiles
from terzetto.progress import Progress
from terzetto.timbre.morph import Morph
from terzetto.timbre.stream import render

CLARINET, MOSAIC = "clarinet", "mosaic"
AUDIO = {CLARINET: "timbre/clarinet.flac", MOSAIC: "timbre/mosaic.flac"}
"""Where each lies below the demo's folder."""


def write_timbres(stage: Path, melody: Path, accompaniment: Path, progress: Progress) -> None:
    """Write the melody as a clarinet plays it, and put together of moments of the accompaniment.

    Raises
    ------
    OutputError
        They cannot be written.
    """
    morphs = {
        CLARINET: Morph("xsynth", ("timbre_instruments:clarinet",)),
        MOSAIC: Morph("mosaic", (str(accompaniment),)),
    }
    paths = {name: stage / link for name, link in AUDIO.items()}
    with (
        FileTake(melody) as take,
        StemFiles(paths, take.sample_rate, take.channels, FORMATS["flac"]) as files,
    ):
        for number, (name, morph) in enumerate(morphs.items()):
            progress("another timbre", number / len(morphs))
            conversion, _ = morph.opened(take.sample_rate, take.channels)
            for block in render(take, conversion, morph.controls):
                files.write(name, block)
        files.commit()
