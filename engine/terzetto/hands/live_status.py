"""The one line that says how Hands stands and what to do next."""

from __future__ import annotations

from pathlib import Path

from terzetto.hands.lessons import Lessons
from terzetto.hands.project import HEARD, Project


def status(project: Project, lessons: Lessons, window: str, matches: bool, note: str) -> str:
    """Return the line.

    Parameters
    ----------
    window
        The one that is chosen.
    matches
        Whether the audio is the take that was learned.
    note
        What the user should know beside it.
    """
    return f"{_line(project, lessons, window, matches)} {note}".strip()


def _line(project: Project, lessons: Lessons, window: str, matches: bool) -> str:
    if lessons.listening:
        return "Listening: play the take from its beginning to its end, then switch Learn off."
    if lessons.learning:
        return "Learning what was heard; playback may go on."
    if project.score is None:
        return (
            "Drop the take's score here (.mid, .musicxml, .csv), or press Learn and play the take once: its notes are "
            "heard then. Until then the take plays unchanged."
        )
    name = Path(project.path).name or ("the notes that were heard" if project.origin == HEARD else "its notes")
    if project.timed_score is None:
        return (
            f"{name} tells the notes but not when they are played: press Learn and play the take once, then it is "
            "aligned. Until then the take plays unchanged."
        )
    if window not in project.learned:
        return f"Parting the hands by {name} alone: press Learn and play the take once to part them well."
    if not matches:
        return (
            "This is not the take that was learned, so it plays unchanged: press Learn and play it once, or set where "
            "the take starts."
        )
    return f"Ready: parting the hands of {name} ({len(project.score)} notes)."
