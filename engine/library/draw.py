"""The only place where model histories are drawn: the priors of the library."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from engine.errors import SettingsError
from engine.library.enrichment import final_metallicity, leaking_box
from engine.library.sfh import mass_formed
from engine.types import FloatArray, IntArray

METALLICITY_PRIORS = ("tanh", "tanh cumulative", "log-uniform")
ENRICHMENTS = ("mean", "ends")


@dataclass(frozen=True)
class Priors:
    """What models are drawn from. Default: Mattolini et al. (2025) table A.1, the latest published of the group.

    Metallicities in Zsun, times in yr; pairs are lower and upper limits.
    """

    onset_age: tuple[float, float] = (5e8, 2e10)  # log-uniform; table A.1 (older than the universe on purpose)
    tau_over_onset_age: tuple[float, float] = (0.05, 2.0)  # log-uniform; table A.1
    enrichment: str = (
        "mean"  # "mean": draw the mean Z, table A.1; "ends": draw Z_initial and Z_final, recalled of Zibetti+17
    )
    metallicity_prior: str = (
        "tanh"  # of the mean Z; choice: table A.1's tanh read as density (0 at lower limit, 0.9 at 0.1)
    )
    Z_mean: tuple[float, float] = (0.02, 3.8)  # table A.1
    Z_tenth: float = 0.1  # where the tanh reaches 0.9; table A.1
    Z_initial_max: float = 0.05  # log-uniform from Z_mean[0] to the smaller of this and the mean; table A.1
    Z_final_max: float = 4.0  # table A.1
    Z_ends: tuple[float, float] = (
        0.02,
        2.5,
    )  # "ends" only: both log-uniform, initial below final; recalled of Zibetti+17
    beta: tuple[float, float] = (0.05, 0.80)  # uniform, 1 / (1 + alpha); table A.1
    burst_free: float = 1.0 / 3.0  # fraction of models without burst; table A.1
    n_burst_max: int = 6  # numbers follow exp(-n); table A.1
    burst_age_min: float = 1e5  # log-uniform up to the onset; table A.1
    burst_mass: tuple[float, float] = (1e-3, 2.0)  # log-uniform, over the mass of the continuous history; table A.1
    young_burst_mass_max: float = 0.1  # choice: table A.1 has a tighter limit for young bursts but does not give it
    young_burst_age: float = 1e8  # table A.1
    burst_Z_scatter: float = 0.2  # dex about the enrichment history; table A.1
    dust_free: float = 0.0  # fraction of models without dust; recalled of Zibetti+17: 0.25
    tau_v: tuple[float, float, float] = (
        1.5,
        6.7,
        6.0,
    )  # density 1 - tanh(a x - b) up to the third; da Cunha+08, table A.1
    ism_fraction: tuple[float, float, float] = (8.0, 6.0, 1.0)  # the same; da Cunha+08 (recalled)

    def __post_init__(self):
        _check_choice("metallicity_prior", self.metallicity_prior, METALLICITY_PRIORS)
        _check_choice("enrichment", self.enrichment, ENRICHMENTS)
        lowest = self.Z_ends[0] if self.enrichment == "ends" else self.Z_mean[0]
        if not self.Z_final_max > lowest:
            raise SettingsError(f"the prior Z_final_max, {self.Z_final_max}, leaves no metallicity above {lowest}")
        for name in ("onset_age", "tau_over_onset_age", "Z_mean", "Z_ends", "beta", "burst_mass"):
            low, high = getattr(self, name)
            if not 0 < low < high:
                raise SettingsError(f"the prior {name} needs two rising positive limits, not {low} and {high}")


class Histories(NamedTuple):
    """Star formation, enrichment and dust of models; (model,) each, (model, burst) for bursts."""

    onset_age: FloatArray  # yr before observation
    tau: FloatArray  # yr
    Z_initial: FloatArray  # Zsun
    Z_final: FloatArray
    alpha: FloatArray
    burst_age: FloatArray  # yr
    burst_mass: FloatArray  # over the mass of the continuous history; 0: no burst
    burst_Z: FloatArray  # Zsun
    tau_v: FloatArray
    ism_fraction: FloatArray


def draw_histories(n_model: int, priors: Priors, rng: np.random.Generator) -> Histories:
    """Histories drawn from the priors; the same generator state gives the same histories."""
    if n_model < 1:
        raise SettingsError(f"a library needs one model or more, not {n_model}")
    onset_age = _log_uniform(rng, *priors.onset_age, n_model)
    tau = onset_age * _log_uniform(rng, *priors.tau_over_onset_age, n_model)
    Z_initial, Z_final, alpha = _draw_enrichment(n_model, priors, rng)
    history = np.stack([onset_age, tau, Z_initial, Z_final, alpha])
    bursts = _draw_bursts(history, priors, rng)
    tau_v = _draw_tanh(rng, *priors.tau_v, n_model) * (rng.random(n_model) >= priors.dust_free)
    return Histories(*history, *bursts, tau_v, _draw_tanh(rng, *priors.ism_fraction, n_model))


def _draw_enrichment(n: int, priors: Priors, rng: np.random.Generator) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Z_initial, Z_final and alpha; draws whose Z_final is too high are drawn again as a whole."""
    drawn = _try_enrichment(n, priors, rng)
    while (again := np.flatnonzero(drawn[1] > priors.Z_final_max)).size:
        drawn[:, again] = _try_enrichment(again.size, priors, rng)
    Z_initial, Z_final, beta = drawn
    return Z_initial, Z_final, 1.0 / beta - 1.0


