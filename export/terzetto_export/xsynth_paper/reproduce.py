"""From the recordings to the slides' pictures and numbers: all is trained, put to use, and written as one page."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terzetto.errors import InputError
from terzetto.whole_file import write_whole
from terzetto_export.card import commit, data_hash, machine
from terzetto_export.xsynth_paper import note_loss, pitch_cases, singers, sound_cases
from terzetto_export.xsynth_paper.networks import Bank, train_all
from terzetto_export.xsynth_paper.sounds import Tell, read_material
from terzetto_export.xsynth_paper.tables import Section


@dataclass(frozen=True)
class Plan:
    """What is made and for how long.

    Attributes
    ----------
    data, out : Path
        The folder ``instruments``; where pictures, sounds and numbers go, and the networks, from which a run that was
        interrupted goes on.
    epochs : int
        Of training for each of the eight networks of the first experiments.
    note_epochs : int
        For each of the ten classes of the notes; 0 leaves these out.
    image_steps : int
        Of image style transfer; 0 leaves it out.
    phrases : int
        Of singers that are put in; FV1 is always the first.
    seed : int
    """

    data: Path
    out: Path
    epochs: int = 20
    note_epochs: int = 10
    image_steps: int = 100
    phrases: int = 6
    seed: int = 0


def reproduce(plan: Plan, tell: Tell) -> str:
    """Train, measure, draw; write ``results.md`` and ``results.json``; return the page.

    Raises
    ------
    InputError
        Numbers that ask for nothing, or recordings that are not there.
    """
    if plan.epochs < 1 or min(plan.note_epochs, plan.image_steps) < 0 or plan.phrases < 1:
        raise InputError(
            f"{plan.epochs} epochs a network, {plan.note_epochs} a class, {plan.image_steps} steps, {plan.phrases} "
            "phrases: give at least 1 epoch a network and 1 phrase, and no negative number"
        )
    material = read_material(plan.data, plan.phrases, tell)
    plan.out.mkdir(parents=True, exist_ok=True)
    bank = train_all(material, plan.out, plan.epochs, plan.seed, tell)
    out, seed = plan.out, plan.seed
    experiments: list[Callable[[], Section]] = [
        lambda: singers.reconstruction(material, bank, out),
        lambda: singers.singing(material, bank, out, tell, image_steps=plan.image_steps, seed=seed),
        lambda: pitch_cases.range_limit(material, bank, out),
        lambda: pitch_cases.movement(bank, out),
        lambda: sound_cases.averaged(material, bank),
        lambda: sound_cases.chords(material, bank),
        lambda: sound_cases.unpitched(bank),
        lambda: sound_cases.energy(material, bank, out),
    ]
    if plan.note_epochs:
        experiments.append(lambda: note_loss.lost(material, bank, out, plan.note_epochs, seed, tell))
    experiments.append(lambda: sound_cases.bandwidths(material, bank))
    found = data_hash(sorted(plan.data.rglob("*.flac")) + sorted(plan.data.rglob("*.mp3")))
    sections: list[Section] = []
    for experiment in experiments:
        sections.append(experiment())
        tell(sections[-1].text())
        _write(plan, bank, sections, found)
    return f"{_page(plan, bank, sections)}\npictures, sounds, results.md and results.json in {plan.out}"


def _write(plan: Plan, bank: Bank, sections: list[Section], found: str) -> None:
    """Write what is known so far."""
    results: OrderedDict[str, Any] = OrderedDict(
        seed=plan.seed,
        epochs=plan.epochs,
        note_epochs=plan.note_epochs,
        image_steps=plan.image_steps,
        phrases=plan.phrases,
        data=found,
        commit=commit(),
        machine=machine(),
        missing=bank.missing,
        trained={name: {k: v for k, v in each.items() if k != "validation"} for name, each in bank.trained.items()},
        experiments={section.title: section.numbers for section in sections},
    )
    _write_text(plan.out / "results.json", json.dumps(results, indent=2) + "\n")
    _write_text(plan.out / "results.md", _page(plan, bank, sections))


def _write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    write_whole(path, lambda file: file.write(text.encode()))


def _page(plan: Plan, bank: Bank, sections: list[Section]) -> str:
    return "\n".join([_head(plan, bank), *(section.text() for section in sections)])


def _head(plan: Plan, bank: Bank) -> str:
    lines = [
        "# X-Synth, as in Cella's slides",
        "",
        f"{plan.epochs} epochs a network, {plan.note_epochs} for each class of the notes, seed {plan.seed}; on "
        f"{machine()}.",
        "",
    ]
    lines += [f"Left out: {name} ({why})" for name, why in bank.missing.items()]
    return "\n".join(lines + ([""] if bank.missing else []))
