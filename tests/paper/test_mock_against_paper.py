"""The mock sample of all 362 galaxies, from real stellar models, measured with a small library, beside the paper.

Most of these numbers were in view when the mock's ingredients were chosen (``MockSettings``, ``compare.TUNED``): that
they agree is no evidence for anything, but a change of the code or of an ingredient that undoes the tuning is seen
here. The tolerances are what a tenth of the regions and a library of 30 000 models allow; the comments say where the
paper gives the number. ``glocal demo`` prints the comparison of the default survey.
"""

import numpy as np
import pytest

from engine import adopted
from engine.inference.posterior import infer
from engine.inference.region_table import observed_from, with_measurements
from engine.mock.compare import TUNED, compare_with_paper
from engine.mock.galaxies import draw_galaxies
from engine.mock.populations import fit_light_per_mass
from engine.mock.settings import MockSettings
from engine.mock.survey import Truth, galaxy_table, observe_survey
from engine.relations.green_valley import is_old_ridge

pytestmark = [pytest.mark.paper, pytest.mark.slow, pytest.mark.long]
SETTINGS = MockSettings()
STEP = 10


@pytest.fixture(scope="module")
def survey(libraries):
    """Every tenth region of the sample as measured, and the galaxy table."""
    for_galaxies, for_maps = np.random.default_rng(2022).spawn(2)
    galaxies = draw_galaxies(fit_light_per_mass(libraries.any_history), SETTINGS, for_galaxies)
    truth = Truth.from_libraries(libraries.any_history, libraries.quiet, SETTINGS)
    observation = observe_survey(galaxies, truth, SETTINGS, for_maps)
    rows = {name: values[::STEP] for name, values in observation.regions.items()}
    regions = with_measurements(rows, infer(observed_from(rows, observation.redshift[::STEP]), libraries.measures))
    table = galaxy_table(galaxies, regions, observation.n_above_cut, SETTINGS)
    table["n_regions"] = np.array([(observation.regions["galaxy_id"] == i).sum() for i in galaxies.galaxy_id])
    return regions, table


@pytest.fixture(scope="module")
def report(survey):
    return {line.quantity: line for line in compare_with_paper(*survey)}


@pytest.mark.parametrize(
    ("quantity", "tolerance"),
    [
        ("share of spaxels above the cut that is kept", 0.02),  # sec. 2.1
        ("share at smoothing level 1", 0.04),  # app. A
        ("share at smoothing level 2", 0.03),
        ("share at smoothing level 3", 0.07),  # the mock has more level 3 and less level 5
        ("share at smoothing level 4", 0.04),
        ("share at smoothing level 5", 0.09),
        ("slope of log <mu*>e against log M*", 0.10),  # sec. 3
        ("scatter of log <mu*>e at fixed M* [dex]", 0.06),
        ("green valley at log mu* = 2.5 [log yr]", 0.12),  # eq. 3
        ("old ridge, peak of log age [log yr]", 0.15),  # sec. 4.1
        ("median error of log_age_wr at log mu* = 2 [dex]", 0.06),  # Fig. 1
        ("median error of log_Z_wr at log mu* = 1 [dex]", 0.15),
    ],
)
def test_what_was_tuned_to_the_paper_still_is(report, quantity, tolerance):
    assert report[quantity].kind == TUNED
    assert report[quantity].here == pytest.approx(report[quantity].paper, abs=tolerance)


def test_the_number_of_regions_tuned_to_the_paper_still_is_to_a_tenth(survey):
    assert survey[1]["n_regions"].sum() == pytest.approx(adopted.N_REGIONS, rel=0.10)


def test_the_old_ridge_was_given_to_massive_galaxies_and_is_found_there(survey):
    regions, galaxies = survey
    mass = galaxies["log_M_star"][np.searchsorted(galaxies["galaxy_id"], regions["galaxy_id"])]
    old = is_old_ridge(regions["log_mu_star"], regions["log_age_wr"])
    heavy, light = mass > 11.0, mass < 9.8
    assert old[heavy].mean() > 0.5  # secs. 4.1, 5
    assert old[light].mean() < 0.15
