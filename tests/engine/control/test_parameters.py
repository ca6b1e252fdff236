"""The table, and values steered by messages."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terzetto.control import reference, table
from terzetto.control.addresses import Address
from terzetto.control.messages import Message
from terzetto.control.parameters import Change, Parameters
from terzetto.errors import ControlError, TerzettoError

ROOT = Path(__file__).resolve().parents[3]


def hands(name: str, *arguments: object, frame: int = 0) -> Message:
    return Message(f"/terzetto/hands/{name}", arguments, frame)  # type: ignore[arg-type]


def test_the_table_names_every_instrument_and_what_all_plugins_share() -> None:
    assert list(table.table()) == ["hands", "drums", "timbre"]
    for instrument in table.table().values():
        shared = [each.name for each in instrument.parameters if each.shared]
        assert shared == ["low_latency", "engine_status", "late_blocks"]
    left = table.instrument("hands").parameter("left_gain")
    assert left is not None and left.address == "/terzetto/hands/left_gain"
    assert (left.range, left.unit, left.default) == ((-60.0, 12.0), "dB", 0.0)
    with pytest.raises(ControlError, match="'organ' is not known; valid: hands, drums, timbre"):
        table.instrument("organ")


ENTRY = """
[instrument.x]
title = "X"
description = "."
[[instrument.x.parameter]]
name = "a"
title = "A"
type = "float"
range = [0.0, 1.0]
default = 0.5
description = "."
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "a"', 'name = "A b"', "lower case"),
        ('type = "float"', 'type = "int"', "valid: float, bool, choice, trigger"),
        ("default = 0.5", "default = 2.0", "default 2.0"),
        ("default = 0.5", "", "lacks 'default'"),
        ("default = 0.5", "default = 0.5\nsize = 3", "unknown key 'size'"),
        ("range", "range = [", "not valid TOML"),
        ('type = "float"', 'type = "choice"\nchoices = ["p", "q"]', "default 0.5"),
    ],
)
def test_a_wrong_table_names_the_entry(old: str, new: str, message: str) -> None:
    assert table.load(ENTRY)["x"].parameters[0].default == 0.5
    with pytest.raises(ControlError, match=message):
        table.load(ENTRY.replace(old, new))
    with pytest.raises(ControlError, match=r"x\.a is in the parameter table twice"):
        table.load(ENTRY + ENTRY[ENTRY.index("[[") :])


def test_messages_set_values_and_are_clipped() -> None:
    values = Parameters("hands")
    assert values.apply(hands("left_gain", -6, frame=5)) == Change("left_gain", -6.0, 5)
    assert values.apply(hands("left_gain", 99.0)) == Change("left_gain", 12.0)
    assert values.apply(hands("right_gain", -math.inf)) == Change("right_gain", -60.0)
    assert values.apply(hands("solo", "right")) == Change("solo", "right")
    assert values.apply(hands("solo", 1)) == Change("solo", "left")
    assert values.apply(hands("solo", 99)) == Change("solo", "right")
    for given_value, expected in ((True, True), (0, False), (1.0, True), (False, False)):
        assert values.apply(hands("learn", given_value)) == Change("learn", expected)
    assert values.apply(Message("/terzetto/i3/hands/mix", (0.5,))) == Change("mix", 0.5)
    assert values["mix"] == 0.5 and values.number("mix") == 0.5 and values["left_gain"] == 12.0


def test_what_is_not_ours_is_left_to_others() -> None:
    values = Parameters("hands")
    for address in ("/terzetto/hands/score", "/terzetto/drums/mix", "/terzetto/ping", "/x", "/", "", "/terzetto/hands"):
        assert values.apply(Message(address, (1.0,))) is None
        assert values.answer(Message(address)) is None


def test_without_a_value_a_message_asks() -> None:
    values = Parameters("hands")
    assert values.apply(hands("solo")) is None
    assert values.answer(hands("solo")) == hands("solo", "off")
    assert values.answer(hands("solo", 1)) is None
    assert values.answer(hands("late_blocks")) == hands("late_blocks", 0.0)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("left_gain", ("loud",), "takes a number from -60 to 12 dB; given 'loud'"),
        ("left_gain", (True,), "takes a number"),
        ("left_gain", (math.nan,), "takes a number"),
        ("left_gain", (None,), "takes a number"),
        ("left_gain", (1.0, 2.0), "takes one value; given 2"),
        ("solo", ("both",), "takes off, left, right, or their index from 0; given 'both'"),
        ("solo", (b"x" * 500,), "…"),
        ("learn", (2,), "takes true or false"),
        ("late_blocks", (1.0,), "read-only"),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_valid(name: str, arguments: tuple[object, ...], message: str) -> None:
    values = Parameters("hands")
    before = values.values()
    with pytest.raises(TerzettoError, match=message) as caught:
        values.apply(hands(name, *arguments))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 200
    assert values.values() == before


def test_state_goes_round_and_damage_becomes_the_default() -> None:
    values = Parameters("hands")
    values.apply(hands("left_gain", -6.0))
    values.apply(hands("solo", "left"))
    saved = values.values()
    assert saved["left_gain"] == -6.0 and saved["solo"] == "left" and "late_blocks" not in saved
    other = Parameters("hands")
    other.restore(saved)
    assert other.values() == saved
    other.restore({"left_gain": 400, "solo": ["x"], "mix": math.nan, "colour": "red", "late_blocks": 3})
    assert other["left_gain"] == 12.0 and other["solo"] == "off" and other["mix"] == 1.0
    assert other["late_blocks"] == 0.0
    other.set("late_blocks", 3.0)
    assert other["late_blocks"] == 3.0
    with pytest.raises(ControlError, match="no parameter 'colour'; valid: left_gain"):
        other.set("colour", 1.0)


@given(st.sampled_from([each.name for each in table.instrument("hands").parameters]), st.data())
def test_any_argument_gives_a_valid_value_or_an_error(name: str, data: st.DataObject) -> None:
    argument = data.draw(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary())
    values, parameter = Parameters("hands"), table.instrument("hands").parameter(name)
    assert parameter is not None
    try:
        values.apply(hands(name, argument))
    except ControlError:
        return
    value = values[name]
    if parameter.type == "float":
        assert isinstance(value, float) and parameter.range[0] <= value <= parameter.range[1]
    elif parameter.type == "choice":
        assert value in parameter.choices
    else:
        assert isinstance(value, bool)


@given(st.text())
def test_any_text_is_an_address_or_none(text: str) -> None:
    for candidate in (text, f"/terzetto/{text}", f"/terzetto/i1/{text}"):
        address = Address.parse(candidate)
        assert address is None or str(address) == candidate


def test_the_reference_is_up_to_date() -> None:
    written = (ROOT / "docs" / "parameters.md").read_text(encoding="utf-8")
    assert written == reference.reference(), "run: python -m terzetto.control.reference > docs/parameters.md"
    for instrument in table.table().values():
        addresses = [each.address for each in instrument.parameters] + [each.address for each in instrument.commands]
        assert all(f"| `{address}` |" in written for address in addresses)
