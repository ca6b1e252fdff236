"""Ardour without its window: sessions made by script and XML, exported as a user exports them.

Ardour's Lua host makes a session (tracks, plugins), but can neither import audio nor set the values of an LV2 plugin
whose parameters are patch properties. Both are written into the saved session, which Ardour then opens as it opens any
other. The Lua host aborts at exit now and then, with and without plugins: what counts is the file it was to write.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import soundfile

from tests.hosts import ardour_export
from tests.hosts.ardour_session import Float, Insert, SessionFile, Track
from tests.hosts.failure import HostFailedError

__all__ = ["Ardour", "Insert", "Session", "Track", "available"]

# Ardour's folder and commands carry its version; the tests are known to hold with 7.3.
VERSION = next((n for n in (7, 8, 9) if shutil.which(f"ardour{n}-lua")), 7)
COMMAND = f"ardour{VERSION}-lua"
LIBRARIES = Path(f"/usr/lib/ardour{VERSION}")
LOCATIONS = {
    "LD_LIBRARY_PATH": str(LIBRARIES),
    "ARDOUR_DLL_PATH": str(LIBRARIES),
    "ARDOUR_DATA_PATH": f"/usr/share/ardour{VERSION}",
    "ARDOUR_CONFIG_PATH": f"/etc/ardour{VERSION}",
}
WANTED = "apt-get install ardour"


def available() -> bool:
    """Whether this machine has Ardour's Lua host."""
    return shutil.which(COMMAND) is not None


