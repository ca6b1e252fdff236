"""Where the score of a take comes from."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from terzetto.audio.files import Take
from terzetto.audio.patterns import check_pattern
from terzetto.errors import InputError, TerzettoWarning
from terzetto.models import identity
from terzetto.progress import Progress
from terzetto.score.notes import Score
from terzetto.score.read import read_score


@dataclass(frozen=True)
class TakeScore:
    """The score of one take.

    Attributes
    ----------
    score : Score
    path : str
        Of its file; empty if there is none.
    made : bool
        Whether its times were found from the take: then it is worth keeping beside the stems.
    report : dict
        What is to be said about it, ready for JSON.
    """

    score: Score
    path: str
    made: bool = False
    report: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ScoreSource:
    """Finds the score of each take.

    Attributes
    ----------
    pattern : str
        Path of the score; ``{track}`` stands for the take's name without its ending. Empty: there is none, and the
        notes are heard from the take.
    options : dict
        Passed to `read_score`.
    align : bool
        Whether its times are not the take's and are to be found.
    """

    pattern: str
    options: dict[str, Any] = field(default_factory=dict)
    align: bool = False

    def __post_init__(self) -> None:
        check_pattern("--score", self.pattern, {"track", "stem"})

    def of(self, path: str) -> ScoreSource:
        """Return a source that has the score of one take at a path."""
        return replace(self, pattern=path.replace("{", "{{").replace("}", "}}"))

    @property
    def makes_score(self) -> bool:
        """Whether a score comes out beside the stems: one that was aligned or heard."""
        return self.align or not self.pattern

    def models(self) -> dict[str, str | None]:
        """Return the SHA-256 of the models that decide on a score's notes and hands, by name."""
        from terzetto.score import hand_labels, transcription

        names = [hand_labels.DEFAULT_MODEL, *([] if self.pattern else [transcription.MODEL])]
        return {name: identity(name) for name in names}

    def check(self) -> None:
        """Raise `InputError` if something is asked of a score that is not there."""
        if self.pattern:
            return
        if self.align:
            raise InputError("--align finds a score's times in the take; give the score with --score")
        for name, value in self.options.items():
            if value and name != "split_pitch":
                raise InputError(f"--{name.replace('_', '-')} is about a score; give the score with --score")

    def get(self, path: Path, take: Take, need_hands: bool, progress: Progress) -> TakeScore:
        """Return the score of a take.

        Parameters
        ----------
        path
            Of the take.
        take
            Its audio.
        need_hands
            See `read_score`.
        progress
            Runs from 0 to 1 while the score is being found.

        Raises
        ------
        InputError
            It cannot be read, or does not fit the take; or nothing is heard in the take.
        """
        if not self.pattern:
            return self._hear(take, progress)
        file = self.pattern.format(track=path.stem, stem=path.stem)
        score = read_score(file, need_hands=need_hands, **self.options)
        if not self.align:
            return TakeScore(score, file, report=self._fit(file, take, score))
        from terzetto.score.alignment import align

        found = align(take, score, progress)
        return TakeScore(found.score, file, made=True, report={"alignment": found.to_json()})

    def _fit(self, file: str, take: Take, score: Score) -> dict[str, Any]:
        """Return how well the score's times fit the take; warn if they do not."""
        from terzetto.score.fit import FITS, fit

        found = fit(take, score)
        if found is None:
            return {}
        if found < FITS:
            warnings.warn(
                f"the take does not strike the notes of {file} where the score has them (fit {max(found, 0.0):.2f}; "
                f"{FITS:g} and more is usual): if it is a sheet, or starts elsewhere, add --align; or it is another "
                "piece's",
                TerzettoWarning,
                stacklevel=2,
            )
        return {"fit": round(found, 3)}

    def _hear(self, take: Take, progress: Progress) -> TakeScore:
        from terzetto.score.hearing import hear

        score = hear(take, progress)
        split = self.options.get("split_pitch")
        return TakeScore(score if split is None else score.split_at(split), "", made=True)
