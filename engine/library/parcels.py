"""Histories cut into parcels of stars of one age and metallicity, laid on the nodes of a grid of populations.

The continuous history gives a parcel between each two ages of the grid, and more where it forms much of its mass
between them; a burst is one parcel. Each is shared between the nodes around it, linear in age and in log Z; a Z
beyond the grid is held at its end, in the light and in the means alike.
"""

from typing import NamedTuple

import numba
import numpy as np

from engine.compiled import njit
from engine.library.draw import Histories
from engine.library.enrichment import leaking_box
from engine.library.sfh import mass_formed
from engine.types import FloatArray

LARGEST_PARCEL = 0.02  # of the mass of the continuous history: metallicity hardly changes within


class Nodes(NamedTuple):
    """Where mass is laid: ages [yr] and log Z/Zsun of the grid, twice around the age at which birth clouds dissolve.

    Rows of light are first those of stars in clouds, up to the age above cloud_lifetime, then those of stars outside,
    from the age below it: dust depends on the age of a parcel, not on that of the nodes it lies between.
    """

    age: FloatArray  # (age,)
    log_Z: FloatArray  # (metal,)
    cloud_lifetime: float  # yr
    n_young: int  # ages in the first part

    def rows(self, part: FloatArray) -> FloatArray:
        """(metal, age, ...) of a grid as (node, ...)."""
        ages = np.concatenate([np.arange(self.n_young), np.arange(self.n_young - 2, self.age.size)])
        return np.moveaxis(part, 0, 1)[ages].reshape(-1, *part.shape[2:])


class Laid(NamedTuple):
    """What became of the histories."""

    mass: FloatArray  # (model, node) float32, Msun formed per Msun formed in all
    log_age_wr: FloatArray  # (model,)
    log_Z_wr: FloatArray  # (model,)


def make_nodes(age: FloatArray, metallicity: FloatArray, cloud_lifetime: float) -> Nodes:
    """Nodes of a grid of populations; age (age,) yr and metallicity (metal,) Zsun rise."""
    above = int(np.clip(np.searchsorted(age, cloud_lifetime), 1, age.size - 1))
    return Nodes(np.asarray(age, float), np.log10(metallicity), cloud_lifetime, above + 1)


def lay_on_nodes(histories: Histories, nodes: Nodes, r_light: FloatArray, young: FloatArray, old: FloatArray) -> Laid:
    """Mass on every node, and the means of age and metallicity weighted by r-band light behind the dust.

    r_light (node, piece) light of the nodes per Msun in pieces of the r band; young, old (model, piece) the
    transmission of the dust there. Total mass formed is 1 per model.
    """
    n = histories.tau.size
    mass = np.zeros((n, r_light.shape[0]), dtype=np.float32)
    means = np.empty((n, 2))
    _lay(*histories[:8], *nodes, r_light.astype(float), young.astype(float), old.astype(float), mass, means)
    return Laid(mass, means[:, 0], means[:, 1])


@njit(parallel=True)
def _lay(  # noqa: PLR0913, PLR0917 (numba takes arrays, not tuples of them)
    onset_age, tau, Z_initial, Z_final, alpha, burst_age, burst_mass, burst_Z,
    age, log_Z, lifetime, n_young, r_light, young, old, mass, means,
):  # fmt: skip
    for i in numba.prange(tau.size):
        continuous = _continuous_parcels(onset_age[i], tau[i], Z_initial[i], Z_final[i], alpha[i], age)
        bursts = np.column_stack((burst_mass[i], burst_age[i], burst_Z[i]))
        stars = np.concatenate((continuous, bursts))
        scale = 1.0 / stars[:, 0].sum()
        sums = np.zeros(3)  # r-band light, light * age, light * Z
        for s in range(stars.shape[0]):
            parcel, t = scale * stars[s, 0], stars[s, 1]
            Z = min(max(stars[s, 2], 10.0 ** log_Z[0]), 10.0 ** log_Z[-1])
            if parcel > 0.0:
                light = _lay_one(parcel, t, Z, age, log_Z, lifetime, n_young, r_light, young[i], old[i], mass[i])
                sums += light * np.array((1.0, t, Z))
        means[i, 0], means[i, 1] = np.log10(sums[1] / sums[0]), np.log10(sums[2] / sums[0])


@njit()
def _continuous_parcels(onset_age, tau, Z_initial, Z_final, alpha, age):
    """Parcels (parcel, 3) of the continuous history: mass, age, Z; 1 Msun in all, youngest first."""
    stars = np.empty((age.size + int(1 / LARGEST_PARCEL) + 2, 3))
    total = mass_formed(onset_age, tau)
    n, younger, later = 0, 0.0, 1.0  # later: part of the mass formed before the younger edge
    for k in range(1, age.size + 1):
        older = min(age[k], onset_age) if k < age.size else onset_age
        part = (later - mass_formed(onset_age - older, tau) / total) / LARGEST_PARCEL
        n_step = 1 + int(part)
        step = (older - younger) / n_step
        for _ in range(n_step if older > younger else 0):
            earlier = mass_formed(onset_age - younger - step, tau) / total
            Z = leaking_box(0.5 * (later + earlier), Z_initial, Z_final, alpha)
            stars[n] = later - earlier, younger + 0.5 * step, Z
            n, younger, later = n + 1, younger + step, earlier
    return stars[:n]


@njit()
def _lay_one(parcel, t, Z, age, log_Z, lifetime, n_young, r_light, young, old, mass):  # noqa: PLR0913, PLR0917
    """Lay a parcel on the four nodes around its age and log Z; its r-band light behind the dust."""
    k, older = _between(age, t)
    j, richer = _between(log_Z, np.log10(Z))
    inside = t < lifetime and k + 1 < n_young
    dust = young if inside else old
    light = 0.0
    for corner in range(4):
        in_age, in_Z = corner // 2, corner % 2
        part = parcel * (older if in_age else 1.0 - older) * (richer if in_Z else 1.0 - richer)
        node = (k + in_age + (0 if inside else 2)) * log_Z.size + j + in_Z
        mass[node] += part
        for p in range(dust.size):
            light += part * r_light[node, p] * dust[p]
    return light


@njit()
def _between(nodes, value):
    """Node below the value and how far the value lies towards the next one, 0 to 1; held at the ends."""
    k = min(max(np.searchsorted(nodes, value, side="right") - 1, 0), nodes.size - 2)
    return k, min(max((value - nodes[k]) / (nodes[k + 1] - nodes[k]), 0.0), 1.0)
