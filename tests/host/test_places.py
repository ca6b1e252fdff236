"""Places: where they are on each platform, who may enter, what is in them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from terzetto.errors import InputError, OutputError
from terzetto_host import places as module
from terzetto_host.places import (
    ServerRecord,
    config_dir,
    engine_command,
    ensure,
    is_running,
    only_server,
    read_json,
    runtime_dir,
    state_dir,
    write_engine_command,
    write_json,
)

HOME = Path("/home/me")


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {}, [f"/tmp/terzetto-{os.getuid()}", "/home/me/.config/terzetto", "/home/me/.local/state/terzetto"]),
        (
            "linux",
            {"XDG_RUNTIME_DIR": "/run/me", "XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s"},
            ["/run/me/terzetto", "/c/terzetto", "/s/terzetto"],
        ),
        (
            "darwin",
            {"TMPDIR": "/var/t"},
            ["/var/t/terzetto", "/home/me/Library/Application Support/Terzetto", "/home/me/Library/Logs/Terzetto"],
        ),
        (
            "win32",
            {"LOCALAPPDATA": "/local", "APPDATA": "/roaming"},
            ["/local/Terzetto/run", "/roaming/Terzetto", "/local/Terzetto/log"],
        ),
    ],
)
def test_they_are_where_the_plugins_look(
    monkeypatch: pytest.MonkeyPatch, platform: str, environment: dict[str, str], expected: list[str]
) -> None:
    for name in (
        *("TERZETTO_RUNTIME_DIR", "TERZETTO_CONFIG_DIR", "TERZETTO_STATE_DIR", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"),
        *("XDG_STATE_HOME", "TMPDIR", "LOCALAPPDATA", "APPDATA"),
    ):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(module.sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: HOME)
    assert [str(place()) for place in (runtime_dir, config_dir, state_dir)] == expected


def test_they_can_be_set(places: Path) -> None:
    assert [place() for place in (runtime_dir, config_dir, state_dir)] == [
        places / name for name in ("runtime", "config", "state")
    ]


def test_only_their_owner_may_enter(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = places / "open"
    folder.mkdir(mode=0o755)
    assert stat.S_IMODE(ensure(folder).stat().st_mode) == 0o700
    assert stat.S_IMODE(ensure(places / "a" / "b").stat().st_mode) == 0o700
    (places / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be made"):
        ensure(places / "file")
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(OutputError, match="belongs to another user"):
        ensure(folder)


def test_small_files_are_whole(places: Path) -> None:
    path = places / "config" / "a.json"
    write_json(path, {"a": 1})
    write_json(path, {"a": 2})
    assert read_json(path) == {"a": 2} and [each.name for each in path.parent.iterdir()] == ["a.json"]
    for damaged in ("", "{", "[1]", "\x00"):
        path.write_text(damaged)
        assert read_json(path) == {}
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert [each.name for each in path.parent.iterdir()] == ["a.json"]


def test_the_record_of_a_server_counts_while_it_runs(places: Path) -> None:
    assert ServerRecord.read() is None
    record = ServerRecord(os.getpid(), 9010, 9080, "0.1.0")
    record.write()
    assert ServerRecord.read() == record
    ServerRecord(2**22 + 7, 9010, 9080, "0.1.0").write()
    assert ServerRecord.read() is None
    write_json(ServerRecord.path(), {"pid": "x"})
    assert ServerRecord.read() is None
    assert not is_running(0) and not is_running(-1) and is_running(os.getpid())


def test_the_lock_is_one_servers(places: Path) -> None:
    with only_server():
        with pytest.raises(InputError, match="runs already, and is still starting"), only_server():
            pass
        ServerRecord(os.getpid(), 9010, 9080, "0.1.0").write()
        with pytest.raises(InputError, match=f"process {os.getpid()}, OSC on UDP port 9010"), only_server():
            pass
    with only_server():
        pass


def test_the_engines_command_is_kept(places: Path) -> None:
    assert engine_command() is None
    write_engine_command(["/usr/bin/python", "-m", "x"], "0.1.0")
    assert engine_command() == (["/usr/bin/python", "-m", "x"], "0.1.0")
    write_json(config_dir() / "engine.json", {"command": "no list"})
    assert engine_command() is None
