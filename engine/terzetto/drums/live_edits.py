"""The dictionary in the live instrument: what it does to the pattern, and what it says of it.

Reading files and comparing beats goes on beside the sound; what comes of it is told when it is there:
``/terzetto/drums/similar``, ``atoms``, ``shift_variance`` and ``denoise_file`` with their answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from terzetto.background import Background
from terzetto.control.arguments import text_of, texts_of
from terzetto.control.messages import Argument, Message
from terzetto.control.parameters import Change, Parameters
from terzetto.drums.atoms import used_atoms
from terzetto.drums.bars import Bars, Settings
from terzetto.drums.beat_files import Denoise, EditJob
from terzetto.drums.dictionary import Dictionary, open_dictionary
from terzetto.drums.dictionary_edits import most_similar, shift_variance
from terzetto.drums.grid import Hvo
from terzetto.drums.pattern_edits import MOST_BARS, Edits, OtherBeat, check
from terzetto.drums.pattern_file import pattern_bars
from terzetto.drums.reading import Reading, midi_files
from terzetto.errors import ControlError, InputError, TerzettoError

SHAPING = ("interpolate", "swap", "simplify", "denoise")
"""Parameters that change the pattern."""
_TOLD = 5
"""Beats that ``similar`` tells."""
_MOST_ATOMS = 16
_ROOT = "/terzetto/drums/"
Work = Callable[[Dictionary, Sequence[Hvo]], Sequence[Argument]]


class LiveEdits:
    """Edits of the pattern that plays.

    Parameters
    ----------
    parameters
        The instrument's.
    background
        Where files are read.
    outbox
        Takes the answers, and errors.
    say
        Told what happened, in a sentence.

    Attributes
    ----------
    dictionary : Dictionary or None
        None: there is none, and patterns stay as they are.
    problem : str
        Why there is none; empty if there is one.
    changed : int
        Rises with the other beat.
    """

    def __init__(
        self, parameters: Parameters, background: Background, outbox: list[Message], say: Callable[[str], None]
    ) -> None:
        self._parameters, self._background, self._outbox, self._say = parameters, background, outbox, say
        self.dictionary: Dictionary | None = None
        self.problem = ""
        self.changed = 0
        self._other: OtherBeat | None = None
        self._wanted = ""
        self._saved: dict[str, Any] | None = None

    def prepare(self) -> None:
        """Open the dictionary when the stream is the first one; what it does counts from the first frame on."""
        if self.dictionary is None and not self.problem:
            try:
                self.dictionary = check(open_dictionary())
            except TerzettoError as error:
                self.problem = str(error)
        if self._saved is not None:
            self.restore(self._saved)

    def now(self) -> Edits:
        """Return what the knobs ask for."""
        number = self._parameters.number
        return Edits(
            interpolate=number("interpolate"),
            swap=round(number("swap")),
            simplify=round(number("simplify")),
            denoise=bool(self._parameters["denoise"]),
            other=self._other,
        )

    def follow(self, change: Change) -> None:
        """Say what a knob that was turned lacks to do something."""
        if change.name not in SHAPING or not change.value:
            return
        if self.dictionary is None:
            self._say(f"Patterns stay as they are: {self.problem}")
        elif change.name in ("interpolate", "swap") and self._other is None:
            self._say(f"There is no other beat yet; send {_ROOT}other PATH.")

    def obey(self, name: str, event: Message, pattern: Callable[[], tuple[Bars, Settings]], *, begins: bool) -> None:
        """Follow a command; others are not ours.

        Parameters
        ----------
        pattern
            Gives what plays; it may raise `ControlError`.
        begins
            Nothing of the stream has been heard.
        """
        if name == "other":
            self._take(text_of(event, "the path of a MIDI file, or an empty text"), event.address, begins)
        elif name == "similar":
            path = Path(text_of(event, "the path of a MIDI file or of a folder of them"))
            self._tell(event.address, pattern(), lambda dictionary, bars: _similar(dictionary, bars, path))
        elif name == "denoise_file":
            read, write = texts_of(event, 2, "the paths of a MIDI file to read and of one to write")
            self._work(event.address, lambda: _denoised(read, write))
        elif name == "atoms":
            self._tell(event.address, pattern(), _atoms)
        elif name == "shift_variance":
            self._tell(event.address, pattern(), lambda dictionary, bars: shift_variance(dictionary, bars).tolist())

    def _take(self, path: str, address: str, begins: bool) -> None:
        """Read another beat, while the pattern plays on; an empty path lets the present one go."""
        self._wanted = path
        if not path:
            self._put(None)
            return
        dictionary = self._opened()

        def read() -> tuple[OtherBeat, int]:
            bars = Reading().read(Path(path))[1]
            return OtherBeat.of(dictionary, path, bars), len(bars)

        def take(found: tuple[OtherBeat, int]) -> None:
            other, length = found
            if self._wanted == path:  # not overtaken by another one
                self._put(other)
                cut = f", the first {MOST_BARS} of its {length} bars" if length > MOST_BARS else ""
                self._say(f"The other beat is {path}{cut}.")

        self._background.run(read, take, lambda why: self._fail(why, address), now=begins)

    def _put(self, other: OtherBeat | None) -> None:
        self._other = other
        self.changed += 1

    def _tell(self, address: str, pattern: tuple[Bars, Settings], work: Work) -> None:
        dictionary = self._opened()
        self._work(address, lambda: work(dictionary, pattern_bars(*pattern)))

    def _work(self, address: str, work: Callable[[], Sequence[Argument]]) -> None:
        """Do something beside the sound, and answer with what comes of it."""
        self._background.run(
            work,
            lambda answer: self._outbox.append(Message(address, tuple(answer))),
            lambda why: self._fail(why, address),
            now=False,
        )

    def _opened(self) -> Dictionary:
        if self.dictionary is None:
            raise ControlError(f"there is no dictionary ({self.problem})")
        return self.dictionary

    def _fail(self, why: str, address: str) -> None:
        self._outbox.append(Message("/terzetto/error", (why, address)))

    # State

    def state(self) -> dict[str, Any] | None:
        """Return the other beat, ready for JSON."""
        return self._saved if self._other is None else self._other.state()

    def restore(self, state: object) -> None:
        """Take up a saved beat, or none; before the dictionary is open it waits for it."""
        saved = state if isinstance(state, dict) else None
        self._wanted = ""  # what was asked for before does not come into it
        if self.dictionary is None:
            self._saved = saved
            return
        self._saved, self._other = None, None
        if saved is not None:
            try:
                self._other = OtherBeat.restored(self.dictionary, saved)
            except TerzettoError as error:
                self._say(str(error))


def _atoms(dictionary: Dictionary, bars: Sequence[Hvo]) -> list[Argument]:
    """Return the atoms that bars are made of: number, share of the activity, and so on."""
    used = used_atoms(dictionary, bars)[:_MOST_ATOMS]
    return [value for atom in used for value in (atom.index, atom.share)]


def _denoised(read: str, write: str) -> list[Argument]:
    """De-noise a file into another; return that, and how many hits went and came."""
    done = EditJob(Denoise()).edit(Path(read), read, Path(write))
    return [write, done["hits_removed"], done["hits_added"]]


def _similar(dictionary: Dictionary, bars: Sequence[Hvo], path: Path) -> list[Argument]:
    """Return the most similar beats of a folder: path, cosine, and so on; broken files are left out."""
    codes, read, bad = [], [], ""
    files = midi_files(path)
    for file in files:
        try:
            codes.append(dictionary.encode(Reading().read(file)[1]))
        except InputError as error:
            bad = str(error)
            continue
        read.append(file)
    if not read:
        raise InputError(bad if len(files) == 1 else f"none of the {len(files)} beats can be read: {bad}")
    found = most_similar(dictionary.encode(bars), codes)[:_TOLD]
    return [value for index, cosine in found for value in (str(read[index]), cosine)]
