"""The card of a sound model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import process_time

import numpy as np

from terzetto.drums.drum_map import CLASSES
from terzetto.drums.sounds import SoundModel, prepare
from terzetto.evaluate.drum_sounds import evaluate
from terzetto_export.card import Card
from terzetto_export.drum_data.files import SPLITS
from terzetto_export.drum_sounds.one_shots import OneShot, counts, in_split
from terzetto_export.drum_sounds.sources import rows

_TIMED = 20


def write_card(
    model: SoundModel,
    sounds: Sequence[OneShot],
    licence: str,
    folders: Sequence[Path] | None,
    facts: Sequence[tuple[str, str]],
    command: str,
    more: str = "",
) -> Path:
    """Measure an exported model on its test kits and write its card.

    Parameters
    ----------
    folders
        One's own data, if any.
    more
        What ``terzetto evaluate drum-sounds`` says.
    """
    size = f"{model.model.path.stat().st_size / 1e6:.1f} MB"
    return Card(
        title=f"Drum sounds ({model.model.name})",
        summary=(
            f"A one-shot of up to 1.5 s in, {model.latent_size} numbers out, and back, given its class "
            f"({', '.join(model.classes)}). It writes a sound's body, noise and partials, from which the sound is made "
            "without a phase to recover. A mixture of Gaussians for each class draws new sounds, unless told "
            "otherwise of the more typical half; a pad for each class, "
            "darker to brighter and shorter to longer, is laid over the latent space. Use: `terzetto.drums.sounds`."
        ),
        licence=licence,
        data=_data(sounds, folders),
        metrics="\n\n".join(
            f"```\n{each}\n```" for each in (measured(model, in_split(sounds, "test")), more.strip()) if each
        ),
        limits=(
            "Mono, and what lies behind 1.5 s is cut: long cymbals end in a fade. What is below 300 Hz is one moving "
            "sine: two partials there beat against each other only while the sound is young. Partials start at phase "
            "0, so a decoded sound does not cancel its original. Noise is a new draw for every seed. Claps and open "
            "hats are few, and sounds of no class (bells, shakers, scratches) are many and unlike each other: these "
            "are reconstructed least well. Pads show what is typical of a class; rare sounds lie off them."
        ),
        command=command,
        facts=[*facts, ("size", size)],
        sources=[
            "Brock et al.: Large scale GAN training, ICLR 2019 (a prior that is truncated)",
            "Chemla--Romeu-Santos et al.: Latent sequencing for dynamic musical patterns, 2019 (section 4)",
            "Geurts et al.: Extremely randomized trees, Machine Learning 2006 (who says what is typical)",
            "Nelson: Cross-spectral methods for processing speech, JASA 2001 (what is a partial)",
            "Perez et al.: FiLM: visual reasoning with a general conditioning layer, AAAI 2018 (the decoder)",
            "Vincent, Bengio: Manifold Parzen windows, NIPS 2002 (the prior)",
        ],
    ).write(model.model.path)


def measured(model: SoundModel, sounds: Sequence[OneShot]) -> str:
    """Return how near reconstructions of sounds are, and how long one takes, as a table."""
    sounds = [sound for sound in sounds if CLASSES[sound.sound_class] in model.classes]
    originals = [prepare(sound.audio, model.sample_rate) for sound in sounds]
    points = [
        model.encode(audio, model.sample_rate, CLASSES[sound.sound_class])
        for audio, sound in zip(originals, sounds, strict=True)
    ]
    decoded = [model.decode(z, CLASSES[sound.sound_class]) for z, sound in zip(points, sounds, strict=True)]
    lines = [f"{counts(sounds)}, held out"]
    for name, value in evaluate(originals, decoded, [sound.kit for sound in sounds]).items():
        lines.append(f"{name:44} {value['mean']:.2f} [{value['low']:.2f}, {value['high']:.2f}]")
    longest = points[int(np.argmax([len(audio) for audio in decoded]))]
    spent = []
    for seed in range(_TIMED):
        began = process_time()
        model.decode(longest, model.classes[0], seed)
        spent.append(1e3 * (process_time() - began))
    lines.append(f"{'decoding the longest, ms on one core':44} {np.median(spent):.1f}")
    return "\n".join(lines)


def _data(sounds: Sequence[OneShot], folders: Sequence[Path] | None) -> list[tuple[str, str, str]]:
    training, chosen_by, held_out = (in_split(sounds, split) for split in SPLITS)
    whole = f"{counts(training)} to train; {counts(chosen_by)} to choose by; {counts(held_out)} held out"
    own = [folder.name for folder in folders] if folders else None
    return [*rows(training, own), ("all", "", whole)]
