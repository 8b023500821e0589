"""What model galaxies are drawn from: named sets of priors, each number with its source."""

from dataclasses import dataclass, replace

from engine.errors import SettingsError

HISTORIES = ("sandage", "exponential")
SPREADS = ("log-uniform", "uniform")
ENRICHMENTS = ("mean", "ends", "constant")
METALLICITY_PRIORS = ("tanh", "tanh cumulative", "log-uniform")

_LIMITS = (
    "onset_age",
    "tau_over_onset_age",
    "Z_mean",
    "Z_ends",
    "beta",
    "burst_mass",
    "composite_size",
)  # pairs, both above zero
_LIMITS_FROM_ZERO = ("gamma", "burst_age", "burst_length")
_SHARES = ("burst_free", "dust_free", "composite_share")


@dataclass(frozen=True)
class Priors:
    """One set of priors. Default: Mattolini et al. (2025) table A.1, the latest published of the group.

    Metallicities in Zsun, times in yr; pairs are lower and upper limits. Raises SettingsError where they make no sense.
    """

    name: str = "mattolini25"

    # Continuous history. "sandage": a time scale log-uniform in units of the onset age; "exponential": its inverse
    # gamma [1/yr] uniform
    history: str = "sandage"  # table A.1, ZG22 sec. 2.1
    onset_age_spread: str = "log-uniform"
    onset_age: tuple[float, float] = (5e8, 2e10)  # table A.1 (older than the universe on purpose)
    tau_over_onset_age: tuple[float, float] = (0.05, 2.0)  # table A.1; "sandage" only
    gamma: tuple[float, float] = (0.0, 1e-9)  # Gallazzi+05 sec. 2.2; "exponential" only

    # Metallicity. "mean": draw the mean of the stars, table A.1; "ends": draw Z_initial and Z_final, recalled of
    # Zibetti+17; "constant": all stars alike, Gallazzi+05
    enrichment: str = "mean"
    # Of the mean. choice: table A.1's tanh read as density (0 at the lower limit, 0.9 at Z_tenth)
    metallicity_prior: str = "tanh"
    Z_mean: tuple[float, float] = (0.02, 3.8)  # table A.1
    Z_tenth: float = 0.1  # where the tanh reaches 0.9; table A.1
    Z_initial_max: float = 0.05  # log-uniform from Z_mean[0] to the smaller of this and the mean; table A.1
    Z_final_max: float = 4.0  # table A.1
    Z_ends: tuple[float, float] = (0.02, 2.5)  # "ends": both log-uniform, initial below final; recalled of Zibetti+17
    beta: tuple[float, float] = (0.05, 0.80)  # uniform, 1 / (1 + alpha); table A.1

    # Bursts: none in the share burst_free, else n with probability falling as exp(-n)
    burst_free: float = 1.0 / 3.0  # table A.1
    n_burst_max: int = 6  # table A.1
    burst_age_spread: str = "log-uniform"  # table A.1
    burst_age: tuple[float, float] = (1e5, 2e10)  # up to the onset, if that is later; table A.1
    burst_mass: tuple[float, float] = (1e-3, 2.0)  # log-uniform, over the mass of the continuous history; table A.1
    burst_length: tuple[float, float] = (0.0, 0.0)  # uniform; at once in table A.1
    young_burst_mass_max: float = 0.1  # choice: table A.1 has a tighter limit for young bursts but does not give it
    young_burst_age: float = 1e8  # table A.1
    burst_Z_scatter: float = 0.2  # dex about the enrichment history; table A.1

    # Dust: density 1 - tanh(a x - b) up to the third number
    dust_free: float = 0.0  # fraction of models without dust; recalled of Zibetti+17: 0.25
    tau_v: tuple[float, float, float] = (1.5, 6.7, 6.0)  # da Cunha+08, table A.1
    ism_fraction: tuple[float, float, float] = (8.0, 6.0, 1.0)  # da Cunha+08 (recalled)

    # Composite models, engine.library.composites: share of models that are sums of several histories, how many
    # (log-uniform), and how far the parts scatter about the first in mean log age and log Z [dex]. choice: none, since
    # they cost more for single histories than they cure (docs/priors.md)
    composite_share: float = 0.0
    composite_size: tuple[int, int] = (2, 12)
    composite_age_scatter: float = 0.05
    composite_Z_scatter: float = 0.1

    def __post_init__(self):
        _check_choice("history", self.history, HISTORIES)
        _check_choice("onset_age_spread", self.onset_age_spread, SPREADS)
        _check_choice("enrichment", self.enrichment, ENRICHMENTS)
        _check_choice("metallicity_prior", self.metallicity_prior, METALLICITY_PRIORS)
        _check_choice("burst_age_spread", self.burst_age_spread, SPREADS)
        for name in _LIMITS:
            _check_limits(name, getattr(self, name))
        for name in _LIMITS_FROM_ZERO:
            _check_limits_from_zero(name, getattr(self, name))
        for name in _SHARES:
            _check_share(name, getattr(self, name))
        lowest = self.Z_ends[0] if self.enrichment == "ends" else self.Z_mean[0]
        if not self.Z_final_max > lowest:
            raise SettingsError(f"the prior Z_final_max, {self.Z_final_max}, leaves no metallicity above {lowest}")


def _check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise SettingsError(f"the prior {name} is one of {', '.join(known)}, not {value!r}")


def _check_limits(name: str, limits: tuple[float, float]) -> None:
    low, high = limits
    if not 0 < low < high:
        raise SettingsError(f"the prior {name} needs two rising positive limits, not {low} and {high}")


def _check_limits_from_zero(name: str, limits: tuple[float, float]) -> None:
    low, high = limits
    if not 0 <= low <= high:
        raise SettingsError(f"the prior {name} needs two limits that do not fall, from zero on, not {low} and {high}")


def _check_share(name: str, share: float) -> None:
    if not 0 <= share <= 1:
        raise SettingsError(f"the prior {name} is a share from 0 to 1, not {share}")


# Gallazzi et al. (2005, MNRAS 362, 41) sec. 2.2, after Kauffmann et al. (2003, MNRAS 341, 33) sec. 2; limits and
# spreads as repeated by Chen et al. (2012, MNRAS 421, 314). No dust in the indices (recalled), so for indices alone.
# choice: bursts only within the last 2 Gyr; at an equal rate before, ages of old galaxies come out 0.02 dex younger
GALLAZZI05 = Priors(
    name="gallazzi05",
    history="exponential",
    onset_age_spread="uniform",
    onset_age=(1.5e9, 13.5e9),
    gamma=(0.0, 1e-9),
    enrichment="constant",
    metallicity_prior="log-uniform",
    Z_mean=(0.02, 2.5),
    burst_free=0.9,
    n_burst_max=1,
    burst_age_spread="uniform",
    burst_age=(0.0, 2e9),
    burst_mass=(0.03, 4.0),
    burst_length=(3e7, 3e8),
    young_burst_mass_max=4.0,
    burst_Z_scatter=0.0,
    dust_free=1.0,
)
GALLAZZI05_DUSTY = replace(GALLAZZI05, name="gallazzi05-dusty", dust_free=0.0)
PRIOR_SETS = {priors.name: priors for priors in (Priors(), GALLAZZI05, GALLAZZI05_DUSTY)}


def prior_set(name: str) -> Priors:
    """The set of a name; raises SettingsError that lists the known names."""
    if name not in PRIOR_SETS:
        raise SettingsError(f"there are no priors named {name!r}; known are {', '.join(PRIOR_SETS)}")
    return PRIOR_SETS[name]
