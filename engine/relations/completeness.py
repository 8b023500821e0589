"""Down to which mu_star each sequence is seen, given the cut in surface brightness (ZG22 sec. 2.2)."""

import numpy as np

from engine.adopted import SURFACE_BRIGHTNESS_LIMIT
from engine.relations.green_valley import ValleyLine, is_old_ridge
from engine.stats import weighted_quantile
from engine.types import FloatArray

# Choice: the mass-to-light ratio of a sequence drifts with mu_star, so it is taken from regions close to the limit
NEAR_THE_LIMIT_MAG = 1.0
LIMIT_QUANTILE = 0.5  # choice: half of the regions with this mu_star would still be seen


def completeness_limits(
    log_mu_star: FloatArray,
    sb_r: FloatArray,
    log_age: FloatArray,
    weight: FloatArray,
    line: ValleyLine,
    limit: float = SURFACE_BRIGHTNESS_LIMIT,
) -> tuple[float, float]:
    """log mu_star at which a typical region of the old ridge, of the young sequence, drops below the cut.

    A region dimmed to the limit keeps its mass-to-light ratio and loses 0.4 dex of mu_star per magnitude.
    Parameters: columns (row,); sb_r and limit [mag/arcsec2]. Returns (old, young) in log Msun/pc2, NaN
    for a sequence without regions near the limit.
    """
    at_the_limit = np.asarray(log_mu_star, dtype=float) - 0.4 * (limit - np.asarray(sb_r, dtype=float))
    near = np.abs(sb_r - limit) < NEAR_THE_LIMIT_MAG
    known = near & np.isfinite(log_age)
    old = is_old_ridge(log_mu_star, log_age, line)
    of_old, of_young = (
        float(weighted_quantile(at_the_limit[rows], np.asarray(weight)[rows], LIMIT_QUANTILE))
        for rows in (known & old, known & ~old)
    )
    return of_old, of_young
