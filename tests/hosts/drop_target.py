"""A GTK window on which files are dropped; what GTK makes of their addresses goes into a file, a line each.

/usr/bin/python3 drop_target.py FILE
"""

import sys
from pathlib import Path

import gi  # type: ignore[import-not-found]

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, GLib, Gtk  # type: ignore[import-not-found]  # noqa: E402


def received(widget, context, x, y, data, info, time) -> None:  # type: ignore[no-untyped-def]
    """Write the paths down."""
    lines = []
    for address in data.get_uris():
        try:
            lines.append(GLib.filename_from_uri(address)[0])
        except GLib.Error as error:
            lines.append(f"{address}: {error.message}")
    Path(sys.argv[1]).write_text("\n".join(lines))


window = Gtk.Window(title="Drop here")
window.set_default_size(200, 200)
window.drag_dest_set(Gtk.DestDefaults.ALL, [], Gdk.DragAction.COPY)
window.drag_dest_add_uri_targets()
window.connect("drag-data-received", received)
window.show_all()
Gtk.main()
