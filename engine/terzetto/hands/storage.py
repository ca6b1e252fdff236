"""What was learned, as bytes: small enough for a project file, and never trusted when read.

Layout: magic, version, CRC-32 and length of what follows; then one zlib stream of a JSON header and the arrays it
names. Templates are float16 relative to their row's maximum.
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.spectra import FrameGrid
from terzetto.errors import InputError
from terzetto.hands import coherence
from terzetto.hands.fingerprint import BANDS, Fingerprint, frames_of_step
from terzetto.hands.learning import Learned, live_grid
from terzetto.hands.separate import HIGHEST
from terzetto.hands.templates import TemplateLayout

Float = NDArray[np.float32]

VERSION = 1
_MAGIC = b"TZLEARN\0"
_HEAD = struct.Struct(">8sHII")
_LARGEST = 64 << 20  # bytes unpacked: more is no honest file
_NEGLIGIBLE = 1e-4  # of a row's maximum: stored as 0
_DTYPES = {"float16", "float32", "int64", "int8"}


def to_bytes(learned: Learned) -> bytes:
    """Return what was learned as bytes."""
    low = learned.turning.shape[1]
    W = learned.W[:, :low]
    advance = np.divide(learned.turning, W, out=np.zeros_like(learned.turning), where=W > 0)
    arrays: dict[str, NDArray[Any]] = {"pitches": learned.pitches.astype(np.int64)}
    for name, rows in (("W", learned.W), ("encoder", learned.encoder)):
        scale = np.maximum(rows.max(axis=1, initial=0.0), 1e-30).astype(np.float32)
        relative = rows / scale[:, None]
        relative[relative < _NEGLIGIBLE] = 0.0
        arrays[name], arrays[f"{name}_scale"] = relative.astype(np.float16), scale
    arrays["advance"] = advance.astype(np.complex64).view(np.float32).astype(np.float16)
    arrays["gains"] = learned.gains.astype(np.float16)
    arrays["levels"] = learned.fingerprint.levels
    header = {
        "window": learned.window,
        "sample_rate": learned.grid.sample_rate,
        "peak": learned.peak,
        "tuning": learned.tuning,
        "loudest": learned.fingerprint.loudest,
        "arrays": [[name, str(array.dtype), list(array.shape)] for name, array in arrays.items()],
    }
    text = json.dumps(header).encode()
    body = struct.pack(">I", len(text)) + text + b"".join(array.tobytes() for array in arrays.values())
    packed = zlib.compress(body, 6)
    return _HEAD.pack(_MAGIC, VERSION, zlib.crc32(packed), len(packed)) + packed


def from_bytes(data: bytes) -> Learned:
    """Read what `to_bytes` wrote.

    Raises
    ------
    InputError
        Damaged, cut off, of another version, or nothing of ours.
    """
    if len(data) < _HEAD.size or not data.startswith(_MAGIC):
        raise InputError("what was learned cannot be read: it is not Terzetto's; learn the take again")
    _, version, checksum, length = _HEAD.unpack_from(data)
    packed = data[_HEAD.size :]
    if version != VERSION:
        raise InputError(
            f"what was learned is of version {version}, this Terzetto reads {VERSION}; learn the take again"
        )
    if len(packed) != length or zlib.crc32(packed) != checksum:
        raise InputError("what was learned is damaged; learn the take again")
    try:
        unpacker = zlib.decompressobj()
        body = unpacker.decompress(packed, _LARGEST)
        if not unpacker.eof:
            raise ValueError("it is too large")
        return _learned(body)
    except (zlib.error, ValueError, KeyError, TypeError, struct.error, OverflowError) as error:
        raise InputError(f"what was learned is damaged ({error}); learn the take again") from None


def _learned(body: bytes) -> Learned:
    (size,) = struct.unpack_from(">I", body)
    header = json.loads(body[4 : 4 + size])
    arrays, at = {}, 4 + size
    for name, dtype, shape in header["arrays"]:
        if dtype not in _DTYPES or not all(isinstance(n, int) and 0 <= n <= 1 << 24 for n in shape):
            raise ValueError("an array that cannot be")
        count = int(np.prod(shape, dtype=object)) if shape else 1
        arrays[name] = np.frombuffer(body, dtype, count, at).reshape(shape)
        at += arrays[name].nbytes
    sample_rate = float(header["sample_rate"])
    if not 4000.0 <= sample_rate <= 384_000.0:
        raise ValueError(f"a sample rate of {sample_rate:g} Hz")
    grid = live_grid(sample_rate, str(header["window"]))
    pitches, bins = np.asarray(arrays["pitches"], np.int64), grid.bins_up_to(HIGHEST)
    _check_pitches(pitches)
    rows, low = TemplateLayout(pitches).rows, min(grid.bins_up_to(coherence.HIGHEST), bins)
    W, encoder = _rows(arrays, "W", (rows, bins)), _rows(arrays, "encoder", (rows, bins))
    advance = _checked(arrays["advance"], (rows, 2 * low)).copy().view(np.complex64)
    gains = _checked(arrays["gains"], (len(arrays["gains"]), low))
    levels = np.array(arrays["levels"], np.int8)
    numbers = [float(header[name]) for name in ("peak", "tuning", "loudest")]
    if not np.isfinite(numbers).all() or numbers[0] < 0 or numbers[2] <= 0 or not 1 <= len(gains) <= 2:
        raise ValueError("numbers that cannot be")
    if levels.ndim != 2 or levels.shape[1] != BANDS:
        raise ValueError("no levels")
    turning = (W[:, :low] * advance).astype(np.complex64)
    fingerprint = Fingerprint(levels, numbers[2])
    peak, tuning = numbers[:2]
    return Learned(str(header["window"]), grid, pitches, W, encoder, turning, gains, peak, tuning, fingerprint)


def _check_pitches(pitches: NDArray[np.int64]) -> None:
    good = pitches.ndim == 1 and len(pitches) and pitches[0] >= 0 and pitches[-1] <= 127
    if not good or (np.diff(pitches) <= 0).any():
        raise ValueError("pitches that cannot be")


def _rows(arrays: dict[str, NDArray[Any]], name: str, shape: tuple[int, int]) -> Float:
    relative, scale = _checked(arrays[name], shape), _checked(arrays[f"{name}_scale"], shape[:1])
    if (relative < 0).any() or (scale < 0).any():
        raise ValueError(f"{name} is negative")
    return np.ascontiguousarray(relative * scale[:, None])


def _checked(array: NDArray[Any], shape: tuple[int, ...]) -> Float:
    result = np.asarray(array, np.float32)
    if result.shape != shape or not np.isfinite(result).all():
        raise ValueError(f"an array of shape {array.shape} where {shape} is right")
    return result


def at_rate(learned: Learned, sample_rate: float) -> Learned:
    """Return what was learned for a stream of another sample rate."""
    old, new = learned.grid, live_grid(sample_rate, learned.window)
    if old == new:
        return learned
    bins = new.bins_up_to(HIGHEST)
    low = min(new.bins_up_to(coherence.HIGHEST), bins)
    place = np.arange(bins) * new.bin_hz / old.bin_hz  # of the new bins among the old

    def moved(rows: Float, count: int) -> Float:
        known = np.arange(rows.shape[1])
        return np.array([np.interp(place[:count], known, row, right=0.0) for row in rows], np.float32)

    W = moved(learned.W, bins)
    louder, denser = new.n_fft / old.n_fft, old.bin_hz / new.bin_hz
    old_low = learned.turning.shape[1]
    near = np.minimum(place[:low].round().astype(int), old_low - 1)
    W_old = learned.W[:, :old_low]
    advance = np.divide(learned.turning, W_old, out=np.zeros_like(learned.turning), where=W_old > 0)[:, near]
    # The advance over a hop tells the frequency near the bin's; over the new hop that turns elsewhere.
    center = 2 * np.pi * near * old.hop_length / old.n_fft
    deviation = np.angle(advance * np.exp(-1j * center))
    frequency = near * old.bin_hz + deviation / (2 * np.pi * old.hop_seconds)
    turned = np.abs(advance) * np.exp(2j * np.pi * frequency * new.hop_seconds)
    return Learned(
        learned.window,
        new,
        learned.pitches,
        W,
        moved(learned.encoder, bins) / np.float32(denser),
        (W[:, :low] * turned).astype(np.complex64),
        moved(learned.gains, low),
        learned.peak * louder,
        learned.tuning,
        _at_grid(learned.fingerprint, old, new, louder**2 * denser),
    )


def _at_grid(fingerprint: Fingerprint, old: FrameGrid, new: FrameGrid, louder: float) -> Fingerprint:
    steps = len(fingerprint.levels)
    ratio = frames_of_step(new) * new.hop_seconds / (frames_of_step(old) * old.hop_seconds)
    wanted = np.minimum(np.arange(int(steps / ratio)) * ratio, steps - 1).round().astype(int)
    return Fingerprint(fingerprint.levels[wanted], fingerprint.loudest * louder)
