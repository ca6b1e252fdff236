"""How well sources were separated: SI-SDR, and SDR/SIR/SAR of BSS Eval v4.

Conventions: signals are mono float arrays of one length; references and estimates come in the same order.
SI-SDR is one number for the whole signal (Le Roux et al., *SDR, half-baked or well done?*, ICASSP 2019); SDR, SIR
and SAR are the median over frames of one second (Stöter et al., *The 2018 Signal Separation Evaluation
Campaign*; computed by museval). The two kinds are never compared. All values are in dB.
"""

from __future__ import annotations

import importlib.util
import math
import warnings
from collections import OrderedDict
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from terzetto.errors import InputError

Signals = NDArray[np.floating]


def validate(references: Signals, estimates: Signals) -> None:
    """Check that both are (sources, samples) of one shape, finite, and that no reference is silent."""
    if references.ndim != 2 or references.shape != estimates.shape:
        raise InputError(
            f"references and estimates must both be (sources, samples); given {references.shape} and {estimates.shape}"
        )
    if not (np.isfinite(references).all() and np.isfinite(estimates).all()):
        raise InputError("references and estimates must be finite numbers")
    silent = np.flatnonzero(~references.any(axis=1))
    if len(silent):
        raise InputError(f"reference {silent[0] + 1} is silent: no ratio to it can be measured")


def si_sdr(reference: Signals, estimate: Signals) -> float:
    """Return the scale-invariant signal-to-distortion ratio in dB; ``inf`` for a scaled copy, ``-inf`` for silence."""
    reference = np.asarray(reference, np.float64)
    estimate = np.asarray(estimate, np.float64)
    energy = float(reference @ reference)
    target = (float(estimate @ reference) / energy) * reference if energy else np.zeros_like(reference)
    error = estimate - target
    signal, noise = float(target @ target), float(error @ error)
    if signal == 0.0:
        return -np.inf
    return float("inf") if noise == 0.0 else 10.0 * math.log10(signal / noise)


def bss_eval(references: Signals, estimates: Signals, sample_rate: float) -> dict[str, NDArray[np.float64]]:
    """Return ``sdr``, ``sir`` and ``sar`` per source in dB: the median over frames of one second (BSS Eval v4).

    A silent estimate has an ``sdr`` of ``-inf`` and neither ``sir`` nor ``sar`` (``nan``).
    """
    validate(references, estimates)
    window = round(sample_rate)
    metrics = _museval_metrics()
    # museval refuses silent estimates. An estimate's measures depend on no other estimate, so one stands in for it.
    silent = np.asarray(~estimates.any(axis=1))
    estimates = np.where(silent[:, None], references, estimates)
    # Frames in which a reference or an estimate is silent have no ratio; museval leaves them as NaN.
    with np.errstate(divide="ignore", invalid="ignore"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
        sdr, _, sir, sar, _ = metrics.bss_eval(
            references[..., None], estimates[..., None], window=window, hop=window, bsseval_sources_version=False
        )
        medians = {
            name: np.nanmedian(np.asarray(values, np.float64), axis=1)
            for name, values in (("sdr", sdr), ("sir", sir), ("sar", sar))
        }
    for name, values in medians.items():
        values[silent] = -np.inf if name == "sdr" else np.nan
    return medians


def evaluate(
    references: Signals, estimates: Signals, sample_rate: float, names: tuple[str, ...], *, with_bss_eval: bool = True
) -> OrderedDict[str, OrderedDict[str, float]]:
    """Measure every source against its reference.

    Returns
    -------
    OrderedDict
        name → ``si_sdr``, ``si_sdr_improvement`` (over the mix of the references) and, if asked for, ``sdr``,
        ``sir``, ``sar``.
    """
    validate(references, estimates)
    mix = references.sum(axis=0)
    scores: OrderedDict[str, OrderedDict[str, float]] = OrderedDict()
    for i, name in enumerate(names):
        value = si_sdr(references[i], estimates[i])
        scores[name] = OrderedDict(si_sdr=value, si_sdr_improvement=value - si_sdr(references[i], mix))
    if with_bss_eval:
        for metric, values in bss_eval(references, estimates, sample_rate).items():
            for name, number in zip(names, values, strict=True):
                scores[name][metric] = float(number)
    return scores


def _museval_metrics() -> ModuleType:
    """Load museval's metrics alone: importing the package pulls in musdb and stempeg, which insist on ffmpeg."""
    package = importlib.util.find_spec("museval")
    if package is None or not package.submodule_search_locations:
        raise InputError("SDR, SIR and SAR need museval: pip install museval")
    location = f"{package.submodule_search_locations[0]}/metrics.py"
    spec = importlib.util.spec_from_file_location("museval_metrics", location)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
