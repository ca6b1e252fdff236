"""The reconstruction check, and the singers put into everything that was trained: the slides' first experiment."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from terzetto.evaluate.intervals import interval
from terzetto.evaluate.timbre import loudness_error, mfcc_distance
from terzetto_export.xsynth_paper import figures
from terzetto_export.xsynth_paper.image_style import transfer
from terzetto_export.xsynth_paper.measures import (
    jumps,
    levels,
    log_spectral_distance,
    magnitudes,
    pitch_kept,
)
from terzetto_export.xsynth_paper.network import KINDS, PLAIN, WITH_CONTEXT, X_SYNTH
from terzetto_export.xsynth_paper.networks import CLASS, ENVELOPE, MOSAIC, ONE, OURS, RECORDING, WHOLE, Bank
from terzetto_export.xsynth_paper.pitch import track
from terzetto_export.xsynth_paper.sounds import SAMPLE_RATE, Float, Material, Tell
from terzetto_export.xsynth_paper.tables import Section, shown, spread, table

IMAGE = "image style transfer"
_TITLES = {PLAIN: PLAIN.name, WITH_CONTEXT: WITH_CONTEXT.name, X_SYNTH: "X-Synth"}
MEASURES = ("kept", "timbre distance", "jumps", "loudness error")


def reconstruction(material: Material, bank: Bank, out: Path) -> Section:
    """Give the networks what they learned from, and phrases of the same instrument that they did not."""
    section = Section("Reconstruction check, and the ablation")
    learned = material.recording[: 6 * SAMPLE_RATE]
    fresh = np.concatenate(material.fresh)
    rows = []
    for data in (RECORDING, CLASS):
        for kind in KINDS:
            name = f"{_TITLES[kind]}, {data}"
            found = [log_spectral_distance(x, bank.converts[name](x)) for x in (learned, fresh)]
            error = -max(bank.trained[name]["validation"])
            section.numbers[name] = {"squared error": error, "learned, dB": found[0], "fresh, dB": found[1]}
            rows.append([name, shown(error, 3), shown(found[0]), shown(found[1]), str(bank.trained[name]["epochs"])])
    nearest = _nearest_frames(material.recording, fresh)
    section.numbers["nearest learned frame, fresh, dB"] = nearest
    rows.append(["the nearest frame of the recording", "", "0.00", shown(nearest), ""])
    section.lines += [
        "Squared error: of a normalised, compressed frame held out, what training minimises. Distances: log-spectral,",
        "over 60 dB, of 6 s of the one recording and of 6 s of two tenor saxophones that nobody learned from",
        "([learned](reconstruction.png), [training](training.png)).",
        "",
        *table(["", "squared error, held out", "recording, dB", "fresh phrases, dB", "epochs"], rows),
    ]
    pair = {"Original (input and target)": learned, "Reconstruction, X-Synth": bank.converts[ONE](learned)}
    figures.spectrograms(pair, out / "reconstruction.png", "Sanity check: the one recording", 1)
    losses = {name: [-v for v in bank.trained[name]["validation"]] for name in bank.learned}
    figures.curves(
        losses, out / "training.png", "Error on what is held out (energy through the network: on a scale of its own)"
    )
    return section


def singing(material: Material, bank: Bank, out: Path, tell: Tell, *, image_steps: int, seed: int) -> Section:
    """Put the singers into all: pitch, timbre, continuity and loudness, over phrases."""
    section = Section("Singers in: the proposed approach, k-NN matching, spectral flattening, pictures")
    tracks = [track(voice) for voice in material.voices]
    rows = []
    target = {True: np.concatenate(material.whole_class), False: material.recording}
    sung = {name: material.voices for name in ("the input itself", f"the input itself, from the {CLASS}")}
    for name, convert in bank.converts.items():
        sung[name] = [convert(voice) for voice in material.voices]
        tell(f"singers: {name}")
    for name, outputs in sung.items():
        wanted = target[CLASS in name or name == OURS]
        found: dict[str, list[float]] = {measure: [] for measure in MEASURES}
        for voice, wanted_pitch, made in zip(material.voices, tracks, outputs, strict=True):
            for measure, value in zip(MEASURES, _judge(voice, wanted_pitch, made, wanted), strict=True):
                found[measure].append(value)
        section.numbers[name] = {measure: interval(values) for measure, values in found.items()}
        digits = (2 if measure == "kept" else 1 for measure in MEASURES)
        rows.append([name, *map(spread, section.numbers[name].values(), digits)])
    section.lines += [
        f"{len(tracks)} phrases of singers, 3 s each, none learned from; means and 95 % intervals over phrases. Kept:",
        "the share of the singer's voiced frames in which the output has her pitch within 50 cents. Timbre",
        "distance: of mean MFCC from the one recording's, or from the class's. Jumps: of MFCC from frame to frame.",
        "Loudness error: mean absolute difference, dB. Terzetto's own has learned from the class.",
        "",
        *table(["", *MEASURES], rows),
    ]
    if image_steps:
        section.lines += _pictures(material, out, section, image_steps, seed)
    _draw(material, bank, out)
    return section


def _judge(voice: Float, pitch: Any, made: Float, wanted: Float) -> tuple[float, float, float, float]:
    kept = pitch_kept(pitch, made).kept
    distance = mfcc_distance(wanted, made, SAMPLE_RATE)
    return kept, distance, jumps(made), loudness_error(voice, made, SAMPLE_RATE)


def _pictures(material: Material, out: Path, section: Section, steps: int, seed: int) -> list[str]:
    """Take FV1's spectrogram and the recording's for pictures, as Gatys does."""
    import soundfile

    style = _loudest(material.recording, len(material.voice))
    made = transfer(material.voice, style, steps=steps, seed=seed)
    pitch = track(material.voice)
    kept, distance, jump, loud = _judge(material.voice, pitch, made.audio, material.recording)
    identity = _judge(material.voice, pitch, material.voice, material.recording)
    section.numbers[IMAGE] = {
        **asdict(pitch_kept(pitch, made.audio)),
        "timbre distance": distance,
        "jumps": jump,
        "loudness error": loud,
        "style loss, first and last": [made.style[0], made.style[-1]],
        "content loss, last": made.content[-1],
    }
    sounds = {"FV1 (content)": material.voice, "the recording (style)": style, "image style transfer": made.audio}
    figures.spectrograms(sounds, out / "image_style.png", "Spectrograms taken as pictures", 3)
    soundfile.write(out / "audio" / "fv1_image_style.wav", quiet(made.audio), SAMPLE_RATE)
    return [
        f"**Image style transfer** (Gatys), FV1 alone, {steps} steps: the style loss falls to "
        f"{made.style[-1] / made.style[0]:.1%} of what it was. What is heard keeps {kept:.2f} of the pitch, "
        f"at a timbre distance of {distance:.1f} (the input's own: {identity[1]:.1f}) with jumps of {jump:.1f} (the "
        f"input's: {identity[2]:.1f}): [picture](image_style.png).",
        "",
    ]


def _loudest(audio: Float, length: int) -> Float:
    """Return the stretch of so many samples that holds the most energy, on a grid of tenths of a second."""
    starts = range(0, max(len(audio) - length, 0) + 1, SAMPLE_RATE // 10)
    power = np.concatenate([[0.0], np.cumsum(audio.astype(np.float64) ** 2)])
    first = max(starts, key=lambda start: power[min(start + length, len(audio))] - power[start])
    return audio[first : first + length]


def _draw(material: Material, bank: Bank, out: Path) -> None:
    """Draw the slides' four spectrograms, and write what becomes of FV1."""
    import soundfile

    sounds = {"Female voice FV1 (input)": material.voice}
    wanted = {
        "The proposed approach, one recording": ONE,
        "k-NN matching": MOSAIC,
        "Spectral flattening": ENVELOPE,
        "The proposed approach, class": WHOLE,
        "plain autoencoder, one recording": f"{PLAIN.name}, {RECORDING}",
    }
    sounds |= {title: bank.converts[name](material.voice) for title, name in wanted.items() if name in bank.converts}
    figures.spectrograms(sounds, out / "fv1.png", "FV1 in, tenor saxophone learned")
    soundfile.write(out / "audio" / "fv1.wav", material.voice, SAMPLE_RATE)
    for name, convert in bank.converts.items():
        stem = name.lower().replace(",", "").replace(" ", "_").replace("+", "and").replace("'", "")
        soundfile.write(out / "audio" / f"fv1_{stem}.wav", quiet(convert(material.voice)), SAMPLE_RATE)


def quiet(audio: Float) -> Float:
    """Return a sound that does not clip."""
    return np.asarray(audio / max(1.0, float(np.abs(audio).max())), np.float32)


def _nearest_frames(learned: Float, fresh: Float) -> float:
    """Return the log-spectral distance that replacing every frame by the nearest learned one leaves, in dB."""
    from sklearn.neighbors import NearestNeighbors

    spectra = [magnitudes(learned), magnitudes(fresh)]
    loud = [np.maximum(np.linalg.norm(each, axis=1, keepdims=True), 1e-6) for each in spectra]
    first, second = (np.sqrt(each / norm) for each, norm in zip(spectra, loud, strict=True))
    nearest = NearestNeighbors(n_neighbors=1).fit(first).kneighbors(second)[1][:, 0]
    made = spectra[0][nearest] / loud[0][nearest] * loud[1]
    return float(np.sqrt(((levels(made) - levels(spectra[1])) ** 2).mean(axis=1)).mean())
