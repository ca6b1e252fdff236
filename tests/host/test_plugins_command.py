"""``terzetto plugins``: bundles come whole, go whole, and the doctor names what is wrong."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from terzetto.cli import main
from terzetto_host import plugins
from terzetto_host.places import engine_command, write_engine_command
from tests.host.conftest import RunningServer


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Bundles as a build makes them: folders with a binary."""
    folder = tmp_path / "built"
    for name in ("Terzetto Hands.vst3", "Terzetto Hands.lv2", "Terzetto Drums.vst3"):
        binary = folder / name / "Contents" / "x86_64-linux" / "plugin.so"
        binary.parent.mkdir(parents=True)
        binary.write_bytes(name.encode())
        binary.chmod(0o755)
    (folder / "README").write_text("no bundle")
    return folder


@pytest.fixture
def home(tmp_path: Path, places: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's home."""
    folder = tmp_path / "home"
    monkeypatch.setenv("HOME", str(folder))
    return folder


def doctor(source: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, object]]:
    status = main(["plugins", "doctor", "--from", str(source), "--json"])
    report = json.loads(capsys.readouterr().out)
    assert status == (0 if report["well"] else 1)
    findings = {finding["check"]: finding for finding in report["findings"]}
    assert all(finding["well"] or (finding["cause"] and finding["fix"]) for finding in findings.values())
    return findings


@pytest.mark.skipif(sys.platform != "linux", reason="the folders of Linux")
def test_they_are_installed_for_this_user(home: Path, source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "install", "--from", str(source)]) == 0
    assert "Terzetto Hands (VST3): installed" in capsys.readouterr().out
    there = sorted(path.relative_to(home).as_posix() for path in home.glob(".*/*"))
    assert there == [".lv2/Terzetto Hands.lv2", ".vst3/Terzetto Drums.vst3", ".vst3/Terzetto Hands.vst3"]
    binary = home / ".vst3/Terzetto Hands.vst3/Contents/x86_64-linux/plugin.so"
    assert binary.read_bytes() == b"Terzetto Hands.vst3" and stat.S_IMODE(binary.stat().st_mode) == 0o755
    recorded = engine_command()
    assert recorded is not None and recorded[0] == plugins.this_engine()
    done = subprocess.run([*recorded[0], "--help"], capture_output=True, check=False)
    assert done.returncode == 0
    assert main(["plugins", "uninstall"]) == 0
    assert not list(home.glob(".*/*")) and engine_command() is None
    assert main(["plugins", "uninstall"]) == 0
    assert "nothing was installed" in capsys.readouterr().out


def test_a_new_version_takes_the_place_of_the_old(home: Path, source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = home / "plugins"
    old = target / "Terzetto Hands.vst3"
    old.mkdir(parents=True)
    (old / "stale").write_text("of an older version")
    other = target / "Another.vst3"
    other.mkdir()
    assert main(["plugins", "list", "--from", str(source), "--dir", str(target), "--json"]) == 0
    states = {row["path"]: row["state"] for row in json.loads(capsys.readouterr().out)["plugins"]}
    assert states[str(old)] == "differs" and "missing" in states.values()
    assert main(["plugins", "install", "--from", str(source), "--dir", str(target)]) == 0
    assert (
        not (old / "stale").exists()
        and [bundle.state for bundle in plugins.bundles(source, target)] == ["installed"] * 3
    )
    assert main(["plugins", "uninstall", "--dir", str(target)]) == 0
    assert [path.name for path in target.iterdir()] == ["Another.vst3"]


def test_what_cannot_be_replaced_stays(
    home: Path, source: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = home / "plugins"
    old = target / "Terzetto Drums.vst3"
    old.mkdir(parents=True)
    (old / "kept").write_text("")

    def full(*arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(plugins.shutil, "copytree", full)
    assert main(["plugins", "install", "--from", str(source), "--dir", str(target)]) == 2
    assert "No space left" in capsys.readouterr().err
    assert (old / "kept").exists() and [path.name for path in target.iterdir()] == ["Terzetto Drums.vst3"]


def test_an_installation_without_plugins_says_so(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for action in ("install", "list"):
        assert main(["plugins", action, "--from", str(tmp_path / "nowhere")]) == 2
        assert "built without them" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("platform", "kind", "expected"),
    [
        ("linux", ".vst3", ".vst3"),
        ("linux", ".lv2", ".lv2"),
        ("darwin", ".vst3", "Library/Audio/Plug-Ins/VST3"),
        ("darwin", ".component", "Library/Audio/Plug-Ins/Components"),
        ("win32", ".vst3", "AppData/Local/Programs/Common/VST3"),
        ("win32", ".lv2", "AppData/Roaming/LV2"),
    ],
)
def test_every_platform_has_its_folders(home: Path, platform: str, kind: str, expected: str) -> None:
    assert plugins.folder_of(kind, platform) == home / expected


def test_the_doctor_finds_all_well_after_an_installation(
    home: Path, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["plugins", "install", "--from", str(source)])
    capsys.readouterr()
    findings = doctor(source, capsys)
    assert all(finding["well"] for finding in findings.values()), findings
    assert list(findings) == [*("bundles", "engine", "version", "folders", "server", "shared memory", "models", "log")]
    assert main(["plugins", "doctor", "--from", str(source)]) == 0
    assert "WRONG" not in capsys.readouterr().out


def test_the_doctor_finds_what_is_missing(home: Path, source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    findings = doctor(source, capsys)
    assert "is not there" in str(findings["bundles"]["cause"]) and "install" in str(findings["bundles"]["fix"])
    assert "engine.json" in str(findings["engine"]["cause"])
    write_engine_command(["/nowhere/python", "-m", "x"], "0.0.1")
    findings = doctor(source, capsys)
    assert "/nowhere/python" in str(findings["engine"]["cause"]) and "0.0.1" in str(findings["version"]["cause"])
    write_engine_command([sys.executable, "-c", "raise SystemExit('broken')"], "0.1.0")
    assert "broken" in str(doctor(source, capsys)["engine"]["cause"])


def test_the_doctor_asks_the_server(
    home: Path, source: Path, make_server: Callable[..., RunningServer], capsys: pytest.CaptureFixture[str]
) -> None:
    server = make_server()
    assert str(server.record.osc_port) in str(doctor(source, capsys)["server"]["detail"])
    os.kill(server.record.pid, signal.SIGSTOP)
    assert "does not answer" in str(doctor(source, capsys)["server"]["cause"])
    os.kill(server.record.pid, signal.SIGCONT)
