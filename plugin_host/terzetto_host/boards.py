"""Neighbours in a chain that are pedalboard's built-ins, run by one call: as fast as pedalboard itself.

Each call costs as much as a plain effect takes for a hop. The samples are those of one plugin after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from terzetto.audio.stream import Float
from terzetto.control.messages import Message
from terzetto_host.stages import Stage, events_for


@dataclass
class Run:
    """Stages in a row, run one by one, or all at once by a board of pedalboard's that holds their plugins."""

    stages: list[Stage]
    board: Any = None

    def at_once(self, block: Float, events: Sequence[Message]) -> Float | None:
        """Return the block as all stages leave it; None if they have to be run one by one: an event is for one."""
        if self.board is None or (events and any(events_for(stage, events) for stage in self.stages)):
            return None
        first = self.stages[0].pedalboard
        assert first is not None
        return first.run_through(self.board, block)


def runs(stages: Sequence[Stage]) -> list[Run]:
    """Part stages into runs."""
    made = []
    for even, group in groupby(stages, is_even):
        some = list(group)
        if not even or len(some) == 1:
            made += [Run([stage]) for stage in some]
            continue
        from pedalboard import Pedalboard  # type: ignore[attr-defined]

        made.append(Run(some, Pedalboard([stage.pedalboard.plugin for stage in some if stage.pedalboard])))
    return made


def is_even(stage: Stage) -> bool:
    """Whether a stage gives as many frames as it gets, the same whatever the block: then it can be run with others."""
    return stage.pedalboard is not None and stage.pedalboard.even
