"""A real VST3 plugin as a stage: Terzetto's own, which passes the sound at its pipeline's latency without an engine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from terzetto.control.messages import Message
from terzetto.errors import InputError
from terzetto_host.chain import Chain
from terzetto_host.plugins import bundled
from tests.host.conftest import noise

BUNDLE = bundled() / "Terzetto Hands.vst3"
pytestmark = pytest.mark.skipif(not BUNDLE.exists(), reason="this installation was built without the plugins")


@pytest.fixture
def chain(places: Path, monkeypatch: pytest.MonkeyPatch) -> Chain:
    monkeypatch.delenv("DISPLAY", raising=False)
    path = places / "chain.toml"
    path.write_text(f'[[stage]]\nvst3 = "{BUNDLE}"\nname = "some"\nleft_gain_db = -6.0\n')
    chain = Chain.from_file(path)
    chain.prepare(48000, 2, 512)
    return chain


def test_its_latency_is_measured_and_its_samples_are_in_time(chain: Chain) -> None:
    sound = noise(2, 64 * 512)
    heard = np.concatenate([chain.process(sound[:, at : at + 512]) for at in range(0, sound.shape[1], 512)], axis=1)
    assert chain.latency == 1024
    assert not heard[:, :1024].any() and np.array_equal(heard[:, 1024:], sound[:, :-1024])


def test_its_parameters_are_addressed_and_saved(chain: Chain) -> None:
    parameters = {each.name: each for each in chain.parameters()}
    assert parameters["left_gain_db"].address == "/terzetto/chain/some/left_gain_db"
    assert parameters["left_gain_db"].range == (-60.0, 12.0) and parameters["left_gain_db"].default == -6.0
    assert parameters["solo"].choices == ("off", "left", "right")
    events = [Message("/terzetto/chain/some/solo", ("right",)), Message("/terzetto/chain/some/left_gain_db", (100.0,))]
    chain.process(noise(2, 512), events)
    (said,) = chain.outbox
    assert said.address == "/terzetto/error" and "out of range" in str(said.arguments[0])
    other = Chain()
    other.restore(chain.state())
    restored = {each.name: each.default for each in other.parameters()}
    assert restored["solo"] == "right" and restored["left_gain_db"] == -6.0


def test_a_setting_that_it_has_not_is_named_with_its_line(places: Path) -> None:
    path = places / "chain.toml"
    path.write_text(f'[[stage]]\nvst3 = "{BUNDLE}"\nnonsense = 1\n')
    with pytest.raises(InputError, match=r"chain\.toml:3: .* has no parameter 'nonsense'; valid: left_gain_db"):
        Chain.from_file(path)
