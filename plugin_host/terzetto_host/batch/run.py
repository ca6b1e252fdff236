"""A batch from beginning to end: what there is to do, who does it, what became of it."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from terzetto.cli import EXIT_FAILED, EXIT_PARTIAL, print_error
from terzetto.errors import InputError, OutputError, TerzettoError
from terzetto.jobs import AUDIO, Item, Job, Tell
from terzetto.parallel import threads_for
from terzetto.progress import choose
from terzetto_host.batch.crew import Crew, LocalCrew, NoCrew
from terzetto_host.batch.fingerprint import job_hash
from terzetto_host.batch.inputs import check_targets, find_items, is_batch
from terzetto_host.batch.manifest import NAME, Manifest, Record, There, is_there
from terzetto_host.batch.pairing import pair
from terzetto_host.batch.places import MissingError, canonical, fetch, is_url, join, local, shared, sizes_below, store
from terzetto_host.batch.progress import BatchProgress
from terzetto_host.batch.summary import NAME as SUMMARY
from terzetto_host.batch.summary import print_json, write_summary
from terzetto_host.batch.work import carry, sweep
from terzetto_host.places import ensure, state_dir

_PUBLISH = 60.0  # seconds between two copies of the manifest to a URL


def run(job: Job, inputs: Sequence[str], arguments: argparse.Namespace, tell: Tell) -> int:
    """Do a job to all inputs; see `terzetto.jobs.run_job`."""
    check_flags(arguments)
    several = is_batch(inputs)
    items = find_items(inputs, arguments.out, getattr(job, "reads", AUDIO))
    check_targets(job, items, arguments.out)
    items = pair(items, arguments.score, several)
    if arguments.dry_run:
        from terzetto_host.batch.estimate import estimate

        return estimate(job, items, arguments)
    if not several and not arguments.cluster and not getattr(job, "delicate", False):
        return _single(job, items[0], arguments, tell)
    return _Batch(job, items, arguments, tell).run()


def _single(job: Job, item: Item, arguments: argparse.Namespace, tell: Tell) -> int:
    """Work on one plain file right here; what is wrong with it is the command's error."""
    with choose(arguments.progress, item.path.name) as progress:
        result, _, _ = carry(job, item, arguments.out, progress)
    if arguments.json:
        print_json([Record(item.key, item.title, "done", "", result=result)], sys.stdout)
    else:
        tell(result)
    return 0


