"""All figures of a pattern model, with what a sceptic would try beside them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terzetto.drums.pattern_features import Bars
from terzetto.drums.patterns import PatternModel
from terzetto.evaluate.drum_patterns import (
    best_threshold,
    changed_share,
    copies,
    f1_by_file,
    nearest_distance,
    nearest_index,
    statistics_distance,
)
from terzetto.evaluate.intervals import interval
from terzetto_export.drum_patterns.calibrate import played, styled
from terzetto_export.drum_patterns.corpus import FULL_DENSITY, Corpus
from terzetto_export.drum_patterns.judge import StyleJudge

Results = OrderedDict[str, Any]
Bool = NDArray[np.bool_]
SAMPLES = 10_000
MOVES = 1000
PAD_STEP = 1 / 64  # of the pad's width
NEIGHBOURS = 15


def reconstruction(model: PatternModel, corpus: Corpus) -> Results:
    """Return the F1 of hits by file: the whole latent on both grids, and the pad."""
    z = model.encode_arrays(corpus.bars)
    decoded = model.decode(z)
    fine, hits = corpus.bars.fine > 0.5, corpus.bars.hits > 0.5
    pad = model.decode(model.pad_latents(model.pad_positions(z))).fine
    results: Results = OrderedDict()
    results["latent, 64 steps"] = _f1(decoded.fine >= model.thresholds["fine"], fine, corpus)
    results["latent, 16 steps"] = _f1(decoded.hits >= model.thresholds["hits"], hits, corpus)
    results["pad (2-D), 64 steps"] = _f1(pad >= model.thresholds["pad"], fine, corpus)
    return results


def baselines(training: Corpus, validation: Corpus, corpus: Corpus) -> Results:
    """Return the same F1 of what knows nothing of the model, on 64 steps unless said."""
    from sklearn.decomposition import PCA

    known, truth = training.bars.fine > 0.5, corpus.bars.fine > 0.5
    results: Results = OrderedDict()
    for size in (2, 32):
        pca = PCA(min(size, len(training) - 1), random_state=0).fit(known.reshape(len(known), -1).astype(np.float32))

        def found(bars: Bars, pca: PCA = pca) -> NDArray[np.float32]:
            flat = bars.fine.reshape(len(bars), -1)
            return np.asarray(pca.inverse_transform(pca.transform(flat))).reshape(bars.fine.shape)

        threshold, _ = best_threshold(found(validation.bars), validation.bars.fine > 0.5, validation.file)
        results[f"PCA-{size}"] = _f1(found(corpus.bars) >= threshold, truth, corpus)
    results["most similar training bar"] = _f1(known[nearest_index(truth, known)], truth, corpus)
    hits, known_hits = corpus.bars.hits > 0.5, training.bars.hits > 0.5
    results["most similar training bar, 16 steps"] = _f1(known_hits[nearest_index(hits, known_hits)], hits, corpus)
    before = np.arange(len(corpus)) - 1
    again = (before >= 0) & (corpus.file[before] == corpus.file)
    if again.any():
        repeated = f1_by_file(truth[before[again]], truth[again], corpus.file[again])
        results["repeat the previous bar"] = interval(repeated)
    return results


def _f1(found: Bool, truth: Bool, corpus: Corpus) -> dict[str, float]:
    return interval(f1_by_file(found, truth, corpus.file))


def untuned(training: Corpus, validation: Corpus, corpus: Corpus, sizes: Sequence[int], seed: int = 0) -> Results:
    """Return the F1 of the paper's network on 64 steps, for some latent sizes: 30 epochs, batches of 64, β = 1."""
    from terzetto_export.latent_sequencing.network import train

    results: Results = OrderedDict()
    known, truth = training.bars.fine > 0.5, corpus.bars.fine > 0.5
    for size in sizes:
        network, _ = train(
            known, validation.bars.fine > 0.5, epochs=30, seed=seed, latent_size=size, batch=64, beta=1.0
        )
        chosen = network.probabilities(network.place(validation.bars.fine > 0.5))
        threshold, _ = best_threshold(chosen, validation.bars.fine > 0.5, validation.file)
        found = network.probabilities(network.place(truth)) >= threshold
        results[f"the paper's network, {size}-D, untuned"] = _f1(found, truth, corpus)
    return results


