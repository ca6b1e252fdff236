"""The figures of a sound model as text."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from terzetto.drums.drum_map import CLASSES
from terzetto.evaluate.sound_faults import FAULTS

Results = OrderedDict[str, Any]
_WIDTH = 38


def table(results: Results) -> str:
    """Return the results of `measures.measure` as text."""
    lines = [f"trained on {results['training']}", f"held out    {results['test']}", ""]
    lines.append("log-spectral distance in dB, mean over kits [95 % interval]: in bins, in 64 mel bands")
    for name, values in results["distance"].items():
        lines.append(f"  {name:{_WIDTH}}" + "   ".join(_cell(value, 1) for value in values.values()))
    lines += ["", "recognised by the judge: macro recall [95 % interval over kits; of samples over samples]"]
    for name, values in results["recognised"].items():
        line = f"  {name:{_WIDTH}}{_cell(values['macro'], 3)}"
        if "lost" in values:
            line += f"   {_points(values['lost'])} against real sounds, same verdict {values['same verdict']:.3f}"
        lines.append(line)
    shown = [name for name in ("real sounds", "reconstructions", "samples") if name in results["recognised"]]
    lines += ["", f"recall of each class{'':{_WIDTH - 18}}" + "".join(f"{name:>18}" for name in shown)]
    for row in CLASSES:
        values = [results["recognised"][name]["classes"][row] for name in shown]
        lines.append(f"  {row:{_WIDTH}}" + "".join(f"{value:18.3f}" for value in values))
    lines += _heard_as(results["recognised"]["samples"]["heard as"])
    frechet = results["Fréchet distance"]
    lines += ["", f"Fréchet distance to {frechet['sounds']} real held-out sounds, {frechet['dimensions']} dimensions"]
    lines += [f"  {name:{_WIDTH}}{_cell(value, 3)}" for name, value in frechet.items() if isinstance(value, dict)]
    if "samples" not in frechet:
        lines.append("  not measured: there must be more held-out sounds than dimensions")
    lines += ["", f"samples by spread{'':{_WIDTH - 15}}recognised             Fréchet distance"]
    for spread, values in results["spread"].items():
        far = _cell(values["Fréchet distance"], 3) if "Fréchet distance" in values else ""
        lines.append(f"  {spread:{_WIDTH}}{_cell(values['macro'], 3):23}{far}")
    time = results["decode, ms"]
    lines += [
        "",
        f"decode: {time['median']:.1f} ms in the median, 95 % within {time['95 %']:.1f} ms; {time['processor']:.1f} ms "
        "of processor time",
    ]
    lines += ["", f"faults{'':{_WIDTH - 4}}" + "".join(f"{name:>18}" for name in results["faults"])]
    for fault in ("sounds", "faulty", *FAULTS):
        numbers = "".join(f"{number[fault]:18}" for number in results["faults"].values())
        lines.append(f"  {fault.replace('_', ' '):{_WIDTH}}{numbers}")
    return "\n".join(lines)


def _heard_as(rows: list[list[int]]) -> list[str]:
    lines = ["", f"samples heard as{'':8}" + "".join(f"{name:>12}" for name in CLASSES)]
    return lines + [f"  {name:22}" + "".join(f"{n:12}" for n in row) for name, row in zip(CLASSES, rows, strict=True)]


def _cell(value: dict[str, float], digits: int) -> str:
    text = f"{value['mean']:.{digits}f}"
    return text + (f" [{value['low']:.{digits}f}, {value['high']:.{digits}f}]" if "low" in value else "")


def _points(lost: dict[str, float]) -> str:
    return f"{-100 * lost['mean']:+.1f} points [{-100 * lost['high']:+.1f}, {-100 * lost['low']:+.1f}]"
