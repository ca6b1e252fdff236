"""The voices of the live kit: each sounds as the kit has it, or of a point of its own pad.

Sounds are made in the background and exchanged between two blocks. What rings goes on as it was struck, so nothing
clicks; what is struck from then on is the new sound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from terzetto.background import Background
from terzetto.control.messages import Message
from terzetto.control.parameters import Change, Parameters
from terzetto.drums.commands import point_of, text_of, texts_of
from terzetto.drums.drum_map import CLASSES
from terzetto.drums.kit import SOUNDS, Kit, sounds_of_voice
from terzetto.drums.kit_file import kit_of_table, kit_table, read_kit, shipped_kit, write_kit
from terzetto.drums.player import Player, Sound
from terzetto.drums.sound_sources import Point, Sample, models_of
from terzetto.drums.table_places import Place
from terzetto.drums.voice_sounds import OpenModel, open_model, voice_sounds
from terzetto.errors import ControlError, InputError, TerzettoError
from terzetto.models import identity

_SILENT = Sound(np.zeros((1, 0), np.float32))
PARAMETERS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {f"{name.replace(' ', '_')}_{what}": (name, what) for name in CLASSES for what in ("x", "y", "source")}
)
"""The voices' parameters: the voice, and ``x``, ``y`` or ``source``."""


@dataclass(frozen=True)
class Made:
    """Sounds by voice, why others could not be made, and the models they come from, name → SHA-256."""

    sounds: dict[str, dict[int, Sound]]
    problems: list[str]
    models: dict[str, str]


