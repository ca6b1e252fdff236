"""What a controller asks the server to do with files is what the command of that name does."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from terzetto.cli import main
from terzetto.control.messages import Argument, Message
from terzetto.control.table import file_tasks
from terzetto.score.midi import read_midi, write_midi
from terzetto_host.live import file_tasks as file_tasks_module
from terzetto_host.live.file_tasks import MOST_WAITING, TASKS, FileTasks, commands
from tests.export.performances import performance, write_maestro
from tests.host.conftest import Controller, RunningServer
from tests.host.test_osc_command import osc


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a small dictionary, as the training command leaves it."""
    pytest.importorskip("torch")
    from terzetto_export.conv_wta import performance_train

    folder = tmp_path_factory.mktemp("home")
    maestro = write_maestro(folder / "maestro")
    small = replace(performance_train.DESIGNS["plain"], atoms=30, k_first=8, k_last=8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(performance_train.DESIGNS, "plain", small)
        plan = performance_train.Plan(data=maestro, out=folder / "terzetto" / "models", epochs=2, columns=8)
        performance_train.train(plan, lambda line: None)
    return folder


@pytest.fixture
def asked(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    make_server: Callable[..., RunningServer],
    make_controller: Callable[[RunningServer], Controller],
) -> Controller:
    monkeypatch.setenv("XDG_DATA_HOME", str(home))
    return make_controller(make_server())


@pytest.fixture
def takes(tmp_path: Path) -> tuple[str, str]:
    write_midi(performance("Ascending", 9), tmp_path / "take.mid")
    write_midi(performance("Leaping", 4), tmp_path / "other.mid")
    return str(tmp_path / "take.mid"), str(tmp_path / "other.mid")


def test_every_message_of_the_table_is_done() -> None:
    ends = {end for end, _ in commands()}
    assert ends == {*TASKS, *(f"{name}/cancel" for name in file_tasks())}


def test_they_do_what_the_commands_do(asked: Controller, takes: tuple[str, str], tmp_path: Path) -> None:
    take, other = takes
    out, by_command = str(tmp_path / "out.mid"), str(tmp_path / "command.mid")

    def ask(name: str, *arguments: object) -> tuple[object, ...]:
        return asked.ask(f"/terzetto/piano/{name}", *arguments)

    assert ask("swap", take, other, 3, out) == (out, len(read_midi(Path(take))), len(read_midi(Path(out))))
    assert main(["piano", "swap", take, other, "--atoms", "3", "-o", by_command]) == 0
    assert Path(by_command).read_bytes() == Path(out).read_bytes()
    assert len(ask("interpolate_only", take, other, 4.0, 8.0, 3, str(tmp_path / "way"))) == 3
    likest, cosine, *_ = ask("similar", take, str(tmp_path))
    assert likest in (take, str(tmp_path / "take.mid")) and cosine == pytest.approx(1.0)
    assert len(ask("atoms", take, str(tmp_path / "atoms"))) == 32 and (tmp_path / "atoms" / "atoms.png").is_file()
    assert len(ask("variance", take, str(tmp_path / "v.png"))) == 10 and (tmp_path / "v.png").is_file()


def test_what_cannot_be_done_is_said(asked: Controller, takes: tuple[str, str], tmp_path: Path) -> None:
    take, _ = takes
    asked.send("/terzetto/piano/denoise", str(tmp_path / "none.mid"), str(tmp_path / "out.mid"))
    problem, address = asked.hear("/terzetto/error")
    assert "none.mid" in problem and address == "/terzetto/piano/denoise"
    asked.send("/terzetto/piano/denoise", "take.mid", "out.mid")
    assert "give the whole path" in asked.hear("/terzetto/error")[0]
    done = osc("send", "/terzetto/piano/reconstruct", take, take)
    assert done.returncode == 2 and "would replace what it is made from" in done.stderr


def test_what_is_cancelled_leaves_nothing(asked: Controller, takes: tuple[str, str], tmp_path: Path) -> None:
    take, _ = takes
    for number in range(MOST_WAITING + 1):
        asked.send("/terzetto/piano/variance", take, str(tmp_path / f"late{number}.png"))
    assert "ask again later" in asked.hear("/terzetto/error")[0]
    asked.send("/terzetto/piano/cancel")
    assert [asked.hear("/terzetto/error")[0] for _ in range(MOST_WAITING)] == ["cancelled"] * MOST_WAITING
    before = {path.name for path in tmp_path.glob("late*")}
    assert len(before) < MOST_WAITING  # the first may have been done already
    assert asked.ask("/terzetto/ping", answer="/terzetto/pong")
    time.sleep(0.2)
    assert {path.name for path in tmp_path.glob("*late*")} == before


def _asked_here(
    *asks: tuple[str, tuple[Argument, ...]], until: Callable[[], bool] | None = None
) -> list[tuple[object, ...]]:
    """Ask in a loop of our own, cancel when it is time; return the arguments of all answers."""
    heard: list[Message] = []

    async def ask() -> None:
        tasks = FileTasks()
        for end, arguments in asks:
            tasks.ask(end, arguments, heard.append)
        while until is not None and tasks.busy:
            await asyncio.sleep(0.02)
            if until():
                tasks.cancel()
        while tasks.busy:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0)

    asyncio.run(ask())
    return [each.arguments for each in heard]


def test_what_is_cancelled_before_it_has_begun_is_said_too() -> None:
    asks = (("piano/denoise", ("/none.mid", "/out.mid")), ("piano/cancel", ()))
    assert _asked_here(*asks) == [("cancelled", "/terzetto/piano/denoise")]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="stops a process by /proc")
def test_a_command_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_tasks_module, "_PATIENCE", 0.2)
    children = Path(f"/proc/self/task/{threading.get_native_id()}/children")
    before = set(children.read_text().split())
    stopped: set[str] = set()

    def stop() -> bool:
        for each in set(children.read_text().split()) - before - stopped:
            os.kill(int(each), signal.SIGSTOP)  # and SIGTERM waits
            stopped.add(each)
        return bool(stopped)

    heard = _asked_here(("piano/denoise", ("/none.mid", "/out.mid")), until=stop)
    assert heard == [("cancelled", "/terzetto/piano/denoise")] and stopped
    assert not set(children.read_text().split()) - before


def test_nothing_of_the_folder_it_was_started_in_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('another json')")
    monkeypatch.chdir(tmp_path)
    ((problem, _),) = _asked_here(("piano/map", (str(tmp_path / "none"), str(tmp_path / "map.png"))))
    assert "no such folder" in str(problem)


def test_answers_fit_into_a_message() -> None:
    names = [f"A composer with a long name {number:02}" for number in range(70)]
    pairs = [{"between": [one, other], "distance": 0.5} for one in names for other in names if one < other]
    nearest = {"between": ["Haydn", "Mozart"], "distance": 0.1}
    answer = file_tasks_module._fitting(
        Message("/terzetto/piano/map", tuple(TASKS["piano/map"].answer({"distances": [*pairs, nearest]})))
    )
    assert answer.arguments[:3] == ("Haydn", "Mozart", 0.1) and len(answer.arguments) == 600
    paths = tuple(f"/a/folder/with/a/long/name/for/many/steps/step_{number:04}.mid" for number in range(2000))
    for large in (paths, ("\udcff",)):
        problem = file_tasks_module._fitting(Message("/terzetto/piano/interpolate", large))
        assert problem.address == "/terzetto/error" and "it is done, but" in str(problem.arguments[0])
