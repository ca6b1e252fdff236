"""The sounds that a player strikes, live: made of a kit's voices in the background, exchanged between two blocks.

What rings goes on as it was struck, so nothing clicks; what is struck from then on is the new sound. A model whose file
has changed is noticed with the next sound that is made of it, and then all of its sounds are made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from terzetto.background import Background
from terzetto.drums.drum_map import CLASSES
from terzetto.drums.kit import SOUNDS, Drum, Kit, Voice, sounds_of_voice
from terzetto.drums.kit_file import shipped_kit
from terzetto.drums.player import Player, Sound
from terzetto.drums.sound_sources import SHIPPED_MODEL, models_of
from terzetto.drums.sound_space import OpenModel
from terzetto.drums.voice_sounds import voice_sounds
from terzetto.errors import InputError, TerzettoError
from terzetto.models import identity

_Part = tuple[Voice, tuple[Drum | None, ...], float]
_SILENT = Sound(np.zeros((1, 0), np.float32))


@dataclass(frozen=True)
class Made:
    """Sounds by voice, why others could not be made, and the models they come from, name → SHA-256.

    They are made of a kit, for a sample rate (Hz) and a number of channels.
    """

    kit: Kit
    form: tuple[float, int]
    sounds: dict[str, dict[int, Sound]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    models: dict[str, str] = field(default_factory=dict)


class LiveSounds:
    """Keeps a player's sounds as a kit has them.

    Parameters
    ----------
    background
        Where sounds are made.
    say
        Told what cannot be made.
    opened
        Opens sound models.

    Attributes
    ----------
    models : dict
        The models that sounds were made with, name → SHA-256.
    changed : int
        Rises with them.
    """

    def __init__(self, background: Background, say: Callable[[str], None], opened: OpenModel) -> None:
        self._background, self._say, self._opened = background, say, opened
        self.models: dict[str, str] = {}
        self.changed = 0
        self._due = False
        self._parts: dict[str, _Part | None] = {}  # what each voice's sounds were made of; None: to be made anew
        self._busy, self._turn = False, 0

    def prepare(self, kit: Kit, sample_rate: float, channels: int) -> Player:
        """Make all sounds for a stream, and their player; what cannot be made is as shipped, and said."""
        self._form = (sample_rate, channels)
        self._player = Player([_SILENT] * len(SOUNDS), sample_rate)
        made = self.make(kit, CLASSES)
        for name in CLASSES:
            if name not in made.sounds:
                self._install({name: self._sounds(shipped_kit(), name, self._form)})
        self.take(made)
        self._parts = {name: _part(kit, name) for name in CLASSES}
        return self._player

    def refresh(self, wanted: Callable[[], Kit], *, now: bool) -> None:
        """Begin to make what is not as it is wanted; with ``now`` at once, for nothing sounds yet."""
        if not self._due or (self._busy and not now):
            return
        self._due = False
        kit = wanted()
        names = [name for name in CLASSES if _part(kit, name) != self._parts[name]]
        if not names:
            return
        self._busy = True
        self._turn += now
        turn = self._turn

        def take(made: Made) -> None:
            self._busy = False
            if turn != self._turn:  # a kit was taken meanwhile
                self._due = True
                return
            self._install(made.sounds)
            self._parts.update({name: _part(kit, name) for name in names})  # what cannot be made is not tried again
            self._note(made)

        def fail(why: str) -> None:
            take(Made(kit, self._form, problems=[why]))

        self._background.run(lambda: self.make(kit, names), take, fail, now=now)

    def make(self, kit: Kit, names: Sequence[str]) -> Made:
        """Make what can be made of some voices; on any thread."""
        made = Made(kit, self._form)
        for name in names:
            try:
                made.sounds[name] = self._sounds(kit, name, made.form)
                for model in models_of(kit.voices[name].source):
                    made.models[model] = identity(model) or ""
            except TerzettoError as error:
                made.problems.append(str(error))
        return made

    def make_all(self, kit: Kit, names: Sequence[str]) -> Made:
        """Make all of some voices, or raise `InputError` with what cannot be; on any thread."""
        made = self.make(kit, names)
        if made.problems:
            raise InputError("; ".join(made.problems))
        return made

    def take(self, made: Made) -> None:
        """Strike what was made of a kit from now on; what is being made is out of date."""
        self.forget()
        if made.form == self._form:  # else the stream is another one by now, and the kit is made anew
            self._install(made.sounds)
            self._parts.update({name: _part(made.kit, name) for name in made.sounds})
        self._note(made)

    def reopen(self, model: str) -> None:
        """Make all sounds of a model anew, for it may be another one by now; an empty name is the shipped one's."""
        self._make_anew({model or SHIPPED_MODEL}, CLASSES)
        self._due = True

    def look_again(self) -> None:
        """Look at the kit again, with `refresh`: it may be wanted otherwise."""
        self._due = True

    def forget(self) -> None:
        """Take what is being made for out of date."""
        self._turn += 1
        self._due = True

    def _sounds(self, kit: Kit, name: str, form: tuple[float, int]) -> dict[int, Sound]:
        return voice_sounds(kit, name, *form, self._opened)

    def _install(self, sounds: dict[str, dict[int, Sound]]) -> None:
        for each in sounds.values():
            for index, sound in each.items():
                self._player.sounds[index] = sound

    def _make_anew(self, models: set[str], names: Sequence[str]) -> None:
        for name in names:
            part = self._parts.get(name)
            if part is not None and models_of(part[0].source) & models:
                self._parts[name], self._due = None, True

    def _note(self, made: Made) -> None:
        renewed = {name for name, sha256 in made.models.items() if self.models.get(name, sha256) != sha256}
        if renewed:
            self._make_anew(renewed, [name for name in CLASSES if name not in made.sounds])
            names = ", ".join(sorted(Path(name).stem for name in renewed))
            self._say(f"The model {names} is another one by now; its sounds are made anew.")
        if made.models.items() - self.models.items():
            self.models |= made.models
            self.changed += 1
        if made.problems:
            self._say("; ".join(made.problems))


def _part(kit: Kit, name: str) -> _Part:
    """Return what the sounds of a voice are made of."""
    drums = tuple(kit.drums.get(SOUNDS[index]) for index in sounds_of_voice(name))
    return kit.voices[name], drums, kit.gain_db
