from __future__ import annotations

import doctest

import pytest

from terzetto.drums.drum_map import CLASSES, NONE
from terzetto_export.drum_sounds import class_names
from terzetto_export.drum_sounds.class_names import class_of_name

NAMES = {
    "snare": ["Snare", "snares", "SD", "Snare Drum 02", "sn_dry"],
    "kick": ["Kick", "kicks", "BD", "bass drum", "Kick_808", "BassDrum"],
    "open hat": ["OpenHat", "open hats", "OH", "hh-open", "Hi-Hat (Open)", "Hihat Open 3", "HHO"],
    "closed hat": ["ClosedHat", "Hats", "HH", "hi-hat", "hihats closed", "CHH"],
    "cymbal": ["Cymbals", "Crash", "ride", "CY", "Splash 2"],
    "clap": ["Claps", "CP", "hand clap", "HandClap-Hard"],
    "tom": ["Toms", "LT", "Floor Tom", "HiTom", "tom-tom"],
    "other": ["Percussion", "Perc", "FX", "Rim Shots", "snare rimshot", "Cowbells", "CongaHi"],
}


@pytest.mark.parametrize(("name", "wanted"), [(name, wanted) for wanted, names in NAMES.items() for name in names])
def test_names_of_packs_and_machines(name: str, wanted: str) -> None:
    assert CLASSES[class_of_name(name)] == wanted


@pytest.mark.parametrize("name", ["", "My sounds", "Kick+Clap", "Bottom", "custom", "Chapter 1", "01", "Schlagzeug"])
def test_other_names_say_nothing(name: str) -> None:
    assert class_of_name(name) == NONE


def test_examples_in_the_documentation() -> None:
    assert doctest.testmod(class_names).failed == 0
