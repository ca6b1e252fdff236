"""What is trained for the slides' experiments, and what converts a sound: by name, in the order of the tables."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from terzetto.errors import InputError, ModelError
from terzetto_export.training import History
from terzetto_export.xsynth_paper import ddsp
from terzetto_export.xsynth_paper.conversion import Convert, by_method, through
from terzetto_export.xsynth_paper.network import KINDS, X_SYNTH, Kind
from terzetto_export.xsynth_paper.sounds import INSTRUMENT, SAMPLE_RATE, Float, Material, Tell
from terzetto_export.xsynth_paper.training import Learned, learn, parted

RECORDING, CLASS = "one recording", "class"
ONE, WHOLE = f"X-Synth, {RECORDING}", f"X-Synth, {CLASS}"
INSIDE = f"X-Synth, {RECORDING}, energy through the network"
RIVAL = f"DDSP-like, {RECORDING}"
ENVELOPE, MOSAIC, OURS = "envelope", "mosaic", "Terzetto's X-Synth"
METHODS = (ENVELOPE, MOSAIC, OURS)
"""The house's own, beside what is trained here."""
MODEL = f"timbre_instruments:{INSTRUMENT}"


@dataclass
class Bank:
    """What converts, by name; the autoencoders among it; and what each training took (processor time)."""

    converts: dict[str, Convert] = field(default_factory=dict)
    learned: dict[str, Learned] = field(default_factory=dict)
    trained: dict[str, dict[str, Any]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def those(self, names: Sequence[str]) -> dict[str, Convert]:
        """Return those of some names that are there."""
        return {name: self.converts[name] for name in names if name in self.converts}


def train_all(material: Material, out: Path, epochs: int, seed: int, tell: Tell) -> Bank:
    """Train every network of the experiments but the ten classes of the notes, and open the house's methods."""
    bank = Bank()
    recording = parted(material.recording)
    for data, name in ((recording, RECORDING), (by_split(material, INSTRUMENT), CLASS)):
        for kind in KINDS:
            title = f"{'X-Synth' if kind == X_SYNTH else kind.name}, {name}"
            add_autoencoder(bank, title, data, kind, out, epochs, seed, tell)
    add_autoencoder(bank, INSIDE, recording, X_SYNTH, out, epochs, seed, tell, around=False)
    began = time.process_time()
    network, history = ddsp.learn(*recording, epochs=epochs, seed=seed, kept=_file(out, RIVAL, recording, epochs, seed))
    bank.converts[RIVAL], bank.trained[RIVAL] = _player(network), _told(history, began)
    tell(f"{RIVAL}: {len(history.loss)} epochs, loss {-history.best:.2f} on what is held out")
    _open_methods(bank, material, out)
    return bank


def add_autoencoder(
    bank: Bank,
    title: str,
    data: tuple[list[Float], list[Float]],
    kind: Kind,
    out: Path,
    epochs: int,
    seed: int,
    tell: Tell,
    *,
    around: bool = True,
) -> Learned:
    """Train one autoencoder and put it into the bank."""
    began = time.process_time()
    learned = learn(*data, kind, around=around, epochs=epochs, seed=seed, kept=_file(out, title, data, epochs, seed))
    bank.learned[title], bank.converts[title] = learned, through(learned)
    history = learned.history
    bank.trained[title] = _told(history, began)
    tell(f"{title}: {len(history.loss)} epochs, squared error {-history.best:.3f} on what is held out")
    return learned


def by_split(material: Material, instrument: str) -> tuple[list[Float], list[Float]]:
    """Return the sounds of a class that are learned from, and those that are validated on."""
    class_ = material.classes[instrument]
    return [e.audio for e in class_ if e.split == "train"], [e.audio for e in class_ if e.split == "validation"]


def _told(history: History, began: float) -> dict[str, Any]:
    """Return what is told of a training; seconds of processor time, as other things may run beside it."""
    seconds = time.process_time() - began
    return {"epochs": len(history.loss), "seconds": seconds, "validation": history.validation}


def _player(network: ddsp.HarmonicNoise) -> Callable[[Float], Float]:
    return lambda audio: ddsp.convert(network, audio)


def _open_methods(bank: Bank, material: Material, out: Path) -> None:
    """Add the house's methods; what is not installed is said in the page."""
    import soundfile

    target = out / "audio" / "recording.wav"
    target.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(target, material.recording, SAMPLE_RATE)
    for name in METHODS:
        convert = by_method("xsynth", MODEL) if name == OURS else by_method(name, str(target))
        try:
            convert(material.voice[: SAMPLE_RATE // 4])
        except (InputError, ModelError) as error:
            bank.missing[name] = str(error)
            continue
        bank.converts[name] = convert


def _file(out: Path, title: str, data: tuple[list[Float], list[Float]], epochs: int, seed: int) -> Path:
    """Return where a network is kept: under a name that another length, seed or recording does not share."""
    told = hashlib.sha256(f"{epochs} {seed}".encode())
    for sound in (*data[0], *data[1]):
        told.update(sound.tobytes())
    stem = title.replace(", ", "-").replace(" ", "_").replace("+", "and")
    return out / "networks" / f"{stem}-{told.hexdigest()[:8]}.pt"
