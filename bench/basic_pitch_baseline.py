"""How well basic-pitch 0.4.0 (Spotify's general transcription model) hears the same takes, measured the same way.

Its wheel asks for TensorFlow on Python 3.11, but holds an ONNX model too; so: pip download --no-deps
basic-pitch==0.4.0, unzip it, pip install --no-deps pretty_midi resampy six importlib_resources, and

    PYTHONPATH=FOLDER_OF_THE_WHEEL python bench/basic_pitch_baseline.py DATA_DIR...

The model was trained on MAESTRO among others (CC BY-NC-SA): compare with it, ship it not.
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import soundfile

from terzetto.audio.files import Take
from terzetto.evaluate.transcription import evaluate, table
from terzetto.score.notes import UNKNOWN, Score

# The package's default drops notes below 128 ms; a piano has many.
SHORTEST_NOTES = (127.7, 58.0)


def main(folders: list[str]) -> None:
    warnings.simplefilter("ignore")
    import basic_pitch
    from basic_pitch.inference import Model, predict

    model = Model(Path(basic_pitch.__file__).parent / "saved_models/icassp_2022/nmp.onnx")
    for shortest in SHORTEST_NOTES:

        def transcribe(take: Take, shortest: float = shortest) -> Score:
            with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
                path = Path(folder) / "take.wav"
                soundfile.write(path, take.read(0, take.frames).T, int(take.sample_rate))
                _, _, notes = predict(path, model, minimum_note_length=shortest)
            onset, offset, pitch, amplitude = (np.array(column) for column in list(zip(*notes, strict=True))[:4])
            nothing = np.full(len(onset), UNKNOWN)
            loud = np.clip(amplitude, 0, 1)
            return Score(onset, offset, pitch, loud, nothing, np.zeros(len(onset), int), ("basic-pitch",))

        for folder in folders:
            print(f"\nbasic-pitch 0.4.0, notes of at least {shortest:g} ms: {folder}")
            print(table(evaluate(Path(folder), transcribe, shift=True)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