@dataclass
class _Batch:
    """A batch with its manifest.

    Attributes
    ----------
    job, items, arguments, tell
        See `run`.
    """

    job: Job
    items: list[Item]
    arguments: argparse.Namespace
    tell: Tell

    def __post_init__(self) -> None:
        self.out: str = self.arguments.out
        self.chain = job_hash(self.job)
        self.done = self.skipped = self.failed = 0
        self.full: Record | None = None
        self._publish_at = 0.0
        self._by_key = {item.key: item for item in self.items}

    def run(self) -> int:
        """Work through all files and return the exit status."""
        out = None if is_url(self.out) else Path(local(self.out))
        size = sum(item.size for item in self.items)
        path = self._manifest_path()
        with Manifest(path) as manifest, BatchProgress(self.arguments.progress, len(self.items), size) as shown:
            targets = (target for item in self.items for target in self.job.targets(item))
            sweep(set() if out is None else {(out / target).parent for target in targets})
            crew, there = self._crew(), self._there()
            self._publish(path)  # what cannot be written there is found out before anything is done
            try:
                for record in crew.run(self._waiting(manifest, there, shown), shown.hear):
                    self._take(record, manifest, shown)
                    self._publish_now_and_then(path)
            except OutputError:
                crew.stop()
                raise
            finally:
                self._publish(path)
            return self._finish(manifest, path)

    def _waiting(self, manifest: Manifest, there: There, shown: BatchProgress) -> Iterator[Item]:
        """Yield the files that need work; those that were done before are told and left out."""
        for item in self.items:
            record = None if self.arguments.redo else manifest.settled(item, self.chain, there)
            if record is None:
                yield item
                continue
            shown.finish(item, "skipped")
            if record.status == "done":
                self.skipped += 1
                continue
            self.failed += 1
            with shown.aside():
                print_error(TerzettoError(f"{record.error}; left out (--redo tries again)"))

    def _take(self, record: Record, manifest: Manifest, shown: BatchProgress) -> None:
        """Note what became of a file."""
        if record.status == "full":
            self.full = self.full or record
            return
        manifest.append(record)
        shown.finish(self._by_key[record.key], record.status)
        with shown.aside():
            for text in record.warnings:
                print(f"terzetto: warning: {' '.join(text.split())}", file=sys.stderr)
            if record.status != "done":
                self.failed += 1
                print_error(TerzettoError(record.error))
                return
            self.done += 1
            if not self.arguments.json:
                self.tell(record.result)

    def _finish(self, manifest: Manifest, path: Path) -> int:
        if self.full is not None:
            left = len(self.items) - self.done - self.skipped - self.failed
            print_error(OutputError(
                f"{self.full.error}; stopped with {left} of {len(self.items)} files to go: make room and give the same "
                "command again, it goes on from here"
            ))  # fmt: skip
        else:
            summary = path.with_name(SUMMARY) if path.name == NAME else path.with_suffix(".csv")
            write_summary(self._own(manifest), summary)
            if is_url(self.out):
                store(summary, join(self.out, SUMMARY))
        if self.arguments.json:
            print_json(self._own(manifest), sys.stdout)
        if self.skipped:
            print(f"terzetto: {self.skipped} of {len(self.items)} files were done before", file=sys.stderr)
        if self.failed or self.full is not None:
            return EXIT_PARTIAL if self.done or self.skipped else EXIT_FAILED
        return 0

    def _own(self, manifest: Manifest) -> Iterator[Record]:
        """Yield the records of this batch's files, in their order."""
        for item in self.items:
            record = manifest.find(item.key)
            if record is not None:
                yield record

    def _crew(self) -> Crew:
        arguments = self.arguments
        if arguments.cluster:
            from terzetto_host.batch.cluster import ClusterCrew

            return ClusterCrew(self.job, self.out, self.chain, arguments)
        if not shared(self.out) or not all(shared(item.title) for item in self.items):
            return NoCrew(self.job, self.out, self.chain)
        workers = max(min(arguments.jobs or threads_for(arguments.threads), len(self.items)), 1)
        return LocalCrew(self.job, self.out, self.chain, workers, arguments.threads, arguments.timeout)

    def _manifest_path(self) -> Path:
        """Return where the manifest is: in ``--out``, or where that is a URL here, to be copied there.

        Raises
        ------
        InputError
            There is one behind the URL that cannot be read: it would be lost.
        """
        if self.arguments.manifest is not None:
            return Path(self.arguments.manifest)
        if not is_url(self.out):
            return Path(local(self.out)) / NAME
        name = hashlib.sha256(canonical(self.out).encode()).hexdigest()[:16]
        path = ensure(state_dir()) / f"batch-{name}.jsonl"
        with contextlib.suppress(MissingError), tempfile.TemporaryDirectory(dir=path.parent) as folder:
            published = fetch(join(self.out, NAME), Path(folder))
            if not path.exists() or not _begins_with(path, published):  # another computer has gone on with it
                published.replace(path)
        return path

    def _there(self) -> There:
        """Return what looks whether results are in their places; behind a URL, by one listing."""
        if is_url(self.out):
            sizes = {} if self.arguments.redo else sizes_below(self.out)
            return lambda about: sizes.get(about["path"]) == about["size"]
        out = Path(local(self.out))
        return lambda about: is_there(out / about["path"], about)

    def _publish(self, path: Path) -> None:
        if is_url(self.out) and path.exists():
            began = time.monotonic()
            store(path, join(self.out, NAME))
            now = time.monotonic()
            self._publish_at = now + max(_PUBLISH, 20 * (now - began))

    def _publish_now_and_then(self, path: Path) -> None:
        """Copy the manifest to where the results are, for whoever goes on should this machine be lost."""
        if is_url(self.out) and time.monotonic() >= self._publish_at:
            self._publish(path)


def _begins_with(path: Path, before: Path) -> bool:
    """Whether a manifest is another, gone on with."""
    with path.open("rb") as file, before.open("rb") as other:
        while block := other.read(1 << 20):
            if file.read(len(block)) != block:
                return False
    return True


def check_flags(arguments: argparse.Namespace) -> None:
    """Raise `InputError` for flags of the batch that make no sense."""
    if not 0 <= arguments.jobs <= 1024:
        raise InputError(f"-j is 0 (one for each core) to 1024; given {arguments.jobs}")
    if not arguments.timeout > 0:
        raise InputError(f"--timeout is a number of seconds above 0; given {arguments.timeout:g}")
    if arguments.out.startswith(("http://", "https://")):
        raise InputError(f"--out {arguments.out}: can only be read; results go to a folder or a bucket")
    if arguments.cluster:
        from terzetto_host.batch.cluster import check_address

        check_address(arguments.cluster)
