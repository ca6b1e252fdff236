"""What a batch works on: files, folders, patterns and URLs, and where in the tree of the results each belongs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from terzetto.errors import InputError
from terzetto.jobs import AUDIO, Item, Job, Kind
from terzetto_host.batch.places import canonical, is_url, join, local, open_filesystem, plain, reaching

_MAGIC = "*?["


def find_items(inputs: Sequence[str], out: str, kind: Kind = AUDIO) -> list[Item]:
    """Return all files that the inputs name, each once, in their order.

    A folder stands for the files of a kind in and below it, hidden ones and what lies in ``out`` left aside; so does a
    pattern (``**`` for any folders) for what it matches. Results of both mirror the tree below the folder, or below the
    pattern's part without signs.

    Raises
    ------
    InputError
        A folder or a pattern that holds none. (A single file that is missing is found out when it is worked on.)
    """
    found: dict[str, Item] = {}
    for text in inputs:
        for item in _expand(text, out, kind):
            found.setdefault(item.title if is_url(item.title) else str(item.path.absolute()), item)
    return list(found.values())


def is_batch(inputs: Sequence[str]) -> bool:
    """Whether this is more than one plain file."""
    return len(inputs) != 1 or is_url(inputs[0]) or not (Path(local(inputs[0])).is_file() or _is_plain(inputs[0]))


def check_targets(job: Job, items: Iterable[Item], out: str) -> None:
    """Find two files that would be written to one place, and results that would replace a take.

    Raises
    ------
    InputError
        Such a thing; nothing was begun.
    """
    taken: dict[str, Item] = {}
    above = canonical(out) if is_url(out) else out
    places = {_real(item): item for item in items}
    for item in items:
        for target in job.targets(item):
            before = taken.setdefault(target, item)
            if before is not item:
                raise InputError(
                    f"{before.title} and {item.title} would both be written to {join(out, target)}: give the folder "
                    "above them, whose tree is kept, or another --filename, or process them apart, each with its --out"
                )
            if is_url(out) == is_url(item.title):
                place = join(above, target) if is_url(out) else os.path.realpath(Path(local(out), target))
                taken_from = places.get(place) or (item if _same(place, item.path) else None)
                if taken_from is not None:
                    raise InputError(f"{place}: would replace the take {taken_from.title}; choose another --out")


def _is_plain(text: str) -> bool:
    return not Path(local(text)).is_dir() and not any(sign in text for sign in _MAGIC)


def _real(item: Item) -> str:
    return plain(item.title) if is_url(item.title) else os.path.realpath(item.path)


def _same(place: str, path: Path) -> bool:
    try:
        return path.samefile(place)
    except OSError:
        return False


def _expand(text: str, out: str, kind: Kind) -> Iterator[Item]:
    if is_url(text):
        yield from _expand_url(text, out, kind)
        return
    path = Path(local(text))
    if path.is_dir():
        paths, root = _below(path, os.path.realpath(local(out)), kind), path
        empty = f"{text}: the folder holds no {kind.name} files ({', '.join(kind.endings)})"
    elif _is_plain(text) or path.exists():
        yield _item(path, "")
        return
    else:
        root = Path(*_without_signs(path.parts))
        found = sorted(root.glob(str(path.relative_to(root))))
        here = os.path.realpath(local(out))
        paths = (each for each in found if each.is_file() and not _is_hidden(each, root, here))
        empty = f"{text}: no file is called so; put a pattern in quotes, and ** for any folders"
    none = True
    for each in paths:
        none = False
        yield _item(each, each.parent.relative_to(root).as_posix())
    if none:
        raise InputError(empty)


def _item(path: Path, folder: str) -> Item:
    try:
        size = path.stat().st_size
    except (OSError, ValueError):
        size = 0
    return Item(str(path), path, "" if folder == "." else folder, None, size)


def _below(root: Path, out: str, kind: Kind) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        keep = (name for name in folders if name[0] != "." and os.path.realpath(Path(folder, name)) != out)
        folders[:] = sorted(keep)
        for name in sorted(names):
            if name[0] != "." and _is_of(kind, name):
                yield Path(folder, name)


def _is_of(kind: Kind, name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in kind.endings


def _is_hidden(path: Path, root: Path, out: str) -> bool:
    hidden = any(part[0] == "." for part in path.relative_to(root).parts)
    return hidden or os.path.realpath(path).startswith(out + os.sep)


def _without_signs(parts: tuple[str, ...]) -> Iterator[str]:
    for part in parts[:-1]:
        if any(sign in part for sign in _MAGIC):
            return
        yield part


def _expand_url(url: str, out: str, kind: Kind) -> Iterator[Item]:
    filesystem, path = open_filesystem(url)
    with reaching(url):
        root, found = _found(filesystem, path, kind)
    above, here = f"{plain(str(filesystem.unstrip_protocol(root)))}/", f"{canonical(out)}/" if is_url(out) else ""
    within = here.startswith(above) and here != above  # results below the inputs are no inputs the next time
    none = True
    for name, about in sorted(found.items()):
        place = PurePosixPath(name).relative_to(root or "/") if root else PurePosixPath(name)
        title = str(filesystem.unstrip_protocol(name))
        single = len(found) == 1 and name == path
        hidden = any(part[0] == "." for part in place.parts) or (within and plain(title).startswith(here))
        if about.get("type") == "directory" or (hidden and not single):
            continue
        none = False
        folder = place.parent.as_posix()
        yield Item(title, Path(name), "" if folder == "." else folder, None, int(about.get("size") or 0))
    if none:
        raise InputError(f"{url}: no {kind.name} there")


def _found(filesystem: Any, path: str, kind: Kind) -> tuple[str, dict[str, Any]]:
    """Return where the tree begins, and what is meant in it."""
    if any(sign in path for sign in _MAGIC):
        return "/".join(_without_signs(tuple(path.split("/")))), filesystem.glob(path, detail=True)
    about = filesystem.info(path)
    # To HTTP a folder is a file too: a page of links.
    if about["type"] == "directory" or (not _is_of(kind, path) and filesystem.isdir(path)):
        found = filesystem.find(path, detail=True)
        return path.rstrip("/"), {name: each for name, each in found.items() if _is_of(kind, name)}
    return path.rpartition("/")[0], {path: about}
