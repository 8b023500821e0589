"""The mock survey as a whole: reproducible, honest about what is kept, and measured without bias."""

import dataclasses

import numpy as np
import pytest

from engine.adopted import SNR_MINIMUM_PER_ANGSTROM, SURFACE_BRIGHTNESS_LIMIT
from engine.columns import BANDS, INDEX_NAMES
from engine.cosmology import pc_per_arcsec
from engine.flags import SpaxelFlag
from engine.inference.observed import observed_from, with_measurements
from engine.inference.posterior import infer
from engine.library.draw import draw_histories
from engine.mock.maps import draw_maps
from engine.mock.observe import spaxel_snr
from engine.mock.populations import quiet_priors
from engine.mock.survey import KeptSpaxels, galaxy_table, observe_survey, true_values
from engine.mock.toy import toy_indices
from engine.survey import check_galaxies, check_pair, check_regions


@pytest.fixture(scope="module")
def observation(galaxies, truth, settings):
    return observe_survey(galaxies, truth, settings, np.random.default_rng(11))


@pytest.fixture(scope="module")
def measured(observation, inference_library):
    """Every twentieth region of the survey, measured with a library of another seed."""
    rows = {name: values[::20] for name, values in observation.regions.items()}
    posterior = infer(observed_from(rows, observation.redshift[::20]), inference_library)
    return with_measurements(rows, posterior)


def test_the_same_seed_gives_the_same_survey(observation, galaxies, truth, settings):
    again = observe_survey(galaxies, truth, settings, np.random.default_rng(11))
    assert all(np.array_equal(observation.regions[name], again.regions[name]) for name in observation.regions)


def test_another_seed_gives_another_survey(observation, galaxies, truth, settings):
    other = observe_survey(galaxies, truth, settings, np.random.default_rng(12))
    assert not np.array_equal(observation.regions["hbeta"][:100], other.regions["hbeta"][:100])


def test_a_galaxy_is_the_same_whoever_comes_after_it(observation, galaxies, truth, settings):
    first = observe_survey(galaxies.take(np.arange(2)), truth, settings, np.random.default_rng(11)).regions
    n = len(first["region_id"])
    assert np.array_equal(observation.regions["hbeta"][:n], first["hbeta"])


def test_spaxels_below_the_cuts_are_never_in_the_table(observation):
    assert np.all(observation.regions["sb_r"] < SURFACE_BRIGHTNESS_LIMIT)
    assert np.all(observation.regions["snr_per_angstrom"] >= SNR_MINIMUM_PER_ANGSTROM)
    assert len(observation.regions["x"]) < observation.n_above_cut.sum()


def test_nearly_all_spaxels_above_the_cut_are_kept(observation, settings):
    """ZG22 sec. 2.1 keeps 90.8 %; stars, failures and a low S/N take the others."""
    assert 0.75 < len(observation.regions["x"]) / observation.n_above_cut.sum() < 1.0 - 0.8 * settings.failures


def test_every_galaxy_has_its_own_luck_with_the_weather_and_all_its_spaxels_share_it(observation, settings):
    regions = observation.regions
    single = regions["smoothing_level"] == 1
    luck = np.log10(regions["snr_per_angstrom"] / spaxel_snr(regions["sb_r"], settings))[single]
    of = regions["galaxy_id"][single]
    each = np.array([luck[of == galaxy_id].mean() for galaxy_id in np.unique(of)])
    assert luck == pytest.approx(each[np.searchsorted(np.unique(of), of)], abs=1e-6)
    assert 0.4 * settings.snr_scatter < each.std() < 1.8 * settings.snr_scatter  # of a dozen galaxies


def test_level_and_flags_tell_the_same_story(observation):
    regions = observation.regions
    smoothed = (regions["flags"] & SpaxelFlag.SMOOTHED) > 0
    missed = (regions["flags"] & SpaxelFlag.TARGET_MISSED) > 0
    assert np.array_equal(smoothed, regions["smoothing_level"] > 1)
    assert np.all(regions["smoothing_level"][missed] == 5)
    median = [np.median(regions["sb_r"][regions["smoothing_level"] == level]) for level in range(1, 6)]
    assert median == sorted(median)


def test_weights_are_area_times_inverse_volume(observation, galaxies):
    row = np.searchsorted(galaxies.galaxy_id, observation.regions["galaxy_id"])
    area = pc_per_arcsec(galaxies.redshift[row]) ** 2
    assert observation.regions["weight"] == pytest.approx(area * galaxies.inv_vmax[row])


def test_noise_is_as_large_as_its_errors_say(observation):
    unsmoothed = observation.regions["smoothing_level"] == 1
    rows = {name: values[unsmoothed] for name, values in observation.regions.items()}
    expected = toy_indices(rows["true_log_age_wr"], rows["true_log_Z_wr"])[0]
    pull = (rows["d4000n"] - expected) / rows["d4000n_err"]
    assert np.std(pull) == pytest.approx(1.0, abs=0.05)
    assert abs(np.mean(pull)) < 4 / np.sqrt(len(pull))


