"""Stellar velocity and dispersion of every spectrum of a galaxy, by pPXF with the emission lines masked.

Cappellari & Emsellem (2004), Cappellari (2017). What makes it fast: spectra are brought to the galaxy's rest frame
and to a logarithmic grid at once; the full set of templates is fitted only to a few sums of spectra, and single
spectra take the few templates that these needed; a cross-correlation starts pPXF near the answer.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.polynomial import legendre
from scipy import fft
from scipy.ndimage import gaussian_filter1d

from engine.flags import SpaxelFlag
from engine.spectrum.log_grid import KinematicsSettings, LogSpectra, on_log_grid
from engine.spectrum.spectra import Spectra
from engine.spectrum.templates import StellarTemplates
from engine.stats import robust_sigma
from engine.types import BoolArray, FloatArray, IntArray, Progress

# *choice*: pixels further off the fit than both, in scatters and as a part of the flux, are cosmic rays and the like
OUTLIER_SIGMA = 6.0
OUTLIER_FRACTION = 0.1

_USUAL_SIGMA = 120.0  # km/s, where a fit of the dispersion begins

FULL, FEW_TEMPLATES, VELOCITY_ONLY, SYSTEMIC = range(4)  # values of Kinematics.mode


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
        problem = on_log_grid(spectra, templates, settings)
        snr = _snr(spectra, templates, settings)
        choices = _choose_templates(problem, snr, settings)
        return _fit_all(problem, snr, choices, settings, progress or (lambda _done, _total: None))


class _Choices(NamedTuple):
    """Templates of a galaxy, (template, pixel) each, and the fit to the sum of its spectra, if there is one."""

    full: FloatArray  # all that sums of its spectra need
    few: FloatArray  # the best mixture of each sum
    galaxy: _Fit | None


class _Start(NamedTuple):
    """Where a fit begins [km/s]."""

    velocity: float
    sigma: float
    fix_sigma: bool = False


class _One(NamedTuple):
    """One spectrum, scaled to a median of 1, (pixel,) each."""

    flux: FloatArray
    err: FloatArray
    good: BoolArray


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


def _choose_templates(problem: LogSpectra, snr: FloatArray, settings: KinematicsSettings) -> _Choices:
    """What sums of spectra need: the first of all bright ones, the others of parts of them."""
    bright = _brightest(snr, settings)
    parts = np.array_split(bright, max(1, min(settings.n_sums, bright.size)))
    fits = [fit for members in [bright, *parts] if (fit := _fit_sum(problem, members, settings)) is not None]
    if not fits:
        return _Choices(problem.templates, problem.templates.mean(axis=0, keepdims=True), None)
    needed = np.any([fit.weights > 0.01 * fit.weights.sum() for fit in fits], axis=0)
    mixtures = [fit.weights @ problem.templates for fit in fits]
    few = np.array(mixtures[1:] or mixtures)
    return _Choices(problem.templates[needed], few / few.mean(axis=1, keepdims=True), fits[0])


def _brightest(snr: FloatArray, settings: KinematicsSettings) -> IntArray:
    """Rows of the spectra that can have a full fit, or of up to 30 if there are none; those above S/N 1."""
    order = np.argsort(-snr, kind="stable")
    number = int((snr > settings.snr_full).sum()) or 30
    return order[snr[order] > 1.0][:number]


def _fit_sum(problem: LogSpectra, members: IntArray, settings: KinematicsSettings) -> _Fit | None:
    """The fit to the mean of some spectra; None if there are too few of them."""
    if members.size == 0:
        return None
    weight = _equal_weights(problem, members)
    count = (weight > 0).sum(axis=0)
    total = (weight * problem.flux[members]).sum(axis=0) / np.maximum(count, 1)
    err = np.sqrt(((weight * problem.err[members]) ** 2).sum(axis=0)) / np.maximum(count, 1)
    fine = count > 0.5 * members.size
    if fine.sum() < 50:
        return None
    err = np.maximum(np.where(fine, err, 1.0), 0.003 * np.median(np.abs(total[fine])))  # models are no better
    one = problem._replace(flux=total[None], err=err[None], good=fine[None])
    return _fit_one(one, 0, problem.templates, _Start(0.0, _USUAL_SIGMA), settings)


def _equal_weights(problem: LogSpectra, members: IntArray) -> FloatArray:
    """Weights (member, pixel) by which each counts alike, however bright: a faint one needs its own templates too."""
    good = problem.good[members]
    some = good.any(axis=1)
    level = np.zeros(members.size)
    level[some] = np.nanmedian(np.where(good[some], problem.flux[members[some]], np.nan), axis=1)
    return np.where(good & (level > 0)[:, None], 1.0 / np.where(level > 0, level, 1.0)[:, None], 0.0)


class _Results(NamedTuple):
    """Fits of the spectra, row by row."""

    fits: FloatArray  # (spaxel, 5), fields of _Fit; NaN where nothing was fitted
    mode: IntArray  # (spaxel,) of Kinematics

    @classmethod
    def empty(cls, n: int) -> "_Results":
        """Of spectra that have not been fitted yet."""
        return cls(np.full((n, 5), np.nan), np.full(n, SYSTEMIC, np.int8))

    @property
    def full_sigma(self) -> FloatArray:
        """Dispersions of full fits [km/s]."""
        return self.fits[self.mode == FULL, 2]


def _fit_all(
    problem: LogSpectra, snr: FloatArray, choices: _Choices, settings: KinematicsSettings, progress: Progress
) -> Kinematics:
    """Every spectrum, from the best to the worst, so that the galaxy's own values are known for the poor ones."""
    results = _Results.empty(snr.size)
    systemic, guess = _starts(problem, choices, settings)
    problem = _follow_lines(problem, np.where(snr >= settings.snr_few, guess, 0.0))
    for done, row in enumerate(np.argsort(-snr, kind="stable")):
        usual = _Start(guess[row], systemic.sigma)
        first_level = _first_level(snr[row], choices.galaxy, settings)
        found = _fit_row(problem, int(row), choices, usual, first_level, settings)
        if found:
            results.fits[row] = found.fit[:5]
            results.mode[row] = found.mode
        if done % 50 == 49:
            systemic = _with_usual_sigma(systemic, results.full_sigma)
        progress(done + 1, snr.size)
    return _result(results, snr, systemic)


