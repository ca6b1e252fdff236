"""The demo's second half: *Terzetto Hands* itself, in a host, with the engine behind it.

pedalboard loads the VST3 as a DAW would, the plugin starts the engine, and the excerpt is rendered through both.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terzetto import __version__
from terzetto.audio.files import ArrayTake, read_audio
from terzetto.audio.stems import FORMATS, StemFiles
from terzetto.demo.run import EXCERPT, excerpt
from terzetto.errors import TerzettoError
from terzetto.evaluate.separation import si_sdr
from terzetto.hands.learning import learn
from terzetto.hands.live import HandsProcessor
from terzetto.progress import Progress, silent
from terzetto.score.read import read_score
from terzetto_host.places import write_engine_command
from terzetto_host.plugins import bundles, this_engine
from terzetto_host.presets import class_id, plugin_state, vst3_preset

Float = NDArray[np.float32]

TITLE = "Terzetto Hands"
RENDERS: dict[str, dict[str, Any]] = {
    "take": {},
    "left_hand": {"solo": "left"},
    "right_hand": {"solo": "right"},
    "left_hand_down": {"left_gain": -18.0},
}
"""What is rendered: file → parameters."""

_BLOCK = 512


class PluginDemoError(TerzettoError):
    """The plugin did not do in its host what it promises."""


def run_plugin_demo(out: Path, progress: Progress = silent) -> dict[str, Any]:
    """Render the excerpt through *Terzetto Hands* in pedalboard; one file for each of `RENDERS` in ``out``/plugin.

    Returns
    -------
    dict
        ``files`` (name → path), ``si_sdr`` (hand → dB against the hand recorded alone), ``unchanged`` (the largest
        difference between the take and what the plugin plays with all faders at 0 dB), ``seconds`` of audio and
        ``elapsed`` seconds of rendering.

    Raises
    ------
    InputError
        This installation has no plugins.
    OutputError
        The folder cannot be written.
    PluginDemoError
        The plugin played dry, or changed the take with its faders at 0 dB.
    """
    source = next(each.source for each in bundles() if each.source.name == f"{TITLE}.vst3")
    with excerpt() as folder:
        take, rate = read_audio(folder / f"{EXCERPT}.flac")
        true = {
            f"{hand}_hand": read_audio(folder / f"{EXCERPT}.{hand[0]}h.flac")[0][0, : take.shape[1]]
            for hand in ("left", "right")
        }
        score = read_score(folder / f"{EXCERPT}.mid")
    stereo = np.concatenate([take, take])
    progress("learning", 0.0)
    hands = HandsProcessor()
    hands.use(score, [learn(ArrayTake(stereo, rate), score)])
    identity, state = class_id("hands"), hands.state()
    with _own_places():
        import pedalboard

        write_engine_command(this_engine(), __version__)
        plugin = pedalboard.VST3Plugin(str(source))
        rendered, began = {}, time.perf_counter()
        for done, (name, values) in enumerate(RENDERS.items()):
            progress("rendering in pedalboard", 0.3 + 0.7 * done / len(RENDERS))
            plugin.preset_data = vst3_preset(identity, plugin_state("hands", values, {"hands": state}))
            rendered[name] = plugin(stereo, rate, buffer_size=_BLOCK, reset=True)
            shown = {meter: str(getattr(plugin, meter)) for meter in ("engine_status", "late_blocks")}
            if shown["engine_status"] != "running" or float(shown["late_blocks"]) != 0:
                raise PluginDemoError(
                    f"the plugin did not play through its engine: engine {shown['engine_status']}, "
                    f"{shown['late_blocks']} late blocks; `terzetto plugins doctor` tells what is wrong"
                )
        elapsed = time.perf_counter() - began
        del plugin
    unchanged = float(np.abs(rendered["take"] - stereo).max())
    if unchanged > 0.0:
        raise PluginDemoError(f"with its faders at 0 dB the plugin changed the take by up to {unchanged:g}")
    files = {name: out / "plugin" / f"{name}.flac" for name in RENDERS}
    with StemFiles(files, rate, 2, FORMATS["flac"]) as stems:
        for name, audio in rendered.items():
            stems.write(name, audio)
        stems.commit()
    progress("done", 1.0)
    return {
        "files": {name: str(path) for name, path in files.items()},
        "si_sdr": {hand: round(si_sdr(reference, rendered[hand][0]), 2) for hand, reference in true.items()},
        "unchanged": unchanged,
        "seconds": round(stereo.shape[1] / rate, 3),
        "elapsed": round(elapsed, 3),
    }


@contextlib.contextmanager
def _own_places() -> Iterator[None]:
    """Give the demo an engine of its own: the user's plugins, ports and records stay as they are."""
    with tempfile.TemporaryDirectory(prefix="terzetto-", ignore_cleanup_errors=True) as folder:
        names = {f"TERZETTO_{kind}_DIR": f"{folder}/{kind.lower()}" for kind in ("RUNTIME", "CONFIG", "STATE")}
        before = {name: os.environ.get(name) for name in names}
        os.environ.update(names)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
