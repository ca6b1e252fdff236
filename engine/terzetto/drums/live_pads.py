"""The pads of the live kit: where each voice is on its own, and whether it sounds so or as the kit has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from terzetto.background import Background
from terzetto.control.messages import Message
from terzetto.control.parameters import Change, Parameters
from terzetto.drums.commands import point_of
from terzetto.drums.drum_map import CLASSES
from terzetto.drums.kit import Kit
from terzetto.drums.sound_sources import Point, Source
from terzetto.drums.sound_space import OpenModel
from terzetto.errors import ControlError

Position = tuple[float, float]
PARAMETERS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {f"{name.replace(' ', '_')}_{what}": (name, what) for name in CLASSES for what in ("x", "y", "source")}
)
"""The voices' parameters: the voice, and ``x``, ``y`` or ``source``."""


class LivePads:
    """Follows what moves the pads.

    Parameters
    ----------
    parameters
        The instrument's.
    background
        Where models are opened.
    outbox
        Takes the parameters that are set here.
    say
        Told what happened, in a sentence.
    moved
        Called when a voice is to sound otherwise.
    opened
        Opens sound models.

    Attributes
    ----------
    model : str
        Name or path of the sound model that the pads are of; empty for the shipped one.
    """

    def __init__(
        self,
        parameters: Parameters,
        background: Background,
        outbox: list[Message],
        say: Callable[[str], None],
        moved: Callable[[], None],
        opened: OpenModel,
    ) -> None:
        self._parameters, self._background, self._outbox, self._say = parameters, background, outbox, say
        self._moved, self._opened = moved, opened
        self.model = ""
        self._ranges: dict[str, tuple[float, float]] = {}  # of the pads of each model that is known
        self._at: dict[str, float] = {}
        self._told: set[str] = set()
        self._moves: dict[str, object] = {}  # each voice's last one

    def place(self) -> None:
        """Take the parameters' values for what they have always been."""
        self._at = {name: self._parameters.number(name) for name, (_, what) in PARAMETERS.items() if what != "source"}
        self._moved()

    def laid_over(self, kit: Kit) -> Kit:
        """Return a kit with the voices that are on their pads."""
        for name in CLASSES:
            if self._parameters[_named(name, "source")] == "pad":
                pad = (self._parameters.number(_named(name, "x")), self._parameters.number(_named(name, "y")))
                kit = kit.with_voice(name, source=Point(pad=pad, model=self.model))
        return kit

    def show_kit(self, voice: str, source: Source) -> None:
        """Let a voice sound as the kit has it; where that is a point of the pad, the pad shows it."""
        if isinstance(source, Point) and source.pad is not None:
            self._set(_named(voice, "x"), source.pad[0])
            self._set(_named(voice, "y"), source.pad[1])
        self._set(_named(voice, "source"), "kit")

    def ask_range(self) -> None:
        """Open the model, beside the sound: the first move of a pad is to be as quick as the others."""
        self._ask(lambda: None, lambda _: None, now=False)

    def note_range(self, model: str, limits: tuple[float, float]) -> None:
        """Note how far the pads of a model go, in its units."""
        self._ranges[model] = limits

    # What moves them

    def begin_block(self, events: Sequence[Message]) -> None:
        """Look at what a block brings, before it is followed."""
        self._told = {event.address.rpartition("/")[2] for event in events if event.arguments}

    def follow(self, change: Change, *, begins: bool) -> None:
        """Do what a changed parameter asks for. ``begins``: nothing of the stream has been heard."""
        if change.name not in PARAMETERS:
            return
        self._moved()
        voice, what = PARAMETERS[change.name]
        if what == "source":
            return
        moved, self._at[change.name] = self._at[change.name] != change.value, float(change.value)
        source = _named(voice, "source")
        # A pad that is moved is heard; but not where all values come at once, as at a stream's beginning.
        if moved and not begins and source not in self._told and self._parameters[source] != "pad":
            self._set(source, "pad")

    def obey(self, name: str, event: Message, *, begins: bool) -> None:
        """Follow ``sound`` and ``sound_latent``; others are not ours."""
        if name in ("sound", "sound_latent"):
            given, x, y = point_of(event)
            voice = voice_of(given)
            self._moves[voice] = move = object()
            if name == "sound":
                self._move(voice, (x, y))
            else:
                self._move_latent(voice, (x, y), move, now=begins)

    def _move(self, voice: str, point: Position) -> None:
        for what, value in zip(("x", "y"), point, strict=True):
            self._set(_named(voice, what), value)
        self._set(_named(voice, "source"), "pad")
        if not all(0.0 <= value <= 1.0 for value in point):
            self._say("That point lies outside the pad; it is at the pad's edge now.")

    def _move_latent(self, voice: str, point: Position, move: object, *, now: bool) -> None:
        """Move a voice to a point in the model's units once the model is open, unless it is moved again before."""
        if self._moves[voice] is not move:
            return
        if self.model not in self._ranges:
            self._ask(
                lambda: self._move_latent(voice, point, move, now=now),
                lambda why: self._say(f"The {voice} cannot be moved there: {why}"),
                now=now,
            )
            return
        low, high = self._ranges[self.model]
        self._move(voice, ((point[0] - low) / (high - low), (point[1] - low) / (high - low)))

    def _ask(self, then: Callable[[], None], fail: Callable[[str], None], *, now: bool) -> None:
        model = self.model

        def take(limits: tuple[float, float]) -> None:
            self.note_range(model, limits)
            then()

        self._background.run(lambda: self._opened(model).pad_range, take, fail, now=now)

    def _set(self, name: str, value: float | str) -> None:
        self._parameters.set(name, value)
        self._outbox.append(self._parameters.message(name))
        if PARAMETERS[name][1] != "source":
            self._at[name] = self._parameters.number(name)
        self._moved()


def voice_of(text: str) -> str:
    """Return a voice by its name, spaces or underscores in it; or raise `ControlError`."""
    name = text.replace("_", " ").strip().lower()
    if name not in CLASSES:
        raise ControlError(f"there is no voice {text[:40]!r}; valid: {', '.join(CLASSES)}")
    return name


def _named(voice: str, what: str) -> str:
    return f"{voice.replace(' ', '_')}_{what}"
