"""MusicXML and kern: staves, ties, grace notes, tempi, repeats, and files that are no sheets."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

from terzetto.errors import InputError, TerzettoWarning
from terzetto.hands.project import load_score
from terzetto.score.notes import LEFT, RIGHT, Score
from terzetto.score.read import read_score
from terzetto.score.sheet import read_sheet


def xml_note(step: str, octave: int, length: int, staff: int = 1, extra: str = "", chord: bool = False) -> str:
    grace = "<grace/>" if length == 0 else ""
    duration = "" if length == 0 else f"<duration>{length}</duration>"
    return (
        f"<note>{grace}{'<chord/>' if chord else ''}<pitch><step>{step}</step><octave>{octave}</octave></pitch>"
        f"{duration}{extra}<voice>{staff}</voice><staff>{staff}</staff></note>"
    )


def xml(*bars: str, staves: int = 2, parts: int = 1) -> str:
    """A sheet with two divisions to a quarter, 4/4, 60 quarters a minute."""
    head = (
        f"<attributes><divisions>2</divisions><time><beats>4</beats><beat-type>4</beat-type></time>"
        f"<staves>{staves}</staves></attributes><direction><direction-type><metronome><beat-unit>quarter</beat-unit>"
        f'<per-minute>60</per-minute></metronome></direction-type><sound tempo="60"/></direction>'
    )
    measures = "".join(
        f'<measure number="{number}">{head if number == 1 else ""}{bar}</measure>' for number, bar in enumerate(bars, 1)
    )
    names = "".join(f'<score-part id="P{p}"><part-name>Part {p}</part-name></score-part>' for p in range(1, parts + 1))
    music = "".join(f'<part id="P{p}">{measures}</part>' for p in range(1, parts + 1))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><score-partwise version="4.0"><part-list>{names}</part-list>{music}'
        "</score-partwise>"
    )


BACK = "<backup><duration>8</duration></backup>"
END = '<barline location="right"><repeat direction="backward"/></barline>'
FIRST = xml_note("C", 5, 4) + xml_note("E", 5, 4, extra='<tie type="start"/>') + BACK + xml_note("C", 3, 8, 2)
SECOND = (
    xml_note("E", 5, 2, extra='<tie type="stop"/>')
    + xml_note("A", 5, 0)
    + xml_note("G", 5, 6)
    + xml_note("B", 5, 6, chord=True)
    + BACK
    + xml_note("G", 3, 8, 2)
)
SHEET = xml(FIRST, SECOND + END, xml_note("C", 5, 8) + BACK + xml_note("C", 3, 8, 2))

KERN = """\
!!!COM: Nobody
**kern	**kern
*staff2	*staff1
*clefF4	*clefG2
*M4/4	*M4/4
*MM60	*MM60
=1	=1
2C 2E	[2cc
2G	4cc]
.	8ee
.	8ff
=2:|!	=2:|!
1C	8qdd
.	2cc
.	2ee
==	==
*-	*-
"""


def rows(score: Score, hand: int) -> list[tuple[float, float, int]]:
    keep = score.hand == hand
    columns = (score.onset[keep].round(3), score.offset[keep].round(3), score.pitch[keep])
    return [(float(a), float(b), int(p)) for a, b, p in zip(*columns, strict=True)]


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.fixture(autouse=True)
def _quiet_about_repeats() -> None:
    warnings.filterwarnings("ignore", ".*repeat signs.*", TerzettoWarning)


def test_staves_ties_grace_notes_and_tempo(tmp_path: Path) -> None:
    score = read_score(write(tmp_path, "a.musicxml", SHEET))
    assert rows(score, RIGHT) == [
        (0.0, 2.0, 72),
        (2.0, 5.0, 76),
        (4.93, 5.0, 81),
        (5.0, 8.0, 79),
        (5.0, 8.0, 83),
        (8.0, 12.0, 72),
    ]
    assert rows(score, LEFT) == [(0.0, 4.0, 48), (4.0, 8.0, 55), (8.0, 12.0, 48)]
    np.testing.assert_allclose(score.bars, [[0, 1], [4, 2], [8, 3]])
    assert not score.has_velocity and len(score.pedal) == 0


def test_repeats_are_passed_over_or_played(tmp_path: Path) -> None:
    path = write(tmp_path, "a.xml", SHEET)
    warnings.resetwarnings()
    with pytest.warns(TerzettoWarning, match="repeat signs; they are passed over"):
        once = read_score(path)
    played = read_score(path, repeats=True)
    assert len(once) == 9 and len(played) == 16 and played.end == pytest.approx(20.0)
    assert played.bars[:, 1].tolist() == [1, 2, 1, 2, 3]
    with pytest.raises(InputError, match="only sheets"):
        read_score(write(tmp_path, "a.csv", "Start;Duration;Pitch\n0;1;60\n"), repeats=True, need_hands=False)


def test_compressed_musicxml(tmp_path: Path) -> None:
    path = tmp_path / "a.mxl"
    with zipfile.ZipFile(path, "w") as archive:
        root = '<container><rootfiles><rootfile full-path="music/b.xml"/></rootfiles></container>'
        archive.writestr("META-INF/container.xml", root)
        archive.writestr("music/b.xml", SHEET)
    assert rows(read_score(path), LEFT) == rows(read_score(write(tmp_path, "a.musicxml", SHEET)), LEFT)
    assert load_score(str(path))[0].has_hands


def test_kern(tmp_path: Path) -> None:
    score = read_score(write(tmp_path, "a.krn", KERN))
    assert rows(score, LEFT) == [(0.0, 2.0, 48), (0.0, 2.0, 52), (2.0, 4.0, 55), (4.0, 8.0, 48)]
    assert rows(score, RIGHT) == [
        (0.0, 3.0, 72),
        (3.0, 3.5, 76),
        (3.5, 4.0, 77),
        (3.93, 4.0, 74),
        (4.0, 6.0, 72),
        (6.0, 8.0, 76),
    ]
    assert read_score(tmp_path / "a.krn", repeats=True).end == pytest.approx(12.0)


def test_other_numbers_of_staves_are_parts_like_any_others(tmp_path: Path) -> None:
    bar = xml_note("C", 5, 4) + xml_note("D", 5, 4)
    one = write(tmp_path, "one.musicxml", xml(bar, staves=1))
    with pytest.warns(TerzettoWarning) as caught:
        assert read_score(one).has_hands
    assert "one part only" in str(caught[0].message)
    assert read_score(one, split_pitch=73).has_hands
    three = write(tmp_path, "three.musicxml", xml(bar, staves=1, parts=3))
    with pytest.warns(TerzettoWarning) as caught:
        assert read_score(three).has_hands
    assert "3 parts (1 'Part 1'" in str(caught[0].message)
    assert len(read_score(three, left_track="Part 3", right_track=2)) == 4


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.musicxml", b"", "is empty"),
        ("a.musicxml", b"\x00\x01\x02", "damaged or cut short"),
        ("a.musicxml", SHEET[:700].encode(), "damaged or cut short"),
        ("a.xml", b"<svg><path/></svg>", "its root is <svg>"),
        ("a.xml", b"<score-timewise/>", "score-partwise"),
        ("a.xml", b"<score-partwise><part-list/></score-partwise>", "no notes|damaged"),
        ("a.musicxml", xml("<note><rest/><duration>8</duration></note>").encode(), "no notes"),
        ("a.mxl", b"PK\x03\x04 and no more", "compressed MusicXML is damaged"),
        ("a.krn", b"**text\nla\n*-\n", "no \\*\\*kern spine"),
        ("a.krn", KERN[:90].encode(), "cut short"),
        ("a.krn", b"**kern\n=1\n*-\n", "no notes|damaged"),
    ],
)
def test_what_is_no_sheet_is_one_line(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = write(tmp_path, name, content)
    with pytest.raises(InputError, match=message) as refused:
        read_sheet(path)
    assert "\n" not in str(refused.value) and path.name in str(refused.value)