def _starts(problem: LogSpectra, choices: _Choices, settings: KinematicsSettings) -> tuple[_Start, FloatArray]:
    """The galaxy's own motion, and a first guess of every velocity (spaxel,) [km/s]."""
    galaxy = choices.galaxy
    if galaxy is None:
        return _Start(0.0, 100.0), np.zeros(len(problem.flux))
    guess = cross_correlate(problem, choices.few[0], galaxy.sigma, settings)
    return _Start(galaxy.velocity, galaxy.sigma), guess


def _with_usual_sigma(systemic: _Start, sigma: FloatArray) -> _Start:
    """The galaxy's own motion with the median of the dispersions that were measured, if there are any."""
    return systemic._replace(sigma=float(np.median(sigma))) if sigma.size else systemic


class _Found(NamedTuple):
    """A fit, and how it came about."""

    fit: _Fit
    mode: int


def _fit_row(
    problem: LogSpectra, row: int, choices: _Choices, usual: _Start, first_level: int, settings: KinematicsSettings
) -> _Found | None:
    """The first fit that can be believed, from the most demanding level on; usual: guess, and the galaxy's sigma."""
    for level in range(first_level, SYSTEMIC):
        fixed = level == VELOCITY_ONLY
        start = _Start(usual.velocity, usual.sigma if fixed else _USUAL_SIGMA, fixed)
        fit = _fit_one(problem, row, choices.full if level == FULL else choices.few, start, settings)
        if fit and _believable(fit, settings):
            return _Found(fit, level)
    return None


def _follow_lines(problem: LogSpectra, velocity: FloatArray) -> LogSpectra:
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


def _result(results: _Results, snr: FloatArray, systemic: _Start) -> Kinematics:
    velocity, velocity_err, sigma, sigma_err, chi2 = results.fits.T.copy()
    mode = results.mode
    systemic = _with_usual_sigma(systemic, results.full_sigma)
    unknown = mode == SYSTEMIC
    velocity[unknown] = systemic.velocity
    sigma[unknown] = systemic.sigma
    sigma_err[mode >= VELOCITY_ONLY] = np.nan
    flags = np.where(mode == FULL, 0, SpaxelFlag.KINEMATICS_FELL_BACK.value)
    return Kinematics(
        velocity, velocity_err, sigma, sigma_err, mode, chi2, snr, flags, systemic.velocity, systemic.sigma
    )


def _fit_one(
    problem: LogSpectra, row: int, templates: FloatArray, start: _Start, settings: KinematicsSettings
) -> _Fit | None:
    """pPXF of one spectrum; None if it fails. Errors are scaled to a chi-square of one per degree of freedom."""
    good = problem.good[row]
    scale = np.median(problem.flux[row][good]) if good.any() else 0.0
    if np.count_nonzero(good) < 50 or not scale > 0:
        return None
    one = _One(problem.flux[row] / scale, problem.err[row] / scale, good)
    try:
        fit = _run_without_outliers(problem, one, templates, start, settings)
    except (ValueError, AssertionError, ArithmeticError, RuntimeError, IndexError, np.linalg.LinAlgError):
        return None  # pPXF states no errors of its own; the spectrum falls back
    velocity_err, sigma_err = fit.error[:2] * np.sqrt(max(fit.chi2, 1.0))
    return _Fit(fit.sol[0], velocity_err, fit.sol[1], sigma_err, fit.chi2, fit.weights[: len(templates)])


