"""From a beat's file to its sound: the job of ``terzetto drums render``, and how every command writes a rendering."""

from __future__ import annotations

import functools
import json
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from terzetto.audio.stems import CLIP_MODES, FORMATS, SampleFormat, StemFiles
from terzetto.drums.beat import Beat
from terzetto.drums.drum_map import CLASSES
from terzetto.drums.kit import Kit
from terzetto.drums.kit_file import kit_of_table, kit_table, shipped_kit
from terzetto.drums.midi import read_beat
from terzetto.drums.player import Sound, mixed
from terzetto.drums.reading import Reading
from terzetto.drums.rendering import Rendering
from terzetto.drums.sound_sources import files_of, models_of
from terzetto.drums.table_places import Place
from terzetto.drums.voice_sounds import kit_sounds
from terzetto.errors import InputError, TerzettoWarning
from terzetto.jobs import MIDI, Item, content_hash
from terzetto.models import identity
from terzetto.progress import Progress, silent

MIX = "mix"


@dataclass(frozen=True)
class RenderSettings:
    """How beats become files.

    Attributes
    ----------
    kit : Kit
    sample_rate : int
        Hz, 8000..384000.
    channels : int
        1 or 2.
    loop : bool
        See `Rendering.voices`.
    stems : bool
        Whether each voice gets a file too; before they are made integers, they sum to the mix.
    sample_format : SampleFormat
    clip_mode : str
        One of `terzetto.audio.stems.CLIP_MODES`.

    Raises
    ------
    InputError
        Not a sample rate.
    """

    kit: Kit = field(default_factory=shipped_kit)
    sample_rate: int = 44100
    channels: int = 2
    loop: bool = False
    stems: bool = False
    sample_format: SampleFormat = FORMATS["float32"]
    clip_mode: str = CLIP_MODES[0]

    def __post_init__(self) -> None:
        if not 8000 <= self.sample_rate <= 384_000:
            raise InputError(f"--sample-rate {self.sample_rate}: give 8000 to 384000 Hz")

    def sounds(self) -> list[Sound]:
        """Return what the kit plays; kept, since a batch renders thousands of beats with one kit."""
        table, content = json.dumps(kit_table(self.kit)), json.dumps(self.identity()["kit_content"])
        return _sounds(table, content, self.sample_rate, self.channels)

    def identity(self) -> dict[str, Any]:
        """Return all that decides on the samples beside the beat; samples and models by content."""
        sources = [voice.source for voice in self.kit.voices.values()]
        files = sorted({path for source in sources for path in files_of(source)})
        models = sorted({name for source in sources for name in models_of(source)})
        content = {str(path): content_hash(path) for path in files}
        content |= {f"model {name}": str(identity(name)) for name in models}
        return {
            "job": "drums render",
            "kit": kit_table(self.kit),
            "kit_content": content,
            "sample_rate": self.sample_rate,
            "channels": self.channels,
            "loop": self.loop,
            "stems": self.stems,
            "format": str(self.sample_format),
            "clip_mode": self.clip_mode,
        }

    def paths(self, mix: PurePosixPath) -> dict[str, PurePosixPath]:
        """Return the mix and, with stems, a file for each voice in a folder beside it, by name."""
        names = CLASSES if self.stems else ()
        folder = mix.with_suffix("")
        return {MIX: mix, **{name: folder / f"{name.replace(' ', '_')}{mix.suffix}" for name in names}}


