"""Which training sounds are typical of their class: new ones are drawn about these only.

Classes come from the names of folders and files, which nobody has checked by ear: some closed hats ring for a second,
some toms are kicks. A sound is typical if a classifier that knows the other kits only would put it into its class too
(confident learning, Northcutt et al. 2021, in its simplest form).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FEWEST = 0.35
"""Of a class's sounds, the likeliest ones, are typical in any case."""
_FOLDS = 5


def typical(
    features: NDArray[np.floating], classes: NDArray[np.int64], kits: NDArray[np.int64], originals: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return which sounds are typical, (n,).

    Parameters
    ----------
    features
        (n, d): what is known of the sounds but for their classes.
    classes, kits
        (n,). With fewer than three kits sounds are held out instead.
    originals
        (n,): of which sound each is a variant; variants are held out together.
    """
    if len(np.unique(classes)) < 2:
        return np.ones(len(classes), np.bool_)
    folds = held_out(kits, originals)
    likely = np.zeros(len(classes))
    for fold in np.unique(folds):
        out = folds == fold
        likely[out] = likelihood(features[~out], classes[~out], features[out], classes[out])
    result = likely > 0.5
    for each in np.unique(classes):
        members = np.flatnonzero(classes == each)
        best = members[np.argsort(-likely[members])][: max(round(FEWEST * len(members)), 2)]
        result[best] = True
    return result


def held_out(kits: NDArray[np.int64], originals: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return what is held out together, (n,): a kit; a fifth of the sounds with fewer than three kits."""
    return kits if len(np.unique(kits)) > 2 else originals % _FOLDS


def likelihood(
    known: NDArray[np.floating], known_classes: NDArray[np.int64], seen: NDArray[np.floating], named: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return how likely sounds are of the classes that they are named after, all classes being equally common."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    present = np.unique(known_classes)
    model = LinearDiscriminantAnalysis("lsqr", shrinkage="auto", priors=np.full(len(present), 1 / len(present)))
    if len(present) < 2:
        return np.ones(len(seen))
    probability = model.fit(known, known_classes).predict_proba(seen)
    column = {each: index for index, each in enumerate(present)}
    return np.array(
        [row[column[each]] if each in column else 0.0 for row, each in zip(probability, named, strict=True)]
    )
