"""pedalboard's plugins as processors: equal frame counts, a latency that is known, parameters that can be addressed.

pedalboard gives the frames that a plugin has ready: none or fewer at first from one that looks ahead. Here its output
goes through a queue that starts with as many frames of silence as the plugin stays behind.
"""

from __future__ import annotations

import base64
import enum
import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from terzetto.audio.files import FileTake
from terzetto.audio.stream import STOPPED, Float, Transport
from terzetto.control.messages import Argument, Message
from terzetto.errors import InputError

# By measurement (tests/host/test_pedalboard_stage.py measures them again): at 44.1, 48 and 96 kHz, mono and stereo,
# these give in hops of 32 to 8192 what they give for a whole file, frame for frame.
EQUAL = (
    *("Bitcrush", "Chorus", "Clipping", "Compressor", "Convolution", "Delay", "Distortion", "Gain", "HighShelfFilter"),
    *("HighpassFilter", "Invert", "LadderFilter", "Limiter", "LowShelfFilter", "LowpassFilter", "NoiseGate"),
    *("PeakFilter", "Phaser", "Reverb"),
)
# These too, but later (at 48 kHz and hops of 512: 240, 3481 and 450 frames); these settings change how much later.
LATER = {
    "BrickwallLimiter": ("lookahead_ms", "true_peak"),
    "MP3Compressor": ("vbr_quality",),
    "Resample": ("target_sample_rate", "quality"),
}
# These give other samples in hops than for a whole file.
WHOLE_FILE_ONLY = {
    "GSMFullRateCompressor": "its codec starts with other samples in a stream",
    "PitchShift": "it is silent for a second and then plays other samples",
}
BUILT_IN = tuple(sorted((*EQUAL, *LATER)))
# These mix more than two channels together, leave the third and later ones as they are, or refuse them; the others
# treat every channel alike.
MONO_AND_STEREO = ("Convolution", "GSMFullRateCompressor", "MP3Compressor", "Reverb")

LONGEST_LATENCY = 16384  # frames
_AT_ONCE = 8192  # frames that still fit the processor's cache
_ANYTHING = 3.4e38
_STEP = 32  # frames to which events are rounded; pedalboard mistakes the channels of very short blocks

log = logging.getLogger(__name__)


