"""Chain files: TOML with a ``[[stage]]`` for each plugin that the sound goes through, in order.

::

    [[stage]]
    plugin = "hands"            # one of Terzetto's own
    score = "take.mid"          # what it understands: parameters and messages by name
    left_gain = -60.0

    [[stage]]
    plugin = "Compressor"       # one of pedalboard's, with pedalboard's own names
    threshold_db = -20.0

    [[stage]]
    vst3 = "/path/to/Some.vst3"
    preset = "some.vstpreset"   # loaded before the parameters are set
    name = "some"               # its part of the OSC address: /terzetto/chain/some/…

Paths are as seen from the folder of the file.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from terzetto.control.table import table
from terzetto.errors import ControlError, InputError
from terzetto.jobs import AUDIO, MIDI
from terzetto_host.pedalboard_stage import BUILT_IN, check_kind

PROCESSORS = "terzetto.processors"
_OWN_KEYS = ("plugin", "vst3", "name")
PATHS = ("score", "learned", "learn_file", "impulse_response_filename", "vst3", "preset")
"""A text under one of these names is a path; so are the messages of Terzetto's own that take one, see `is_path`."""
_FILES = (*AUDIO.endings, *MIDI.endings, ".onnx", ".toml")
_LARGEST = 1 << 20  # characters
_MOST = 32  # stages


@dataclass(frozen=True)
class StageSpec:
    """What a ``[[stage]]`` says.

    Attributes
    ----------
    name : str
        Its part of the OSC address; unique in the chain.
    kind : str
        An entry of ``terzetto.processors``, a pedalboard built-in, or a path if `external`.
    settings : dict
        Parameters by name; paths are absolute.
    external, own : bool
        A VST3; one of Terzetto's own.
    origin : str
        The file, for errors.
    lines : dict
        Its lines: of each setting by name, of the stage under "".
    """

    name: str
    kind: str
    settings: dict[str, Any] = field(default_factory=dict)
    external: bool = False
    own: bool = False
    origin: str = ""
    lines: dict[str, int] = field(default_factory=dict)

    def where(self, key: str = "") -> str:
        """Return file and line of a setting, or of the stage."""
        return f"{self.origin}:{self.lines.get(key, self.lines.get('', 1))}" if self.origin else self.name


@cache  # looking through all that is installed takes as long as half a second of sound
def own_processors() -> dict[str, Any]:
    """Return the entry points of Terzetto's own processors by name."""
    return {point.name: point for point in entry_points(group=PROCESSORS)}


def read(path: Path, *, whole_file: bool = False) -> tuple[str, list[StageSpec]]:
    """Read a chain file: its text and what it says; with ``whole_file``, stages that cannot stream are let in.

    Raises
    ------
    InputError
        Missing, not a text, or wrong; the message names file, line and what is valid.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{path}: is too large for a chain file; at most {_LARGEST} characters")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}); give a chain file (TOML)") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not a text in UTF-8; give a chain file (TOML)") from None
    return text, parse(text, str(path), path.resolve().parent, whole_file=whole_file)


def parse(text: str, origin: str = "chain", folder: Path | None = None, *, whole_file: bool = False) -> list[StageSpec]:
    """Read the text of a chain file; ``folder`` is where its relative paths begin.

    Raises
    ------
    InputError
        See `read`.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{origin}: not valid TOML: {error}") from None
    unknown = [key for key in content if key != "stage"]
    if unknown:
        line = _line_of(text.splitlines(), 0, unknown[0])
        raise InputError(f"{origin}:{line}: unknown entry {unknown[0]!r}; a chain file holds [[stage]] tables only")
    rows = content.get("stage", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{origin}: 'stage' is a list of tables: write [[stage]] for each plugin")
    if not rows:
        raise InputError(f'{origin}: has no [[stage]]; write one for each plugin, with plugin = "hands" for example')
    if len(rows) > _MOST:
        raise InputError(f"{origin}: has {len(rows)} stages; at most {_MOST}")
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if re.match(r"\s*\[\[\s*stage\s*\]\]", line)]
    specs: list[StageSpec] = []
    for number, row in enumerate(rows):
        start = starts[number] if len(starts) == len(rows) else 0
        specs.append(_stage(row, _Place(origin, lines, start, whole_file), {spec.name for spec in specs}, folder))
    return specs


@dataclass(frozen=True)
class _Place:
    """Where in a file a stage stands."""

    origin: str
    lines: list[str]
    start: int
    whole_file: bool

    def error(self, key: str, problem: str) -> InputError:
        return InputError(f"{self.origin}:{_line_of(self.lines, self.start, key)}: {problem}")


