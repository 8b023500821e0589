"""The only place where model histories are drawn, from the priors of the library."""

from typing import NamedTuple

import numpy as np

from engine.errors import SettingsError
from engine.library.enrichment import final_metallicity, leaking_box
from engine.library.priors import Priors
from engine.library.sfh import mass_formed
from engine.types import BoolArray, FloatArray, IntArray


class Histories(NamedTuple):
    """Star formation, enrichment and dust of models; (model,) each, (model, burst) for bursts."""

    onset_age: FloatArray  # yr before observation
    tau: FloatArray  # yr
    exponential: BoolArray  # SFR falls as exp(-t / tau); else the history of Sandage
    Z_initial: FloatArray  # Zsun
    Z_final: FloatArray
    alpha: FloatArray
    burst_age: FloatArray  # yr before observation, when the burst began
    burst_mass: FloatArray  # formed by now, over the mass of the continuous history; 0: no burst
    burst_length: FloatArray  # yr, so far; 0: all stars at once
    burst_Z: FloatArray  # Zsun
    tau_v: FloatArray
    ism_fraction: FloatArray


def take(histories: Histories, rows: IntArray | slice) -> Histories:
    """Some of the histories, in the order of rows."""
    return Histories(*(part[rows] for part in histories))


def joined(first: Histories, second: Histories) -> Histories:
    """Some histories, then others."""
    return Histories(*(np.concatenate(parts) for parts in zip(first, second, strict=True)))


def draw_histories(n_model: int, priors: Priors, rng: np.random.Generator) -> Histories:
    """Histories drawn from the priors; the same generator state gives the same histories."""
    if n_model < 1:
        raise SettingsError(f"a library needs one model or more, not {n_model}")
    continuous = _draw_continuous(n_model, priors, rng)
    enrichment = _draw_enrichment(n_model, priors, rng)
    bursts = _draw_bursts(continuous, enrichment, priors, rng)
    has_dust = rng.random(n_model) >= priors.dust_free
    tau_v = has_dust * _draw_tanh(rng, *priors.tau_v, n_model)
    ism_fraction = _draw_tanh(rng, *priors.ism_fraction, n_model)
    return Histories(*continuous, *enrichment, *bursts, tau_v, ism_fraction)


class Continuous(NamedTuple):
    """First fields of Histories."""

    onset_age: FloatArray
    tau: FloatArray
    exponential: BoolArray


class Enrichment(NamedTuple):
    """Fields of Histories."""

    Z_initial: FloatArray
    Z_final: FloatArray
    alpha: FloatArray


class Bursts(NamedTuple):
    """Fields of Histories, (model, n_burst_max) each; mass 0 where there is none."""

    age: FloatArray
    mass: FloatArray
    length: FloatArray
    Z: FloatArray


def _draw_continuous(n: int, priors: Priors, rng: np.random.Generator) -> Continuous:
    if priors.onset_age_spread == "uniform":
        onset_age = rng.uniform(*priors.onset_age, n)
    else:
        onset_age = _log_uniform(rng, *priors.onset_age, n)
    exponential = np.full(n, priors.history == "exponential")
    if priors.history == "exponential":
        low, high = priors.gamma
        tau = 1.0 / (high - (high - low) * rng.random(n))  # random() may be 0, never 1: gamma is above low
    else:
        tau = onset_age * _log_uniform(rng, *priors.tau_over_onset_age, n)
    return Continuous(onset_age, tau, exponential)


def _draw_enrichment(n: int, priors: Priors, rng: np.random.Generator) -> Enrichment:
    """Draws whose Z_final is too high are drawn again as a whole."""
    drawn = np.stack(_try_enrichment(n, priors, rng))
    while (again := np.flatnonzero(drawn[1] > priors.Z_final_max)).size:
        drawn[:, again] = _try_enrichment(again.size, priors, rng)
    return Enrichment(*drawn)


def _try_enrichment(n: int, priors: Priors, rng: np.random.Generator) -> Enrichment:
    beta = rng.uniform(*priors.beta, n)
    alpha = 1.0 / beta - 1.0
    if priors.enrichment == "ends":
        low, high = np.sort(_log_uniform(rng, *priors.Z_ends, (2, n)), axis=0)
        return Enrichment(low, high, alpha)
    Z_mean = _draw_Z_mean(n, priors, rng)
    if priors.enrichment == "constant":
        return Enrichment(Z_mean, Z_mean, alpha)
    Z_initial = _log_uniform(rng, priors.Z_mean[0], np.minimum(priors.Z_initial_max, Z_mean), n)
    return Enrichment(Z_initial, final_metallicity(Z_mean, Z_initial, beta), alpha)


