"""``terzetto evaluate live``: the live processor measured beside the offline methods."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import soundfile

from terzetto.cli import main
from terzetto.score.midi import write_midi

if TYPE_CHECKING:
    from conftest import PianoTake


def test_every_way_is_measured(
    tmp_path: Path, make_piano: Callable[..., PianoTake], capsys: pytest.CaptureFixture[str]
) -> None:
    take = make_piano(4.0)
    for hand, audio in (("lh", take.left), ("rh", take.right)):
        soundfile.write(str(tmp_path / f"a.{hand}.flac"), audio, take.sample_rate, subtype="PCM_24")
    write_midi(take.score, tmp_path / "a.mid")
    command = ["evaluate", "live", str(tmp_path), "--windows", "long,short"]
    assert main([*command, "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert results["takes"] == ["a"]
    assert results["latency"] == {"long": pytest.approx(185.8, abs=0.1), "short": pytest.approx(46.4, abs=0.5)}
    assert set(results["results"]) == {"nae", "nmf", "long", "short", "score alone"}
    assert set(results["second_half"]) == {*results["results"], "unheard"}
    for hand in ("left_hand", "right_hand"):
        whole = {name: summary[hand]["mean"] for name, summary in results["results"].items()}
        assert whole["long"] > whole["nae"] - 0.5 and whole["long"] > whole["nmf"] - 1.0
    assert main(command) == 0
    text = capsys.readouterr().out
    assert "live, long window, 186 ms" in text and "live, learned on the first half" in text
    assert main(["evaluate", "live", str(tmp_path), "--windows", "wide"]) == 2
    assert "windows wide are not known; valid: some of long,medium,short" in capsys.readouterr().err.replace("'", "")
