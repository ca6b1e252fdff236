"""The network: an autoencoder of spectra with input context and LSTM layers (Gabrielli, Cella et al., AES 2018).

Other than theirs, it carries the pitch around the decoder as they carry the energy: the encoder says at which pitch a
frame sounds and hands that on, and the decoder gives out magnitudes of partials, which are laid on that pitch by
`terzetto.timbre.xsynth`, exactly. So pitch does not depend on what pitches the training recordings hold.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from terzetto.timbre.hearing import FEATURES, PITCHES
from terzetto.timbre.partials import BANDS, PARTIALS

CONTEXT = 2
"""Frames before the newest that the encoder sees with it."""
HIDDEN = 192
CODE = 12
"""What else than pitch and level the encoder hands on."""
TIMBRE = 24
NEAR = 2
"""Steps of the scale to each side of the likeliest pitch that count as it."""


class XSynth(nn.Module):
    """Encoder and decoder; see `forward`.

    Parameters
    ----------
    instruments
        How many timbres it knows.
    """

    STATES = (("context", CONTEXT * FEATURES), ("h1", HIDDEN), ("c1", HIDDEN), ("h2", HIDDEN), ("c2", HIDDEN))
    INPUTS = ("features", "timbre", *(name for name, _ in STATES))
    OUTPUTS = (
        "pitch",
        "harmonic",
        "partials",
        "noise",
        "bands",
        "level",
        *(f"{name}_next" for name, _ in STATES),
    )

    def __init__(self, instruments: int) -> None:
        super().__init__()
        self.encode = nn.Sequential(
            nn.Linear((CONTEXT + 1) * FEATURES, 256), nn.ReLU(), nn.Linear(256, HIDDEN), nn.ReLU()
        )
        self.hear = nn.LSTM(HIDDEN, HIDDEN, batch_first=True)
        self.pitch = nn.Linear(2 * HIDDEN, PITCHES + 1)
        self.code = nn.Linear(2 * HIDDEN, CODE + 1)
        self.scale = nn.Linear(PITCHES, 64)
        self.timbre = nn.Linear(instruments, TIMBRE, bias=False)
        self.shape = nn.Sequential(nn.Linear(64 + CODE + 2 + TIMBRE, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU())
        self.play = nn.LSTM(256, HIDDEN, batch_first=True)
        self.sound = nn.Sequential(nn.Linear(HIDDEN + 256, 256), nn.ReLU(), nn.Linear(256, PARTIALS + 2 * BANDS + 1))

    def keep_ear(self) -> None:
        """Train the decoder alone from now on."""
        for part in (self.encode, self.hear, self.pitch, self.code):
            part.requires_grad_(False)

    def start(self, batch: int) -> tuple[Tensor, ...]:
        """Return the state before the first frame: silence."""
        device = self.pitch.weight.device
        return tuple(torch.zeros(batch, size, device=device) for _, size in self.STATES)

    def forward(self, features: Tensor, timbre: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Return, for frames in their order, what they sound like in a timbre.

        Parameters
        ----------
        features : (batch, frames, FEATURES)
        timbre : (batch, frames, instruments)
            Shares of the instruments, 1 together.
        state
            As `start` or the call before gave it.

        Returns
        -------
        tuple of tensors
            Probabilities of pitches and of none (batch, frames, PITCHES + 1); of a harmonic sound (…, 1); partials,
            noise and bands in dB, as in `analysis.Sound`; level in dB; the next state.
        """
        logits, harmonic, rest = self.listen(features, *state[:3])
        code, *heard = rest
        probability = torch.softmax(logits, dim=2)
        sound = self.decode(near_the_likeliest(probability), code, features, timbre, *state[3:])
        partials, noise, bands, level, *played = sound
        return probability, torch.sigmoid(harmonic), partials, noise, bands, level, *heard, *played

    def listen(self, features: Tensor, context: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Return logits of pitches and of a harmonic sound, and the code with the next state."""
        before = context.reshape(-1, CONTEXT, FEATURES)
        whole = torch.cat([before, features], dim=1)
        frames = features.shape[1]
        seen = torch.cat([whole[:, shift : shift + frames] for shift in range(CONTEXT + 1)], dim=2)
        seen = self.encode(seen)
        heard, (h, c) = self.hear(seen, (h[None], c[None]))
        both = torch.cat([seen, heard], dim=2)
        code = self.code(both)
        following = whole[:, -CONTEXT:].reshape(-1, CONTEXT * FEATURES)
        return self.pitch(both), code[..., :1], [torch.tanh(code[..., 1:]), following, h[0], c[0]]

    def decode(
        self, pitch: Tensor, code: Tensor, features: Tensor, timbre: Tensor, h: Tensor, c: Tensor
    ) -> tuple[Tensor, ...]:
        """Return partials, noise, bands, level, and the next state."""
        level = features[..., -1:]
        loud = torch.relu(level + 1.0)
        shape = self.shape(torch.cat([self.scale(pitch), code, level, loud, self.timbre(timbre)], dim=2))
        played, (h, c) = self.play(shape, (h[None], c[None]))
        sound = 20.0 * self.sound(torch.cat([played, shape], dim=2)) - 40.0
        partials, noise, bands, own = torch.split(sound, [PARTIALS, BANDS, BANDS, 1], dim=2)
        return partials, noise - 20.0, bands - 20.0, own, h[0], c[0]


def near_the_likeliest(probability: Tensor) -> Tensor:
    """Return the pitches around the likeliest (batch, frames, PITCHES), 1 together; of no pitch the chance is left."""
    pitched = probability[..., :PITCHES]
    likeliest = pitched.argmax(dim=2, keepdim=True)
    steps = torch.arange(PITCHES, device=pitched.device)
    near = pitched * ((steps - likeliest).abs() <= NEAR)
    return near / (near.sum(dim=2, keepdim=True) + 1e-6) * (1.0 - probability[..., PITCHES:])
