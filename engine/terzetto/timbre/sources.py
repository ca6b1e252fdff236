"""What turns a sound into another, as it is asked for, kept in a state and opened: a method with what it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypedDict

from terzetto.errors import InputError
from terzetto.jobs import content_hash
from terzetto.model_list import listed
from terzetto.models import missing_models, noting_models
from terzetto.timbre.between import Between, open_between
from terzetto.timbre.conversion import Conversion
from terzetto.timbre.envelope import FLATTEN
from terzetto.timbre.naming import split_instrument

TASK = "timbre"
MODEL = "timbre_instruments"
"""The shipped model of instruments."""
METHODS_OF_MODELS = ("xsynth",)
"""Methods that take a model; the others take a recording."""

Point = tuple[float, float]


class Knobs(TypedDict):
    """What of a source the parameters say."""

    method: str
    flatten: str
    low_latency: bool


Opener = Callable[..., Conversion]


@dataclass(frozen=True)
class Source:
    """What is asked for.

    Attributes
    ----------
    method : str
        See `terzetto.timbre.methods`.
    model, other_model : str
        Names or paths, without an instrument; no other one: empty.
    target, other_target : str
        Paths of recordings; empty: none.
    flatten : str
        Which sound the method ``envelope`` flattens.
    low_latency : bool
    """

    method: str = METHODS_OF_MODELS[0]
    model: str = MODEL
    target: str = ""
    other_model: str = ""
    other_target: str = ""
    flatten: str = FLATTEN[0]
    low_latency: bool = False

    @property
    def takes_model(self) -> bool:
        """Whether the method takes a model."""
        return self.method in METHODS_OF_MODELS

    @property
    def to(self) -> str:
        """What the timbre comes from; empty: nothing yet."""
        return self.model if self.takes_model else self.target

    @property
    def other(self) -> str:
        """What Balance goes to; empty: nothing."""
        return self.other_model if self.takes_model else self.other_target

    @property
    def options(self) -> dict[str, str]:
        """The method's own."""
        return {"flatten": self.flatten} if self.method == "envelope" else {}

    def sounds_as(self, other: Source) -> bool:
        """Whether another source makes the same conversion."""
        return all(
            getattr(self, name) == getattr(other, name) for name in ("method", "to", "other", "options", "low_latency")
        )

    @classmethod
    def of(cls, state: Mapping[str, Any], knobs: Knobs) -> Source:
        """Take up what a state holds, and where the knobs stand; what is no text is left out."""
        names = ("model", "target", "other_model", "other_target")
        kept = {name: state[name] for name in names if isinstance(state.get(name), str)}
        kept["model"] = kept.get("model") or MODEL
        return cls(**kept, **knobs)

    def state(self) -> dict[str, str]:
        """Return what a state keeps, ready for JSON."""
        return {name: getattr(self, name) for name in ("model", "target", "other_model", "other_target")}


@dataclass
class Opened:
    """What was opened for a source.

    Attributes
    ----------
    conversion : Conversion or None
        None: there is nothing to take a timbre from.
    made_of : dict
        Models by name and recordings by path → SHA-256.
    """

    source: Source
    conversion: Conversion | None = None
    made_of: dict[str, str] = field(default_factory=dict)

    @property
    def instruments(self) -> dict[str, Point]:
        """Where on the pad each instrument of the model is; empty: it is not one of several."""
        conversion = self.conversion.first if isinstance(self.conversion, Between) else self.conversion
        return dict(getattr(conversion, "instruments", {}))


def open_source(source: Source, sample_rate: float, channels: int, opener: Opener = open_between) -> Opened:
    """Open what a source asks for; on any thread.

    Raises
    ------
    TerzettoError
        It cannot be opened.
    """
    if not source.to:
        return Opened(source)
    with noting_models() as noted:
        conversion = opener(
            *(source.method, source.to, source.other),
            sample_rate=sample_rate,
            channels=channels,
            low_latency=source.low_latency,
            **source.options,
        )
    if not source.takes_model:
        return Opened(
            source, conversion, {path: content_hash(Path(path)) for path in (source.to, source.other) if path}
        )
    return Opened(source, conversion, {_where(name, source): sha256 for name, sha256 in noted.items()})


def changed_since(made_of: Mapping[str, str]) -> list[str]:
    """Say of each model and recording that something was made of if it is missing, or another one by now."""
    recordings = {name for name in made_of if Path(name).is_absolute() and not name.endswith(".onnx")}
    problems = missing_models({name: sha256 for name, sha256 in made_of.items() if name not in recordings})
    for path in sorted(recordings):
        if not Path(path).is_file():
            problems.append(f"{path} is not here")
        elif content_hash(Path(path)) != made_of[path]:
            problems.append(f"{path} is another recording by now")
    return problems


def asked_for(source: Source, message: str, text: str) -> tuple[Source, str]:
    """Return what a message asks for, and the instrument of the model that it names.

    Parameters
    ----------
    message : {'model', 'target', 'other'}
    text
        Of a model the name, with ``:INSTRUMENT`` or not, or the path; of a recording the path.

    Raises
    ------
    InputError
        An empty text where something is needed.
    """
    if message == "other":
        if source.takes_model:
            return replace(source, other_model=_model(text)), ""
        return replace(source, other_target=_path(text) if text else ""), ""
    if not text:
        what = "the name or the path of a model" if message == "model" else "the path of a recording"
        raise InputError(f"{message} takes {what}; given an empty text")
    if message == "model":
        name, instrument = split_instrument(text)
        method = source.method if source.takes_model else METHODS_OF_MODELS[0]
        return replace(source, method=method, model=_model(name)), instrument
    return replace(source, method="envelope" if source.takes_model else source.method, target=_path(text)), ""


def installed_models() -> list[str]:
    """Return the names of the installed models of instruments."""
    return [entry.name for entry in listed() if entry.task == TASK and not entry.problem]


def _where(model: str, source: Source) -> str:
    """Return a model's path if it, or one beside it, was asked for by its path; else its name."""
    for asked in (source.to, source.other):
        if ".onnx" in asked and (path := Path(asked).with_name(f"{model}.onnx")).is_file():
            return str(path)
    return model


def _model(name: str) -> str:
    """Return a model's name, or its path as seen from anywhere."""
    return _path(name) if ".onnx" in name.lower() else name


def _path(path: str) -> str:
    return str(Path(path).expanduser().resolve())
