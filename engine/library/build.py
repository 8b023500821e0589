"""The model library: histories drawn from the priors, turned into indices, fluxes, ages and metallicities."""

import json
from dataclasses import asdict
from typing import Any

import numpy as np

from engine.adopted import CALIFA_FWHM_ANGSTROM
from engine.columns import BANDS, INDEX_NAMES
from engine.errors import SettingsError
from engine.library.composites import ComposedModels, Means, draw_composites
from engine.library.draw import Histories, draw_histories, take
from engine.library.dust import CLOUD_LIFETIME, transmission
from engine.library.observables import SIGMA_GRID, Templates, make_templates
from engine.library.parcels import Composition, Laid, Nodes, lay_on_nodes, make_nodes
from engine.library.priors import Priors
from engine.library.ssp import SSPGrid
from engine.library.types import Library
from engine.spectrum.indices import measure_indices
from engine.spectrum.kcorrection import KModels
from engine.spectrum.photometry import Filter
from engine.spectrum.templates import SSP_FWHM_ANGSTROM
from engine.types import FloatArray, Progress

BATCH, BATCH_SPECTRA = 2048, 512  # models at a time: bounds the memory, changes no result
K_DISPERSION = 150.0  # km/s, of the indices that tell K-corrections; choice: they hardly depend on it


def build_library(
    grid: SSPGrid, filters: tuple[Filter, ...], n_model: int, seed: int, *,
    priors: Priors | None = None, sigma_grid: tuple[float, ...] = SIGMA_GRID, progress: Progress | None = None,
) -> Library:  # fmt: skip
    """Library of n_model galaxies drawn with a seed (ZG22 sec. 2.1; priors and sources in draw.Priors).

    filters: ugriz, in this order. Same grid, settings and seed give the same library. progress(done, total) is
    called after every batch. Raises SettingsError.
    """
    if tuple(one.name for one in filters) != BANDS:
        raise SettingsError(f"a library needs the filters {', '.join(BANDS)}, not {', '.join(f.name for f in filters)}")
    priors = priors or Priors()
    sigma = np.asarray(sigma_grid, dtype=float)
    templates = make_templates(grid, filters, sigma)
    drawn = draw_models(n_model, priors, grid, templates, np.random.default_rng(seed))
    models = model_observables(drawn.histories, grid, templates, progress, composition=drawn.composition)
    meta = _meta(grid, seed, n_model, priors)
    return models._replace(sigma_grid=sigma, parameters=models.parameters | _parameters(drawn), meta=meta)


def draw_models(
    n_model: int, priors: Priors, grid: SSPGrid, templates: Templates, rng: np.random.Generator
) -> ComposedModels:
    """Histories drawn from the priors, and the sums of them that the priors ask for."""
    histories = draw_histories(n_model, priors, rng)
    if priors.composite_share == 0:
        return ComposedModels(histories, Composition.of_singles(n_model))
    return draw_composites(histories, light_weighted_means(histories, grid, templates), priors, rng)


def light_weighted_means(histories: Histories, grid: SSPGrid, templates: Templates) -> Means:
    """Mean ages and metallicities of single histories (ZG22 eqs. 1 and 2), without their spectra."""
    nodes = make_nodes(grid.age, grid.metallicity, CLOUD_LIFETIME)
    in_r = _pieces_of_r(templates)
    r_light = nodes.rows(templates.pieces)[:, in_r]
    r_wave = templates.piece_wave[in_r]
    n = histories.tau.size
    means = Means(np.empty(n), np.empty(n))
    for start in range(0, n, BATCH):
        rows = slice(start, start + BATCH)
        some = take(histories, rows)
        laid = lay_on_nodes(some, nodes, r_light, *transmission(r_wave, some.tau_v, some.ism_fraction))
        means.log_age_wr[rows] = laid.log_age_wr
        means.log_Z_wr[rows] = laid.log_Z_wr
    return means


def _pieces_of_r(templates: Templates) -> slice:
    n_piece = templates.piece_wave.size // len(BANDS)
    place = BANDS.index("r")
    return slice(place * n_piece, (place + 1) * n_piece)


