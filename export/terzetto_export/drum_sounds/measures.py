"""All figures of a sound model, with what a sceptic would try beside them, and the judge's own beside those."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terzetto.drums.drum_map import CLASSES
from terzetto.drums.sound_sources import SPREAD
from terzetto.drums.sounds import SoundModel
from terzetto.evaluate import sound_faults
from terzetto.evaluate.drum_sounds import evaluate, frechet_distance, macro_recall, recall_lost, recalls
from terzetto_export.drum_sounds.baselines import nearest, principal_components
from terzetto_export.drum_sounds.judge import Judge, Verdict
from terzetto_export.drum_sounds.one_shots import SAMPLE_RATE, OneShot, Tell, counts, in_split

Results = OrderedDict[str, Any]
Float = NDArray[np.float32]
Int = NDArray[np.int64]
JUDGED = 800
"""Samples that are judged; all of them are searched for faults."""
SPREADS, SPREAD_SAMPLES = (0.1, 0.25, 0.5, 0.75, 1.0), 400
"""How far from what is typical samples go, and how many are judged of each."""
DRAWS = 20
TIMED = 40


def measure(
    model: SoundModel, sounds: Sequence[OneShot], judge: Judge, tell: Tell, *, samples: int = 10_000, seed: int = 0
) -> Results:
    """Return all of it for the test sounds.

    Parameters
    ----------
    sounds
        All that the model was trained on, chosen by and not trained on, with their splits.
    judge
        Who has heard none of them.
    samples
        Of the prior, classes in turn; the first 800 are judged, all are searched for faults.
    """
    training, test = in_split(sounds, "train"), in_split(sounds, "test")
    results: Results = OrderedDict(training=counts(training), test=counts(test))
    tell("reconstructions …")
    rebuilt = [reconstructed(model, sound) for sound in test]
    verdict = judge.hear([sound.audio for sound in test])
    others = OrderedDict(
        {
            "reconstructions": rebuilt,
            "nearest training sound of the class": nearest(test, training),
            f"PCA-{model.latent_size} of the spectrum": principal_components(test, training, model.latent_size),
        }
    )
    results["distance"] = OrderedDict((name, _distances(test, found)) for name, found in others.items())
    results["recognised"] = OrderedDict({"real sounds": _recognised(test, verdict.classes)})
    heard = {name: judge.hear(found) for name, found in others.items()}
    for name, found in heard.items():
        results["recognised"][name] = _recognised(test, found.classes, verdict.classes)
    tell(f"{samples} samples …")
    drawn: list[tuple[int, Float]] = []
    results["faults"] = OrderedDict(samples=sound_faults.count(_noting(model, samples, seed, drawn), SAMPLE_RATE))
    results["faults"]["reconstructions"] = sound_faults.count(rebuilt, SAMPLE_RATE)
    results["faults"]["real sounds"] = sound_faults.count((sound.audio for sound in test), SAMPLE_RATE)
    usable = [(label, sound) for label, sound in drawn if np.isfinite(sound).all() and sound.any()]
    label = np.array([label for label, _ in usable], np.int64)
    sampled = judge.hear([sound for _, sound in usable])
    results["recognised"]["samples"] = _recall(label, sampled.classes, np.arange(len(label)))
    results["Fréchet distance"] = _frechet(judge, training, test, verdict, heard["reconstructions"], label, sampled)
    tell("samples by spread …")
    results["spread"] = _by_spread(model, judge, test, verdict.embeddings, min(samples, SPREAD_SAMPLES), seed)
    results["decode, ms"] = decode_time(model)
    return results


def reconstructed(model: SoundModel, sound: OneShot) -> Float:
    """Return a sound through the latent space and back."""
    name = CLASSES[sound.sound_class]
    return model.decode(model.encode(sound.audio, SAMPLE_RATE, name), name)


def drawn_sounds(model: SoundModel, number: int, seed: int = 0, spread: float = SPREAD) -> Iterator[tuple[int, Float]]:
    """Yield samples of the prior, one of each class in turn, with their classes."""
    indices = [CLASSES.index(name) for name in model.classes]
    for i in range(number):
        sound_class = indices[i % len(indices)]
        z = model.sample(CLASSES[sound_class], seed + i, spread)
        yield sound_class, model.decode(z, CLASSES[sound_class], seed + i)


def _noting(model: SoundModel, number: int, seed: int, noted: list[tuple[int, Float]]) -> Iterator[Float]:
    """Yield samples, and note the first of them."""
    for each in drawn_sounds(model, number, seed):
        if len(noted) < JUDGED:
            noted.append(each)
        yield each[1]


def _distances(test: Sequence[OneShot], found: Sequence[Float]) -> OrderedDict[str, dict[str, float]]:
    from terzetto.analysis.drum_spectra import from_onset

    real = [from_onset(sound.audio) for sound in test]
    return evaluate(real, [from_onset(sound) for sound in found], [sound.kit for sound in test], SAMPLE_RATE)


def _recognised(test: Sequence[OneShot], found: Int, before: Int | None = None) -> Results:
    truth, kit = np.array([sound.sound_class for sound in test], np.int64), [sound.kit for sound in test]
    results = _recall(truth, found, kit)
    if before is not None:
        results["lost"] = recall_lost(truth, before, found, kit, len(CLASSES))
        results["same verdict"] = float(np.mean(before == found))
    return results


def _recall(truth: Int, found: Int, unit: Sequence[str] | Int) -> Results:
    results: Results = OrderedDict(macro=macro_recall(truth, found, unit, len(CLASSES)))
    results["classes"] = OrderedDict(zip(CLASSES, recalls(truth, found, len(CLASSES)).tolist(), strict=True))
    table = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
    np.add.at(table, (truth, found), 1)
    results["heard as"] = table.tolist()
    return results


def _frechet(
    judge: Judge,
    training: Sequence[OneShot],
    test: Sequence[OneShot],
    real: Verdict,
    rebuilt: Verdict,
    label: Int,
    sampled: Verdict,
) -> Results:
    """Return distances to the real test sounds of sets that have as many sounds of each class.

    There are none where there are fewer test sounds than the embeddings need.
    """
    truth = np.array([sound.sound_class for sound in test], np.int64)
    known = judge.hear([sound.audio for sound in training]).embeddings
    known_label = np.array([sound.sound_class for sound in training], np.int64)
    results: Results = OrderedDict(dimensions=real.embeddings.shape[1], sounds=len(test))
    if len(test) <= real.embeddings.shape[1]:
        return results
    results["reconstructions"] = {"mean": frechet_distance(real.embeddings, rebuilt.embeddings)}
    for name, embeddings, classes in (
        ("samples", sampled.embeddings, label),
        ("real training sounds (the floor)", known, known_label),
        ("real training sounds of any class", known, np.zeros_like(known_label)),
    ):
        wanted = truth if classes.any() else np.zeros_like(truth)
        random = np.random.default_rng(0)
        values = [frechet_distance(real.embeddings, embeddings[_alike(wanted, classes, random)]) for _ in range(DRAWS)]
        low, high = np.percentile(values, (2.5, 97.5))
        results[name] = {"mean": float(np.mean(values)), "low": float(low), "high": float(high)}
    return results


def _by_spread(
    model: SoundModel, judge: Judge, test: Sequence[OneShot], real: NDArray[np.float64], number: int, seed: int
) -> Results:
    """Return how samples are recognised, and how far they are from real ones, the further they may go."""
    truth = np.array([sound.sound_class for sound in test], np.int64)
    results: Results = OrderedDict()
    for spread in SPREADS:
        drawn = list(drawn_sounds(model, number, seed, spread))
        usable = [(label, sound) for label, sound in drawn if np.isfinite(sound).all() and sound.any()]
        label = np.array([label for label, _ in usable], np.int64)
        heard = judge.hear([sound for _, sound in usable])
        row: Results = OrderedDict(macro=macro_recall(label, heard.classes, np.arange(len(label)), len(CLASSES)))
        if len(test) > real.shape[1]:
            random = np.random.default_rng(0)
            distances = [frechet_distance(real, heard.embeddings[_alike(truth, label, random)]) for _ in range(DRAWS)]
            row["Fréchet distance"] = {"mean": float(np.mean(distances))}
        results[f"{spread:g}"] = row
    return results


def _alike(wanted: Int, classes: Int, random: np.random.Generator) -> Int:
    """Draw rows with as many of each class as wanted; again only where there are too few."""
    rows = []
    for each, number in zip(*np.unique(wanted, return_counts=True), strict=True):
        there = np.flatnonzero(classes == each)
        rows.append(random.choice(there, number, replace=len(there) < number))
    return np.concatenate(rows)


def decode_time(model: SoundModel) -> dict[str, float]:
    """Return how long a decode takes in ms: the median and 95 % of wall time, and the mean of processor time."""
    points = [(name, model.sample(name, i)) for i, name in enumerate(islice(_round(model.classes), TIMED))]
    model.decode(points[0][1], points[0][0])
    walls, began = [], time.process_time()
    for name, z in points:
        start = time.perf_counter()
        model.decode(z, name)
        walls.append(1000 * (time.perf_counter() - start))
    processor = 1000 * (time.process_time() - began) / len(points)
    return {"median": float(np.median(walls)), "95 %": float(np.percentile(walls, 95)), "processor": processor}


def _round(names: Sequence[str]) -> Iterator[str]:
    while True:
        yield from names
