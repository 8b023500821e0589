"""Histories cut into parcels of stars of one age and metallicity, laid on the nodes of a grid of populations.

The continuous history gives a parcel between each two ages of the grid, and more where it forms much of its mass
between them; a burst is one parcel, or BURST_PARCELS if it lasts. Each is shared between the nodes around it, linear
in age and in log Z; a Z beyond the grid is held at its end, in the light and in the means alike.
"""

from typing import Any, NamedTuple

import numba
import numpy as np

from engine.compiled import njit
from engine.library.draw import Histories
from engine.library.enrichment import leaking_box
from engine.library.sfh import mass_formed
from engine.types import FloatArray, IntArray

LARGEST_PARCEL = 0.02  # of the mass of the continuous history: metallicity hardly changes within
BURST_PARCELS = 8  # choice: of a burst that lasts, 3e8 yr at most in the priors here
N_STARS = Histories._fields.index("burst_Z") + 1  # fields of Histories up to the dust


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


class Composition(NamedTuple):
    """Which histories make up each model, and how much of its mass each of them forms.

    The histories of model i are those from first[i] to first[i + 1] (not included).
    """

    first: IntArray  # (model + 1,)
    share: FloatArray  # (history,) of the mass formed; in all 1 per model

    @classmethod
    def of_singles(cls, n: int) -> "Composition":
        """Each history is a model."""
        return cls(np.arange(n + 1), np.ones(n))

    @property
    def n_model(self) -> int:
        return self.first.size - 1

    def rows(self, start: int, stop: int) -> tuple[slice, "Composition"]:
        """Histories of the models from start to stop, and how these are made of them."""
        histories = slice(int(self.first[start]), int(self.first[stop]))
        return histories, Composition(self.first[start : stop + 1] - histories.start, self.share[histories])


def lay_on_nodes(
    histories: Histories, nodes: Nodes, r_light: FloatArray, young: FloatArray, old: FloatArray,
    *, composition: Composition | None = None,
) -> Laid:  # fmt: skip
    """Mass on every node, and the means of age and metallicity weighted by r-band light behind the dust.

    r_light (node, piece) light of the nodes per Msun in pieces of the r band; young, old (model, piece) the
    transmission of the dust there. composition: histories of each model, all behind the same dust; one each if not
    given. Total mass formed is 1 per model.
    """
    composition = composition or Composition.of_singles(histories.tau.size)
    mass = np.zeros((composition.n_model, r_light.shape[0]), dtype=np.float32)
    means = np.empty((composition.n_model, 2))
    light = [r_light.astype(float), young.astype(float), old.astype(float)]
    arguments: list[Any] = [*histories[:N_STARS], *composition, *nodes, *light, mass, means]
    _lay(*arguments)
    return Laid(mass, means[:, 0], means[:, 1])


@njit(parallel=True)
def _lay(  # noqa: PLR0913, PLR0917 (numba takes arrays, not tuples of them)
    onset_age, tau, exponential, Z_initial, Z_final, alpha, burst_age, burst_mass, burst_length, burst_Z,
    first, share, age, log_Z, lifetime, n_young, r_light, young, old, mass, means,
):  # fmt: skip
    poorest = 10.0 ** log_Z[0]
    richest = 10.0 ** log_Z[-1]
    for i in numba.prange(first.size - 1):
        r_sum = 0.0
        age_sum = 0.0
        Z_sum = 0.0
        for h in range(first[i], first[i + 1]):
            continuous = _continuous_parcels(
                onset_age[h], tau[h], exponential[h], Z_initial[h], Z_final[h], alpha[h], age
            )
            bursts = _burst_parcels(burst_age[h], burst_mass[h], burst_length[h], burst_Z[h])
            stars = np.concatenate((continuous, bursts))
            scale = share[h] / stars[:, 0].sum()
            for s in range(stars.shape[0]):
                parcel = scale * stars[s, 0]
                t = stars[s, 1]
                Z = min(max(stars[s, 2], poorest), richest)
                if parcel > 0.0:
                    light = _lay_one(parcel, t, Z, age, log_Z, lifetime, n_young, r_light, young[i], old[i], mass[i])
                    r_sum += light
                    age_sum += light * t
                    Z_sum += light * Z
        means[i, 0] = np.log10(age_sum / r_sum)
        means[i, 1] = np.log10(Z_sum / r_sum)


@njit()
def _continuous_parcels(onset_age, tau, exponential, Z_initial, Z_final, alpha, age):
    """Parcels (parcel, 3) of the continuous history: mass, age, Z; 1 Msun in all, youngest first."""
    stars = np.empty((age.size + int(1 / LARGEST_PARCEL) + 2, 3))
    total = mass_formed(onset_age, tau, exponential)
    n, younger, later = 0, 0.0, 1.0  # later: part of the mass formed before the younger edge
    for k in range(1, age.size + 1):
        older = min(age[k], onset_age) if k < age.size else onset_age
        part = (later - mass_formed(onset_age - older, tau, exponential) / total) / LARGEST_PARCEL
        n_step = 1 + int(part)
        step = (older - younger) / n_step
        for _ in range(n_step if older > younger else 0):
            earlier = mass_formed(onset_age - younger - step, tau, exponential) / total
            Z = leaking_box(0.5 * (later + earlier), Z_initial, Z_final, alpha)
            stars[n] = later - earlier, younger + 0.5 * step, Z
            n = n + 1
            younger = younger + step
            later = earlier
    return stars[:n]


@njit()
def _burst_parcels(burst_age, burst_mass, burst_length, burst_Z):
    """Parcels (parcel, 3) of the bursts: mass, age, Z; those that last are cut into pieces of equal time."""
    stars = np.empty((burst_age.size * BURST_PARCELS, 3))
    n = 0
    for b in range(burst_age.size):
        n_piece = BURST_PARCELS if burst_length[b] > 0.0 else 1
        step = burst_length[b] / n_piece
        for piece in range(n_piece if burst_mass[b] > 0.0 else 0):
            stars[n] = burst_mass[b] / n_piece, burst_age[b] - (piece + 0.5) * step, burst_Z[b]
            n += 1
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
        in_age = corner // 2
        in_Z = corner % 2
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
