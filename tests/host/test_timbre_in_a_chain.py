"""Timbre as the host drives it over files: the samples of ``terzetto morph``, and what a chain file gets wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from terzetto.audio.files import read_audio
from terzetto.cli import main
from terzetto_host.process import Job
from tests.host.conftest import noise

RATE = 22050


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A take of noise, a chain that makes a mosaic of it, and beside the chain two targets, each of a tone."""
    (tmp_path / "chains").mkdir()
    soundfile.write(tmp_path / "take.wav", noise(2, RATE, 1).T, RATE, "FLOAT")
    write_tone(tmp_path / "chains" / "target.wav", 220.0)
    write_tone(tmp_path / "chains" / "other.wav", 500.0)
    return tmp_path


def write_tone(path: Path, frequency: float) -> None:
    time = np.arange(RATE) / RATE
    soundfile.write(path, 0.2 * np.sin(2 * np.pi * frequency * time) * np.exp(-time), RATE, "FLOAT")


def write_chain(folder: Path, settings: str) -> Path:
    path = folder / "chains" / "chain.toml"
    path.write_text(f'[[stage]]\nplugin = "timbre"\n{settings}\n')
    return path


def test_files_get_the_samples_of_terzetto_morph(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # What is found beside the chain file is meant, in whichever order it is said.
    settings = 'other = "other.wav"\namount = 0.8\nbalance = 0.25\nmethod = "mosaic"\ntarget = "target.wav"'
    chain, take = write_chain(folder, settings), folder / "take.wav"
    assert main(["process", str(chain), str(take), "-o", str(folder / "out")]) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("terzetto: ")]
    assert len(said) == 1 and said[0].endswith("A mosaic of target.wav, balanced with other.wav.")
    targets = [argument for name in ("target", "other") for argument in ("--to", str(chain.parent / f"{name}.wav"))]
    options = ["--method", "mosaic", "--amount", "0.8", "--balance", "0.25", "-o", str(folder / "morphed.wav")]
    assert main(["morph", str(take), *targets, *options]) == 0
    made = read_audio(folder / "out" / "take.wav")[0]
    np.testing.assert_array_equal(made, read_audio(folder / "morphed.wav")[0])
    assert not np.allclose(made, read_audio(take)[0], atol=1e-3)


def test_a_model_plays_files_too(folder: Path) -> None:
    chain, take = write_chain(folder, 'instrument = "cello"'), folder / "take.wav"
    assert main(["process", str(chain), str(take), "-o", str(folder / "out")]) == 0
    assert main(["morph", str(take), "--to", "timbre_instruments:cello", "-o", str(folder / "morphed.wav")]) == 0
    made, expected = read_audio(folder / "out" / "take.wav")[0], read_audio(folder / "morphed.wav")[0]
    np.testing.assert_allclose(made, expected, atol=1e-4)


def test_a_method_that_is_written_holds_wherever_it_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ['method = "mosaic"', 'target = "target.wav"', 'model = "timbre_instruments"']
    for out, settings in (("out", lines), ("again", lines[::-1])):
        chain = write_chain(folder, "\n".join(settings))
        assert main(["process", str(chain), str(folder / "take.wav"), "-o", str(folder / out)]) == 0
        assert "A mosaic of target.wav." in capsys.readouterr().err


def test_another_target_is_another_result(folder: Path) -> None:
    chain = write_chain(folder, 'target = "target.wav"')
    before = Job(chain).identity()
    assert Job(chain).identity() == before
    write_tone(folder / "chains" / "target.wav", 221.0)
    assert Job(chain).identity() != before


@pytest.mark.parametrize(
    ("settings", "line", "reason"),
    [
        ('amount = 0.5\ntarget = "gone.wav"', 4, "gone.wav: no such file"),
        ('target = "short.wav"', 3, "too short to take a timbre from"),
        ('target = "target.wav"\nother = "silent.wav"', 3, "silent.wav: is silent"),
        ('method = "envelope"', 3, 'envelope takes the timbre of a recording: write target = "its path"'),
        ('model = "drum_sounds"', 3, "this is a model for 'drum-sounds'; needed is one for 'timbre'"),
        ('model = "gone.onnx"', 3, "gone.onnx: no such model"),
        ('target = "target.wav"\ninstrument = "cello"', 3, "there is no instrument 'cello'; valid: none"),
        ("amount = 2.0", 3, "amount is a number from 0 to 1"),
        ("targets = 1", 3, "timbre has no 'targets'; valid: amount, "),
    ],
)
def test_what_cannot_be_played_is_an_error_with_its_line(
    settings: str, line: int, reason: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soundfile.write(folder / "chains" / "short.wav", np.ones(50), RATE)
    soundfile.write(folder / "chains" / "silent.wav", np.zeros(RATE), RATE)
    chain = write_chain(folder, settings)
    assert main(["process", str(chain), str(folder / "take.wav"), "-o", str(folder / "out")]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"{chain}:{line}: " in said and reason in said
    assert not (folder / "out").exists()
