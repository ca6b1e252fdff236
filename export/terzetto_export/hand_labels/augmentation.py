"""From stretches of scores to what performances or their transcriptions look like, many at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from terzetto.score.notes import LEFT, RIGHT
from terzetto_export.hand_labels.stretches import NEVER, NO_LABEL, Stretches

LOWEST, HIGHEST = 21, 108
# Moments of 50 ms by which chords are told, 200 s of them.
_MOMENTS = 4000


@dataclass(frozen=True)
class Amount:
    """How strongly to change a stretch: the largest change of speed, and how often each of the others happens."""

    speed: float = 1.6
    recombine: float = 0.3
    textures: float = 0.5
    silence: float = 0.3
    invert: float = 0.2
    errors: float = 0.5
    pedal: float = 0.4
    timeless: float = 0.3


class Dice:
    """Random numbers for so many stretches."""

    def __init__(self, stretches: int, random: torch.Generator) -> None:
        self._rows, self._random = stretches, random

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Return (stretches, *shape)."""
        drawn = torch.rand(self._rows, *shape, generator=self._random, device=self._random.device)
        return low + (high - low) * drawn

    def normal(self, deviation: float, *shape: int) -> Tensor:
        """Return (stretches, *shape)."""
        return deviation * torch.randn(self._rows, *shape, generator=self._random, device=self._random.device)

    def chance(self, share: float, *shape: int) -> Tensor:
        """Return which happen, (stretches, *shape)."""
        return self.uniform(0.0, 1.0, *shape) < share

    def one_of(self, values: tuple[float, ...], *shape: int) -> Tensor:
        """Return one of the values for each, (stretches, *shape)."""
        drawn = (self.uniform(0.0, 1.0, *shape) * len(values)).long().clamp(max=len(values) - 1)
        return torch.tensor(values, device=drawn.device)[drawn]


def augment(stretches: Stretches, others: Stretches, amount: Amount, random: torch.Generator) -> Stretches:
    """Return the stretches as other pieces, other players and other transcribers might have left them.

    ``others`` lend their music to recombinations; both have the same shape.
    """
    dice = Dice(len(stretches.onset), random)
    both = stretches.written & others.written & dice.chance(amount.recombine)
    stretches = recombine(stretches, others, dice).where(both, stretches)
    stretches = play(stretches, dice).where(stretches.written, stretches)
    stretches = thin_out(stretches, dice).where(dice.chance(amount.textures / 3), stretches)
    stretches = move_a_hand(stretches, dice).where(dice.chance(amount.textures / 3), stretches)
    stretches = silence_a_hand(stretches, dice).where(dice.chance(amount.silence), stretches)
    stretches = swap_hands(stretches).where(dice.chance(amount.invert), stretches)
    stretches = transpose(stretches, dice)
    stretches = sustain(stretches, dice).where(dice.chance(amount.pedal), stretches)
    stretches = mistranscribe(stretches, dice, dice.chance(amount.errors))
    most = torch.log(torch.tensor(amount.speed)).item()
    speed = torch.exp(dice.uniform(-most, most, 1))
    onset = torch.where(stretches.there, stretches.onset / speed, NEVER)
    offset = stretches.offset / speed
    # Nothing known of how long the notes last: no offsets.
    offset = torch.where(dice.chance(amount.timeless)[:, None], onset, offset)
    return replace(stretches, onset=onset, offset=offset).sorted()


def _events(stretches: Stretches) -> Tensor:
    """Return the number of the written chord of each of the sorted notes."""
    begins = stretches.onset.diff(dim=1, prepend=stretches.onset[:, :1] - 1.0) > 1e-3
    return torch.cumsum(begins.long(), 1) - 1


