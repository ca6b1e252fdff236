"""Drum sounds out of a latent space: encode one-shots, decode points of the space or of the pad laid over it.

The model is a variational autoencoder of one-shots (Chemla--Romeu-Santos et al. 2019, section 4) that knows their
class, trained by `terzetto_export.drum_sounds`. It reads and writes a sound's body, noise and partials
(`terzetto.drums.sound_maps`), from which a sound is made without any phase to recover. Two more parts come with it
in the same file:

- the prior: for every class a mixture of Gaussians about its training sounds, the most typical first, to draw new
  sounds from: from all of them or, unless told otherwise, from the more typical half;
- the pads: for every class a smooth map of a square into the latent space, darker to brighter from left to right and
  shorter to longer upwards.

Everything is deterministic: the same arguments give the same sound.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terzetto.drums.drum_map import CLASSES
from terzetto.drums.sound_image import IMAGE, STRIP, from_image, to_image
from terzetto.drums.sound_maps import FRAMES, SAMPLE_RATE, SECONDS, analyse, trim
from terzetto.drums.sound_sources import SPREAD
from terzetto.drums.sound_synthesis import synthesise
from terzetto.errors import InputError, TerzettoWarning
from terzetto.models import Model, find_model

TASK = "drum-sounds"
MODEL = "drum_sounds"
Float = NDArray[np.float32]
_GRID = 33  # points on each side of a pad, searched for a position


class SoundModel:
    """An opened sound model; `open_sound_model` finds one by its name.

    Attributes
    ----------
    classes : tuple of str
        What can be decoded, in the order of `CLASSES`.
    latent_size : int
    sample_rate : int
        44100 Hz, of all that is decoded.
    pad_range : tuple of float
        The pads' lower and upper edge in x and y.
    typical_first : bool
        Whether it says what is typical of a class; those of earlier recipes do not.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        constants = model.constants
        self.classes: tuple[str, ...] = tuple(constants["classes"])
        self.latent_size = int(constants["latent_size"])
        self.sample_rate = SAMPLE_RATE
        self.pad_range: tuple[float, float] = (float(constants["pad_range"][0]), float(constants["pad_range"][1]))
        self._on_demand = bool(constants.get("on_demand", False))
        self._centres: list[int] = [int(number) for number in constants["centres"]]
        self.typical_first = bool(constants.get("typical_first", False))
        self._pads: dict[str, Float] = {}

    def encode(self, audio: ArrayLike, sample_rate: float, sound_class: str) -> Float:
        """Return where a sound lies in the latent space, float32 (L,).

        Parameters
        ----------
        audio
            (frames,), mono. Silence before its onset and behind its end is left out, and so is what lies more than
            1.5 s behind the onset, with a `TerzettoWarning`. Its level does not matter.
        sample_rate
            Hz.
        sound_class
            One of `classes`.

        Raises
        ------
        InputError
            Silence, not one channel, not finite, a sample rate that is none, or an unknown class.
        """
        condition = self._condition(sound_class)
        image, strip = to_image(analyse(prepare(audio, sample_rate)))
        return np.asarray(self._run("latent_mean", image=image[None], strip=strip[None], image_class=condition)[0][0])

    def decode(self, z: ArrayLike, sound_class: str, seed: int = 0) -> Float:
        """Return the sound at a point of the latent space, float32 (frames,) at 44.1 kHz, up to 1.5 s long.

        It starts at its onset and ends in silence, both without a click; it has no DC and a peak of 0.95.

        Parameters
        ----------
        z
            (L,).
        sound_class
            One of `classes`.
        seed
            Draws the noise in the sound: another take of it.

        Raises
        ------
        InputError
            A point of another size or not finite, or an unknown class.
        """
        image, strip = self._run(
            "decoded_image", "decoded_strip", latent=self._point(z)[None], latent_class=self._condition(sound_class)
        )
        return synthesise(from_image(image[0], strip[0]), seed)

    def sample(self, sound_class: str, seed: int = 0, spread: float = SPREAD) -> Float:
        """Draw a point of the latent space from a class's prior, float32 (L,).

        Parameters
        ----------
        sound_class
            One of `classes`.
        seed
            The same seed, the same point.
        spread
            How much of the class may come, 0..1, the most typical first, and how wide about it: a kick that nobody
            takes for a tom, or any that the model knows (Brock et al. 2019 truncate their prior for the same reason).
            Models of before, which do not say what is typical, always draw from all.

        Raises
        ------
        InputError
            An unknown class, or a spread outside 0..1.
        """
        condition = self._condition(sound_class)
        if not 0.0 <= spread <= 1.0:
            raise InputError(f"a spread of {spread!r}: give 0 (the most typical of the class) to 1 (all of it)")
        number = int(np.argmax(condition))
        random = np.random.default_rng((seed, number))
        share = spread if self.typical_first else 1.0
        centre = np.array([[random.integers(max(round(share * self._centres[number]), 1))]], np.int64)
        normal = share * random.standard_normal((1, self.latent_size), dtype=np.float32)
        return np.asarray(self._run("sampled", centre=centre, normal=normal, sampled_class=condition)[0][0])

    def pad_latent(self, sound_class: str, x: float, y: float) -> Float:
        """Return the point of the latent space under a point of a class's pad, float32 (L,).

        A point outside `pad_range` is moved to the pad's edge, with a `TerzettoWarning`.
        """
        point = np.array([[x, y]], np.float32)
        low, high = self.pad_range
        if not np.isfinite(point).all():
            raise InputError("a point of the pad has two finite numbers, x and y")
        if ((point < low) | (point > high)).any():
            warnings.warn(
                f"the pad goes from {low:g} to {high:g} in x and y; a point outside was moved to its edge",
                TerzettoWarning,
                stacklevel=2,
            )
        return np.asarray(self._pad_latents(sound_class, point.clip(low, high))[0])

    def pad_position(self, sound_class: str, z: ArrayLike) -> tuple[float, float]:
        """Return the point (x, y) of a class's pad that lies nearest to a point of the latent space."""
        axis = np.linspace(*self.pad_range, _GRID, dtype=np.float32)
        points = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
        if sound_class not in self._pads:
            self._pads[sound_class] = self._pad_latents(sound_class, points)
        distance = ((self._pads[sound_class] - self._point(z)) ** 2).sum(axis=1)
        x, y = points[int(np.argmin(distance))]
        return float(x), float(y)

    def morph(self, a: ArrayLike, b: ArrayLike, amount: float) -> Float:
        """Return the point between two points of the latent space: a at 0, b at 1.

        Raises
        ------
        InputError
            An amount outside 0..1, or points of another size.
        """
        if not 0.0 <= amount <= 1.0:
            raise InputError(f"an amount of {amount!r}: give 0 (the first sound) to 1 (the second)")
        return np.asarray((1 - amount) * self._point(a) + amount * self._point(b), np.float32)

    def _pad_latents(self, sound_class: str, points: Float) -> Float:
        condition = np.repeat(self._condition(sound_class), len(points), axis=0)
        return self._run("pad_latent", pad=points, pad_class=condition)[0]

    def _condition(self, sound_class: str) -> Float:
        if sound_class not in self.classes:
            raise InputError(
                f"the model {self.model.name} has no sounds of a class {sound_class!r}; "
                f"it has: {', '.join(self.classes)}"
            )
        condition = np.zeros((1, len(CLASSES)), np.float32)
        condition[0, CLASSES.index(sound_class)] = 1.0
        return condition

    def _point(self, z: ArrayLike) -> Float:
        point = np.asarray(z, np.float32)
        if point.shape != (self.latent_size,):
            raise InputError(
                f"a point of this model's latent space has {self.latent_size} numbers; given: an array of shape "
                f"{np.shape(z)}"
            )
        if not np.isfinite(point).all():
            raise InputError("a point of the latent space has finite numbers; given: NaN or infinity")
        return point

    def _run(self, *outputs: str, **given: NDArray[Any]) -> list[Float]:
        """Run one part of the model; the others get no rows, or one of zeros in a file whose parts always run."""
        n, size = len(CLASSES), self.latent_size
        widths: dict[str, tuple[int, ...]] = {
            "image": IMAGE,
            "strip": (STRIP,),
            "image_class": (n,),
            "latent": (size,),
            "latent_class": (n,),
            "normal": (size,),
            "sampled_class": (n,),
            "pad": (2,),
            "pad_class": (n,),
        }
        rows = 0 if self._on_demand else 1
        feeds: dict[str, Any] = {name: np.zeros((rows, *width), np.float32) for name, width in widths.items()}
        feeds["centre"] = np.zeros((rows, 1), np.int64)
        feeds.update(given)
        return [np.asarray(each, np.float32) for each in self.model.session.run(list(outputs), feeds)]


