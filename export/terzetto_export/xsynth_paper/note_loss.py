"""The slides' pitch tracking experiment: 5 MIDI files of 20 random notes into 10 instruments' networks, 1000 notes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terzetto.evaluate.intervals import interval
from terzetto.evaluate.pitch_tracks import TRACKERS, is_kept, pitch_error
from terzetto_export.instrument_data.names import INSTRUMENTS
from terzetto_export.instrument_data.sound_font_notes import Note, midi_of, render_notes
from terzetto_export.transcription.sound_fonts import FLUID
from terzetto_export.xsynth_paper.network import X_SYNTH
from terzetto_export.xsynth_paper.networks import Bank, add_autoencoder, by_split
from terzetto_export.xsynth_paper.sounds import SAMPLE_RATE, Float, Material, Tell, pitch_range
from terzetto_export.xsynth_paper.tables import Section, spread, table
from terzetto_export.xsynth_paper.training import parted

PROGRAMS = {"voice": 53, "nylon guitar": 24, "electric piano": 4, "synth pad": 90, "distorted guitar": 30}
"""What plays the five MIDI files, in General MIDI from 0: the kinds of the slides' first data set."""
NOTES, LOWEST, TOP = 20, 48, 84
DURATION, STEP = 0.8, 1.3
TRACKER = "lost by the tracker in the input itself"
Bool = NDArray[np.bool_]


def class_network(instrument: str) -> str:
    """Return what the network of a class is called."""
    return f"X-Synth, class {instrument}"


def train_classes(material: Material, bank: Bank, out: Path, epochs: int, seed: int, tell: Tell) -> None:
    """Train a network on each of the ten classes."""
    for instrument in INSTRUMENTS:
        data = by_split(material, instrument)
        if not data[1]:  # too few phrases for a split of their own
            data = parted(np.concatenate(data[0]))
        add_autoencoder(bank, class_network(instrument), data, X_SYNTH, out, epochs, seed, tell)


def random_notes(seed: int) -> dict[str, list[Note]]:
    """Return 20 random notes from C3 to C6 for each of the five instruments that play."""
    random = np.random.default_rng(seed)
    return {
        name: [
            Note(i * STEP, DURATION, int(random.integers(LOWEST, TOP + 1)), int(random.integers(60, 120)))
            for i in range(NOTES)
        ]
        for name in PROGRAMS
    }


def lost(material: Material, bank: Bank, out: Path, epochs: int, seed: int, tell: Tell) -> Section:
    """Train on each of the ten classes, and count the notes that lose their pitch, in and out of the class's range."""
    section = Section("Notes that lose their pitch")
    train_classes(material, bank, out, epochs, seed, tell)
    files = list(_played(random_notes(seed), out))
    own = [kept_notes(audio, notes) for _, notes, audio in files]
    ranges = {name: pitch_range(material.classes[name]) for name in INSTRUMENTS}
    rates: dict[str, list[float]] = {"all": [], "in the class's range": [], "outside": []}
    rows, kept_all = [], []
    for instrument in INSTRUMENTS:
        convert = bank.converts[class_network(instrument)]
        kept = np.concatenate([kept_notes(convert(audio), notes) for _, notes, audio in files])
        pitch = np.array([note.pitch for _, notes, _ in files for note in notes])
        low, high = ranges[instrument]
        inside = (pitch >= low - 0.5) & (pitch <= high + 0.5)
        each = {"all": ~kept, "in the class's range": ~kept[inside], "outside": ~kept[~inside]}
        for name, values in each.items():
            if len(values):
                rates[name].append(float(values.mean()))
        kept_all.append(kept)
        cells = [f"{v.mean():.0%} of {len(v)}" if len(v) else "–" for v in each.values()]
        rows.append([instrument, f"{low:.0f} to {high:.0f}", *cells])
        section.numbers[instrument] = {name: float(v.mean()) if len(v) else None for name, v in each.items()}
        tell(f"notes: {instrument}: {(~kept).mean():.0%} of {len(kept)} lost")
    summary = {name: interval(values) for name, values in rates.items() if values}
    section.numbers |= {"lost, over classes": summary, "notes": int(sum(map(len, kept_all)))}
    section.numbers[TRACKER] = float(1 - np.concatenate(own).mean())
    section.numbers["by what plays"] = {
        name: float(1 - np.mean([kept[i * NOTES : (i + 1) * NOTES].mean() for kept in kept_all]))
        for i, (name, _, _) in enumerate(files)
    }
    share = 1 - float(np.concatenate(kept_all).mean())
    played = ", ".join(f"{name} {part:.0%}" for name, part in section.numbers["by what plays"].items())
    section.lines += [
        f"The slides: 12 % of 1000 notes. Here {share:.1%} of {section.numbers['notes']}: "
        f"over the ten classes {spread(summary['all'])}; "
        + "; ".join(f"{name} {spread(value)}" for name, value in summary.items() if name != "all")
        + ".",
        f"Of the inputs' own notes the tracker loses {section.numbers[TRACKER]:.1%}. By what plays: {played}.",
        "",
        *table(["class learned", "its range, MIDI", "lost", "lost in range", "lost outside"], rows),
    ]
    return section


def kept_notes(audio: Float, notes: list[Note], tracker: str = "Praat") -> Bool:
    """Return which notes have their pitch: voiced in half of their frames, the median within 50 cents."""
    found = TRACKERS[tracker](audio, SAMPLE_RATE)
    return np.array([is_kept(pitch_error(found, note.onset, note.duration, note.pitch)) for note in notes])


def _played(files: dict[str, list[Note]], out: Path) -> Iterator[tuple[str, list[Note], Float]]:
    """Write each MIDI file and yield what a sound font makes of it."""
    folder = out / "notes"
    folder.mkdir(parents=True, exist_ok=True)
    font = FLUID.find()
    for name, notes in files.items():
        length = NOTES * STEP
        midi_of(notes, PROGRAMS[name], length).save(folder / f"{name.replace(' ', '_')}.mid")
        audio = render_notes(notes, font, PROGRAMS[name], sample_rate=SAMPLE_RATE, seconds=length)
        yield name, notes, np.asarray(audio / max(float(np.abs(audio).max()), 1e-9) * 0.5, np.float32)
