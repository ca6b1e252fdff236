"""Notes out of a recording of a piano, with no score: a small network in ONNX Runtime, and what it must not be given.

The take is analysed in pieces that overlap by all that an answer depends on, so cutting changes nothing, and only the
model's answer is held for the whole take (70 kB a second). A take in which nothing is heard, or which does not sound
like a piano, is said to be so.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.files import Take
from terzetto.audio.pitch_spectra import FRAME_RATE, PITCHES, frames_of, level_gain, pieces
from terzetto.errors import InputError, ModelError, TerzettoWarning
from terzetto.models import Model, find_model
from terzetto.progress import Progress, silent
from terzetto.score.note_picking import ONSET, Thresholds, pick_notes
from terzetto.score.notes import Score

Float = NDArray[np.float32]
TASK = "transcription"
MODEL = "transcription"
# Frames in a piece: 10 s.
PIECE = 500
# Onsets that matter at all for how sure the model is.
_FAINT = 0.1


@dataclass(frozen=True)
class Confidence:
    """How much a take sounds like what the model knows.

    Attributes
    ----------
    certainty : float
        Of all that might be an onset (probability 0.1 and above), the share of probability above one half: near 1 for
        a piano, low for what only now and then resembles one.
    notes_per_second : float
    """

    certainty: float
    notes_per_second: float


def transcribe(take: Take, progress: Progress = silent, model: str = MODEL) -> Score:
    """Return the notes of a piano recording.

    Parameters
    ----------
    take
        Any rate and length, mono or stereo.
    model
        Name of an installed model for this task, or the path of an ``.onnx`` file.

    Returns
    -------
    Score
        Hands unknown; velocities are estimates; a note ends where it stops sounding, be it key, pedal or decay.

    Raises
    ------
    InputError
        Nothing is heard, there are no notes, or this is clearly not a piano.
    ModelError
        There is no such model, or it is for something else.

    Warns
    -----
    TerzettoWarning
        Hardly any notes, or it hardly sounds like a piano.
    """
    return transcribe_with(find_model(TASK, model), take, progress)


def transcribe_with(model: Model, take: Take, progress: Progress = silent, piece: int = PIECE) -> Score:
    """Return the notes of a piano recording by an opened model; see `transcribe`."""
    if level_gain(take) == 0.0:
        raise InputError("nothing is heard in this take: it is silent from beginning to end")
    thresholds, limits = _settings(model)
    answer = activations(model, take, progress, piece)
    score, _ = pick_notes(answer, thresholds, take.frames / take.sample_rate)
    _judge(confidence(answer, score, take), score, limits)
    return score


def activations(model: Model, take: Take, progress: Progress = silent, piece: int = PIECE) -> Float:
    """Return probabilities (4, frames, 88) for a take: onset, sounding, offset, velocity; 50 frames a second."""
    margin, total = int(model.constants["margin"]), frames_of(take)
    answer = np.empty((4, total, PITCHES), np.float32)
    for first, last, spectra in pieces(take, piece, margin):
        (found,) = model.session.run(None, {"spectra": spectra[None]})
        answer[:, first:last] = found[0, :, margin : margin + last - first]
        progress("transcribing", last / total)
    return answer


def confidence(answer: Float, score: Score, take: Take) -> Confidence:
    """Return how much a take sounds like a piano, by a model's probabilities and the notes in them."""
    onset = answer[ONSET]
    heard = onset[onset >= _FAINT].astype(np.float64)
    certainty = float(heard[heard >= 0.5].sum() / heard.sum()) if len(heard) else 0.0
    return Confidence(certainty, len(score) / max(take.frames / take.sample_rate, 1.0 / FRAME_RATE))


def _settings(model: Model) -> tuple[Thresholds, dict[str, float]]:
    try:
        return Thresholds(**model.constants["thresholds"]), dict(model.constants["limits"])
    except (KeyError, TypeError):
        raise ModelError(f"{model.path}: the model does not say its thresholds; train it again") from None


def _judge(found: Confidence, score: Score, limits: dict[str, float]) -> None:
    """Refuse or warn of what is no piano."""
    if not len(score):
        raise InputError("no piano notes are heard in this take; is it a recording of a piano?")
    if found.certainty < limits["refused"]:
        raise InputError(
            f"this does not sound like a piano: only {found.certainty:.0%} of what might be notes is clear "
            f"(recordings of pianos: above {limits['warned']:.0%}); give a recording of a piano alone, or a score"
        )
    if found.certainty < limits["warned"]:
        warnings.warn(
            f"this hardly sounds like a piano alone: {found.certainty:.0%} of what might be notes is clear (recordings "
            f"of pianos: above {limits['warned']:.0%}); expect wrong notes",
            TerzettoWarning,
            stacklevel=4,
        )
    if found.notes_per_second < limits["sparse"]:
        warnings.warn(
            f"hardly any notes are heard: {len(score)} in {len(score) / found.notes_per_second:.0f} s",
            TerzettoWarning,
            stacklevel=4,
        )
