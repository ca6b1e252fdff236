"""What a chain file says of a Timbre stage, looked at before anything is played: no file passes through unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from terzetto.errors import InputError
from terzetto.timbre.live_source import place
from terzetto.timbre.sources import Source, asked_for, open_source

_RATE, _CHANNELS = 48000, 2  # whatever they are: what cannot be opened at these cannot be at others


def check_timbre(settings: Mapping[str, Any]) -> None:
    """Open what a stage names, and forget it.

    Raises
    ------
    InputError, ModelError
        It cannot be used, or there is nothing to take a timbre from.
    """
    source, instrument = Source(low_latency=settings.get("window") == "short"), ""
    for message in ("model", "target"):
        if message in settings:
            source, named = asked_for(source, message, settings[message])
            instrument = named or instrument
    if "method" in settings:
        source = replace(source, method=settings["method"])
    if "other" in settings:
        source, _ = asked_for(source, "other", settings["other"])
    opened = open_source(source, _RATE, _CHANNELS)
    if opened.conversion is None:
        raise InputError(f'{source.method} takes the timbre of a recording: write target = "its path"')
    instrument = settings.get("instrument", instrument)
    if instrument:
        place(opened.instruments, instrument)
