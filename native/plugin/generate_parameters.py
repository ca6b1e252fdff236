#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn the parameter table (parameters.toml) into a C++ header; run by CMake.

A table that is wrong is refused here, at build time, with the entry and what is valid.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

TYPES = {"float", "bool", "choice", "trigger"}
KEYS = {
    "name", "title", "type", "unit", "range", "default", "choices", "automatable", "meter", "description",
}  # fmt: skip
NAME = re.compile(r"[a-z][a-z0-9_]*")


class TableError(ValueError):
    """The table is wrong; the message says where and what is valid."""


def checked(entry: dict[str, Any], where: str) -> dict[str, Any]:
    """Return a parameter with everything filled in, or raise TableError."""
    name = entry.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise TableError(f"{where}: name = {name!r}; use lower case, digits and underscores, as in 'left_gain'")
    where = f"{where}, parameter {name!r}"
    unknown = set(entry) - KEYS
    if unknown:
        raise TableError(f"{where}: unknown key {sorted(unknown)[0]!r}; valid are {', '.join(sorted(KEYS))}")
    for key in ("title", "type", "description"):
        if not isinstance(entry.get(key), str) or not entry[key]:
            raise TableError(f"{where}: {key} is missing; give a text")
    kind = entry["type"]
    if kind not in TYPES:
        raise TableError(f"{where}: type = {kind!r}; valid are {', '.join(sorted(TYPES))}")
    for key in ("automatable", "meter"):
        if not isinstance(entry.get(key, False), bool):
            raise TableError(f"{where}: {key} = {entry[key]!r}; give true or false")

    choices: list[str] = entry.get("choices", [])
    lowest, highest, default = 0.0, 1.0, 0.0
    if kind == "float":
        span = entry.get("range")
        if not isinstance(span, list) or len(span) != 2 or not all(isinstance(edge, int | float) for edge in span):
            raise TableError(f"{where}: range = {span!r}; give [lowest, highest]")
        lowest, highest = float(span[0]), float(span[1])
        if not lowest < highest:
            raise TableError(f"{where}: range = {span!r}; the first number must be the smaller one")
        value = entry.get("default")
        if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
            raise TableError(f"{where}: default = {value!r}; give a number in {lowest:g} to {highest:g}")
        default = float(value)
    elif "range" in entry:
        raise TableError(f"{where}: a {kind} has no range; remove it")
    if kind == "choice":
        if len(choices) < 2 or len(set(choices)) < len(choices) or not all(isinstance(c, str) and c for c in choices):
            raise TableError(f"{where}: choices = {choices!r}; give two or more different texts")
        if entry.get("default") not in choices:
            raise TableError(f"{where}: default = {entry.get('default')!r}; valid are {', '.join(choices)}")
        default, highest = float(choices.index(entry["default"])), float(len(choices) - 1)
    elif choices:
        raise TableError(f"{where}: a {kind} has no choices; remove them")
    if kind == "bool":
        if not isinstance(entry.get("default"), bool):
            raise TableError(f"{where}: default = {entry.get('default')!r}; give true or false")
        default = float(entry["default"])
    if kind == "trigger" and "default" in entry:
        raise TableError(f"{where}: a trigger has no default; remove it")
    return {
        "name": name, "title": entry["title"], "type": kind, "unit": entry.get("unit", ""), "lowest": lowest,
        "highest": highest, "default": default, "choices": choices, "description": entry["description"],
        "automatable": entry.get("automatable", True), "meter": entry.get("meter", False),
    }  # fmt: skip


def read(table: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return every instrument with its own parameters and then the shared ones."""
    instruments: dict[str, Any] = table.get("instrument", {})
    if not instruments:
        raise TableError("no [instrument.NAME]; give at least one")
    shared = [checked(entry, "shared") for entry in table.get("shared", {}).get("parameter", [])]
    result = {}
    for name, instrument in instruments.items():
        if not NAME.fullmatch(name):
            raise TableError(f"instrument {name!r}; use lower case, digits and underscores")
        for key in ("title", "description"):
            if not isinstance(instrument.get(key), str):
                raise TableError(f"instrument {name!r}: {key} is missing; give a text")
        own = [checked(entry, f"instrument {name!r}") for entry in instrument.get("parameter", [])]
        names = [parameter["name"] for parameter in own + shared]
        twice = {n for n in names if names.count(n) > 1}
        if twice:
            raise TableError(f"instrument {name!r}: parameter {sorted(twice)[0]!r} is there twice; rename one")
        plays = instrument.get("plays", False)
        if not isinstance(plays, bool):
            raise TableError(f"instrument {name!r}: plays = {plays!r}; give true or false")
        result[name] = {**instrument, "plays": plays, "parameters": own, "shared": shared}
    return result


def quoted(text: str) -> str:
    """Return a C++ string literal, in octal escapes beyond ASCII."""
    out = ""
    for byte in text.encode():
        character = chr(byte)
        out += character if 32 <= byte < 127 and character not in '"\\?' else f"\\{byte:03o}"
    return f'"{out}"'


def header(instruments: dict[str, dict[str, Any]]) -> str:
    """Return the header's text."""
    lines = [
        "// Made from parameters.toml by generate_parameters.py; change it there.",
        "#pragma once",
        '#include "parameter_table.hpp"',
        "namespace terzetto::plugin::tables {",
    ]
    for name, instrument in instruments.items():
        for parameter in instrument["parameters"] + instrument["shared"]:
            if parameter["choices"]:
                texts = ", ".join(quoted(choice) for choice in parameter["choices"])
                lines.append(f"inline constexpr const char* {name}_{parameter['name']}_choices[] = {{{texts}}};")
        lines.append(f"inline constexpr ParameterInfo {name}_parameters[] = {{")
        for scope, group in (("Own", instrument["parameters"]), ("Shared", instrument["shared"])):
            for p in group:
                choices = f"{name}_{p['name']}_choices" if p["choices"] else "nullptr"
                lines.append(
                    f"    {{{quoted(p['name'])}, {quoted(p['title'])}, ParameterType::{p['type']}_, "
                    f"{quoted(p['unit'])}, {p['lowest']!r}f, {p['highest']!r}f, {p['default']!r}f, {choices}, "
                    f"{len(p['choices'])}u, {str(p['automatable']).lower()}, {str(p['meter']).lower()}, "
                    f"Scope::{scope}, {quoted(p['description'])}}},"
                )
        lines.append("};")
    lines.append("inline constexpr InstrumentInfo instruments[] = {")
    for name, instrument in instruments.items():
        count = len(instrument["parameters"] + instrument["shared"])
        lines.append(
            f"    {{{quoted(name)}, {quoted(instrument['title'])}, {quoted(instrument['description'])}, "
            f"{name}_parameters, {count}u, {str(instrument['plays']).lower()}}},"
        )
    lines += ["};", "} // namespace terzetto::plugin::tables", ""]
    return "\n".join(lines)


def main(source: Path, target: Path) -> int:
    """Write the header; a wrong table is one line on stderr and exit status 1."""
    try:
        text = header(read(tomllib.loads(source.read_text(encoding="utf-8"))))
    except (TableError, tomllib.TOMLDecodeError) as error:
        print(f"{source}: {error}", file=sys.stderr)
        return 1
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists() or target.read_text(encoding="utf-8") != text:
        target.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), Path(sys.argv[2])))