def model_observables(
    histories: Histories, grid: SSPGrid, templates: Templates, progress: Progress | None = None,
    *, composition: Composition | None = None,
) -> Library:  # fmt: skip
    """What given histories would look like; a Library without sigma_grid and meta.

    composition: histories of each model, which all lie behind the dust of the first; one each if not given.
    """
    composition = composition or Composition.of_singles(histories.tau.size)
    nodes = make_nodes(grid.age, grid.metallicity, CLOUD_LIFETIME)
    flat = Templates(*(nodes.rows(part) if part.ndim > 1 else part for part in templates))
    living = nodes.rows(grid.living_fraction).astype(np.float32)
    n = composition.n_model
    out = _empty(n, templates.pixels.shape[2])
    for start in range(0, n, BATCH):
        stop = min(start + BATCH, n)
        rows, part = composition.rows(start, stop)
        some = ComposedModels(take(histories, rows), part)
        _fill(out, slice(start, stop), some, nodes, flat, living)
        if progress is not None:
            progress(stop, n)
    return out


def _dust_of(models: ComposedModels) -> tuple[FloatArray, FloatArray]:
    """tau_v and ism_fraction of each model, (model,) each: those of its first history."""
    first = models.composition.first[:-1]
    return models.histories.tau_v[first], models.histories.ism_fraction[first]


def _empty(n: int, n_sigma: int) -> Library:
    return Library(
        log_age_wr=np.empty(n), log_Z_wr=np.empty(n),
        indices=np.empty((n, n_sigma, len(INDEX_NAMES)), np.float32), sigma_grid=np.empty(n_sigma),
        flux=np.empty((n, len(BANDS)), np.float32),
        parameters={"living_fraction": np.empty(n, np.float32)}, meta={},
    )  # fmt: skip


def _fill(out: Library, rows: slice, models: ComposedModels, nodes: Nodes, flat: Templates, living: FloatArray) -> None:
    """One batch of models, written into its rows of the library."""
    dust = _dust_of(models)
    young, old = transmission(flat.piece_wave, *dust)
    in_r = _pieces_of_r(flat)
    light = flat.pieces[:, in_r], young[:, in_r], old[:, in_r]
    laid = lay_on_nodes(models.histories, nodes, *light, composition=models.composition)
    surviving = laid.mass @ living
    out.parameters["living_fraction"][rows] = surviving
    out.log_age_wr[rows] = laid.log_age_wr
    out.log_Z_wr[rows] = laid.log_Z_wr
    out.indices[rows] = _indices(laid, flat, nodes, dust)
    out.flux[rows] = _fluxes(laid, flat, nodes, young, old) / surviving[:, None]


def _fluxes(laid: Laid, flat: Templates, nodes: Nodes, young: FloatArray, old: FloatArray) -> FloatArray:
    """(model, band) flux per Msun formed."""
    light = _shine(laid.mass, flat.pieces, nodes, young, old)
    return light.reshape(light.shape[0], len(BANDS), -1).sum(axis=2)


def _indices(laid: Laid, flat: Templates, nodes: Nodes, dust: tuple[FloatArray, FloatArray]) -> FloatArray:
    """(model, sigma, 5) indices."""
    n_sigma, n_pixel = flat.pixels.shape[1:]
    centre = 0.5 * (flat.edges[1:] + flat.edges[:-1])
    young, old = (np.tile(part.astype(np.float32), n_sigma) for part in transmission(centre, *dust))
    spectra = _shine(laid.mass, flat.pixels.reshape(-1, n_sigma * n_pixel), nodes, young, old)
    values = measure_indices(centre, spectra.reshape(-1, n_pixel), edges=flat.edges).values
    return values.reshape(-1, n_sigma, values.shape[-1])


def _shine(mass: FloatArray, light: FloatArray, nodes: Nodes, young: FloatArray, old: FloatArray) -> FloatArray:
    """Light of all stars, those in birth clouds behind more dust; (model, ...) of light (node, ...)."""
    n = nodes.n_young * nodes.log_Z.size
    result = mass[:, n:] @ light[n:]
    result *= old
    inside = mass[:, :n] @ light[:n]
    inside *= young
    result += inside
    return result


