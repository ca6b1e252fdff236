"""The demo, end to end: what `terzetto demo` leaves in its folder."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from terzetto.audio.files import read_audio
from terzetto.cli import main
from terzetto.demo.run import AUDIO, EXCERPT, PAGE, excerpt, run_demo
from terzetto.errors import InputError, OutputError
from terzetto.evaluate import hands
from terzetto.score.read import read_score


class Links(HTMLParser):
    """Collects what a page refers to, and its pictures' and players' labels."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.players: list[dict[str, str | None]] = []
        self.pictures: list[dict[str, str | None]] = []
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.links += [value for name in ("href", "src") if (value := values.get(name))]
        if tag == "audio":
            self.players.append(values)
        if tag == "img":
            self.pictures.append(values)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """The command's folder and the object it printed."""
    out = tmp_path_factory.mktemp("demo") / "a" / "out"
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert main(["demo", "-o", str(out), "--json"]) == 0
    return out, json.loads(printed.getvalue())


def test_every_link_leads_to_a_file_of_the_folder(demo: tuple[Path, dict]) -> None:
    out, _ = demo
    page = Links(out / PAGE)
    local = {link for link in page.links if not link.startswith("https://creativecommons.org/")}
    linked = {(out / link).resolve() for link in local}
    assert linked | {(out / PAGE).resolve()} == {path.resolve() for path in out.rglob("*") if path.is_file()}


def test_every_player_and_picture_is_there_and_described(demo: tuple[Path, dict]) -> None:
    page = Links(demo[0] / PAGE)
    assert {player["src"] for player in page.players} == set(AUDIO.values())
    assert all(player.get("aria-label") for player in page.players)
    pictures = {picture["src"] for picture in page.pictures}
    assert pictures == {f"plots/{name}.png" for name in ("piano_roll", "decomposition", "hands", "loss")}
    assert all(picture.get("alt") for picture in page.pictures)


def test_the_page_shows_the_numbers_and_leaves_no_gap(demo: tuple[Path, dict]) -> None:
    out, result = demo
    text = (out / PAGE).read_text("utf-8")
    for scores in result["scores"].values():
        for value in scores.values():
            assert f"<td>{value:.2f}</td>" in text
    assert "$" not in text


def test_stems_sum_to_the_mix(demo: tuple[Path, dict]) -> None:
    out, result = demo
    mix, rate = read_audio(out / AUDIO["mix"])
    total = sum(read_audio(result["files"][name])[0] for name in ("left_hand", "right_hand", "residual"))
    assert rate == 44100.0
    np.testing.assert_allclose(total, mix, atol=4 / 2**23)  # each of the files is rounded to 24 bits


def test_mix_and_true_hands_are_the_shipped_ones(demo: tuple[Path, dict]) -> None:
    out, _ = demo
    with excerpt() as folder:
        for name, file in (("mix", ""), ("true_left_hand", ".lh"), ("true_right_hand", ".rh")):
            shipped = read_audio(folder / f"{EXCERPT}{file}.flac")[0]
            np.testing.assert_allclose(read_audio(out / AUDIO[name])[0], shipped, atol=1 / 2**23)


def test_numbers_are_those_of_the_written_files(demo: tuple[Path, dict]) -> None:
    out, result = demo
    (again,) = hands.evaluate(out / "true", out / "separated").values()
    assert result["scores"] == {hand: dict(scores) for hand, scores in again.items()}
    # Measured 25.6 and 17.9 dB; the plain mix has 7.6 and −7.6 dB.
    assert result["scores"]["left_hand"]["si_sdr"] > 22.0
    assert result["scores"]["right_hand"]["si_sdr"] > 15.0


def test_the_notes_are_those_one_hears() -> None:
    with excerpt() as folder:
        score, table = (read_score(folder / f"{EXCERPT}{ending}") for ending in (".mid", ".csv"))
        audio, rate = read_audio(folder / f"{EXCERPT}.rh.flac")
    # MIDI ticks round times, so chords may be sorted differently.
    by_midi, by_table = (np.lexsort((notes.onset, notes.pitch)) for notes in (score, table))
    np.testing.assert_array_equal(score.pitch[by_midi], table.pitch[by_table])
    np.testing.assert_array_equal(score.hand[by_midi], table.hand[by_table])
    np.testing.assert_allclose(score.onset[by_midi], table.onset[by_table], atol=0.002)
    for i in np.flatnonzero(score.hand == 1)[:6]:
        start = int((score.onset[i] + 0.08) * rate)
        sound = audio[0, start : start + int(0.25 * rate)]
        spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 16))
        heard = 69 + 12 * np.log2(spectrum.argmax() * rate / (1 << 16) / 440.0)
        assert heard == pytest.approx(score.pitch[i], abs=0.3)


def test_an_earlier_demo_is_replaced_and_a_table_printed(
    demo: tuple[Path, dict], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    shutil.copytree(demo[0], out)
    files = sorted(out.rglob("*"))
    assert main(["demo", "-o", str(out), "--method", "nae"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "SI-SDR" in lines[0] and "left_hand" in lines[1] and "right_hand" in lines[2]
    assert lines[-1] == f"listen: {out / PAGE}"
    assert sorted(out.rglob("*")) == files
    assert "separated by NAE" in (out / PAGE).read_text("utf-8")


def test_a_file_in_place_of_the_folder_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").write_text("mine")
    assert main(["demo", "-o", str(tmp_path / "out")]) == 2
    output = capsys.readouterr()
    assert output.out == "" and output.err.count("\n") == 1 and "is a file, not a folder" in output.err
    assert [path.name for path in tmp_path.rglob("*")] == ["out"]
    assert (tmp_path / "out").read_text() == "mine"


def test_other_files_of_the_same_names_are_kept(tmp_path: Path) -> None:
    (tmp_path / "mix.flac").write_text("mine")
    with pytest.raises(OutputError, match=r"holds another mix\.flac"):
        run_demo(tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["mix.flac"]


def test_a_failing_run_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="method 'magic' is not installed"):
        run_demo(tmp_path / "a" / "out", "magic")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_leaves_nothing(tmp_path: Path) -> None:
    def stop(stage: str, fraction: float) -> None:
        if stage == "drawing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_demo(tmp_path / "out", progress=stop)
    assert list(tmp_path.iterdir()) == []
