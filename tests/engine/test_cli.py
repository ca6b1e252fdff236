"""The command itself: quick help, exit statuses, pipes, signals, and modules that stay out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from terzetto import __version__
from terzetto.cli import main

HEAVY = ("numpy", "scipy", "librosa", "pedalboard", "matplotlib", "numba", "onnxruntime", "soundfile", "tqdm", "mido")


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [["--help"], ["separate", "--help"], ["evaluate", "hands", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    done = python(
        "-c",
        "import sys; from terzetto.cli import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit as end: print(end.code)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])",
    )
    assert done.stderr == "" and done.stdout.splitlines()[-2:] == ["0", "[]"]
    assert done.stdout.startswith("usage: terzetto")


def test_importing_the_package_is_light_too() -> None:
    done = python("-c", f"import sys, terzetto; print([n for n in {HEAVY!r} if n in sys.modules], dir(terzetto))")
    assert done.stdout.startswith("[] ") and "separate_hands" in done.stdout
    assert python("-c", "import terzetto; terzetto.separate_hands, terzetto.read_score, terzetto.Score").returncode == 0
    assert "has no attribute 'nonsense'" in python("-c", "import terzetto; terzetto.nonsense").stderr


def test_the_package_runs_as_a_module() -> None:
    done = python("-m", "terzetto", "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"terzetto {__version__}\n", "")
    assert python("-m", "terzetto", "separate", "missing.wav", "--score", "a.mid").returncode == 2


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["separate"],
        ["separate", "a.wav", "--mask", "none"],
        ["separate", "a.wav", "--flac", "--int24"],
        ["separate", "a.wav", "--score", "a.mid", "--seed", "-1"],
        ["separate", "a.wav", "--score", "a.mid", "--split-pitch", "C4"],
        ["evaluate"],
        ["evaluate", "hands", "only one"],
        ["evaluate", "separation", "data", "--seed", "-1"],
    ],
)
def test_bad_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("usage: terzetto")


@pytest.mark.parametrize("arguments", ["--help", "evaluate hands {0} {0}"])
def test_a_reader_that_goes_away_is_no_error_of_ours(arguments: str, hands_folder: Callable[[], str]) -> None:
    words = [word.format(hands_folder()) for word in arguments.split()]
    process = subprocess.Popen(
        [sys.executable, "-m", "terzetto", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    # argparse itself forgives a pipe that is gone when Python does not buffer
    assert process.wait() in ((0, 2) if words == ["--help"] else (2,))


@pytest.fixture
def hands_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    def make() -> str:
        import numpy as np
        import soundfile

        folder = tmp_path_factory.mktemp("hands")
        for hand in ("left_hand", "right_hand"):
            soundfile.write(str(folder / f"{hand}.wav"), np.random.default_rng(len(hand)).random(4000), 4000)
        return str(folder)

    return make
