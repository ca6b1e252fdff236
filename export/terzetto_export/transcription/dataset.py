"""The training material: performances rendered, recorded and analysed once, kept in a working folder, read in crops."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.files import ArrayTake
from terzetto.audio.pitch_spectra import FRAME_RATE, LOWEST_PITCH, PITCHES, SAMPLE_RATE, pieces
from terzetto.errors import InputError, OutputError
from terzetto.evaluate.transcription import sounding_ends
from terzetto.score.midi import read_midi
from terzetto.score.notes import Score
from terzetto_export.transcription import sound_fonts
from terzetto_export.transcription.performance import perform
from terzetto_export.transcription.random_pianos import RandomPiano
from terzetto_export.transcription.recording import record
from terzetto_export.transcription.textures import texture

Float = NDArray[np.float32]

# Features are kept as bytes: 0.4 dB a step.
STEPS = 200.0
SECONDS = 50.0
# Onsets and offsets are hills of ± this many frames, so that their tops tell the time between frames.
HILL = 2.5
SPLITS = ("train", "validation", "test")
_SHARE_HELD_OUT = 0.1


@dataclass(frozen=True)
class Item:
    """One analysed recording.

    Attributes
    ----------
    features : uint8 (2, frames, 300)
        Spectra in steps of 1/200.
    notes : float32 (n, 4)
        Onset and end of sound in seconds, pitch, velocity 0..1.
    """

    features: NDArray[np.uint8]
    notes: Float


def split_works(folder: Path, seed: int = 0) -> dict[str, list[Path]]:
    """Divide a folder of MIDI files by composition (the opus its name begins with).

    Raises
    ------
    InputError
        The folder has too few works.
    """
    by_opus: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*.mid")):
        match = re.match(r"\d+|[^-_]+", path.relative_to(folder).as_posix())
        by_opus.setdefault(match.group() if match else path.stem, []).append(path)
    if len(by_opus) < 3:
        raise InputError(f"{folder}: has MIDI files of {len(by_opus)} works; training needs those of at least 3")
    names = sorted(by_opus)
    np.random.default_rng(seed).shuffle(names)
    count = max(round(_SHARE_HELD_OUT * len(names)), 1)
    parts = {"test": names[:count], "validation": names[count : 2 * count], "train": names[2 * count :]}
    return {split: [path for name in parts[split] for path in by_opus[name]] for split in SPLITS}


def prepare(
    works: dict[str, list[Path]],
    folder: Path,
    counts: dict[str, int],
    seed: int,
    tell: Callable[[str], None],
    *,
    seconds: float = SECONDS,
    as_played: bool = False,
) -> dict[str, list[Path]]:
    """Make the items that are not in a working folder yet, and return all.

    Parameters
    ----------
    as_played
        The works are performances already; their timing, touch and pedal are kept.

    Raises
    ------
    InputError
        fluidsynth or a sound font is missing.
    OutputError
        The folder cannot be written.
    """
    sound_fonts.require([*sound_fonts.TRAINING, sound_fonts.HELD_OUT])
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: could not be made ({error.strerror or error})") from None
    made: dict[str, list[Path]] = {}
    for split in sorted(SPLITS, key=lambda split: counts[split]):  # small ones first: they are needed from the start
        made[split] = [folder / f"{split}-{index:04d}.npz" for index in range(counts[split])]
        for index, path in enumerate(made[split]):
            if path.is_file():
                continue
            if index % 20 == 0:
                tell(f"rendering {split}: {index} of {counts[split]}")
            random = np.random.default_rng((seed, SPLITS.index(split), index))
            item = _make(works[split], split, seconds, as_played, random)
            whole = path.with_suffix(f".{os.getpid()}.part")
            with whole.open("wb") as file:
                np.savez(file, features=item.features, notes=item.notes)
            whole.replace(path)
    return made


def read(path: Path) -> Item:
    """Read an item; its features stay on disk until a crop is taken."""
    with np.load(path) as content:
        notes = content["notes"]
    # A member that is stored plainly can be mapped: its array begins behind two headers.
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo("features.npy")
        with path.open("rb") as file:
            file.seek(member.header_offset + 26)
            name, extra = np.frombuffer(file.read(4), np.uint16)
            file.seek(member.header_offset + 30 + int(name) + int(extra))
            np.lib.format.read_magic(file)
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
            features = np.memmap(path, dtype, "r", file.tell(), shape)
    return Item(features, notes)


def analyse(audio: Float, score: Score) -> Item:
    """Return a recording at 22,050 Hz as an item."""
    spectra = np.concatenate([part for *_, part in pieces(ArrayTake(audio, SAMPLE_RATE), 1 << 30, 0)], axis=1)
    features = np.clip(np.round(spectra * STEPS), 0, 255).astype(np.uint8)
    notes = np.stack([score.onset, sounding_ends(score), score.pitch, score.velocity], axis=1)
    return Item(features, notes.astype(np.float32))


def targets(notes: Float, first: int, frames: int, shift: int = 0) -> Float:
    """Return what a model should say: (4, frames, 88) of onset, sounding, offset, velocity.

    Parameters
    ----------
    first
        The first frame.
    shift
        Semitones by which the notes sound higher.
    """
    out = np.zeros((4, frames, PITCHES), np.float32)
    start, stop = first / FRAME_RATE, (first + frames) / FRAME_RATE
    for onset, end, pitch, velocity in notes[(notes[:, 0] < stop + 0.1) & (notes[:, 1] > start - 0.1)]:
        key = int(pitch) - LOWEST_PITCH + shift
        if not 0 <= key < PITCHES:
            continue
        begin, finish = float(onset) * FRAME_RATE - first, float(end) * FRAME_RATE - first
        out[1, max(round(begin), 0) : max(round(finish), 0), key] = 1.0
        for row, centre in ((0, begin), (2, finish)):
            at = np.arange(max(int(centre - HILL), 0), min(int(centre + HILL) + 2, frames))
            hill = np.maximum(1.0 - np.abs(at - centre) / HILL, 0.0)
            if row == 0:
                out[3, at[hill > 0], key] = velocity
            out[row, at, key] = np.maximum(out[row, at, key], hill)
    return out


def _make(works: Sequence[Path], split: str, seconds: float, as_played: bool, random: np.random.Generator) -> Item:
    if split != "test" and random.random() < 0.25:
        score = texture(seconds, random)
    else:
        written = read_midi(works[int(random.integers(len(works)))])
        score = _excerpt(written, seconds, random) if as_played else perform(written, seconds, random)
    if split == "train" and random.random() < 0.25:
        audio = RandomPiano(random).play(score)
    else:
        fonts = (sound_fonts.HELD_OUT,) if split == "test" else sound_fonts.TRAINING
        font = fonts[int(random.integers(len(fonts)))]
        audio = sound_fonts.render(score, font, int(random.choice(font.programs)), random)
    return analyse(record(audio, random), score)


def _excerpt(score: Score, seconds: float, random: np.random.Generator) -> Score:
    start = random.uniform(0, max(score.end - seconds, 0.0))
    part = score.select((score.onset >= start) & (score.onset < start + seconds))
    pedal = score.pedal[(score.pedal[:, 1] > start) & (score.pedal[:, 0] < start + seconds)] - start + 0.3
    return Score(
        part.onset - start + 0.3, part.offset - start + 0.3, part.pitch, part.velocity, part.hand, part.track,
        part.track_names, np.maximum(pedal, 0.0),
    )  # fmt: skip