def _stage(row: dict[str, Any], place: _Place, taken: set[str], folder: Path | None) -> StageSpec:
    own = own_processors()
    choices = f"{', '.join(sorted(own))} (Terzetto's), {', '.join(BUILT_IN)} (pedalboard's)"
    if ("plugin" in row) == ("vst3" in row):
        raise place.error("", f'a stage has either plugin or vst3 = "path"; plugins: {choices}')
    key = "plugin" if "plugin" in row else "vst3"
    kind = row[key]
    if not isinstance(kind, str):
        raise place.error(key, f"{key} is a text; given {kind!r}")
    settings = {name: value for name, value in row.items() if name not in _OWN_KEYS}
    for name, value in settings.items():
        if not isinstance(value, str | int | float | bool):
            raise place.error(name, f"{name} is a number, a text or true/false; given {value!r}")
        if isinstance(value, str) and is_path(kind, name):
            settings[name] = _located(value, folder, always=name in PATHS)
    lines = {name: _line_of(place.lines, place.start, name) for name in ("", *settings)}
    base = _identifier(Path(kind).stem if key == "vst3" else kind)
    given = row.get("name")
    if given is not None and (not isinstance(given, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", given)):
        raise place.error("name", f"a stage's name is lower case, digits and underscores; given {given!r}")
    if given in taken:
        raise place.error("name", f"two stages are called {given!r}")
    name = given or next(n for n in (base, *(f"{base}_{i}" for i in range(2, _MOST + 2))) if n not in taken)
    if key == "vst3":
        return StageSpec(name, _absolute(kind, folder), settings, external=True, origin=place.origin, lines=lines)
    if kind in own:
        _check_own(kind, settings, place)
        return StageSpec(name, kind, settings, own=True, origin=place.origin, lines=lines)
    try:
        check_kind(kind, place.whole_file)
    except InputError as error:
        raise place.error("plugin", f"{error}; Terzetto's own: {', '.join(sorted(own)) or 'none'}") from None
    return StageSpec(name, kind, settings, origin=place.origin, lines=lines)


def _check_own(kind: str, settings: dict[str, Any], place: _Place) -> None:
    from terzetto.control.parameters import convert

    instrument = table().get(kind)
    if instrument is None:
        return
    parameters = [each for each in instrument.parameters if not each.meter and not each.shared]
    messages = {each.name: each for each in instrument.commands if len(each.arguments) == 1}
    valid = [each.name for each in parameters] + list(messages) + ["learned"]
    for name, value in settings.items():
        if name not in valid:
            raise place.error(name, f"{kind} has no {name!r}; valid: {', '.join(valid)}")
        parameter = instrument.parameter(name)
        if parameter is None:
            number = name in messages and "float" in messages[name].arguments[0]
            if isinstance(value, bool) or not isinstance(value, int | float if number else str):
                raise place.error(name, f"{name} is a {'number' if number else 'text'}; given {value!r}")
            continue
        try:
            converted = convert(parameter, value)
        except ControlError as error:
            raise place.error(name, str(error)) from None
        low, high = parameter.range
        if parameter.type == "float" and converted != value:  # a file is no fader: what is out of range is a slip
            raise place.error(name, f"{name} is a number from {low:g} to {high:g} {parameter.unit}; given {value!r}")
        settings[name] = converted


def is_path(kind: str, name: str) -> bool:
    """Whether a stage's setting is a path, or may be one: some messages take a model's name too."""
    instrument = table().get(kind)
    commands = () if instrument is None else instrument.commands
    return name in PATHS or any(each.name == name and each.arguments[:1] == ("path: string",) for each in commands)


def _located(text: str, folder: Path | None, always: bool) -> str:
    """Return a path as seen from the folder; what may be a model's name stays as it is unless it looks like a path."""
    path = _absolute(text, folder)
    looks = Path(text).suffix.lower() in _FILES or "/" in text or "\\" in text or Path(path).exists()
    return path if always or (text and looks) else text


def _absolute(text: str, folder: Path | None) -> str:
    path = Path(text).expanduser()
    return str(path if path.is_absolute() or folder is None else folder / path)


def _identifier(text: str) -> str:
    """Return a name in an address's manner: HighpassFilter → highpass_filter."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_") or "stage"


def _line_of(lines: list[str], start: int, key: str) -> int:
    """Return the line (from 1) on which a stage's key stands; that of the stage if it cannot be found."""
    if key:
        for number in range(start, len(lines)):
            if number > start and lines[number].lstrip().startswith("[["):
                break
            if re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]|\s*\[+\s*{re.escape(key)}", lines[number]):
                return number + 1
    return start + 1
