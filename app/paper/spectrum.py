"""Spectrum, residual and posteriors of one spaxel on paper, from the same arrays as the screen."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from app import theme
from app.paper.look import FONT, PT, WIDTHS
from app.paper.page import Row, axes_at
from app.screen import spectrum_data as data
from app.screen.spectrum_look import BAND_ALPHA, BANDS, ERROR_ALPHA, GAS, NAMES, OBSERVED, STARS
from app.spectra import ESTIMATES, PLANE, SpaxelSpectrum
from engine.columns import column
from engine.types import FloatArray

RING = theme.STYLES.of("old ridge").colour  # of what is picked
LEFT, RIGHT = 0.56, 0.1  # in; beside frames
LABEL = 0.17  # in; from the left end of the page to the labels of flux and residual
NAME_ROWS, NAME_LINE = 3, 0.125  # rows of names above a spectrum, and their height [in]
FLUX = {"one": 1.4, "two": 1.75}  # in
RESIDUAL, GAP = 0.5, 0.05  # in
HEADROOM = 1.05  # of the flux axis over the spectrum
FOOT = 0.36  # in; numbers and label below a frame
BESIDE = 0.66  # part of a page of two columns that the curves take beside the plane
CURVE = {"one": 0.5, "two": 0.9}  # in
CURVE_FOOT, CURVE_GAP, TITLE = 0.22, 0.14, 0.22  # in
CHARACTER = 0.62 * FONT * PT  # in; the width of a letter of a name, with some to spare


def spectrum_row(spectrum: SpaxelSpectrum, columns: str = "two") -> Row:
    """The spectrum with the names of bands above it, and its residual."""
    width = WIDTHS[columns] - LEFT - RIGHT
    height = FLUX[columns]

    def draw(figure: Figure, bottom: float) -> None:
        residual = axes_at(figure, LEFT, bottom + FOOT, width, RESIDUAL)
        flux = axes_at(figure, LEFT, bottom + FOOT + RESIDUAL + GAP, width, height, sharex=residual)
        draw_flux(flux, spectrum)
        draw_residual(residual, spectrum)
        for ax in (flux, residual):
            ax.yaxis.set_label_coords((LABEL - LEFT) / width, 0.5)
        if columns == "one":  # the label of the flux is longer than its frame, and would reach that of the residual
            flux.yaxis.label.set_horizontalalignment("left")
            flux.yaxis.set_label_coords((LABEL - LEFT) / width, 0.0)

    return Row(FOOT + RESIDUAL + GAP + height + NAME_ROWS * NAME_LINE + 0.08, draw)


def posteriors_rows(spectrum: SpaxelSpectrum, columns: str = "two") -> list[Row]:
    """The posteriors of the estimates, and that of age and metallicity together: beside them or in their last row."""
    if columns == "two":
        each = BESIDE * WIDTHS["two"] / len(ESTIMATES)
        return [_posteriors_row(spectrum, ESTIMATES, each, columns)]
    *first, last = ESTIMATES
    each = WIDTHS["one"] / 2
    pairs = [tuple(first[i : i + 2]) for i in range(0, len(first), 2)]
    rows = [_posteriors_row(spectrum, pair, each, columns, has_plane=False) for pair in pairs]
    return [*rows, _posteriors_row(spectrum, (last,), each, columns)]


def _posteriors_row(
    spectrum: SpaxelSpectrum, names: tuple[str, ...], each: float, columns: str, *, has_plane: bool = True
) -> Row:
    """Curves of these estimates, ``each`` [in] apart, and the plane in what they leave of the width."""
    height = CURVE[columns]

    def draw(figure: Figure, bottom: float) -> None:
        for i, name in enumerate(names):
            place = (RIGHT + i * each, bottom + CURVE_FOOT, each - CURVE_GAP, height)
            draw_curve(axes_at(figure, *place), name, spectrum)
        left = each * len(names) + LEFT
        if has_plane:
            place = (left, bottom + FOOT, WIDTHS[columns] - RIGHT - left, height + CURVE_FOOT - 0.1)
            draw_plane(axes_at(figure, *place), spectrum)

    return Row(CURVE_FOOT + height + TITLE + 0.04, draw)


def draw_flux(ax: Axes, spectrum: SpaxelSpectrum) -> None:
    """Observed flux with its error, stars, lines, and the names of bands, above the frame, and of lines."""
    bottom, top = data.flux_limits(spectrum)
    top *= HEADROOM / (1 + data.ABOVE)  # which leaves room for names within the frame
    _shade_bands(ax)
    ax.axhline(0, color=theme.RULE, lw=0.5)
    ax.fill_between(spectrum.wave, *data.error_band(spectrum), color=OBSERVED, alpha=ERROR_ALPHA, lw=0)
    ax.plot(spectrum.wave, spectrum.flux, color=theme.INK, lw=0.4)
    ax.plot(spectrum.wave, spectrum.stellar, color=STARS, lw=0.8)
    ax.plot(spectrum.wave, spectrum.gas, color=GAS, lw=0.7)
    ax.set(xlim=(spectrum.wave[0], spectrum.wave[-1]), ylim=(bottom, top))
    _name(ax, data.band_words(), NAME_ROWS, 1.0 + 0.04 / _inches(ax)[1], NAMES)
    _name(ax, data.line_words(), 1, 0.02, GAS)
    ax.set_ylabel(f"flux [{data.TEX_FLUX_UNIT}]", color=theme.INK)
    _journal(ax)
    ax.tick_params(labelbottom=False)


def _name(ax: Axes, names: data.AxisNames, n_rows: int, low: float, colour: str) -> None:
    """Names along the axis of wavelength, in the first row where there is room; one that has room in none is left out.

    ``low``: where the first row stands, part of the frame.
    """
    first, last = ax.get_xlim()
    free, across = [first] * n_rows, ax.get_xaxis_transform()
    width, height = _inches(ax)
    for wave, text in sorted(zip(names.wave, names.text, strict=True)):
        half = 0.5 * (len(text) + 1) * CHARACTER * (last - first) / width
        row = next((i for i, end in enumerate(free) if wave - half >= end), None)
        if row is None or wave + half > last:
            continue
        free[row] = wave + half
        ax.text(wave, low + row * NAME_LINE / height, text, color=colour, ha="center", va="bottom", transform=across)


def draw_residual(ax: Axes, spectrum: SpaxelSpectrum) -> None:
    """Flux less stars and lines, with the error round zero."""
    limit = data.residual_limit(spectrum)
    _shade_bands(ax)
    error = np.nan_to_num(spectrum.flux_err)
    ax.fill_between(spectrum.wave, -error, error, color=OBSERVED, alpha=ERROR_ALPHA, lw=0)
    ax.plot(spectrum.wave, spectrum.residual, color=theme.INK, lw=0.4)
    ax.axhline(0, color=STARS, lw=0.6)
    ax.set_ylim(-limit, limit)
    ax.set_ylabel("residual", color=theme.INK)
    ax.set_xlabel(r"rest wavelength [$\mathrm{\AA}$, air]", color=theme.INK, labelpad=2)
    ax.yaxis.set_major_locator(MaxNLocator(2, symmetric=True))
    _journal(ax)


def draw_curve(ax: Axes, name: str, spectrum: SpaxelSpectrum) -> None:
    """One posterior with its median and the part between 16 and 84 per cent."""
    posterior = spectrum.posteriors[name]
    x, y = data.curve(posterior)
    ax.fill_between(*data.between(posterior), color=OBSERVED, alpha=ERROR_ALPHA, lw=0)
    ax.plot(x, y, color=theme.INK, lw=0.8)
    if np.isfinite(posterior.median):
        ax.plot([posterior.median] * 2, [0, np.interp(posterior.median, x, y)], color=RING, lw=1.2)
    ax.set(xlim=data.axis_of(name, posterior), ylim=(0, 1.12), yticks=[])
    ax.set_title(column(name).tex_axis, color=theme.INK, pad=3)
    ax.xaxis.set_major_locator(MaxNLocator(4, prune="both"))
    _journal(ax)


def draw_plane(ax: Axes, spectrum: SpaxelSpectrum) -> None:
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
    ax.set_xlabel(column(age).tex_axis, color=theme.INK, labelpad=2)
    ax.set_ylabel(column(metal).tex_axis, color=theme.INK, labelpad=1)
    _journal(ax)


def _inches(ax: Axes) -> FloatArray:
    """Width and height of a frame."""
    return ax.get_position().size * ax.figure.get_size_inches()


def _shade_bands(ax: Axes) -> None:
    for low, high in zip(*data.bands(), strict=True):
        ax.axvspan(low, high, color=BANDS, alpha=BAND_ALPHA, lw=0)


def _journal(ax: Axes) -> None:
    ax.tick_params(which="both", direction="in", top=True, right=True, length=2.5, width=0.5)
