"""The registry: find a model by its name, verify what it is, open it.

A model is ``NAME.onnx`` with its card ``NAME.md``. Its metadata say what it does (``task``), by which ``method``, in
which ``version`` of that task's models (1 if it says none), under which licence it may be used (``licence``), and what
its recipe wrote down for it (``constants``, as JSON). Folders are searched in order: those of ``TERZETTO_MODELS``, the
user's own, the shipped ones.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from terzetto import _kernel
from terzetto.errors import ModelError
from terzetto.onnx_session import open_model

if TYPE_CHECKING:
    import onnxruntime

_noted: ContextVar[dict[str, str] | None] = ContextVar("noted", default=None)

VERSIONS = {"timbre": 1}
"""Which version of a task's models is read: what goes in, what comes out, what the constants mean; 1 if not listed."""


@dataclass(frozen=True)
class Model:
    """An opened model with what it says of itself.

    Attributes
    ----------
    name : str
        Of the file, without its ending.
    path : Path
    task : str
        What it does: ``hand-labels``, ``transcription`` …
    licence : str
    constants : dict
        What its recipe wrote down for those who use it: sizes, rates, thresholds.
    session : onnxruntime.InferenceSession
    method : str
        By which it does it; empty if it does not say.
    version : int
        Of the models for its task; see `VERSIONS`.
    """

    name: str
    path: Path
    task: str
    licence: str
    constants: dict[str, Any]
    session: onnxruntime.InferenceSession
    method: str = ""
    version: int = 1

    @property
    def sha256(self) -> str:
        """The file's SHA-256, in hexadecimal digits."""
        return _sha256(self.path)


Stamp = tuple[Path, int, int, int]
"""A file's path, number, size and time of change: with another one, it is another file."""


def stamp(name: str) -> Stamp | None:
    """Return the stamp of the model that a name finds now, or None; a look at the folder, not into the file."""
    path = _located(name)
    try:
        return None if path is None else _stamp(path)
    except OSError:
        return None


def _stamp(path: Path) -> Stamp:
    found = path.stat()
    return path, found.st_ino, found.st_size, found.st_mtime_ns


def _sha256(path: Path) -> str:
    return _hash(_stamp(path))


@functools.lru_cache(maxsize=64)
def _hash(content: Stamp) -> str:
    return hashlib.sha256(content[0].read_bytes()).hexdigest()


@contextlib.contextmanager
def noting_models() -> Iterator[dict[str, str]]:
    """Note every model that `find_model` opens meanwhile, name → SHA-256, so that a result can say what made it."""
    noted: dict[str, str] = {}
    token = _noted.set(noted)
    try:
        yield noted
    finally:
        _noted.reset(token)


def missing_models(noted: Mapping[str, str]) -> list[str]:
    """Say of each noted model that is not installed, or is another one by now, that it is so."""
    problems = []
    for name, sha256 in noted.items():
        here = identity(name)
        if here is None:
            problems.append(f"the model {name} is not installed here")
        elif here != sha256:
            problems.append(f"the model {name} is another one here")
    return problems


def user_folder() -> Path:
    """Return the folder of the models that were trained on this machine; it need not be there."""
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "Terzetto" / "models"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "Terzetto" / "models"
    return Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "terzetto" / "models"


def shipped_folder() -> Path:
    """Return the folder of the models that came with this installation."""
    source_tree = Path(__file__).resolve().parents[2]
    if (source_tree / "pyproject.toml").is_file():
        return source_tree / "models"
    # Beside the compiled module, where the build installs them.
    return Path(_kernel.__file__).parent / "shipped_models"


def folders() -> list[Path]:
    """Return where models are looked for, first come first served."""
    given = [Path(folder) for folder in os.environ.get("TERZETTO_MODELS", "").split(os.pathsep) if folder]
    return [*given, user_folder(), shipped_folder()]


def installed() -> list[Path]:
    """Return the files of all models that can be found by name, sorted by it."""
    found: dict[str, Path] = {}
    for folder in folders():
        for path in folder.glob("*.onnx"):
            found.setdefault(path.stem, path)
    return [found[name] for name in sorted(found)]


def _located(name: str) -> Path | None:
    """Return the file of a model that is named, or given as a path; None if none has the name."""
    return Path(name) if name.endswith(".onnx") else next((path for path in installed() if path.stem == name), None)


def whole_name(name: str) -> str:
    """Return the name of a model, or the whole path of its file: what is saved may be opened from anywhere."""
    return str(Path(name).expanduser().absolute()) if name.endswith(".onnx") else name


def identity(name: str) -> str | None:
    """Return the SHA-256 of the model that a name finds now, or None; with another one, results differ."""
    path = _located(name)
    return _sha256(path) if path is not None and path.is_file() else None


def read_model(path: Path, *, threads: int = 0) -> Model:
    """Open a model, whatever it is for.

    Raises
    ------
    ModelError
        It is missing, is no ONNX model, or its metadata are damaged.
    """
    session = open_model(path, threads=threads)
    metadata = session.get_modelmeta().custom_metadata_map
    try:
        constants, number = json.loads(metadata.get("constants", "{}")), int(metadata.get("version", "1"))
    except ValueError:
        raise ModelError(f"{path}: the model's metadata are damaged; install or train it again") from None
    task, licence = metadata.get("task", ""), metadata.get("licence", "not stated")
    return Model(path.stem, path, task, licence, constants, session, metadata.get("method", ""), number)


def explain_version(model: Model) -> str | None:
    """Say that a model is of another version than this Terzetto reads, and what to do; None if it is not."""
    reads = VERSIONS.get(model.task, 1)
    if model.version == reads:
        return None
    what = f"is of version {model.version} of the models for {model.task!r}, and this Terzetto reads version {reads}"
    todo = "update Terzetto" if model.version > reads else "train it again"
    return f"{what}; {todo}, or choose another model"


def find_model(task: str, name: str, *, threads: int = 0) -> Model:
    """Find a model, verify that it is one for a task, and open it.

    Parameters
    ----------
    task
        What it has to do.
    name
        Of an installed model, or the path of an ``.onnx`` file.
    threads
        Threads within one operation; 0 for as many as there are cores.

    Raises
    ------
    ModelError
        There is none of that name, it is damaged, or it is for another task or of another version.
    """
    path = _located(name)
    if path is None:
        known = ", ".join(each.stem for each in installed()) or "none"
        raise ModelError(f"there is no model {name!r}; installed: {known} (or give the path of an .onnx file)")
    model = read_model(path, threads=threads)
    if model.task != task:
        what = f"a model for {model.task!r}" if model.task else "not one of Terzetto's models"
        raise ModelError(f"{path}: this is {what}; needed is one for {task!r}")
    problem = explain_version(model)
    if problem:
        raise ModelError(f"{path}: {problem}")
    noted = _noted.get()
    if noted is not None:
        noted[model.name] = model.sha256
    return model