def samples(model: PatternModel, training: Corpus, corpus: Corpus, n: int, seed: int = 0) -> Results:
    """Return what samples of the prior are like beside real held-out bars."""
    found = played(model, model.samples(seed, n))
    results: Results = OrderedDict(samples=n, real=len(corpus))
    results["empty"] = float(1.0 - found.hits.any(axis=(1, 2)).mean())
    results["distance of statistics"] = statistics_distance(found, corpus.bars)
    results["distance of statistics, to training bars"] = statistics_distance(found, training.bars)
    results["distance of statistics, training bars to held-out"] = statistics_distance(training.bars, corpus.bars)
    for name, part in (("16 steps", "hits"), ("64 steps", "fine")):
        known = getattr(training.bars, part) > 0.5
        ours, real = getattr(found, part) > 0.5, getattr(corpus.bars, part) > 0.5
        results[f"copies, {name}"] = {"samples": float(copies(ours, known).mean())}
        results[f"copies, {name}"]["real"] = float(copies(real, known).mean())
        results[f"hits from the most similar training bar, {name}"] = {
            "samples": float(np.median(nearest_distance(ours, known))),
            "real": float(np.median(nearest_distance(real, known))),
        }
    normal, flow = model.rate(corpus.bars, seed)
    results["rate in nats"] = {"against a standard normal prior": float(normal.mean()), "flow": float(flow.mean())}
    return results


def styles(model: PatternModel, training: Corpus, corpus: Corpus, seed: int = 0) -> Results:
    """Return how often a judge recognises the style of real bars and of samples, and what else tells it."""
    from sklearn.neighbors import KNeighborsClassifier

    label, wanted = training.style(model.styles), corpus.style(model.styles)
    trained, tested = training.bars.at(label >= 0), corpus.bars.at(wanted >= 0)
    label, wanted = label[label >= 0], wanted[wanted >= 0]
    judge = StyleJudge(trained, label, seed=seed)
    drawn = np.random.default_rng(seed).choice(wanted, 5 * len(wanted))
    results: Results = OrderedDict()
    real = judge.right(tested, wanted)
    results["real bars"] = interval(_by_unit(real, corpus.file[corpus.style(model.styles) >= 0]))
    results["real bars, all alike"] = float(real.mean())
    results["samples of a style"] = judge.accuracy(styled(model, drawn, seed), drawn)
    results["majority"] = float((wanted == np.bincount(label).argmax()).mean())
    for name, place in (
        ("latent", model.encode_arrays),
        ("pad", lambda bars: model.pad_positions(model.encode_arrays(bars))),
    ):
        chosen = np.random.default_rng(seed).choice(len(trained), min(len(trained), 4000), replace=False)
        neighbours = KNeighborsClassifier(NEIGHBOURS).fit(place(trained.at(chosen)), label[chosen])
        results[f"{NEIGHBOURS} neighbours, {name}"] = float((neighbours.predict(place(tested)) == wanted).mean())
    return results


def drummers(training: Corpus, corpus: Corpus, seed: int = 0) -> float:
    """Return how often the same judge tells the drummer of real bars."""
    names = sorted({source.drummer for source in training.sources})
    label, wanted = (
        np.array([names.index(s.drummer) if s.drummer in names else -1 for s in each.sources])[each.file]
        for each in (training, corpus)
    )
    judge = StyleJudge(training.bars, label, seed=seed)
    return judge.accuracy(corpus.bars, wanted)


def _by_unit(right: Bool, unit: NDArray[np.int64]) -> NDArray[np.float64]:
    _, index = np.unique(unit, return_inverse=True)
    return np.asarray(np.bincount(index, right) / np.bincount(index), np.float64)


