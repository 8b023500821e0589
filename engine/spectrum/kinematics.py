"""Stellar velocity and dispersion of every spectrum of a galaxy, by pPXF with the emission lines masked.

Cappellari & Emsellem (2004), Cappellari (2017). What makes it fast: spectra are brought to the galaxy's rest frame
and to a logarithmic grid at once; the full set of templates is fitted only to a few sums of spectra, and single
spectra take the few templates that these needed; a cross-correlation starts pPXF near the answer.
"""

from typing import NamedTuple

import numpy as np
from numpy.polynomial import legendre
from scipy import fft
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d

from engine.constants import FWHM_PER_SIGMA, LIGHT_SPEED_KMS
from engine.errors import ShapeError
from engine.features import LINES, NIGHT_SKY, SODIUM_D, Band
from engine.flags import SpaxelFlag
from engine.spectrum.spectra import Spectra, bridge, interpolate_linear
from engine.spectrum.templates import StellarTemplates, usable_range
from engine.stats import robust_sigma
from engine.types import BoolArray, FloatArray, IntArray, Progress

# *choice*: pixels further off the fit than both, in scatters and as a part of the flux, are cosmic rays and the like
OUTLIER_SIGMA, OUTLIER_FRACTION = 6.0, 0.1

FULL, FEW_TEMPLATES, VELOCITY_ONLY, SYSTEMIC = range(4)  # values of Kinematics.mode


class KinematicsSettings(NamedTuple):
    """What may be chosen; all of it *choice* unless a source is given."""

    fit_range: tuple[float, float] = (3750.0, 6900.0)  # Angstrom, rest frame
    degree: int = 8  # of the additive polynomial; 4-10 change nothing in the mean, see test_kinematics
    moments: int = 2  # of the velocity distribution; 4 fits h3 and h4 too, which are not returned
    line_half_width: float = 600.0  # km/s masked to each side of a line, if not
    line_half_width_instrument: float = 4.0  # sigmas of the instrument's resolution, if these are more
    velocity_limit: float = 600.0  # km/s from the galaxy's redshift
    sigma_limits: tuple[float, float] = (5.0, 450.0)  # km/s
    snr_full: float = 8.0  # per pixel of the data: velocity and dispersion from all templates the galaxy needs
    snr_few: float = 5.0  # from here on one template per sum of spectra
    snr_velocity: float = 2.5  # from here on the dispersion is that of the galaxy; below, the velocity too
    n_sums: int = 4  # sums of spectra, from the best to the poorest, that choose the templates
    error_limit: float = 150.0  # km/s: a velocity less certain than this is not believed


class Kinematics(NamedTuple):
    """Of each spectrum (spaxel,); ``mode`` tells how it came about."""

    v_star: FloatArray  # km/s from the redshift given
    v_star_err: FloatArray
    sigma_star: FloatArray  # km/s, free of the instrument
    sigma_star_err: FloatArray  # NaN where the dispersion is the galaxy's
    mode: IntArray  # FULL, FEW_TEMPLATES, VELOCITY_ONLY or SYSTEMIC
    chi2: FloatArray  # per degree of freedom; NaN where nothing was fitted
    snr_per_pixel: FloatArray  # median of flux over error inside fit_range
    flags: IntArray  # SpaxelFlag.KINEMATICS_FELL_BACK
    v_systemic: float
    sigma_systemic: float


class _Problem(NamedTuple):
    """Spectra of a galaxy on the logarithmic grid of its templates."""

    log_wave: FloatArray  # (pixel,)
    flux: FloatArray  # (spaxel, pixel)
    err: FloatArray
    good: BoolArray  # (spaxel, pixel) in the data and away from lines
    clear: BoolArray  # (spaxel, pixel) in the data, lines or not
    on_lines: BoolArray  # (pixel,) where lines of gas at the galaxy's redshift may be
    templates: FloatArray  # (template, template pixel) on the same step, longer on both sides
    velscale: float
    offset: float  # km/s: start of the templates against that of the spectra


class _Fit(NamedTuple):
    velocity: float
    velocity_err: float
    sigma: float
    sigma_err: float
    chi2: float
    weights: FloatArray