def _try_enrichment(n: int, priors: Priors, rng: np.random.Generator) -> FloatArray:
    beta = rng.uniform(*priors.beta, n)
    if priors.enrichment == "ends":
        low, high = np.sort(_log_uniform(rng, *priors.Z_ends, (2, n)), axis=0)
        return np.stack([low, high, beta])
    Z_mean = _draw_Z_mean(n, priors, rng)
    Z_initial = _log_uniform(rng, priors.Z_mean[0], np.minimum(priors.Z_initial_max, Z_mean), n)
    return np.stack([Z_initial, final_metallicity(Z_mean, Z_initial, beta), beta])


def _draw_Z_mean(n: int, priors: Priors, rng: np.random.Generator) -> FloatArray:
    """Mean metallicities; the tanh of log Z starts at the lower limit and reaches 0.9 at Z_tenth."""
    low, high = np.log10(priors.Z_mean)
    if priors.metallicity_prior == "log-uniform":
        return 10.0 ** rng.uniform(low, high, n)
    log_Z = np.linspace(low, high, 4001)
    shape = np.tanh(np.arctanh(0.9) * (log_Z - low) / (np.log10(priors.Z_tenth) - low))
    cumulative = np.cumsum(shape) - shape[0] if priors.metallicity_prior == "tanh" else shape
    return 10.0 ** np.interp(rng.random(n), cumulative / cumulative[-1], log_Z)


def _draw_bursts(history: FloatArray, priors: Priors, rng: np.random.Generator) -> tuple[FloatArray, ...]:
    """Age, mass and metallicity of bursts, (model, n_burst_max) each; mass 0 where there is none."""
    onset_age, tau, Z_initial, Z_final, alpha = history[:, :, None]
    shape = (onset_age.size, priors.n_burst_max)
    age = _log_uniform(rng, priors.burst_age_min, onset_age, shape)
    mass = _log_uniform(rng, *priors.burst_mass, shape)
    young_mass = _log_uniform(rng, priors.burst_mass[0], priors.young_burst_mass_max, shape)
    mass = np.where(age < priors.young_burst_age, young_mass, mass)
    formed = mass_formed(onset_age - age, tau) / mass_formed(onset_age, tau)
    Z = leaking_box(formed, Z_initial, Z_final, alpha) * 10.0 ** (priors.burst_Z_scatter * rng.standard_normal(shape))
    exists = np.arange(priors.n_burst_max) < _draw_burst_numbers(shape[0], priors, rng)[:, None]
    return age, np.where(exists, mass, 0.0), Z


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


def _log_uniform(rng: np.random.Generator, low, high, shape) -> FloatArray:
    return np.exp(rng.uniform(np.log(low), np.log(high), shape))


def _check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise SettingsError(f"the prior {name} is one of {', '.join(known)}, not {value!r}")
