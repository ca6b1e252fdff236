"""Pitch: where it goes out of the range that was learned, at B4 + 13 cents, and where it glides."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terzetto_export.xsynth_paper import figures
from terzetto_export.xsynth_paper.measures import pitch_kept, spectrum_at
from terzetto_export.xsynth_paper.networks import ENVELOPE, MOSAIC, ONE, OURS, RIVAL, WHOLE, Bank
from terzetto_export.xsynth_paper.pitch import track
from terzetto_export.xsynth_paper.sounds import GRID, HIGHEST, SAMPLE_RATE, Float, Material, vowel
from terzetto_export.xsynth_paper.tables import Section, shown, table

B4_13 = 497.6
"""Hz: where the slides' singer holds an /i:/."""
LOWEST, TOP = 52, 80
TONE = 0.6
MARGIN = 4  # frames of a tone's beginning and end that are not judged


def range_limit(material: Material, bank: Bank, out: Path) -> Section:
    """Sing every semitone from E3 to G#5 into the networks; then look at the singer's B4 as the slides do."""
    section = Section("The range that was learned: G#4, and B4 + 13 cents")
    pitches = list(range(LOWEST, TOP + 1))
    sung = np.concatenate([vowel(np.zeros(int(TONE * SAMPLE_RATE)), pitch) for pitch in pitches])
    rows = []
    for name, convert in bank.those([ONE, WHOLE, RIVAL, ENVELOPE, MOSAIC, OURS]).items():
        kept = _kept(convert(sung), pitches)
        low, high = (float(np.mean(kept[_rows(pitches, above)])) for above in (False, True))
        section.numbers[name] = {"kept up to G#4": low, "kept above": high, "semitones": kept.tolist()}
        rows.append([name, shown(low), shown(high)])
    section.lines += [
        "Every semitone from E3 to G#5 as a sung vowel, 0.6 s each; the one recording has nothing above G#4, the class",
        "has notes from D3 to F6. Kept: the median of the output's pitch is within 50 cents, and most frames have one.",
        "",
        *table(["", "kept up to G#4 (17 semitones)", "kept above (12)"], rows),
    ]
    section.lines += _b4(material, bank, out, section)
    return section


def _b4(material: Material, bank: Bank, out: Path, section: Section) -> list[str]:
    import soxr

    held, sung = held_b4(material.voice)
    voice = np.asarray(soxr.resample(material.voice, B4_13, sung), np.float32)
    second, frequency = held * sung / B4_13, B4_13
    outputs = {"FV1 (input)": voice}
    outputs |= {name: convert(voice) for name, convert in bank.those([ONE, WHOLE, OURS]).items()}
    marks = {"B4 + 13 cents": frequency, "B4": 440 * 2 ** (2 / 12), "G#4": 440 * 2 ** (-1 / 12)}
    figures.spectra(
        {name: (audio, second) for name, audio in outputs.items()},
        marks,
        out / "b4.png",
        f"DFT of 4096 points at {second:.2f} s, where FV1 holds B4 + 13 cents",
    )
    rows = []
    for name, audio in outputs.items():
        at, under = peak_near(audio, second, frequency)
        below = _octave_below(audio, second, frequency)
        section.numbers[f"B4: {name}"] = {"cents": at, "under the loudest, dB": under, "an octave below, dB": below}
        rows.append([name, f"{round(at) + 0:+d}", shown(under, 1), shown(below, 1)])
    return [
        f"FV1 holds {sung:.1f} Hz at {held:.2f} s; played {100 * (B4_13 / sung - 1):.1f} % faster it is the slides' "
        f"B4 + 13 cents, {B4_13} Hz ([picture](b4.png)):",
        "",
        *table(
            ["", "peak beside it, cents", "its level, dB", "what was not sung: the octave below, dB"],
            rows,
        ),
    ]


