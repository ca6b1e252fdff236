"""The voices of the live kit: each sounds as the kit has it, or of a point of its own pad."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from terzetto.background import Background
from terzetto.control.messages import Message
from terzetto.control.parameters import Change, Parameters
from terzetto.drums.commands import point_of, text_of, texts_of
from terzetto.drums.drum_map import CLASSES
from terzetto.drums.kit import Kit
from terzetto.drums.kit_file import kit_of_table, kit_table, read_kit, shipped_kit, write_kit
from terzetto.drums.live_sounds import LiveSounds, Made
from terzetto.drums.player import Player
from terzetto.drums.sound_sources import Point, Sample
from terzetto.drums.sound_space import OpenModel, open_model, whole_name
from terzetto.drums.table_places import Place
from terzetto.errors import ControlError, InputError

PARAMETERS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {f"{name.replace(' ', '_')}_{what}": (name, what) for name in CLASSES for what in ("x", "y", "source")}
)
"""The voices' parameters: the voice, and ``x``, ``y`` or ``source``."""


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
        self._sounds = LiveSounds(background, say, opened)
        self.kit, self.model = shipped_kit(), ""
        self._edits = 0
        self._wishes, self._taken = 0, dict.fromkeys(("kit", "model", *CLASSES), 0)  # by what was asked for last
        self._pad_ranges: dict[str, tuple[float, float]] = {}  # by model
        self._at: dict[str, float] = {}
        self._told: set[str] = set()

    @property
    def models(self) -> dict[str, str]:
        """The models that sounds were made with, name → SHA-256."""
        return self._sounds.models

    @property
    def changed(self) -> int:
        """Rises with the kit, the model and the models."""
        return self._edits + self._sounds.changed

    def prepare(self, sample_rate: float, channels: int) -> Player:
        """Make all sounds for a stream, and the player that strikes them; see `LiveSounds.prepare`."""
        player = self._sounds.prepare(self.wanted(), sample_rate, channels)
        self.place()
        # The first move of a pad is to be as quick as the others.
        self._ask_pad_range(lambda: None, lambda _: None, now=False)
        return player

    def place(self) -> None:
        """Take the parameters' values for what they have always been."""
        self._at = {name: self._parameters.number(name) for name, (_, what) in PARAMETERS.items() if what != "source"}
        self._sounds.due = True

    def wanted(self) -> Kit:
        """Return the kit as it is to sound: the pads in it."""
        kit = self.kit
        for name in CLASSES:
            if self._parameters[_named(name, "source")] == "pad":
                pad = (self._parameters.number(_named(name, "x")), self._parameters.number(_named(name, "y")))
                kit = kit.with_voice(name, source=Point(pad=pad, model=self.model))
        return kit

    def refresh(self, *, now: bool) -> None:
        """Begin to make what is not as it is wanted; see `LiveSounds.refresh`."""
        self._sounds.refresh(self.wanted, now=now)

    # What moves them

    def begin_block(self, events: Sequence[Message]) -> None:
        """Look at what a block brings, before it is followed."""
        self._told = {event.address.rpartition("/")[2] for event in events if event.arguments}

    def follow(self, change: Change, *, begins: bool) -> None:
        """Do what a changed parameter asks for. ``begins``: nothing of the stream has been heard."""
        if change.name not in PARAMETERS:
            return
        self._sounds.due = True
        voice, what = PARAMETERS[change.name]
        if what == "source":
            return
        moved, self._at[change.name] = self._at[change.name] != change.value, float(change.value)
        source = _named(voice, "source")
        # A pad that is moved is heard; but not where all values come at once, as at a stream's beginning.
        if moved and not begins and source not in self._told and self._parameters[source] != "pad":
            self._set(source, "pad")

    def obey(self, name: str, event: Message, *, begins: bool) -> None:
        """Follow a command; others are not ours. ``begins``: nothing of the stream has been heard."""
        if name == "kit":
            self._load(Path(text_of(event, "the path of a kit.toml, or of its folder")), now=begins)
        elif name == "sample":
            voice, file = texts_of(event, 2, "a voice and the path of an audio file")
            self._use_sample(_voice(voice), Path(file).absolute(), now=begins)
        elif name == "sound":
            voice, x, y = point_of(event)
            self._move(_voice(voice), (x, y))
        elif name == "sound_latent":
            voice, x, y = point_of(event)
            self._move_latent(_voice(voice), (x, y), now=begins)
        elif name == "sound_model":
            self._use_model(whole_name(text_of(event, "the name or the path of a sound model")), now=begins)
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
        self._sounds.due = True

    def _move_latent(self, voice: str, point: tuple[float, float], *, now: bool) -> None:
        """Move a voice to a point in the model's units; they wait for a model that is not open yet."""
        if self.model not in self._pad_ranges:
            self._ask_pad_range(
                lambda: self._move_latent(voice, point, now=now),
                lambda why: self._say(f"The {voice} cannot be moved there: {why}"),
                now=now,
            )
            return
        low, high = self._pad_ranges[self.model]
        self._move(voice, ((point[0] - low) / (high - low), (point[1] - low) / (high - low)))

    def _ask_pad_range(self, then: Callable[[], None], fail: Callable[[str], None], *, now: bool) -> None:
        """Open the pads' model, beside the sound, and note how far its pads go."""
        model = self.model

        def take(pad_range: tuple[float, float]) -> None:
            self._pad_ranges[model] = pad_range
            then()

        self._background.run(lambda: self._opened(model).pad_range, take, fail, now=now)

    def _load(self, path: Path, *, now: bool) -> None:
        """Take another kit, all its voices at once, when its sounds are made."""
        wish = self._wish()

        def work() -> Made:
            return self._sounds.make_all(read_kit(path), CLASSES)

        def take(made: Made) -> None:
            if self._taken["kit"] > wish:  # overtaken by another one
                return
            kit, voices = made.kit, [name for name in CLASSES if self._taken[name] < wish]
            for name in CLASSES:
                if name not in voices:
                    kit = kit.with_voice(name, source=self.kit.voices[name].source)
            self._taken["kit"] = wish
            self._adopt(kit, made, voices, wish)
            self._say(f"The kit is {kit.name or path.name}.")

        self._background.run(work, take, lambda why: self._say(f"That kit cannot be used: {why}"), now=now)

    def _use_sample(self, voice: str, path: Path, *, now: bool) -> None:
        wish, kit = self._wish(), self.kit.with_voice(voice, source=Sample(path))

        def work() -> Made:
            return self._sounds.make_all(kit, [voice])

        def take(made: Made) -> None:
            if self._taken[voice] < wish:
                self._adopt(self.kit.with_voice(voice, source=Sample(path)), made, [voice], wish)
                self._say(f"The {voice} is {path.name}.")

        self._background.run(work, take, lambda why: self._say(f"That sample cannot be used: {why}"), now=now)

    def _wish(self) -> int:
        """Return a number for what is asked for: wishes count in the order of asking, however long each takes."""
        self._wishes += 1
        return self._wishes

    def _adopt(self, kit: Kit, made: Made, voices: Sequence[str], wish: int) -> None:
        """Play a kit of which some voices' sounds are made: these come from the kit now."""
        self.kit = kit
        self._edits += 1
        self._taken.update(dict.fromkeys(voices, wish))
        self._sounds.take(replace(made, sounds={name: made.sounds[name] for name in voices}))
        for name in voices:
            source = kit.voices[name].source
            if isinstance(source, Point) and source.pad is not None:  # where the kit is on the pad, the pad shows it
                self._set(_named(name, "x"), source.pad[0])
                self._set(_named(name, "y"), source.pad[1])
            self._set(_named(name, "source"), "kit")

    def _use_model(self, name: str, *, now: bool) -> None:
        wish = self._wish()

        def take(pad_range: tuple[float, float]) -> None:
            if self._taken["model"] > wish:
                return
            self._taken["model"] = wish
            self.model, self._sounds.due = name, True
            self._pad_ranges[name] = pad_range
            self._sounds.reopen(name)
            self._edits += 1
            self._say(f"The pads are {Path(name).stem or 'the shipped model'}'s.")

        def fail(why: str) -> None:
            self._say(f"That model cannot be used: {why}")

        self._background.run(lambda: self._opened(name).pad_range, take, fail, now=now)

    # State

    def state(self) -> dict[str, Any]:
        """Return the kit and the model, ready for JSON; a shipped kit is no table."""
        shipped = self.kit == shipped_kit()
        return {"kit": None if shipped else kit_table(self.kit), "sound_model": self.model}

    def restore(self, content: Mapping[str, Any]) -> str:
        """Take up a state, which is made with the next block; return why its kit cannot be, or nothing."""
        self._taken = dict.fromkeys(self._taken, self._wish())  # what was asked for before does not come into it
        table, model = content.get("kit"), content.get("sound_model")
        self.model = model if isinstance(model, str) else ""
        self.kit, problem = shipped_kit(), ""
        if isinstance(table, dict):
            try:
                self.kit = kit_of_table(table, Path(), Place("the project's kit"))
            except InputError as error:
                problem = str(error)
        self.place()
        self._sounds.forget()
        return problem


def _named(voice: str, what: str) -> str:
    return f"{voice.replace(' ', '_')}_{what}"


def _voice(text: str) -> str:
    """Return a voice by its name, spaces or underscores in it; or raise `ControlError`."""
    name = text.replace("_", " ").strip().lower()
    if name not in CLASSES:
        raise ControlError(f"there is no voice {text[:40]!r}; valid: {', '.join(CLASSES)}")
    return name
