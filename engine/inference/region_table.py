"""From columns of the region table to what the posterior compares, and from its answer back to columns."""

from collections.abc import Sequence

import numpy as np

from engine.adopted import CALIFA_SPAXEL_ARCSEC
from engine.columns import BANDS, INDEX_NAMES, limits_of
from engine.constants import MAG_PER_E_FOLD
from engine.flags import KEPT, SpaxelFlag
from engine.inference.posterior import Observed, Posterior
from engine.regions import Rows
from engine.spectrum.photometry import surface_flux
from engine.types import BoolArray, FloatArray

OBSERVABLES = (*INDEX_NAMES, *(f"mag_{band}" for band in BANDS))

# Bits the posterior sets; those of an earlier measurement give way to the new ones
FLAGS_OF_POSTERIOR = (
    SpaxelFlag.INDEX_MASKED | SpaxelFlag.PHOTOMETRY_MASKED | SpaxelFlag.FEW_MODELS
    | SpaxelFlag.NO_GOOD_MODEL | SpaxelFlag.NOT_MEASURED | SpaxelFlag.LIBRARY_EDGE
    | KEPT["log_mu_star"] | KEPT["log_age_wr"] | KEPT["log_Z_wr"]
)  # fmt: skip


def observed_from(
    rows: Rows, redshift: FloatArray | float, spaxel_arcsec: FloatArray | float = CALIFA_SPAXEL_ARCSEC
) -> Observed:
    """What the posterior needs, from columns of the region table (spaxel,) each.

    redshift and spaxel_arcsec: (spaxel,) or a number. Magnitudes are taken as K-corrected. A column the table
    lacks counts as missing everywhere.
    """
    indices = _stack(rows, INDEX_NAMES)
    index_errors = _stack(rows, [f"{name}_err" for name in INDEX_NAMES])
    magnitudes, mag_errors = (_stack(rows, [f"mag_{band}{end}" for band in BANDS]) for end in ("", "_err"))
    area = np.broadcast_to(np.square(spaxel_arcsec), len(magnitudes))[:, None]
    flux = surface_flux(magnitudes + 2.5 * np.log10(area), np.broadcast_to(redshift, len(magnitudes))[:, None])
    return Observed(indices, index_errors, flux, flux * mag_errors / MAG_PER_E_FOLD, _stack(rows, ["sigma_star"])[:, 0])


def has_observables(rows: Rows) -> BoolArray:
    """Whether a region has any index or magnitude, (spaxel,)."""
    return np.any(np.isfinite(_stack(rows, OBSERVABLES)), axis=1)


def with_measurements(rows: Rows, posterior: Posterior) -> Rows:
    """Region columns with the estimates of the posterior in place of older ones; other flags stay.

    What no survey may hold (engine.columns: a density of 10^9 Msun/pc2, say, from a magnitude of 0) is left empty and
    flagged as not measured; a chi-square beyond its limit is set to the limit.
    """
    measured = posterior._asdict()
    flags = posterior.flags
    measured["chi2"] = np.minimum(measured["chi2"], limits_of("chi2")[1])
    for name in ("log_mu_star", "log_age_wr", "log_Z_wr"):
        impossible = _outside(measured[name], name) | _outside(measured[f"{name}_err"], f"{name}_err")
        for part in (name, f"{name}_err"):
            measured[part] = np.where(impossible, np.nan, measured[part])
        flags = np.where(impossible, flags | SpaxelFlag.NOT_MEASURED, flags)
    before = np.asarray(rows.get("flags", 0)).astype(int) & ~int(FLAGS_OF_POSTERIOR)
    return {**rows, **measured, "flags": before | flags}


def _outside(values: FloatArray, name: str) -> BoolArray:
    low, high = limits_of(name)
    return (values < low) | (values > high)


def _stack(rows: Rows, names: Sequence[str]) -> FloatArray:
    """(spaxel, column) float64."""
    n = len(next(iter(rows.values())))
    return np.stack([np.asarray(rows.get(name, np.full(n, np.nan)), dtype=float) for name in names], axis=-1)
