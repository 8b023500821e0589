"""What a model library is to the rest of the engine."""

from typing import Any, NamedTuple

import numpy as np

from engine.types import FloatArray


class Library(NamedTuple):
    """Model galaxies: what was put in and what would be observed.

    Indices are in the order of ``columns.INDEX_NAMES``, at 6 Angstrom FWHM broadened by each sigma_grid value;
    fluxes are AB in ugriz per Msun of surviving stars, in units of a source of absolute AB magnitude 0.
    """

    log_age_wr: FloatArray  # (model,) dex(yr), ZG22 eq. 1
    log_Z_wr: FloatArray  # (model,) dex(Zsun), ZG22 eq. 2
    indices: FloatArray  # (model, sigma, 5) float32
    sigma_grid: FloatArray  # (sigma,) km/s
    flux: FloatArray  # (model, 5) float32
    parameters: dict[str, FloatArray]  # what was drawn, (model,) each: tau_v, ism_fraction, log_t_form, ...
    meta: dict[str, Any]  # imf, version, seed, priors, fwhm, checksums: strings and numbers only


def joined(first: Library, second: Library) -> Library:
    """Models of one library, then those of another with the same grid of dispersions; meta is that of the first."""
    names = first.parameters.keys() & second.parameters.keys()
    parameters = {name: np.concatenate([first.parameters[name], second.parameters[name]]) for name in sorted(names)}
    return first._replace(
        log_age_wr=np.concatenate([first.log_age_wr, second.log_age_wr]),
        log_Z_wr=np.concatenate([first.log_Z_wr, second.log_Z_wr]),
        indices=np.concatenate([first.indices, second.indices]),
        flux=np.concatenate([first.flux, second.flux]),
        parameters=parameters,
    )
