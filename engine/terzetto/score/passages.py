"""Which passages of a take are aligned, and what is to be said about the others."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from terzetto.score.notes import Score
from terzetto.score.structure import Passage

_OVERLAP = 1.5  # seconds by which passages may overlap in the score
_WORTH = 3.0  # seconds that are worth a sentence
_NEAR = 3.0  # seconds from an end of the score: as good as at its end
_AS_PLAYED = (
    "give the score as it is played (--repeats writes out the repeats of a MusicXML or kern sheet), else these seconds "
    "have no notes"
)


def chain(passages: Sequence[Passage]) -> tuple[tuple[Passage, ...], tuple[Passage, ...]]:
    """Part passages into the longest chain in which take and score both go on, and the others."""
    best: list[tuple[float, int]] = []  # length of the chain that ends here (few passages preferred), the one before
    for number, passage in enumerate(passages):
        length, before = 0.0, -1
        for earlier in range(number):
            if best[earlier][0] > length and passages[earlier].score[1] <= passage.score[0] + _OVERLAP:
                length, before = best[earlier][0], earlier
        best.append((length + passage.take[1] - passage.take[0] - 0.5, before))
    at = max(range(len(passages)), key=lambda number: best[number][0], default=-1)
    members = []
    while at >= 0:
        members.append(at)
        at = best[at][1]
    kept = tuple(passages[number] for number in sorted(members))
    return kept, tuple(passage for number, passage in enumerate(passages) if number not in members)


def extend(passages: Sequence[Passage], length: float, score: Score) -> tuple[Passage, ...]:
    """Let the first and last passage reach the ends of the score if they are near; passages do not overlap in it."""
    end, last_onset = score.end, float(score.onset[-1])
    result = list(passages)
    for number, passage in enumerate(result):
        (start, stop), (first, last) = passage.take, passage.score
        if number == 0 and first < _NEAR:
            start, first = max(start - first, 0.0), 0.0
        if number == len(result) - 1 and last > last_onset - _NEAR:
            stop, last = min(stop + max(end - last, 0.0), length), end + 0.01
        if number and first < result[number - 1].score[1]:
            first = result[number - 1].score[1]
        result[number] = Passage((start, stop), (first, max(last, first + 0.1)), passage.distance)
    return tuple(result)


def describe(passages: Sequence[Passage], others: Sequence[Passage], score: Score, length: float) -> tuple[str, ...]:
    """Say in sentences what the take does otherwise than the score."""
    sentences = []
    first, last = passages[0], passages[-1]
    if first.score[0] > _NEAR:
        sentences.append(
            f"The take begins at {_place(score, first.score[0])} of the score: what comes before is left out."
        )
    busy = [other.take for other in others]
    for start, end, where in ((0.0, first.take[0], "before"), (last.take[1], length, "after")):
        if end - start > _WORTH and not any(a < end - 1 and b > start + 1 for a, b in busy):
            sentences.append(f"From {_time(start)} to {_time(end)}, {where} the score, the take plays nothing of it.")
    for before, after in itertools.pairwise(passages):
        skipped, added = after.score[0] - before.score[1], after.take[0] - before.take[1]
        if skipped > _WORTH:
            sentences.append(
                f"From {_time(before.take[1])} on the take does not follow the score: it leaves out "
                f"{_span(score, before.score[1], after.score[0])} and goes on at {_time(after.take[0])}."
            )
        elif added > _WORTH and not any(a < after.take[0] - 1 and b > before.take[1] + 1 for a, b in busy):
            sentences.append(
                f"From {_time(before.take[1])} to {_time(after.take[0])} the take plays something that is not in the "
                f"score (it stands at {_place(score, after.score[0])})."
            )
    sentences += [
        f"From {_time(other.take[0])} to {_time(other.take[1])} the take does not follow the score: it plays "
        f"{_span(score, *other.score)} once more, a repeat that is not written out; {_AS_PLAYED}."
        for other in others
        if other.take[1] - other.take[0] > _WORTH
    ]
    if last.score[1] < float(score.onset[-1]) - _NEAR:
        sentences.append(
            f"The take ends at {_place(score, last.score[1])} of the score, {score.end - last.score[1]:.0f} s before "
            "the score does: what follows is left out."
        )
    return tuple(sentences)


def _time(seconds: float) -> str:
    """Return minutes and seconds."""
    return f"{int(seconds + 0.5) // 60}:{int(seconds + 0.5) % 60:02d}"


def _place(score: Score, seconds: float) -> str:
    """Name a place in the score: the bar if it knows bars, and the time."""
    index = int(np.searchsorted(score.bars[:, 0], seconds + 0.05, side="right")) - 1
    bar = f"bar {int(score.bars[max(index, 0), 1])} " if len(score.bars) else ""
    return f"{bar}({_time(seconds)})" if bar else _time(seconds)


def _span(score: Score, start: float, end: float) -> str:
    """Name a stretch of the score."""
    return f"the score from {_place(score, start)} to {_place(score, max(end - 0.1, start))}"
