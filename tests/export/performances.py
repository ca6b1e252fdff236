"""Made-up piano performances in MAESTRO's layout: two composers with a figure each."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from terzetto.score.midi import write_midi
from terzetto.score.notes import UNKNOWN, Score

FIGURES = {"Ascending": (60, 64, 67, 72), "Descending": (79, 74, 71, 67), "Leaping": (36, 84, 40, 88)}


def performance(composer: str, seed: int, notes: int = 160) -> Score:
    """Return a composer's figure again and again, a little different in pitch and time."""
    random = np.random.default_rng(seed)
    figure = np.array(FIGURES[composer])
    pitch = figure[np.arange(notes) % len(figure)] + 12 * (random.random(notes) < 0.05)
    onset = 0.1 * np.arange(notes) + np.round(0.01 * random.integers(0, 2, notes), 2)
    velocity = np.where(np.arange(notes) % 4 == 0, 90, 60) / 127
    return Score(onset, onset + 0.08, pitch, velocity, np.full(notes, UNKNOWN), np.zeros(notes, int), ("notes",))


def write_maestro(folder: Path, works: int = 5) -> Path:
    """Write a folder in MAESTRO's layout: ``works`` works of each composer, the last two for validation and test."""
    (folder / "2004").mkdir(parents=True)
    with (folder / "maestro-v3.0.0.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["canonical_composer", "canonical_title", "split", "year", "midi_filename", "duration"])
        for number, composer in enumerate(FIGURES):
            for work in range(works):
                split = {works - 1: "test", works - 2: "validation"}.get(work, "train")
                name = f"2004/{composer.lower()}_{work}.midi"
                write_midi(performance(composer, 100 * number + work), folder / name)
                table.writerow([composer, f"Study {work}", split, 2004, name, 16])
    return folder
