"""The factorisation kernel beside what else there is: milliseconds an iteration on synthetic pieces, side by side.

    python bench/kernel.py [--piece 10s|4min|30min|all] [--json]

Pieces have 22.05 kHz, 2049 bins, 1024 samples a frame, a harmonic and an onset template per pitch and a piano roll
as mask. All run one thread, except "ours, 2 threads". Runs are interleaved and medians taken, so that a disturbance
of the machine hits everyone. "x" is the time over ours with one thread; "floor" the share of the time that the
multiplications which the mask needs would take at the processor's measured rate. Memory is the growth of the peak
resident set beyond V, W and H as given, in per cent of V, measured in a process of its own (ours makes new W and H:
7 % of V at 4 min). Rivals that are not installed are left out.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terzetto import _kernel
from terzetto.audio.spectra import FrameGrid
from terzetto.hands.templates import TemplateLayout, informed_templates

Float = NDArray[np.float32]
Run = Callable[[int], object]

GRID = FrameGrid(22050, 4096, 1024)
EPS = np.float32(1e-7)
# name: (pitches, frames, seconds a run may take, runs)
PIECES = {"10s": (8, 215, 0.05, 9), "4min": (50, 5168, 0.25, 5), "30min": (50, 38760, 0.6, 3)}
ONE_THREAD = {name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}
OURS = "ours, 1 thread"
# Whose memory is measured.
MEASURED = ("ours, 1 thread", "ours, 2 threads", "NumPy, best order", "NumPy, as written", "PyTorch", "scikit-learn")


@dataclass
class Piece:
    """What goes into a factorisation; V frames x bins, the others with a row per template."""

    V: Float
    W: Float
    H: Float

    @property
    def W_E(self) -> Float:
        return (self.W * np.float32(self.V.sum() / (self.V @ self.W.T).sum())).astype(np.float32)


def make_piece(pitches: int, frames: int, seed: int = 0) -> Piece:
    """Notes begin and end on their own on every key; about 6 sound at a time on 50 keys, 3 on 8."""
    random = np.random.default_rng(seed)
    layout = TemplateLayout(np.arange(36, 36 + pitches), edges=())
    W = informed_templates(layout, GRID, GRID.bins)
    W /= W.max()
    sounding = min(6.3, 0.4 * pitches)
    length, onset = 18, 4
    gap = length * (pitches / sounding - 1)
    H = np.zeros((2 * pitches, frames), np.float32)
    for key in range(pitches):
        at = int(random.integers(0, int(gap) + length)) - length
        while at < frames:
            end = at + int(random.integers(length // 3, 2 * length - length // 3))
            H[key, max(at, 0) : max(end, 0)] = 1
            H[pitches + key, max(at, 0) : max(at + onset, 0)] = 1
            at = end + 1 + int(random.exponential(gap - 1))
    V = np.empty((frames, GRID.bins), np.float32)
    true = W * random.random(W.shape, np.float32)
    for first in range(0, frames, 2048):
        part = H[:, first : first + 2048]
        V[first : first + 2048] = (part * random.random(part.shape, np.float32)).T @ true
        V[first : first + 2048] += 1e-4 * random.random(V[first : first + 2048].shape, np.float32)
    V /= V.max()
    return Piece(V, W, H)


# ---- contestants: each gives a function that runs some iterations ---------------------------------------


def ours(piece: Piece, method: str, loss: str, threads: int) -> Run:
    options: dict[str, Any] = {"loss": loss, "threads": threads, "loss_interval": 0}
    if method == "nae":
        encoder, mask = piece.W_E, piece.H > 0
        return lambda n: _kernel.nae(piece.V, encoder, piece.W, mask, iterations=n, **options)
    return lambda n: _kernel.nmf(piece.V, piece.W, piece.H, iterations=n, **options)


def numpy_best(piece: Piece, method: str, loss: str) -> Run:
    """Small products first, everything single precision and in place where it can be."""
    V, W, H, E, M = piece.V, piece.W.copy(), piece.H.copy(), piece.W_E, piece.H > 0

    def ratio() -> Float:
        model = H.T @ W
        model += EPS
        return np.divide(V, model, out=model)

    def nmf() -> None:
        nonlocal W, H
        H *= (W @ V.T) / ((W @ W.T) @ H + EPS)
        W *= (H @ V) / ((H @ H.T) @ W + EPS)

    def nmf_kl() -> None:
        nonlocal W, H
        H *= (W @ ratio().T) / (W.sum(1, keepdims=True) + EPS)
        W *= (H @ ratio()) / (H.sum(1, keepdims=True) + EPS)

    def nae() -> None:
        nonlocal W, H, E
        W *= (H @ V) / ((H @ H.T) @ W + EPS)
        E *= (((W @ V.T) * M) @ V) / ((((W @ W.T) @ H) * M) @ V + EPS)
        H = (E @ V.T) * M

    step = {("nmf", "euclidean"): nmf, ("nmf", "kl"): nmf_kl, ("nae", "euclidean"): nae}[method, loss]
    if method == "nae":
        H = (E @ V.T) * M
    return lambda n: [step() for _ in range(n)]


def numpy_as_written(piece: Piece, method: str, loss: str) -> Run | None:
    """The thesis's tables from left to right, the matrices the way it has them."""
    V, W, H = (np.ascontiguousarray(x) for x in (piece.V.T, piece.W.T, piece.H.copy()))
    one = np.ones_like(V) if loss == "kl" else V

    def nmf() -> None:
        nonlocal W, H
        H = H * ((W.T @ V) / (W.T @ W @ H + EPS))
        W = W * ((V @ H.T) / (W @ H @ H.T + EPS))

    def nmf_kl() -> None:
        nonlocal W, H
        H = H * ((W.T @ (V / (W @ H + EPS))) / (W.T @ one + EPS))
        W = W * (((V / (W @ H + EPS)) @ H.T) / (one @ H.T + EPS))

    if method == "nae":
        return None
    step = nmf if loss == "euclidean" else nmf_kl
    return lambda n: [step() for _ in range(n)]


