"""The live pattern as a MIDI file: kept up to date in the background for the editor to hand out, or saved to a path."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

from terzetto.background import Background
from terzetto.drums.bars import Bars, Settings
from terzetto.drums.pattern_file import write_pattern, written_pattern

Made = tuple[Bars, Settings, float]
"""What a file is made of: the bars, how they are played, beats a minute."""


class LiveFile:
    """The file of a pattern that changes while it plays.

    Parameters
    ----------
    background
        Where it is made.
    say
        Told what happened, in a sentence.

    Attributes
    ----------
    midi : str
        The newest, in base 64.
    changed : int
        Rises with it.
    due : bool
        Whether the pattern has changed since it was made.
    """

    def __init__(self, background: Background, say: Callable[[str], None]) -> None:
        self._background, self._say = background, say
        self.midi = ""
        self.changed = 0
        self.due, self._busy = True, False

    def refresh(self, made_of: Callable[[], Made], *, now: bool) -> None:
        """Make it anew if it is due and none is being made; ``made_of`` is asked only then."""
        if not self.due or self._busy:
            return
        bars, settings, tempo = made_of()
        self.due, self._busy = False, True

        def take(written: bytes) -> None:
            self._busy = False
            text = base64.b64encode(written).decode("ascii")
            self.changed += text != self.midi
            self.midi = text

        def fail(why: str) -> None:
            self._busy = False
            self._say(f"The pattern cannot be made a file: {why}")

        self._background.run(lambda: written_pattern(bars, settings, tempo), take, fail, now=now)

    def save(self, path: str, made_of: Made) -> None:
        """Write it to a path, and say so."""
        bars, settings, tempo = made_of
        self._background.run(
            lambda: write_pattern(Path(path), bars, settings, tempo),
            lambda _: self._say(f"The pattern is in {path}."),
            lambda why: self._say(f"The pattern could not be saved: {why}"),
            now=False,
        )
