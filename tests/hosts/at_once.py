"""Many plugins in one pedalboard process, all playing at once, each on a thread of its own.

    python -m tests.hosts.at_once JOB.json

JOB names the VST3 bundle and for each instance its state, what goes in and where what comes out is put.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from terzetto_host.presets import vst3_preset
from tests.hosts.failure import HostFailedError
from tests.hosts.offline import ROOT, Float
from tests.hosts.states import CLASS_ID


def render_at_once(
    bundle: Path, parts: Sequence[tuple[Float, str]], folder: Path, environment: dict[str, str], block: int = 512
) -> list[Float]:
    """Render takes (channels × frames, 48 kHz), each with a plugin in a state of its own. Raises HostFailedError."""
    folder.mkdir(parents=True, exist_ok=True)
    instances = []
    for number, (audio, state) in enumerate(parts):
        source, target = folder / f"in{number}.npy", folder / f"out{number}.npy"
        np.save(source, audio)
        instances.append({"state": state, "source": str(source), "target": str(target)})
    job = folder / "job.json"
    job.write_text(json.dumps({"bundle": str(bundle), "block": block, "instances": instances}))
    done = subprocess.run(
        [sys.executable, "-m", "tests.hosts.at_once", str(job)],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise HostFailedError(f"pedalboard ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return [np.load(instance["target"]) for instance in instances]


def main(job: dict[str, Any]) -> None:
    """Load all plugins, then play them all."""
    import pedalboard

    plugins = [pedalboard.load_plugin(job["bundle"]) for _ in job["instances"]]
    for plugin, instance in zip(plugins, job["instances"], strict=True):
        plugin.preset_data = vst3_preset(CLASS_ID, instance["state"])
        # On other threads pedalboard does not hear at once that the latency is another one at this rate.
        plugin(np.zeros((2, job["block"]), np.float32), 48000, buffer_size=job["block"], reset=True)

    def play(plugin: Any, instance: dict[str, str]) -> None:
        out = plugin(np.load(instance["source"]), 48000, buffer_size=job["block"], reset=True)
        np.save(instance["target"], out)

    with ThreadPoolExecutor(len(plugins)) as threads:
        for done in [threads.submit(play, *pair) for pair in zip(plugins, job["instances"], strict=True)]:
            done.result()


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
