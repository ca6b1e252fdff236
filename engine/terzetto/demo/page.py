"""The demo's page: what was separated, to listen to and look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from string import Template

import terzetto

MARK = '<meta name="generator" content="terzetto demo">'
"""By this a page tells that its folder is a demo's."""

_MEASURES = {
    "si_sdr": "SI&#8209;SDR",
    "si_sdr_improvement": "SI&#8209;SDR gain",
    "sdr": "SDR",
    "sir": "SIR",
    "sar": "SAR",
}
_CAPTIONS = {
    "piano_roll.png": (
        "Piano roll: the notes of both hands over time",
        "The score: which notes are played, and by which hand.",
    ),
    "decomposition.png": (
        "Templates, activations and spectrogram, before and after learning",
        "What the score allows (a) and what was learned from the sound (b): the spectrum of each pitch, W, "
        "and when it sounds, H. Together they rebuild the recording’s spectrogram V.",
    ),
    "hands.png": (
        "Activations, model spectrogram and soft mask of the left and of the right hand",
        "The activations divided between the hands, the spectrogram each hand’s notes explain, and how much "
        "of each place in the spectrogram belongs to it.",
    ),
    "loss.png": (
        "Loss over the iterations, falling",
        "The distance between recording and model, iteration by iteration.",
    ),
}


def render(
    method: str,
    elapsed: float,
    audio: Mapping[str, str],
    scores: Mapping[str, Mapping[str, float]],
    plots: Sequence[str],
) -> str:
    """Return the page.

    Parameters
    ----------
    method
        The factoriser's name.
    elapsed
        Seconds the separation took.
    audio
        Links of ``mix``, ``residual``, ``clarinet``, ``mosaic``, and of each hand ``left_hand`` and ``true_left_hand``.
    scores
        Hand → measure → dB.
    plots
        Links of the pictures.
    """
    template = Template(files("terzetto.demo").joinpath("page.html").read_text(encoding="utf-8"))
    measures = list(next(iter(scores.values())))
    return template.substitute(
        method=escape(method.upper()),
        elapsed=f"{elapsed:.1f}",
        version=escape(terzetto.__version__),
        mix=_player(audio["mix"], "The recording, both hands"),
        residual=_player(audio["residual"], "Residual"),
        clarinet=_player(audio["clarinet"], "The right hand as a clarinet"),
        mosaic=_player(audio["mosaic"], "The right hand as a mosaic of the left"),
        hands="\n".join(_hand(name, audio) for name in scores),
        measures="".join(f'<th scope="col">{_MEASURES.get(name, escape(name))}</th>' for name in measures),
        scores="\n".join(_row(name, values) for name, values in scores.items()),
        plots="\n".join(_figure(link) for link in plots),
    )


def _player(link: str, label: str) -> str:
    return (
        f'<audio controls preload="metadata" src="{escape(link)}" aria-label="{escape(label)}">'
        f'<a href="{escape(link)}">{escape(label)}</a></audio>'
    )


def _hand(name: str, audio: Mapping[str, str]) -> str:
    title = _title(name)
    return (
        f'<section class="card {_side(name)}"><h3>{title}</h3>\n'
        f'<label class="player">Separated{_player(audio[name], f"{title}, separated")}</label>\n'
        f'<label class="player">The true hand, played alone'
        f"{_player(audio[f'true_{name}'], f'{title}, true')}</label></section>"
    )


def _row(name: str, values: Mapping[str, float]) -> str:
    cells = "".join(f"<td>{value:.2f}</td>" for value in values.values())
    return f'<tr><th scope="row" class="{_side(name)}">{_title(name)}</th>{cells}</tr>'


def _figure(link: str) -> str:
    alt, caption = _CAPTIONS[link.rsplit("/", 1)[-1]]
    return (
        f'<figure><a href="{escape(link)}"><img src="{escape(link)}" alt="{escape(alt)}" loading="lazy"></a>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _title(name: str) -> str:
    return escape(name.replace("_", " ").capitalize())


def _side(name: str) -> str:
    return escape(name.split("_")[0])
