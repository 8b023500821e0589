"""The CALIFA tables against the paper: how many galaxies, which volumes, which densities."""

import numpy as np
import pytest
from astropy.table import Table

from engine.adopted import N_ANALYSED, N_GALAXIES
from engine.cosmology import pc_per_arcsec
from engine.galaxy.sample import density_correction, is_analysed, is_merger, vmax
from precompute.io.califa import read_califa_objects, select_sample

pytestmark = pytest.mark.paper


@pytest.fixture(scope="module")
def table(shared):
    return shared / "califa_dr3" / "objects.csv"


@pytest.fixture(scope="module")
def mother(shared):
    names = ["id", "name", "dbname", "ra", "dec", "z", "iso", "vmax", "vmax_dens", "z_sdss", "f1", "f2"]
    rows = Table.read(shared / "califa_dr3" / "mother_sample.csv", format="csv")
    return {new: np.asarray(rows[old]) for new, old in zip(names, rows.colnames, strict=True)}


def test_the_main_sample_with_combo_cubes_has_396_galaxies_and_394_are_analysed(table):
    objects = read_califa_objects(table)
    assert ((objects.galaxy_id < 1000) & objects.in_combo).sum() == 396
    assert is_analysed(objects.galaxy_id, objects.name, objects.in_combo).sum() == N_ANALYSED


def test_without_mergers_one_galaxy_more_than_the_paper_remains(table):
    objects = read_califa_objects(table)
    sample = select_sample(objects, table)
    assert len(sample.galaxy_id) == 363 == N_GALAXIES + 1
    analysed = is_analysed(objects.galaxy_id, objects.name, objects.in_combo)
    assert (analysed & is_merger(objects.hubble_type)).sum() == 31


def test_volumes_of_the_mother_sample_are_reproduced_to_half_a_per_cent(mother):
    far = mother["z"] > 0.01
    ratio = vmax(np.clip(mother["iso"][far], 45, 79.2), mother["z"][far]) / mother["vmax"][far]
    assert np.sqrt(np.mean((ratio - 1) ** 2)) < 0.006
    assert abs(np.median(ratio) - 1) < 0.002


def test_the_density_correction_is_that_of_the_mother_sample(mother):
    ratio = mother["vmax_dens"] / mother["vmax"]
    error = density_correction(mother["z"]) / ratio - 1
    assert np.median(np.abs(error)) < 0.01
    assert np.percentile(np.abs(error), 95) < 0.05


def test_mean_densities_from_the_table_follow_the_slope_and_scatter_of_figure_2(table):
    sample = select_sample(read_califa_objects(table), table)
    area = np.pi * (sample.half_light_radius * pc_per_arcsec(sample.redshift)) ** 2 * sample.axis_ratio
    log_mu_e = sample.log_M_star - np.log10(2.0 * area)
    slope, intercept = np.polyfit(sample.log_M_star, log_mu_e, 1)
    scatter = np.std(log_mu_e - slope * sample.log_M_star - intercept)
    assert slope == pytest.approx(0.55, abs=0.03)  # ZG22 sec. 3
    assert scatter == pytest.approx(0.34, abs=0.05)