def _draw_Z_mean(n: int, priors: Priors, rng: np.random.Generator) -> FloatArray:
    """Mean metallicities; the tanh of log Z starts at the lower limit and reaches 0.9 at Z_tenth."""
    low, high = np.log10(priors.Z_mean)
    if priors.metallicity_prior == "log-uniform":
        return 10.0 ** rng.uniform(low, high, n)
    log_Z = np.linspace(low, high, 4001)
    shape = np.tanh(np.arctanh(0.9) * (log_Z - low) / (np.log10(priors.Z_tenth) - low))
    cumulative = np.cumsum(shape) - shape[0] if priors.metallicity_prior == "tanh" else shape
    return 10.0 ** np.interp(rng.random(n), cumulative / cumulative[-1], log_Z)


def _draw_bursts(continuous: Continuous, enrichment: Enrichment, priors: Priors, rng: np.random.Generator) -> Bursts:
    onset_age = continuous.onset_age[:, None]
    shape = (onset_age.size, priors.n_burst_max)
    age = _draw_burst_ages(onset_age, priors.n_burst_max, priors, rng)
    mass = _draw_burst_masses(age, priors, rng)
    length = rng.uniform(*priors.burst_length, shape)
    so_far = np.divide(age, length, out=np.ones(shape), where=length > age)  # the rate is constant
    expected_Z = _metallicity_at(age, continuous, enrichment)
    Z = expected_Z * 10.0 ** (priors.burst_Z_scatter * rng.standard_normal(shape))
    number = _draw_burst_numbers(shape[0], priors, rng)
    exists = (np.arange(priors.n_burst_max) < number[:, None]) & (onset_age > priors.burst_age[0])
    return Bursts(age, np.where(exists, mass * so_far, 0.0), np.minimum(length, age), Z)


def _metallicity_at(age: FloatArray, continuous: Continuous, enrichment: Enrichment) -> FloatArray:
    """Metallicity that the gas of the continuous histories had at ages before observation (model, burst)."""
    onset_age, tau, exponential = (part[:, None] for part in continuous)
    formed = mass_formed(onset_age - age, tau, exponential) / mass_formed(onset_age, tau, exponential)
    return leaking_box(formed, *(part[:, None] for part in enrichment))


def _draw_burst_masses(age: FloatArray, priors: Priors, rng: np.random.Generator) -> FloatArray:
    """Over the mass of the continuous history; age and masses (model, burst)."""
    mass = _log_uniform(rng, *priors.burst_mass, age.shape)
    young_mass = _log_uniform(rng, priors.burst_mass[0], priors.young_burst_mass_max, age.shape)
    return np.where(age < priors.young_burst_age, young_mass, mass)


def _draw_burst_ages(onset_age: FloatArray, n_burst: int, priors: Priors, rng: np.random.Generator) -> FloatArray:
    """(model, n_burst) between the limits of the priors, none before the onset (model, 1)."""
    latest = priors.burst_age[0]
    earliest = np.maximum(np.minimum(priors.burst_age[1], onset_age), latest)
    shape = (onset_age.size, n_burst)
    if priors.burst_age_spread == "uniform":
        return latest + (earliest - latest) * rng.random(shape)
    return _log_uniform(rng, latest, earliest, shape)


def _draw_burst_numbers(n: int, priors: Priors, rng: np.random.Generator) -> IntArray:
    """None for a fixed fraction of models, else n with probability falling as exp(-n)."""
    number = np.arange(1, priors.n_burst_max + 1)
    some = rng.choice(number, n, p=np.exp(-number) / np.exp(-number).sum())
    return np.where(rng.random(n) < priors.burst_free, 0, some)


def _draw_tanh(rng: np.random.Generator, a: float, b: float, highest: float, n: int) -> FloatArray:
    """Values between 0 and highest with density 1 - tanh(a x - b): flat, then falling to nothing."""
    x = np.linspace(0.0, highest, 4001)
    density = 1.0 - np.tanh(a * x - b)
    cumulative = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]))])
    return np.interp(rng.random(n), cumulative / cumulative[-1], x)


def _log_uniform(
    rng: np.random.Generator, low: float | FloatArray, high: float | FloatArray, shape: int | tuple[int, ...]
) -> FloatArray:
    return np.exp(rng.uniform(np.log(low), np.log(high), shape))
