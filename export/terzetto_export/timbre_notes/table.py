"""The evaluation's results as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ROWS = (
    "lost, %",
    "not heard as the target, %",
    "target not among the first two guesses, %",
    "MFCC distance",
    "embedding distance",
    "loudness error, dB",
)


def table(results: Mapping[str, Any]) -> str:
    """Return the results as text: a block for each judge, then what no judge is asked about."""
    lines: list[str] = []
    for name, judged in results["judges"].items():
        lines += [*_of_judge(name, judged), ""]
    for kind, methods in results.get("gestures", {}).items():
        lines.append(_heads(kind, methods))
        lines += [_row(row, methods, row) for row in next(iter(methods.values()))]
        lines.append("")
    return "\n".join([*lines, "95 % intervals over input notes"])


def _of_judge(name: str, judged: Mapping[str, Any]) -> list[str]:
    real = judged["real"]
    each = ", ".join(f"{instrument} {one['recall']:.2f}" for instrument, one in real["by instrument"].items())
    others = ", ".join(
        f"{source} {one['recall']:.2f} ({one['sounds']} sounds)" for source, one in judged["elsewhere"].items()
    )
    lines = [
        f"JUDGE {name}: on {real['notes']} real notes of the targets, held out: macro recall {real['recall']:.3f}, "
        f"among its first two guesses {real['two']:.3f}, accepted {real['accepted']:.3f} (of others' notes "
        f"{real['mistaken']:.3f})",
        f"({each}; other players: {others})",
        f"real notes of the melodies' pitches, in range, not heard as what they are, %: {_cell(judged['here'])} ("
        + ", ".join(f"{name} {share:.0f}" for name, share in judged["here"]["by instrument"].items())
        + ")",
        "",
    ]
    for group in ("all", "in range", "out of range"):
        methods = {method: groups[group] for method, groups in judged["notes"].items() if group in groups}
        if not methods:
            continue
        number = "" if group == "all" else f" ({next(iter(judged['notes'].values()))[f'notes {group}']} a method)"
        lines.append(_heads(f"notes, {group}{number}", methods))
        lines += [*(_row(row, methods, row) for row in next(iter(methods.values()))), ""]
    targets = {method: groups["by target"] for method, groups in judged["notes"].items()}
    lines.append(_heads("lost, % by target", targets))
    for target in next(iter(targets.values())):
        lines.append(_row(target, {method: of[target] for method, of in targets.items()}, "lost, %"))
    for method, curve in judged.get("curve", {}).items():
        lines += ["", _heads(f"{method}, by amount", curve)]
        first = next(iter(curve.values()))
        rows = [row for row in first if row in _ROWS or row.startswith("pitch lost")]
        lines += [_row(row, curve, row) for row in rows]
    return lines


def _heads(title: str, columns: Mapping[str, Any]) -> str:
    return f"{title:44}" + "".join(f"{column:>27}" for column in columns)


def _row(title: str, columns: Mapping[str, Mapping[str, Any]], key: str) -> str:
    return f"{title:44}" + "".join(f"{_cell(of[key]):>27}" for of in columns.values())


def _cell(value: Mapping[str, float]) -> str:
    return f"{value['mean']:.2f} [{value['low']:.2f}, {value['high']:.2f}]"
