"""Opens ONNX files on the best provider that really works, without a word on the terminal.

The CUDA provider is asked for only when a CUDA driver answers and CUDA's and cuDNN's libraries can be loaded; asking
otherwise prints banners. The libraries come with ``pip install "terzetto[cuda]"``, with PyTorch for CUDA, or from the
system.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import io
import os
import sys
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from terzetto.errors import ModelError, TerzettoWarning
from terzetto.parallel import threads_for

if TYPE_CHECKING:
    import onnxruntime

_DISTRIBUTIONS = ("onnxruntime", "onnxruntime-gpu")
_OPTIONS: dict[str, dict[str, str]] = {
    # TensorFloat-32, which is the default, costs three of seven digits: 4e-3 of the largest output instead of 3e-6.
    "CUDAExecutionProvider": {"use_tf32": "0"},
    "CPUExecutionProvider": {},
}
_CUDA_LIBRARIES = {"linux": "libcuda.so.1", "win32": "nvcuda.dll"}


@functools.cache
def cuda_works() -> bool:
    """Whether a CUDA driver is installed, starts, and has a device."""
    library = _CUDA_LIBRARIES.get(sys.platform)
    if library is None:
        return False
    try:
        cuda = ctypes.CDLL(library)
        count = ctypes.c_int(0)
        return cuda.cuInit(0) == 0 and cuda.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0
    except (OSError, AttributeError):
        return False


@functools.cache
def cuda_libraries_load() -> bool:
    """Whether ONNX Runtime finds the libraries that its CUDA provider needs; those of pip's packages are loaded."""
    import onnxruntime

    said = io.StringIO()
    with contextlib.redirect_stdout(said):  # it tells what is missing, and only tells it
        onnxruntime.preload_dlls()
    return not said.getvalue()


def installed_runtimes() -> dict[str, str]:
    """Return which ONNX Runtime distributions are installed, name → version."""
    found = {}
    for name in _DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def explain_runtimes(installed: dict[str, str]) -> str | None:
    """Say what is wrong with the installed distributions, or return None if nothing is.

    >>> explain_runtimes({"onnxruntime": "1.2"}) is None
    True
    """
    if len(installed) < 2:
        return None
    both = " and ".join(f"{name} {number}" for name, number in installed.items())
    return (
        f"{both} are both installed and overwrite each other's files; keep one: "
        "pip uninstall onnxruntime onnxruntime-gpu, then pip install onnxruntime-gpu (x86-64 Linux or Windows) "
        "or onnxruntime (elsewhere)"
    )


def providers() -> list[str]:
    """Return the ONNX Runtime providers to open a model with, best first; the CPU's is always last.

    Raises
    ------
    ModelError
        ONNX Runtime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelError(f"ONNX Runtime cannot be loaded ({error}); pip install --force-reinstall terzetto") from None
    problem = explain_runtimes(installed_runtimes())
    if problem:
        warnings.warn(problem, TerzettoWarning, stacklevel=2)
    chosen = []
    if cuda_works() and "CUDAExecutionProvider" in onnxruntime.get_available_providers() and cuda_libraries_load():
        chosen.append("CUDAExecutionProvider")
    return [*chosen, "CPUExecutionProvider"]


def open_model(path: str | os.PathLike[str], *, threads: int = 0) -> onnxruntime.InferenceSession:
    """Open an ONNX model on the best provider that works.

    Parameters
    ----------
    path
        A ``.onnx`` file. Pickles are never opened.
    threads
        Threads within one operation; 0 for as many as there are cores.

    Raises
    ------
    ModelError
        The file is missing or is not a valid ONNX model.
    """
    path = Path(path)
    if path.suffix.lower() != ".onnx":
        raise ModelError(f"{path}: a model is an .onnx file; this ends in {path.suffix or 'nothing'!r}")
    if not path.is_file():
        raise ModelError(f"{path}: no such model")
    chosen = providers()
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads_for(threads)
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=[(each, _OPTIONS[each]) for each in chosen])
    except Exception as error:  # ONNX Runtime's own exception types are many and not public
        raise ModelError(f"{path}: not a usable ONNX model ({' '.join(str(error).split())})") from None
