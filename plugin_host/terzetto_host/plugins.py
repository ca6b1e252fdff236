"""The plugins' bundles: from this installation to where hosts look, and the record by which plugins find the engine."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from terzetto import __version__
from terzetto.control.table import table
from terzetto.errors import InputError, OutputError
from terzetto_host import _bridge
from terzetto_host.places import config_dir, write_engine_command

KINDS = {".vst3": "VST3", ".lv2": "LV2", ".component": "AU"}


def bundled() -> Path:
    """Return the folder in which this installation's own bundles lie; it need not be there."""
    # Beside the compiled module: in an editable installation the sources are elsewhere.
    return Path(_bridge.__file__).parent / "plugins"


def folder_of(kind: str, platform: str = sys.platform) -> Path:
    """Return this user's plugin folder for a kind of bundle (``.vst3``, ``.lv2``, ``.component``)."""
    home = Path.home()
    if platform == "darwin":
        return (
            home / "Library" / "Audio" / "Plug-Ins" / {".vst3": "VST3", ".lv2": "LV2", ".component": "Components"}[kind]
        )
    if platform == "win32":
        if kind == ".lv2":
            return Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming") / "LV2"
        local = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
        return local / "Programs" / "Common" / "VST3"
    return home / kind


@dataclass(frozen=True)
class Bundle:
    """A plugin in one format.

    Attributes
    ----------
    source : Path
        In this installation.
    target : Path
        Where the host looks.
    """

    source: Path
    target: Path

    @property
    def kind(self) -> str:
        """VST3, LV2 or AU."""
        return KINDS[self.target.suffix]

    def json(self) -> dict[str, str]:
        """Return it ready for JSON."""
        return {"plugin": self.target.stem, "kind": self.kind, "path": str(self.target), "state": self.state}

    @property
    def state(self) -> str:
        """``missing``, ``installed``, or ``differs`` (of another version, or damaged)."""
        if not self.target.exists():
            return "missing"
        return "installed" if _digest(self.source) == _digest(self.target) else "differs"


def bundles(source: Path | None = None, target: Path | None = None) -> list[Bundle]:
    """Return the bundles of this installation and where each belongs.

    Parameters
    ----------
    source
        Where they are taken from; None: `bundled`.
    target
        One folder for all kinds; None: the user's plugin folders.

    Raises
    ------
    InputError
        There are none.
    """
    source = source or bundled()
    found = sorted(path for path in source.glob("*") if path.suffix in KINDS) if source.is_dir() else []
    if not found:
        raise InputError(
            f"{source}: no plugins here; this installation was built without them. On Debian: apt-get install "
            "juce-modules-source lv2-dev, then install terzetto again (pip install --force-reinstall terzetto)"
        )
    return [Bundle(path, (target or folder_of(path.suffix)) / path.name) for path in found]


def install(chosen: list[Bundle]) -> None:
    """Copy bundles to where hosts look, each whole or not at all, and record where this engine is.

    Raises
    ------
    OutputError
        A folder cannot be written; bundles that were there before are as they were.
    """
    for bundle in chosen:
        try:
            _replace(bundle.source, bundle.target)
        except OSError as error:
            raise OutputError(
                f"{bundle.target}: cannot be written ({error.strerror or error}); close the programs that use it, or "
                "give another folder with --dir"
            ) from None
    write_engine_command(this_engine(), __version__)


def uninstall(target: Path | None = None) -> list[Path]:
    """Remove Terzetto's bundles and the record of the engine; return what was removed.

    Raises
    ------
    OutputError
        Something cannot be removed.
    """
    removed = []
    for kind in KINDS:
        for instrument in table().values():
            path = (target or folder_of(kind)) / f"{instrument.title}{kind}"
            if path.exists() or path.is_symlink():
                try:
                    _remove(path)
                except OSError as error:
                    raise OutputError(f"{path}: cannot be removed ({error.strerror or error})") from None
                removed.append(path)
    record = config_dir() / "engine.json"
    if record.exists():
        record.unlink()
        removed.append(record)
    return removed


def this_engine() -> list[str]:
    """Return the command that starts the engine of this very environment."""
    # Not resolved: a virtual environment is known by the link to its Python. -P: a host may run in any folder, and
    # Python files there are not to be taken for modules.
    return [str(Path(sys.executable).absolute()), "-P", "-m", "terzetto_host.live", "--while-used"]


def _replace(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    workshop = Path(tempfile.mkdtemp(prefix=".terzetto-", dir=target.parent))
    try:
        shutil.copytree(source, workshop / "new", symlinks=True)
        before = workshop / "before"
        there = target.exists() or target.is_symlink()
        if there:
            target.rename(before)
        try:
            (workshop / "new").rename(target)
        except OSError:
            if there:
                before.rename(target)
            raise
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    else:
        shutil.rmtree(path)


def _digest(bundle: Path) -> str:
    """Return a digest of what a bundle holds: names and contents."""
    total = hashlib.sha256()
    for path in sorted(bundle.rglob("*")) if bundle.is_dir() else [bundle]:
        total.update(path.relative_to(bundle).as_posix().encode() + b"\0")
        with contextlib.suppress(OSError):
            if path.is_file():
                total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()
