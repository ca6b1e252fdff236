"""Beat-quantised piano with kernels of a bar, the paper's future work, beside the events on the same music.

The music: Chopin's mazurkas and waltzes out of the first editions, as the score has them (quantised, no tempo, no
meter). Of these the meter is known, three quarters; where the bar begins is told by the left hand, which is lowest on
the first beat. A bar is 88 keys by 36 steps (12 a quarter, so that sixteenths and triplets both fall on one), 1 where a
key goes down: what the drums' bars are, without velocity and timing, of which a score has none.

What is compared: as many atoms, as many winners in a column, the same works held out. Note F1 for the bars is of cells
of the grid, for the events of steps of the line; both are decoded at their own place, so nothing drifts.
"""

from __future__ import annotations

import re
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terzetto.errors import InputError, TerzettoWarning
from terzetto.evaluate.intervals import interval
from terzetto.score.midi import read_midi
from terzetto.score.notes import Score
from terzetto.score.performance_events import to_events
from terzetto.score.works import identify
from terzetto_export.conv_wta.network import ConvWta, keep_winners
from terzetto_export.conv_wta.performance_measures import accuracy, middle, note_f1
from terzetto_export.conv_wta.performance_recipe import LEARNING_RATE, learn
from terzetto_export.conv_wta.performances import Line, by_work
from terzetto_export.conv_wta.recipe import Design
from terzetto_export.drum_data.files import Tell, midi_files
from terzetto_export.training import Schedule, fit

LOWEST, KEYS = 21, 88
STEPS = 12  # of a quarter
BAR = 3 * STEPS
QUARTER = 0.5  # seconds: a MIDI file without a tempo is at 120
THREE_QUARTERS = {6, 7, 17, 24, 30, 33, 41, 50, 56, 59, 63, 67, 68} | {18, 34, 42, 64, 69, 70}  # mazurkas, waltzes
THRESHOLDS = tuple(np.round(np.arange(0.1, 0.75, 0.05), 2).tolist())
Grid = NDArray[np.float32]


@dataclass(frozen=True)
class Piece:
    """A piece both ways: as a line of events, and as bars, float32 (88, 36 × bars)."""

    line: Line
    bars: Grid
    opus: int


@dataclass(frozen=True)
class Pieces:
    """Pieces to learn from, to choose by, to report on; no opus is in two of them."""

    training: tuple[Piece, ...]
    validation: tuple[Piece, ...]
    test: tuple[Piece, ...]


def read_pieces(folder: Path, tell: Tell) -> Pieces:
    """Read the mazurkas and waltzes of the first editions, one edition of each, every fourth opus held out.

    Raises
    ------
    InputError
        No such folder, or too few of them.
    """
    found: dict[str, Piece] = {}
    for path in midi_files(folder):
        work = identify(path, folder, {})
        opus = re.match(r"op\. (\d+) no\.", work.title)
        if opus is None or int(opus[1]) not in THREE_QUARTERS or work.reserved or work.title in found:
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", TerzettoWarning)
                score = read_midi(path)
            line = Line(to_events(score), work.composer, work.title, path)
        except InputError as problem:
            tell(f"{path}: skipped: {str(problem).removeprefix(f'{path}: ')}")
            continue
        found[work.title] = Piece(line, to_bars(score), int(opus[1]))
    opuses = sorted({piece.opus for piece in found.values()})
    held, chosen = set(opuses[3::4]), set(opuses[1::8])
    pieces = Pieces(
        tuple(piece for piece in found.values() if piece.opus not in held | chosen),
        tuple(piece for piece in found.values() if piece.opus in chosen),
        tuple(piece for piece in found.values() if piece.opus in held),
    )
    if not (pieces.training and pieces.validation and pieces.test):
        raise InputError(
            f"{folder}: {len(found)} of Chopin's mazurkas and waltzes by the first editions' names; four opuses or "
            "more are needed"
        )
    return pieces


