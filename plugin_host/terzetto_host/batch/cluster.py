"""Workers on other machines: a dask cluster gives each file to a worker that is free, and again if that one dies.

On each dask worker the work is done in a process of its own (`terzetto_host.batch.isolation`), as on one machine.
Files must be where every worker sees them: behind URLs, or in folders that all share.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from terzetto.errors import InputError, TerzettoError, TerzettoWarning
from terzetto.jobs import Item, Job
from terzetto_host.batch.crew import Hear
from terzetto_host.batch.fingerprint import score_hash, stamp, versions
from terzetto_host.batch.isolation import TRIES, Worker
from terzetto_host.batch.manifest import Record

_START = 30.0  # seconds in which a worker must be there
_AHEAD = 2  # files given to the scheduler for each thread that works
_LOCAL = re.compile(r"local:([1-9][0-9]{0,2})")
_here = threading.local()  # of a dask worker's thread: the worker process that it holds


class OtherVersionError(TerzettoError):
    """A worker has other versions than the batch: its results would not be the same."""


@dataclass(frozen=True)
class Order:
    """What a dask worker is sent for each file."""

    job: Job
    item: Item
    out: str
    chain: str
    limit: float
    versions: dict[str, str]
    crowds: dict[str, int]
    """Threads that work on each machine, by its host: they share its cores, whichever dask workers they are of."""


def carry_out(order: Order) -> Record:
    """Work on one file: runs on a dask worker.

    Raises
    ------
    OtherVersionError
        This worker has other versions.
    """
    from distributed import get_worker
    from distributed.comm import get_address_host

    from terzetto.parallel import threads_for

    if versions() != order.versions:
        raise OtherVersionError(_difference(versions(), order.versions))
    dask_worker = get_worker()
    worker: Worker | None = getattr(_here, "worker", None)
    if worker is None:
        crowd = order.crowds.get(get_address_host(dask_worker.address), dask_worker.state.nthreads)
        share = max(threads_for() // crowd, 1)
        worker = _here.worker = Worker(share, order.limit)
    record = worker.do(order.job, order.item, order.out, order.chain, lambda stage, fraction: None)
    record.result["worker"] = str(dask_worker.name)
    return record


class ClusterCrew:
    """The workers of a dask cluster.

    Parameters
    ----------
    job, out, chain
        See `LocalCrew`.
    arguments
        With ``cluster``: ``dask://HOST:PORT``, or ``local:N`` to start a scheduler and N workers here.

    Raises
    ------
    InputError
        dask is not installed, nothing answers there, or no worker has these versions.
    """

    def __init__(self, job: Job, out: str, chain: str, arguments: argparse.Namespace) -> None:
        self._job, self._out, self._chain, self._limit = job, out, chain, arguments.timeout
        self._address: str = arguments.cluster
        self._stopped = False
        self._refused: set[str] = set()

    def run(self, items: Iterator[Item], hear: Hear) -> Iterator[Record]:
        """Work on all items; see `Crew`.

        Raises
        ------
        TerzettoError
            The scheduler was lost; what was under way is not done.
        """
        from distributed import wait
        from distributed.client import CancelledError, FuturesCancelledError

        with ExitStack() as stack:
            client = stack.enter_context(_client(stack, self._address))
            stack.enter_context(client.as_current())
            self._check_workers(client)
            under_way: dict[Any, Item] = {}
            again: collections.deque[Item] = collections.deque()
            while True:
                self._hand_out(client, items, again, under_way)
                if not under_way:
                    return
                try:
                    ended, _ = wait(list(under_way), return_when="FIRST_COMPLETED")
                except (CancelledError, FuturesCancelledError):
                    raise self._lost() from None
                for future in ended:
                    item = under_way.pop(future)
                    record = self._outcome(future, item, client)
                    if record is None:
                        again.append(item)
                        continue
                    hear(item, "done", 1.0)
                    if record.status == "full":
                        self.stop()
                    yield record

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopped = True

    def _hand_out(
        self, client: Any, items: Iterator[Item], again: collections.deque[Item], under_way: dict[Any, Item]
    ) -> None:
        workers = client.scheduler_info(n_workers=-1).get("workers")
        if workers is None:  # dask has given it up
            raise self._lost()
        good = [address for address in workers if address not in self._refused]
        threads = sum(workers[address]["nthreads"] for address in good)
        crowds = collections.Counter[str]()
        for address in good:
            crowds[workers[address]["host"]] += workers[address]["nthreads"]
        while len(under_way) < max(_AHEAD * threads, 1) and not self._stopped:
            item = again.popleft() if again else next(items, None)
            if item is None:
                return
            order = Order(self._job, item, self._out, self._chain, self._limit, versions(), dict(crowds))
            only = good if self._refused else None
            under_way[client.submit(carry_out, order, pure=False, workers=only)] = item

    def _outcome(self, future: Any, item: Item, client: Any) -> Record | None:
        """Return what became of a file; None if it is to be given out again.

        Raises
        ------
        TerzettoError
            It cannot be known: the scheduler was lost.
        """
        from distributed import KilledWorker
        from distributed.client import CancelledError

        try:
            record: Record = future.result()
            return record
        except OtherVersionError:
            self._check_workers(client)
            return None
        except KilledWorker as error:
            tries = error.allowed_failures + 1
            problem = f"the {tries} workers that had it died"
        except CancelledError:
            raise self._lost() from None
        except Exception as error:  # whatever a worker's Python makes of it
            problem, tries = f"{type(error).__name__}: {error}", 1
        record = Record(item.key, item.title, "quarantined", self._chain, versions=versions())
        record.error, record.tries = f"{item.title}: {problem}; given up after {tries} tries", tries
        record.input, record.score = stamp(item) or {}, score_hash(item.score)
        return record

    def _lost(self) -> TerzettoError:
        return TerzettoError(
            f"{self._address}: the scheduler is gone; start it and give the same command again, it goes on from here"
        )

    def _check_workers(self, client: Any) -> None:
        """Refuse workers with other versions.

        Raises
        ------
        InputError
            None is left.
        """
        ours, problems = versions(), list[str]()
        for address, theirs in client.run(versions, on_error="return").items():
            if theirs == ours or address in self._refused:
                continue
            self._refused.add(address)
            what = _difference(theirs, ours) if isinstance(theirs, dict) else f"it has no Terzetto ({theirs})"
            problems.append(f"worker {address} is not used: {what}")
            warnings.warn(problems[-1], TerzettoWarning, stacklevel=2)
        if not set(client.scheduler_info(n_workers=-1)["workers"]) - self._refused:
            raise InputError(
                f"{self._address}: no worker can be used: {'; '.join(problems) or 'there is none'}; "
                "install the same versions everywhere"
            )


def check_address(address: str) -> None:
    """Raise `InputError` unless this is an address of a cluster that can be used here."""
    if not _LOCAL.fullmatch(address) and not re.fullmatch(r"(dask|tcp|tls|ws|wss)://.+:\d+/?", address):
        raise InputError(f"--cluster is dask://HOST:PORT or local:N; given {address!r}")
    try:
        import distributed  # noqa: F401
    except ImportError:
        raise InputError("--cluster needs dask.distributed: pip install 'terzetto[cluster]'") from None


@contextlib.contextmanager
def _client(stack: ExitStack, address: str) -> Iterator[Any]:
    import dask
    from distributed import Client
    from distributed.deploy.subprocess import SubprocessCluster

    local = _LOCAL.fullmatch(address)
    # A file whose workers die is tried as often as one whose process dies.
    with dask.config.set({"distributed.scheduler.allowed-failures": TRIES - 1}):
        if local:
            where: Any = stack.enter_context(
                SubprocessCluster(
                    n_workers=int(local[1]),
                    threads_per_worker=1,
                    dashboard_address=None,
                    worker_class="distributed.Worker",
                    scheduler_kwargs={"allowed_failures": TRIES - 1},
                )
            )
        else:
            where = re.sub("^dask://", "tcp://", address.rstrip("/"))
        try:
            client = Client(where, timeout="10s", set_as_default=False)
        except (OSError, TimeoutError) as error:
            raise InputError(f"{address}: no dask scheduler answers there ({error})") from None
    try:
        with contextlib.suppress(TimeoutError):  # without any, that is said where they are looked at
            client.wait_for_workers(int(local[1]) if local else 1, timeout=_START)
        yield client
    finally:
        client.close()


def _difference(theirs: dict[str, str], ours: dict[str, str]) -> str:
    names = [name for name in ours if theirs.get(name) != ours[name]]
    return "; ".join(f"it has {name} {theirs.get(name)}, here is {ours[name]}" for name in names)
