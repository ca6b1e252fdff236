"""``terzetto plugins``: put the plugins where hosts look, take them away, see what is wrong."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HELP = "install the plugins for this user's DAWs, remove or list them, find out what is wrong"

_EPILOG = """\
examples:
  terzetto plugins install        then let the DAW scan its plugins
  terzetto plugins doctor         one cause and one fix for everything that is wrong
  terzetto plugins demo           Terzetto Hands in a host, rendering the shipped excerpt

exit status of doctor: 0 all is well, 1 something is wrong
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    demo = actions.add_parser("demo", help="render the shipped excerpt through Terzetto Hands, loaded in pedalboard")
    demo.add_argument(
        "-o", "--out", type=Path, default=Path("demo-out"), metavar="DIR", help="folder (default: demo-out)"
    )
    demo.add_argument("--json", action="store_true", help="print one JSON object")
    for name, text in (
        ("install", "copy the plugins into this user's plugin folders and record where this engine is"),
        ("uninstall", "remove them and the record"),
        ("list", "list the plugins and whether they are installed"),
        ("doctor", "check plugins, engine, ports, shared memory and models"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument(
            "--dir",
            type=Path,
            metavar="FOLDER",
            help="one folder for all plugins (default: this user's plugin folders)",
        )
        if name != "uninstall":
            action.add_argument(
                "--from", type=Path, metavar="FOLDER", dest="source", help="take them from here (default: the package)"
            )
        action.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Do what the action says."""
    import json

    if arguments.action == "doctor":
        return _doctor(arguments)
    if arguments.action == "demo":
        return _demo(arguments)
    from terzetto_host import plugins

    if arguments.action == "uninstall":
        removed = plugins.uninstall(arguments.dir)
        if arguments.json:
            print(json.dumps({"removed": [str(path) for path in removed]}, indent=2))
        else:
            print("\n".join(f"removed {path}" for path in removed) or "nothing was installed")
        return 0
    chosen = plugins.bundles(arguments.source, arguments.dir)
    if arguments.action == "install":
        plugins.install(chosen)
    if arguments.json:
        rows = [
            {"plugin": each.target.stem, "kind": each.kind, "path": str(each.target), "state": each.state}
            for each in chosen
        ]
        print(json.dumps({"plugins": rows}, indent=2))
    else:
        for each in chosen:
            print(f"{each.target.stem} ({each.kind}): {each.state}, {each.target}")
        if arguments.action == "install":
            print("Let the DAW scan its plugins; the engine starts with the first one.")
    return 0


def _demo(arguments: argparse.Namespace) -> int:
    import json

    from terzetto.progress import choose
    from terzetto_host.plugin_demo import TITLE, run_plugin_demo

    with choose("auto", "plugin demo") as progress:
        result = run_plugin_demo(arguments.out, progress)
    if arguments.json:
        print(json.dumps(result, indent=2))
        return 0
    print(f"{TITLE}, loaded in pedalboard, played the excerpt through its engine ({result['elapsed']:.1f} s)")
    print("with all faders at 0 dB: the take, sample for sample")
    for hand, value in result["si_sdr"].items():
        print(f"{hand.replace('_', ' ')} alone: SI-SDR {value:.1f} dB")
    print(f"listen: {Path(result['files']['left_hand_down']).parent}")
    return 0


def _doctor(arguments: argparse.Namespace) -> int:
    import json

    from terzetto_host.doctor import examine

    findings = []
    for finding in examine(arguments.source, arguments.dir):
        findings.append(finding)
        if not arguments.json:
            print(f"{'ok   ' if finding.well else 'WRONG'} {finding.check}: {finding.detail or finding.cause}")
            if not finding.well:
                print(f"      → {finding.fix}")
            sys.stdout.flush()
    well = all(finding.well for finding in findings)
    if arguments.json:
        print(json.dumps({"well": well, "findings": [finding.json() for finding in findings]}, indent=2))
    return 0 if well else 1
