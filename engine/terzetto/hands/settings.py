"""How to separate: the choices a user has."""

from __future__ import annotations

from dataclasses import dataclass, field

from terzetto.errors import InputError
from terzetto.hands import masks
from terzetto.hands.factorise import Options
from terzetto.hands.parts import GROUPINGS
from terzetto.parallel import threads_for

MASKS = ("coherent", *masks.EXPONENTS)
DOUBTS = ("share", "decide")


@dataclass(frozen=True)
class Settings:
    """How to separate.

    Attributes
    ----------
    method : str
        A factoriser's name: ``nmf``, ``nae`` or one that a package adds.
    by : {'hand', 'pitch', 'note', 'track'}
        What becomes a stem.
    mask : {'coherent', 'wiener', 'ratio'}
        How the model parts the spectra; ``coherent`` uses phase and parts hands only.
    options : Options
        What the factoriser is told.
    jobs : int
        Threads; 0 for as many as there are cores.
    doubt : {'share', 'decide'}
        What becomes of a note whose hand a model told: each hand gets the share of it that is its probability, or one
        hand gets all of it. Of a score that tells the hands nothing is in doubt.
    """

    method: str = "nmf"
    by: str = "hand"
    mask: str = "coherent"
    options: Options = field(default_factory=Options)
    jobs: int = 0
    doubt: str = "share"

    def __post_init__(self) -> None:
        if self.by not in GROUPINGS:
            raise InputError(f"stems by {self.by!r} are not known; valid: {', '.join(GROUPINGS)}")
        if self.mask not in MASKS:
            raise InputError(f"mask {self.mask!r} is not known; valid: {', '.join(MASKS)}")
        if self.doubt not in DOUBTS:
            raise InputError(f"a doubtful note cannot be {self.doubt!r}; valid: {', '.join(DOUBTS)}")
        if not 0 <= self.jobs <= 1024:
            raise InputError(f"jobs must be 0 (all cores) to 1024; given {self.jobs}")

    @property
    def threads(self) -> int:
        """Threads to use."""
        return threads_for(self.jobs)
