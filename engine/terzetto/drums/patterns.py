"""Drum patterns out of a latent space: encode bars, decode points of the space or of the pad laid over it.

The model is a variational autoencoder of one-bar patterns (Chemla--Romeu-Santos et al. 2019, sections 2 and 3) with up
to 32 dimensions, trained by `terzetto_export.drum_patterns`. Three more parts come with it in the same file:

- an invertible map (a conditional normalising flow) between the latent space and a Gaussian one, for every style and
  density. It samples; and it moves a pattern to another style or density: out with the condition unknown, in with it;
- the pad: a smooth map of a square into the latent space (a generative topographic map: Bishop et al. 1998);
- the thresholds at which a probability becomes a hit, chosen on the validation set.

Everything is deterministic: the same arguments give the same pattern.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terzetto.drums.grid import STEPS, ActivationMatrix, Hvo
from terzetto.drums.pad import Pad
from terzetto.drums.pattern_features import WIDTH, Bars, features, from_steps, stack
from terzetto.errors import InputError, TerzettoWarning
from terzetto.models import Model, find_model

TASK = "drum-patterns"
MODEL = "drum_patterns"
Float = NDArray[np.float32]


@dataclass(frozen=True)
class Decoded:
    """What the decoder says of some points of the latent space.

    Attributes
    ----------
    hits : float32 (n, 9, 16)
        Probabilities, rows in the order of `DRUMS`.
    velocities : float32 (n, 9, 16)
        0..1: how loud a hit there would be.
    offsets : float32 (n, 9, 16)
        -0.5..0.5 of a step: how late.
    fine : float32 (n, 8, 64)
        Probabilities of hits on the activation matrix, rows in the order of `CLASSES`.
    """

    hits: Float
    velocities: Float
    offsets: Float
    fine: Float


class PatternModel:
    """An opened pattern model; `open_pattern_model` finds one by its name."""

    def __init__(self, model: Model) -> None:
        self.model = model
        constants = model.constants
        self.styles: tuple[str, ...] = tuple(constants["styles"])
        self.latent_size = int(constants["latent_size"])
        self.pad_range: tuple[float, float] = (float(constants["pad_range"][0]), float(constants["pad_range"][1]))
        self.full_density = float(constants["full_density"])
        self.thresholds: dict[str, float] = dict(constants["thresholds"])
        self.temperature = float(constants["temperature"])
        self.style_strength = float(constants["style_strength"])
        self._pad: Pad | None = None

    def encode(self, bars: Sequence[Hvo], fine: Sequence[ActivationMatrix] | None = None) -> Float:
        """Return where bars lie in the latent space, float32 (n, L).

        Parameters
        ----------
        bars
            HVO bars.
        fine
            Their activation matrices; made from the HVO form where they are not given.
        """
        return self.encode_arrays(stack(bars, fine))

    def encode_arrays(self, bars: Bars) -> Float:
        """Return where bars lie that are already stacked; see `encode`."""
        return self._run("bars_latent", bars=features(bars))

    def rate(self, bars: Bars, seed: int = 0) -> tuple[Float, Float]:
        """Return what encoding costs, in nats (n,): against a standard normal prior, and against the flow's.

        The first is the divergence of each bar's distribution from the prior; the second is estimated at one point
        drawn from it.
        """
        read = features(bars)
        mean, log_variance = self._run("bars_latent", bars=read), self._run("bars_log_variance", bars=read)
        normal = 0.5 * (mean**2 + np.exp(log_variance) - 1.0 - log_variance).sum(axis=1)
        noise = np.random.default_rng(seed).standard_normal(mean.shape).astype(np.float32)
        point = mean + noise * np.exp(0.5 * log_variance)
        posterior = -0.5 * (noise**2 + log_variance + np.float32(np.log(2 * np.pi))).sum(axis=1)
        prior = self._run("log_density", from_latent=point, from_condition=self._condition(len(mean), None, None))
        return normal, posterior - prior

    def decode(self, z: ArrayLike, style: str | None = None, density: float | None = None) -> Decoded:
        """Return what the model plays at points of the latent space.

        Parameters
        ----------
        z
            (n, L), or one point (L,).
        style
            One of `styles`: moves every point to where that style has it.
        density
            0..1 of `full_density` hits in a bar: moves every point to where bars are about so dense.

        Raises
        ------
        InputError
            Unknown style, density outside 0..1, points of another size or not finite.
        """
        points = self._points(z)
        if style is not None or density is not None:
            points = self.move(points, style, density)
        steps = self._run("steps", latent=points)
        decoded = from_steps(steps)
        return Decoded(decoded.hits, decoded.velocities, decoded.offsets, decoded.fine)

    def move(
        self,
        z: ArrayLike,
        style: str | None = None,
        density: float | None = None,
        variation: float = 0.0,
        seed: int = 0,
    ) -> Float:
        """Return where points of the latent space go in a style and density, varied by chance; see `pattern`."""
        if not 0.0 <= variation <= 1.0:
            raise InputError(f"a variation of {variation!r}: give 0 (none) to 1 (another pattern altogether)")
        points = self._points(z)
        n = len(points)
        normal = self._run("normal", from_latent=points, from_condition=self._condition(n, None, None))
        if variation:
            noise = np.random.default_rng(seed).standard_normal(normal.shape).astype(np.float32) * self.temperature
            normal = np.float32(np.sqrt(1.0 - variation**2)) * normal + np.float32(variation) * noise
        return self._run("moved", to_normal=normal, to_condition=self._condition(n, style, density))

    def sample(self, seed: int, style: str | None = None, density: float | None = None) -> Float:
        """Return one point of the latent space, float32 (L,), drawn as the training bars (of a style) lie there."""
        return np.asarray(self.samples(seed, 1, style, density)[0])

    def samples(self, seed: int, n: int, style: str | None = None, density: float | None = None) -> Float:
        """Return n such points, float32 (n, L)."""
        normal = np.random.default_rng(seed).standard_normal((n, self.latent_size)).astype(np.float32)
        condition = self._condition(n, style, density)
        normal *= np.float32(self.temperature)
        return self._run("moved", to_normal=normal, to_condition=condition)

    def pattern(
        self,
        z: ArrayLike,
        style: str | None = None,
        density: float | None = None,
        variation: float = 0.0,
        seed: int = 0,
    ) -> Hvo:
        """Return the pattern at one point of the latent space; the same arguments give the same pattern.

        Parameters
        ----------
        z
            (L,).
        style, density
            See `decode`. With a density the bar has exactly so many hits: the likeliest ones.
        variation
            0..1: how far, by chance, from the point; 1 is another pattern altogether.
        seed
            Of the variation.
        """
        points = self._points(z)
        if len(points) != 1:
            raise InputError(f"a pattern is made of one point of the latent space; given: {len(points)}")
        if style is not None or density is not None or variation:
            points = self.move(points, style, density, variation, seed)
        return self.to_hvo(self.decode(points), density)[0]

    def activation_matrix(self, z: ArrayLike) -> ActivationMatrix:
        """Return the pattern at one point of the latent space on the grid of 64 steps."""
        return ActivationMatrix(self.decode(z).fine[0] >= self.thresholds["fine"])

    def to_hvo(self, decoded: Decoded, density: float | None = None) -> list[Hvo]:
        """Return what was decoded as bars: hits where they are likely enough, or the likeliest ones for a density."""
        hits = decoded.hits >= self.thresholds["hits"]
        if density is not None:
            flat = decoded.hits.reshape(len(decoded.hits), -1)
            order = np.argsort(-flat, axis=1, kind="stable")[:, : round(density * self.full_density)]
            chosen = np.zeros(flat.shape, np.bool_)
            np.put_along_axis(chosen, order, True, axis=1)
            hits = chosen.reshape(hits.shape)
        return [Hvo(*bar) for bar in zip(hits, decoded.velocities, decoded.offsets, strict=True)]

    def pad_latent(self, x: float, y: float) -> Float:
        """Return the point of the latent space under a point of the pad, float32 (L,).

        A point outside `pad_range` is moved to the pad's edge, with a `TerzettoWarning`.
        """
        return np.asarray(self.pad_latents([[x, y]])[0])

    def pad_latents(self, xy: ArrayLike) -> Float:
        """Return the points of the latent space under points of the pad, (n, 2) → float32 (n, L)."""
        points = np.asarray(xy, np.float32).reshape(-1, 2)
        low, high = self.pad_range
        if not np.isfinite(points).all():
            raise InputError("a point of the pad has two finite numbers, x and y")
        if ((points < low) | (points > high)).any():
            warnings.warn(
                f"the pad goes from {low:g} to {high:g} in x and y; a point outside was moved to its edge",
                TerzettoWarning,
                stacklevel=2,
            )
            points = points.clip(low, high)
        return self._run("pad_latent", pad=points)

    def pad_position(self, z: ArrayLike) -> tuple[float, float]:
        """Return the point (x, y) of the pad whose pattern is most like that at a point of the latent space."""
        x, y = self.pad_positions(self._points(z))[0]
        return float(x), float(y)

    def pad_positions(self, z: ArrayLike) -> Float:
        """Return such points of the pad for many points of the latent space, float32 (n, 2)."""
        pad = self._laid_pad()
        parts = np.array_split(self._points(z), max(len(self._points(z)) // 512, 1))
        fine = self.thresholds["fine"]
        return np.concatenate([pad.nearest(self._run("steps", latent=part), fine) for part in parts])

    def pad_table(self) -> str:
        """Return the hits of the pad's points, which `pad_positions` searches: the file's constant of that name."""
        return self._laid_pad().packed()

    def _laid_pad(self) -> Pad:
        thresholds = (self.thresholds["pad"], self.thresholds["hits"])
        if self._pad is None or self._pad.thresholds != thresholds:
            constants = self.model.constants
            shipped = constants.get("pad_table") if self.thresholds == constants["thresholds"] else None
            self._pad = Pad(
                self.pad_range, thresholds, shipped or (lambda xy: self._run("steps", latent=self.pad_latents(xy)))
            )
        return self._pad

    @property
    def map(self) -> list[tuple[float, float, str]]:
        """Some of the training bars as the pad shows them: x, y and style (or an empty name)."""
        return [(x, y, self.styles[style] if style >= 0 else "") for x, y, style in self.model.constants.get("map", [])]

    def _points(self, z: ArrayLike) -> Float:
        points = np.asarray(z, np.float32)
        points = points[None] if points.ndim == 1 else points
        if points.ndim != 2 or points.shape[1] != self.latent_size:
            raise InputError(
                f"a point of this model's latent space has {self.latent_size} numbers; given: an array of shape "
                f"{np.shape(z)}"
            )
        if not np.isfinite(points).all():
            raise InputError("a point of the latent space has finite numbers; given: NaN or infinity")
        return points

    def _condition(self, n: int, style: str | None, density: float | None) -> Float:
        condition = np.zeros((n, len(self.styles) + 2), np.float32)
        if style is not None:
            if style not in self.styles:
                known = ", ".join(self.styles) or "none: it was trained without"
                raise InputError(f"the model {self.model.name} has no style {style!r}; it knows: {known}")
            condition[:, self.styles.index(style)] = self.style_strength
        if density is not None:
            if not 0.0 <= density <= 1.0:
                raise InputError(
                    f"a density of {density!r}: give 0 (silent) to 1 ({self.full_density:g} hits in a bar)"
                )
            condition[:, -2], condition[:, -1] = 4.0 * (density - 0.5), 1.0
        return condition

    def _run(self, output: str, **given: Float) -> Float:
        """Run one part of the model; the others get a row of zeros (ONNX Runtime refuses none), which costs little."""
        condition = len(self.styles) + 2
        widths: dict[str, tuple[int, ...]] = {
            "bars": (STEPS, WIDTH),
            "latent": (self.latent_size,),
            "from_latent": (self.latent_size,),
            "from_condition": (condition,),
            "to_normal": (self.latent_size,),
            "to_condition": (condition,),
            "pad": (2,),
        }
        feeds: dict[str, Any] = {name: np.zeros((1, *width), np.float32) for name, width in widths.items()}
        feeds.update(given)
        return np.asarray(self.model.session.run([output], feeds)[0], np.float32)


def open_pattern_model(name: str = "") -> PatternModel:
    """Open a pattern model by its name, or from an ``.onnx`` file; the shipped one unless given.

    Raises
    ------
    ModelError
        There is none of that name, it is damaged, or it is for another task.
    """
    return PatternModel(find_model(TASK, name or MODEL, threads=1))