def play(stretches: Stretches, dice: Dice) -> Stretches:
    """Give a score a player's timing: a tempo that wanders, hands apart by some ms, chords spread or rolled."""
    stretches = stretches.sorted()
    event, notes = _events(stretches), stretches.onset.shape[1]
    times = torch.zeros_like(stretches.onset).scatter(1, event, torch.where(stretches.there, stretches.onset, 0.0))
    # Empty events at the end repeat the last time.
    times = times.cummax(1).values
    steps = times.diff(dim=1, prepend=times[:, :1])
    wander = torch.cumsum(dice.normal(1.0, notes) * dice.uniform(0.01, 0.06, 1), 1)
    wander = wander - wander[:, -1:] * torch.linspace(0, 1, notes, device=wander.device)
    factor = torch.exp(wander.clamp(-0.5, 0.5) + dice.normal(0.04, notes))
    played = (times[:, :1] + torch.cumsum(steps * factor, 1)).gather(1, event)
    apart = dice.normal(0.012, 1) + dice.normal(0.008, notes).gather(1, event)
    onset = played + torch.where(stretches.hand == LEFT, apart.abs(), 0.0)
    onset = onset + dice.normal(1.0, notes) * dice.uniform(0.002, 0.01, 1)
    rolled = dice.uniform(0, 1, notes) < dice.one_of((0.0, 0.01, 0.05), 1)
    spread = (dice.uniform(0.02, 0.08, notes) * rolled).gather(1, event)
    lowest = torch.full_like(stretches.pitch, 200).scatter_reduce(1, event, stretches.pitch, "amin").gather(1, event)
    onset = onset + spread * (stretches.pitch - lowest) / 7
    # Legato to staccato, a habit of each hand, and a little different each time.
    habit = torch.where(stretches.hand == LEFT, dice.uniform(-0.7, 0.15, 1), dice.uniform(-0.7, 0.15, 1))
    length = (stretches.offset - stretches.onset) * factor.gather(1, event)
    length = length * torch.exp(habit + dice.normal(0.15, notes))
    return replace(
        stretches,
        onset=torch.where(stretches.there, onset, NEVER),
        offset=onset + length.clamp(min=0.03),
    )


def recombine(stretches: Stretches, others: Stretches, dice: Dice) -> Stretches:
    """Give one hand of each stretch the music of another piece's same hand, put where the first one was, on its beats.

    What one hand does then says little of what the other does, as between composers.
    """
    hand = dice.one_of((LEFT, RIGHT), 1)
    mine = stretches.there & (stretches.hand == hand)
    theirs = others.there & (others.hand == hand)
    enough = (mine.sum(1) >= 8) & (theirs.sum(1) >= 8)
    moved = (_median(stretches.pitch, mine) - _median(others.pitch, theirs)).round() + dice.uniform(-4, 5, 1).floor()
    pitch = others.pitch + moved.long()
    last = torch.where(stretches.there, stretches.onset, 0.0).amax(1, keepdim=True)
    theirs = theirs & (others.onset <= last) & (pitch >= LOWEST) & (pitch <= HIGHEST)
    kept, lent = stretches.keep(stretches.hand != hand), replace(others, pitch=pitch).keep(theirs)
    columns = {
        name: torch.cat([getattr(kept, name), getattr(lent, name)], 1)
        for name in ("onset", "offset", "pitch", "hand", "there")
    }
    made = replace(stretches, **columns).sorted().first(stretches.onset.shape[1])
    return made.where(enough, stretches)


def _median(pitch: Tensor, chosen: Tensor) -> Tensor:
    return torch.where(chosen, pitch.float(), torch.nan).nanmedian(1, keepdim=True).values.nan_to_num(60.0)


def thin_out(stretches: Stretches, dice: Dice) -> Stretches:
    """Leave one voice a hand: the outer, or in one of them the inner one."""
    event = (stretches.onset / 0.05).round().long().clamp(0, _MOMENTS - 1)
    kept = torch.ones_like(stretches.there)
    for hand, sign in ((LEFT, 1), (RIGHT, -1)):
        inner = torch.where(dice.chance(0.75, 1), sign, -sign)
        height = torch.where(stretches.there & (stretches.hand == hand), inner * stretches.pitch, 999)
        outer = torch.full((len(kept), _MOMENTS), 999, device=kept.device)
        outer = outer.scatter_reduce(1, event, height, "amin").gather(1, event)
        kept &= (stretches.hand != hand) | (height == outer) | dice.chance(0.3, 1)
    return stretches.keep(kept)


def move_a_hand(stretches: Stretches, dice: Dice) -> Stretches:
    """Move a hand by octaves, as far as the hands do not pass through each other by it."""
    left = stretches.there & (stretches.hand == LEFT)
    right = stretches.there & (stretches.hand == RIGHT)
    room = _median(stretches.pitch, right) - _median(stretches.pitch, left)
    nearer = torch.where(room >= 19, 12, -12)
    shift = torch.where(dice.chance(0.5, 1) & (room < 31), torch.where(room < 24, -12, 12), nearer)
    hand = dice.one_of((LEFT, RIGHT), 1)
    moved = stretches.pitch + torch.where(hand == LEFT, shift, -shift)
    pitch = torch.where(stretches.hand == hand, moved, stretches.pitch)
    outside = stretches.there & ((pitch < LOWEST) | (pitch > HIGHEST))
    possible = ~outside.any(1) & left.any(1) & right.any(1)
    return replace(stretches, pitch=torch.where(possible[:, None], pitch, stretches.pitch))


