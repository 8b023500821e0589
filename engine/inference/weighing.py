"""The loops of the posterior: every model's weight into fine histograms, and quantiles out of them."""

import numba
import numpy as np

from engine.inference.arrangement import CELL_DEX
from engine.inference.likelihood import BLOCK, chi2_of_block

MAX_DELTA_CHI2 = 30.0  # a model worse than the best by more weighs less than 3e-7 of it and is left out
MU_HALF_RANGE_DEX = 3.0  # mu_star is counted within this of the best model's, beyond it at the ends
N_MU_CELL = 2 * int(MU_HALF_RANGE_DEX / CELL_DEX) + 1

_GROUP = 16  # spaxels that look at a block while it is in the cache


@numba.njit(cache=True, nogil=True)
def weigh_models(index, index_weight, flux, flux_weight, blocks, age_cell, Z_cell):
    """Posterior of each spaxel (spaxel, 11).

    Columns: 16, 50 and 84 % of log scale [dex], of age and of Z [cells]; smallest chi-square; effective number of
    models. Arguments as in likelihood.Whitened and arrangement.Models, blocks of one sigma.
    """
    answer = np.empty((index.shape[0], 11))
    smallest = np.empty((_GROUP, blocks.shape[0]), np.float32)
    out = np.empty(2 * BLOCK, np.float32)
    age, metal, mu = np.empty(age_cell.max() + 1), np.empty(Z_cell.max() + 1), np.empty(N_MU_CELL)
    for first in range(0, index.shape[0], _GROUP):
        last = min(first + _GROUP, index.shape[0])
        for block in range(blocks.shape[0]):
            for row in range(first, last):
                smallest[row - first, block] = chi2_of_block(
                    blocks[block], index[row], index_weight[row], flux[row], flux_weight[row], out
                )
        for row in range(first, last):
            data = (index[row], index_weight[row], flux[row], flux_weight[row])
            answer[row] = _weigh(data, blocks, age_cell, Z_cell, smallest[row - first], out, (mu, age, metal))
    return answer


@numba.njit(cache=True, nogil=True)
def _weigh(data, blocks, age_cell, Z_cell, smallest, out, histograms):
    mu, age, metal = histograms
    mu[:], age[:], metal[:] = 0.0, 0.0, 0.0
    best, best_block = smallest.min(), smallest.argmin()
    chi2_of_block(blocks[best_block], data[0], data[1], data[2], data[3], out)
    centre = _log_scale(out[BLOCK + out[:BLOCK].argmin()])
    total, squares, half = 0.0, 0.0, np.float32(0.5)
    for block in np.flatnonzero(smallest <= best + MAX_DELTA_CHI2):
        chi2_of_block(blocks[block], data[0], data[1], data[2], data[3], out)
        start = block * BLOCK
        for at in range(min(BLOCK, age_cell.size - start)):
            if out[at] <= best + MAX_DELTA_CHI2:
                weight = np.exp(half * (best - out[at]))
                total += weight
                squares += weight * weight
                age[age_cell[start + at]] += weight
                metal[Z_cell[start + at]] += weight
                mu[_mu_cell(_log_scale(out[BLOCK + at]) - centre)] += weight
    answer = np.empty(11)
    _quantiles(mu, answer[0:3])
    answer[0:3] = centre + (answer[0:3] - N_MU_CELL / 2) * CELL_DEX
    _quantiles(age, answer[3:6])
    _quantiles(metal, answer[6:9])
    answer[9], answer[10] = best, total * total / squares
    return answer


@numba.njit(cache=True, nogil=True)
def _log_scale(scale):
    return np.log10(max(scale, np.float32(1e-30)))


@numba.njit(cache=True, nogil=True)
def _mu_cell(offset):
    return min(max(int(offset / CELL_DEX + N_MU_CELL / 2), 0), N_MU_CELL - 1)


@numba.njit(cache=True, nogil=True)
def _quantiles(histogram, found):
    """16, 50 and 84 % in cells, taking the weight of a cell as evenly spread over it."""
    total, reached, step = histogram.sum(), 0.0, 0
    wanted = (0.16, 0.50, 0.84)
    for cell in range(histogram.size):
        while step < 3 and reached + histogram[cell] >= wanted[step] * total and histogram[cell] > 0:
            found[step] = cell + (wanted[step] * total - reached) / histogram[cell]
            step += 1
        reached += histogram[cell]
    for missed in range(step, 3):  # rounding in the last cell
        found[missed] = histogram.size
