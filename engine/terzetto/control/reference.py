"""The reference of all parameters, made from the table.

To write it: ``python -m terzetto.control.reference > docs/parameters.md``.
"""

from __future__ import annotations

from terzetto.control.table import Command, FileTasks, Instrument, Parameter, file_tasks, table

_HEAD = """\
# Parameters

Made from `engine/terzetto/control/parameters.toml` by `python -m terzetto.control.reference`; do not edit.

Every parameter is an OSC address. With a value a message sets it (numbers out of range are clipped), without one it
asks for it. `/terzetto/i1/…` addresses the instance `i1` alone. Choices take their name or index, switches T/F or 0/1.
"""

_ON_FILES = """\
No plugin is needed: the engine does these with files, one after the other, in the background, and answers at the same
address when one is done, or at `/terzetto/error`. Each is the command of the same name. Paths are whole ones, and
taken from this computer only."""


def reference() -> str:
    """Return the reference as Markdown."""
    instruments = [_section(instrument) for instrument in table().values()]
    return "\n".join([_HEAD, *instruments, *(_on_files(tasks) for tasks in file_tasks().values())])


def _section(instrument: Instrument) -> str:
    lines = [f"## {instrument.title}", "", instrument.description, "", "| address | values | default | |"]
    lines += ["|---|---|---|---|"]
    lines += [_row(parameter) for parameter in instrument.parameters]
    if instrument.commands:
        lines += ["", "It also understands:", "", *_messages(instrument.commands)]
    return "\n".join(lines) + "\n"


def _on_files(tasks: FileTasks) -> str:
    lines = [f"## {tasks.title}", "", tasks.description, "", _ON_FILES, "", *_messages(tasks.commands)]
    return "\n".join(lines) + "\n"


def _messages(commands: tuple[Command, ...]) -> list[str]:
    rows = [f"| `{each.address}` | {', '.join(each.arguments) or 'none'} | {each.description} |" for each in commands]
    return ["| address | arguments | |", "|---|---|---|", *rows]


def _row(parameter: Parameter) -> str:
    low, high = parameter.range
    values = {
        "float": f"{low:g} … {high:g} {parameter.unit}".rstrip(),
        "bool": "on, off",
        "trigger": "trigger",
        "choice": ", ".join(parameter.choices),
    }[parameter.type]
    default = parameter.default
    shown = ("on" if default else "off") if isinstance(default, bool) else default
    text = shown if isinstance(shown, str) else f"{shown:g}"
    notes = " Read-only." if parameter.meter else "" if parameter.automatable else " Not automatable."
    return f"| `{parameter.address}` | {values} | {text} | {parameter.description}{notes} |"


if __name__ == "__main__":
    print(reference(), end="")
