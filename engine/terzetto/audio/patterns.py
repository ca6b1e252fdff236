"""Patterns of file names that the command line takes: ``{track}/{stem}.{ext}``."""

from __future__ import annotations

import string

from terzetto.errors import InputError


def check_pattern(option: str, pattern: str, fields: set[str]) -> set[str]:
    """Return the fields that a pattern uses; raise `InputError` for others and for what is not a pattern."""
    try:
        used = {name for _, name, _, _ in string.Formatter().parse(pattern) if name is not None}
        unknown = used - fields
        if not unknown:
            pattern.format(**dict.fromkeys(fields, "x"))
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        raise InputError(f"{option} {pattern!r} is not a pattern ({error})") from None
    if unknown:
        valid = ", ".join(f"{{{name}}}" for name in sorted(fields))
        raise InputError(f"{option} {pattern!r} has the unknown field {{{sorted(unknown)[0]}}}; valid: {valid}")
    return used