def controls(model: PatternModel, corpus: Corpus, seed: int = 0) -> Results:
    """Return what moving the pad and asking for a density do."""
    random = np.random.default_rng(seed)
    low, high = model.pad_range
    step = (high - low) * PAD_STEP
    start = random.uniform(low + step, high - step, (MOVES, 2)).astype(np.float32)
    angle = random.uniform(0, 2 * np.pi, MOVES)
    moved = start + step * np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    first, second = (played(model, model.pad_latents(xy)) for xy in (start, moved))
    change = changed_share(first.hits > 0.5, second.hits > 0.5)
    far = changed_share(first.hits > 0.5, first.hits[random.permutation(MOVES)] > 0.5)
    results: Results = OrderedDict()
    results["hits changed by 1/64 of the pad, median"] = float(np.median(change))
    results["hits changed by 1/64 of the pad, 90 %"] = float(np.percentile(change, 90))
    results["hits changed between two points of the pad, median"] = float(np.median(far))
    results["pad: empty"] = float(1.0 - first.hits.any(axis=(1, 2)).mean())
    results["pad: distance of statistics"] = statistics_distance(first, corpus.bars)
    z = model.encode_arrays(corpus.bars.at(slice(0, 500)))
    rows = []
    for density in (0.2, 0.4, 0.6, 0.8):
        hits = played(model, model.move(z, density=density)).hits.sum(axis=(1, 2))
        rows.append((density * FULL_DENSITY, float(hits.mean())))
    results["density: hits wanted, hits before the likeliest are taken"] = rows
    return results


def measure(
    model: PatternModel,
    training: Corpus,
    validation: Corpus,
    test: Corpus,
    tell: Callable[[str], None],
    seed: int = 0,
    sizes: Sequence[int] = (),
) -> Results:
    """Return all of it for the test bars; ``sizes`` are the latent sizes of the paper's network to train beside it."""
    results: Results = OrderedDict()
    results["bars"] = {"training": len(training), "validation": len(validation), "test": len(test)}
    results["files"] = {"test": len(test.sources)}
    tell("reconstruction and baselines …")
    results["F1"] = reconstruction(model, test)
    results["F1"].update(baselines(training, validation, test))
    results["F1"].update(untuned(training, validation, test, sizes, seed))
    tell("samples …")
    results["samples"] = samples(model, training, test, SAMPLES, seed)
    results["controls"] = controls(model, test, seed)
    if len(model.styles) > 1:
        tell("styles …")
        results["styles"] = styles(model, training, test, seed)
        known = {source.drummer for source in training.sources} - {""}
        if any(source.drummer in known for source in test.sources):
            results["drummer, told by the judge"] = drummers(training, test, seed)
    return results


def table(results: Results) -> str:
    """Return the results as text."""
    bars = results["bars"]
    lines = [
        f"{bars['test']} test bars of {results['files']['test']} files, {bars['training']} training bars; thresholds "
        f"from {bars['validation']} validation bars",
        "",
        "F1 of hits, mean over files [95 % interval]",
        *(f"  {name:42}{_cell(value)}" for name, value in results["F1"].items()),
        "",
        *_section(f"{results['samples']['samples']} samples of the prior", results["samples"]),
        "",
        *_section("pad and density", results["controls"]),
    ]
    if "styles" in results:
        lines += ["", *_section("style recognised by a random forest trained on real bars", results["styles"])]
    if "drummer, told by the judge" in results:
        lines.append(f"  {'drummer of real bars':58}{results['drummer, told by the judge']:.3f}")
    return "\n".join(lines)


def _section(title: str, values: Results) -> list[str]:
    lines = [title]
    for name, value in values.items():
        if name in {"samples", "real"}:
            continue
        if isinstance(value, dict) and "low" in value:
            value = _cell(value)
        elif isinstance(value, dict):
            value = ", ".join(f"{key} {number:.4g}" for key, number in value.items())
        elif isinstance(value, list):
            value = ", ".join(f"{a:.0f} → {b:.1f}" for a, b in value)
        elif isinstance(value, float):
            value = f"{value:.4f}"
        lines.append(f"  {name:58}{value}")
    return lines


def _cell(value: dict[str, float]) -> str:
    return f"{value['mean']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"
