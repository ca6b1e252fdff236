"""Which score belongs to which take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from terzetto.audio.patterns import check_pattern
from terzetto.errors import InputError
from terzetto.jobs import Item
from terzetto_host.batch.places import is_url, join, local, open_filesystem, reaching

FIELDS = {"track", "stem"}
"""``{track}``: the take's name without its ending. ``{stem}`` is the same."""
_SHOWN = 10


def pair(items: Sequence[Item], pattern: str | None, several: bool) -> list[Item]:
    """Give each file its score, by a pattern like ``scores/{track}.mid``.

    A score is looked for under the name with its folders (``scores/a/one.mid`` for ``takes/a/one.wav`` of the folder
    ``takes``), under the name alone, and then beside the take.

    Parameters
    ----------
    items
        The files.
    pattern
        None: no scores are given.
    several
        Whether unpaired files are named here, all at once; else a missing score is left to whoever reads it.

    Raises
    ------
    InputError
        A field that is not known, none for several files, or files without a score; nothing was begun.
    """
    if pattern is None:
        return list(items)
    fields = check_pattern("--score", pattern, FIELDS)
    if several and not fields:
        raise InputError("several takes need a score each: --score 'scores/{track}.mid' names them")
    paired, unpaired = [], []
    for item in items:
        candidates = list(_candidates(item, pattern))
        found = next((each for each in candidates if _exists(each)), None)
        if found is None and several:
            unpaired.append(item)
        paired.append(replace(item, score=found or candidates[0]))
    if unpaired:
        names = ", ".join(item.title for item in unpaired[:_SHOWN])
        more = f" and {len(unpaired) - _SHOWN} more" if len(unpaired) > _SHOWN else ""
        raise InputError(
            f"{len(unpaired)} of {len(items)} takes have no score by --score {pattern!r}: {names}{more}; "
            "add the scores, or leave these takes out"
        )
    return paired


def _candidates(item: Item, pattern: str) -> Iterator[str]:
    alone = pattern.format(track=item.track, stem=item.track)
    if item.folder:
        whole = str(PurePosixPath(item.folder) / item.track)
        yield pattern.format(track=whole, stem=whole)
    yield alone
    if not is_url(pattern) and not Path(local(pattern)).is_absolute():
        if is_url(item.title):
            yield join(item.title.rpartition("/")[0], alone)
        else:
            yield str(item.path.parent / alone)


def _exists(place: str) -> bool:
    if is_url(place):
        filesystem, path = open_filesystem(place)
        with reaching(place):
            return bool(filesystem.exists(path))
    return Path(local(place)).is_file()
