"""Chords in, noise in, the bandwidth, the averaged timbre of a class, and energy through the network or around it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from terzetto.evaluate.intervals import interval
from terzetto.evaluate.timbre import loudness_error
from terzetto_export.xsynth_paper import figures
from terzetto_export.xsynth_paper.measures import (
    bandwidth,
    chroma_likeness,
    flatness,
    loudness_slope,
    timbre_spread,
    voiced_share,
)
from terzetto_export.xsynth_paper.networks import ENVELOPE, INSIDE, MOSAIC, ONE, OURS, RIVAL, WHOLE, Bank, by_split
from terzetto_export.xsynth_paper.sounds import INSTRUMENT, SAMPLE_RATE, Float, Material, noise, vowel
from terzetto_export.xsynth_paper.tables import Section, shown, spread, table

_ALL = (ONE, WHOLE, RIVAL, ENVELOPE, MOSAIC, OURS)


def chords(material: Material, bank: Bank) -> Section:
    """Put piano phrases in, and ask whether the notes that sound together are still there."""
    section = Section("Chords in")
    phrases = material.chords
    others = [*phrases[1:], phrases[0][::-1].copy()]
    floor = interval([chroma_likeness(a, b) for a, b in zip(phrases, others, strict=True)])
    rows = [["another phrase (the floor)", spread(floor)]]
    section.numbers["another phrase"] = floor
    for name, convert in bank.those(_ALL).items():
        found = interval([chroma_likeness(phrase, convert(phrase)) for phrase in phrases])
        section.numbers[name] = found
        rows.append([name, spread(found)])
    section.lines += [
        f"{len(phrases)} piano phrases of 3 s; how alike the chroma of output and input are (cosine).",
        "",
        *table(["", "chroma likeness"], rows),
    ]
    return section


def unpitched(bank: Bank) -> Section:
    """Put bursts of noise in, and ask whether what comes out is unpitched too."""
    section = Section("Unpitched in")
    hiss = noise()
    rows = []
    for name, made in [("the noise", hiss), *((name, c(hiss)) for name, c in bank.those(_ALL).items())]:
        voiced, flat = voiced_share(made), flatness(made)
        section.numbers[name] = {"voiced": voiced, "flatness": flat}
        rows.append([name, shown(voiced), shown(flat, 3)])
    section.lines += [
        "Four bursts of noise. Voiced: the share of frames in which Praat hears a pitch. Flatness: 1 noise, 0 a tone.",
        "",
        *table(["", "voiced", "flatness below 8 kHz"], rows),
    ]
    return section


def bandwidths(material: Material, bank: Bank) -> Section:
    """Compare how high the outputs reach with what was learned from; the input is the singers."""
    section = Section("Bandwidth of the output")
    voices = np.concatenate(material.voices[:4])
    rows = [["the singers (input)", "", f"{bandwidth(voices):.0f}"]]
    learned = {ONE: material.recording, WHOLE: np.concatenate(material.whole_class)}
    learned |= {
        name: np.concatenate(by_split(material, name.removeprefix("X-Synth, class "))[0])
        for name in bank.learned
        if name.startswith("X-Synth, class ")
    }
    pairs = []
    for name, sound in learned.items():
        pairs.append((bandwidth(sound), bandwidth(bank.converts[name](voices))))
        rows.append([name, f"{pairs[-1][0]:.0f}", f"{pairs[-1][1]:.0f}"])
    section.numbers = {"input, Hz": bandwidth(voices), "learned and output, Hz": dict(zip(learned, pairs, strict=True))}
    section.lines += [
        "Below which frequency lie 99.9 % of the energy, in Hz; four phrases of singers in.",
        "",
        *table(["", "of what was learned from", "of the output"], rows),
    ]
    if len(pairs) > 4:
        from scipy.stats import spearmanr

        rank = spearmanr(*zip(*pairs, strict=True))
        section.numbers["Spearman"] = {"rho": float(rank.statistic), "p": float(rank.pvalue), "networks": len(pairs)}
        section.lines += [
            f"Rank correlation over {len(pairs)} networks: {rank.statistic:.2f} (p = {rank.pvalue:.2g}).",
            "",
        ]
    return section


def averaged(material: Material, bank: Bank) -> Section:
    """Give back a class's notes that were held out, and ask how much of their variety is left."""
    section = Section("One recording against a whole class: the averaged timbre")
    notes = by_split(material, INSTRUMENT)[1]
    fresh = material.fresh
    whole = timbre_spread([bank.converts[WHOLE](note) for note in notes]) / timbre_spread(notes)
    one = timbre_spread([bank.converts[ONE](x) for x in fresh]) / timbre_spread(fresh)
    sung = {
        name: timbre_spread([bank.converts[name](v) for v in material.voices]) / timbre_spread(material.voices)
        for name in (ONE, WHOLE)
    }
    section.numbers = {"class": whole, "recording": one, "singers": sung}
    section.lines += [
        "How far the frames' MFCC lie from their mean, in the output over in the input (1: all variety is left).",
        "",
        *table(
            ["", "its own instrument, not learned from", f"{len(material.voices)} phrases of singers"],
            [[ONE, shown(one), shown(sung[ONE])], [WHOLE, shown(whole), shown(sung[WHOLE])]],
        ),
    ]
    return section


def energy(material: Material, bank: Bank, out: Path) -> Section:
    """Put in a vowel that swells and the recording's instrument, and ask whether the level is carried."""
    section = Section("Energy through the network or around it")
    sung: Float = vowel(np.zeros(3 * SAMPLE_RATE), 60.0)
    sung = (sung * 10 ** (np.linspace(-40, 0, len(sung)) / 20)).astype(np.float32)
    inputs = {"a crescendo of 40 dB": sung, "two saxophones": np.concatenate(material.fresh)}
    rows = []
    drawn = {"the vowel": sung}
    for name, convert in bank.those([ONE, INSIDE, MOSAIC, RIVAL, OURS]).items():
        row = [name]
        for kind, sound in inputs.items():
            made = convert(sound)
            slope, error = loudness_slope(sound, made), loudness_error(sound, made, SAMPLE_RATE)
            section.numbers[f"{name}: {kind}"] = {"slope": slope, "error": error}
            row += [shown(slope), shown(error, 1)]
            if kind.startswith("a crescendo") and name in (ONE, INSIDE):
                drawn[name] = made
        rows.append(row)
    figures.loudness(drawn, out / "energy.png", "A crescendo of 40 dB in: levels out")
    section.lines += [
        "Slope: dB out for a dB in. Error: mean absolute difference in dB ([picture](energy.png)).",
        "",
        *table(["", *(f"{kind}: {what}" for kind in inputs for what in ("slope", "error"))], rows),
    ]
    return section
