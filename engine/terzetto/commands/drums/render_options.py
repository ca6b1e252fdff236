"""Flags of the commands that make sound of beats."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from terzetto.commands.batch import add_format_flags

if TYPE_CHECKING:
    from terzetto.drums.kit import Kit
    from terzetto.drums.render_job import RenderSettings

ENDINGS = {".wav": "float32", ".flac": "flac"}
"""What the name of a sound file may end in, and the format that it then is unless another is asked for."""


def add_kit_flag(group: argparse._ActionsContainer) -> None:
    """Add ``--kit``."""
    group.add_argument(
        "--kit",
        type=Path,
        metavar="FILE",
        help="a kit.toml (see: terzetto drums kit); without it the shipped kit plays",
    )


def add_render_flags(group: argparse._ArgumentGroup) -> None:
    """Add what `settings_of` reads, ``--kit`` apart."""
    group.add_argument("--sample-rate", type=int, default=44100, metavar="HZ", help="(default: 44100)")
    group.add_argument("--mono", action="store_true", help="one channel, positions left out")
    group.add_argument("--stems", action="store_true", help="add a file for each voice, in a folder called as the mix")
    add_format_flags(group, None)


def is_sound_file(text: str) -> bool:
    """Whether a name ends as a sound file does."""
    return Path(text).suffix.lower() in ENDINGS


def settings_of(arguments: argparse.Namespace, out: str, kit: Kit | None = None) -> RenderSettings:
    """Return what the flags ask for; the format by the ending of ``out``, if that is a file; the kit by ``--kit``.

    Raises
    ------
    InputError
        The kit cannot be read, or the format and the ending do not go together.
    """
    from terzetto.audio.stems import FORMATS
    from terzetto.drums.kit_file import read_kit
    from terzetto.drums.render_job import RenderSettings
    from terzetto.errors import InputError

    ending = Path(out).suffix.lower()
    form = FORMATS[arguments.format or ENDINGS.get(ending, "float32")]
    if ending in ENDINGS and ending != f".{form.extension}":
        raise InputError(f"--out {out}: --{arguments.format} is written to a file that ends in .{form.extension}")
    return RenderSettings(
        kit or read_kit(arguments.kit),
        arguments.sample_rate,
        1 if arguments.mono else 2,
        getattr(arguments, "loop", False),
        arguments.stems,
        replace(form, extension=Path(out).suffix[1:]) if ending in ENDINGS else form,
        arguments.clip_mode,
    )


def told(result: dict[str, Any]) -> str:
    """Return a line that says what was rendered, and how loud it is."""
    (loudness,) = result["loudness"].values()
    levels = [f"{loudness[key]:.1f} {unit}" for key, unit in (("lufs", "LUFS"), ("true_peak_dbtp", "dBTP"))
              if loudness[key] is not None]  # fmt: skip
    line = f"{result['mix']}: {result['seconds']:.2f} s, {result['hits']} hits, {', '.join(levels) or 'silence'}"
    if result["stems"]:
        line += f", {len(result['stems'])} stems"
    if result["gain_db"]:
        line += f"; all turned down by {-result['gain_db']:.2f} dB to fit"
    return f"{line}; {result['clamped']} values limited to full scale" if result["clamped"] else line