class Ardour:
    """An Ardour of its own: settings, plugin cache and export formats lie in the home that ``environment`` names.

    Parameters
    ----------
    environment : dict
        Of the process; HOME, LV2_PATH and whatever the plugins read. VST3 bundles are looked for in ~/.vst3.
    """

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = {key: value for key, value in environment.items() if key != "DISPLAY"}
        self.home = Path(environment["HOME"])
        folder = self.home / f".config/ardour{VERSION}/export"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{ardour_export.NAME}.format").write_text(ardour_export.FORMAT)
        (folder / f"{ardour_export.NAME}.preset").write_text(ardour_export.PRESET)
        # Ardour's own program under Ardour's name: plugins know a host by the name of its file.
        self.program = self.home / f"ardour-{VERSION}"
        if not self.program.exists():
            shutil.copy(LIBRARIES / "luasession", self.program)

    def run(self, script: str, timeout: float = 120.0) -> str:
        """Run a Lua script; return what it printed. The exit status says nothing here (see above)."""
        path = self.home / "script.lua"
        path.write_text(script)
        done = subprocess.run(
            [str(self.program), str(path)],
            env=self.environment | LOCATIONS,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        return done.stdout

    def scan(self, bundle: Path) -> str:
        """Make a VST3 bundle known: Ardour reads a cache that only its scanner fills. Returns the class id."""
        done = subprocess.run(
            [str(LIBRARIES / "ardour-vst3-scanner"), "-f", "-v", str(bundle)],
            env=self.environment | LOCATIONS,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        found = re.search(r'uid="([0-9A-F]{32})"', done.stdout)
        if not found:
            raise HostFailedError(f"Ardour's scanner refused {bundle}:\n{done.stdout}")
        return found[1]

    def make_session(
        self, folder: Path, tracks: Sequence[Track], sample_rate: int = 48000, block: int = 1024
    ) -> Session:
        """Make a session of that name with these tracks, their audio and their plugins, in their saved state."""
        shutil.rmtree(folder, ignore_errors=True)
        said = self.run(
            f"""
            {backend(sample_rate, block)}
            local s = create_session({quoted(folder)}, {quoted(folder.name)}, {sample_rate})
            {chr(10).join(new_track(track) for track in tracks)}
            s:save_state("")
            close_session()
            quit()
            """
        )
        session = Session(self, SessionFile(folder, sample_rate, block))
        if not session.saved.file.is_file() or "NO PLUGIN" in said:
            raise HostFailedError(f"Ardour made no session with {[track.inserts for track in tracks]}:\n{said}")
        session.saved.fill(tracks)
        return session


class Session:
    """A session in an Ardour."""

    def __init__(self, ardour: Ardour, saved: SessionFile) -> None:
        self.ardour, self.saved = ardour, saved

    def states(self) -> list[str]:
        """Return the text of every plugin's state, as last saved."""
        return self.saved.states()

    def save(self) -> None:
        """Open the session and save it again, plugin states included."""
        before = self.saved.file.stat().st_mtime_ns
        said = self._work('s:save_state("")')
        if self.saved.file.stat().st_mtime_ns == before:
            raise HostFailedError(f"Ardour did not save the session:\n{said}")

    def export(self) -> Float:
        """Export the whole song to 32-bit float, as *Export > Quick Audio Export* does; channels × frames."""
        target = self.saved.folder / "export"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        said = self._work(
            f"""
            -- Without a device the saved connections are not made again.
            local master = s:master_out():input()
            for r in s:get_routes():iter() do
                if not r:is_master() and not r:is_monitor() then
                    for n = 0, 1 do
                        local from = r:output():audio(math.min(n, r:n_outputs():n_audio() - 1))
                        from:connect(master:audio(n):name())
                    end
                end
            end
            local e = s:simple_export()
            e:set_preset("{ardour_export.PRESET_ID}")
            e:set_name("mix")
            e:set_folder({quoted(target)})
            e:set_range(s:current_start_sample(), s:current_end_sample())
            print("EXPORTED", e:run_export())
            """
        )
        files = sorted(target.rglob("*.wav"))
        if len(files) != 1:
            raise HostFailedError(f"Ardour wrote {len(files)} files, not one:\n{said}")
        samples, rate = soundfile.read(files[0], dtype="float32", always_2d=True)
        if rate != self.saved.sample_rate:
            raise HostFailedError(f"Ardour exported at {rate} Hz, not at {self.saved.sample_rate} Hz:\n{said}")
        return samples.T.copy()

    def _work(self, script: str) -> str:
        """Run a script on the opened session ``s``."""
        return self.ardour.run(
            f"""
            {backend(self.saved.sample_rate, self.saved.block)}
            local function work()
                local s = load_session({quoted(self.saved.folder)}, {quoted(self.saved.folder.name)})
                {script}
            end
            work()
            collectgarbage() -- what Lua still holds of a closed session is freed twice now and then
            close_session()
            quit()
            """
        )


def new_track(track: Track) -> str:
    """Write the Lua that makes a track with its plugins."""
    channels = len(track.audio)
    if track.midi:
        made = (
            f"new_midi_track({count('midi', 1)}, {count('audio', channels)}, true, ARDOUR.PluginInfo(), nil, nil, 1, "
            f"{quoted(track.name)},"
        )
    else:
        made = f"new_audio_track({channels}, {channels}, nil, 1, {quoted(track.name)},"
    lines = [
        f"for t in s:{made}",
        "ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, true):iter() do",
    ]
    if channels == 1 and not track.midi:  # else a stereo plugin makes the track stereo, its right side silent
        lines.append("t:set_strict_io(true)")
    for index, insert in enumerate(track.inserts):
        lines += [
            f'local p = ARDOUR.LuaAPI.new_plugin(s, {quoted(insert.identity)}, ARDOUR.PluginType.{insert.format}, "")',
            f"if p:isnil() then print({quoted('NO PLUGIN ' + insert.identity)})",
            f"else t:add_processor_by_index(p, {index}, nil, true) end",
        ]
    return "\n".join([*lines, "end"])


def count(kind: str, number: int) -> str:
    """Write how many channels of a kind."""
    return f'ARDOUR.ChanCount(ARDOUR.DataType("{kind}"), {number})'


def quoted(value: object) -> str:
    """Write a Lua string."""
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def backend(sample_rate: int, block: int) -> str:
    """Start the engine on no device."""
    return f"""
            local b = AudioEngine:set_backend("None (Dummy)", "", "")
            AudioEngine:set_sample_rate({sample_rate})
            AudioEngine:set_buffer_size({block})"""
