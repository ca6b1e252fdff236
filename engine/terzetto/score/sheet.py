"""Sheet music: MusicXML and Humdrum kern, parsed by music21, as a score that is played exactly as written.

Staves give the hands: of two staves the upper is the right hand's. Tied notes are one note, grace notes are short and
come before their beat, tempo marks count, ornaments are not written out. Repeat signs are passed over unless asked for.
"""

from __future__ import annotations

import contextlib
import io
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from terzetto.errors import InputError, TerzettoWarning
from terzetto.score.notes import LEFT, RIGHT, UNKNOWN, Score

Float = NDArray[np.float64]

XML_ENDINGS = (".musicxml", ".xml", ".mxl")
KERN_ENDINGS = (".krn", ".kern")
ENDINGS = (*XML_ENDINGS, *KERN_ENDINGS)

_GRACE = 0.07  # seconds
_TEMPO = 120.0  # quarters a minute where the sheet has no mark
_SHORTEST = 0.03
_EXPORT = "export it again as MusicXML (.musicxml or .mxl), or as MIDI"


@dataclass(frozen=True)
class _Note:
    onset: float  # in quarters
    end: float
    pitch: int
    staff: int
    graces: int  # for a grace note: how many come from it on until the beat, else 0


def read_sheet(path: Path, repeats: bool = False) -> Score:
    """Read a sheet; ``repeats``: play its repeats, endings, da capo and dal segno.

    Raises
    ------
    InputError
        Missing, empty, damaged, not a score in these formats, without notes, or with repeats that cannot be followed.
    """
    music = _parse(path)
    parts = [part for part in music.parts if _pitched(part)]
    if not parts:
        raise InputError(f"{path}: the sheet has no notes")
    notes = [note for staff, part in enumerate(parts) for note in _notes(part, staff)]
    clock = _Clock(music)
    bars = [(float(bar.offset), int(bar.number)) for bar in parts[0].getElementsByClass("Measure")]
    bars = bars or [(0.0, 1)]
    order = _order(parts[0], path, repeats)
    onset, offset, note_numbers, bar_table = _play(notes, clock, bars, order or list(range(len(bars))))
    pitch = np.array([notes[number].pitch for number in note_numbers])
    staff = np.array([notes[number].staff for number in note_numbers])
    first = min(float(onset.min()), 0.0)  # grace notes before the first beat
    hand = np.where(staff == 0, RIGHT, LEFT) if len(parts) == 2 else np.full(len(staff), UNKNOWN)
    if ((pitch < 0) | (pitch > 127)).any():
        raise InputError(f"{path}: the sheet has pitches that MIDI does not know; {_EXPORT}")
    return Score(
        onset - first,
        offset - first,
        pitch,
        np.full(len(pitch), 0.5),
        hand,
        staff,
        _names(parts),
        bars=bar_table - np.array([first, 0.0]),
    )


def _parse(path: Path) -> Any:
    """Return music21's stream of a file."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such score file") from None
    except OSError as error:
        raise InputError(f"{path}: not a readable score ({error.strerror or error})") from None
    if not content.strip():
        raise InputError(f"{path}: the score file is empty")
    kern = path.suffix.lower() in KERN_ENDINGS
    text = _kern_text(content, path) if kern else _xml_text(content, path)
    from music21 import converter

    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            music: Any = converter.parseData(text, format="humdrum" if kern else "musicxml")
        except Exception as error:  # music21 lets many kinds out
            reason = " ".join(str(error).split()) or type(error).__name__
            raise InputError(f"{path}: the sheet is damaged or not readable ({reason[:120]}); {_EXPORT}") from None
    if not music.hasPartLikeStreams():
        raise InputError(f"{path}: the sheet has no notes")
    if kern:
        _mark_repeats(music)
    return music


def _mark_repeats(music: Any) -> None:
    """Make repeat signs of what music21's kern parser leaves as dots at bar lines."""
    from music21 import bar

    for part in music.parts:
        measures = list(part.getElementsByClass("Measure"))
        for number, measure in enumerate(measures):
            dots = getattr(measure.rightBarline, "repeatDots", None)
            if dots in ("left", "both"):
                measure.rightBarline = bar.Repeat(direction="end")
            if dots in ("right", "both") and number + 1 < len(measures):
                measures[number + 1].leftBarline = bar.Repeat(direction="start")


def _kern_text(content: bytes, path: Path) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    if "**kern" not in text:
        raise InputError(f"{path}: not a Humdrum kern file (no **kern spine)")
    if not any(line.split("\t")[0].startswith("*-") for line in text.splitlines()[1:]):
        raise InputError(f"{path}: the kern file is cut short (its spines do not end in *-)")
    return text


def _xml_text(content: bytes, path: Path) -> str:
    """Return a partwise MusicXML document, taken out of its archive if need be."""
    if content[:2] == b"PK":
        content = _unpack(content, path)
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise InputError(f"{path}: the MusicXML is damaged or cut short ({error}); {_EXPORT}") from None
    if root.tag == "score-timewise":
        raise InputError(f"{path}: MusicXML by time (score-timewise) is not supported; save it as score-partwise")
    if root.tag != "score-partwise":
        raise InputError(f"{path}: not a MusicXML score: its root is <{root.tag}>, not <score-partwise>")
    return ElementTree.tostring(root, encoding="unicode")