def pytorch(piece: Piece, method: str, loss: str) -> Run | None:
    import torch

    if loss != "euclidean":
        return None
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    V, W, H, E = (torch.from_numpy(x.copy()) for x in (piece.V, piece.W, piece.H, piece.W_E))
    M = (H > 0).float()
    eps = float(EPS)

    def nmf() -> None:
        H.mul_((W @ V.T).div_(((W @ W.T) @ H).add_(eps)))
        W.mul_((H @ V).div_(((H @ H.T) @ W).add_(eps)))

    def nae() -> None:
        W.mul_((H @ V).div_(((H @ H.T) @ W).add_(eps)))
        E.mul_(((W @ V.T).mul_(M) @ V).div_((((W @ W.T) @ H).mul_(M) @ V).add_(eps)))
        torch.matmul(E, V.T, out=H)
        H.mul_(M)

    step = nmf if method == "nmf" else nae

    def run(n: int) -> None:
        with torch.inference_mode():
            for _ in range(n):
                step()

    return run


def libfmp_loop(piece: Piece, method: str, loss: str) -> Run | None:
    """The loop of libfmp.c8.nmf, line by line, with its norms of the steps.

    The function itself ends with the largest singular value of V - W H, which takes longer than the iterations.
    """
    import libfmp  # noqa: F401  (named as missing like the others)

    if (method, loss) != ("nmf", "euclidean"):
        return None
    V, W, H = (np.ascontiguousarray(x, np.float64) for x in (piece.V.T, piece.W.T, piece.H))
    eps_machine = np.finfo(np.float32).eps

    def run(n: int) -> None:
        nonlocal W, H
        for _ in range(n):
            H_ell, W_ell = H, W
            H = H * (W.transpose().dot(V) / (W.transpose().dot(W).dot(H) + eps_machine))
            W = W * (V.dot(H.transpose()) / (W.dot(H).dot(H.transpose()) + eps_machine))
            np.linalg.norm(H - H_ell, ord=2)
            np.linalg.norm(W - W_ell, ord=2)

    return run


def scikit_learn(piece: Piece, method: str, loss: str) -> Run | None:
    from sklearn.decomposition import NMF

    if (method, loss) != ("nmf", "euclidean"):
        return None
    H = np.ascontiguousarray(piece.H.T)

    def run(n: int) -> None:
        model = NMF(len(piece.W), solver="mu", init="custom", tol=0, max_iter=n)
        model.fit_transform(piece.V, W=H.copy(), H=piece.W.copy())

    return run


def torchnmf(piece: Piece, method: str, loss: str) -> Run | None:
    import torch
    from torchnmf.nmf import NMF

    if (method, loss) != ("nmf", "euclidean"):
        return None
    torch.set_num_threads(1)
    V = torch.from_numpy(piece.V)
    model = NMF(W=torch.from_numpy(piece.W.T.copy()), H=torch.from_numpy(piece.H.T.copy()))
    return lambda n: model.fit(V, beta=2, tol=0, max_iter=n)


