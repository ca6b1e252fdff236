"""Flags of the commands that make sound of beats."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from terzetto.commands.batch import add_format_flags
from terzetto.commands.sound_out import format_for

if TYPE_CHECKING:
    from terzetto.drums.kit import Kit
    from terzetto.drums.render_job import RenderSettings


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


def settings_of(arguments: argparse.Namespace, out: str, kit: Kit | None = None) -> RenderSettings:
    """Return what the flags ask for; the format by the ending of ``out``, if that is a file; the kit by ``--kit``.

    Raises
    ------
    InputError
        The kit cannot be read, or the format and the ending do not go together.
    """
    from terzetto.drums.kit_file import read_kit
    from terzetto.drums.render_job import RenderSettings

    return RenderSettings(
        kit or read_kit(arguments.kit),
        arguments.sample_rate,
        1 if arguments.mono else 2,
        getattr(arguments, "loop", False),
        arguments.stems,
        format_for(arguments.format, out),
        arguments.clip_mode,
    )


def told(result: dict[str, Any]) -> str:
    """Return a line that says what was rendered, and how loud it is."""
    loudness = result["loudness"]["mix"]
    levels = [f"{loudness[key]:.1f} {unit}" for key, unit in (("lufs", "LUFS"), ("true_peak_dbtp", "dBTP"))
              if loudness[key] is not None]  # fmt: skip
    line = f"{result['mix']}: {result['seconds']:.2f} s, {result['hits']} hits, {', '.join(levels) or 'silence'}"
    if result["stems"]:
        line += f", {len(result['stems'])} stems"
    if result["gain_db"]:
        line += f"; all turned down by {-result['gain_db']:.2f} dB to fit"
    return f"{line}; {result['clamped']} values limited to full scale" if result["clamped"] else line
