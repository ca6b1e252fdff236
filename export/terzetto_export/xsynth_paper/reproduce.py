"""From the recordings to the slides' pictures and numbers: all is trained, put to use, and written as one page."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from terzetto.errors import InputError
from terzetto.whole_file import write_whole
from terzetto_export.card import commit, data_hash, machine
from terzetto_export.xsynth_paper import note_loss, pitch_cases, singers, sound_cases
from terzetto_export.xsynth_paper.networks import Bank, train_all
from terzetto_export.xsynth_paper.sounds import Tell, read_material


@dataclass(frozen=True)
class Plan:
    """What is made and for how long.

    Attributes
    ----------
    data, out : Path
        The folder ``instruments``; where pictures, sounds and numbers go, and the networks, from which a run that was
        interrupted goes on.
    minutes : float
        Of training for each of the nine networks of the first experiments.
    note_minutes : float
        For each of the ten classes of the notes; 0 leaves these out.
    image_steps : int
        Of image style transfer; 0 leaves it out.
    seed : int
    """

    data: Path
    out: Path
    minutes: float = 2.0
    note_minutes: float = 1.0
    image_steps: int = 100
    seed: int = 0


def reproduce(plan: Plan, tell: Tell) -> str:
    """Train, measure, draw; write ``results.md`` and ``results.json``; return the page.

    Raises
    ------
    InputError
        Numbers that ask for nothing, or recordings that are not there.
    """
    if plan.minutes <= 0 or plan.note_minutes < 0 or plan.image_steps < 0:
        raise InputError(
            f"{plan.minutes:g} minutes a network, {plan.note_minutes:g} a class, {plan.image_steps} steps: give more "
            "than 0 minutes a network, and no negative number"
        )
    material = read_material(plan.data, tell)
    plan.out.mkdir(parents=True, exist_ok=True)
    bank = train_all(material, plan.out, plan.minutes, plan.seed, tell)
    sections = [
        singers.reconstruction(material, bank, plan.out),
        singers.singing(material, bank, plan.out, tell, image_steps=plan.image_steps, seed=plan.seed),
        pitch_cases.range_limit(material, bank, plan.out),
        pitch_cases.movement(bank, plan.out),
        sound_cases.averaged(material, bank),
        sound_cases.chords(material, bank),
        sound_cases.unpitched(bank),
        sound_cases.energy(material, bank, plan.out),
    ]
    if plan.note_minutes:
        note_loss.train_classes(material, bank, plan.out, plan.note_minutes, plan.seed, tell)
        sections.append(note_loss.lost(material, bank, plan.out, plan.seed, tell))
    sections.append(sound_cases.bandwidths(material, bank))
    results: OrderedDict[str, Any] = OrderedDict(
        seed=plan.seed,
        minutes=plan.minutes,
        note_minutes=plan.note_minutes,
        image_steps=plan.image_steps,
        data=data_hash(sorted(plan.data.rglob("*.flac")) + sorted(plan.data.rglob("*.mp3"))),
        commit=commit(),
        machine=machine(),
        missing=bank.missing,
        trained={name: {k: v for k, v in each.items() if k != "validation"} for name, each in bank.trained.items()},
        experiments={section.title: section.numbers for section in sections},
    )
    page = "\n".join([_head(plan, bank), *(section.text() for section in sections)])
    for name, text in (("results.json", json.dumps(results, indent=2) + "\n"), ("results.md", page)):
        write_whole(plan.out / name, partial(_write, text))
    return f"{page}\npictures, sounds, results.md and results.json in {plan.out}"


def _head(plan: Plan, bank: Bank) -> str:
    lines = [
        "# X-Synth, as in Cella's slides",
        "",
        f"{plan.minutes:g} minutes a network, {plan.note_minutes:g} for each class of the notes, seed {plan.seed}; on "
        f"{machine()}.",
        "",
    ]
    lines += [f"Left out: {name} ({why})" for name, why in bank.missing.items()]
    return "\n".join(lines + ([""] if bank.missing else []))


def _write(text: str, file: BinaryIO) -> None:
    file.write(text.encode())
