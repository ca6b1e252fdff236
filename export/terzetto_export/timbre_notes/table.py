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
    """Return the results as text."""
    real = results["judge on real notes"]
    each = ", ".join(f"{name} {one['recall']:.2f}" for name, one in real["by instrument"].items())
    lines = [
        f"the judge on {real['notes']} real notes of the targets, held out: macro recall {real['recall']:.3f}, "
        f"among its first two guesses {real['two']:.3f}, accepted {real['accepted']:.3f} (of others' notes "
        f"{real['mistaken']:.3f})",
        f"({each})",
        "",
    ]
    for group in ("all", "in range", "out of range"):
        methods = {name: groups[group] for name, groups in results["notes"].items() if group in groups}
        if not methods:
            continue
        number = "" if group == "all" else f" ({next(iter(results['notes'].values()))[f'notes {group}']} a method)"
        lines.append(f"{f'notes, {group}{number}':44}" + "".join(f"{name:>27}" for name in methods))
        for row in next(iter(methods.values())):
            lines.append(f"{row:44}" + "".join(f"{_cell(of[row]):>27}" for of in methods.values()))
        lines.append("")
    targets = {name: groups["by target"] for name, groups in results["notes"].items()}
    lines.append(f"{'lost, % by target':44}" + "".join(f"{name:>27}" for name in targets))
    for target in next(iter(targets.values())):
        lines.append(f"{target:44}" + "".join(f"{_cell(of[target]['lost, %']):>27}" for of in targets.values()))
    for kind, methods in results.get("gestures", {}).items():
        lines += ["", f"{kind:44}" + "".join(f"{name:>27}" for name in methods)]
        for row in next(iter(methods.values())):
            lines.append(f"{row:44}" + "".join(f"{_cell(of[row]):>27}" for of in methods.values()))
    for method, curve in results.get("curve", {}).items():
        lines += ["", f"{f'{method}, by amount':44}" + "".join(f"{amount:>27}" for amount in curve)]
        first = next(iter(curve.values()))
        for row in [name for name in first if name in _ROWS or name.startswith("pitch lost")]:
            lines.append(f"{row:44}" + "".join(f"{_cell(of[row]):>27}" for of in curve.values()))
    return "\n".join([*lines, "", "95 % intervals over input notes"])


def _cell(value: Mapping[str, float]) -> str:
    return f"{value['mean']:.2f} [{value['low']:.2f}, {value['high']:.2f}]"
