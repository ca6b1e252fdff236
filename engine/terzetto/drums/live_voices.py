"""The voices of the live kit: each sounds as the kit has it, or of a point of its own pad (`LivePads`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from terzetto.background import Background
from terzetto.control.arguments import text_of, texts_of
from terzetto.control.messages import Message
from terzetto.control.parameters import Change, Parameters
from terzetto.drums.drum_map import CLASSES
from terzetto.drums.kit import Kit
from terzetto.drums.kit_file import kit_of_table, kit_table, read_kit, shipped_kit, write_kit
from terzetto.drums.live_pads import LivePads, voice_of
from terzetto.drums.live_sounds import LiveSounds, Made
from terzetto.drums.player import Player
from terzetto.drums.sound_sources import Sample
from terzetto.drums.sound_space import OpenModel, open_model
from terzetto.drums.table_places import Place
from terzetto.errors import InputError
from terzetto.models import whole_name


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
    """

    def __init__(
        self,
        parameters: Parameters,
        background: Background,
        outbox: list[Message],
        say: Callable[[str], None],
        opened: OpenModel = open_model,
    ) -> None:
        self._background, self._say, self._opened = background, say, opened
        self._sounds = LiveSounds(background, say, opened)
        self._pads = LivePads(parameters, background, outbox, say, self._sounds.look_again, opened)
        self.kit = shipped_kit()
        self._edits = 0
        self._wishes, self._taken = 0, dict.fromkeys(("kit", "model", *CLASSES), 0)  # by what was asked for last

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
        self._pads.ask_range()
        return player

    def place(self) -> None:
        """Take the parameters' values for what they have always been."""
        self._pads.place()

    def wanted(self) -> Kit:
        """Return the kit as it is to sound: the pads in it."""
        return self._pads.laid_over(self.kit)

    def refresh(self, *, now: bool) -> None:
        """Begin to make what is not as it is wanted; see `LiveSounds.refresh`."""
        self._sounds.refresh(self.wanted, now=now)

    # What moves them

    def begin_block(self, events: Sequence[Message]) -> None:
        """Look at what a block brings, before it is followed."""
        self._pads.begin_block(events)

    def follow(self, change: Change, *, begins: bool) -> None:
        """Do what a changed parameter asks for. ``begins``: nothing of the stream has been heard."""
        self._pads.follow(change, begins=begins)

    def obey(self, name: str, event: Message, *, begins: bool) -> None:
        """Follow a command; others are not ours. ``begins``: nothing of the stream has been heard."""
        if name == "kit":
            self._load(Path(text_of(event, "the path of a kit.toml, or of its folder")), now=begins)
        elif name == "sample":
            voice, file = texts_of(event, 2, "a voice and the path of an audio file")
            self._use_sample(voice_of(voice), Path(file).absolute(), now=begins)
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
        else:
            self._pads.obey(name, event, begins=begins)

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
            self._pads.show_kit(name, kit.voices[name].source)

    def _use_model(self, name: str, *, now: bool) -> None:
        wish = self._wish()

        def take(pad_range: tuple[float, float]) -> None:
            if self._taken["model"] > wish:
                return
            self._taken["model"] = wish
            self._pads.model = name
            self._pads.note_range(name, pad_range)
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
        return {"kit": None if shipped else kit_table(self.kit), "sound_model": self._pads.model}

    def restore(self, content: Mapping[str, Any]) -> str:
        """Take up a state, which is made with the next block; return why its kit cannot be, or nothing."""
        self._taken = dict.fromkeys(self._taken, self._wish())  # what was asked for before does not come into it
        table, model = content.get("kit"), content.get("sound_model")
        self._pads.model = model if isinstance(model, str) else ""
        self.kit, problem = shipped_kit(), ""
        if isinstance(table, dict):
            try:
                self.kit = kit_of_table(table, Path(), Place("the project's kit"))
            except InputError as error:
                problem = str(error)
        self.place()
        self._sounds.forget()
        return problem
