"""The process that learns a take, beside the one that plays: ``python -m terzetto.hands.training``.

It reads one job from its standard input (a JSON header after its length, then the audio as float32 if it comes along)
and writes messages to its standard output: a letter, a length, and the content: ``p`` progress up to the first window,
``s`` the score where the job has none, a sheet, one at other times than the take's, or one without hands, ``l`` a
window's name and what was learned, ``e`` an error, ``d`` done.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
import sys
import warnings
from typing import IO, Any

import numpy as np

from terzetto.audio.files import ArrayTake, FileTake, Take
from terzetto.errors import InputError, TerzettoError, TerzettoWarning
from terzetto.hands.learning import learn
from terzetto.hands.storage import to_bytes
from terzetto.models import noting_models
from terzetto.progress import Progress, between, silent
from terzetto.score import embedded
from terzetto.score.notes import Score

LENGTH = struct.Struct(">I")
_NICENESS = 10


def write(stream: IO[bytes], kind: str, content: bytes) -> None:
    """Write a message."""
    stream.write(kind.encode() + LENGTH.pack(len(content)) + content)
    stream.flush()


def read(stream: IO[bytes]) -> tuple[str, bytes] | None:
    """Read a message; None at the end."""
    head = stream.read(1 + LENGTH.size)
    if len(head) < 1 + LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head[1:])
    content = stream.read(length)
    return (head[:1].decode("latin-1"), content) if len(content) == length else None


def main(source: IO[bytes], sink: IO[bytes]) -> None:
    """Do one job."""
    (length,) = LENGTH.unpack(source.read(LENGTH.size))
    job: dict[str, Any] = json.loads(source.read(length))
    windows: list[str] = job["windows"]
    try:
        with contextlib.ExitStack() as stack:
            take: Take
            if job.get("path"):
                take = stack.enter_context(FileTake(job["path"]))
            else:
                audio = np.frombuffer(source.read(), np.float32).reshape(job["channels"], -1)
                if not audio.shape[1]:
                    raise InputError("nothing was heard: play the take while Learn is on")
                take = ArrayTake(audio, job["sample_rate"])

            def tell(stage: str, fraction: float) -> None:
                write(sink, "p", struct.pack(">f", fraction))

            with noting_models() as models:
                score, told = _score(job, take, between(tell, 0.0, 0.6))
            progress: Progress = tell
            if told:
                write(sink, "s", json.dumps({**embedded.to_json(score), **told, "models": models}).encode())
                progress = between(tell, 0.6, 1.0)
            for window in windows:
                learned = learn(take, score, window=window, progress=progress)
                write(sink, "l", window.encode() + b"\0" + to_bytes(learned))
                progress = silent  # playback is ready; the other windows follow unseen
        write(sink, "d", b"")
    except TerzettoError as error:
        write(sink, "e", str(error).encode())
    except MemoryError:
        write(sink, "e", b"there is not enough memory to learn this take; learn a shorter part of it")


def _score(job: dict[str, Any], take: Take, progress: Progress) -> tuple[Score, dict[str, Any]]:
    """Return the score to learn by and, where it is not the job's own, what is to be said of it.

    What has to be found wants libraries that those who bring all of it need not load.
    """
    if job["score"] is None:
        from terzetto.score.hearing import hear

        return hear(take, progress), {"note": "", "aligned": False}
    score = embedded.from_json(job["score"])
    told: dict[str, Any] = {}
    if job["align"]:
        from terzetto.score.alignment import align

        found = align(take, score, progress)
        score, told = found.score, {"note": " ".join(found.findings), "aligned": True}
    elif (timed := _in_time(take, score, progress)) is not None:
        score, told = timed
    if not score.has_hands:
        from terzetto.score.hand_labels import label_hands

        score, told = label_hands(score), told or {"note": "", "aligned": False}
    return score, told


def _in_time(take: Take, score: Score, progress: Progress) -> tuple[Score, dict[str, Any]] | None:
    """Align a score whose times were said to be the take's and are not; None: they are, or nobody can tell."""
    from terzetto.score.fit import FITS, fit

    found = fit(take, score)
    if found is None or found >= FITS:
        return None
    from terzetto.score.alignment import align

    try:
        aligned = align(take, score, progress)
    except InputError as error:
        doubt = f"The score's notes are not where the take plays them, and cannot be aligned: {error}."
        return score, {"note": doubt, "aligned": False}
    said = ("The score's notes were not where the take plays them, so they were aligned.", *aligned.findings)
    return aligned.score, {"note": " ".join(said), "aligned": True}


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    warnings.simplefilter("ignore", TerzettoWarning)
    with contextlib.suppress(BrokenPipeError):
        main(sys.stdin.buffer, sys.stdout.buffer)
