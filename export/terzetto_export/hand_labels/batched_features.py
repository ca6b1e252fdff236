"""The features of `terzetto.score.hand_features` for many stretches at once, on whatever device they are."""

from __future__ import annotations

import torch
from torch import Tensor

from terzetto.score import hand_features as one

_BEYOND = 128


def features(pitch: Tensor, event: Tensor, time: Tensor, offset: Tensor, there: Tensor) -> Tensor:
    """Return `terzetto.score.hand_features.features` of every note, and its `held_features` after them.

    Parameters
    ----------
    pitch, event, time, offset, there : (stretches, notes)
        In reading order, the places without a note last.

    Returns
    -------
    float32 (stretches, notes, N_FEATURES + N_HELD)
    """
    near = _Neighbours(pitch, event, time, offset, there)
    return torch.cat([_zones(near), _plain(near, pitch), _register(near), _held(near)], dim=-1)


class _Neighbours:
    """What lies around each note, (stretches, notes, PAST + 1 + FUTURE)."""

    def __init__(self, pitch: Tensor, event: Tensor, time: Tensor, offset: Tensor, there: Tensor) -> None:
        def around(column: Tensor) -> Tensor:
            padded = torch.nn.functional.pad(column, (one.PAST, one.FUTURE))
            return padded.unfold(1, one.PAST + 1 + one.FUTURE, 1)

        self.gap = around(time) - time[..., None]
        self.interval = around(pitch) - pitch[..., None]
        self.steps = around(event) - event[..., None]
        self.rest = around(offset) - time[..., None]
        self.valid = around(there) & (self.gap >= -one.PAST_SECONDS) & (self.gap <= one.FUTURE_SECONDS)


def _zones(near: _Neighbours) -> Tensor:
    shape = near.gap.shape[:2]
    past = 1 + torch.bucketize(-near.gap, torch.tensor(one._EDGES_PAST, device=near.gap.device).float())
    future = torch.tensor(one._EDGES_FUTURE, device=near.gap.device).float()
    zone = torch.where(near.steps < 0, past, 1 + one._N_PAST + torch.bucketize(near.gap, future))
    zone = torch.where(near.steps == 0, 0, zone)
    interval = near.interval.clamp(-one.REACH, one.REACH) + one.REACH
    size = one.N_ZONES * one.WIDTH
    # One place more, where what is not valid goes.
    table = torch.zeros(*shape, size + 1, device=near.gap.device)
    table.scatter_(2, torch.where(near.valid, zone * one.WIDTH + interval, size), 1.0)
    ordered = near.valid & (near.steps != 0) & (near.steps.abs() <= 2)
    by_order = one.N_ZONES - 4 + torch.where(near.steps < 0, near.steps + 2, near.steps + 1)
    table.scatter_(2, torch.where(ordered, by_order * one.WIDTH + interval, size), 1.0)
    return table[..., :size]


def _plain(near: _Neighbours, pitch: Tensor) -> Tensor:
    chord = near.valid & (near.steps == 0)
    below = chord[..., : one.PAST].sum(-1).float()
    above = chord[..., one.PAST + 1 :].sum(-1).float()
    before, after = near.valid & (near.steps < 0), near.valid & (near.steps > 0)
    last = torch.where(before, -near.gap, one.PAST_SECONDS).amin(-1)
    following = torch.where(after, near.gap, one.FUTURE_SECONDS).amin(-1)
    busy = (before & (near.gap >= -1.0)).sum(-1) + after.sum(-1)
    plain = [below / 4, above / 4, torch.log(last + 0.02) / 4, torch.log(following + 0.02) / 4]
    plain += [(below == 0).float(), (above == 0).float(), busy / 40]
    where = torch.exp(-0.5 * ((pitch[..., None] - torch.tensor(one._CENTRES, device=pitch.device)) / 4.0) ** 2)
    return torch.cat([where, torch.stack(plain, -1)], -1)


def _register(near: _Neighbours) -> Tensor:
    columns = []
    for before, after in one._FRAMES:
        seen = near.valid & (near.gap >= -before) & (near.gap <= after)
        low = torch.where(seen, near.interval, _BEYOND).amin(-1).float()
        high = torch.where(seen, near.interval, -_BEYOND).amax(-1).float()
        below = (seen & (near.interval < 0)).sum(-1) / seen.sum(-1).clamp(min=1)
        columns += [low / 24, high / 24, (low + high) / 24, torch.tanh((low + high) / 4), below]
    within = torch.where(near.valid & (near.gap.abs() <= 1.0), near.interval, 200).sort(-1).values.float()
    steps = torch.where(within[..., 1:] < 200, within.diff(dim=-1), 0.0)
    widest, place = steps.max(-1)
    centre = within.gather(-1, place[..., None])[..., 0] + widest / 2
    columns += [torch.where(widest > 0, torch.tanh(centre / 6), 0.0), widest / 12]
    return torch.stack(columns, -1)


def _held(near: _Neighbours) -> Tensor:
    held = near.valid & (near.steps < 0) & (near.rest > one.RELEASE)
    interval = near.interval.clamp(-one.REACH, one.REACH) + one.REACH
    table = torch.zeros(*near.gap.shape[:2], one.WIDTH + 1, device=near.gap.device)
    table.scatter_(2, torch.where(held, interval, one.WIDTH), 1.0)
    own = near.rest[..., one.PAST]
    length = torch.log(own.clamp(min=0.0) + one.RELEASE)
    following = torch.where(near.valid & (near.steps > 0), near.gap, one.FUTURE_SECONDS).amin(-1)
    told = [torch.ones_like(length), length / 2, torch.tanh(length - torch.log(following + one.RELEASE))]
    return torch.cat([table[..., : one.WIDTH], torch.stack(told, -1) * (own > 1e-3)[..., None]], -1)