def write_rendering(
    beat: Beat, settings: RenderSettings, mix: Path, title: str, progress: Progress = silent
) -> dict[str, Any]:
    """Render a beat into its files, all or none, and return what was done, ready for JSON.

    Parameters
    ----------
    mix
        Where the mix goes; stems go into a folder beside it that is called as it.
    title
        What messages call the beat.

    Raises
    ------
    InputError, ModelError, OutputError
        The beat has no drums, the kit cannot be used, or a file cannot be written.
    """
    began = time.perf_counter()
    try:
        rendering = Rendering(beat, settings.sample_rate)
    except InputError as error:
        raise InputError(f"{title}: {error}") from None
    if rendering.left_out:
        notes = ", ".join(map(str, rendering.left_out))
        warnings.warn(f"{title}: notes that are no drums were left out: {notes}", TerzettoWarning, stacklevel=2)
    sounds = settings.sounds()
    paths = {name: mix.parent / path for name, path in settings.paths(PurePosixPath(mix.name)).items()}
    form, mode, frames = settings.sample_format, settings.clip_mode, 0
    with StemFiles(paths, settings.sample_rate, settings.channels, form, clip_mode=mode, measure=True) as files:
        for voices in rendering.voices(sounds, settings.channels, loop=settings.loop):
            total = mixed(voices)
            files.write(MIX, total)
            if settings.stems:
                for name, voice in zip(CLASSES, voices, strict=True):
                    files.write(name, voice)
            frames += total.shape[1]
            progress("rendered", min(frames / max(rendering.frames, 1), 1.0))
        files.commit()
    return {
        "take": title,
        "mix": str(paths.pop(MIX)),
        "stems": {name: str(path) for name, path in paths.items()},
        "kit": settings.kit.name,
        "hits": len(rendering.strikes),
        "notes_left_out": rendering.left_out,
        "seconds": round(frames / settings.sample_rate, 3),
        "sample_rate": settings.sample_rate,
        "gain_db": files.gain_db,
        "clamped": files.clamped,
        "loudness": files.loudness(),
        "elapsed": round(time.perf_counter() - began, 3),
    }


@dataclass(frozen=True)
class RenderJob:
    """What ``terzetto drums render`` does to each beat; see `terzetto.jobs.Job`.

    Attributes
    ----------
    settings : RenderSettings
    reading : Reading
    name : str
        What the mix is called; empty: as the beat, with the format's ending.
    """

    settings: RenderSettings = field(default_factory=RenderSettings)
    reading: Reading = field(default_factory=Reading)
    name: str = ""
    reads = MIDI

    def check(self) -> None:
        """Raise what the kit or the drum map is refused with: that is said once, not for every file."""
        self.settings.sounds()
        self.reading.table()

    def identity(self) -> dict[str, Any]:
        """Return all that decides on the samples beside the file."""
        return {**self.settings.identity(), **self.reading.identity()}

    def targets(self, item: Item) -> list[str]:
        """Return what would be written."""
        return [path.as_posix() for path in self.settings.paths(self._place(item)).values()]

    def work(self, item: Item, out: Path, progress: Progress) -> dict[str, Any]:
        """Render a beat."""
        return write_rendering(self._read(item), self.settings, out / self._place(item), item.title, progress)

    def written(self, result: dict[str, Any]) -> list[str]:
        """Return the paths of all files that a result tells of."""
        return [result["mix"], *result["stems"].values()]

    def speed(self, item: Item) -> float:
        """Return how many seconds of sound are rendered in a second, from the beat's first half minute."""
        sounds, rendering = self.settings.sounds(), Rendering(self._read(item), self.settings.sample_rate)
        began, frames = time.perf_counter(), 0
        for voices in rendering.voices(sounds, self.settings.channels):
            frames += mixed(voices).shape[1]
            if frames > 30 * self.settings.sample_rate:
                break
        return frames / self.settings.sample_rate / max(time.perf_counter() - began, 1e-6)

    def bytes_for(self, item: Item) -> tuple[float, int]:
        """Return a beat's seconds and how many bytes its files have, what rings out left aside."""
        seconds = self._read(item).seconds
        each = self.settings.channels * self.settings.sample_format.bit_depth // 8
        return seconds, round(seconds * self.settings.sample_rate) * each * (1 + len(CLASSES) * self.settings.stems)

    def _read(self, item: Item) -> Beat:
        return read_beat(item.path, channel=self.reading.channel, drum_map=self.reading.table())

    def _place(self, item: Item) -> PurePosixPath:
        name = self.name or f"{item.track}.{self.settings.sample_format.extension}"
        return PurePosixPath(item.folder) / name


@functools.lru_cache(maxsize=1)
def _sounds(table: str, content: str, sample_rate: int, channels: int) -> list[Sound]:
    kit = kit_of_table(json.loads(table), Path(), Place("the kit"))
    return kit_sounds(kit, sample_rate, channels)