CONTESTANTS: dict[str, Callable[[Piece, str, str], Run | None]] = {
    OURS: lambda *case: ours(*case, threads=1),
    "ours, 2 threads": lambda *case: ours(*case, threads=2),
    "NumPy, best order": numpy_best,
    "NumPy, as written": numpy_as_written,
    "PyTorch": pytorch,
    "libfmp": libfmp_loop,
    "scikit-learn": scikit_learn,
    "torchnmf": torchnmf,
}
CASES = (("nmf", "euclidean"), ("nmf", "kl"), ("nae", "euclidean"))

# ---- measuring -----------------------------------------------------------------------------------------


def race(runs: dict[str, Run], budget: float, rounds: int) -> dict[str, float]:
    """Return milliseconds an iteration: the median over interleaved runs of about `budget` seconds."""

    def seconds(run: Run, iterations: int) -> float:
        began = time.perf_counter()
        run(iterations)
        return time.perf_counter() - began

    iterations = {}
    for name, run in runs.items():
        each = seconds(run, 1)
        if each < budget:
            each = seconds(run, 4) / 4  # the first one also loads, plans and compiles
        iterations[name] = min(max(int(budget / each), 1), 400)
    results: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            results[name].append(1e3 * seconds(run, iterations[name]) / iterations[name])
    return {name: statistics.median(values) for name, values in results.items()}


CHAINS = 12
# Independent chains in variables of their own: an array of them would live in memory, not in registers.
PEAK_LOOP = """
typedef float vec __attribute__((vector_size(WIDTH)));
float run(long count, float x) {
    vec m = {0}, c = {0};
    m += x; c += 1.0f - x;
    DECLARED
    for (long n = 0; n < count; ++n) { STEPS }
    return (SUM)[0];
}
"""


def peak_source(width: int, constraint: str) -> str:
    chains = range(CHAINS)
    steps = (f'a{i} = a{i} * m + c; __asm__ volatile("" : {constraint}(a{i}));' for i in chains)
    return (
        PEAK_LOOP.replace("WIDTH", str(width))
        .replace("DECLARED", "".join(f"vec a{i} = c + {i}.0f;" for i in chains))
        .replace("STEPS", " ".join(steps))
        .replace("SUM", " + ".join(f"a{i}" for i in chains))
    )


def peak_rate() -> tuple[float, str]:
    """Return one core's FLOP/s and how it was measured."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    level = _kernel.simd_levels()[-1]
    width = {"avx512": 64, "avx2": 32}.get(level, 16)
    if compiler:
        with tempfile.TemporaryDirectory() as folder:
            source, library = Path(folder, "peak.c"), Path(folder, "peak.so")
            constraint = '"+w"' if level == "neon" else '"+v"' if width == 64 else '"+x"'
            source.write_text(peak_source(width, constraint))
            flags = ["-O3", "-march=native", "-ffp-contract=fast", "-funroll-loops", "-shared", "-fPIC"]
            built = subprocess.run([compiler, *flags, str(source), "-o", str(library)], capture_output=True)
            if built.returncode == 0:
                run = ctypes.CDLL(str(library)).run
                run.argtypes, run.restype = (ctypes.c_long, ctypes.c_float), ctypes.c_float
                count, best = 100_000, 0.0  # short enough to run undisturbed now and then
                for _ in range(400):
                    began = time.perf_counter()
                    run(count, 0.5)
                    best = max(best, 2 * CHAINS * (width // 4) * count / (time.perf_counter() - began))
                return best, f"a loop of {8 * width}-bit fused multiply-adds, best of 400"
    size, best = 1024, 0.0
    a = np.random.default_rng(0).random((size, size), np.float32)
    for _ in range(9):
        began = time.perf_counter()
        a @ a
        best = max(best, 2.0 * size**3 / (time.perf_counter() - began))
    return best, "single-thread sgemm, no C compiler"


def needed_flops(piece: Piece, method: str, loss: str) -> float:
    """Multiplications and additions that the mask leaves over, in one iteration.

    Products with V: two for NMF, five for the NAE, four for KL (of which two reconstruct); and, Euclidean, of
    W W^T and (H H^T) W the pairs of templates that sound together. Divisions and logarithms are not counted.
    """
    active = (piece.H > 0).astype(np.float32)
    bins = piece.V.shape[1]
    products = {("nmf", "euclidean"): 2, ("nmf", "kl"): 4, ("nae", "euclidean"): 5}[method, loss]
    pairs = int(((active @ active.T) > 0).sum()) if loss == "euclidean" else 0
    return 2.0 * bins * (products * float(active.sum(dtype=np.float64)) + 1.5 * pairs)


def peak_memory() -> int:
    """Return the peak resident set in bytes since `forget_peak`."""
    status = Path("/proc/self/status")
    if status.exists():  # of this program alone: getrusage's peak on Linux includes the process that started it
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import resource

    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * (1 if sys.platform == "darwin" else 1024)


def forget_peak() -> None:
    """Let the peak start from what is resident now, where the system can do that."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def grow(folder: Path, name: str, method: str, loss: str) -> None:
    """In a process of its own: print the bytes by which three iterations raise the peak."""
    # Small first: libraries, their buffers and threads belong to nobody's working set.
    warm = CONTESTANTS[name](make_piece(8, 64), method, loss)
    if warm:
        warm(1)
    run = CONTESTANTS[name](Piece(*(np.load(folder / f"{x}.npy") for x in "VWH")), method, loss)
    forget_peak()  # the matrices in the layout that this contestant is used to are not its working set either
    before = peak_memory()
    if run:
        run(3)
    print(peak_memory() - before)


