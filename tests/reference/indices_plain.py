"""Line indices pixel by pixel in plain Python: judges engine.spectrum.indices."""

import math


def overlap(edges, i, band):
    return max(0.0, min(edges[i + 1], band[1]) - max(edges[i], band[0]))


def mean(edges, flux, band):
    parts = [(overlap(edges, i, band), f) for i, f in enumerate(flux)]
    return sum(w * f for w, f in parts) / sum(w for w, _ in parts)


def equivalent_width(wave, edges, flux, centre, blue, red):
    """Angstrom; and the mean of flux over continuum, for magnitudes."""
    x_blue, x_red = sum(blue) / 2, sum(red) / 2
    f_blue, f_red = mean(edges, flux, blue), mean(edges, flux, red)
    total = 0.0
    for i, f in enumerate(flux):
        continuum = f_blue + (f_red - f_blue) * (wave[i] - x_blue) / (x_red - x_blue)
        total += overlap(edges, i, centre) * f / continuum
    return centre[1] - centre[0] - total, total / (centre[1] - centre[0])


def magnitude(wave, edges, flux, centre, blue, red):
    return -2.5 * math.log10(equivalent_width(wave, edges, flux, centre, blue, red)[1])


def d4000n(wave, edges, flux):
    nu = [f * w * w for f, w in zip(flux, wave, strict=True)]
    return mean(edges, nu, (4000.0, 4100.0)) / mean(edges, nu, (3850.0, 3950.0))
