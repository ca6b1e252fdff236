"""Learn a take: all that parts its hands live, found once from the recording and its score.

The pieces are those of ``terzetto separate --method nae``: templates by NMF, an encoder fitted to their activations
(feed-forward, the one form of factorisation that can stream), and the templates' phase advances.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from terzetto.audio.files import Take
from terzetto.audio.spectra import FrameGrid
from terzetto.errors import InputError
from terzetto.hands import coherence
from terzetto.hands.analysis import magnitudes
from terzetto.hands.fingerprint import BANDS, Fingerprint, bands
from terzetto.hands.separate import HIGHEST, WINDOW, Separation
from terzetto.hands.settings import Settings
from terzetto.hands.templates import TemplateLayout, informed_templates
from terzetto.progress import Progress, between, silent
from terzetto.score.notes import Score

Float = NDArray[np.float32]
Complex = NDArray[np.complex64]

WINDOWS = {"long": WINDOW, "medium": WINDOW / 2, "short": WINDOW / 4}
"""Length of the analysis window in seconds, which is also the latency."""


@dataclass(frozen=True)
class Learned:
    """What parts a take's hands live.

    Attributes
    ----------
    window : str
        One of `WINDOWS`.
    grid : FrameGrid
    pitches : int64 (p,)
        The pitches of the score.
    W, encoder : float32 (rows, bins)
        Decoder and encoder (Zunner 2021, table 3.1); rows as in `TemplateLayout`.
    turning : complex64 (rows, low bins)
        W times phase advance times coherence, for the bins that phases are followed in.
    gains : float32 (channels, low bins)
        Each channel's level over that of the factorised magnitudes.
    peak : float
        The loudest magnitude of the take.
    tuning : float
        In semitones from A4 = 440 Hz.
    fingerprint : Fingerprint
        By which the take is recognised.
    """

    window: str
    grid: FrameGrid
    pitches: NDArray[np.int64]
    W: Float
    encoder: Float
    turning: Complex
    gains: Float
    peak: float
    tuning: float
    fingerprint: Fingerprint

    @property
    def layout(self) -> TemplateLayout:
        """Which template is which."""
        return TemplateLayout(self.pitches)


def live_grid(sample_rate: float, window: str) -> FrameGrid:
    """Return the frames of a window's name at a sample rate."""
    if window not in WINDOWS:
        raise InputError(f"window {window!r} is not known; valid: {', '.join(WINDOWS)}")
    return FrameGrid.from_seconds(sample_rate, WINDOWS[window])


def learn(take: Take, score: Score, *, window: str = "long", threads: int = 0, progress: Progress = silent) -> Learned:
    """Learn a take with its score; notes beyond the take's end keep templates made from what was heard.

    Parameters
    ----------
    take
        From the score's second 0 on.
    score
        With the hand of each note.
    window
        One of `WINDOWS`.
    threads
        0: as many as there are cores.

    Raises
    ------
    InputError
        The take is silent, or the score does not overlap it or does not tell the hands.
    """
    live_grid(take.sample_rate, window)
    settings = Settings("nae", jobs=threads)
    heard = score.select(score.onset < take.frames / take.sample_rate)
    separation = Separation(
        take, heard if len(heard) else score, settings, between(progress, 0.0, 0.8), WINDOWS[window]
    )
    if separation.silent:
        raise InputError("the take is silent: there is nothing to learn from it")
    analysis, grid = separation.analysis, separation.grid
    W, encoder = analysis.found.W, analysis.found.encoder
    assert encoder is not None
    low = separation.phase.bins
    W_low = np.ascontiguousarray(W[:, :low])
    power = np.zeros((take.channels, low))
    energies: list[Float] = []
    segments = separation.segments()
    for number, (first, last) in enumerate(segments):
        spectra = separation.low_spectra(first, last)
        _, H = separation.activations(first, last, spectra)
        V = analysis.V if len(analysis.V) == last - first else magnitudes(spectra)
        energies.append(bands(V**2, grid))
        spectra = np.ascontiguousarray(spectra[..., :low])
        separation.phase.hear(spectra, W_low, H, settings.threads)
        power += np.sum(spectra.real**2 + spectra.imag**2, axis=1)
        progress("listening", 0.8 + 0.2 * (number + 1) / len(segments))
    learned = Learned(
        window,
        grid,
        analysis.layout.pitches,
        W,
        encoder,
        separation.phase.turning(W_low, grid, analysis.layout.harmonic_rows),
        coherence.gains_of(power),
        separation.phase.peak,
        analysis.tuning,
        Fingerprint.of(np.concatenate(energies), grid),
    )
    return extended(learned, score)


def informed(score: Score, sample_rate: float, channels: int, window: str = "long") -> Learned:
    """Return what the score alone tells: templates as they start, each its own encoder, no phases."""
    grid, layout = live_grid(sample_rate, window), TemplateLayout.of(score)
    bins = grid.bins_up_to(HIGHEST)
    low = min(grid.bins_up_to(coherence.HIGHEST), bins)
    W = informed_templates(layout, grid, bins)
    nothing = Fingerprint(np.zeros((0, BANDS), np.int8), 1.0)
    gains = np.ones((channels, low), np.float32)
    return Learned(
        window,
        grid,
        layout.pitches,
        W,
        _own_encoder(W),
        np.zeros((len(W), low), np.complex64),
        gains,
        1.0,
        0.0,
        nothing,
    )


def _own_encoder(W: Float) -> Float:
    """Return the encoder that projects on each template alone (Zunner 2021, section 3.4)."""
    return np.asarray(W / np.maximum((W**2).sum(axis=1, keepdims=True), 1e-12), np.float32)


def extended(learned: Learned, score: Score) -> Learned:
    """Return what was learned for all of a score's pitches: those not heard take what the score alone gives."""
    old, layout = learned.layout, TemplateLayout(np.union1d(learned.pitches, score.pitch))
    heard = np.any(learned.encoder > 0, axis=1)
    if len(layout.pitches) == len(old.pitches) and heard.all():
        return learned
    W = informed_templates(layout, learned.grid, learned.W.shape[1], learned.tuning)
    encoder = _own_encoder(W)
    low = learned.turning.shape[1]
    advance = coherence.PhaseAdvance.empty(len(W), low)
    advance.frames, advance.peak = 1, 1.0
    turning = advance.turning(np.ascontiguousarray(W[:, :low]), learned.grid, layout.harmonic_rows)
    places = np.searchsorted(layout.pitches, old.pitches)
    rows = np.concatenate([layout.rows_of(int(place)) for place in places])
    old_rows = np.concatenate([old.rows_of(i) for i in range(len(places))])
    known = heard[old_rows]
    rows, old_rows = rows[known], old_rows[known]
    # A fitted encoder answers more softly than a projection: the rows that know nothing else follow it.
    answers = np.einsum("rb,rb->r", learned.encoder[old_rows], learned.W[old_rows])
    encoder *= np.float32(np.median(answers)) if len(answers) else np.float32(1.0)
    W[rows], encoder[rows], turning[rows] = learned.W[old_rows], learned.encoder[old_rows], learned.turning[old_rows]
    return replace(learned, pitches=layout.pitches, W=W, encoder=encoder, turning=turning)