def memory(piece: Piece, names: list[str]) -> dict[str, dict[str, float]]:
    """Return, per case and contestant, the growth in per cent of V."""
    table: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for x, array in zip("VWH", (piece.V, piece.W, piece.H), strict=True):
            np.save(Path(folder, f"{x}.npy"), array)
        for method, loss in CASES:
            row = table[f"{method} {loss}"] = {}
            for name in names:
                command = [sys.executable, __file__, "--grow", folder, name, method, loss]
                answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
                if CONTESTANTS[name](make_piece(8, 64), method, loss):
                    row[name] = round(100 * int(answer) / piece.V.nbytes, 1)
    return table


def one_thread_each() -> None:
    """Start again with the rivals' libraries held to one thread: they read that when they are loaded."""
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | ONE_THREAD)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--piece", choices=[*PIECES, "all"], default="all")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--grow", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    one_thread_each()
    if arguments.grow:
        grow(Path(arguments.grow[0]), *arguments.grow[1:])
        return

    rate, measured_by = peak_rate()
    missing: set[str] = set()
    report: dict[str, Any] = {"gflops": round(rate / 1e9, 1), "measured_by": measured_by, "pieces": {}}
    if not arguments.json:
        print(
            f"one core: {rate / 1e9:.1f} GFLOP/s ({measured_by}); {_kernel.simd_levels()[-1]}, {os.cpu_count()} cores"
        )
    for piece_name in PIECES if arguments.piece == "all" else [arguments.piece]:
        pitches, frames, budget, rounds = PIECES[piece_name]
        piece = make_piece(pitches, frames)
        active = float((piece.H > 0).sum() / frames)
        table: dict[str, dict[str, dict[str, float]]] = {}
        for method, loss in CASES:
            runs: dict[str, Run] = {}
            for name, contestant in CONTESTANTS.items():
                try:
                    run = contestant(piece, method, loss)
                except ImportError:
                    missing.add(name)
                    continue
                if run:
                    runs[name] = run
            times = race(runs, budget, rounds)
            floor = 1e3 * needed_flops(piece, method, loss) / rate
            table[f"{method} {loss}"] = {
                name: {"ms": ms, "ratio": ms / times[OURS], "floor": floor / ms} for name, ms in times.items()
            }
        report["pieces"][piece_name] = {"frames": frames, "templates": len(piece.W), "active": active, "cases": table}
        if piece_name == "4min":
            report["memory"] = memory(piece, [name for name in MEASURED if name not in missing])
        if not arguments.json:
            print_piece(piece_name, report)
    report["missing"] = sorted(missing)
    if arguments.json:
        print(json.dumps(report))
    elif missing:
        print("not installed and left out:", ", ".join(sorted(missing)))


def print_piece(piece_name: str, report: dict[str, Any]) -> None:
    """Print one piece: a line per contestant, the cases side by side."""
    entry = report["pieces"][piece_name]
    cases = entry["cases"]
    memory_of = report.get("memory", {}) if piece_name == "4min" else {}
    print(
        f"\n{piece_name}: {GRID.bins} bins, {entry['frames']} frames, {entry['templates']} templates, "
        f"{entry['active']:.1f} of them active a frame"
    )
    heading = f"{'ms':>9}{'x':>7}{'floor':>7}" + (f"{'memory':>8}" if memory_of else "")
    print(f"{'':19}" + "".join(f" | {case:^{len(heading)}}" for case in cases))
    print(f"{'':19}" + f" | {heading}" * len(cases))
    for name in CONTESTANTS:
        line = ""
        for case, times in cases.items():
            cell = ""
            if name in times:
                t = times[name]
                cell = f"{t['ms']:9.3f}{t['ratio']:7.1f}{t['floor']:7.0%}"
                if name in memory_of.get(case, {}):
                    cell += f"{memory_of[case][name]:7.1f}%"
            line += f" | {cell:{len(heading)}}"
        if line.strip(" |"):
            print(f"{name:19}{line}")


if __name__ == "__main__":
    main()
