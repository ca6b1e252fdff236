"""Terzetto Drums in pedalboard, with its editor open on the display until it is interrupted; plays some seconds first.

python -m tests.hosts.editor_host BUNDLE
"""

from __future__ import annotations

import contextlib
import sys

import pedalboard

plugin = pedalboard.load_plugin(sys.argv[1])
plugin([], 3.0, 48000, 2, 512, False)
with contextlib.suppress(KeyboardInterrupt):
    plugin.show_editor()