def silence_a_hand(stretches: Stretches, dice: Dice) -> Stretches:
    """Let one hand play alone for two to twelve seconds."""
    last = torch.where(stretches.there, stretches.onset, 0.0).amax(1, keepdim=True)
    start = dice.uniform(-0.2, 1.0, 1) * last
    after = start + dice.uniform(2.0, 12.0, 1)
    within = (stretches.onset >= start) & (stretches.onset < after)
    return stretches.keep(~(within & (stretches.hand == dice.one_of((LEFT, RIGHT), 1))))


def swap_hands(stretches: Stretches) -> Stretches:
    """Turn the keyboard around about its middle: low is high, the left hand is the right one."""
    lowest = torch.where(stretches.there, stretches.pitch, 999).amin(1, keepdim=True)
    highest = torch.where(stretches.there, stretches.pitch, -999).amax(1, keepdim=True)
    about = torch.minimum(torch.maximum(torch.full_like(lowest, 128), LOWEST + highest), HIGHEST + lowest)
    hand = torch.where(stretches.hand == LEFT, RIGHT, torch.where(stretches.hand == RIGHT, LEFT, NO_LABEL))
    return replace(stretches, pitch=(about - stretches.pitch).clamp(0, 127), hand=hand)


def transpose(stretches: Stretches, dice: Dice) -> Stretches:
    """Move all notes by up to seven semitones, as far as the keyboard reaches."""
    lowest = torch.where(stretches.there, stretches.pitch, 999).amin(1, keepdim=True)
    highest = torch.where(stretches.there, stretches.pitch, -999).amax(1, keepdim=True)
    low, high = (LOWEST - lowest).clamp(min=-7), (HIGHEST - highest).clamp(max=7)
    shift = (low + (dice.uniform(0, 1, 1) * (high - low + 1)).long()).clamp(-7, 7)
    return replace(stretches, pitch=(stretches.pitch + shift).clamp(0, 127))


def sustain(stretches: Stretches, dice: Dice) -> Stretches:
    """Let notes ring until the pedal is changed, every 0.3 to 4 s."""
    period = torch.exp(dice.uniform(-1.2, 1.4, 1))
    change = (torch.floor(stretches.offset / period) + 1.0) * period
    return replace(stretches, offset=torch.maximum(stretches.offset, change))


def mistranscribe(stretches: Stretches, dice: Dice, chosen: Tensor) -> Stretches:
    """Miss up to a tenth of the notes, hear up to a tenth that are none, move onsets, mistake ends.

    What is invented (octaves, twelfths, any) has no label. Stretches that are not chosen only get the empty places.
    """
    notes = stretches.onset.shape[1]
    missed = dice.uniform(0, 1, notes) < dice.uniform(0, 0.1, 1)
    heard = stretches.keep(~(missed & chosen[:, None]))
    source = torch.topk(dice.uniform(0, 1, notes), notes // 10, dim=1).indices
    ghosts = heard.take(source)
    wanted = dice.uniform(0, 1, notes // 10) < dice.uniform(0, 1, 1)
    late = torch.where(dice.chance(0.5, notes // 10), 0.0, dice.uniform(0.05, 1.0, notes // 10))
    interval = dice.one_of((12, 12, 19, 24, -12, 7, 1, -1), notes // 10).long()
    ghosts = replace(
        ghosts,
        pitch=(ghosts.pitch + interval).clamp(LOWEST, HIGHEST),
        onset=ghosts.onset + late,
        offset=ghosts.onset + late + dice.uniform(0.05, 0.5, notes // 10),
        hand=torch.full_like(ghosts.hand, NO_LABEL),
    ).keep(wanted & chosen[:, None])
    columns = {
        name: torch.cat([getattr(heard, name), getattr(ghosts, name)], 1)
        for name in ("onset", "offset", "pitch", "hand", "there")
    }
    both = replace(stretches, **columns)
    total = both.onset.shape[1]
    moved = dice.normal(1.0, total) * dice.uniform(0.0, 0.012, 1) * chosen[:, None]
    length = (both.offset - both.onset) * torch.exp(dice.normal(1.0, total) * dice.uniform(0.0, 0.4, 1))
    length = torch.where(dice.chance(0.1, total), dice.uniform(0.03, 1.5, total), length)
    length = torch.where(chosen[:, None], length, both.offset - both.onset)
    onset = both.onset + moved
    return replace(both, onset=torch.where(both.there, onset, NEVER), offset=onset + length)
