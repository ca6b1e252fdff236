"""``terzetto osc``: talk to the running engine, listen to it, let the local network in."""

from __future__ import annotations

import argparse

HELP = "send OSC to the running engine, watch what it is told, let controllers in from the local network"

_EPILOG = """\
examples:
  terzetto osc send /terzetto/hands/left_gain -60
  terzetto osc send /terzetto/i2/hands/solo left
  terzetto osc send /terzetto/hands/left_gain          asks for the value
  terzetto osc monitor                                 shows the plugins' own messages too
  terzetto osc allow-lan on                            for a tablet; prints address and port

Whole numbers and numbers with a point go as such, true and false as T and F, everything else as text.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    send = actions.add_parser("send", help="send a message; without values it asks")
    send.add_argument("address", metavar="ADDRESS", help="for example /terzetto/hands/left_gain")
    # Everything that follows is a value: -6 is no option.
    send.add_argument("values", nargs=argparse.REMAINDER, metavar="VALUES", help="numbers, true, false, texts")
    monitor = actions.add_parser("monitor", help="show every message until Ctrl-C")
    monitor.add_argument("--count", type=int, metavar="N", help="end after so many messages")
    lan = actions.add_parser("allow-lan", help="let the local network steer by UDP, from now on and in later sessions")
    lan.add_argument("switch", nargs="?", choices=["on", "off"], help="without it: say how it is")
    for each in (send, monitor):
        each.add_argument("--port", type=int, metavar="N", help="of the engine (default: that of the one that runs)")


def run(arguments: argparse.Namespace) -> int:
    """Do what the action says."""
    from terzetto_host.live import remote

    if arguments.action == "send":
        return remote.send(arguments.address, arguments.values, arguments.port)
    if arguments.action == "monitor":
        return remote.monitor(arguments.port, arguments.count)
    return remote.allow_lan(arguments.switch)