def fit_kinematics(
    spectra: Spectra, templates: StellarTemplates, *, settings: KinematicsSettings | None = None,
    progress: Progress | None = None,
) -> Kinematics:  # fmt: skip
    """Velocity and dispersion of many spectra of one galaxy.

    Parameters: spectra of make_spectra; templates of match_templates for the same galaxy. Spectra too poor for a
    fit, or whose fit fails, take fewer templates, then the galaxy's dispersion, then its velocity too; mode and flags
    say so. A single spectrum never raises. Raises ShapeError if the spectra cover too little.
    """
    settings = settings or KinematicsSettings()
    with np.errstate(all="ignore"):  # hopeless spectra divide by zero, in pPXF too; what comes of it is judged below
        problem = _on_log_grid(spectra, templates, settings)
        snr = _snr(spectra, templates, settings)
        full, few, galaxy = _choose_templates(problem, snr, settings)
        return _fit_all(problem, snr, (full, few), galaxy, settings, progress)


def _on_log_grid(spectra: Spectra, templates: StellarTemplates, settings: KinematicsSettings) -> _Problem:
    """Spectra read off a cubic spline at every second pixel of the templates, in the rest frame.

    A spline keeps the resolution, unlike rebinning. Where pixels of the grid are finer than those of the data
    their noise is correlated, and errors are raised so that the information stays the same.
    """
    wave, flux, err, fine = spectra
    half, stretch = templates.log_wave[::2], 1 + templates.redshift
    low, high = usable_range(templates, settings.velocity_limit + 100.0)
    low, high = max(low, settings.fit_range[0]), min(high, settings.fit_range[1])
    rest = np.exp(half)
    inside = (rest > max(low, wave[0] / stretch)) & (rest < min(high, wave[-1] / stretch))
    if inside.sum() < 50:
        raise ShapeError(f"the spectra cover {wave[0]:.0f}-{wave[-1]:.0f} Angstrom: too little of {low:.0f}-{high:.0f}")
    log_wave, observed = half[inside], rest[inside] * stretch
    position = np.interp(observed, wave, np.arange(wave.size))
    near = np.floor(position).astype(int)
    pixel = np.gradient(wave)[near] / (observed * 2 * templates.step)
    noise = np.sqrt(interpolate_linear(position, bridge(wave, err, fine) ** 2) * np.maximum(pixel, 1.0))
    on_grid = CubicSpline(wave, bridge(wave, flux, fine), axis=1)(observed)
    usable = fine[:, near] & fine[:, np.minimum(near + 1, wave.size - 1)] & np.isfinite(on_grid / noise)
    usable &= ~_in_bands(observed, NIGHT_SKY)
    on_lines = _near_lines(rest[inside], np.interp(observed, wave, templates.fwhm) / stretch, settings)
    return _Problem(
        log_wave, on_grid, noise, usable & ~on_lines, usable, on_lines, templates.flux[:, ::2],
        LIGHT_SPEED_KMS * 2 * templates.step, LIGHT_SPEED_KMS * (half[0] - log_wave[0]),
    )  # fmt: skip


def _near_lines(rest: FloatArray, fwhm: FloatArray, settings: KinematicsSettings) -> BoolArray:
    narrow = settings.line_half_width_instrument * fwhm / FWHM_PER_SIGMA / rest * LIGHT_SPEED_KMS
    away = np.abs(rest[:, None] / np.array([line.wave for line in LINES]) - 1) * LIGHT_SPEED_KMS
    near = (away < np.maximum(narrow, settings.line_half_width)[:, None]).any(axis=1)
    return near | _in_bands(rest, (SODIUM_D,))


def _in_bands(wave: FloatArray, bands: tuple[Band, ...]) -> BoolArray:
    return np.any([(wave > low) & (wave < high) for low, high in bands], axis=0)


def _snr(spectra: Spectra, templates: StellarTemplates, settings: KinematicsSettings) -> FloatArray:
    """Median signal over error per pixel inside the fitted range (spaxel,); 0 where too little is good."""
    rest = spectra.wave / (1 + templates.redshift)
    inside = (rest > settings.fit_range[0]) & (rest < settings.fit_range[1])
    good = spectra.good[:, inside]
    ratio = np.where(good, spectra.flux[:, inside] / spectra.err[:, inside], np.nan)
    enough = good.sum(axis=1) > 0.3 * inside.sum()  # *choice*: fewer pixels are no spectrum
    result = np.zeros(len(ratio))
    result[enough] = np.nanmedian(ratio[enough], axis=1)
    return result


