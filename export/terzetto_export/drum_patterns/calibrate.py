"""Thresholds, temperature and style strength, chosen on the validation set with the exported model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from terzetto.drums.pattern_features import Bars
from terzetto.drums.patterns import PatternModel
from terzetto.evaluate.drum_patterns import best_threshold, f1_by_file, statistics_distance
from terzetto_export.drum_patterns.corpus import Corpus
from terzetto_export.drum_patterns.export import Map, Settings
from terzetto_export.drum_patterns.judge import StyleJudge

TEMPERATURES = (0.7, 0.8, 0.9, 1.0)
PAD_THRESHOLDS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.5)
STRENGTHS = (0.5, 1.0, 1.5, 2.0, 3.0)
SAMPLES = 2000
POINTS = 500


def calibrate(
    model: PatternModel, training: Corpus, validation: Corpus, tell: Callable[[str], None], seed: int = 0
) -> Settings:
    """Choose thresholds by F1, the temperature by the statistics of samples, the strength by the judge.

    The strength is the one with which samples are recognised about as often as real validation bars.
    """
    z = model.encode_arrays(validation.bars)
    truth = validation.bars.fine > 0.5
    decoded = model.decode(z)
    fine, f1 = best_threshold(decoded.fine, truth, validation.file)
    hits, f1_hits = best_threshold(decoded.hits, validation.bars.hits > 0.5, validation.file)
    model.thresholds = {"fine": fine, "hits": hits}
    scores = {}
    for threshold in PAD_THRESHOLDS:
        model.thresholds["pad"] = threshold
        fine_of_pad = model.decode(model.pad_latents(model.pad_positions(z))).fine
        scores[threshold] = float(f1_by_file(fine_of_pad >= threshold, truth, validation.file).mean())
    pad = max(scores, key=lambda threshold: scores[threshold])
    f1_pad = scores[pad]
    tell(f"validation: F1 {f1:.3f} on 64 steps, {f1_hits:.3f} on 16, {f1_pad:.3f} from the pad")
    settings = Settings(fine, hits, pad)
    model.thresholds = {"fine": fine, "hits": hits, "pad": pad}
    distances = []
    for temperature in TEMPERATURES:
        model.temperature = temperature
        found = played(model, model.samples(seed, SAMPLES))
        distances.append(float(np.nanmean(list(statistics_distance(found, training.bars).values()))))
    temperature = TEMPERATURES[int(np.argmin(distances))]
    model.temperature = temperature
    tell(f"temperature {temperature:g}: samples' statistics lie {min(distances):.3f} standard deviations off")
    strength = 1.0
    if len(model.styles) > 1:
        strength = _strength(model, training, validation, tell, seed)
    return Settings(settings.fine, settings.hits, settings.pad, temperature, strength)


def _strength(
    model: PatternModel, training: Corpus, validation: Corpus, tell: Callable[[str], None], seed: int
) -> float:
    label, wanted = training.style(model.styles), validation.style(model.styles)
    known = label >= 0
    judge = StyleJudge(training.bars.at(known), label[known], seed=seed)
    real = judge.accuracy(validation.bars.at(wanted >= 0), wanted[wanted >= 0])
    drawn = np.random.default_rng(seed).choice(wanted[wanted >= 0], SAMPLES)
    found = []
    for strength in STRENGTHS:
        model.style_strength = strength
        found.append(judge.accuracy(styled(model, drawn, seed), drawn))
    best = int(np.argmin(np.abs(np.array(found) - real - 0.02)))
    model.style_strength = STRENGTHS[best]
    tell(
        f"style strength {STRENGTHS[best]:g}: recognised {found[best]:.3f}, real validation bars {real:.3f} "
        f"({', '.join(f'{s:g}: {f:.3f}' for s, f in zip(STRENGTHS, found, strict=True))})"
    )
    return STRENGTHS[best]


def played(model: PatternModel, z: NDArray[np.float32]) -> Bars:
    """Return bars as they are played at points of the latent space: hits made of probabilities."""
    decoded = model.decode(z)
    fine = (decoded.fine >= model.thresholds["fine"]).astype(np.float32)
    hits = (decoded.hits >= model.thresholds["hits"]).astype(np.float32)
    return Bars(fine, hits, decoded.velocities * hits, decoded.offsets * hits)


def styled(model: PatternModel, style: NDArray[np.int64], seed: int) -> Bars:
    """Return one sample for each of some styles (indices)."""
    z = np.zeros((len(style), model.latent_size), np.float32)
    for each in np.unique(style):
        rows = np.flatnonzero(style == each)
        z[rows] = model.samples(seed + int(each), len(rows), model.styles[each])
    return played(model, z)


def map_points(model: PatternModel, training: Corpus, styles: Sequence[str], seed: int = 0) -> Map:
    """Return where some training bars lie on the pad: x, y, and the style's index or -1."""
    n = min(POINTS, len(training))
    chosen = np.sort(np.random.default_rng(seed).choice(len(training), n, replace=False))
    xy = model.pad_positions(model.encode_arrays(training.bars.at(chosen)))
    style = training.style(styles)[chosen]
    return [(round(float(x), 2), round(float(y), 2), int(s)) for (x, y), s in zip(xy, style, strict=True)]
