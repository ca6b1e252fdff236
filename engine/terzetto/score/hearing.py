"""The score of a take that came without one: its notes are transcribed, and each is given to a hand."""

from __future__ import annotations

from terzetto.audio.files import Take
from terzetto.progress import Progress, between, silent
from terzetto.score.hand_labels import label_hands
from terzetto.score.notes import Score
from terzetto.score.transcription import transcribe


def hear(take: Take, progress: Progress = silent) -> Score:
    """Return the notes of a piano recording with their hands.

    Raises
    ------
    InputError
        Nothing is heard, or it does not sound like a piano.
    """
    score = transcribe(take, between(progress, 0.0, 0.95))
    progress("telling the hands apart", 0.95)
    return label_hands(score)
