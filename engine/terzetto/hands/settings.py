"""How to separate: the choices a user has."""

from __future__ import annotations

from dataclasses import dataclass, field

from terzetto.errors import InputError
from terzetto.hands import masks
from terzetto.hands.factorise import Options
from terzetto.hands.parts import GROUPINGS
from terzetto.parallel import threads_for

MASKS = ("coherent", *masks.EXPONENTS)


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
    """

    method: str = "nmf"
    by: str = "hand"
    mask: str = "coherent"
    options: Options = field(default_factory=Options)
    jobs: int = 0

    def __post_init__(self) -> None:
        if self.by not in GROUPINGS:
            raise InputError(f"stems by {self.by!r} are not known; valid: {', '.join(GROUPINGS)}")
        if self.mask not in MASKS:
            raise InputError(f"mask {self.mask!r} is not known; valid: {', '.join(MASKS)}")
        if not 0 <= self.jobs <= 1024:
            raise InputError(f"jobs must be 0 (all cores) to 1024; given {self.jobs}")

    @property
    def threads(self) -> int:
        """Threads to use."""
        return threads_for(self.jobs)
