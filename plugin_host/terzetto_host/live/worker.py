"""A worker: one instance's chain, driven by the hops of its plugin.

The audio runs in the main thread. Beside it one thread beats, so that the plugin knows that the engine lives however
long a hop takes; one listens to the server; one tells it what happened, so that no pipe ever holds up the sound.
"""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
import signal
import sys
import threading
import time
from collections import deque
from multiprocessing.connection import Connection
from typing import Any, cast

import numpy as np

from terzetto.audio.stream import STOPPED, Transport
from terzetto.control.messages import Message
from terzetto_host import _bridge
from terzetto_host.chain import Chain
from terzetto_host.live.hops import Hops
from terzetto_host.live.keeper import StateKeeper
from terzetto_host.live.logs import log_to
from terzetto_host.live.mail import Mail
from terzetto_host.live.schedule import Schedule
from terzetto_host.live.values import ROOT

BEAT = 0.2
"""Seconds between beats."""
_GRACE = 2.0  # seconds for an engine that was here before to be gone, and for the state to come
_STATE_PAUSE = 0.25  # seconds between states sent to the plugin
_WAIT = 0.1  # seconds without a hop after which other things are seen to
_SWITCH = 5e-4  # seconds for which another thread may keep the interpreter from the sound
_COLLECT = 512  # hops between collections of garbage
_SIMPLE = (bool, int, float, str)

log = logging.getLogger(__name__)


