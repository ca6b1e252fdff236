"""The methods by which one sound takes on the timbre of another: each opens a conversion behind an entry point.

To add one, write a function with the face of `Opener` and name it in your package's metadata::

    [project.entry-points."terzetto.conversions"]
    mine = "my_package:open_mine"

Then ``--method mine`` and ``open_conversion("mine", …)`` find it.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Any, Protocol

from terzetto.errors import InputError
from terzetto.timbre.conversion import Conversion

GROUP = "terzetto.conversions"


class Opener(Protocol):
    """Opens a conversion."""

    def __call__(self, to: str, *, sample_rate: float, channels: int, low_latency: bool) -> Conversion:
        """Open it; a method may take more options, by keyword."""


def methods() -> list[str]:
    """Return the names of the installed methods."""
    return sorted({point.name for point in entry_points(group=GROUP)})


def open_conversion(
    method: str, to: str, *, sample_rate: float, channels: int = 2, low_latency: bool = False, **options: Any
) -> Conversion:
    """Open a conversion.

    Parameters
    ----------
    method : str
        ``xsynth``, ``envelope``, ``mosaic``, or another that is installed.
    to : str
        What gives the timbre. For ``xsynth`` the name of a model or the path of an ``.onnx`` file, with
        ``:instrument`` behind it for one of several instruments; for the others an audio file.
    sample_rate : float
        Of the stream, in Hz.
    channels : int
        Of the stream, 1 or 2.
    low_latency : bool
        Choose half the window: half the latency, coarser in frequency.
    **options
        The method's own; see its module.

    Raises
    ------
    InputError
        No installed package offers the method (the message lists those that are offered), it has no such option, or
        the file cannot be used.
    ModelError
        There is no such model, or it is for another task.
    """
    opener = _opener(method)
    conversion: Conversion = opener(
        to, sample_rate=sample_rate, channels=channels, low_latency=low_latency, **_known(method, opener, options)
    )
    return conversion


def read_options(method: str, texts: Sequence[str]) -> dict[str, Any]:
    """Read a method's own options from texts.

    Parameters
    ----------
    method : str
    texts : sequence of str
        ``name=value``; of a switch the value is ``true`` or ``false``.

    Raises
    ------
    InputError
        The method is not installed, it has no such option, or it is of another type.
    """
    import typing

    opener, options = _opener(method), dict[str, Any]()
    types = typing.get_type_hints(opener)
    for text in texts:
        name, _, value = text.partition("=")
        _known(method, opener, {name: value})
        # One that may be left out is read as what it is if it is given.
        kind = next((each for each in typing.get_args(types[name]) if each is not type(None)), types[name])
        try:
            options[name] = {"true": True, "false": False}[value] if kind is bool else kind(value)
        except (KeyError, ValueError):
            needed = {bool: "true or false", int: "a whole number", float: "a number"}.get(kind, kind.__name__)
            raise InputError(f"option {name} of method {method!r} is {needed}; given {value or 'nothing'}") from None
    return options


def _opener(method: str) -> Any:
    points = {point.name: point for point in entry_points(group=GROUP)}
    if method not in points:
        raise InputError(f"method {method!r} is not installed; valid: {', '.join(sorted(points))}")
    return points[method].load()


def _known(method: str, opener: Any, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options if the method takes them all."""
    import inspect

    given = {"to", "sample_rate", "channels", "low_latency"}
    valid = [name for name in inspect.signature(opener).parameters if name not in given]
    for name in options:
        if name not in valid:
            raise InputError(f"method {method!r} has no option {name!r}; valid: {', '.join(valid) or 'none'}")
    return options
