"""``terzetto chain``: is a chain file right, and what does it do."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "check a chain file, or show its stages, latency and OSC addresses"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    for name, text in (
        ("check", "say nothing if the chain can be played, else what is wrong and where"),
        ("show", "show stages, latency and OSC addresses"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("chain", type=Path, metavar="CHAIN", help="chain file (TOML)")
        action.add_argument("--sample-rate", type=float, default=48000.0, metavar="HZ", help="(default: 48000)")
        action.add_argument("--channels", type=int, default=2, choices=range(1, 9), help="(default: 2)")
        action.add_argument("--hop", type=int, default=512, metavar="N", help="frames of a block (default: 512)")
        if name == "show":
            action.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Check or show."""
    import json

    from terzetto.errors import InputError
    from terzetto_host.file_chain import FileChain

    if not 4000 <= arguments.sample_rate <= 384_000:
        raise InputError(f"--sample-rate {arguments.sample_rate:g}: valid: 4000 to 384000 Hz")
    if not 32 <= arguments.hop <= 8192:
        raise InputError(f"--hop {arguments.hop}: valid: 32 to 8192 frames")
    chain = FileChain.from_file(arguments.chain)
    try:
        chain.prepare(arguments.sample_rate, arguments.channels, arguments.hop)
        if arguments.action == "check":
            return 0
        shown = chain.description()
    finally:
        chain.close()
    if arguments.json:
        print(json.dumps(shown, indent=2))
        return 0
    for stage in shown["stages"]:
        milliseconds = 1e3 * stage["latency"] / arguments.sample_rate
        later = f"{stage['latency']} frames ({milliseconds:.1f} ms) later"
        print(f"{stage['name']}: {stage['plugin']}, {'whole files only' if stage.get('whole_file') else later}")
        for address, value in stage["parameters"].items():
            print(f"  {address} {value:g}" if isinstance(value, float) else f"  {address} {value}")
    print(f"together {shown['latency']} frames ({1e3 * shown['latency'] / arguments.sample_rate:.1f} ms)")
    return 0