def movement(bank: Bank, out: Path) -> Section:
    """Let a vowel glide over a fifth and tremble by half a semitone; the pitch is known to the sample."""
    section = Section("Glissando and vibrato")
    time = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    inputs: dict[str, tuple[NDArray[np.float64], float]] = {
        "glissando": (700 * np.clip((time - 0.4) / 1.2, 0, 1), 57.0),
        "vibrato": (50 * np.sin(2 * np.pi * 5.5 * time) * np.clip(time / 0.5, 0, 1), 62.0),
    }
    rows, drawn = [], {}
    names = [ONE, WHOLE, RIVAL, ENVELOPE, MOSAIC, OURS]
    numbers: dict[str, list[str]] = {name: [] for name in bank.those(names)}
    for kind, (cents, pitch) in inputs.items():
        sung = vowel(cents, pitch)
        truth = pitch + cents[:: GRID.hop_length] / 100
        truth = np.append(truth, truth[-1])[: 1 + len(sung) // GRID.hop_length]
        truth[:MARGIN] = truth[-MARGIN:] = np.nan
        drawn[kind] = {"sung": truth}
        for name, convert in bank.those(names).items():
            made = convert(sung)
            kept = pitch_kept(truth, made)
            section.numbers[f"{name}: {kind}"] = asdict(kept)
            numbers[name] += [shown(kept.kept), shown(kept.cents, 0), shown(kept.swing)]
            if name in (ONE, WHOLE, OURS, MOSAIC):
                drawn[kind][name] = track(made)
    rows = [[name, *values] for name, values in numbers.items()]
    figures.pitches(drawn, out / "movement.png", "What was sung, and what came out")
    section.lines += [
        "A vowel from A3 up to E4 within 1.2 s, and one on D4 that trembles by ±50 cents 5.5 times a second",
        "([picture](movement.png)). Swing: how much of the movement is left, 1 all of it.",
        "",
        *table(["", *(f"{kind}: {what}" for kind in inputs for what in ("kept", "cents off", "swing"))], rows),
    ]
    return section


def _kept(audio: Float, pitches: list[int]) -> NDArray[np.bool_]:
    """Return which of the tones one after another have their pitch."""
    midi = track(audio)
    edges = (np.arange(len(pitches) + 1) * TONE / GRID.hop_seconds).astype(int)
    kept = []
    for pitch, first, last in zip(pitches, edges[:-1], edges[1:], strict=True):
        tone = midi[first + MARGIN : last - MARGIN]
        voiced = tone[~np.isnan(tone)]
        kept.append(len(voiced) > len(tone) / 2 and abs(float(np.median(voiced)) - pitch) <= 0.5)
    return np.array(kept)


def _rows(pitches: list[int], above: bool) -> NDArray[np.bool_]:
    return np.asarray((np.array(pitches) > HIGHEST) == above)


def held_b4(voice: Float) -> tuple[float, float]:
    """Return when the singer's pitch lies steadiest at the slides' frequency, and what it is then, in Hz."""
    midi = track(voice)
    wanted = 69 + 12 * np.log2(B4_13 / 440)
    reach = 3
    best, place = np.inf, reach
    for frame in range(reach, len(midi) - reach):
        near = midi[frame - reach : frame + reach + 1]
        off = float(np.abs(near - wanted).mean())  # NaN where there is no pitch: never better
        if off < best:
            best, place = off, frame
    second = place * GRID.hop_seconds
    tracked = float(440 * 2 ** ((np.median(midi[place - 1 : place + 2]) - 69) / 12))
    return second, tracked * 2 ** (peak_near(voice, second, tracked)[0] / 1200)  # the tracker's steps are 10 cents


def peak_near(audio: Float, second: float, frequency: float) -> tuple[float, float]:
    """Return the largest peak within a whole tone of a frequency: cents off, by a parabola, and its level in dB."""
    hertz, level = spectrum_at(audio, second)
    near = np.flatnonzero(np.abs(np.log2(np.maximum(hertz, 1) / frequency)) < 2 / 12)
    top = int(near[np.argmax(level[near])])
    a, b, c = level[top - 1 : top + 2]
    shift = 0.5 * (a - c) / min(a - 2 * b + c, -1e-9)
    at = (top + float(np.clip(shift, -1, 1))) * hertz[1]
    return 1200 * float(np.log2(at / frequency)), float(level[top])


def _octave_below(audio: Float, second: float, frequency: float) -> float:
    """Return the level in dB of what lies within a semitone of half the frequency."""
    hertz, level = spectrum_at(audio, second)
    return float(level[np.abs(np.log2(np.maximum(hertz, 1) / (frequency / 2))) < 1 / 12].max())