def test_magnitudes_scatter_as_their_errors_say(observation, galaxies, truth, settings):
    """The same random numbers without noise show what was added; smoothed spaxels share theirs."""
    quiet = dataclasses.replace(settings, photometric_floor=(0.0,) * 5, photometric_depth=(60.0,) * 5)
    clean = observe_survey(galaxies, truth, quiet, np.random.default_rng(11)).regions
    for band in BANDS:
        added = observation.regions[f"mag_{band}"] - clean[f"mag_{band}"]
        pull = added / observation.regions[f"mag_{band}_err"]
        unsmoothed = pull[observation.regions["smoothing_level"] == 1]
        assert np.std(pull) == pytest.approx(1.0, abs=0.05)
        assert abs(np.mean(unsmoothed)) < 4 / np.sqrt(len(unsmoothed))


def test_velocities_and_dispersions_scatter_in_inverse_proportion_to_the_signal(observation, galaxies, truth, settings):
    """By 8 and 12 km/s at the target S/N of 15 per Angstrom."""
    quiet = dataclasses.replace(settings, kinematic_errors=(0.0, 0.0))
    clean = observe_survey(galaxies, truth, quiet, np.random.default_rng(11)).regions
    snr = observation.regions["snr_per_angstrom"]
    for name, error in (("v_star", 8.0), ("sigma_star", 12.0)):
        at_target = (observation.regions[name] - clean[name]) * snr / 15.0
        assert np.std(at_target[clean[name] != 5.0]) == pytest.approx(error, rel=0.05)  # 5 km/s: the least dispersion


def test_what_is_measured_differs_from_the_truth_but_agrees_within_the_errors(measured):
    for name in ("log_mu_star", "log_age_wr", "log_Z_wr"):
        pull = (measured[name] - measured[f"true_{name}"]) / measured[f"{name}_err"]
        assert not np.allclose(measured[name], measured[f"true_{name}"])
        assert abs(np.median(pull)) < 0.35, name
        half_width = np.diff(np.percentile(pull, [16, 84]))[0] / 2
        assert 0.5 < half_width < 1.5, name


def test_the_tables_are_sound_and_complete(measured, galaxies, settings, observation):
    table = galaxy_table(galaxies, measured, observation.n_above_cut, settings)
    regions = check_regions(measured)
    check_pair(regions, check_galaxies(table))
    for name in (*INDEX_NAMES, *(f"mag_{band}" for band in BANDS), "true_log_mu_star", "sigma_star"):
        assert np.isfinite(measured[name]).all(), name
    assert all(name.startswith("mock") for name in table["name"])
    assert set(table["origin"]) == {"mock"}


def test_old_regions_are_of_quiet_histories_and_young_ones_of_any(galaxies, truth, settings):
    maps = draw_maps(galaxies.row(0), settings, np.random.default_rng(3))
    model = truth.choose(maps)
    assert (model[maps.old] >= truth.n_any).all()
    assert (model[~maps.old] < truth.n_any).all()
    off = truth.library.log_age_wr[model] - maps.log_age
    inside = np.abs(maps.log_age - 9.3) < 0.6
    assert np.abs(np.median(off[inside])) < 0.02


def test_the_truth_of_a_smoothed_region_is_the_mean_of_its_light(galaxies, truth, settings):
    """ZG22 eqs. 1 and 2 over all spaxels of the kernel, by plain loops."""
    rng = np.random.default_rng(6)
    maps = draw_maps(galaxies.row(1), settings, rng)
    model = truth.choose(maps)
    usable = rng.uniform(size=maps.old.shape) > 0.1
    level = np.full(maps.old.shape, 3)
    kept = np.zeros(maps.old.shape, bool)
    kept[30, 40] = True
    found = true_values(maps, model, truth, KeptSpaxels(level, usable, kept))
    y, x = np.indices(level.shape)
    kernel = ((y - 30) ** 2 + (x - 40) ** 2 < 9) & usable
    light = (10.0**maps.log_mu_star * truth.library.flux[model, 2])[kernel]
    for name in ("log_age_wr", "log_Z_wr"):
        mean = (light @ 10.0 ** getattr(truth.library, name)[model[kernel]]) / light.sum()
        assert found[f"true_{name}"] == pytest.approx([np.log10(mean)], abs=1e-6)
    assert found["true_log_mu_star"] == pytest.approx([np.median(maps.log_mu_star[kernel])], abs=0.02)


def test_quiet_priors_draw_no_late_burst_and_little_dust(settings):
    drawn = draw_histories(5000, quiet_priors(settings), np.random.default_rng(4))
    exists = drawn.burst_mass > 0
    assert exists.any()
    assert (drawn.burst_age >= 10.0**settings.quiet_since)[exists].all()
    assert drawn.tau_v.max() <= settings.quiet_tau_v
