"""Sources as tables, in TOML and JSON, such as ``{ sample = "a.wav" }`` or ``{ pad = [0.2, 0.7] }``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, cast

from terzetto.drums.sound_sources import POINTS, SPREAD, Morph, OneShot, Point, Sample, Source
from terzetto.drums.table_places import Place
from terzetto.errors import InputError

KINDS = ("one_shot", "sample", *POINTS, "morph")
"""Every source's table has one of these keys."""
_BESIDE = {"one_shot": (), "sample": (), "morph": ("amount", "by", "class")}
_BESIDE_POINTS = ("class", "model")
_BESIDE_SEED = (*_BESIDE_POINTS, "spread")


def source_of_table(table: Any, folder: Path, place: Place) -> Source:
    """Return the source that a table tells.

    Parameters
    ----------
    folder
        From which relative paths are told.
    place
        Where the table stands, for messages.

    Raises
    ------
    InputError
        Not a source, or one that cannot be.
    """
    table = place.typed(table, dict)
    kinds = [kind for kind in KINDS if kind in table]
    if len(kinds) != 1:
        given = " and ".join(kinds) or ", ".join(map(str, table)) or "nothing"
        raise place.error(f"a source has one of {', '.join(KINDS)}; given {given}")
    kind = kinds[0]
    beside = _BESIDE_SEED if kind == "seed" else _BESIDE.get(kind, _BESIDE_POINTS)
    place.check_keys(table, (kind, *beside))
    if kind == "morph":
        ends = place.typed(table["morph"], list)
        if len(ends) != 2:
            raise place.error(f"a morph has two sources; given {len(ends)}")
        first, second = (source_of_table(end, folder, place) for end in ends)
    try:
        if kind == "morph":
            amount, by = place.at("amount").typed(table.get("amount", 0.5), float), table.get("by", "latent")
            return Morph(first, second, amount, cast(Literal["latent", "mix"], by), _text(table, "class", place))
        return _single(kind, table, folder, place.at(kind))
    except InputError as error:
        raise error if str(error).startswith(place.title) else place.error(error) from None


def table_of_source(source: Source, folder: Path | None = None) -> dict[str, Any]:
    """Return a source's table; paths in or below a folder relative to it."""
    if isinstance(source, OneShot):
        return {"one_shot": source.name}
    if isinstance(source, Sample):
        return {"sample": _told(source.path, folder)}
    if isinstance(source, Morph):
        ends = [table_of_source(end, folder) for end in (source.first, source.second)]
        told: dict[str, Any] = {"morph": ends, "amount": source.amount, "by": source.by}
    elif source.encoded is not None:
        told = {"encoded": _told(source.encoded, folder)}
    else:
        values = {"pad": source.pad, "latent": source.latent, "seed": source.seed}
        told = {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}
        if source.spread != SPREAD:
            told["spread"] = source.spread
    if isinstance(source, Point):
        told["model"] = _told(Path(source.model), folder) if source.model.endswith(".onnx") else source.model
    told["class"] = source.sound_class
    return {key: value for key, value in told.items() if value is not None and value != ""}


def _single(kind: str, table: dict[str, Any], folder: Path, place: Place) -> Source:
    value = table[kind]
    if kind == "one_shot":
        return OneShot(place.typed(value, str))
    if kind == "sample":
        return Sample(_path(value, folder, place))
    sound_class, model = _text(table, "class", place), _model(table, folder, place)
    if kind == "encoded":
        return Point(encoded=_path(value, folder, place), sound_class=sound_class, model=model)
    if kind == "seed":
        spread = place.at("spread").typed(table.get("spread", SPREAD), float)
        return Point(seed=place.typed(value, int), sound_class=sound_class, model=model, spread=spread)
    numbers = tuple(place.typed(each, float) for each in place.typed(value, list))
    if kind == "latent":
        return Point(latent=numbers, sound_class=sound_class, model=model)
    return Point(pad=cast(tuple[float, float], numbers), sound_class=sound_class, model=model)


def _text(table: dict[str, Any], key: str, place: Place) -> str:
    return place.at(key).typed(table.get(key, ""), str)


def _model(table: dict[str, Any], folder: Path, place: Place) -> str:
    """Return the name of a model, or the path of its file, from the folder on as all paths."""
    name = _text(table, "model", place)
    return str(folder / Path(name).expanduser()) if name.endswith(".onnx") else name


def _path(value: Any, folder: Path, place: Place) -> Path:
    text = place.typed(value, str)
    if not text or "\0" in text:
        raise place.error(f"give the path of an audio file; given {text!r}")
    return folder / Path(text).expanduser()


def _told(path: Path, folder: Path | None) -> str:
    """Return how a path is written: with slashes, so that a kit goes from one system to another."""
    if folder is not None and path.is_relative_to(folder.absolute()):
        path = path.relative_to(folder.absolute())
    return path.as_posix()