def _choose_templates(problem, snr, settings):
    """Templates that sums of spectra need, one best mixture per sum, and the fit to the sum of all (or None)."""
    order = np.argsort(-snr, kind="stable")
    bright = order[snr[order] > 1.0][: max(1, int((snr > settings.snr_full).sum()) or 30)]
    needed, mixtures, galaxy = set(), [], None
    for members in [bright, *np.array_split(bright, max(1, min(settings.n_sums, bright.size)))]:
        fit = _fit_sum(problem, members, settings)
        if fit is None:
            continue
        galaxy = galaxy or fit
        needed |= set(np.flatnonzero(fit.weights > 0.01 * fit.weights.sum()))
        mixtures.append(fit.weights @ problem.templates)
    if galaxy is None:
        return problem.templates, problem.templates.mean(axis=0, keepdims=True), None
    few = np.array(mixtures[1:] or mixtures)
    return problem.templates[sorted(needed)], few / few.mean(axis=1, keepdims=True), galaxy


def _fit_sum(problem, members, settings) -> _Fit | None:
    if members.size == 0:
        return None
    good = problem.good[members]
    some = good.any(axis=1)
    level = np.zeros(members.size)
    level[some] = np.nanmedian(np.where(good[some], problem.flux[members[some]], np.nan), axis=1)
    # each counts alike, however bright: a faint spectrum needs its own templates too
    weight = np.where(good & (level > 0)[:, None], 1.0 / np.where(level > 0, level, 1.0)[:, None], 0.0)
    count = (weight > 0).sum(axis=0)
    total = (weight * problem.flux[members]).sum(axis=0) / np.maximum(count, 1)
    err = np.sqrt(((weight * problem.err[members]) ** 2).sum(axis=0)) / np.maximum(count, 1)
    fine = count > 0.5 * members.size
    if fine.sum() < 50:
        return None
    err = np.maximum(np.where(fine, err, 1.0), 0.003 * np.median(np.abs(total[fine])))  # models are no better
    one = problem._replace(flux=total[None], err=err[None], good=fine[None])
    return _fit_one(one, 0, problem.templates, (0.0, 120.0), False, settings)


def _fit_all(problem, snr, choices, galaxy, settings, progress) -> Kinematics:
    """Every spectrum, from the best to the worst, so that the galaxy's own values are known for the poor ones."""
    n = snr.size
    fits, mode = np.full((n, 5), np.nan), np.full(n, SYSTEMIC, np.int8)
    systemic = [galaxy.velocity, galaxy.sigma] if galaxy else [0.0, 100.0]
    guess = _cross_correlate(problem, choices[1][0], systemic, settings) if galaxy else np.zeros(n)
    problem = _follow_lines(problem, np.where(snr >= settings.snr_few, guess, 0.0))
    for done, row in enumerate(np.argsort(-snr, kind="stable")):
        for level in range(_first_level(snr[row], galaxy, settings), SYSTEMIC):
            sigma = systemic[1] if level == VELOCITY_ONLY else 120.0
            fit = _fit_one(
                problem, row, choices[0 if level == FULL else 1], (guess[row], sigma), level == VELOCITY_ONLY, settings
            )
            if fit and _believable(fit, settings):
                fits[row], mode[row] = fit[:5], level
                break
        if progress is not None:
            progress(done + 1, n)
        measured = mode == FULL
        if done % 50 == 49 and measured.any():
            systemic[1] = float(np.median(fits[measured, 2]))
    return _result(fits, mode, snr, systemic)


def _follow_lines(problem: _Problem, velocity: FloatArray) -> _Problem:
    """The masks over the lines moved along with every spectrum's velocity (spaxel,) [km/s]."""
    n = problem.log_wave.size
    source = np.arange(n) - np.round(velocity / problem.velscale).astype(int)[:, None]
    return problem._replace(good=problem.clear & ~problem.on_lines[np.clip(source, 0, n - 1)])


def _first_level(snr: float, galaxy: _Fit | None, settings: KinematicsSettings) -> int:
    limits = (settings.snr_full, settings.snr_few, settings.snr_velocity)
    return SYSTEMIC if galaxy is None else int(sum(not snr >= limit for limit in limits))


def _believable(fit: _Fit, settings: KinematicsSettings) -> bool:
    inside = abs(fit.velocity) < 0.99 * settings.velocity_limit and fit.sigma < 0.99 * settings.sigma_limits[1]
    return bool(inside and np.isfinite(fit[:5]).all() and 0 < fit.velocity_err < settings.error_limit)


def _result(fits, mode, snr, systemic) -> Kinematics:
    velocity, velocity_err, sigma, sigma_err, chi2 = fits.T.copy()
    measured = mode == FULL
    if measured.any():
        systemic = [systemic[0], float(np.median(sigma[measured]))]
    unknown = mode == SYSTEMIC
    velocity[unknown], sigma[unknown] = systemic
    sigma_err[mode >= VELOCITY_ONLY] = np.nan
    flags = np.where(mode == FULL, 0, SpaxelFlag.KINEMATICS_FELL_BACK.value)
    return Kinematics(velocity, velocity_err, sigma, sigma_err, mode, chi2, snr, flags, *systemic)


