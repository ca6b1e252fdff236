"""Who says what the prior draws: forests that have never heard the kit that it is drawn about.

A sorter knows the kits it has learned from by heart: what is drawn about a tom that its kit's maker might as well have
called a kick is a tom to it. One that was taught by other kits says what it is to anybody else (cross-fitting:
Chernozhukov et al. 2018). A sound font beside the kits, whose notes say what they are, teaches what drums are called
elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from terzetto.analysis.drum_spectra import mel_levels
from terzetto.drums.drum_map import CLASSES
from terzetto.drums.sound_image import from_image
from terzetto.drums.sound_synthesis import synthesise
from terzetto_export.drum_sounds.network import SoundAutoencoder
from terzetto_export.drum_sounds.one_shots import OneShot
from terzetto_export.drum_sounds.recognised import Hear
from terzetto_export.drum_sounds.typical import held_out

if TYPE_CHECKING:
    from sklearn.ensemble import ExtraTreesClassifier

TREES, FEWEST, SHARE = 200, 2, 0.2
"""Trees, sounds in a leaf, and of the features those that a branch is chosen from."""
EDGES = (0, 1, 2, 3, 5, 8, 12, 20, 35, 60, 101)
"""Of windows in time, in frames of 10 ms."""
DEPTHS = (0.3, 0.5, 0.7)
"""Of a range's loudest level: for how long it stays above says how it rings."""
Float = NDArray[np.float32]


def strangers(autoencoder: SoundAutoencoder, sounds: Sequence[OneShot], elsewhere: Sequence[OneShot] = ()) -> Hear:
    """Teach forests, each by all kits but one, and return what asks the right one.

    Parameters
    ----------
    autoencoder
        Whose points are to be told.
    sounds
        What is drawn about: an original is an index into them. With fewer than three kits sounds are held out instead,
        as in `typical`.
    elsewhere
        Sounds that teach all of them.
    """
    _, kit = np.unique([sound.kit for sound in sounds], return_inverse=True)
    fold = held_out(kit, np.arange(len(sounds)))
    features = np.stack([heard(sound.audio) for sound in (*sounds, *elsewhere)])
    named = np.array([sound.sound_class for sound in (*sounds, *elsewhere)])
    fold_of_row = np.concatenate([fold, np.full(len(elsewhere), -1)])
    forests = {each: _taught(features[fold_of_row != each], named[fold_of_row != each]) for each in set(fold.tolist())}

    def hear(points: Float, sound_class: int, original: int) -> Float:
        forest = forests[int(fold[original])]
        column = np.flatnonzero(forest.classes_ == sound_class)
        if not len(column):
            return np.zeros(len(points), np.float32)
        found = forest.predict_proba(np.stack([heard(each) for each in decoded(autoencoder, points, sound_class)]))
        return np.asarray(found[:, column[0]], np.float32)

    return hear


def heard(audio: Float) -> Float:
    """Return what a forest hears of a sound (44.1 kHz): 32 bands in 10 windows, how loud 8 get and for how long."""
    levels = mel_levels(audio)
    frames, bands = levels.shape
    windows = np.stack([levels[a:b].mean(axis=0) for a, b in pairwise(EDGES)]).reshape(len(EDGES) - 1, -1, 2)
    ranges = levels.reshape(frames, 8, bands // 8).mean(axis=2)
    loudest = ranges.max(axis=0)
    rings = np.concatenate([(ranges > depth * loudest).sum(axis=0) for depth in DEPTHS])
    slope = np.diff(windows.mean(axis=(1, 2)))
    return np.concatenate([windows.mean(axis=2).ravel(), loudest, np.log1p(rings), slope]).astype(np.float32)


def decoded(network: SoundAutoencoder, points: Float, sound_class: int) -> list[Float]:
    """Return the sounds of points (n, L) of a class, as the engine makes them."""
    condition = torch.zeros(len(points), len(CLASSES))
    condition[:, sound_class] = 1.0
    with torch.no_grad():
        images, strips = network.decoder(torch.from_numpy(points), condition)
    return [
        synthesise(from_image(image, strip), seed)
        for seed, (image, strip) in enumerate(zip(images.numpy(), strips.numpy(), strict=True))
    ]


def _taught(features: Float, classes: NDArray[np.int64]) -> ExtraTreesClassifier:
    """Return a forest of extremely randomised trees (Geurts et al. 2006) to which all classes weigh the same."""
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier(
        TREES, min_samples_leaf=FEWEST, max_features=SHARE, class_weight="balanced", random_state=0
    ).fit(features, classes)