def _run_without_outliers(
    problem: LogSpectra, one: _One, templates: FloatArray, start: _Start, settings: KinematicsSettings
) -> Any:
    """The fit as pPXF returns it; where outliers show it is done again without them."""
    fit = _run_ppxf(problem, one, templates, start, settings)
    fine = one.good & ~_outliers(fit, one)
    if np.array_equal(fine, one.good):
        return fit
    again = _Start(fit.sol[0], fit.sol[1], start.fix_sigma)
    return _run_ppxf(problem, one._replace(good=fine), templates, again, settings)


def _run_ppxf(
    problem: LogSpectra, one: _One, templates: FloatArray, start: _Start, settings: KinematicsSettings
) -> Any:
    """The fit as pPXF returns it."""
    from ppxf.ppxf import ppxf  # draws too, hence loads matplotlib

    limit = settings.velocity_limit
    skewed = settings.moments - 2
    return ppxf(
        templates.T, one.flux, one.err, problem.velscale, [start.velocity, start.sigma, *[0.0] * skewed],
        goodpixels=np.flatnonzero(one.good),
        degree=settings.degree, moments=settings.moments, vsyst=problem.offset, quiet=True,
        fixed=[False, start.fix_sigma] + [start.fix_sigma] * skewed,
        bounds=[[-limit, limit], list(settings.sigma_limits)] + [[-0.3, 0.3]] * skewed,
    )  # fmt: skip


def _outliers(fit: Any, one: _One) -> BoolArray:
    """Good pixels far from the fit, with their neighbours, which the spline has smeared them into."""
    residual = np.abs(one.flux - fit.bestfit)
    spread = robust_sigma((residual / one.err)[one.good])
    far = one.good & (residual > OUTLIER_SIGMA * max(spread, 1.0) * one.err)
    far &= residual > OUTLIER_FRACTION * fit.bestfit
    far[1:-1] |= far[2:] | far[:-2]
    return far


def cross_correlate(
    problem: LogSpectra, template: FloatArray, sigma: float, settings: KinematicsSettings
) -> FloatArray:
    """First guess of every velocity (spaxel,) [km/s]: peak of the correlation with the galaxy's own mixture.

    template: (template pixel,), to be broadened by sigma [km/s].
    """
    n = problem.log_wave.size
    start = round(-problem.offset / problem.velscale)
    model = gaussian_filter1d(template, sigma / problem.velscale)[start : start + n]
    x = np.linspace(-1, 1, n)
    lines = _flatten(x, problem.flux, problem.good) * problem.good
    reference = _flatten(x, model[None], np.ones((1, n), bool))[0]
    reach = int(settings.velocity_limit // problem.velscale)
    return (_peaks(_correlation(lines, reference, reach)) - reach) * problem.velscale


def _correlation(rows: FloatArray, reference: FloatArray, reach: int) -> FloatArray:
    """Of rows (row, pixel) with a reference (pixel,) shifted by up to so many pixels either way, (row, shift)."""
    size = fft.next_fast_len(2 * reference.size, real=True)
    curve = fft.irfft(fft.rfft(rows, size, axis=1) * np.conj(fft.rfft(reference, size)), size, axis=1)
    return np.concatenate([curve[:, -reach:], curve[:, : reach + 1]], axis=1)


def _peaks(curves: FloatArray) -> FloatArray:
    """Fractional places (row,) of the highest points of curves (row, place): vertices of parabolas."""
    peak = np.clip(curves.argmax(axis=1), 1, curves.shape[1] - 2)
    left, top, right = (np.take_along_axis(curves, peak[:, None] + k, axis=1)[:, 0] for k in (-1, 0, 1))
    bend = np.minimum(left + right - 2 * top, -1e-30)
    return peak + np.clip(0.5 * (left - right) / bend, -1, 1)


def _flatten(x: FloatArray, rows: FloatArray, good: BoolArray) -> FloatArray:
    """Spectra over a smooth continuum, less one; bad pixels have been bridged and count as the others."""
    basis = legendre.legvander(x, 12)
    continuum = (basis @ np.linalg.lstsq(basis, rows.T, rcond=None)[0]).T
    floor = 0.2 * np.abs(np.median(rows, axis=1, keepdims=True)) + 1e-30
    return np.clip(rows / np.maximum(continuum, floor) - 1, -1, 1)