class LiveVoices:
    """Which sounds a player strikes.

    Parameters
    ----------
    parameters
        The instrument's.
    background
        Where sounds are made.
    outbox
        Takes the parameters that are set here.
    say
        Told what happened, in a sentence.
    opened
        Opens sound models.

    Attributes
    ----------
    kit : Kit
        As it was loaded, and edited since; the pads are not in it.
    model : str
        Name or path of the sound model that the pads are of; empty for the shipped one.
    models : dict
        The models that sounds were made with, name → SHA-256.
    changed : int
        Rises with the kit, the model and the models.
    """

    def __init__(
        self,
        parameters: Parameters,
        background: Background,
        outbox: list[Message],
        say: Callable[[str], None],
        opened: OpenModel = open_model,
    ) -> None:
        self._parameters, self._background, self._outbox, self._say = parameters, background, outbox, say
        self._opened = opened
        self.kit, self.model = shipped_kit(), ""
        self.models: dict[str, str] = {}
        self.changed = 0
        self._made: dict[str, object] = {}  # what each voice's sounds were made of
        self._due, self._busy, self._turn = False, False, 0
        self._at: dict[str, float] = {}
        self._told: set[str] = set()

    def prepare(self, sample_rate: float, channels: int) -> Player:
        """Make all sounds for a stream, and their player; what cannot be made is as shipped, and said."""
        self._rate, self._channels = sample_rate, channels
        self._turn += 1
        wanted = self.wanted()
        made = self._make(wanted, CLASSES)
        stand_ins = {name: self._sounds(shipped_kit(), name) for name in CLASSES if name not in made.sounds}
        self._player = Player([_SILENT] * len(SOUNDS), sample_rate)
        self._install({**made.sounds, **stand_ins})
        self._made = {name: _part(wanted, name) for name in CLASSES}
        self._note(made)
        self.place()
        # The first move of a pad is to be as quick as the others.
        self._background.run(lambda: self._opened(self.model), lambda _: None, lambda _: None, now=False)
        return self._player

    def place(self) -> None:
        """Take the parameters' values for what they have always been."""
        self._at = {name: self._parameters.number(name) for name, (_, what) in PARAMETERS.items() if what != "source"}
        self._due = True

    def wanted(self) -> Kit:
        """Return the kit as it is to sound: the pads in it."""
        kit = self.kit
        for name in CLASSES:
            if self._parameters[_named(name, "source")] == "pad":
                pad = (self._parameters.number(_named(name, "x")), self._parameters.number(_named(name, "y")))
                kit = kit.with_voice(name, source=Point(pad=pad, model=self.model))
        return kit

    def refresh(self, *, now: bool) -> None:
        """Begin to make what is not as it is wanted; with ``now`` at once, for nothing sounds yet."""
        if not self._due or (self._busy and not now):
            return
        self._due = False
        wanted = self.wanted()
        names = [name for name in CLASSES if _part(wanted, name) != self._made[name]]
        if not names:
            return
        self._busy = True
        self._turn += now
        turn = self._turn

        def take(made: Made) -> None:
            self._busy = False
            if turn != self._turn:  # a kit was loaded meanwhile
                self._due = True
                return
            self._install(made.sounds)
            self._made.update({name: _part(wanted, name) for name in names})  # what cannot be made is not tried again
            self._note(made)

        def fail(why: str) -> None:
            take(Made({}, [why], {}))

        self._background.run(lambda: self._make(wanted, names), take, fail, now=now)

    # What moves them

    def begin_block(self, events: Sequence[Message]) -> None:
        """Look at what a block brings, before it is followed."""
        self._told = {event.address.rpartition("/")[2] for event in events if event.arguments}

    def follow(self, change: Change, *, begins: bool) -> None:
        """Do what a changed parameter asks for. ``begins``: nothing of the stream has been heard."""
        if change.name not in PARAMETERS:
            return
        self._due = True
        voice, what = PARAMETERS[change.name]
        if what == "source":
            return
        moved, self._at[change.name] = self._at[change.name] != change.value, float(change.value)
        source = _named(voice, "source")
        # A pad that is moved is heard; but not where all values come at once, as at a stream's beginning.
        if moved and not begins and source not in self._told and self._parameters[source] != "pad":
            self._set(source, "pad")

    def obey(self, name: str, event: Message) -> None:
        """Follow a command; others are not ours."""
        if name == "kit":
            self._load(Path(text_of(event, "the path of a kit.toml, or of its folder")))
        elif name == "sample":
            voice, file = texts_of(event, 2, "a voice and the path of an audio file")
            self._use_sample(_voice(voice), Path(file))
        elif name in ("sound", "sound_latent"):
            voice, x, y = point_of(event)
            low, high = (0.0, 1.0) if name == "sound" else self._pad_range()
            self._move(_voice(voice), ((x - low) / (high - low), (y - low) / (high - low)))
        elif name == "sound_model":
            self._use_model(text_of(event, "the name or the path of a sound model"))
        elif name == "save_kit":
            path, kit = Path(text_of(event, "the path of a kit.toml")), self.wanted()
            self._background.run(
                lambda: write_kit(path, kit),
                lambda _: self._say(f"The kit is in {path}."),
                lambda why: self._say(f"The kit could not be saved: {why}"),
                now=False,
            )

    def _move(self, voice: str, point: tuple[float, float]) -> None:
        for what, value in zip(("x", "y"), point, strict=True):
            self._set(_named(voice, what), value)
        self._set(_named(voice, "source"), "pad")
        if not all(0.0 <= value <= 1.0 for value in point):
            self._say("That point lies outside the pad; it is at the pad's edge now.")

    def _set(self, name: str, value: float | str) -> None:
        self._parameters.set(name, value)
        self._outbox.append(self._parameters.message(name))
        if PARAMETERS[name][1] != "source":
            self._at[name] = self._parameters.number(name)
        self._due = True

    def _pad_range(self) -> tuple[float, float]:
        return self._opened(self.model).pad_range

    def _load(self, path: Path) -> None:
        """Take another kit, all its voices at once, when its sounds are made."""

        def work() -> tuple[Kit, Made]:
            kit = read_kit(path)
            return kit, self._all(kit, CLASSES)

        def take(loaded: tuple[Kit, Made]) -> None:
            kit, made = loaded
            self._adopt(kit, made)
            self._say(f"The kit is {kit.name or path.name}.")

        self._background.run(work, take, lambda why: self._say(f"That kit cannot be used: {why}"), now=False)

    def _use_sample(self, voice: str, path: Path) -> None:
        def work() -> Made:
            return self._all(self.kit.with_voice(voice, source=Sample(path)), [voice])

        def take(made: Made) -> None:
            self._adopt(self.kit.with_voice(voice, source=Sample(path)), made)
            self._say(f"The {voice} is {path.name}.")

        self._background.run(work, take, lambda why: self._say(f"That sample cannot be used: {why}"), now=False)

    def _adopt(self, kit: Kit, made: Made) -> None:
        """Play a kit of which some voices' sounds are made: these come from the kit now."""
        self._turn += 1
        self.kit = kit
        self.changed += 1
        self._install(made.sounds)
        for name in made.sounds:
            self._made[name] = _part(kit, name)
            source = kit.voices[name].source
            if isinstance(source, Point) and source.pad is not None:  # where the kit is on the pad, the pad shows it
                self._set(_named(name, "x"), source.pad[0])
                self._set(_named(name, "y"), source.pad[1])
            self._set(_named(name, "source"), "kit")
        self._note(made)

    def _use_model(self, name: str) -> None:
        def take(_: object) -> None:
            self.model, self._due = name, True
            self.changed += 1
            self._say(f"The pads are {Path(name).stem or 'the shipped model'}'s.")

        def fail(why: str) -> None:
            self._say(f"That model cannot be used: {why}")

        self._background.run(lambda: self._opened(name), take, fail, now=False)

    # Sounds

    def _sounds(self, kit: Kit, name: str) -> dict[int, Sound]:
        return voice_sounds(kit, name, self._rate, self._channels, self._opened)

    def _make(self, kit: Kit, names: Sequence[str]) -> Made:
        """Make what can be made."""
        made = Made({}, [], {})
        for name in names:
            try:
                made.sounds[name] = self._sounds(kit, name)
                for model in models_of(kit.voices[name].source):
                    made.models[model] = self.models.get(model) or identity(model) or ""
            except TerzettoError as error:
                made.problems.append(str(error))
        return made

    def _all(self, kit: Kit, names: Sequence[str]) -> Made:
        """Make all of it, or raise `InputError` with what cannot be."""
        made = self._make(kit, names)
        if made.problems:
            raise InputError("; ".join(made.problems))
        return made

    def _install(self, sounds: dict[str, dict[int, Sound]]) -> None:
        for each in sounds.values():
            for index, sound in each.items():
                self._player.sounds[index] = sound

    def _note(self, made: Made) -> None:
        if made.models.items() - self.models.items():
            self.models |= made.models
            self.changed += 1
        if made.problems:
            self._say("; ".join(made.problems))

    # State

    def state(self) -> dict[str, Any]:
        """Return the kit and the model, ready for JSON; a shipped kit is no table."""
        shipped = self.kit == shipped_kit()
        return {"kit": None if shipped else kit_table(self.kit), "sound_model": self.model}

    def restore(self, content: Mapping[str, Any]) -> str:
        """Take up a state, which is made with the next block; return why its kit cannot be, or nothing."""
        table, model = content.get("kit"), content.get("sound_model")
        self.model = model if isinstance(model, str) else ""
        self.kit, problem = shipped_kit(), ""
        if isinstance(table, dict):
            try:
                self.kit = kit_of_table(table, Path(), Place("the project's kit"))
            except InputError as error:
                problem = str(error)
        self._turn += 1
        self.place()
        return problem


def _part(kit: Kit, name: str) -> object:
    """Return what the sounds of a voice are made of."""
    drums = [kit.drums.get(SOUNDS[index]) for index in sounds_of_voice(name)]
    return kit.voices[name], drums, kit.gain_db


def _named(voice: str, what: str) -> str:
    return f"{voice.replace(' ', '_')}_{what}"


def _voice(text: str) -> str:
    """Return a voice by its name, spaces or underscores in it; or raise `ControlError`."""
    name = text.replace("_", " ").strip().lower()
    if name not in CLASSES:
        raise ControlError(f"there is no voice {text[:40]!r}; valid: {', '.join(CLASSES)}")
    return name