def _parameters(models: ComposedModels) -> dict[str, FloatArray]:
    """What was drawn, (model,) each; of a sum that of its own, first history."""
    composition = models.composition
    histories = take(models.histories, composition.first[:-1])
    drawn = {
        "log_t_form": np.log10(histories.onset_age), "log_tau": np.log10(histories.tau),
        "log_Z_initial": np.log10(histories.Z_initial), "log_Z_final": np.log10(histories.Z_final),
        "alpha": histories.alpha, "n_burst": (histories.burst_mass > 0).sum(axis=1),
        "burst_mass": histories.burst_mass.sum(axis=1), "log_last_burst_age": _log_last_burst_age(histories),
        "tau_v": histories.tau_v, "ism_fraction": histories.ism_fraction, "n_part": np.diff(composition.first),
    }  # fmt: skip
    return {name: values.astype(np.float32) for name, values in drawn.items()}


def _log_last_burst_age(histories: Histories) -> FloatArray:
    """(model,) log yr; NaN without a burst."""
    exists = histories.burst_mass > 0
    last = np.where(exists, histories.burst_age, np.inf).min(axis=1)
    any_burst = exists.any(axis=1)
    return np.where(any_burst, np.log10(np.where(any_burst, last, 1.0)), np.nan)


def _meta(grid: SSPGrid, seed: int, n_model: int, priors: Priors) -> dict[str, Any]:
    return {
        "models": grid.version, "imf": grid.imf, "source": grid.source, "seed": seed, "n_model": n_model,
        "fwhm_angstrom": CALIFA_FWHM_ANGSTROM, "model_fwhm_angstrom": SSP_FWHM_ANGSTROM,
        "mass": "living stars, without remnants", "prior_set": priors.name, "priors": json.dumps(asdict(priors)),
    }  # fmt: skip


def k_models(
    grid: SSPGrid, filters: tuple[Filter, ...], n_model: int, seed: int, wave_range: tuple[float, float]
) -> KModels:
    """Model galaxies from the default priors behind K-corrections, with spectra at the wavelengths of model_spectra."""
    histories = draw_histories(n_model, Priors(), np.random.default_rng(seed))
    _, flux = model_spectra(histories, grid, wave_range)
    templates = make_templates(grid, filters, np.array([K_DISPERSION]))
    return KModels(flux, model_observables(histories, grid, templates).indices[:, 0].astype(float))


def model_spectra(
    histories: Histories, grid: SSPGrid, wave_range: tuple[float, float]
) -> tuple[FloatArray, FloatArray]:
    """Whole spectra of given histories, as their light leaves the dust.

    Returns wavelengths (wave,) [Angstrom, air] of the grid within a range, and (model, wave) float32 Lsun/Angstrom per
    Msun of surviving stars, at the resolution of the grid.
    """
    inside = (grid.wave >= wave_range[0]) & (grid.wave <= wave_range[1])
    wave = grid.wave[inside]
    nodes = make_nodes(grid.age, grid.metallicity, CLOUD_LIFETIME)
    light = nodes.rows(grid.flux[..., inside])
    living = nodes.rows(grid.living_fraction).astype(np.float32)
    n = histories.tau.size
    spectra = np.empty((n, wave.size), np.float32)
    for start in range(0, n, BATCH_SPECTRA):
        rows = slice(start, start + BATCH_SPECTRA)
        part = take(histories, rows)
        mass = _masses(part, nodes, len(light))
        spectra[rows] = _behind_dust(part, wave, mass, light, nodes) / (mass @ living)[:, None]
    return wave, spectra


def _behind_dust(
    histories: Histories, wave: FloatArray, mass: FloatArray, light: FloatArray, nodes: Nodes
) -> FloatArray:
    """Spectra (model, wave) of mass (model, node) whose light (node, wave) goes through each model's dust."""
    young, old = transmission(wave, histories.tau_v, histories.ism_fraction)
    return _shine(mass, light, nodes, young.astype(np.float32), old.astype(np.float32))


def _masses(histories: Histories, nodes: Nodes, n_node: int) -> FloatArray:
    """Mass formed on every node, (model, node); light and dust, which only matter for means, are left out."""
    no_dust = np.ones((histories.tau.size, 1))
    return lay_on_nodes(histories, nodes, np.ones((n_node, 1)), no_dust, no_dust).mass