class PedalboardStage:
    """A pedalboard plugin in a chain.

    Parameters
    ----------
    kind
        The name of a built-in, or the path of a VST3 bundle if ``external``.
    impulse_response
        The audio file that Convolution takes.
    whole_file
        Let in what cannot stream: then only `whole` may be called.

    Raises
    ------
    InputError
        No such plugin, one that cannot stream, an instrument, or no such impulse response.
    """

    def __init__(
        self, kind: str, impulse_response: object = None, *, external: bool = False, whole_file: bool = False
    ) -> None:
        self.kind, self.external = kind, external
        self.state_changed = 0
        self.outbox: list[Message] = []
        self._lag = 0
        self._format: tuple[float, int, int] | None = None
        self._plugin: Any = _load(kind) if external else _make(kind, impulse_response, whole_file)
        self._choices = {} if external else _enumerations(type(self._plugin))
        self.names = tuple(self._plugin.parameters) if external else parameter_names(kind)
        self._held: Float = np.zeros((1, 0), np.float32)

    @property
    def plugin(self) -> Any:
        """Pedalboard's own object."""
        return self._plugin

    @property
    def even(self) -> bool:
        """Whether it is one of `EQUAL`."""
        return not self.external and self.kind in EQUAL

    def run_through(self, plugins: Any, block: Float) -> Float:
        """Return what pedalboard's objects, prepared as this one is, make of a block."""
        assert self._format is not None
        frames = min(self._format[2], _AT_ONCE) if self.even else self._format[2]
        output: Float = plugins.process(block, self._format[0], buffer_size=frames, reset=False)
        return output

    @property
    def latency(self) -> int:
        """Frames by which the output is delayed: measured in `prepare`."""
        return self._lag

    def choices(self, name: str) -> tuple[str, ...]:
        """Return what a parameter can be, if it is a choice."""
        if self.external:
            parameter = self._plugin.parameters[name]
            return tuple(map(str, parameter.valid_values)) if parameter.type is str else ()
        return tuple(choice.name for choice in self._choices.get(name, ()))

    def range(self, name: str) -> tuple[float, float]:
        """Return the least and the largest value, as far as pedalboard tells."""
        if self.external and self._plugin.parameters[name].type is float:
            low, high, _ = self._plugin.parameters[name].range
            if low is not None and high is not None:
                return (float(low), float(high))
        return (-_ANYTHING, _ANYTHING)

    def get(self, name: str) -> Argument:
        """Return a parameter's value, as it would be set."""
        value = getattr(self._plugin, name)
        if self.external:
            kind = self._plugin.parameters[name].type
            return str(value) if kind is str else bool(value) if kind is bool else float(value)
        if isinstance(value, enum.Enum) or name in self._choices:
            return str(value.name)
        return value if isinstance(value, (bool, str)) else float(value)

    def set(self, name: str, value: object) -> None:
        """Set a parameter.

        Raises
        ------
        InputError
            Unknown, or not a value that pedalboard takes.
        """
        if name not in self.names:
            raise InputError(f"{self.kind} has no parameter {name!r}; valid: {', '.join(self.names) or 'none'}")
        if self.external and (valid := self.choices(name)):
            value = valid[value] if isinstance(value, int) and 0 <= value < len(valid) else value
        elif name in self._choices:
            choices = self._choices[name]
            chosen = next((c for number, c in enumerate(choices) if value in (c.name, number)), None)
            if chosen is None:
                raise InputError(
                    f"{name} of {self.kind} is one of {', '.join(c.name for c in choices)}; given {value!r}"
                )
            value = chosen
        elif isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        try:
            setattr(self._plugin, name, value)
        except (TypeError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split()) if isinstance(error, ValueError) else f"it takes no {value!r}"
            raise InputError(f"{name} of {self.kind}: {reason}") from None
        self.state_changed += 1
        if self._format is not None and name in LATER.get(self.kind, ()):
            self.prepare(*self._format)

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> None:
        """Measure how far the plugin stays behind at this format.

        Raises
        ------
        InputError
            It does not take this format, or stays behind for longer than a stream can wait.
        """
        self.check_channels(channels)
        self._format = (sample_rate, channels, max_frames)
        self._plugin.reset()
        self._lag = 0
        if self.external or self.kind in LATER:
            self._lag = self._measure()
        self.reset()

    def process(self, block: Float, events: Sequence[Message] = (), transport: Transport = STOPPED) -> Float:
        """Return the next block; events name a parameter as the last part of their address."""
        frames = block.shape[1]
        if not events:
            return self._queued(self._run(block), frames)
        parts, start = [], 0
        for event in sorted(events, key=lambda event: event.frame):
            # One that stays behind gives its frames in lots that depend on the blocks: it gets whole ones.
            at = 0 if self._lag else min(event.frame // _STEP * _STEP, max(frames - _STEP, 0))
            if at > start:
                parts.append(self._run(block[:, start:at]))
                start = at
            self._take(event)
        parts.append(self._run(block[:, start:]))
        return self._queued(np.concatenate(parts, axis=1), frames)

    def load_preset(self, path: object) -> None:
        """Load a VST3 preset; raises `InputError` if there is none, or it is another plugin's."""
        if not isinstance(path, str) or not Path(path).is_file():
            raise InputError(f"preset is the path of a .vstpreset file that is there; given {path!r}")
        try:
            self._plugin.load_preset(path)
        except (ValueError, RuntimeError) as error:
            raise InputError(
                f"{path}: {' '.join(str(error).split())}; give a preset of {Path(self.kind).name}"
            ) from None

    def check_channels(self, channels: int) -> None:
        """Raise `InputError` if this many channels are not treated alike."""
        if channels > 2 and not self.external and self.kind in MONO_AND_STEREO:
            valid = ", ".join(kind for kind in BUILT_IN if kind not in MONO_AND_STEREO)
            raise InputError(f"{self.kind} takes mono and stereo; given {channels} channels. Any number take: {valid}")

    def whole(self, audio: Float, sample_rate: float) -> Float:
        """Return what the plugin makes of a whole recording (channels, frames)."""
        output: Float = self._plugin.process(audio, sample_rate, reset=True)
        return output

    def reset(self) -> None:
        """Forget the stream's past."""
        self._plugin.reset()
        channels = self._format[1] if self._format else 1
        self._held = np.zeros((channels, self._lag), np.float32)

    def state(self) -> dict[str, Any]:
        """Return the parameters' values; of a VST3 what it saves itself."""
        if self.external:
            return {"raw": base64.b64encode(self._plugin.raw_state).decode()}
        return {name: self.get(name) for name in self.names}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a state; what does not fit is told and left out."""
        if self.external:
            try:
                self._plugin.raw_state = base64.b64decode(str(state.get("raw", "")), validate=True)
            except (ValueError, RuntimeError) as error:
                self._tell("/terzetto/status", f"{Path(self.kind).name}: its saved state does not fit ({error})")
            return
        for name, value in state.items():
            try:
                self.set(name, value)
            except InputError as error:
                self._tell("/terzetto/status", str(error))

    def _take(self, event: Message) -> None:
        name = event.address.rpartition("/")[2]
        try:
            if len(event.arguments) != 1:
                raise InputError(f"{event.address} takes one value; given {len(event.arguments)}")
            self.set(name, event.arguments[0])
        except InputError as error:
            self._tell("/terzetto/error", str(error), event.address)

    def _tell(self, address: str, *arguments: Argument) -> None:
        self.outbox.append(Message(address, arguments))

    def _run(self, block: Float) -> Float:
        return self.run_through(self._plugin, block)

    def _queued(self, output: Float, frames: int) -> Float:
        if self._lag == 0 and output.shape[1] == frames:
            return output
        both = np.concatenate([self._held, output], axis=1)
        if both.shape[1] < frames:
            log.warning("%s gave %d frames too few", self.kind, frames - both.shape[1])
            both = np.pad(both, ((0, 0), (frames - both.shape[1], 0)))
        self._held = both[:, frames:]
        return np.ascontiguousarray(both[:, :frames])

    def _measure(self) -> int:
        assert self._format is not None
        sample_rate, channels, hop = self._format
        silence, behind = np.zeros((channels, hop), np.float32), [0]
        try:
            while hop * len(behind) < LONGEST_LATENCY + 8 * hop:
                behind.append(behind[-1] + hop - self._run(silence).shape[1])
        except (ValueError, RuntimeError) as error:
            raise InputError(
                f"{self.kind} does not take {channels} channels at {sample_rate:g} Hz ({' '.join(str(error).split())})"
            ) from None
        if behind[-1] >= LONGEST_LATENCY:
            raise InputError(
                f"{self.kind} is silent for more than {LONGEST_LATENCY} frames and cannot be played live; "
                "take it out of the chain"
            )
        return max(behind)


def parameter_names(kind: str) -> tuple[str, ...]:
    """Return what can be set on a built-in while it plays, by pedalboard's own names."""
    import pedalboard

    kinds = getattr(pedalboard, kind)
    found = {name: getattr(kinds, name) for name in dir(kinds) if not name.startswith("_")}
    return tuple(name for name, value in found.items() if isinstance(value, property) and value.fset is not None)


def check_kind(kind: str, whole_file: bool = False) -> None:
    """Raise `InputError` unless this is a built-in that can stream; the message names those.

    With ``whole_file``, those that cannot are let in too.
    """
    if kind in WHOLE_FILE_ONLY and whole_file:
        return
    if kind in WHOLE_FILE_ONLY:
        raise InputError(
            f"{kind} cannot be played as a stream: {WHOLE_FILE_ONLY[kind]}. terzetto process takes it, for whole "
            f"files; built-ins that stream: {', '.join(BUILT_IN)}"
        )
    if kind not in BUILT_IN and whole_file:
        raise InputError(
            f"there is no plugin {kind!r}; pedalboard's: {', '.join(sorted((*BUILT_IN, *WHOLE_FILE_ONLY)))}"
        )
    if kind not in BUILT_IN:
        raise InputError(f"there is no plugin {kind!r}; pedalboard's built-ins that stream: {', '.join(BUILT_IN)}")


def _make(kind: str, path: object, whole_file: bool) -> Any:
    import pedalboard

    check_kind(kind, whole_file)
    made = getattr(pedalboard, kind)
    if kind != "Convolution":
        return made()
    if not isinstance(path, str) or not Path(path).is_file():
        raise InputError(f"Convolution needs impulse_response_filename, an audio file that is there; given {path!r}")
    with FileTake(path):  # pedalboard says nothing about a file that it cannot read
        pass
    try:
        return made(path)
    except (ValueError, RuntimeError) as error:
        raise InputError(f"Convolution: {path}: {' '.join(str(error).split())}") from None


def _load(path: str) -> Any:
    import pedalboard

    if not Path(path).exists():
        raise InputError(f"{path}: no such VST3 plugin")
    if threading.current_thread() is not threading.main_thread():
        raise InputError(f"{path}: a VST3 plugin can only be loaded by the main thread")
    try:
        plugin = pedalboard.VST3Plugin(path)
    except (ImportError, ValueError, RuntimeError) as error:
        raise InputError(f"{path}: cannot be loaded as a VST3 plugin ({' '.join(str(error).split())})") from None
    if not plugin.is_effect:
        raise InputError(f"{path}: is an instrument; a chain takes effects")
    return plugin


def _enumerations(kind: type) -> dict[str, list[Any]]:
    """Return the parameters that are a choice: LadderFilter.mode, Resample.quality."""
    names = {"LadderFilter": ("mode", "Mode"), "Resample": ("quality", "Quality")}
    if kind.__name__ not in names:
        return {}
    name, enumeration = names[kind.__name__]
    return {name: list(getattr(kind, enumeration).__members__.values())}
