"""Histories cut into parcels of stars of one age and metallicity, laid on the nodes of a grid of populations.

The continuous history gives one parcel per age of the grid, a burst one parcel; each is shared between the nodes
around it, linear in age and in log Z, so that age and light of a parcel are those of its neighbours in between.
"""

from typing import NamedTuple

import numba
import numpy as np

from engine.library.draw import Histories
from engine.library.enrichment import leaking_box
from engine.library.sfh import mass_formed
from engine.types import FloatArray


class Nodes(NamedTuple):
    """Where mass is laid: ages of the grid [yr], log Z/Zsun, and the first age outside birth clouds."""

    age: FloatArray  # (age,)
    age_edges: FloatArray  # (age + 1,) half way between the ages
    log_Z: FloatArray  # (metal,)
    n_young: int


class Laid(NamedTuple):
    """What became of the histories."""

    mass: FloatArray  # (model, age * metal) float32, Msun formed per Msun formed in all
    log_age_wr: FloatArray  # (model,)
    log_Z_wr: FloatArray  # (model,)


def make_nodes(age: FloatArray, metallicity: FloatArray, cloud_lifetime: float) -> Nodes:
    """Nodes of a grid of populations; age (age,) yr and metallicity (metal,) Zsun rise."""
    middle = 0.5 * (age[1:] + age[:-1])
    edges = np.concatenate([[0.0], middle, [np.inf]])
    return Nodes(np.asarray(age, float), edges, np.log10(metallicity), int(np.searchsorted(age, cloud_lifetime)))


def lay_on_nodes(histories: Histories, nodes: Nodes, r_light: FloatArray, young: FloatArray, old: FloatArray) -> Laid:
    """Mass on every node, and the means of age and metallicity weighted by r-band light behind the dust.

    r_light (age * metal, piece) light of the nodes per Msun in pieces of the r band; young, old (model, piece) the
    transmission of the dust there. Total mass formed is 1 per model.
    """
    n = histories.tau.size
    mass = np.zeros((n, nodes.age.size * nodes.log_Z.size), dtype=np.float32)
    means = np.empty((n, 2))
    _lay(*histories[:8], *nodes, r_light.astype(float), young.astype(float), old.astype(float), mass, means)
    return Laid(mass, means[:, 0], means[:, 1])


@numba.njit(cache=True, parallel=True)
def _lay(
    onset_age, tau, Z_initial, Z_final, alpha, burst_age, burst_mass, burst_Z,
    age, age_edges, log_Z, n_young, r_light, young, old, mass, means,
):  # fmt: skip
    for i in numba.prange(tau.size):
        total = mass_formed(onset_age[i], tau[i])
        scale = 1.0 / (1.0 + burst_mass[i].sum())
        sums = np.zeros(3)  # light, light * age, light * Z
        later = 1.0  # fraction of the continuous history formed before the younger edge of the cell
        for k in range(age.size):
            if age_edges[k] >= onset_age[i]:
                break
            earlier = mass_formed(onset_age[i] - age_edges[k + 1], tau[i]) / total
            parcel = (later - earlier) * scale
            Z = leaking_box(0.5 * (later + earlier), Z_initial[i], Z_final[i], alpha[i])
            light = _lay_one(parcel, k, Z, log_Z, r_light, young[i] if k < n_young else old[i], mass[i])
            _add(sums, light, min(age[k], onset_age[i]), Z)
            later = earlier
        for b in range(burst_mass.shape[1]):
            if burst_mass[i, b] > 0.0:
                k, share = _between(age, burst_age[i, b])
                for step in range(2):
                    parcel = burst_mass[i, b] * scale * (share if step else 1.0 - share)
                    dust = young[i] if k + step < n_young else old[i]
                    light = _lay_one(parcel, k + step, burst_Z[i, b], log_Z, r_light, dust, mass[i])
                    _add(sums, light, burst_age[i, b], burst_Z[i, b])
        means[i, 0], means[i, 1] = np.log10(sums[1] / sums[0]), np.log10(sums[2] / sums[0])


@numba.njit(cache=True)
def _between(nodes, value):
    """Node below the value and how far the value lies towards the next one, 0 to 1; held at the ends."""
    k = min(max(np.searchsorted(nodes, value, side="right") - 1, 0), nodes.size - 2)
    return k, min(max((value - nodes[k]) / (nodes[k + 1] - nodes[k]), 0.0), 1.0)


@numba.njit(cache=True)
def _lay_one(parcel, k, Z, log_Z, r_light, dust, mass):
    """Lay a parcel of age node k between two metallicities; its r-band light behind the dust."""
    j, share = _between(log_Z, np.log10(Z))
    light = 0.0
    for step in range(2):
        part = parcel * (share if step else 1.0 - share)
        node = k * log_Z.size + j + step
        mass[node] += part
        for p in range(dust.size):
            light += part * r_light[node, p] * dust[p]
    return light


@numba.njit(cache=True)
def _add(sums, light, age, Z):
    sums[0] += light
    sums[1] += light * age
    sums[2] += light * Z
