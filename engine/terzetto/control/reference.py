"""The reference of all parameters, made from the table.

To write it: ``python -m terzetto.control.reference > docs/parameters.md``.
"""

from __future__ import annotations

from terzetto.control.table import Instrument, Parameter, table

_HEAD = """\
# Parameters

Made from `engine/terzetto/control/parameters.toml` by `python -m terzetto.control.reference`; do not edit.

Every parameter is an OSC address. With a value a message sets it (numbers out of range are clipped), without one it
asks for it. `/terzetto/i1/…` addresses the instance `i1` alone. Choices take their name or index, switches T/F or 0/1.
"""


def reference() -> str:
    """Return the reference as Markdown."""
    return "\n".join([_HEAD, *(_section(instrument) for instrument in table().values())])


def _section(instrument: Instrument) -> str:
    lines = [f"## {instrument.title}", "", instrument.description, "", "| address | values | default | |"]
    lines += ["|---|---|---|---|"]
    lines += [_row(parameter) for parameter in instrument.parameters]
    if instrument.commands:
        lines += ["", "It also understands:", "", "| address | arguments | |", "|---|---|---|"]
        lines += [
            f"| `{each.address}` | {', '.join(each.arguments) or 'none'} | {each.description} |"
            for each in instrument.commands
        ]
    return "\n".join(lines) + "\n"


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
