"""Spectrum, residual and posteriors of one spaxel on paper, from the same arrays as the screen."""

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from app import theme
from app.screen import spectrum_data as data
from app.screen.spectrum_look import BAND_ALPHA, BANDS, ERROR_ALPHA, GAS, NAME_STEP, NAMES, OBSERVED, STARS
from app.spectra import ESTIMATES, PLANE, SpaxelSpectrum
from engine.columns import column

SPECTRUM_HEIGHT = 2.5  # in
FONT, SMALL, TINY = 7.5, 6.5, 5.2  # pt
RING = theme.STYLES.of("old ridge").colour  # of what is picked
LABEL_AT = (-0.085, 0.5)  # of the labels of flux and residual, in parts of their frames
WIDTH = 7.0  # in, of the page


def place_spectrum(figure: Figure, spectrum: SpaxelSpectrum, bottom: float) -> None:
    """The row of the spaxel on a page of WIDTH, from ``bottom`` [in]."""

    def axes(left: float, low: float, width: float, height: float, **options):
        total = figure.get_figheight()
        return figure.add_axes((left / WIDTH, (bottom + low) / total, width / WIDTH, height / total), **options)

    flux = axes(0.46, 0.95, 3.35, 1.4)
    draw_flux(flux, spectrum)
    draw_residual(axes(0.46, 0.4, 3.35, 0.5, sharex=flux), spectrum)
    for i, name in enumerate(ESTIMATES):
        draw_curve(axes(3.97, 1.9 - 0.75 * i, 1.05, 0.4), name, spectrum)
    draw_plane(axes(5.6, 0.4, 1.3, 1.95), spectrum)


def draw_flux(ax, spectrum: SpaxelSpectrum) -> None:
    """Observed flux with its error, stars, lines, and the names of bands and lines."""
    bottom, top = data.flux_limits(spectrum)
    _shade_bands(ax)
    ax.axhline(0, color=theme.RULE, lw=0.5)
    ax.fill_between(spectrum.wave, *data.error_band(spectrum), color=OBSERVED, alpha=ERROR_ALPHA, lw=0)
    ax.plot(spectrum.wave, spectrum.flux, color=theme.INK, lw=0.4)
    ax.plot(spectrum.wave, spectrum.stellar, color=STARS, lw=0.8)
    ax.plot(spectrum.wave, spectrum.gas, color=GAS, lw=0.7)
    step = NAME_STEP * (top - bottom)
    bands = data.band_words()
    lines = data.line_words()
    look = {"ha": "center", "va": "top", "size": TINY, "clip_on": True}
    for wave, text, row in zip(*bands, strict=True):
        ax.text(wave, top - (row + 0.15) * step, text, color=NAMES, **look)
    for wave, text in zip(lines.wave, lines.text, strict=True):
        ax.text(wave, bottom + 1.1 * step, text, color=GAS, **look)
    ax.set(xlim=(spectrum.wave[0], spectrum.wave[-1]), ylim=(bottom, top))
    ax.set_ylabel(f"flux [{data.TEX_FLUX_UNIT}]", size=SMALL, color=theme.INK)
    ax.yaxis.set_label_coords(*LABEL_AT)
    _journal(ax)
    ax.tick_params(labelbottom=False)


def draw_residual(ax, spectrum: SpaxelSpectrum) -> None:
    """Flux less stars and lines, with the error round zero."""
    limit = data.residual_limit(spectrum)
    _shade_bands(ax)
    error = np.nan_to_num(spectrum.flux_err)
    ax.fill_between(spectrum.wave, -error, error, color=OBSERVED, alpha=ERROR_ALPHA, lw=0)
    ax.plot(spectrum.wave, spectrum.residual, color=theme.INK, lw=0.4)
    ax.axhline(0, color=STARS, lw=0.6)
    ax.set_ylim(-limit, limit)
    ax.set_ylabel("residual", size=SMALL, color=theme.INK)
    ax.yaxis.set_label_coords(*LABEL_AT)
    ax.set_xlabel(r"rest wavelength [$\mathrm{\AA}$, air]", size=FONT, color=theme.INK, labelpad=2)
    ax.yaxis.set_major_locator(MaxNLocator(3))
    _journal(ax)


def draw_curve(ax, name: str, spectrum: SpaxelSpectrum) -> None:
    """One posterior with its median and the part between 16 and 84 per cent."""
    posterior = spectrum.posteriors[name]
    x, y = data.curve(posterior)
    ax.fill_between(*data.between(posterior), color=OBSERVED, alpha=ERROR_ALPHA, lw=0)
    ax.plot(x, y, color=theme.INK, lw=0.8)
    if np.isfinite(posterior.median):
        ax.plot([posterior.median] * 2, [0, np.interp(posterior.median, x, y)], color=RING, lw=1.2)
    ax.set(xlim=data.axis_of(name, posterior), ylim=(0, 1.12), yticks=[])
    ax.set_title(column(name).tex_axis, size=SMALL, color=theme.INK, pad=2)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    _journal(ax)


def draw_plane(ax, spectrum: SpaxelSpectrum) -> None:
    """Posterior of age and metallicity together."""
    ages, metals = spectrum.plane_edges
    colours = ListedColormap(["#ffffff", *theme.ink_palette()])
    extent = (ages[0], ages[-1], metals[0], metals[-1])
    look = {"origin": "lower", "aspect": "auto", "interpolation": "nearest", "vmin": 0, "vmax": 255}
    ax.imshow(data.shades(spectrum), extent=extent, cmap=colours, **look)
    for (xs, ys), dash in zip(data.plane_contours(spectrum), ("-", "--"), strict=True):
        for x, y in zip(xs, ys, strict=True):
            ax.plot(x, y, color="white", lw=1.4, alpha=0.7)
            ax.plot(x, y, color=theme.INK, lw=0.6, ls=dash)
    for place, draw in zip(data.medians(spectrum), (ax.axvline, ax.axhline), strict=True):
        if np.isfinite(place):
            draw(place, color=RING, lw=0.8)
    age, metal = PLANE
    ax.set(xlim=data.axis_of(age, spectrum.posteriors[age]), ylim=data.axis_of(metal, spectrum.posteriors[metal]))
    ax.set_xlabel(column(age).tex_axis, size=FONT, color=theme.INK, labelpad=2)
    ax.set_ylabel(column(metal).tex_axis, size=FONT, color=theme.INK, labelpad=1)
    _journal(ax)


def _shade_bands(ax) -> None:
    for low, high in zip(*data.bands(), strict=True):
        ax.axvspan(low, high, color=BANDS, alpha=BAND_ALPHA, lw=0)


def _journal(ax) -> None:
    ax.tick_params(which="both", direction="in", top=True, right=True, labelsize=SMALL, length=2.5, width=0.5)
