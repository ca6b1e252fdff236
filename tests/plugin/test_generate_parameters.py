"""The parameter table as C++: what is wrong in the table is said where it stands, and what is right compiles."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "engine/terzetto/control/parameters.toml"
CORE = ROOT / "native/plugin/core"
GAIN = """
[instrument.hands]
title = "Hands"
description = "One sentence."
[[instrument.hands.parameter]]
name = "gain"
title = "Gain"
type = "float"
unit = "dB"
range = [-60.0, 12.0]
default = 0.0
description = "Says \\"so\\", 5 µs ??="
"""


def generate(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "table.toml").write_text(text, encoding="utf-8")
    program = ROOT / "native/plugin/generate_parameters.py"
    return subprocess.run(
        [sys.executable, str(program), str(folder / "table.toml"), str(folder / "parameter_tables.hpp")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "gain"', 'name = "Gain"', "lower case"),
        ('type = "float"', 'type = "knob"', "valid are bool, choice, float, trigger"),
        ("range = [-60.0, 12.0]", "range = [12.0, -60.0]", "smaller"),
        ("range = [-60.0, 12.0]", "", "[lowest, highest]"),
        ("default = 0.0", "default = 13.0", "-60 to 12"),
        ("default = 0.0", "default = true", "-60 to 12"),
        ("default = 0.0", "default = 0.0\ncolour = 3", "unknown key 'colour'"),
        ('title = "Gain"', "", "title is missing"),
        ('type = "float"', 'type = "choice"', "a choice has no range"),
        ("default = 0.0", "default = 0.0\nmeter = 1", "true or false"),
        ("[instrument.hands]", "[instrument.hands", "parameter"),
    ],
)
def test_a_wrong_table_is_refused(old: str, new: str, said: str, tmp_path: Path) -> None:
    done = generate(GAIN.replace(old, new, 1), tmp_path)
    if said == "parameter":  # no TOML at all
        said = "table.toml"
    assert done.returncode == 1 and said in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "parameter_tables.hpp").exists()


def test_a_name_that_is_there_twice(tmp_path: Path) -> None:
    twice = GAIN + GAIN[GAIN.index("[[instrument") :].replace("instrument.hands", "shared")
    assert "'gain' is there twice" in generate(twice, tmp_path).stderr


@pytest.mark.parametrize("text", [GAIN, TABLE.read_text(encoding="utf-8")], ids=["small", "shipped"])
def test_what_is_right_compiles(text: str, tmp_path: Path) -> None:
    compiler = shutil.which("c++")
    if compiler is None:
        pytest.skip("no C++ compiler on PATH")
    assert generate(text, tmp_path).returncode == 0
    source = tmp_path / "table.cpp"
    source.write_text(
        '#include "parameter_tables.hpp"\n'
        "static_assert(terzetto::plugin::tables::hands_parameters[0].lowest == -60.0f);\n"
    )
    done = subprocess.run(
        [compiler, "-std=c++17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{CORE}", str(source)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