def _unpack(content: bytes, path: Path) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            container = ElementTree.fromstring(archive.read("META-INF/container.xml"))
            name = next(e.get("full-path") for e in container.iter() if e.tag.rpartition("}")[2] == "rootfile")
            return archive.read(str(name))
    except Exception as error:  # of the archive, of what compresses it, of its table of contents
        reason = str(error) or "no score in it"
        raise InputError(f"{path}: the compressed MusicXML is damaged ({reason}); {_EXPORT}") from None


def _pitched(part: Any) -> bool:
    return any(hasattr(element, "pitches") and element.pitches for element in part.recurse().notes)


def _names(parts: Sequence[Any]) -> tuple[str, ...]:
    """Name the staves; of two, as the hands."""
    names = [str(part.partName or "").strip() for part in parts]
    if len(parts) == 2:
        return tuple(f"{name or 'staff'} ({place})" for name, place in zip(names, ("upper", "lower"), strict=True))
    return tuple(name or f"staff {number}" for number, name in enumerate(names, start=1))


def _notes(part: Any, staff: int) -> list[_Note]:
    """Return the notes of a staff, ties merged."""
    found: list[_Note] = []
    held: dict[int, tuple[int, float]] = {}  # pitch → the note that a tie holds, where it ends so far
    graces: dict[float, list[list[int]]] = {}
    for element in part.flatten().notes:
        if "Harmony" in element.classes or not getattr(element, "pitches", ()):
            continue
        onset = float(element.offset)
        if element.duration.isGrace:
            graces.setdefault(onset, []).append([int(pitch.midi) for pitch in element.pitches])
            continue
        end = onset + float(element.quarterLength)
        for note in getattr(element, "notes", (element,)):
            pitch = int(note.pitch.midi)
            tie = note.tie or element.tie
            number, reach = held.pop(pitch, (-1, 0.0))
            if tie is not None and tie.type in ("stop", "continue") and number >= 0 and abs(reach - onset) < 1e-3:
                found[number] = _Note(found[number].onset, end, pitch, staff, 0)
            else:
                number = len(found)
                found.append(_Note(onset, end, pitch, staff, 0))
            if tie is not None and tie.type in ("start", "continue"):
                held[pitch] = (number, end)
    for onset, groups in graces.items():
        for place, pitches in enumerate(groups):
            found += [_Note(onset, onset, pitch, staff, len(groups) - place) for pitch in pitches]
    return [note for note in found if note.end > note.onset or note.graces]


def _order(part: Any, path: Path, repeats: bool) -> list[int] | None:
    """Return the bars in the order in which they are played; None: as written."""
    from music21 import repeat

    expander: Any
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        signs = any(True for _ in part.recurse().getElementsByClass(repeat.RepeatMark))
        if not signs:
            return None
        if repeats:
            try:
                expander = repeat.Expander(part)
                order = [int(index) for index in expander.measureMap()] if expander.isExpandable() else []
            except Exception:  # music21 lets many kinds out
                order = []
            if not order:
                raise InputError(
                    f"{path}: the sheet's repeats do not make sense together; write them out in the sheet, or export "
                    "it as MIDI with its repeats played"
                )
            return order
    warnings.warn(
        f"{path}: the sheet has repeat signs; they are passed over (--repeats plays them)",
        TerzettoWarning,
        stacklevel=4,
    )
    return None


def _play(
    notes: Sequence[_Note], clock: _Clock, bars: Sequence[tuple[float, int]], order: Sequence[int]
) -> tuple[Float, Float, NDArray[np.int64], Float]:
    """Play the bars in an order: onsets and offsets in seconds, the notes' numbers, and the bars' times and numbers."""
    starts = np.array([start for start, _ in bars])
    last = max(max(note.end for note in notes), float(starts[-1]))
    edges = clock.seconds(np.append(starts, last))
    quarters = np.array([[note.onset, note.end] for note in notes])
    seconds = clock.seconds(quarters)
    graces = np.array([note.graces for note in notes])
    short = graces > 0
    seconds[short, 0] -= graces[short] * _GRACE
    seconds[short, 1] = seconds[short, 0] + _GRACE
    home = np.clip(np.searchsorted(starts, quarters[:, 0] + 1e-6, side="right") - 1, 0, len(bars) - 1)
    members = [np.flatnonzero(home == index) for index in range(len(bars))]
    now = 0.0
    times, numbers, table = [], [], []
    for index in order:
        table.append((now, bars[index][1]))
        times.append(seconds[members[index]] - edges[index] + now)
        numbers.append(members[index])
        now += float(edges[index + 1] - edges[index])
    played = np.concatenate(times)
    offset = np.maximum(played[:, 1], played[:, 0] + _SHORTEST)
    return played[:, 0], offset, np.concatenate(numbers), np.array(table, np.float64).reshape(-1, 2)


class _Clock:
    """Quarters to seconds under the sheet's tempo marks."""

    def __init__(self, music: Any) -> None:
        marks = {0.0: 60.0 / _TEMPO}
        for mark in music.flatten().getElementsByClass("MetronomeMark"):
            tempo = mark.getQuarterBPM()
            if tempo and 5 < tempo < 1000:
                marks[max(float(mark.offset), 0.0)] = 60.0 / float(tempo)
        self._places = np.array(sorted(marks))
        self._lengths = np.array([marks[place] for place in sorted(marks)])
        self._starts = np.concatenate([[0.0], np.cumsum(np.diff(self._places) * self._lengths[:-1])])

    def seconds(self, quarters: Float) -> Float:
        index = np.maximum(np.searchsorted(self._places, quarters, side="right") - 1, 0)
        return np.asarray(self._starts[index] + (quarters - self._places[index]) * self._lengths[index], np.float64)