def run(segment: str, instrument: str, name: str, osc_port: int, pipe: Connection) -> None:
    """Serve a segment until its plugin or the server is gone: the worker process's main function."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's; it ends its workers
    log_to(f"{name}.log")
    try:
        end = _attach(segment)
    except _bridge.BridgeError as error:
        log.warning("%s: %s", segment, error)
        return
    worker = Worker(end, instrument, name, osc_port, pipe)
    try:
        worker.serve()
    except Exception:
        log.exception("the worker failed")
    finally:
        with contextlib.suppress(OSError):
            pipe.send(worker.closing())
        worker.close()
        end.detach()
        logging.shutdown()
        # Threads of a library that do not end must not keep the process.
        os._exit(0)


def _attach(segment: str) -> Any:
    """Attach to a segment; an engine that was killed may still be dying there."""
    deadline = time.monotonic() + _GRACE
    while True:
        try:
            return _bridge.EngineEnd.attach(segment)
        except _bridge.BridgeError as error:
            if "already served" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


class Worker:
    """An instance's chain between the bridge and the server's pipe."""

    def __init__(self, end: Any, instrument: str, name: str, osc_port: int, pipe: Connection) -> None:
        self._end, self._pipe = end, pipe
        self._ended = threading.Event()
        self._incoming: deque[object] = deque()
        schedule = Schedule(end.format.sample_rate, end.format.hop)
        self._mail, self._keeper = Mail(instrument, name, osc_port, pipe, schedule), StateKeeper(end)
        self._instrument = instrument
        self._latency = -1
        self._saved = -1  # the chain's count of changes when its state was last sent
        self._saved_at = 0.0
        self._brought: object = None  # which of the host's states we have, if the plugin counts them
        self._count = 0
        self._chain = Chain.of_instrument(instrument)

    def serve(self) -> None:
        """Take up the state, say that we are ready, and answer hops."""
        for work in (self._beat, self._listen):
            threading.Thread(target=work, daemon=True).start()
        self._mail.start()
        self._keeper.start()
        form = self._end.format
        self._prepare(form)
        sys.setswitchinterval(_SWITCH)
        _be_quick(bool(form.realtime))
        gc.collect()
        gc.freeze()
        gc.disable()
        self._end.set_ready(True)
        while not self._ended.is_set():
            if not self._end.wait(_WAIT):
                self._idle()
                if not self._end.host_alive():
                    break
            elif self._end.closed:
                break
            else:
                self._hop()

    def closing(self) -> object:
        """Return what the server is told in the end."""
        while self._incoming:
            self._mail.incoming(self._incoming.popleft())
        return self._mail.closing()

    def close(self) -> None:
        """End what goes on in the background."""
        self._chain.close()

    def _prepare(self, form: Any) -> None:
        """Make the chain that the state asks for; one that cannot play here passes the sound, and says why."""
        text = self._first_state()
        settings = self._restore(text) if text is not None else []
        self._mail.settings(settings, later=False)
        try:
            self._chain.prepare(form.sample_rate, form.channels, form.hop)
            if settings:
                # A silent block carries them in: the latency may depend on them.
                self._chain.process(np.zeros((form.channels, form.hop), np.float32), settings)
                self._chain.reset()
        except Exception as error:
            log.exception("the chain cannot be prepared")
            self._chain = Chain()
            self._chain.prepare(form.sample_rate, form.channels, form.hop)
            self._chain.outbox.append(Message(ROOT + "status", (f"{error}; the sound passes dry",)))
        realtime = bool(form.realtime)
        self._hops = Hops(self._chain, form.sample_rate, form.channels, form.hop, realtime=realtime)
        # What the state did not say, such as which models are there, the plugin is told.
        self._saved = -1 if self._has_news(text) else self._chain.state_changed
        self._after()

    def _hop(self) -> None:
        request = self._end.front()
        if request is None:
            return
        if request.offline:
            self._settle()
        events: list[Message] = []
        transport = STOPPED
        try:
            self._take_incoming()
            events = self._mail.events(request.events, offline=bool(request.offline))
            position = request.position if request.known else None
            quarters = request.quarters if request.known else None
            transport = Transport(position, request.tempo, bool(request.playing), quarters)
        except Exception:  # whatever was wrong with them, the sound goes on
            log.exception("events of a hop could not be taken")
        # A copy: what the chain and the dry sound keep must not change with the ring.
        response = self._hops.process(request.epoch, request.hop, np.array(request.audio), events, transport)
        self._after()
        packed, count = self._mail.outgoing()
        if response is not None and self._end.respond(request.epoch, request.hop, response, packed):
            self._mail.sent(count)
        self._end.pop()
        self._save()
        self._count += 1
        if self._count % _COLLECT == 0:
            gc.collect(1)

    def _settle(self) -> None:
        """Offline, let what goes on in the background come to its end: each render then gives the same samples."""
        while not self._chain.settled(_WAIT):
            if self._ended.is_set() or not self._end.host_alive():
                return

    def _after(self) -> None:
        """See to what the chain has to tell."""
        for text in self._hops.news:
            self._mail.say(text)
        self._hops.news.clear()
        self._mail.collect(self._chain)
        if self._chain.latency != self._latency:
            self._latency = self._chain.latency
            self._end.set_latency(self._latency)

    def _first_state(self) -> str | None:
        deadline = time.monotonic() + _GRACE
        while (state := self._end.take_state()) is None and time.monotonic() < deadline and self._end.host_alive():
            time.sleep(0.005)
        return cast("str | None", state)

    def _restore(self, text: str) -> list[Message]:
        """Take up a plugin's state; return what sets its parameters."""
        try:
            state = json.loads(text)
            self._brought = state.get("brought")
            engine, values = state.get("engine") or {}, state.get("values") or {}
            self._chain.restore(engine)
        except Exception as error:
            log.exception("a state could not be restored")
            self._mail.say(f"The saved state does not fit ({error}); defaults are used")
            return []
        self._mail.describe(self._chain)
        prefix = f"{ROOT}{self._instrument}/"
        return [Message(prefix + name, (value,)) for name, value in values.items() if isinstance(value, _SIMPLE)]

    def _has_news(self, text: str | None) -> bool:
        """Whether the chain's state says more than a plugin's state did; one that could not be taken up stays."""
        try:
            said = json.loads(text or "{}").get("engine") or {}
            state = json.loads(json.dumps(self._chain.state()))
            return bool(said.keys() <= state.keys() and said != state)
        except (ValueError, TypeError, AttributeError):
            return False

    def _restored(self, text: str) -> None:
        """Take up a state that comes while we play."""
        self._mail.settings(self._restore(text), later=True)
        self._hops.retry()
        self._saved = -1 if self._has_news(text) else self._chain.state_changed

    def _save(self) -> None:
        changes, now = self._chain.state_changed, time.monotonic()
        if changes != self._saved and now - self._saved_at > _STATE_PAUSE:
            self._saved, self._saved_at = changes, now
            try:
                # A state from before the host brought another must not undo it: the plugin tells by the count.
                count = {} if self._brought is None else {"brought": self._brought}
                self._keeper.put({**self._chain.state(), **count})
            except Exception:
                log.exception("the chain's state could not be saved")

    def _idle(self) -> None:
        """Between streams: take what came, keep it for the next hop, collect garbage."""
        self._take_incoming()
        self._mail.overdue()
        self._save()
        gc.collect(1)

    def _take_incoming(self) -> None:
        """Take a state of the plugin and what the server says."""
        if (state := self._end.take_state()) is not None:
            self._restored(state)
        while self._incoming:
            self._mail.incoming(self._incoming.popleft())
        if self._mail.ended:
            self._ended.set()

    def _beat(self) -> None:
        self._end.beat()
        while not self._ended.wait(BEAT):
            self._end.beat()

    def _listen(self) -> None:
        try:
            while True:
                self._incoming.append(self._pipe.recv())
        except (OSError, EOFError):  # the server is gone
            self._ended.set()


def _be_quick(realtime: bool) -> None:
    """Ask for a place before other work; a system that refuses is fine too. Threads made from here on do not get it."""
    if realtime and sys.platform == "linux":
        try:
            os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(2))
        except OSError:
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, 0, -10)  # of this thread
                os.sched_setscheduler(0, os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, os.sched_param(0))
