import numpy as np
from numpy.typing import NDArray

from terzetto.errors import TerzettoError

VERSION: int
SLOTS: int
"""Hops under way at most, counted from `HostEnd.post` to `HostEnd.pop`."""
TAIL: int
"""Frames that a response carries beyond its hop."""
MAX_CHANNELS: int
MAX_HOP: int
EVENT_BYTES: int
"""Bytes of events that a hop carries at most."""
MAILBOX_BYTES: int

class BridgeError(TerzettoError):
    """A segment that is not there, of another version, damaged, closed, or already served."""

class Format:
    """What an instance runs at; fixed for the life of a segment."""

    @property
    def sample_rate(self) -> float: ...
    @property
    def channels(self) -> int: ...
    @property
    def hop(self) -> int: ...
    @property
    def realtime(self) -> bool:
        """False: the host waits for every hop."""

class Response:
    """A hop that came back."""

    @property
    def epoch(self) -> int: ...
    @property
    def hop(self) -> int: ...
    @property
    def audio(self) -> NDArray[np.float32]:
        """Read-only view into the ring: channels x (hop + TAIL). Copy it to keep it beyond `pop`."""
    @property
    def events(self) -> bytes: ...

class Request:
    """A hop to be answered."""

    @property
    def epoch(self) -> int: ...
    @property
    def hop(self) -> int: ...
    @property
    def position(self) -> int:
        """Song position of the first frame; 0 unless `known`."""
    @property
    def quarters(self) -> float | None:
        """The same in quarter notes; None: not told."""
    @property
    def playing(self) -> bool: ...
    @property
    def tempo(self) -> float:
        """Beats a minute; 0 if unknown."""
    @property
    def known(self) -> bool: ...
    @property
    def offline(self) -> bool:
        """Whether the host waits for this hop, however long it takes."""
    @property
    def audio(self) -> NDArray[np.float32]:
        """Read-only view into the ring: channels x hop. Copy it to keep it beyond `pop`."""
    @property
    def events(self) -> bytes: ...

class EngineEnd:
    """The engine's end of a segment. One engine at a time serves it.

    One thread takes requests and responds; another may beat and carry states.
    """

    @staticmethod
    def attach(name: str) -> EngineEnd:
        """Attach to a segment; raises BridgeError."""
    @property
    def name(self) -> str: ...
    @property
    def format(self) -> Format: ...
    def wait(self, seconds: float) -> bool:
        """Wait until a request lies there or the host closed; False: timed out."""
    def front(self) -> Request | None: ...
    def pop(self) -> None: ...
    def respond(self, epoch: int, hop: int, audio: NDArray[np.float32], events: bytes = b"") -> bool:
        """Hand over a response (channels x (hop + TAIL), C-contiguous); False: the host takes none, it is lost."""
    def set_latency(self, frames: int) -> None: ...
    def set_ready(self, ready: bool) -> None: ...
    def beat(self) -> None: ...
    def host_alive(self) -> bool:
        """Whether the segment is not closed and its host's process is there (and the same)."""
    def host_silent_for(self) -> float:
        """Seconds since the host's last beat; infinity before the first."""
    @property
    def closed(self) -> bool: ...
    def send_state(self, text: str) -> bool:
        """Put a text for the host; False: the last one waits still, or it is longer than MAILBOX_BYTES, or no room."""
    def take_state(self) -> str | None: ...
    def detach(self) -> None:
        """Serve no longer, so that another engine may attach."""

class HostEnd:
    """The host's end: makes the segment, owns its name and removes it."""

    @staticmethod
    def create(sample_rate: float = 48000.0, channels: int = 2, hop: int = 512, *, realtime: bool = True) -> HostEnd:
        """Make a segment; raises BridgeError."""
    @property
    def name(self) -> str: ...
    @property
    def format(self) -> Format: ...
    def post(
        self,
        epoch: int,
        hop: int,
        audio: NDArray[np.float32],
        *,
        position: int | None = None,
        quarters: float | None = None,
        tempo: float = 0.0,
        playing: bool = False,
        offline: bool = False,
        events: bytes = b"",
    ) -> bool:
        """Hand over a hop (channels x hop, C-contiguous); False: the engine is SLOTS hops behind."""
    def front(self) -> Response | None: ...
    def pop(self) -> None: ...
    def wait_response(self, seconds: float) -> bool: ...
    @property
    def latency(self) -> int: ...
    @property
    def ready(self) -> bool: ...
    def beat(self) -> None: ...
    def engine_silent_for(self) -> float:
        """Seconds since the engine's last beat; infinity before the first."""
    @property
    def engine_pid(self) -> int:
        """0 before an engine attached and after it left."""
    def engine_alive(self) -> bool: ...
    def send_state(self, text: str) -> bool: ...
    def take_state(self) -> str | None: ...
    def close(self) -> None:
        """Tell the engine to end and remove the name."""

def exists(name: str) -> bool:
    """Whether a segment of this name is there; a host that closes its own removes the name."""

def sweep() -> list[str]:
    """Remove the segments of hosts that are no more; return their names."""
