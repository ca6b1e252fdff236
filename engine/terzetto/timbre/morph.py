"""How a whole recording is given another timbre.

The words are Caetano's, as Cella's slides on style transfer have them: a *hybrid* inherits features from both sounds
(its notes from one, its timbre from the other); a *morph* lies between them, its features are interpolated.
"""

from __future__ import annotations

import functools
import json
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from terzetto.audio.files import FileTake, Take
from terzetto.errors import InputError, TerzettoWarning
from terzetto.models import noting_models
from terzetto.timbre.between import Between, open_between
from terzetto.timbre.conversion import Controls, Conversion
from terzetto.timbre.naming import content_of, is_recording, split_instrument
from terzetto.timbre.repeated import Repeated
from terzetto.timbre.sources import METHODS_OF_MODELS


@dataclass(frozen=True)
class Morph:
    """How a sound is given another timbre.

    Attributes
    ----------
    method : str
        See `terzetto.timbre.methods`.
    to : (str,) or (str, str)
        What the timbre comes from; with two, ``controls.balance`` says what lies between.
    controls : Controls
        For the whole recording.
    low_latency : bool
        The window that the plugin uses for half the latency.
    options : dict
        The method's own.
    longest : bool
        Whether the result is as long as the longer of the two sounds, the other repeated (as the slides have it);
        else it is as long as the source.

    Raises
    ------
    InputError
        Options that do not go together.
    """

    method: str
    to: tuple[str, ...]
    controls: Controls = field(default_factory=Controls)
    low_latency: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    longest: bool = False

    def __post_init__(self) -> None:
        if not 1 <= len(self.to) <= 2:
            raise InputError(f"--to is given once, or twice with --balance between; given {len(self.to)} times")
        for name in self.to:
            self._check_kind(name)
        if len(self.to) == 1 and self.controls.balance:
            raise InputError("--balance lies between two timbres: give --to twice")
        if self.controls.pad is not None and any(split_instrument(name)[1] for name in self.to):
            raise InputError("an instrument is one place of the pad: give either MODEL:INSTRUMENT or --pad")
        if self.longest and not all(map(is_recording, self.to)):
            raise InputError("--length longest is for recordings: a model has no length")

    def _check_kind(self, name: str) -> None:
        """Refuse a recording where a model is needed and the other way round; what is neither is told on opening."""
        if self.method in METHODS_OF_MODELS and is_recording(name):
            raise InputError(
                f"{self.method} takes a model, and {name} is a recording: choose envelope or mosaic, or learn a model "
                f"from it by terzetto train timbre --data {name}"
            )
        if self.method in ("envelope", "mosaic", "bee") and not is_recording(name) and content_of(name):
            raise InputError(f"{self.method} takes a recording, and {name} is a model: choose xsynth")

    @property
    def kind(self) -> str:
        """``source`` (nothing is changed), ``hybrid`` or ``morph``."""
        if self.controls.amount == 0.0:
            return "source"
        whole = self.controls.amount == 1.0 and self.controls.balance in (0.0, 1.0) and self.controls.pad is None
        return "hybrid" if whole else "morph"

    def identity(self) -> dict[str, Any]:
        """Return all that decides on the samples beside the source; models and recordings by content."""
        contents = [content_of(name, self.low_latency) for name in self.to]
        return {**asdict(self), "to": list(self.to), "content": contents}

    def opened(self, sample_rate: float, channels: int) -> tuple[Conversion, dict[str, str]]:
        """Open what it takes, and return it with the models that were opened, name → SHA-256.

        Kept, since a batch gives thousands of files one timbre.

        Raises
        ------
        InputError, ModelError
            It cannot be opened.

        Warns
        -----
        TerzettoWarning
            What opening it warned of, each time.
        """
        same = _Same(self, json.dumps(self.identity(), sort_keys=True))
        conversion, models, told = _opened(same, sample_rate, channels)
        for warning in told:  # of what is kept, too
            warnings.warn(warning, stacklevel=2)
        if self.controls.pad is not None and len(instruments_of(conversion)) < 2:
            raise InputError(f"--pad is for a model of several instruments; {' and '.join(self.to)} has none")
        return conversion, models

    def remarks(self, conversion: Conversion, sample_rate: float) -> Iterator[str]:
        """Yield what is to be said: recordings that are converted, an instrument that nobody chose."""
        names = instruments_of(conversion)
        if len(names) > 1 and self.controls.pad is None and not any(split_instrument(name)[1] for name in self.to):
            yield (
                f"{self.to[0]} knows several instruments: this is its first, {names[0]}; choose one as "
                f"{self.to[0]}:{names[-1]} ({', '.join(names)}), or a place between them by --pad X Y"
            )
        for name in filter(is_recording, self.to):
            with FileTake(name) as target:
                if target.sample_rate != sample_rate:
                    yield f"{name}: resampled from {target.sample_rate:g} Hz to the source's {sample_rate:g} Hz"

    def lengthened(self, take: Take) -> Take:
        """Return the source as long as the result is to be."""
        if not self.longest:
            return take
        frames = [take.frames]
        for name in self.to:
            with FileTake(name) as target:
                frames.append(round(target.frames * take.sample_rate / target.sample_rate))
        return Repeated(take, max(frames))


@dataclass(frozen=True)
class _Same:
    """A morph that is the same as another if all that decides on it is."""

    morph: Morph = field(compare=False)
    identity: str = ""


def instruments_of(conversion: Conversion) -> list[str]:
    """Return the instruments that a model knows; none for what is no model."""
    first = conversion.first if isinstance(conversion, Between) else conversion
    return list(getattr(first, "instruments", ()))


@functools.lru_cache(maxsize=2)
def _opened(same: _Same, sample_rate: float, channels: int) -> tuple[Conversion, dict[str, str], list[Warning]]:
    """Return a conversion, the models it is made of, and what was warned of."""
    morph = same.morph
    to, other = (*morph.to, "")[:2]
    with noting_models() as noted, warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", TerzettoWarning)
        conversion = open_between(
            *(morph.method, to, other),
            sample_rate=sample_rate,
            channels=channels,
            low_latency=morph.low_latency,
            **morph.options,
        )
    return conversion, dict(noted), [cast(Warning, each.message) for each in told]