def to_bars(score: Score) -> Grid:
    """Return where keys go down, float32 (88, 36 × bars), from the first bar line (or an upbeat's bar) on."""
    step = np.rint(score.onset / QUARTER * STEPS).astype(np.int64)
    step = step + (-first_beat(score) * STEPS) % BAR
    grid = np.zeros((KEYS, (int(step.max()) // BAR + 1) * BAR), np.float32)
    inside = (score.pitch >= LOWEST) & (score.pitch < LOWEST + KEYS)
    grid[score.pitch[inside] - LOWEST, step[inside]] = 1.0
    return grid


def first_beat(score: Score) -> int:
    """Return on which beat after the beginning, 0 to 2, bars begin: where the lowest of what sounds is lowest."""
    beat = score.onset / QUARTER
    on = np.abs(beat - np.rint(beat)) < 1 / (2 * STEPS)
    beats = np.rint(beat[on]).astype(np.int64)
    lowest = np.full(int(beats.max(initial=0)) + 1, 128)
    np.minimum.at(lowest, beats, score.pitch[on])
    phase = np.arange(len(lowest)) % 3
    means = [lowest[(phase == each) & (lowest < 128)].mean() for each in range(3) if (phase == each).any()]
    return int(np.argmin(means))


class BarRecipe:
    """What `fit` needs: a piece at a time, k falling, as with the events."""

    def __init__(self, pieces: Pieces, design: Design, epochs: int) -> None:
        self.design, self.epochs, self._pieces = design, epochs, pieces
        self.network = ConvWta(KEYS, design.atoms, design.kernel)
        self._epoch = 0

    def batches(self, random: np.random.Generator) -> Iterator[Tensor]:
        """Yield the pieces in a random order."""
        for index in random.permutation(len(self._pieces.training)):
            yield torch.from_numpy(self._pieces.training[index].bars[None])

    def loss(self, batch: Tensor) -> Tensor:
        """Return the squared error of a step with this epoch's k."""
        k = self.design.k_at(self._epoch / max(self.epochs - 1, 1))
        return KEYS * torch.nn.functional.mse_loss(self._decoded(batch, k), batch)

    def validate(self) -> float:
        """Return the negative error on validation pieces with the last k."""
        self._epoch += 1
        rows = [torch.from_numpy(piece.bars[None]) for piece in self._pieces.validation]
        errors = [KEYS * torch.nn.functional.mse_loss(self._decoded(each, self.design.k_last), each) for each in rows]
        return -float(torch.stack(errors).mean())

    def decoded(self, piece: Piece) -> Grid:
        """Return what the dictionary makes of a piece."""
        with torch.no_grad():
            found = self._decoded(torch.from_numpy(piece.bars[None]), self.design.k_last)
        return np.asarray(found[0].numpy(), np.float32)

    def _decoded(self, rows: Tensor, k: int) -> Tensor:
        found: Tensor = self.network.decoder(keep_winners(self.network.activity(rows), k, self.design.winners))
        return found


def compare(
    folder: Path, design: Design, epochs: int, seed: int, columns: int, tell: Callable[[str], None]
) -> OrderedDict[str, Any]:
    """Learn both ways from the same pieces, and return note F1 of the pieces held out."""
    pieces = read_pieces(folder, tell)
    bars, paths = sum(piece.bars.shape[1] for piece in pieces.training) // BAR, [p.line.path for p in pieces.test]
    tell(f"beat-quantised piano: {len(pieces.training)} pieces ({bars} bars) to learn from, {len(paths)} held out")
    torch.manual_seed(seed)
    recipe = BarRecipe(pieces, replace(design, kernel=BAR, levels=()), epochs)
    fit(recipe, Schedule(epochs, learning_rate=LEARNING_RATE, weight_decay=1e-4), seed=seed, tell=lambda line: None)
    threshold = max(THRESHOLDS, key=lambda each: np.mean(_f1(recipe, pieces.validation, each)))
    lines = [piece.line for piece in pieces.training]
    chosen = [piece.line for piece in pieces.validation]
    network, _ = learn(lines, chosen, design, epochs=epochs, seed=seed, columns=columns, tell=lambda line: None)
    tests = [piece.line for piece in pieces.test]
    found = {line.path: _decoded(network, design, line) for line in tests}
    of_bars = dict(zip(paths, _f1(recipe, pieces.test, threshold), strict=True))
    of_events = {line.path: note_f1(found[line.path], middle(line, design.kernel)) for line in tests}
    right = {line.path: accuracy(found[line.path], middle(line, design.kernel)) for line in tests}
    notes_in_bar = float(np.mean([piece.bars.sum() * BAR / piece.bars.shape[1] for piece in pieces.test]))
    difference = by_work(tests, of_bars) - by_work(tests, of_events)
    return OrderedDict(
        training=len(pieces.training),
        bars=bars,
        test=len(tests),
        threshold=threshold,
        notes_in_a_bar=notes_in_bar,
        note_f1=OrderedDict(
            [
                ("kernels of a bar", [interval(by_work(tests, of_bars))]),
                (f"kernels of {design.kernel} events", [interval(by_work(tests, of_events))]),
                ("difference", [interval(difference)]),
            ]
        ),
        right_events=interval(by_work(tests, right)),
    )


def _f1(recipe: BarRecipe, pieces: Sequence[Piece], threshold: float) -> list[float]:
    scores = []
    for piece in pieces:
        found, true = recipe.decoded(piece) >= threshold, piece.bars > 0.5
        scores.append(2 * float((found & true).sum()) / max(float(found.sum() + true.sum()), 1.0))
    return scores


def _decoded(network: ConvWta, design: Design, line: Line) -> NDArray[np.int64]:
    from terzetto_export.conv_wta.performance_recipe import decoded

    return np.asarray(decoded(network, design, middle(line, design.kernel)).argmax(axis=0), np.int64)