def _fit_one(problem, row, templates, start, fix_sigma, settings) -> _Fit | None:
    """pPXF of one spectrum; None if it fails. Where outliers show it is done again without them.

    Errors are scaled to a chi-square of one per degree of freedom.
    """
    good, flux, err = problem.good[row], problem.flux[row], problem.err[row]
    scale = np.median(flux[good]) if good.any() else 0.0
    if np.count_nonzero(good) < 50 or not scale > 0:
        return None
    spectrum = flux / scale, err / scale
    try:
        fit = _run_ppxf(problem, spectrum, good, templates, start, fix_sigma, settings)
        fine = good & ~_outliers(fit, *spectrum, good)
        if not np.array_equal(fine, good):
            fit = _run_ppxf(problem, spectrum, fine, templates, fit.sol[:2], fix_sigma, settings)
    except (ValueError, AssertionError, ArithmeticError, RuntimeError, IndexError, np.linalg.LinAlgError):
        return None  # pPXF states no errors of its own; the spectrum falls back
    velocity_err, sigma_err = fit.error[:2] * np.sqrt(max(fit.chi2, 1.0))
    return _Fit(fit.sol[0], velocity_err, fit.sol[1], sigma_err, fit.chi2, fit.weights[: len(templates)])


def _run_ppxf(problem, spectrum, good, templates, start, fix_sigma, settings):
    from ppxf.ppxf import ppxf  # draws too, hence loads matplotlib

    limit, skewed = settings.velocity_limit, settings.moments - 2
    return ppxf(
        templates.T, *spectrum, problem.velscale, [*start, *[0.0] * skewed], goodpixels=np.flatnonzero(good),
        degree=settings.degree, moments=settings.moments, vsyst=problem.offset, quiet=True,
        fixed=[False, fix_sigma] + [fix_sigma] * skewed,
        bounds=[[-limit, limit], list(settings.sigma_limits)] + [[-0.3, 0.3]] * skewed,
    )  # fmt: skip


def _outliers(fit, flux: FloatArray, err: FloatArray, good: BoolArray) -> BoolArray:
    """Good pixels far from the fit, with their neighbours, which the spline has smeared them into."""
    residual = np.abs(flux - fit.bestfit)
    spread = robust_sigma((residual / err)[good])
    far = good & (residual > OUTLIER_SIGMA * max(spread, 1.0) * err) & (residual > OUTLIER_FRACTION * fit.bestfit)
    far[1:-1] |= far[2:] | far[:-2]
    return far


def _cross_correlate(problem, template, systemic, settings) -> FloatArray:
    """First guess of every velocity (spaxel,) [km/s]: peak of the correlation with the galaxy's own mixture."""
    n, rows = problem.log_wave.size, problem.flux
    shift = round(-problem.offset / problem.velscale)
    width = systemic[1] / problem.velscale
    model = gaussian_filter1d(template, width)[shift : shift + n]
    x = np.linspace(-1, 1, n)
    lines = _flatten(x, rows, problem.good) * problem.good
    reference = _flatten(x, model[None], np.ones((1, n), bool))[0]
    size = fft.next_fast_len(2 * n, real=True)
    curve = fft.irfft(fft.rfft(lines, size, axis=1) * np.conj(fft.rfft(reference, size)), size, axis=1)
    reach = int(settings.velocity_limit // problem.velscale)
    curve = np.concatenate([curve[:, -reach:], curve[:, : reach + 1]], axis=1)
    peak = np.clip(curve.argmax(axis=1), 1, 2 * reach - 1)
    left, top, right = (np.take_along_axis(curve, peak[:, None] + k, axis=1)[:, 0] for k in (-1, 0, 1))
    bend = np.minimum(left + right - 2 * top, -1e-30)
    return (peak - reach + np.clip(0.5 * (left - right) / bend, -1, 1)) * problem.velscale


def _flatten(x: FloatArray, rows: FloatArray, good: BoolArray) -> FloatArray:
    """Spectra over a smooth continuum, less one; bad pixels have been bridged and count as the others."""
    basis = legendre.legvander(x, 12)
    continuum = (basis @ np.linalg.lstsq(basis, rows.T, rcond=None)[0]).T
    floor = 0.2 * np.abs(np.median(rows, axis=1, keepdims=True)) + 1e-30
    return np.clip(rows / np.maximum(continuum, floor) - 1, -1, 1)
