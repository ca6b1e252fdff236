"""Hops of one instance through its chain: epochs, gaps, the tail to fade out on, and dry sound where the chain fails.

A response to a hop holds the stream from 64 frames before the hop's first frame on, so what was made of the last 64
frames of a hop is kept back until the next one.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from terzetto.audio.stream import STOPPED, Float, Processor, Transport
from terzetto.control.messages import Message

TAIL = 64
"""Frames that a response holds beyond its hop (native/bridge/segment.hpp)."""
MOST_MISSING = 16
"""Hops in a row that are made up for with silence; after more the stream starts anew."""
_REST = 3.0  # seconds of dry sound before a chain that failed is tried again

log = logging.getLogger(__name__)


class Hops:
    """Drives a chain hop by hop. Whatever the chain does, every hop gets a response with sound in it.

    Parameters
    ----------
    chain
        Prepared for the format.
    sample_rate, channels, hop
        The segment's format.
    realtime
        Whether the host goes on without us. If so a worker that joins in the middle of a stream answers only once
        the chain's latency has passed; the plugin plays the dry sound until then.
    """

    def __init__(self, chain: Processor, sample_rate: float, channels: int, hop: int, *, realtime: bool) -> None:
        self.chain = chain
        self.news: list[str] = []
        """What is to be told of the chain's failures; the driver takes and empties it."""
        self._has_failed = False
        self._channels, self._hop, self._realtime = channels, hop, realtime
        self._sample_rate = sample_rate
        self._rest = round(_REST * sample_rate)
        self._epoch: int | None = None
        self._next = 0
        self._past: deque[Float] = deque()
        self._silent_start = 0  # frames during which a chain that joined in the middle has nothing to say
        self._owed: dict[str, Message] = {}  # what came for a broken chain
        self._restart(0)

    def process(
        self, epoch: int, number: int, block: Float, events: Sequence[Message] = (), transport: Transport = STOPPED
    ) -> Float | None:
        """Return the response to a hop, channels × (hop + 64), or None if there is none yet.

        Parameters
        ----------
        epoch, number
            The hop's tag.
        block
            Channels × hop; kept, so it must not change later.
        """
        if epoch != self._epoch:
            joined = self._epoch is None and number > 0
            self._epoch, self._next = epoch, number if joined else 0
            self._reset()
            if joined and self._realtime:
                self._silent_start = self.chain.latency
        missing = number - self._next
        if missing < 0 or missing > MOST_MISSING:
            self._reset()
            self._settle = self.chain.latency if missing > 0 else 0
        else:
            for ago in range(missing, 0, -1):
                self._response(self._silence, (), transport.moved(-ago * self._hop, self._sample_rate))
        self._next = number + 1
        response = self._response(block, events, transport)
        if self._silent_start > 0:
            self._silent_start -= self._hop
            return None
        return response

    def retry(self) -> None:
        """Try a chain that failed again at the next hop: it has been changed."""
        self._resting = 0

    def _reset(self) -> None:
        try:
            self.chain.reset()
        except Exception:
            self._failed("reset")
        self._past.clear()
        self._restart(0)

    def _restart(self, settle: int) -> None:
        self._silence = np.zeros((self._channels, self._hop), np.float32)
        self._tail: Float = np.zeros((self._channels, TAIL), np.float32)
        self._wet = True  # whether the tail is the chain's
        self._settle = settle  # frames that the chain is heard by nobody, until its latency has passed
        self._resting = 0  # frames until a chain that failed is tried again
        self._broken = False

    def _response(self, block: Float, events: Sequence[Message], transport: Transport) -> Float:
        self._remember(block)
        wet = self._through_chain(block, events, transport)
        response = np.empty((self._channels, self._hop + TAIL), np.float32)
        if wet is not None:
            response[:, :TAIL] = self._tail
            response[:, TAIL:] = wet
            if not self._wet:
                fade = response[:, TAIL : 2 * TAIL]
                count = fade.shape[1]
                fade *= _rise(count)
                fade += self._dry()[:, TAIL : 2 * TAIL] * (1 - _rise(count))
        else:
            response[:] = self._dry()
            if self._wet:
                fade = response[:, :TAIL]
                fade *= _rise(TAIL)
                fade += self._tail * (1 - _rise(TAIL))
        self._wet = wet is not None
        self._tail = response[:, -TAIL:].copy()
        return response

    def _through_chain(self, block: Float, events: Sequence[Message], transport: Transport) -> Float | None:
        """Return what the chain makes of a block; None while it is broken or still has no sound after a restart."""
        if self._broken:
            self._resting -= self._hop
            self._owed.update((event.address, replace(event, frame=0)) for event in events)
            if self._resting > 0:
                return None
            self._broken = False
            events = list(self._owed.values())
            try:
                self.chain.reset()
            except Exception:
                self._failed("reset")
                return None
            self._owed.clear()
            self._settle = self.chain.latency
        try:
            wet = self.chain.process(block, events, transport)
        except Exception:
            self._failed("process")
            return None
        if wet.shape != block.shape or not np.isfinite(np.add.reduce(wet, axis=None)):
            self._failed("gave no sound that can be played", traceback=False)
            return None
        if self._settle > 0:
            self._settle -= self._hop
            return None
        if self._has_failed:
            self._has_failed = False
            self.news.append("The engine plays again")
        return wet

    def _failed(self, what: str, *, traceback: bool = True) -> None:
        self._broken, self._resting = True, self._rest
        log.error("the chain failed (%s); dry for %d frames", what, self._rest, exc_info=traceback)
        self._has_failed = True
        self.news.append(
            "Something failed in the engine; the sound passes dry. The log says what (terzetto plugins doctor)"
        )

    def _remember(self, block: Float) -> None:
        self._past.append(block)
        needed = self.chain.latency + TAIL + self._hop
        while (len(self._past) - 1) * self._hop >= needed:
            self._past.popleft()

    def _dry(self) -> Float:
        """Return the dry sound of the present response: the input, delayed by the chain's latency."""
        past = np.concatenate(list(self._past), axis=1)
        needed, delay = self._hop + TAIL, self.chain.latency
        stop = past.shape[1] - delay
        start = stop - needed
        dry = np.zeros((self._channels, needed), np.float32)
        if stop > 0:
            dry[:, max(-start, 0) :] = past[:, max(start, 0) : stop]
        return dry


def _rise(count: int) -> Float:
    return (np.arange(count, dtype=np.float32) + np.float32(0.5)) / np.float32(count)
