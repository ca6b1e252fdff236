"""The card of a timbre model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from terzetto.timbre.xsynth_model import TimbreModel
from terzetto_export.card import Card
from terzetto_export.xsynth.sources import FLUID_R3, FONT, PHILHARMONIA

ERRORS = {
    "partials": "partials, dB (weighted by how loud they are)",
    "noise": "noise between them, dB",
    "bands": "spectral envelope, dB",
    "level": "the target's own level, dB",
    "right": "frames whose pitch is heard right, to a quarter tone",
    "told": "frames that a sorter of real ones hears as the target",
}
SHARES = ("right", "told")


def write_card(
    model: TimbreModel,
    errors: Mapping[str, float],
    licence: str,
    recordings: Sequence[Path] | None,
    facts: Sequence[tuple[str, str]],
    command: str,
    more: str = "",
) -> Path:
    """Write the card of an exported model.

    Parameters
    ----------
    errors
        On the validation set, by the names of `ERRORS`.
    recordings
        A user's own, if any.
    more
        What ``terzetto evaluate timbre`` says.
    """
    rows = "\n".join(
        f"| {text} | {100 * errors[name]:.1f} % |" if name in SHARES else f"| {text} | {errors[name]:.2f} |"
        for name, text in ERRORS.items()
        if name in errors
    )
    metrics = (
        "Held-out pitches (of one's own recordings: their ends), played in by sounds drawn at random, chords and "
        f"noises among them; mean absolute errors:\n\n| | |\n|---|---|\n{rows}"
    )
    window = "1024 samples at 48 kHz" if model.low_latency else "2048 samples at 48 kHz"
    return Card(
        title=f"Timbre ({model.name})",
        summary=(
            f"Plays what it hears as {', '.join(model.instruments)}. A network on frames of {window} says at which "
            "pitch a frame sounds and how strong the target's partials and noise would be there; these are laid "
            "exactly on the input's pitch, as loud as the input. Use: `terzetto morph --to`, or Terzetto Timbre."
        ),
        licence=licence,
        data=_data(recordings),
        metrics="\n\n".join(each for each in (metrics, more.strip()) if each),
        limits=(
            "One pitch at a time is played by the target's partials. Chords and sounds without pitch keep their own "
            "partials and take the target's spectral envelope only, so they sound less like it. Below about 80 "
            "Hz the pitch is less sure; a loud, steady tone of odd partials alone may pass for a chord. Beyond the "
            "target's own range its envelope is drawn on: no such instrument exists. Attacks are as sharp as the "
            "input's, and a plucked sound stays plucked. In stereo what is made is mono, placed by the "
            "channels' loudness."
        ),
        command=command,
        facts=facts,
        sources=(
            "Gabrielli, Cella, Vesperini, Droghini, Principi, Squartini, Deep Learning for Timbre Modification and "
            "Transfer: an Evaluation Study, AES 144, 2018 (autoencoder of spectra, input context, LSTM)",
            "Serra, Smith, Spectral modeling synthesis, Computer Music Journal 1990 (partials and noise)",
            "Rodet, Depalle, Spectral envelopes and inverse FFT synthesis, AES 93, 1992 (partials laid into frames)",
        ),
    ).write(model.path)


def _data(recordings: Sequence[Path] | None) -> list[tuple[str, str, str]]:
    if recordings:
        return [(path.name, "the user's own", "all but its end") for path in recordings]
    return [
        (
            "Philharmonia Orchestra sound samples",
            "CC BY-SA 3.0",
            f"200 notes each of {', '.join(PHILHARMONIA)}; a tenth of the pitches for validation, a tenth for the test",
        ),
        (
            f"{FONT.source} ({FONT.file})",
            FONT.licence,
            f"{', '.join(FLUID_R3)}: every pitch of the range, three velocities",
        ),
        ("sounds drawn at random", "none needed", "what goes in while training"),
    ]
