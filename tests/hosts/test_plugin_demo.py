"""`terzetto plugins demo`: the plugin, loaded in pedalboard, plays the excerpt through its engine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from terzetto.audio.files import read_audio
from terzetto.demo.run import EXCERPT, excerpt
from terzetto_host.plugin_demo import RENDERS
from tests.hosts.place import Place


def test_the_demo_plays_the_excerpt_through_plugin_and_engine(place: Place, tmp_path: Path) -> None:
    out = tmp_path / "demo"
    done = subprocess.run(
        [sys.executable, "-m", "terzetto", "plugins", "demo", "-o", str(out), "--json"],
        env=place.environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert set(result["files"]) == set(RENDERS) and result["unchanged"] == 0.0
    assert result["si_sdr"]["left_hand"] > 15.0 and result["si_sdr"]["right_hand"] > 12.0
    with excerpt() as folder:
        take, rate = read_audio(folder / f"{EXCERPT}.flac")
    for path in result["files"].values():
        audio, its_rate = read_audio(path)
        assert its_rate == rate and audio.shape == (2, take.shape[1])
        assert 0.01 < np.abs(audio).max() <= 1.0
