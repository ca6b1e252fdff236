"""``terzetto process`` and ``terzetto chain``: the same samples as the chain itself, files whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from terzetto.audio.files import read_audio
from terzetto.cli import main
from terzetto_host.chain import Chain
from tests.host.conftest import Float, noise

CHAIN = """\
[[stage]]
plugin = "Compressor"
threshold_db = -30.0
ratio = 4.0

[[stage]]
plugin = "BrickwallLimiter"

[[stage]]
plugin = "Resample"
target_sample_rate = 22050.0
"""


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    path = tmp_path / "chain.toml"
    path.write_text(CHAIN)
    return path


def take(folder: Path, name: str = "take.wav", channels: int = 2, frames: int = 30_001, seed: int = 0) -> Float:
    sound = noise(channels, frames, seed)
    soundfile.write(folder / name, sound.T, 44100, "FLOAT")
    return sound


@pytest.mark.parametrize("channels", [1, 2])
def test_it_gives_the_chains_own_samples_without_its_latency(
    tmp_path: Path, chain: Path, channels: int, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = take(tmp_path, channels=channels)
    assert main(["process", str(chain), str(tmp_path / "take.wav"), "-o", str(tmp_path / "out"), "--json"]) == 0
    (done,) = json.loads(capsys.readouterr().out)["done"]
    heard, rate = read_audio(done["out"])
    assert rate == 44100 and heard.shape == sound.shape
    direct = Chain.from_file(chain)
    direct.prepare(44100, channels, 512)
    assert done["latency"] == direct.latency > 220 and done["stages"] == ["compressor", "brickwall_limiter", "resample"]
    padded = np.pad(sound, ((0, 0), (0, direct.latency + -(sound.shape[1] + direct.latency) % 512)))
    blocks = [direct.process(padded[:, at : at + 512].copy()) for at in range(0, padded.shape[1], 512)]
    assert np.array_equal(heard, np.concatenate(blocks, axis=1)[:, direct.latency :][:, : sound.shape[1]])


def test_several_files_and_formats(tmp_path: Path, chain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(2):
        take(tmp_path, f"{number}.wav", seed=number)
    (tmp_path / "bad.wav").write_text("no sound")
    files = [str(tmp_path / name) for name in ("0.wav", "bad.wav", "1.wav")]
    out = tmp_path / "out"
    assert main(["process", str(chain), *files, "-o", str(out), "--flac", "--filename", "{track}/wet.{ext}"]) == 1
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 2 and "bad.wav" in captured.err
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*")) == [
        *("0/wet.flac", "1/wet.flac", "manifest.jsonl", "summary.csv")
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--filename", "{stem}.wav"], "unknown field {stem}"),
        (["--filename", "{track}.mp3"], "must end in"),
        (["--score", "{track}.mid"], 'plugin = "hands"'),
        (["--flac", "--filename", "take.wav"], "must end in"),
    ],
)
def test_options_that_make_no_sense_are_explained(
    tmp_path: Path, chain: Path, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    take(tmp_path)
    assert main(["process", str(chain), str(tmp_path / "take.wav"), "-o", str(tmp_path / "out"), *options]) == 2
    assert message in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_a_bad_chain_and_a_result_in_place_of_its_take_are_refused(
    tmp_path: Path, chain: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    take(tmp_path)
    before = (tmp_path / "take.wav").read_bytes()
    assert main(["process", str(chain), str(tmp_path / "take.wav"), "-o", str(tmp_path)]) == 2
    assert "would replace the take" in capsys.readouterr().err
    assert (tmp_path / "take.wav").read_bytes() == before
    chain.write_text("[[stage]]\nplugin = 'PitchShaft'\n")
    assert main(["process", str(chain), str(tmp_path / "take.wav"), "-o", str(tmp_path / "out")]) == 2
    assert "chain.toml:2: there is no plugin 'PitchShaft'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_chains_are_checked_and_shown(chain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chain", "check", str(chain)]) == 0
    assert capsys.readouterr().out == ""
    assert main(["chain", "show", str(chain), "--json", "--sample-rate", "44100"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["stages"][0]["parameters"]["/terzetto/chain/compressor/ratio"] == 4.0
    assert shown["latency"] == sum(stage["latency"] for stage in shown["stages"])
    assert main(["chain", "show", str(chain)]) == 0
    assert "brickwall_limiter: BrickwallLimiter, 240 frames (5.0 ms) later" in capsys.readouterr().out
    chain.write_text("[[stage]]\nplugin = 'MP3Compressor'\n")
    assert main(["chain", "check", str(chain), "--sample-rate", "96000"]) == 2
    assert "does not take 2 channels at 96000 Hz" in capsys.readouterr().err
