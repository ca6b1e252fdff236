"""What an instance of Hands keeps in the DAW's project: its score, where the take starts, what was learned."""

from __future__ import annotations

import base64
import binascii
import math
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from terzetto.errors import InputError, TerzettoWarning
from terzetto.hands.learning import WINDOWS, Learned
from terzetto.hands.storage import from_bytes, to_bytes
from terzetto.models import missing_models, noting_models
from terzetto.score import embedded
from terzetto.score.notes import Score
from terzetto.score.read import READERS, read_score
from terzetto.score.sheet import ENDINGS

TAKE, SHEET, ALIGNED, HEARD = _ORIGINS = ("take", "sheet", "aligned", "heard")
_LATEST = 1e6  # seconds


@dataclass
class Project:
    """What is kept.

    Attributes
    ----------
    score : Score or None
        In seconds from the take's beginning.
    path : str
        Where it was read; the notes are kept all the same.
    take_start : float
        Song position of the take's beginning, in seconds.
    given : bool
        Whether someone has set it; if not, it is where Learn begins.
    origin : str
        Where the score's times come from: `TAKE`, they were given as the take's; `SHEET`, they are a sheet's and of no
        use yet; `ALIGNED`, a sheet's that were found in the take; `HEARD`, all notes were heard from the take.
    models : dict
        What found the score's notes or hands, where they were not given: name → SHA-256.
    learned : dict
        By window.
    """

    score: Score | None = None
    path: str = ""
    take_start: float = 0.0
    given: bool = False
    origin: str = TAKE
    models: dict[str, str] = field(default_factory=dict)
    learned: dict[str, Learned] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict)
    _score_json: tuple[Score, dict[str, Any]] | None = None

    def keep(self, learned: Learned, data: bytes | None = None) -> None:
        """Keep what was learned for its window; ``data``: the same as bytes, if at hand."""
        self.learned[learned.window] = learned
        self._texts[learned.window] = base64.b64encode(to_bytes(learned) if data is None else data).decode()

    def anew(self) -> Project:
        """Return the project as it is before another take is learned: with what was given, without what was found."""
        if self.origin == HEARD:
            return Project(None, "", self.take_start, self.given)
        origin = SHEET if self.origin == ALIGNED else self.origin
        return Project(self.score, self.path, self.take_start, self.given, origin, dict(self.models))

    @property
    def timed_score(self) -> Score | None:
        """The score if its times are the take's."""
        return None if self.origin == SHEET else self.score

    def read(self, score: Score, path: str, models: dict[str, str]) -> None:
        """Take up the score of a file, and the models that told its hands."""
        self.score, self.path, self.models = score, path, models
        self.origin = SHEET if is_sheet(path) else TAKE

    def forget(self) -> None:
        """Forget what was learned."""
        self.learned.clear()
        self._texts.clear()

    def to_json(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        score = None
        if self.score is not None:
            if self._score_json is None or self._score_json[0] is not self.score:
                self._score_json = (self.score, embedded.to_json(self.score))
            score = {"path": self.path, **self._score_json[1]}
        return {
            "score": score,
            "take_start": self.take_start,
            "take_start_given": self.given,
            "score_origin": self.origin,
            "models": dict(self.models),
            "learned": dict(self._texts),
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> tuple[Project, list[str]]:
        """Read what `to_json` gave; what cannot be read is left out, and said in a sentence each."""
        project, problems = cls(), []
        start = content.get("take_start", 0.0)
        if isinstance(start, int | float) and math.isfinite(start):
            project.take_start = min(max(float(start), -_LATEST), _LATEST)
        project.given = content.get("take_start_given") is True
        origin = content.get("score_origin")
        project.origin = origin if origin in _ORIGINS else TAKE
        score = content.get("score")
        if isinstance(score, dict):
            try:
                project.path = str(score.get("path") or "")
                if score.get("notes") or not project.path:
                    project.score = embedded.from_json(score)
                else:
                    with noting_models() as models:
                        found_score, _ = load_score(project.path)
                    project.read(found_score, project.path, models)
            except InputError as error:
                problems.append(f"The score is missing: {error}.")
        noted = content.get("models")
        if isinstance(noted, dict):
            project.models |= {str(name): str(sha256) for name, sha256 in noted.items()}
            problems += [
                f"What it found is kept, but {problem}: learning again may find other notes or hands."
                for problem in missing_models(project.models)
            ]
        learned = content.get("learned")
        for window, text in (learned if isinstance(learned, dict) else {}).items():
            try:
                if window not in WINDOWS or not isinstance(text, str):
                    raise InputError("what was learned cannot be read; learn the take again")
                data = base64.b64decode(text, validate=True)
                found = from_bytes(data)
                if found.window != window:
                    raise InputError("what was learned is damaged; learn the take again")
                project.keep(found, data)
            except (InputError, binascii.Error, ValueError) as error:
                shown = str(error) if isinstance(error, InputError) else "it is damaged; learn the take again"
                problems.append(f"The take must be learned again: {shown}.")
        return project, problems


def is_sheet(path: str) -> bool:
    """Whether a file is of a kind whose times are never a take's."""
    return Path(path).suffix.lower() in ENDINGS


def load_score(path: str) -> tuple[Score, str]:
    """Read a score; a sentence says what had to be assumed (empty: nothing).

    Raises
    ------
    InputError
        It cannot be read.
    """
    if Path(path).suffix.lower() not in READERS:
        raise InputError(f"{Path(path).name} is no score; valid: {', '.join(READERS)}")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        score = read_score(path)
    return score, " ".join(str(each.message) + "." for each in caught if issubclass(each.category, TerzettoWarning))