def prepare(audio: ArrayLike, sample_rate: float) -> Float:
    """Return a sound at 44.1 kHz as models read it: from its onset on, at most 1.5 s, with a peak of 0.95.

    Raises
    ------
    InputError
        Silence, not one channel, not finite, or a sample rate that is none.
    """
    sound = np.asarray(audio, np.float32)
    if sound.ndim != 1:
        raise InputError(f"a sound is mono, an array of shape (frames,); given: {sound.shape}")
    if not np.isfinite(sound).all():
        raise InputError("a sound has finite samples; given: NaN or infinity")
    if not sample_rate > 0:
        raise InputError(f"a sample rate of {sample_rate!r} Hz: give one above 0")
    if sample_rate != SAMPLE_RATE and len(sound):
        import soxr

        sound = soxr.resample(sound, sample_rate, SAMPLE_RATE)
    trimmed = trim(sound, len(sound))
    if not len(trimmed):
        raise InputError("a sound has to be heard; given: silence")
    if len(trimmed) > FRAMES:
        warnings.warn(
            f"a sound of {len(trimmed) / SAMPLE_RATE:.2f} s; what lies behind {SECONDS:g} s is left out",
            TerzettoWarning,
            stacklevel=3,
        )
    return trimmed[:FRAMES]


def open_sound_model(name: str = "") -> SoundModel:
    """Open a sound model by its name, or from an ``.onnx`` file; the shipped one unless given.

    Raises
    ------
    ModelError
        There is none of that name, it is damaged, or it is for another task.
    """
    return SoundModel(find_model(TASK, name or MODEL, threads=1))
